"""Times of stored runs: planted changes, equal sides, and what one moment of a machine cannot tell."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from gate.stored_runs import START, both, finding, header, record, sessions
from scipy.special import stdtrit
from scipy.stats import ttest_ind

from harness.config import GatePolicy
from harness.errors import Exit
from harness.gate.stored.costs import BETWEEN_SESSIONS, change, needed
from harness.gate.stored.findings import Key, Row
from harness.gate.stored.gate import decide, runs_named
from harness.gate.stored.sides import StoredRun
from harness.gate.stored.sides import sessions as sessions_of
from harness.measure.fitness import Noise
from harness.records import Phase
from harness.store.header import Header, StrategyCard
from harness.store.noise import StoredNoise
from harness.store.read import read
from harness.store.runs import create


def rows(*logs: float) -> list[Row]:
    return [{Key(0, 0, 0): math.exp(value)} for value in logs]


def test_ten_percent_is_found_with_five_runs_a_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    written = {}
    for side, first, factor in (("base", 0, 1.0), ("candidate", 10, 1.1)):
        for head, records in sessions(rng, 5, first, factor=factor, drift=0.01):
            with create(tmp_path / side, head) as run:
                for one in records:
                    run.write(one)
        written[side] = [read(path) for path in runs_named(tmp_path, str(tmp_path / side))]
    decision = decide(written["base"], written["candidate"], GatePolicy(), base_name="old", candidate_name="new")
    found = finding(decision, "cpu_s")
    assert (decision.verdict, decision.exit_code) == ("regressed", Exit.NO)
    assert (found.verdict, found.pairs, found.needs) == ("regressed", 5, None)
    assert found.effect is not None
    assert found.effect.low < 1.1 < found.effect.high
    assert found.effect.estimate == pytest.approx(1.1, abs=0.02)
    assert found.reason.startswith("slower by ")
    assert "over 5 runs of each side (p = " in found.reason
    assert (decision.base.name, decision.candidate.name, decision.live) == ("old", "new", False)


def test_ten_percent_with_one_run_a_side_is_told_honestly() -> None:
    decision = both(lambda _: {"cpu": 1.0}, lambda _: {"cpu": 1.1})
    found = finding(decision, "cpu_s")
    assert (decision.verdict, decision.exit_code) == ("inconclusive", Exit.INCONCLUSIVE)
    assert found.needs is not None
    assert found.needs > 20
    assert found.reason == (
        "one run of each side: two sessions of a machine alone differ by about 15%, which hides a change of 5%; "
        "measure both sides now with 'bakeoff gate --base REV', or "
        f"store {found.needs} runs of each side, 10 minutes apart"
    )


def test_a_threefold_slowdown_is_found_with_one_run_a_side() -> None:
    found = finding(both(lambda _: {"cpu": 1.0}, lambda _: {"cpu": 3.0}), "cpu_s")
    assert found.verdict == "regressed"
    assert "beyond what two sessions of a machine differ by, 15%" in found.reason


def test_no_change_passes_and_less_improves_with_five_runs_a_side() -> None:
    rng = np.random.default_rng(2)
    base = sessions(rng, 5, 0, factor=1.0, drift=0.005)
    same = decide(base, sessions(rng, 5, 10, factor=1.0, drift=0.005), GatePolicy())
    assert finding(same, "fit.cpu_s").verdict == "pass"
    assert "a change for the worse by the margin of 5% is excluded" in finding(same, "fit.cpu_s").reason
    faster = decide(base, sessions(rng, 5, 20, factor=0.8, drift=0.005), GatePolicy())
    assert (finding(faster, "cpu_s").verdict, faster.verdict) == ("improved", "improved")


@pytest.mark.parametrize(("runs", "drift"), [(1, BETWEEN_SESSIONS), (2, BETWEEN_SESSIONS), (4, 0.06)])
def test_equal_sides_are_rarely_called_regressed(runs: int, drift: float) -> None:
    rng, policy, rounds = np.random.default_rng(runs), GatePolicy(alpha=0.1), 200
    called = sum(
        decide(
            sessions(rng, runs, 0, factor=1.0, drift=drift),
            sessions(rng, runs, 20, factor=1.0, drift=drift),
            policy,
        ).verdict
        == "regressed"
        for _ in range(rounds)
    )
    # Three standard errors above the level.
    assert called <= rounds * 0.1 + 3 * math.sqrt(rounds * 0.1 * 0.9)


def test_the_spread_of_enough_runs_is_that_of_students_test() -> None:
    rng = np.random.default_rng(3)
    old, new = rng.normal(0, 0.1, 4), rng.normal(0.2, 0.1, 5)
    found = change(rows(*old), rows(*new), None)
    want = ttest_ind(new, old, alternative="greater")
    assert found.tested.p_above(0.0) == pytest.approx(want.pvalue)
    assert found.df == 7
    low, high = found.tested.bounds(0.95)
    assert (low, high) == pytest.approx(tuple(ttest_ind(new, old).confidence_interval(0.95)))


def test_the_kept_noise_floor_counts_where_it_is_larger() -> None:
    noise = StoredNoise("2026-11-20T00:00:00+00:00", Noise(100, 0.5, None, 0.0, 1.0, {}))
    plain, noisy = (finding(both(lambda _: {}, lambda _: {}, noise=kept), "cpu_s").effect for kept in (None, noise))
    assert plain is not None
    assert noisy is not None
    assert math.log(plain.high) == pytest.approx(1.959964 * math.sqrt(2 * 0.1**2))
    assert math.log(noisy.high) == pytest.approx(1.959964 * math.sqrt(2 * (0.1**2 + 1 / 2 / 5)))


def test_needed_runs_have_the_power_they_promise() -> None:
    rng = np.random.default_rng(4)
    found = change(rows(-0.02, 0.0, 0.02), rows(0.08, 0.1, 0.12), None)
    count = needed(found, math.log1p(0.05), 1e-4)
    assert count is not None
    drawn = rng.normal(0, found.spread, (4000, 2, count)) + np.array([[0.0], [found.estimate]])
    means, spread = drawn.mean(axis=2), np.sqrt(drawn.var(axis=2, ddof=1).mean(axis=1))
    t = (means[:, 1] - means[:, 0]) / (spread * math.sqrt(2 / count))
    assert 0.75 < np.mean(t > stdtrit(2 * count - 2, 1 - 1e-4)) < 0.95


def test_runs_in_a_row_are_one_moment_and_runs_in_turn_are_not() -> None:
    def at(*minutes: float) -> list[Header]:
        return [header(index, minute / 60) for index, minute in enumerate(minutes)]

    assert sessions_of(at(0, 5, 10), at(60, 75)) == ([0, 0, 0], [0, 1])
    assert sessions_of(at(0, 4, 8), at(2, 6, 10)) == ([0, 1, 2], [0, 1, 2])
    rng = np.random.default_rng(5)
    base = sessions(rng, 5, 0, factor=1.0, drift=0.001)
    quick = [
        (msgspec.structs.replace(head, started=(START + datetime.timedelta(hours=30, minutes=index)).isoformat()), own)
        for index, (head, own) in enumerate(sessions(rng, 5, 20, factor=1.1, drift=0.001))
    ]
    decision = decide(base, quick, GatePolicy())
    assert "5 runs of the candidate count as 1 for times: runs that begin within 10 minutes" in " ".join(
        decision.remarks
    )
    assert finding(decision, "cpu_s").pairs == 1


def test_blocks_that_no_run_shares_are_said_to_be_unpaired() -> None:
    decision = both(lambda _: {"cpu": 1.0}, lambda _: {"cpu": 9.0, "seed": 1000})
    assert "which share no block" in finding(decision, "cpu_s").reason


def test_short_phases_are_left_out_and_short_cases_are_remarked() -> None:
    decision = both(lambda _: {}, lambda _: {})
    assert [own.figure for own in decision.cases[0].findings if own.kind == "time"] == [
        "fit.wall_s", "fit.cpu_s", "wall_s", "cpu_s"
    ]  # fmt: skip
    tiny = both(lambda _: {"cpu": 1e-5}, lambda _: {"cpu": 1e-5})
    assert tiny.verdict == "pass"
    (remark,) = tiny.remarks
    assert remark.startswith("times are not judged, because each sample of its time lasts under a millisecond, ")
    assert remark.endswith(": planted/choose/hist/numbers/clean")


def short(number: int, seconds: float, samples: int = 20, calls: int = 1, version: str = "") -> StoredRun:
    """Make a run of one benchmark without memory or metrics, as it is imported."""
    card = StrategyCard("planted/choose", "hist", versions={"wall_s": version} if version else {})
    phases = {"call": Phase([seconds * (1 + 1e-3 * number)] * samples, [], calls=calls)}
    one = record(0, phases=phases, metrics={}, conditions=None, memory_source=None)
    return header(number, number, strategies=(card,), metrics=()), [one]


def test_short_calls_are_judged_by_samples_of_many_calls_or_by_repeated_runs() -> None:
    for runs, calls in ((1, 100), (3, 1), (4, 1)):
        base, slow = ([short(n + first, s, calls=calls) for n in range(runs)] for first, s in ((0, 1e-4), (9, 9e-4)))
        decision = decide(base, slow, GatePolicy())
        assert (decision.verdict, finding(decision, "wall_s").verdict) == ("regressed", "regressed")
        same = decide(base, [short(n + 9, 1e-4, calls=calls) for n in range(runs)], GatePolicy())
        assert same.verdict == ("inconclusive" if runs == 1 else "pass")


@pytest.mark.parametrize(("runs", "samples"), [(1, 20), (2, 20), (4, 1)])
def test_a_case_of_which_nothing_is_judged_is_not_measured(runs: int, samples: int) -> None:
    base, slow = ([short(n + first, s, samples) for n in range(runs)] for first, s in ((0, 1e-4), (9, 9e-4)))
    decision = decide(base, slow, GatePolicy())
    (case,) = decision.cases
    assert (decision.verdict, decision.exit_code, case.findings) == ("not measured", Exit.TRIAL_FAILED, [])
    assert case.reason.startswith("each sample of its time lasts under a millisecond")


def test_runs_that_are_equal_to_the_last_digit_do_not_show_the_spread() -> None:
    old, new = rows(0.0, 0.0, 0.0), rows(0.01, 0.01, 0.01)
    assert change(old, new, None).assumed
    assert not change(rows(0.0, 0.0, 1e-4), new, None).assumed


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("v1", "v2", "the benchmark itself changed: version v1 in base, v2 in candidate"),
        ("", "v2", "the base does not say which version of the benchmark it measured: import its files again"),
    ],
)
@pytest.mark.parametrize("seconds", [1e-4, 1.0])
def test_another_version_of_a_benchmark_is_not_measured(old: str, new: str, reason: str, seconds: float) -> None:
    decision = decide([short(1, seconds, version=old)], [short(2, 10 * seconds, version=new)], GatePolicy())
    (case,) = decision.cases
    assert case.verdict == "not measured"
    assert all(text.startswith(reason) for text in (case.reason, *(one.reason for one in case.findings)) if text)
    assert decide([short(1, 1.0, version="v1")], [short(2, 9.0, version="v1")], GatePolicy()).verdict == "regressed"


@pytest.mark.parametrize("seconds", [1e-7, 1e-4, 1.0])
def test_a_run_against_itself_passes(seconds: float) -> None:
    for run in (short(1, seconds, 1), (header(1, 0), [record(block, cpu=seconds) for block in range(2)])):
        decision = decide([run], [run], GatePolicy())
        assert decision.verdict == "pass"
        assert {one.verdict for case in decision.cases for one in case.findings} == {"pass"}


def test_a_shift_of_all_cases_is_remarked() -> None:
    def many(number: int, factor: float) -> StoredRun:
        names = [f"s{index}" for index in range(6)]
        return header(number, number), [record(b, strategy=name, cpu=factor) for b in range(3) for name in names]

    (remark,) = decide([many(1, 1.0)], [many(2, 1.2)], GatePolicy()).remarks
    assert remark.startswith("CPU time moved the same way in 6 of 6 cases, to a median of 1.20x")
