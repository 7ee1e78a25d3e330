"""Paired intervals against scipy's, and their coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.paired import (
    Interval,
    bootstrap,
    mean,
    one_session,
    p_value,
    paired_difference,
    paired_ratio,
    pooled_difference,
    pooled_ratio,
)

SIZES = st.integers(2, 30)


def sides(seed: int, blocks: int) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    base = rng.lognormal(sigma=1.0, size=blocks)
    return (base * rng.lognormal(0.1, 0.2, size=blocks)).tolist(), base.tolist()


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES)
def test_difference_is_students_paired_interval(seed: int, blocks: int) -> None:
    of, to = sides(seed, blocks)
    expected = stats.ttest_rel(of, to).confidence_interval(0.95)
    found = paired_difference(of, to)
    assert found.estimate == pytest.approx(np.mean(of) - np.mean(to))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.blocks == blocks


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES)
def test_ratio_is_the_interval_of_the_logarithms(seed: int, blocks: int) -> None:
    of, to = sides(seed, blocks)
    expected = stats.ttest_rel(np.log(of), np.log(to)).confidence_interval(0.95)
    found = paired_ratio(of, to)
    assert found.estimate == pytest.approx(stats.gmean(of) / stats.gmean(to))
    assert (found.low, found.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=SIZES, factor=st.floats(0.01, 100))
def test_ratio_does_not_depend_on_units_and_turns_round(seed: int, blocks: int, factor: float) -> None:
    of, to = sides(seed, blocks)
    found, back = paired_ratio(of, to), paired_ratio(to, of)
    scaled = paired_ratio([factor * value for value in of], [factor * value for value in to])
    assert (scaled.low, scaled.high) == pytest.approx((found.low, found.high))
    assert (1 / back.high, 1 / back.estimate, 1 / back.low) == pytest.approx((found.low, found.estimate, found.high))


def test_two_blocks_by_hand() -> None:
    """Differences 1 and 3: mean 2, standard error 1, t of one degree of freedom 12.7062."""
    found = paired_difference([2.0, 5.0], [1.0, 2.0])
    assert (found.low, found.estimate, found.high) == pytest.approx((2 - 12.7062, 2.0, 2 + 12.7062), abs=1e-4)


@pytest.mark.parametrize(("blocks", "rounds"), [(5, 8_000), (20, 8_000)])
def test_interval_covers_the_truth(blocks: int, rounds: int) -> None:
    """The share of 95 % intervals that hold the true ratio; its own standard error is 0.24 %."""
    rng = np.random.default_rng(7)
    drift = rng.normal(0.0, 0.5, size=(rounds, blocks))
    of = np.exp(drift + rng.normal(math.log(1.3), 0.1, size=(rounds, blocks)))
    to = np.exp(drift + rng.normal(0.0, 0.05, size=(rounds, blocks)))
    held = [not paired_ratio(one, other).excludes(1.3) for one, other in zip(of, to, strict=True)]
    assert 0.94 < np.mean(held) < 0.96


@pytest.mark.parametrize("compare", [paired_difference, paired_ratio])
def test_one_block_gives_no_interval(compare: object) -> None:
    found = compare([3.0], [2.0])  # type: ignore[operator]
    assert found.estimate == pytest.approx(1.0 if compare is paired_difference else 1.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert not found.known
    assert not found.excludes(0.0)


@pytest.mark.parametrize(("of", "to"), [([0.0, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -1.0])])
def test_ratio_refuses_what_is_not_positive(of: list[float], to: list[float]) -> None:
    with pytest.raises(ValueError, match="a ratio needs positive values"):
        paired_ratio(of, to)


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])


def test_excludes_leaves_its_ends_inside() -> None:
    interval = Interval(1.5, 1.0, 2.0, 3)
    assert [interval.excludes(value) for value in (0.99, 1.0, 1.5, 2.0, 2.01)] == [True, False, False, False, True]


def test_equal_sides_differ_by_nothing() -> None:
    found = paired_ratio([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert found.equal(1.0)
    assert not found.excludes(1.0)


@pytest.mark.parametrize("blocks", [5, 10, 30])
@pytest.mark.parametrize("kind", ["ratio", "difference"])
def test_coverage(kind: str, blocks: int) -> None:
    """The standard error is 0.3 %."""
    rng = np.random.default_rng(blocks)
    held = []
    for _ in range(5000):
        base = rng.normal(3.0, 0.5, size=blocks)
        of, to = base + 0.2 + rng.normal(0, 0.1, size=blocks), base + rng.normal(0, 0.05, size=blocks)
        found = paired_difference(of, to) if kind == "difference" else paired_ratio(np.exp(of), np.exp(to))
        held.append(not found.excludes(0.2 if kind == "difference" else math.exp(0.2)))
    assert 0.93 < np.mean(held) < 0.97


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("counts", [[8], [4] * 3, [10] * 3, [5] * 5, [2, 4, 6, 8, 10], [3] * 10], ids=str)
def test_pooled_ratio_covers_the_truth(counts: list[int], spread: float) -> None:
    """One session, or three and more that differ by `spread` times what blocks differ; the standard error is 0.6 %.

    It is cautious (97 to 98 %) where sessions do not differ: half the time the wider interval is taken without need.
    """
    rng = np.random.default_rng(1)
    sessions = np.repeat(np.arange(len(counts)), counts)
    apart = spread * rng.normal(size=(1500, len(counts))) if len(counts) > 1 else np.zeros((1500, 1))
    logs = 0.1 + apart[:, sessions] + rng.normal(size=(1500, len(sessions)))
    held = np.mean([not pooled_ratio(row, sessions).excludes(math.exp(0.1)) for row in logs])
    assert 0.92 < held < 0.985


def test_two_sessions_that_differ_a_lot_are_too_few() -> None:
    """The shortfall that the documentation owns up to: 87 % or more instead of 95 %."""
    rng = np.random.default_rng(2)
    sessions = np.repeat([0, 1], 8)
    logs = rng.normal(size=(1500, 2))[:, sessions] + rng.normal(size=(1500, 16))
    held = np.mean([not pooled_ratio(row, sessions).excludes(1.0) for row in logs])
    assert 0.85 < held < 0.93


@pytest.mark.parametrize("counts", [[3, 3], [3, 7], [4, 4, 8]], ids=str)
def test_a_run_that_goes_on_is_of_the_same_session_unless_it_differs(counts: list[int]) -> None:
    """The F test errs in one of twenty later runs; a difference of ten standard deviations it always sees."""
    rng = np.random.default_rng(3)
    runs = np.repeat(np.arange(len(counts)), counts)
    found = [one_session(rng.normal(size=len(runs)), runs, np.zeros_like(runs)) for _ in range(2000)]
    apart = np.mean([[members[runs == run][0] == run for run in range(1, len(counts))] for members in found])
    assert apart == pytest.approx(0.05, abs=0.015)
    far = one_session(rng.normal(size=len(runs)) + 10 * runs, runs, np.zeros_like(runs))
    assert far.tolist() == runs.tolist()


def test_a_session_that_goes_on_does_not_widen_the_interval() -> None:
    """As two random sessions, 3 + 7 blocks of one normal distribution often have an interval that is far wider."""
    rng = np.random.default_rng(4)
    runs, one = np.repeat([0, 1], [3, 7]), np.zeros(10, dtype=int)

    def width(logs: np.ndarray, sessions: np.ndarray) -> float:
        found = pooled_ratio(logs, runs, sessions)
        return math.log(found.high / found.low)

    samples = rng.normal(size=(2000, 10))
    plain = np.array([width(logs, one) for logs in samples]) / np.array(
        [np.ptp(stats.t.interval(0.95, 9, scale=stats.sem(logs))) for logs in samples]
    )
    random = np.array([width(logs, runs) for logs in samples])
    assert np.mean(np.isclose(plain, 1.0)) > 0.9
    assert np.quantile(random / np.array([width(logs, one) for logs in samples]), 0.9) > 2


def test_runs_of_different_sessions_stay_apart() -> None:
    runs = np.array([0, 0, 1, 1, 2, 2])
    found = one_session(np.array([1.0, 2.0] * 3), runs, np.array([0, 0, 1, 1, 1, 1]))
    assert found.tolist() == [0, 0, 1, 1, 1, 1]


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=st.integers(1, 20), label=st.integers(0, 9))
def test_one_session_is_students(seed: int, blocks: int, label: int) -> None:
    logs = np.random.default_rng(seed).normal(size=blocks)
    found, expected = pooled_ratio(logs, [label] * blocks), paired_ratio(np.exp(logs), np.ones(blocks))
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (expected.estimate, expected.low, expected.high), nan_ok=True
    )
    assert found.df == expected.df or blocks == 1


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), sessions=st.integers(2, 12))
def test_sessions_of_one_block_are_blocks(seed: int, sessions: int) -> None:
    logs = np.random.default_rng(seed).normal(size=sessions)
    assert pooled_ratio(logs, range(sessions)) == pooled_ratio(logs, [0] * sessions)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_balanced_sessions_far_apart_are_students_over_their_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logs = np.array([0.0, 10.0, -5.0])[:, None] + rng.normal(size=(3, 6))
    expected = stats.ttest_1samp(logs.mean(axis=1), 0.0).confidence_interval(0.95)
    found = pooled_ratio(logs.ravel(), np.repeat([0, 1, 2], 6))
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((expected.low, expected.high))
    assert found.df == pytest.approx(2)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_seeds_are_averaged_first(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(4, 3))
    found = pooled_difference(values.ravel(), np.repeat([7, 5, 9, 11], 3))
    expected = paired_difference(values.mean(axis=1), np.zeros(4))
    assert (found.low, found.estimate, found.high) == pytest.approx((expected.low, expected.estimate, expected.high))
    assert found.blocks == 4


def test_no_variance() -> None:
    found = pooled_difference([0.25] * 6, [0, 0, 1, 1, 2, 2])
    assert (found.estimate, found.blocks, found.same) == (0.25, 3, True)
    assert math.isnan(p_value(found, 0.0))


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), blocks=st.integers(2, 20))
def test_p_is_students(seed: int, blocks: int) -> None:
    rng = np.random.default_rng(seed)
    of, to = rng.lognormal(0.3, 0.4, size=blocks), rng.lognormal(0.0, 0.4, size=blocks)
    assert p_value(paired_difference(of, to), 0.0) == pytest.approx(stats.ttest_rel(of, to).pvalue)
    assert p_value(paired_ratio(of, to), 1.0) == pytest.approx(stats.ttest_rel(np.log(of), np.log(to)).pvalue)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_p_agrees_with_the_interval(seed: int) -> None:
    logs = np.random.default_rng(seed).normal(0.5, 1.0, size=12)
    found = pooled_ratio(logs, np.repeat([0, 1, 2], 4))
    assert (p_value(found, 1.0) < 0.05) == found.excludes(1.0)
    assert p_value(found, found.low) == pytest.approx(0.05)


def test_no_p_without_degrees_of_freedom() -> None:
    assert math.isnan(p_value(Interval(1.5, 1.0, 2.0, 5), 1.0))
    assert math.isnan(p_value(paired_ratio([2.0], [1.0]), 1.0))


def test_huge_ratios_do_not_fail() -> None:
    """Two blocks that disagree by a factor of e^200 have bounds that no float holds."""
    found = pooled_ratio([0.0, 200.0], [0, 0])
    assert found.estimate == pytest.approx(math.exp(100))
    assert not found.excludes(1.0)


def tau(rows: npt.NDArray[np.float64]) -> float:
    """Return Kendall's tau b; a resample holds ties."""
    one, other = (np.sign(column[:, None] - column) for column in rows.T)
    return float((one * other).sum() / math.sqrt((one**2).sum() * (other**2).sum()))


def test_bootstrap_of_kendalls_tau() -> None:
    """Of a normal pair with correlation r, tau is 2/pi arcsin r; the standard error of the coverage is 3 %."""
    rng = np.random.default_rng(2)
    truth = 2 / math.pi * math.asin(0.6)
    held = []
    for _ in range(50):
        rows = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], size=30)
        held.append(not bootstrap(rows, tau).excludes(truth))
    assert np.mean(held) > 0.85
    assert math.isnan(bootstrap(np.zeros((1, 2)), lambda rows: 0.0).low)


def test_without_spread_there_is_no_interval() -> None:
    """Equal values do not say that one more block would be equal."""
    for found in (paired_difference([3.0] * 5, [1.0] * 5), paired_ratio([3.0] * 5, [1.5] * 5)):
        assert found.estimate == pytest.approx(2.0)
        assert (found.known, found.same) == (False, True)
        assert math.isnan(p_value(found, 0.5))
    assert not paired_difference([3.0], [1.0]).same


def test_blocks_that_are_equal_are_told_from_blocks_that_differ_equally() -> None:
    assert paired_difference([0.3, 0.7], [0.3, 0.7]).equal(0.0)
    assert paired_ratio([0.3, 0.7], [0.3, 0.7]).equal(1.0)
    assert not paired_difference([0.4, 0.8], [0.3, 0.7]).equal(0.0)
    assert paired_difference([0.4, 0.8], [0.3, 0.7]).same, "differences of 0.1 that only rounding distinguishes"


def test_resampling_equal_blocks_gives_no_interval() -> None:
    found = bootstrap(np.ones((6, 3)), lambda rows: float(rows.mean()))
    assert (found.estimate, found.known, found.same) == (1.0, False, True)


def test_the_corrected_interval_by_hand() -> None:
    """Values 1 and 3 with half a test row for each other row: variance (1/2 + 1/2) 2, t of one degree 12.7062."""
    found = mean(np.array([1.0, 3.0]), overlap=0.5)
    assert found.high == pytest.approx(2 + 12.7062 * math.sqrt(2), abs=1e-4)


def errors_of_overlapping_fits(seed: int, train: int, blocks: int, rounds: int) -> npt.NDArray[np.float64]:
    """Fit two ridge regressions on rows of one pool of 200, drawn anew for each block; shape (rounds, blocks, 2)."""
    rows, features, test = 200, 5, 40
    rng = np.random.default_rng([seed, train, blocks])
    pool = rng.normal(size=(rounds, rows, features))
    target = pool.sum(axis=2) * 0.3 + rng.normal(size=(rounds, rows))
    errors = np.empty((rounds, blocks, 2))
    for block in range(blocks):
        order = rng.permuted(np.tile(np.arange(rows), (rounds, 1)), axis=1)
        held_out, own = order[:, :test], order[:, test : test + train]
        inside, outside = (np.take_along_axis(pool, chosen[:, :, None], axis=1) for chosen in (own, held_out))
        wanted, truth = (np.take_along_axis(target, chosen, axis=1) for chosen in (own, held_out))
        turned = inside.transpose(0, 2, 1)
        for index, penalty in enumerate((1.0, 30.0)):
            fitted = np.linalg.solve(turned @ inside + penalty * np.eye(features), turned @ wanted[:, :, None])
            errors[:, block, index] = ((truth - (outside @ fitted)[:, :, 0]) ** 2).mean(axis=1)
    return errors


@pytest.mark.parametrize("train", [10, 100, 160])
@pytest.mark.parametrize("blocks", [3, 5, 10])
def test_training_sets_that_overlap_are_covered(train: int, blocks: int) -> None:
    """Single means and differences; the truth is the mean over many pools, the standard error of a share is 0.5 %."""
    errors = errors_of_overlapping_fits(1, train, blocks, rounds=2_000)
    single = errors[:, :, 0]
    for values in (single, single - errors[:, :, 1]):
        truth = float(values.mean())
        assert np.mean([not mean(own, overlap=40 / 160).excludes(truth) for own in values]) >= 0.93
    if blocks == 10 and train > 10:
        uncorrected = np.mean([not mean(own).excludes(float(single.mean())) for own in single])
        assert uncorrected < 0.8


@pytest.mark.parametrize("blocks", [2, 3, 5, 10])
def test_differences_of_rare_cases_are_covered(blocks: int) -> None:
    """One strategy fails in some cases in which the other does not; most blocks agree by chance."""
    rng = np.random.default_rng(blocks)
    cases = 100
    for rare in (0.001, 0.003, 0.01, 0.03):
        differences = rng.binomial(cases, rare, size=(1_000, blocks)) / cases
        # Blocks that all agree have no interval: they are told as equal.
        told = [mean(own, step=1 / cases) for own in differences if own.any()]
        missed = sum(found.excludes(rare) for found in told) / len(differences)
        assert missed <= 0.07, rare


@pytest.mark.parametrize(("blocks", "factor"), [(10, 3.0), (20, 10.0)])
def test_a_disturbed_block_shows_the_median(blocks: int, factor: float) -> None:
    """A block in which one side was slower by a factor moves the mean; the median of ratios is the undisturbed one."""
    rng = np.random.default_rng(0)
    to = rng.lognormal(0, 0.02, size=blocks)
    of = to * rng.lognormal(0, 0.02, size=blocks)
    plain = paired_ratio(of, to)
    of[3] *= factor
    found = paired_ratio(of, to)
    assert plain.median is None
    assert found.median == pytest.approx(np.exp(np.median(np.log(of / to))))
    assert found.median == pytest.approx(1, abs=0.02)
    assert found.estimate == pytest.approx(plain.estimate * factor ** (1 / blocks))


@pytest.mark.parametrize("blocks", [5, 10, 20])
def test_normal_blocks_seldom_show_a_median(blocks: int) -> None:
    rows = np.random.default_rng(blocks).normal(size=(1_000, blocks))
    assert np.mean([mean(row).median is not None for row in rows]) <= 0.04


def test_an_interval_that_rounding_leaves_nothing_of_has_no_p_value() -> None:
    assert math.isnan(p_value(Interval(0.5, 0.5, 0.5, 3, df=2.0), 0.0))
    assert math.isnan(p_value(Interval(1e-300, 0.0, 1e300, 3, df=2.0, log=True), 1.0))
