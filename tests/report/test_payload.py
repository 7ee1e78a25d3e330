"""From records to what a page shows: odd runs give a correct page."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from report.samples import HOSTILE

from harness.analysis.aggregates import aggregate
from harness.analysis.run_set import RunSet, Tally
from harness.claims import Judged
from harness.declare.values import Chart
from harness.measure.fitness import Noise
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Curve, Phase, Record, Scalar, Seeds, Trial, Try
from harness.report.run.markdown import markdown
from harness.report.run.page import render
from harness.report.run.payload import build
from harness.stats.paired import paired_ratio
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard, TaskCard
from harness.store.noise import StoredNoise


def header(run: str = "aaaaaa", *, machine: str = "box", day: int = 1, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run,
        "started": f"2026-01-{day:02d}T00:00:00+00:00",
        "machine": Machine(machine),
        "environment": Environment(),
        "selection": Selection(),
        "plan": "0",
        "trials": 4,
        "command": "bakeoff run",
        "metrics": (JudgedMetric("t/task", "auc", "higher", "1", margin=0.01),),
        "cards": {},
        "strategies": (StrategyCard("t/task", "b"), StrategyCard("t/task", "a")),
        "references": {"t/task": "a"},
        "tasks": (TaskCard("t/task", "Title", baseline="b", charts=(Chart("loss", "Loss", "step", "nat"),)),),
    }
    return Header(**(fields | changes))


def record(label: str, block: int = 0, cost: float = 1.0, auc: float = 0.5, rows: int = 10, **changes: Any) -> Record:
    trial = Trial("t", "task", label, "data", "clean", {"rows": rows}, {}, block, Seeds(block, 1, 2))
    fields: dict[str, Any] = {
        "status": "ok",
        "phases": {"fit": Phase([cost], [cost], peak_bytes=1000)},
        "metrics": {"auc": auc},
        "curves": {"loss": Curve([0.0, 1.0], [1.0, auc])},
    }
    return Record(trial, **(fields | changes))


def run_set(*runs: tuple[Header, Iterable[Record]]) -> RunSet:
    given = [(own, list(records)) for own, records in runs]
    tallies = []
    for _, records in given:
        tallies.append(Tally())
        for one in records:
            tallies[-1].add(one)
    return RunSet([own for own, _ in given], tallies, aggregate((own.run, own.machine.name, rs) for own, rs in given))


def shown(payload: dict[str, Any]) -> dict[str, Any]:
    """Make sure that a payload is JSON without NaN, a page and Markdown, and return its first task."""
    json.dumps(payload, allow_nan=False)
    assert "<h1" in render(payload)
    assert markdown(payload).startswith("## ")
    task: dict[str, Any] = payload["tasks"][0]
    return task


BLOCKS = [
    record(name, block, cost + block, 0.8 + block / 100)
    for block in range(3)
    for name, cost in (("a", 1.0), ("b", 2.0))
]


def test_figures_of_the_page_are_those_of_the_records() -> None:
    task = shown(build(run_set((header(), BLOCKS)), title="T"))
    assert [own["label"] for own in task["strategies"]] == ["b", "a"]
    assert (task["reference"], task["baseline"], task["title"]) == ("a", "b", "Title")
    (cell,) = task["cells"]
    assert cell["units"] == [[0, 0, 0], [0, 1, 1], [0, 2, 2]]
    assert cell["rows"][0]["values"]["cpu_s"] == [2.0, 3.0, 4.0]
    found = cell["table"][0]["cells"][0]
    expected = paired_ratio([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert (found["estimate"], found["low"]) == pytest.approx((expected.estimate, expected.low))
    assert cell["table"][1]["cells"][0]["verdict"] == "reference"
    assert task["curves"][0]["lines"][0]["repeats"][0] == {"x": [0.0, 1.0], "y": [1.0, 0.8]}
    assert (task["advice"]["state"], task["advice"]["take"]) == ("tied", "a or b")


def test_noise_and_claims_are_shown() -> None:
    noise = {"box": StoredNoise("2026-01-01T00:00:00+00:00", Noise(9, 0.01, None, 0.0, 0.02, {5: 0.03}))}
    claim = Judged("t", "a is fast", "me", "", "supported", estimate=2.0, low=1.5, high=3.0, blocks=3, cost=True)
    payload = build(replace(run_set((header(), BLOCKS)), noise=noise), title="T", claims=[claim])
    shown(payload)
    assert payload["machines"][0]["noise"]["sd"] == 0.02
    assert payload["claims"][0]["text"] == "a is fast"


def test_one_block_has_no_interval() -> None:
    task = shown(build(run_set((header(), BLOCKS[:2])), title="T"))
    found = task["cells"][0]["table"][0]["cells"][0]
    assert (found["estimate"], found["low"], found["verdict"]) == (2.0, None, "unknown")


def test_one_strategy_is_its_own_reference() -> None:
    task = shown(build(run_set((header(), [record("b", block) for block in range(3)])), title="T"))
    assert task["reference"] == "b"
    assert (task["advice"]["take"], task["advice"]["why"]) == ("b", "the only strategy that finished")


def test_all_failed() -> None:
    failed = [record(name, status="failed", reason="it broke") for name in "ab"]
    task = shown(build(run_set((header(), failed)), title="T"))
    assert (task["advice"]["state"], task["advice"]["take"]) == ("none", "")
    assert task["cells"][0]["rows"][0]["troubles"] == [["failed", "it broke", 1]]
    assert [measure["name"] for measure in task["measures"]] == ["auc"]


def test_a_metric_that_some_lack() -> None:
    records = [*BLOCKS, *(record("c", block, metrics={}) for block in range(3))]
    task = shown(build(run_set((header(), records)), title="T"))
    labels = [own["label"] for own in task["strategies"]]
    row = next(row for row in task["cells"][0]["table"] if labels[row["strategy"]] == "c")
    by_name = dict(zip([measure["name"] for measure in task["measures"]], row["cells"], strict=True))
    assert by_name["auc"]["verdict"] == "unknown"
    assert by_name["cpu_s"]["estimate"] is not None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_missing(value: float) -> None:
    records = [*BLOCKS, record("a", 3, auc=value), record("b", 3)]
    task = shown(build(run_set((header(), records)), title="T"))
    assert task["cells"][0]["rows"][1]["values"]["auc"][3] is None


def test_a_mean_that_one_block_moves_is_said_beside_the_median() -> None:
    def pairs(disturbed: float) -> list[Record]:
        costs = [2.0 + block / 100 for block in range(9)] + [disturbed]
        return [record(*own) for block, cost in enumerate(costs) for own in (("a", block, 1.0), ("b", block, cost))]

    assert shown(build(run_set((header(), pairs(2.0))), title="T"))["cells"][0]["outliers"] == []
    payload = build(run_set((header(), pairs(60.0))), title="T")
    (remark,) = (said for said in shown(payload)["cells"][0]["outliers"] if "ratio of cpu_s" in said)
    assert remark.startswith("b: a few blocks, far from the others, move the mean ratio of cpu_s to 2.86x; the median")
    assert f'<p class="note">{remark} (data, clean (rows=10)).</p>' in render(payload)
    assert f"\n- {remark}\n" in markdown(payload).replace("\\_", "_")


def versioned(run: str, day: int, version: str) -> Header:
    cards = (StrategyCard("t/task", "b"), StrategyCard("t/task", "a", versions={"cpu_s": version} if version else {}))
    return header(run, day=day, strategies=cards)


@pytest.mark.parametrize("older", ["1", ""])
def test_figures_of_two_versions_of_a_benchmark_are_not_pooled(older: str) -> None:
    """Times of `a` in the older run are those of another benchmark; all else is pooled."""
    runs = [
        (versioned("aaaaaa", 1, older), [record("a", block, 1.0) for block in range(3)]),
        (versioned("bbbbbb", 2, "2"), [record("a", block, 10.0) for block in range(3)]),
        (versioned("cccccc", 3, "2"), [record("a", block, 10.0) for block in range(3)]),
    ]
    payload = build(run_set(*runs), title="T")
    row, names = shown(payload)["cells"][0]["table"][0], [own["name"] for own in payload["tasks"][0]["measures"]]
    medians = {name: cell["median"] for name, cell in zip(names, row["cells"], strict=True)}
    assert {name: medians[name] for name in ("cpu_s", "fit.cpu_s")} == {"cpu_s": 10.0, "fit.cpu_s": 10.0}
    assert [one is None for one in payload["tasks"][0]["cells"][0]["rows"][0]["values"]["cpu_s"]] == [True] * 3 + [
        False
    ] * 6
    assert None not in payload["tasks"][0]["cells"][0]["rows"][0]["values"]["wall_s"]
    (remark,) = (remark for remark in payload["remarks"] if "benchmark itself changed" in remark)
    assert remark.endswith(
        "for a of t/task the version of run cccccc counts, and figures of these runs are left out: aaaaaa."
    )
    same = build(run_set(*runs[1:]), title="T")
    assert not [remark for remark in same["remarks"] if "benchmark itself" in remark]


def test_three_hundred_strategies() -> None:
    records = [record(f"s-{number}", block, 1 + number) for number in range(300) for block in range(2)]
    task = shown(build(run_set((header(), records)), title="T"))
    assert len(task["cells"][0]["table"]) == 300


def test_hostile_names_are_text_everywhere() -> None:
    records = [record(HOSTILE, block) for block in range(2)] + [
        record("a", block, reason=HOSTILE) for block in range(2)
    ]
    payload = build(run_set((header(command=HOSTILE), records)), title=HOSTILE)
    shown(payload)
    assert "<script>alert" not in render(payload)
    # Inside of backticks, as the command is, nothing is markup.
    assert "<script>alert" not in re.sub(r"`[^`]*`", "", markdown(payload))


def test_runs_of_two_machines_are_kept_apart_and_said() -> None:
    both = run_set((header("aaaaaa"), BLOCKS), (header("bbbbbb", machine="other", schema="1.0"), BLOCKS))
    payload = build(both, title="T")
    task = shown(payload)
    assert [cell["machine"] for cell in task["cells"]] == [0, 1]
    assert payload["remarks"][:2] == [
        "The runs are of 2 machines, whose times are never compared with each other: box, other.",
        f"The runs are of 2 versions of the format: 1.0, {SCHEMA}.",
    ]


def test_history_has_a_point_a_run_and_its_changes() -> None:
    def slow(factor: float) -> list[Record]:
        return [record("a", block, factor * (1 + block / 100)) for block in range(3)]

    factors = [1.0, 1.01, 0.99, 1.0, 2.0, 2.01, 1.99, 2.0]
    runs = [(header(f"{day:06x}", day=day + 1), slow(factor)) for day, factor in enumerate(factors)]
    task = shown(build(run_set(runs[-1]), title="T", tracked=run_set(*runs[:-1])))
    (series,) = (own for own in task["history"] if own["measure"] == "cpu_s")
    assert [point["run"] for point in series["points"]] == [f"{day:06x}" for day in range(8)]
    (change,) = series["changes"]
    assert change["index"] == 4
    assert series["searched"] == 8
    assert (change["before"], change["after"]) == pytest.approx((1.01, 2.02), rel=0.01)
    assert len(task["cells"][0]["units"]) == 3


def test_a_crossover_outside_of_the_sizes_is_left_out() -> None:
    def at(exponent: float, scale: float, label: str) -> list[Record]:
        return [
            record(label, b, scale * rows**exponent * (1 + b / 1000), rows=rows)
            for b in range(3)
            for rows in (10, 100, 1000)
        ]

    inside = shown(build(run_set((header(), at(1.0, 1.0, "a") + at(0.5, 10.0, "b"))), title="T"))
    (sweep,) = inside["scaling"]
    assert [slope["estimate"] for slope in sweep["slopes"]] == pytest.approx([0.5, 1.0], abs=1e-6)
    (met,) = sweep["crossovers"]
    assert met["estimate"] == pytest.approx(100.0, rel=1e-6)
    beyond = shown(build(run_set((header(), at(1.0, 1.0, "a") + at(0.5, 1000.0, "b"))), title="T"))
    assert beyond["scaling"][0]["crossovers"] == []


def test_a_run_for_claims_recommends_nothing() -> None:
    """Its strategies are those that claims compare, cell by cell."""
    for_claims, whole = header(selection=Selection(profile="claims")), header(run="bbbbbb")
    payload = build(run_set((for_claims, BLOCKS)), title="T")
    assert shown(payload)["advice"]["take"] == ""
    assert "Take" not in markdown(payload)
    assert "Measured for claims only, each with the strategies that it compares." in render(payload)
    assert shown(build(run_set((for_claims, BLOCKS), (whole, BLOCKS)), title="T"))["advice"]["take"]


def test_a_tuned_strategy_stands_beside_the_plain_one_by_its_title() -> None:
    """Tables, advice and charts call it by its title; commands by its name."""
    records = [record("a", block, 1.0) for block in range(3)]
    chosen: list[dict[str, Scalar]] = [{"bins": 4}, {"bins": 4}, {}]
    records += [
        record("a-tuned", block, 1.0, 0.9 + block / 1000, tries=[Try()], choice=chosen[block]) for block in range(3)
    ]
    cards = (StrategyCard("t/task", "a"), StrategyCard("t/task", "a-tuned", tries=8))
    payload = build(run_set((header(strategies=cards, references={"t/task": "a-tuned"}), records)), title="T")
    task = shown(payload)
    assert [own["label"] for own in task["strategies"]] == ["a", "a (tuned, 8 tries)"]
    assert task["strategies"][1]["strategy"] == "a-tuned"
    assert task["reference"] == "a (tuned, 8 tries)"
    assert task["advice"]["take"] == "a (tuned, 8 tries)"
    (cell,) = task["cells"]
    assert [row["chosen"] for row in cell["rows"]] == ["", "bins=4 in 2 blocks, the defaults in 1 block"]
    assert "-s a-tuned " in cell["rows"][1]["command"]
    page = render(payload)
    assert "a (tuned, 8 tries): tuning chose bins=4 in 2 blocks, the defaults in 1 block" in page
    assert "a (tuned, 8 tries)" in markdown(payload)


def test_more_threads_than_cores_are_said() -> None:
    def trial(threads: int) -> Record:
        return msgspec.structs.replace(
            BLOCKS[0], trial=msgspec.structs.replace(BLOCKS[0].trial, params={"threads": threads}), cores=[0, 1]
        )

    many = build(run_set((header(), [trial(16), trial(2)])), title="T")["remarks"]
    assert [said for said in many if "threads" in said] == [
        "Run aaaaaa: 1 trial had more threads than cores, so that threads waited for each other."
    ]
    assert not [said for said in build(run_set((header(), [trial(2)])), title="T")["remarks"] if "threads" in said]


def test_what_may_be_as_good_is_drawn_so_beside_a_settled_recommendation() -> None:
    """`c` is not shown to be beaten, although the recommendation against the next best one, `d`, is settled."""
    quality = {"a": (0.80, 0.81, 0.82), "d": (0.80, 0.81, 0.82), "c": (0.60, 0.83, 0.75)}
    records = [
        record(name, block, place + 1 + block / 100, auc)
        for place, (name, row) in enumerate(quality.items())
        for block, auc in enumerate(row)
    ]
    task = shown(build(run_set((header(), records)), title="T"))
    labels = [own["label"] for own in task["strategies"]]
    assert task["advice"]["state"] == "settled"
    assert {labels[point["strategy"]]: point["role"] for point in task["points"]}["c"] == "rival"
