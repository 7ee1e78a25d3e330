"""A gate that was measured is explained look by look, by what decided it."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from gate.live import suite as planted
from rich.console import Console

from harness.config import GatePolicy
from harness.gate.decision import Case, Pair, Side
from harness.gate.live import journal
from harness.gate.live import schedule as module
from harness.gate.live.both_sides import PairRequest, Reading
from harness.gate.live.explain import ExplainedCase, Explanation, explain
from harness.gate.live.gated import SCREEN_ALPHA
from harness.gate.live.journal import RecordedRequest
from harness.gate.live.measured_case import MeasuredCase, cases, confirming_alpha
from harness.gate.sequential import spending
from harness.plan.selection import Selection
from harness.records import Trial
from harness.report.gate import explained

GONE = Case("topic", "task", "gone", "data", "clean", {}, verdict="not measured", reason="it is gone")


def measured(
    patch: pytest.MonkeyPatch, results: Path, draw: planted.Draw, names: list[str], policy: GatePolicy
) -> tuple[list[Case], list[MeasuredCase]]:
    """Measure a suite on drawn pairs, and keep its file."""
    now = 0.0

    def measure(request: PairRequest, _sides: object) -> Pair:
        nonlocal now
        pair = draw(request)
        now += pair.elapsed_s
        return pair

    patch.setattr(module, "measure", measure)
    patch.setattr(time, "monotonic", lambda: now)
    request = RecordedRequest("main", (), (Side("main"), Side("here")), "", Selection(), policy)
    suite = [planted.case(name, policy) for name in names]
    planned = tuple(each.planned for each in suite)
    with journal.create(results, "box", "bakeoff gate --base main", request, planned, (GONE,), ("a remark",)) as file:

        def listen(place: int, result: Pair | Reading) -> None:
            file.write(place, result)

        stopped = module.measure_all(suite, planted.bench(policy), listen)
        if stopped:
            file.stop(stopped, {stage for each in suite for stage in each.ended})
    return cases(suite, stopped), suite


def texts(explanation: Explanation) -> str:
    console = Console(width=200, record=True, file=None, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        explained.print_explanation(console, explanation)
    return captured.get()


def by_figure(case: ExplainedCase) -> dict[str, list[tuple[str, int, str, int]]]:
    return {
        figure.figure: [(look.stage, look.pairs, look.state, look.asked) for look in figure.looks]
        for figure in case.figures
    }


def test_each_look_is_the_one_that_decided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    policy = GatePolicy()
    found, suite = measured(monkeypatch, tmp_path, planted.drawn({"slow": 0.1}), ["slow", "same"], policy)
    explanation = explain("latest", tmp_path)
    slow, same, gone = explanation.cases
    assert [case.verdict for case in explanation.cases] == ["regressed", "pass", "not measured"]
    assert (gone.reason, gone.figures, explanation.stopped) == ("it is gone", [], "")
    figure = next(figure for figure in slow.figures if figure.figure == "cpu_s")
    finding = next(finding for finding in found[0].findings if finding.figure == "cpu_s")
    for stage in ("screen", "confirm"):
        looks = [look for look in figure.looks if look.stage == stage]
        # After 3, 4, 5 ... pairs; only the last one decides, and each other one asks for the pairs up to the next.
        assert [(look.pairs, look.share) for look in looks] == spending(policy.pairs, policy.pairs)[: len(looks)]
        assert [look.state for look in looks] == ["undecided"] * (len(looks) - 1) + ["regressed"]
        assert [look.asked for look in looks] == [*(1, 1, 1, 2, 2)[: len(looks) - 1], 0]
    assert figure.looks[-1].effect == finding.effect
    assert figure.looks[-1].alpha == confirming_alpha(suite) < policy.alpha
    assert figure.looks[0].alpha == SCREEN_ALPHA
    assert all(looks[-1][2] in ("pass", "improved") for looks in by_figure(same).values() if looks)
    said = texts(explanation)
    assert "topic/task/gone/data/clean: not measured (it is gone)" in said
    assert "regressed, because worse in" in said
    assert "screen, 3 pairs: " in said
    assert "identical predictions; p 1 against 0.05, share 0.287 of alpha; pass\n" in said
    assert "remark: a remark" in said


def test_the_last_look_of_a_gate_whose_budget_ended_spends_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = msgspec.structs.replace(GatePolicy(), budget_s=10.0)
    draw = planted.drawn({}, spread=0.3, elapsed_s=1.5)
    found, _ = measured(monkeypatch, tmp_path, draw, ["noisy"], policy)
    explanation = explain("latest", tmp_path)
    assert explanation.stopped == "the budget of 10 s is spent"
    (figure,) = (figure for figure in explanation.cases[0].figures if figure.figure == "cpu_s")
    (finding,) = (finding for finding in found[0].findings if finding.figure == "cpu_s")
    taken = spending(6, policy.pairs, ended=True)
    assert [(look.pairs, look.share) for look in figure.looks] == taken
    assert [look.asked for look in figure.looks] == [1, 1, 1, 0]
    assert (figure.verdict, figure.reason, figure.looks[-1].p) == (finding.verdict, finding.reason, finding.p)
    assert "undecided, no more pairs" in texts(explanation)
    document = explained.document(explanation)
    assert document["schema"] == 1
    assert document["cases"][0]["figures"][0]["looks"][0]["pairs"] == 3


def test_a_gate_that_goes_on_is_explained_as_far_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    policy = msgspec.structs.replace(GatePolicy(), budget_s=10.0)
    measured(monkeypatch, tmp_path, planted.drawn({}, spread=0.3, elapsed_s=1.5), ["noisy"], policy)
    file, _ = journal.reopen(tmp_path, "latest")
    with file:
        file.write(0, planted.drawn({}, spread=0.3)(_request(file.head.cases[0].trials[6])))
        explanation = explain("latest", tmp_path)
    assert explanation.stopped == ""
    looks = by_figure(explanation.cases[0])["cpu_s"]
    assert looks[-1][:3] == ("screen", 6, "undecided")
    assert [pairs for _, pairs, _, _ in looks] == [3, 4, 5, 6]


def _request(trial: Trial) -> PairRequest:
    return PairRequest(trial, [0], "base", "screen", 4, 0.01, 0.01, 1.0, judge=False)
