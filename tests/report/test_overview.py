"""The overview and the ledger as text: rows, small charts, counts, and the verdicts of tracked runs."""

from __future__ import annotations

from typing import Any

import pytest
from report import samples
from report.samples import HOSTILE, Plain
from report.test_page import Reader

from harness.report.run import pictures, views
from harness.report.run.anchors import anchors, unique
from harness.report.run.page import render


def scattered(*points: tuple[float, float, str], better: str = "higher") -> list[Plain]:
    """Return the dots of strategies with a cost, a quality and a role, in the order of the strategies."""
    measures = [{"name": "auc", "cost": False, "unit": "1", "better": better}]
    names = [f"s{index}" for index in range(len(points))]
    places = [
        {"strategy": index, "cost": cost, "quality": quality, "role": role}
        for index, (cost, quality, role) in enumerate(points)
    ]
    task = {"points": places, "measures": measures, "strategies": [{"label": name} for name in names]}
    found = pictures.scatter(task)
    assert found is not None
    return sorted(found["dots"], key=lambda dot: str(dot["title"]))


def shown(payload: Plain) -> Plain:
    return views.page(payload, anchors(payload))


def test_dearer_is_to_the_right_in_logarithms_and_better_is_above() -> None:
    one, two, three = scattered((1, 0.7, "other"), (10, 0.8, "take"), (100, 0.9, "other"))
    assert two["x"] == pytest.approx((one["x"] + three["x"]) / 2)
    assert one["x"] < two["x"] < three["x"]
    assert one["y"] > two["y"] > three["y"]
    low, high = scattered((1, 0.7, "take"), (2, 0.9, "other"), better="lower")
    assert low["y"] < high["y"]


def test_a_far_strategy_is_at_the_edge_so_that_the_others_stay_apart() -> None:
    near = [(1, 0.80, "take"), (2, 0.81, "other"), (3, 0.82, "other")]
    *others, far = scattered(*near, (2, 0.1, "baseline"))
    assert max(dot["y"] for dot in others) - min(dot["y"] for dot in others) > pictures.HEIGHT / 2
    assert far["y"] == pictures.HEIGHT - 3
    assert pictures.scatter({"points": []}) is None


def test_the_strategy_to_take_is_drawn_on_top() -> None:
    task = samples.task()
    found = pictures.scatter(task)
    assert found is not None
    assert found["dots"][-1]["role"] == "take"
    assert found["text"] == "AUC against CPU time of 6 strategies; base: AUC 0.8000, 1.00\xa0s of CPU time"


@pytest.mark.parametrize(
    ("least", "most", "region"),
    [(None, 0.5, "left"), (0.5, None, "right"), (0.3, 0.5, "between"), (None, None, "none")],
)
def test_an_interval_is_drawn_against_what_is_expected(least: float | None, most: float | None, region: str) -> None:
    claim = samples.claim(at_least=least, at_most=most)
    found = pictures.interval(claim)
    assert found is not None
    assert found["low"] < found["estimate"] < found["high"]
    bounds = found["bounds"]
    start = bounds[0] if region in ("right", "between") else 0
    end = bounds[-1] if region in ("left", "between") else pictures.LINE
    assert found["expected"] == (None if region == "none" else {"x": start, "width": end - start})
    assert found["text"] == "expected: at most 0.5"


def test_without_an_estimate_there_is_no_picture_and_without_an_interval_only_its_dot() -> None:
    assert pictures.interval(samples.claim(estimate=None, low=None, high=None)) is None
    found = pictures.interval(samples.claim(low=None, high=None))
    assert found is not None
    assert (found["low"], found["high"]) == (None, None)


def test_anchors_are_unique_whatever_names_hold() -> None:
    payload = samples.payload(*(samples.task(name) for name in ("claims/a", "b/x y", "b/x-y", f"{HOSTILE}/a", "<b>/a")))
    found = anchors(payload)
    assert len(set(found.values())) == len(found)
    assert found["claims"] == "/claims-2", "the ledger has this anchor already"
    assert (found["b/x y"], found["b/x-y"]) == ("/b/x-y", "/b/x-y-2")
    taken = {"index.html"}
    assert [unique("Index", taken, "{}.html") for _ in range(2)] == ["index-2.html", "index-3.html"]


def advised(name: str, state: str, **other: Any) -> Plain:
    advice = {"state": state, "take": "base", "why": "", "as_good": "", "open": "", "seconds": None, "remarks": ()}
    return {**samples.task(name), "advice": {**advice, **other}}


def test_the_overview_counts_what_is_settled_and_forecasts_the_rest() -> None:
    tasks = [
        advised("t/a", "settled", why="2.5x less CPU than slow"),
        advised("t/b", "open", open="base leads; 3 blocks do not tell it apart from fast", seconds=(60.0, 600.0)),
        advised("t/c", "open", open="base leads", seconds=(60.0, 3000.0)),
        advised("t/d", "none", take=""),
        advised("t/e", "tied", why="equal to that of fast"),
    ]
    found = shown(samples.payload(*tasks))["overview"]
    assert (found["headline"], found["open"], found["wait"]) == (
        "2 of 4 tasks settled, 1 tie among them",
        2,
        "about 2 min to 1 h",
    )
    ((_, rows),) = found["topics"]
    assert [row["word"] for row in rows] == ["settled", "not settled", "not settled", "", "tied"]
    assert [row["take"] for row in rows] == ["base", "", "", "", "base"]
    assert {dot["role"] for dot in rows[3]["picture"]["dots"]} == {"other"}, "nothing is recommended"
    assert {row["stopped"] for row in rows} == {"1 failed, 1 skipped"}


def test_an_answer_says_who_leads_for_readers_who_weigh_otherwise() -> None:
    text = " ".join(render(samples.payload(advised("t/a", "settled", why="2.5x less CPU than slow"))).split())
    assert '<p class="leader"><b>Smallest</b> small: 0.50x the memory [0.48, 0.52], auc 0.7.</p>' in text


def test_the_overview_says_why_strategies_did_not_finish() -> None:
    found = shown(samples.payload(samples.task("t/a"), samples.task("t/b")))["overview"]["stopped"]
    assert found == [
        {"what": "1 strategy skipped: no CUDA device", "names": "gpu"},
        {"what": "1 strategy failed: ValueError: it broke", "names": "flaky"},
    ]


def known(**other: Any) -> Plain:
    """Make a tracked verdict."""
    return samples.claim(**{"machine": "other", "runs": ["abc123"], "days": ["2026-11-20"], "commits": [""], **other})


def test_what_was_not_measured_has_its_tracked_verdict_marked_as_such() -> None:
    blank: Plain = {"verdict": "not measured", "estimate": None, "low": None, "high": None}
    claims = [
        samples.claim(**blank, text="one", tracked=known(verdict="refuted", text="one", measured="")),
        samples.claim("supported", text="two", tracked=known(verdict="supported", text="two")),
        samples.claim(**blank, text="three"),
    ]
    payload = samples.payload(samples.task(), claims=claims)
    (group,) = shown(payload)["claims"]
    assert [(row["text"], row["verdict"], row["tracked"]) for row in group["rows"]] == [
        ("two", "supported", False),
        ("one", "refuted", True),
    ]
    assert [row["text"] for row in group["blank"]] == ["three"]
    assert group["text"] == "1 supported, 1 refuted, 1 not measured; 1 of these by tracked runs, not by this one"
    assert sum(part["width"] for part in group["bars"]) == pytest.approx(100, abs=0.1)
    text = " ".join(Reader(render(payload)).text.split())
    assert "refuted tracked one" in text
    assert "run abc123 of 20 November 2026" in text
    assert "2 claims were not measured in these runs: bakeoff run planted --profile claims" in text


def test_the_refuted_claims_of_the_overview_are_of_different_topics_and_first_of_this_run() -> None:
    claims = [
        samples.claim("refuted", text="a", topic="one"),
        samples.claim("refuted", text="b", topic="one"),
        samples.claim("not measured", text="c", topic="two", tracked=known(verdict="refuted", text="c", topic="two")),
        samples.claim("refuted", text="d", topic="three", published=""),
    ]
    payload = samples.payload(*(samples.task(f"{topic}/t") for topic in ("one", "two", "three")), claims=claims)
    assert [row["text"] for row in shown(payload)["overview"]["refuted"]] == ["a", "d", "c"]
