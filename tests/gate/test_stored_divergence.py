"""Stored gates of trials that diverged and of figures under stress."""

from __future__ import annotations

from typing import Any

from gate.stored_runs import AUC, LOSS, both, finding, record, session

from harness.config import GatePolicy
from harness.gate.stored.gate import decide
from harness.store.header import JudgedMetric

CASE = "planted/choose/hist/numbers/clean"


def diverged(_block: int) -> dict[str, Any]:
    return {"diverged": 12.0, "auc": 0.5, "cpu": 9.0}


def test_a_side_that_diverged_is_judged_by_its_metrics_alone() -> None:
    decision = both(lambda _: {}, diverged)
    assert [finding.figure for finding in decision.cases[0].findings] == ["auc", "loss"]
    assert finding(decision, "auc").verdict == "regressed"
    said = "the candidate diverged at step 12 in 5 of 5 trials, whose times and memory are not compared"
    assert f"{said}: {CASE}" in decision.remarks


def test_a_base_that_diverged_has_no_times_to_compare_with() -> None:
    assert {own.kind for own in both(diverged, lambda _: {}).cases[0].findings} == {"quality"}


def test_times_are_those_of_the_trials_that_did_not_diverge() -> None:
    decision = both(lambda _: {}, lambda block: diverged(block) if block == 0 else {})
    cpu = finding(decision, "fit.cpu_s")
    assert cpu.effect is not None
    assert cpu.effect.estimate == 1.0


def test_figures_under_stress_are_not_judged() -> None:
    name = "auc_at_missing_50"
    metrics = (AUC, LOSS, JudgedMetric("planted/choose", name, "higher", "1", of="auc", stress="missing", level=50))

    def run(number: int, auc: float) -> Any:
        header, _ = session(number, number, metrics=metrics)
        return header, [record(block, metrics={"auc": 0.8, "loss": 0.4, name: auc}) for block in range(5)]

    decision = decide([run(1, 0.8)], [run(2, 0.5)], GatePolicy())
    assert name not in {own.figure for own in decision.cases[0].findings}
