"""The sequential test: its looks, its error rates on known noise, and its limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import ttest_1samp
from scipy.stats.mstats import trimmed_mean_ci

from harness.gate.live.gated import PASS_ALPHA, SCREEN_ALPHA
from harness.gate.sequential import SequentialResult, centre, decide, looks, p_not_above, spending

MARGIN = float(np.log(1.05))
CAP = 24
TRACES = Path(__file__).parent / "traces"


def judge(ratios: Any, margin: float = MARGIN, *, alpha: float = 0.01, ended: bool = False) -> SequentialResult:
    return decide(ratios, margin, CAP, alpha=alpha, pass_alpha=PASS_ALPHA, gain_alpha=0.01, ended=ended)


def gate(ratios: np.ndarray) -> str:
    """Screen with the first pairs, and confirm with as many fresh ones: the case's CPU and wall time are flagged."""
    first = judge(ratios[:CAP], alpha=SCREEN_ALPHA)
    return judge(ratios[CAP:], alpha=0.01 / 2).state if first.state == "regressed" else first.state


def rates(draw: Any, gates: int) -> dict[str, float]:
    verdicts = [gate(draw()) for _ in range(gates)]
    return {verdict: verdicts.count(verdict) / gates for verdict in ("regressed", "pass", "improved", "undecided")}


@pytest.mark.parametrize(
    ("cap", "expected"),
    [(2, (2,)), (3, (3,)), (7, (3, 4, 5, 6, 7)), (24, (3, 4, 5, 6, 8, 10, 12, 16, 20, 24)), (17, (*looks(16), 17))],
)
def test_looks_grow_by_a_third_at_most_up_to_the_cap(cap: int, expected: tuple[int, ...]) -> None:
    assert looks(cap) == expected


@given(st.integers(2, 256))
def test_looks_up_to_the_cap_spend_the_whole_alpha(cap: int) -> None:
    spent = spending(cap, cap)
    assert [look for look, _ in spent] == [*looks(cap)]
    assert sum(part for _, part in spent) == pytest.approx(1)


@given(st.integers(2, 64), st.integers(2, 64))
def test_when_no_more_pairs_come_the_last_look_spends_what_is_left(count: int, cap: int) -> None:
    count = min(count, cap)
    spent = spending(count, cap, ended=True)
    assert spent[:-1] == spending(count - 1, cap)
    assert spent[-1][0] == count
    assert sum(part for _, part in spent) == pytest.approx(1)


def test_too_few_pairs_have_no_look() -> None:
    assert spending(1, CAP, ended=True) == spending(0, CAP) == []


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=7).filter(lambda values: np.std(values) > 1e-6))
def test_p_of_few_pairs_is_that_of_scipy(values: list[float]) -> None:
    expected = ttest_1samp(values, 0.01, alternative="greater").pvalue
    assert p_not_above(np.array(values), 0.01) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("count", [8, 15, 16, 40])
def test_the_interval_of_many_pairs_is_that_of_scipy(count: int) -> None:
    values = np.random.default_rng(count).standard_t(3, count)
    found = centre(values)
    half = stdtrit(found.freedom, 0.975) * found.error
    share = (count // 8 + 1e-6) / count
    expected = trimmed_mean_ci(values, limits=(share, share), alpha=0.05)
    assert (found.mean - half, found.mean + half) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("freedom", [3, 1000])
def test_all_looks_together_keep_alpha(freedom: int) -> None:
    """Of a margin that is nothing, so that the test alone decides."""
    draws = np.random.default_rng(freedom).standard_t(freedom, (10_000, CAP))
    spent = spending(CAP, CAP)
    worse = [min(p_not_above(draw[:look], 0.0) / part for look, part in spent) for draw in draws]
    for alpha in (0.01, 0.025):
        assert np.mean(np.array(worse) <= alpha) <= 1.1 * alpha + 3 * np.sqrt(alpha / len(draws))


def test_one_bad_process_does_not_hide_a_slowdown() -> None:
    noise = np.random.default_rng(4).normal(np.log1p(0.05), 0.008, 16)
    noise[5] = -0.12
    assert judge(noise).state == "regressed"


@given(st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=16))
def test_turning_the_sides_turns_the_interval(values: list[float]) -> None:
    one, other = judge(values), judge([-value for value in values])
    if one.pairs == other.pairs:
        assert one.estimate == pytest.approx(-other.estimate, abs=1e-12)
        assert one.low == pytest.approx(-other.high, abs=1e-9)


def test_a_look_that_decided_is_final() -> None:
    quiet = [0.001, -0.001, 0.0005, -0.0005]
    assert judge(quiet).state == "pass"
    assert judge([*quiet, 5.0, 5.0, 5.0, 5.0]).state == "pass"


def test_equal_ratios_are_decided_without_spread() -> None:
    assert judge([0.2, 0.2, 0.2]).state == "regressed"
    assert judge([0.0, 0.0, 0.0]).state == "pass"
    assert judge([-0.2, -0.2, -0.2]).state == "improved"


def test_a_large_gain_waits_to_be_told_but_is_not_in_doubt() -> None:
    few = judge([-0.3, -0.4, -0.35])
    assert (few.state, few.excluded) == ("undecided", True)
    assert judge([-0.36, -0.37, -0.36, -0.35, -0.36]).state == "improved"


def test_a_change_below_half_of_the_margin_is_no_regression_however_certain() -> None:
    assert judge(np.full(16, 0.02) + np.tile([1e-4, -1e-4], 8)).state == "pass"


def test_one_pair_says_nothing() -> None:
    outcome = judge([0.5])
    assert (outcome.state, outcome.low, outcome.high, outcome.needs) == ("undecided", -np.inf, np.inf, None)


def test_what_is_undecided_says_how_many_pairs_would_do() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 16)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    few, many = (judge(noise * spread + 0.02).needs for spread in (0.06, 0.12))
    assert few is not None
    assert many is not None
    assert CAP < few < many
    # the margin is as many standard errors away as the test asks for
    assert (MARGIN - 0.02) / (0.12 / many**0.5) == pytest.approx(stdtrit(many - 1, 1 - 0.025 / 2), rel=0.02)


@pytest.mark.parametrize("spread", [0.01, 0.025])
def test_error_rates_on_heavy_tails(spread: float) -> None:
    """Pairs with the spread of a pinned machine, and of a loaded one, and Student's t with 5 degrees of freedom."""
    rng = np.random.default_rng(7)

    def drawn(change: float) -> Any:
        return lambda: rng.standard_t(5, size=2 * CAP) / np.sqrt(5 / 3) * spread + np.log1p(change)

    none, five, ten = (rates(drawn(change), 400) for change in (0.0, 0.05, 0.1))
    assert none["regressed"] <= 0.01
    assert none["undecided"] <= 0.01
    assert five["regressed"] >= 0.95
    assert ten["regressed"] >= 0.99


def trace(name: str, trees: int) -> np.ndarray:
    """Return the log-ratio of CPU time of each recorded pair whose candidate has that many trees; the base has 100."""
    lines = [json.loads(line) for line in (TRACES / f"noise-trace-{name}.jsonl").read_text().splitlines()]
    pairs = [pair for line in lines if line["trees_b"] == trees for pair in line["pairs"]]
    return np.array(
        [np.median(np.log(np.array(pair["candidate"])[:, 1] / np.array(pair["base"])[:, 1])) for pair in pairs]
    )


@pytest.mark.parametrize("count", [2, 3, 6, 12])
def test_error_rates_where_the_time_ends_between_looks(count: int) -> None:
    """Without change "worse" is said in at most 1 % of screenings, and "no worse" of the margin in at most 2.5 %."""
    rng = np.random.default_rng(count)

    def share_of(state: str, change: float) -> float:
        draws = rng.standard_t(5, size=(2000, count)) / np.sqrt(5 / 3) * 0.02 + change
        return float(np.mean([judge(draw, ended=True).state == state for draw in draws]))

    three_errors = 3 * np.sqrt(0.025 / 2000)
    assert share_of("regressed", 0.0) <= 0.01 + three_errors
    assert share_of("pass", MARGIN) <= 0.025 + three_errors


def test_recorded_noise_of_a_loaded_machine() -> None:
    """Pairs of processes that were not pinned, load 6 to 12; 5 more trees cost 4.3 % of CPU time, 10 more 8.6 %."""
    rng = np.random.default_rng(11)
    found = {}
    for trees in (100, 105, 110):
        ratios = trace("loaded", trees)
        found[trees] = rates(lambda ratios=ratios: rng.choice(ratios, 2 * CAP), 400)
    assert found[100]["regressed"] <= 0.01
    assert found[105]["regressed"] >= 0.9
    assert found[110]["regressed"] >= 0.99


def test_recorded_noise_of_a_quiet_machine_without_pinning_raises_no_alarm() -> None:
    """The pairs were split over two cores that were not equally fast: what they cannot tell is called undecided."""
    rng = np.random.default_rng(12)
    ratios = trace("quiet", 100)
    found = rates(lambda: rng.choice(ratios - ratios.mean(), 2 * CAP), 400)
    assert found["regressed"] <= 0.01
    assert found["undecided"] >= 0.02
