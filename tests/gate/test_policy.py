"""What the policy makes of findings."""

from __future__ import annotations

import datetime
import time
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from harness.config import Allowed, GatePolicy
from harness.gate.decision import VERDICTS, Case, Decision, Finding, Side
from harness.gate.policy import apply_policy, apply_to_case, today_utc
from harness.measure.machine import Machine


def case_of(*findings: Finding, **changes: Any) -> Case:
    return Case("planted", "choose", "hist", "numbers", "clean", {}, list(findings), **changes)


def verdict(name: Any, figure: str = "cpu_s") -> Finding:
    return Finding(figure, "time", "s", "lower", 0.05, name, "because")


TODAY = datetime.date(2026, 11, 25)


def test_only_the_cell_that_is_named_is_allowed() -> None:
    entry = Allowed("planted/choose/hist", TODAY, "slow on long tables", params={"rows": 1_000_000})
    policy = GatePolicy(allowed=(entry,))
    cells = [
        msgspec.structs.replace(case_of(verdict("regressed")), params={"rows": rows, "threads": 1})
        for rows in (1000, 1_000_000)
    ]
    assert [apply_to_case(case, policy, TODAY).verdict for case in cells] == ["regressed", "pass"]


def test_an_allowed_regression_passes_until_its_day_is_over() -> None:
    entry = Allowed("planted/choose/hist", TODAY, "the price of calibration", figure="cpu_s")
    policy = GatePolicy(allowed=(entry,))
    case = case_of(verdict("regressed"), verdict("pass", "wall_s"))
    applied = apply_to_case(case, policy, TODAY)
    assert applied.verdict == "pass"
    assert applied.findings[0].verdict == "regressed"
    assert applied.findings[0].allowed == "the price of calibration (allowed until 2026-11-25)"
    assert apply_to_case(case_of(verdict("regressed", "wall_s")), policy, TODAY).verdict == "regressed"
    decision = Decision(Side("a"), Side("b"), False, Machine("box"), policy, "", cases=[case])
    late = apply_policy(decision, TODAY + datetime.timedelta(days=1))
    assert late.verdict == "regressed"
    assert late.remarks == [
        "allowed until 2026-11-25 has run out: planted/choose/hist, figure cpu_s (the price of calibration)"
    ]
    assert apply_policy(late, TODAY + datetime.timedelta(days=1)) == late


@pytest.mark.parametrize(
    ("choice", "counted", "words"),
    [
        ("inconclusive", "inconclusive", "because"),
        ("pass", "pass", "because; inconclusive, taken as a pass by policy"),
        ("regressed", "regressed", "because; inconclusive, taken as regressed by policy"),
    ],
)
def test_what_is_inconclusive_counts_as_the_policy_says(choice: Any, counted: str, words: str) -> None:
    policy = GatePolicy(inconclusive=choice)
    applied = apply_to_case(case_of(verdict("inconclusive"), verdict("pass", "wall_s")), policy, TODAY)
    assert (applied.verdict, applied.findings[0].verdict, applied.findings[0].reason) == (
        counted,
        "inconclusive",
        words,
    )
    bare = apply_to_case(case_of(verdict="inconclusive", reason="because"), policy, TODAY)
    assert (bare.verdict, bare.reason) == (counted, words)
    assert apply_to_case(applied, policy, TODAY) == applied


def test_the_worst_finding_and_the_worst_case_decide() -> None:
    for better, worse in pairwise(VERDICTS):
        assert apply_to_case(case_of(verdict(better), verdict(worse)), GatePolicy(), TODAY).verdict == worse


def test_the_day_ends_at_one_moment_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the local clock is a day ahead or behind: at any moment two of these zones differ in their date."""
    days, local = set(), set()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        days.add(today_utc())
        local.add(datetime.date.today())
    monkeypatch.undo()
    time.tzset()
    assert (len(days), len(local) > 1) == (1, True)
