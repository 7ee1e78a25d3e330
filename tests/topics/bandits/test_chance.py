"""Randomness by place: what it is uniform, normal and independent in, and what a world pays by it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.topics.bandits.engine.world import World, bits, key_of, normal, normals, uniform, uniforms

KEY = np.uint64(2026)
STEPS, REPLICATIONS, ARMS = 400, 50, 10


def table(key: np.uint64 = KEY) -> np.ndarray:
    step, replication, arm = np.ogrid[:STEPS, :REPLICATIONS, :ARMS]
    return np.asarray(uniforms(key, step, replication, arm))


def world(**changes: object) -> World:
    means = np.random.default_rng(0).random((1, REPLICATIONS, ARMS))
    made = World(means, np.zeros(STEPS, dtype=np.int64), REPLICATIONS, KEY)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [0, 1, 2**63])
def test_draws_are_uniform(key: int) -> None:
    draws = table(np.uint64(key)).ravel()
    assert 0 < draws.min() < draws.max() < 1
    counts, _ = np.histogram(draws, bins=256, range=(0, 1))
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("lag", [1, 2])
def test_neighbours_are_uncorrelated(axis: int, lag: int) -> None:
    draws = np.moveaxis(table(), axis, 0)
    before, after = draws[:-lag].ravel(), draws[lag:].ravel()
    assert abs(np.corrcoef(before, after)[0, 1]) < 4 / np.sqrt(before.size)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pairs_of_neighbours_fill_the_square(axis: int) -> None:
    draws = np.moveaxis(table(), axis, 0)
    cells, _, _ = np.histogram2d(draws[:-1:2].ravel(), draws[1::2].ravel(), bins=16, range=[(0, 1), (0, 1)])
    assert stats.chisquare(cells.ravel()).pvalue > 1e-3


def test_lowest_and_highest_bits_are_fair() -> None:
    words = np.array([bits(KEY, step, 3, 1) for step in range(4_000)], dtype=np.uint64)
    for place in (0, 1, 31, 62, 63):
        ones = int(((words >> np.uint64(place)) & np.uint64(1)).sum())
        assert stats.binomtest(ones, len(words)).pvalue > 1e-3


def test_no_two_places_share_their_bits() -> None:
    words = [bits(KEY, step, replication, arm) for step in range(40) for replication in range(20) for arm in range(10)]
    assert len(set(words)) == len(words)


def test_keys_are_independent() -> None:
    one, other = table(np.uint64(7)).ravel(), table(np.uint64(8)).ravel()
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(one.size)


def test_normal_draws_are_normal() -> None:
    step, replication, arm = np.ogrid[:STEPS, :REPLICATIONS, :ARMS]
    draws = np.asarray(normals(KEY, step, replication, arm))
    assert stats.kstest(draws.ravel()[::7], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws[:, :, :-1].ravel(), draws[:, :, 1:].ravel())[0, 1]) < 4 / np.sqrt(draws.size)


def test_arrays_and_single_places_agree() -> None:
    assert uniforms(KEY, 5, 3, 2) == uniform(KEY, 5, 3, 2)
    assert normals(KEY, 5, 3, 2) == normal(KEY, 5, 3, 2)


def test_a_seed_fixes_the_key() -> None:
    first, second = (key_of(np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert isinstance(first, np.uint64)


def test_two_policies_at_the_same_arm_and_place_are_paid_the_same() -> None:
    for made in (world(), world(sigma=0.5)):
        one, other = np.zeros(REPLICATIONS, dtype=np.int64), np.arange(REPLICATIONS) % 2
        same = one == other
        for step in range(50):
            np.testing.assert_array_equal(made.rewards(step, one)[same], made.rewards(step, other)[same])


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_arms_pay_their_means(sigma: float) -> None:
    made = world(sigma=sigma)
    arms = np.arange(REPLICATIONS) % ARMS
    paid = np.array([made.rewards(step, arms) for step in range(STEPS)])
    means = made.means[0, np.arange(REPLICATIONS), arms]
    spread = np.sqrt(means * (1 - means)) if sigma == 0 else sigma
    z = (paid.mean(axis=0) - means) / (spread / np.sqrt(STEPS))
    assert stats.kstest(z, "norm").pvalue > 1e-3
    if sigma:
        assert paid.std(axis=0).mean() == pytest.approx(sigma, rel=0.02)


def test_contexts_choose_rows_evenly() -> None:
    features = np.random.default_rng(0).normal(size=(20, 3))
    made = world(features=features, means=np.random.default_rng(1).random((1, 20, ARMS)))
    rows = made.rows(np.arange(STEPS)[:, None])
    assert rows.shape == (STEPS, REPLICATIONS)
    assert stats.chisquare(np.bincount(rows.ravel(), minlength=20)).pvalue > 1e-3
    np.testing.assert_array_equal(rows[7], made.rows(7))
    np.testing.assert_array_equal(made.contexts(7), features[rows[7]])


@pytest.mark.parametrize(
    ("delay", "batch", "seen"),
    [
        (0, 1, [0, 1, 2, 3, 4, 5, 6, 7]),
        (3, 1, [0, 0, 0, 0, 1, 2, 3, 4]),
        (0, 3, [0, 0, 0, 3, 3, 3, 6, 6]),
        (2, 2, [0, 0, 0, 0, 2, 2, 4, 4]),
    ],
)
def test_steps_seen_before_a_choice(delay: int, batch: int, seen: list[int]) -> None:
    made = world(delay=delay, batch=batch)
    assert [made.seen(step) for step in range(8)] == seen
