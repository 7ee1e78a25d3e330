"""Paired tests on examples against scipy's, published figures and their definitions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from harness.declare import Examples
from harness.stats.examples import Difference, delong, difference, mcnemar, paired_bootstrap

Floats = npt.NDArray[np.float64]


def answers(both: int, base_only: int, candidate_only: int, neither: int) -> tuple[Floats, Floats]:
    """Return 0 or 1 of base and candidate from the counts of a two-way table."""
    counts = (both, base_only, candidate_only, neither)
    return np.repeat([1.0, 1, 0, 0], counts), np.repeat([1.0, 0, 1, 0], counts)


def test_mcnemar_on_agrestis_approval_ratings() -> None:
    """Agresti 1990, "Categorical data analysis", chapter 10: 944 of 1600 approve, later 880; -0.04, se 0.0095."""
    found = mcnemar(*answers(794, 150, 86, 570))
    assert found.estimate == pytest.approx(-0.04)
    assert found.se == pytest.approx(0.0095, abs=5e-5)
    assert found.examples == 1600
    assert found.p == pytest.approx(stats.binomtest(86, 236).pvalue)
    # The normal approximation, z = -4.17, is close to the exact test.
    assert found.p_below == pytest.approx(stats.norm.cdf(-4.17), rel=0.3)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(agree: int, base_only: int, candidate_only: int) -> None:
    assume(agree + base_only + candidate_only > 0)
    found = mcnemar(*answers(agree, base_only, candidate_only, 0))
    if base_only + candidate_only:
        exact = [
            stats.binomtest(candidate_only, base_only + candidate_only, alternative=side).pvalue
            for side in ("two-sided", "greater", "less")
        ]
        assert (found.p, found.p_above, found.p_below) == pytest.approx(exact)
    else:
        assert (found.p, found.p_above, found.p_below) == (1, 1, 1)
    assert -1 <= found.low <= found.estimate <= found.high <= 1


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Fagerland, Lydersen & Laake 2014, "Recommended tests and confidence intervals for paired binomial
        # proportions": the airways of Bentur et al. 2009, turned round.
        ((1, 1, 7, 12), 0.026, 0.517),
        # No example differs: z^2 / (n + z^2).
        ((50, 0, 0, 50), -3.8415 / 103.8415, 3.8415 / 103.8415),
        # All differ one way: (n - z^2) / (n + z^2).
        ((0, 0, 50, 0), (50 - 3.8415) / 53.8415, 1.0),
    ],
)
def test_mcnemars_interval_is_tangos(table: tuple[int, int, int, int], low: float, high: float) -> None:
    found = mcnemar(*answers(*table))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-4)


def test_mcnemar_keeps_its_levels() -> None:
    """300 examples, 4 % of which differ: coverage 95 %, and no level above what it says."""
    rng = np.random.default_rng(1)
    ups, downs = rng.multinomial(300, [0.03, 0.01, 0.96], size=1500)[:, :2].T
    found = [mcnemar(*answers(0, down, up, 300 - up - down)) for up, down in zip(ups, downs, strict=True)]
    assert 0.94 < np.mean([one.low <= 0.02 <= one.high for one in found]) < 0.965
    same = rng.multinomial(300, [0.02, 0.02, 0.96], size=1500)[:, :2]
    found = [mcnemar(*answers(0, down, up, 300 - up - down)) for up, down in same]
    assert np.mean([one.p_above <= 0.01 for one in found]) <= 0.01
    assert np.mean([one.p_below <= 0.05 for one in found]) <= 0.05


def placed(labels: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Return the placements by their definition, pair by pair."""
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return wins.mean(axis=1), wins.mean(axis=0)


def ranked(seed: int, ties: bool) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rng.integers(8, 60)) % rng.integers(2, 4) == 0).astype(float)
    common = rng.normal(size=labels.size) + labels
    one, other = (common + rng.normal(0, 0.7, size=labels.size) for _ in range(2))
    return (labels, one.round(), other.round()) if ties else (labels, one, other)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.booleans())
def test_delong_is_its_definition(seed: int, ties: bool) -> None:
    labels, one, other = ranked(seed, ties)
    found = delong(labels, one, other)
    (base10, base01), (other10, other01) = placed(labels, one), placed(labels, other)
    # DeLong et al. 1988, equations 5 to 7, with the contrast (-1, 1).
    covariance = np.cov(base10, other10) / base10.size + np.cov(base01, other01) / base01.size
    assert found.estimate == pytest.approx(roc_auc_score(labels, other) - roc_auc_score(labels, one))
    assert found.se**2 == pytest.approx(np.array([-1, 1]) @ covariance @ np.array([-1, 1]), abs=1e-15)


def test_delongs_variance_of_a_published_score() -> None:
    """World Federation of Neurosurgeons grade against outcome (Turck et al. 2010), with the variance that pROC gives.

    A constant score has an area of 1/2 and no variance, so the difference from it has the variance of the grade's.
    """
    grades = np.concatenate([np.repeat(range(1, 6), counts) for counts in ((37, 20, 3, 8, 4), (2, 12, 1, 8, 18))])
    found = delong(np.repeat([0, 1], (72, 41)), np.zeros(113), grades)
    assert found.estimate + 0.5 == pytest.approx(0.8236788617886179)
    assert found.se**2 == pytest.approx(0.00146991470882363)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["exp", "cube"]))
def test_delong_sees_ranks_only(seed: int, ties: bool, name: str) -> None:
    labels, one, other = ranked(seed, ties)
    carried = np.exp(one) if name == "exp" else one**3
    assert delong(labels, carried, other) == delong(labels, one, other)
    alike = delong(labels, one, carried)
    assert (alike.estimate, alike.se, alike.low, alike.high, alike.p) == (0, 0, 0, 0, 1)


def test_delong_keeps_its_levels() -> None:
    """Areas under a normal pair of scores; 40 examples, of which 10 are positive, are the hardest here."""
    rng = np.random.default_rng(3)
    labels = np.arange(40) < 10
    found = []
    for _ in range(1500):
        common = rng.normal(size=40) + labels
        found.append(delong(labels, *(common + rng.normal(0, 0.5, size=(2, 40)))))
    assert np.mean([one.p_above <= 0.01 for one in found]) <= 0.013
    assert 0.94 < np.mean([one.low <= 0 <= one.high for one in found]) < 0.99


@pytest.mark.parametrize("size", [30, 2000])
def test_bootstrap_of_a_mean(size: int) -> None:
    """Student's p; an interval near Student's for what is symmetric, skewed for what is not."""
    rng = np.random.default_rng(size)
    base, noise = rng.exponential(size=size), rng.normal(0.1, 1.0, size=size)
    found, expected = paired_bootstrap(base, base + noise), stats.ttest_rel(base + noise, base)
    assert (found.p, found.estimate) == pytest.approx((expected.pvalue, noise.mean()))
    assert found.se == pytest.approx(stats.sem(noise))
    low, high = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.3 * found.se)
    skewed = paired_bootstrap(np.zeros(size), rng.exponential(size=size) ** 2)
    assert skewed.high - skewed.estimate > skewed.estimate - skewed.low


def test_grouped_bootstrap_covers_the_truth() -> None:
    """2500 differences as skewed as losses are, in 1000 groups; the standard error of the coverage is 2.8 %."""
    rng = np.random.default_rng(4)
    held = []
    for index in range(60):
        found = paired_bootstrap(np.zeros(2500), rng.lognormal(0.0, 1.0, size=2500), index)
        held.append(found.low <= math.exp(0.5) <= found.high)
    assert np.mean(held) > 0.88


def test_bootstrap_repeats_itself() -> None:
    rng = np.random.default_rng(5)
    base, candidate = rng.normal(size=(2, 1500))
    assert paired_bootstrap(base, candidate, 1) == paired_bootstrap(base, candidate, 1)
    assert paired_bootstrap(base, candidate, 1).low != paired_bootstrap(base, candidate, 2).low


def test_all_examples_moved_alike() -> None:
    base = np.arange(20.0)
    found = paired_bootstrap(base, base + 0.1)
    assert (found.estimate, found.se, found.low, found.high) == pytest.approx((0.1, 0, 0.1, 0.1))
    assert (found.p_above, found.p_below) == (0.5**20, 1.0)
    assert paired_bootstrap(base, base).p == 1


def test_one_example_moved() -> None:
    """A third of the resamples hold no example that differs: the interval is finite all the same."""
    found = paired_bootstrap(np.zeros(50), np.arange(50) == 7)
    assert found.low <= found.estimate == 0.02 <= found.high < math.inf


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(["auc", "error", "loss"]))
def test_sides_turn_round_and_order_does_not_matter(seed: int, kind: str) -> None:
    labels, one, other = ranked(seed, ties=seed % 2 == 0)
    if kind == "error":
        one, other = (one > 0).astype(float), (other > 0).astype(float)
    order = np.random.default_rng(seed).permutation(labels.size)

    def compare(base: Floats, candidate: Floats, chosen: npt.NDArray[np.intp] | slice = slice(None)) -> Difference:
        ours = labels[chosen] if kind == "auc" else None
        found = difference(Examples(base[chosen], ours), Examples(candidate[chosen], ours))
        assert found
        return found

    found, back, mixed = compare(one, other), compare(other, one), compare(one, other, order)
    assert (back.estimate, back.se, back.p_above) == pytest.approx((-found.estimate, found.se, found.p_below))
    assert (mixed.estimate, mixed.se, mixed.p_above) == pytest.approx((found.estimate, found.se, found.p_above))
    # Resampling is the only part that depends on order and sign.
    slack = 0.3 * found.se if kind == "loss" else 1e-9
    assert (-back.high, -back.low) == pytest.approx((found.low, found.high), abs=slack)


def test_labels_turned_round_turn_the_area_round() -> None:
    labels, one, other = ranked(11, ties=True)
    found, back = delong(labels, one, other), delong(1 - labels, one, other)
    assert (back.estimate, back.se, back.p) == pytest.approx((-found.estimate, found.se, found.p))


def test_the_examples_choose_the_test() -> None:
    labels, one, other = ranked(3, ties=False)
    assert difference(Examples(one, labels), Examples(other, labels)) == delong(labels, one, other)
    assert difference(Examples(one), Examples(other), 4) == paired_bootstrap(one, other, 4)
    assert difference(Examples(one > 0), Examples(other > 0)) == mcnemar(one > 0, other > 0)


def test_too_few_examples_say_nothing() -> None:
    assert difference(Examples(np.array([0.5])), Examples(np.array([0.4]))) is None
    scores, labels = np.arange(4.0), np.array([0, 0, 0, 1])
    assert difference(Examples(scores, labels), Examples(scores, labels)) is None


@pytest.mark.parametrize(
    ("base", "candidate", "sentence"),
    [
        (Examples(np.zeros(3)), Examples(np.zeros(4)), r"not shapes \(3,\) and \(4,\)"),
        (Examples(np.zeros((3, 2))), Examples(np.zeros((3, 2))), "one value per example"),
        (Examples(np.zeros(3)), Examples(np.array([0, math.nan, 0])), "not finite"),
        (
            Examples(np.zeros(4), np.array([0, 0, 1, 1])),
            Examples(np.zeros(4)),
            "only one of the two sides has examples with labels",
        ),
        (
            Examples(np.zeros(4), np.array([0, 0, 1, 1])),
            Examples(np.zeros(4), np.array([0, 1, 0, 1])),
            "not judged on the same test set",
        ),
        (
            Examples(np.zeros(3), np.array([0, 0, 1, 1])),
            Examples(np.zeros(3), np.array([0, 0, 1, 1])),
            "4 labels for 3 scores",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(base: Examples, candidate: Examples, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        difference(base, candidate)


def test_single_tests_refuse_too_few() -> None:
    with pytest.raises(ValueError, match="two examples of each class"):
        delong([0, 0, 1], [1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="two examples"):
        paired_bootstrap([1.0], [2.0])
