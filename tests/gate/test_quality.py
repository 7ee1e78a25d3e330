"""The verdict on quality: its rules one by one, and its error rates by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.gate.quality import PairedSeed, QualityOutcome, judge_quality
from harness.stats.examples import Difference, delong, mcnemar

LOOKS = (2, 4, 8, 16)
Floats = npt.NDArray[np.float64]


def normal(estimate: float, se: float, examples: int = 1000) -> Difference:
    """Return what so many examples say where the normal distribution holds."""
    half, above = 1.959963984540054 * se, math.erfc(estimate / se / math.sqrt(2)) / 2
    return Difference(estimate, se, estimate - half, estimate + half, above, 1 - above, examples)


def seeds_of(changes: Any, se: float = 0.0) -> list[PairedSeed]:
    """Return seeds whose candidate differs from a base of 0.5, with examples of that standard error."""
    return [PairedSeed(0.5, 0.5 + change, difference=normal(change, se) if se else None) for change in changes]


def last_look(changes: Floats, margin: float, se: float = 0.0) -> str:
    """Return the verdict of the first look that decides, with levels split over the looks."""
    for look in LOOKS:
        outcome = judge_quality(
            seeds_of(changes[:look], se), "lower", margin, alpha=0.01 / 4, pass_alpha=0.025 / 4, last=look == LOOKS[-1]
        )
        if outcome.verdict != "undecided":
            return outcome.verdict
    return "undecided"


def shares(verdicts: list[str]) -> dict[str, float]:
    return {name: verdicts.count(name) / len(verdicts) for name in ("regressed", "pass", "improved", "undecided")}


# Variance of training randomness and of the examples, as shares of that of a seed's difference.
@pytest.mark.parametrize("within", [0.0, 0.5, 1.0])
def test_no_difference_is_seldom_called_one(within: float) -> None:
    """Four looks at 1 % together, a margin that is no help; the standard error of the share is 0.3 %."""
    rng = np.random.default_rng(1)
    found = shares([last_look(row, 1e-9, math.sqrt(within)) for row in rng.normal(size=(1000, 16))])
    assert found["regressed"] <= (0.016 if within == 0 else 0.01)
    assert found["improved"] <= 0.016


@pytest.mark.parametrize("within", [0.0, 0.5, 1.0])
def test_a_drop_of_the_margin_is_found(within: float) -> None:
    """Where the margin is 1.5 standard deviations of a seed's difference, 16 seeds find 95 % of such drops."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(500, 16))
    found = shares([last_look(1.5 + row, 1.5, math.sqrt(within)) for row in noise])
    assert found["regressed"] >= 0.95
    assert found["pass"] <= 0.025
    same = shares([last_look(row, 1.5, math.sqrt(within)) for row in noise])
    assert same["pass"] >= 0.95
    assert same["regressed"] <= 0.01


def test_too_noisy_a_drop_of_the_margin_does_not_pass() -> None:
    """Half a standard deviation is too little for 16 seeds: undecided, not a pass."""
    rng = np.random.default_rng(3)
    found = shares([last_look(0.5 + row, 0.5) for row in rng.normal(size=(1000, 16))])
    assert found["pass"] <= 0.025 + 0.008
    assert found["undecided"] > 0.5


def error_rates(rng: np.random.Generator, examples: int, drop: float) -> Difference:
    drawn = rng.random(examples)
    return mcnemar(drawn < 0.02, (drawn >= 0.02) & (drawn < 0.04 + drop))


def areas(rng: np.random.Generator, examples: int, drop: float) -> Difference:
    """Scores of a normal pair; 0.1 less apart, the area is 0.0196 smaller: Phi(d / sqrt(2.18)), d = 1.2 and 1.1."""
    labels = np.arange(examples) % 2
    common, (one, other) = rng.normal(size=examples), 0.3 * rng.normal(size=(2, examples))
    apart = 1.2 - drop * 0.1 / 0.0196
    return delong(labels, common + 1.2 * labels + one, common + apart * labels + other)


@pytest.mark.parametrize(
    ("compare", "direction", "margin"), [(error_rates, "lower", 0.02), (areas, "higher", 0.0196)], ids=["error", "auc"]
)
def test_one_seed_speaks_through_its_examples(
    compare: Callable[..., Difference], direction: Literal["higher", "lower"], margin: float
) -> None:
    """3000 examples suffice for these margins."""
    rng = np.random.default_rng(4)

    def verdicts(drop: float, examples: int, used: float) -> dict[str, float]:
        differences = [compare(rng, examples, drop) for _ in range(400)]
        seeds = [[PairedSeed(0.5, 0.5 + found.estimate, difference=found)] for found in differences]
        return shares([judge_quality(one, direction, used).verdict for one in seeds])

    assert verdicts(0.0, 300, 1e-9)["regressed"] <= 0.01 + 0.008
    few, enough = verdicts(margin, 300, margin), verdicts(margin, 3000, margin)
    assert few["pass"] <= 0.025 + 0.013
    assert enough["regressed"] >= 0.95
    assert enough["pass"] <= 0.025 + 0.013


def test_identical_predictions_pass_at_once() -> None:
    outcome = judge_quality([PairedSeed(0.7, 0.7, identical=True)] * 2, "higher", 0.0)
    assert outcome == QualityOutcome("pass", "identical predictions", 0.0, 0.0, 0.0, 0.0, None, 2)


CHANGES = [0.010, 0.012, 0.011, 0.013, 0.009, 0.010]


def test_the_interval_and_p_are_students() -> None:
    outcome = judge_quality(seeds_of(CHANGES), "lower", 0.01)
    expected = stats.ttest_1samp(CHANGES, 0.0, alternative="greater")
    interval = stats.ttest_1samp(CHANGES, 0.0).confidence_interval(0.95)
    assert (outcome.verdict, outcome.seeds, outcome.needs) == ("regressed", 6, None)
    assert outcome.p == pytest.approx(expected.pvalue)
    assert (outcome.estimate, outcome.low, outcome.high) == pytest.approx((np.mean(CHANGES), *interval))
    assert outcome.reason.startswith("worse by 0.0108 over 6 seeds, more than half of the margin 0.01 (p = ")


def test_direction_turns_the_verdict_round() -> None:
    outcome = judge_quality(seeds_of(CHANGES), "higher", 0.01)
    assert outcome.verdict == "improved"
    assert outcome.reason.startswith("better by 0.0108")
    assert outcome.low < np.mean(CHANGES) < outcome.high


@settings(deadline=None, max_examples=50)
@given(
    changes=st.lists(st.floats(-1, 1), min_size=2, max_size=8),
    margin=st.sampled_from([0.0, 0.01, 0.3]),
    se=st.sampled_from([0.0, 0.02]),
)
def test_mirrored_data_have_the_same_verdict_the_other_way(changes: list[float], margin: float, se: float) -> None:
    one = judge_quality(seeds_of(changes, se), "lower", margin)
    other = judge_quality(seeds_of([-change for change in changes], se), "higher", margin)
    assert (one.verdict, one.needs, one.seeds) == (other.verdict, other.needs, other.seeds)
    assert (one.estimate, one.low, one.high) == pytest.approx((-other.estimate, -other.high, -other.low))
    assert (one.needs is None) or one.verdict == "undecided"


def test_a_sure_but_small_worsening_is_within_the_margin() -> None:
    outcome = judge_quality(seeds_of(CHANGES), "lower", 0.05)
    assert outcome.verdict == "pass"
    assert outcome.reason.startswith("not worse by the margin 0.05 over 6 seeds (p = ")
    assert outcome.p == pytest.approx(stats.ttest_1samp(CHANGES, 0.05, alternative="less").pvalue)


def test_examples_widen_what_agrees_by_chance() -> None:
    """Seeds that agree better than their examples allow: the variance is that of the examples."""
    outcome = judge_quality(seeds_of(CHANGES, se=0.1), "lower", 0.01)
    assert outcome.verdict == "undecided"
    assert outcome.high - outcome.estimate == pytest.approx(stats.t.ppf(0.975, 5) * 0.1 / math.sqrt(6))
    narrow = judge_quality(seeds_of(CHANGES, se=1e-6), "lower", 0.01)
    assert narrow.p == pytest.approx(judge_quality(seeds_of(CHANGES), "lower", 0.01).p)


def test_seeds_with_identical_predictions_count_as_no_difference() -> None:
    mixed = [*seeds_of([0.02, 0.01]), PairedSeed(0.4, 0.4, identical=True)]
    assert judge_quality(mixed, "lower", 0.1) == judge_quality(seeds_of([0.02, 0.01, 0.0]), "lower", 0.1)


def test_one_seed_needs_examples() -> None:
    outcome = judge_quality(seeds_of([0.1]), "lower", 0.01)
    assert (outcome.verdict, outcome.needs, outcome.p) == ("undecided", None, 1.0)
    assert "measure two seeds or more" in outcome.reason


def test_one_seed_with_examples_says_what_it_speaks_of() -> None:
    found = normal(0.02, 0.004)
    outcome = judge_quality([PairedSeed(0.5, 0.52, difference=found)], "lower", 0.01)
    assert (outcome.verdict, outcome.p) == ("regressed", found.p_above)
    assert (outcome.low, outcome.high) == pytest.approx((found.low, found.high))
    assert "over 1,000 examples of these two fitted models" in outcome.reason


def test_underpowered_says_what_it_needs() -> None:
    """With the seeds that it asks for, four of five such samples decide."""
    changes = np.array([0.004, -0.006, 0.005, -0.003])
    outcome = judge_quality(seeds_of(changes), "lower", 0.005, last=True)
    assert outcome.verdict == "undecided"
    assert outcome.needs
    assert outcome.reason == f"underpowered: needs {outcome.needs} seeds"
    assert judge_quality(seeds_of(changes), "lower", 0.005, last=False).reason.startswith("not decided yet: needs")
    rng = np.random.default_rng(6)
    spread = changes.std(ddof=1)
    drawn = rng.normal(changes.mean(), spread, size=(1000, outcome.needs))
    decided = [judge_quality(seeds_of(row), "lower", 0.005).verdict != "undecided" for row in drawn]
    assert 0.76 < np.mean(decided) < 0.86


def test_needed_examples_follow_the_normal_distribution() -> None:
    outcome = judge_quality([PairedSeed(0.5, 0.5, difference=normal(0.0, 0.01))], "lower", 0.01)
    exact = 1000 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2
    assert outcome.needs == math.ceil(exact)
    assert outcome.reason == f"underpowered: needs {outcome.needs:,} examples"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (CHANGES, "regressed"),
        ([-change for change in CHANGES], "improved"),
        ([0.01, -0.01, 0.02, -0.02], "undecided"),
        ([0.0] * 5, "undecided"),
        ([0.0] * 6, "pass"),  # 1/64 < 0.025
    ],
)
def test_with_margin_0_every_difference_counts(changes: list[float], verdict: str) -> None:
    outcome = judge_quality(seeds_of(changes), "lower", 0.0)
    assert outcome.verdict == verdict


def test_margin_0_asks_for_a_margin() -> None:
    assert "declare a margin above 0" in judge_quality(seeds_of([0.01, -0.01]), "lower", 0.0).reason
    assert judge_quality(seeds_of([0.0] * 6), "lower", 0.0).reason == "exactly the same over 6 seeds"
    assert judge_quality(seeds_of([0.0] * 5), "lower", 0.0).needs == 6


@pytest.mark.parametrize(("count", "verdict"), [(6, "undecided"), (7, "regressed")])
def test_values_without_spread_are_coins(count: int, verdict: str) -> None:
    """A metric of few values, 0.02 worse in every seed: 1/64 is above 1 %, 1/128 below."""
    outcome = judge_quality(seeds_of([0.02] * count), "lower", 0.01)
    assert (outcome.verdict, outcome.p) == (verdict, 0.5**count)
    assert outcome.low == outcome.high == outcome.estimate


def test_the_same_ranking_is_the_same_area() -> None:
    """Predictions differ, no example's rank does: the area is equal whatever the sample."""
    scores, labels = np.random.default_rng(7).random(100), np.arange(100) % 2
    found = delong(labels, scores, scores**2)
    for margin in (0.0, 0.005):
        assert judge_quality([PairedSeed(0.5, 0.5, difference=found)], "higher", margin).verdict == "pass"


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        ([], "no seed that both sides finished"),
        ([PairedSeed(0.5, math.nan), PairedSeed(0.5, 0.5)], "in 1 of 2 seeds the metric is not finite"),
        ([PairedSeed(math.inf, 0.5)], "in 1 of 1 seeds"),
        ([PairedSeed(0.5, 0.6, identical=True)], "identical but the metric is not"),
        ([PairedSeed(0.5, 0.6, difference=normal(0.2, 0.1))], "differs from that of its examples"),
    ],
)
def test_what_cannot_be_judged_is_undecided_with_the_reason(seeds: list[PairedSeed], sentence: str) -> None:
    outcome = judge_quality(seeds, "lower", 0.01)
    assert (outcome.verdict, outcome.needs, outcome.seeds) == ("undecided", None, len(seeds))
    assert sentence in outcome.reason


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"direction": "up"}, "direction is 'up'"),
        ({"margin": -1.0}, "margin is -1.0"),
        ({"margin": math.nan}, "margin is nan"),
        ({"alpha": 0.0}, "levels are"),
        ({"pass_alpha": 0.5}, "levels are"),
    ],
)
def test_arguments_without_sense_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    arguments: dict[str, Any] = {"direction": "lower", "margin": 0.01, **wrong}
    with pytest.raises(ValueError, match=sentence):
        judge_quality(seeds_of(CHANGES), **arguments)
