"""Each scenario does what it says to planted data, and nothing else."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise, scores
from harness.data.tabular import Split, Table
from harness.declare import Scenario
from harness.errors import DeclarationError, UsageError

SCENARIOS = [label_noise(0.2), imbalance(0.1), imbalance(0.9), covariate_shift(1.5), TEMPORAL]


def table(n: int, seed: int, positives: float = 0.4) -> Table:
    """Rows along the direction (1, 1, 0), with one constant column; row numbers in the column after it."""
    rng = np.random.default_rng(seed)
    along = rng.normal(size=n)
    across = 0.1 * rng.normal(size=(n, 2))
    columns = [along + across[:, 0], along + across[:, 1], np.full(n, 0.1), np.zeros(n)]
    X = np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)
    return Table(X, (rng.random(n) < positives).astype(np.int8), rng.integers(0, n // 2, n))


def split(train: int = 4000, test: int = 2000, seed: int = 0, positives: float = 0.4) -> Split:
    return Split(table(train, seed, positives), table(test, seed + 1, positives), ("a", "b", "c", "d"))


def digest(data: Split) -> str:
    parts = (data.train.X, data.train.y, data.train.time, data.test.X, data.test.y, data.test.time)
    return hashlib.sha256(b"|".join(part.tobytes() for part in parts if part is not None)).hexdigest()


def stressed(scenario: Scenario, data: Split, seed: int = 0) -> Split:
    made = scenario.apply(data, np.random.default_rng(seed))
    assert isinstance(made, Split)
    return made


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_input_stays_as_it_is_and_seeds_decide(scenario: Scenario) -> None:
    data = split()
    before = digest(data)
    first, again, other = (stressed(scenario, data, seed) for seed in (1, 1, 2))
    assert digest(data) == before
    assert digest(first) == digest(again)
    assert digest(first) != before
    assert first.features == data.features
    if scenario is not TEMPORAL:
        assert digest(first) != digest(other)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.01, 0.49), seed=st.integers(0, 2**32))
def test_label_noise_flips_its_share_of_the_training_labels(share: float, seed: int) -> None:
    data = split()
    noisy = stressed(label_noise(share), data, seed)
    low, high = binom.interval(1 - 1e-9, len(data.train), share)
    assert low <= np.sum(noisy.train.y != data.train.y) <= high
    assert set(np.unique(noisy.train.y)) == {0, 1}
    assert noisy.train.X is data.train.X
    assert noisy.test is data.test


def test_label_noise_hits_both_classes_alike() -> None:
    data = split(train=100_000)
    flipped = stressed(label_noise(0.1), data).train.y != data.train.y
    for label in (0, 1):
        of_class = flipped[data.train.y == label]
        low, high = binom.interval(1 - 1e-9, len(of_class), 0.1)
        assert low <= of_class.sum() <= high


@settings(max_examples=30, deadline=None)
@given(ratio=st.floats(0.01, 0.99), positives=st.floats(0.1, 0.9), seed=st.integers(0, 2**32))
def test_imbalance_is_exact_to_one_row_and_keeps_the_scarce_class(ratio: float, positives: float, seed: int) -> None:
    data = split(positives=positives)
    uneven = stressed(imbalance(ratio), data, seed)
    for before, after in ((data.train, uneven.train), (data.test, uneven.test)):
        ones, zeros = after.y.sum(), (after.y == 0).sum()
        assert ones == before.y.sum() or zeros == (before.y == 0).sum()
        # Rounding the number kept of the class in excess moves it by at most one half.
        assert abs(ones * (1 - ratio) - zeros * ratio) <= 0.5 * max(ratio, 1 - ratio) + 1e-6


def test_imbalance_drops_rows_without_changing_or_reordering_them() -> None:
    data = split()
    numbered = data.train.X.copy()
    numbered[:, 3] = np.arange(len(numbered))
    after = stressed(imbalance(0.1), replace(data, train=replace(data.train, X=numbered))).train
    rows = after.X[:, 3].astype(int)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(after.X, numbered[rows])
    np.testing.assert_array_equal(after.y, data.train.y[rows])


def test_imbalance_keeps_a_row_of_each_class() -> None:
    assert stressed(imbalance(0.00001), split()).train.y.sum() == 1


def test_imbalance_needs_both_classes() -> None:
    with pytest.raises(UsageError, match="both classes"):
        stressed(imbalance(0.1), split(positives=0.0))


def test_scores_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    data = split()
    scaler = StandardScaler().fit(data.train.X)
    pca = PCA(1, whiten=True).fit(scaler.transform(data.train.X).astype(np.float64))
    expected = pca.transform(scaler.transform(data.test.X))[:, 0] * np.sign(pca.components_[0].sum())
    np.testing.assert_allclose(scores(data.train.X, data.test.X), expected, rtol=1e-3, atol=1e-4)


def test_scores_take_missing_values_as_the_mean() -> None:
    data = split()
    gaps = data.test.X.copy()
    gaps[:, :2] = np.nan
    np.testing.assert_allclose(scores(data.train.X, gaps), 0, atol=1e-9)
    train = data.train.X.copy()
    train[::7, 0] = np.nan
    train[:, 3] = np.nan
    assert np.isfinite(scores(train, gaps)).all()


@settings(max_examples=20, deadline=None)
@given(strengths=st.lists(st.floats(0.01, 20), min_size=2, max_size=5, unique=True), seed=st.integers(0, 2**32))
def test_covariate_shift_moves_the_test_rows_further_with_strength(strengths: list[float], seed: int) -> None:
    data = split()
    means = []
    # For one seed the rows kept maximise strength * (sum of scores) + (sum of noise) over all halves, a maximum of
    # linear functions of strength; its slope, the sum of scores, cannot fall.
    for strength in sorted(strengths):
        shifted = stressed(covariate_shift(strength), data, seed)
        assert shifted.train is data.train
        assert len(shifted.test) == len(data.test) // 2
        means.append(float(scores(data.train.X, shifted.test.X).mean()))
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(means))


def test_covariate_shift_moves_the_mean_in_the_direction() -> None:
    data = split()
    shifted = stressed(covariate_shift(1), data)
    # Half of a standard normal drawn with weight exp(z): between no shift and the mean of the upper half, 0.80.
    mean = scores(data.train.X, shifted.test.X).mean()
    assert 0.3 < mean < np.sqrt(2 / np.pi)
    assert (shifted.test.X[:, :2].mean(axis=0) > data.test.X[:, :2].mean(axis=0) + 0.3).all()


def test_covariate_shift_draws_each_row_once_with_its_label() -> None:
    data = split()
    numbered = data.test.X.copy()
    numbered[:, 3] = np.arange(len(numbered))
    shifted = stressed(covariate_shift(3), replace(data, test=replace(data.test, X=numbered)))
    rows = shifted.test.X[:, 3].astype(int)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(shifted.test.y, data.test.y[rows])


def test_temporal_trains_on_the_past() -> None:
    data = split()
    ordered = stressed(TEMPORAL, data)
    assert ordered.train.time is not None
    assert ordered.test.time is not None
    assert ordered.train.time.max() <= ordered.test.time.min()
    assert (len(ordered.train), len(ordered.test)) == (len(data.train), len(data.test))

    def rows(tables: Split) -> list[tuple[float, ...]]:
        return sorted(
            (float(when), float(label), *map(float, row))
            for part in (tables.train, tables.test)
            for when, label, row in zip(part.time if part.time is not None else (), part.y, part.X, strict=True)
        )

    assert rows(ordered) == rows(data)


def test_temporal_needs_time() -> None:
    assert TEMPORAL.requires == ("time",)
    data = split()
    with pytest.raises(UsageError, match="time column"):
        stressed(TEMPORAL, replace(data, train=replace(data.train, time=None)))


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (label_noise, 0.0),
        (label_noise, 0.5),
        (label_noise, float("nan")),
        (imbalance, 0.0),
        (imbalance, 1.0),
        (covariate_shift, 0.0),
        (covariate_shift, -1.0),
        (covariate_shift, float("inf")),
    ],
)
def test_impossible_arguments_are_refused(make: Callable[[float], Scenario], argument: float) -> None:
    with pytest.raises(DeclarationError, match=make.__name__):
        make(argument)


def test_names() -> None:
    made = [label_noise(0.1), imbalance(0.05), covariate_shift(2.0), TEMPORAL]
    assert [scenario.name for scenario in made] == [
        "label_noise(0.1)",
        "imbalance(0.05)",
        "covariate_shift(2)",
        "temporal",
    ]
