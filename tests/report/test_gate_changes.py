"""One sentence a change: totals and phases, CPU and wall time that moved together are said once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from gate import samples

from harness.gate.decision import Case, Commits, Effect, Finding, Verdict
from harness.report.gate import cases
from harness.report.gate.changes import Change, changes

AGAIN = "worse in 3 pairs, and in 6 fresh ones again"


def told(*findings: Finding, **more: Any) -> list[Change]:
    return list(changes(samples.decision(samples.case("count", *findings, **more))))


def time(figure: str, ratio: float, base: float, verdict: Verdict = "regressed", spread: float = 0.02) -> Finding:
    effect = Effect(ratio, ratio * (1 - spread), ratio * (1 + spread), base, base * ratio)
    return samples.cost(figure, ratio, verdict, effect=effect, reason=AGAIN)


def test_four_times_that_moved_together_are_one_sentence() -> None:
    (change,) = told(
        time("fit.wall_s", 1.4, 0.3), time("wall_s", 1.3, 0.4), time("fit.cpu_s", 1.4, 0.3), time("cpu_s", 1.3, 0.4)
    )
    assert change.text == (
        "is slower: CPU time 1.300x [1.274, 1.326], 400 ms to 520 ms, all of the change in phase fit; "
        "wall time likewise"
    )
    assert change.sentence == f"planted/sums/count/flights/clean {change.text}. Reason: {AGAIN}; p = 0.004; margin 5 %"


@pytest.mark.parametrize(
    ("fit", "predict", "where"),
    [
        ((1.4, 0.3), (1.0, 0.1), "all of the change in phase fit"),
        ((1.3, 0.3), (1.3, 0.1), "most of the change in phase fit"),
        ((1.3, 0.2), (1.3, 0.2), "most of the change in phase fit"),
        ((1.25, 0.2), (1.2, 0.2), "the change in phases fit and predict"),
        ((1.01, 0.3), (1.01, 0.1), ""),
    ],
)
def test_the_phase_that_carries_a_change_is_named(
    fit: tuple[float, float], predict: tuple[float, float], where: str
) -> None:
    (change,) = told(time("cpu_s", 1.3, 0.4), time("fit.cpu_s", *fit, "pass"), time("predict.cpu_s", *predict, "pass"))
    assert change.text.partition("400 ms to 520 ms")[2].removeprefix(", ") == where


def test_clocks_that_differ_are_both_given() -> None:
    (apart,) = told(time("cpu_s", 1.1, 0.4), time("wall_s", 2.0, 0.4))
    assert apart.text.endswith("440 ms; wall time 2.000x [1.960, 2.040]")
    (alone,) = told(time("wall_s", 2.0, 0.4), time("cpu_s", 1.0, 0.4, "pass"))
    assert alone.text.startswith("is slower: wall time 2.000x")
    assert alone.text.endswith("; CPU time 1.000x [0.980, 1.020] (pass)")


def test_phases_that_no_total_speaks_for_are_named() -> None:
    (change,) = told(time("cpu_s", 1.01, 0.4, "pass"), time("fit.cpu_s", 1.2, 0.1), time("predict.cpu_s", 1.5, 0.01))
    assert change.text == (
        "is slower: CPU time of predict 1.500x [1.470, 1.530], 10.0 ms to 15.0 ms; "
        "CPU time of fit 1.200x [1.176, 1.224]"
    )


def test_times_left_open_beside_a_regressed_one_are_named_and_no_change_of_their_own() -> None:
    left_open = time("wall_s", 1.3, 0.4, "inconclusive"), time("fit.wall_s", 1.1, 0.4, "inconclusive")
    (change,) = told(time("cpu_s", 1.3, 0.4), *left_open)
    assert change.text.endswith("; wall time 1.300x [1.274, 1.326] (left open)")
    assert change.grounds.endswith("; left open: wall time of fit")


def test_memory_and_each_metric_are_changes_of_their_own() -> None:
    found = told(
        time("cpu_s", 1.3, 0.4),
        samples.cost("peak_bytes", 1.2, "regressed"),
        msgspec.structs.replace(samples.metric(0.01, "regressed", "log_loss"), better="lower", unit="nat"),
        samples.metric(0.01, "improved"),
    )
    assert [change.text.partition(":")[0] for change in found] == [
        "is slower",
        "needs more memory",
        "is worse",
        "is better",
    ]
    assert found[2].text == "is worse: log loss +0.0100 [+0.0090, +0.0110] nat, 0.7800 nat to 0.7900 nat"


def test_a_case_without_findings_says_why() -> None:
    (failed,) = changes(samples.decision(samples.failed()))
    assert failed.text == "did not finish: the candidate failed in 1 of 1 pairs: ValueError: no such tree"
    assert list(changes(samples.decision(samples.passing(), unchanged()))) == []


def unchanged() -> Case:
    return samples.case("same", unchanged=True, reason="unchanged: both sides have the same files")


@pytest.mark.parametrize(
    ("commits", "said"),
    [
        (None, "commits 4ed559bb12..7bffaaa012"),
        (Commits(1, 0, "Sort\nin place"), "1 commit, 4ed559bb12..7bffaaa012 (Sort in place)"),
        (Commits(3, 2), "3 commits, 4ed559bb12..7bffaaa012; the candidate lacks 2 commits of the base"),
    ],
)
def test_what_differs_is_in_one_place(commits: Commits | None, said: str) -> None:
    found = cases.differences(samples.decision(samples.regressed(), commits=commits))
    assert found == [said, "changes of the candidate that are not committed", "package xgboost 3.0.0 to 3.1.0"]


def test_equal_sides_do_not_differ() -> None:
    side = msgspec.structs.replace(samples.decision().base, packages={})
    (found,) = cases.differences(samples.decision(base=side, candidate=side))
    assert found.startswith("nothing that is recorded")
