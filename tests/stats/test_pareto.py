"""The front against its definition, point by point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.pareto import front, front_share

NAN = np.nan
Floats = npt.NDArray[np.float64]


def by_definition(points: Floats) -> list[bool]:
    def beats(one: Floats, other: Floats) -> bool:
        return bool(np.isfinite(one).all() and (one <= other).all() and (one < other).any())

    return [bool(np.isfinite(own).all()) and not any(beats(other, own) for other in points) for own in points]


def coarse(seed: int, *shape: int) -> Floats:
    """Draw few distinct values, so that ties and equal points abound, some of them missing."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.1, NAN, rng.integers(0, 5, size=shape).astype(float))


def test_by_hand() -> None:
    points = [[1, 5], [2, 3], [2, 4], [3, 3], [5, 1], [5, 1], [NAN, 0], [0, NAN], [9, 9]]
    assert front(np.array(points, dtype=float)).tolist() == [True, True, False, False, True, True, False, False, False]


@given(seed=st.integers(0, 10**6), strategies=st.integers(0, 12), criteria=st.integers(1, 4))
def test_against_the_definition(seed: int, strategies: int, criteria: int) -> None:
    points = coarse(seed, strategies, criteria)
    assert front(points).tolist() == by_definition(points)


@given(seed=st.integers(0, 10**6), criteria=st.integers(2, 3))
def test_fronts_of_many_at_once_are_those_of_each(seed: int, criteria: int) -> None:
    points = coarse(seed, 3, 4, 7, criteria)
    found = front(points)
    assert found.shape == (3, 4, 7)
    assert all(found[place].tolist() == by_definition(points[place]) for place in np.ndindex(3, 4))


@given(seed=st.integers(0, 10**6), order=st.permutations(range(8)))
def test_the_order_of_strategies_and_criteria_does_not_matter(seed: int, order: list[int]) -> None:
    points = coarse(seed, 8, 2)
    assert front(points[order]).tolist() == front(points)[order].tolist()
    assert front(points[:, ::-1]).tolist() == front(points).tolist()


@pytest.mark.parametrize("criteria", [2, 3])
def test_a_value_that_is_not_finite_counts_as_missing(criteria: int) -> None:
    points = np.ones((4, criteria))
    points[0, 0], points[1, 1], points[2] = -np.inf, np.inf, 2.0
    assert front(points).tolist() == [False, False, False, True]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), criteria=st.integers(1, 3))
def test_shares_are_those_of_blocks_drawn_one_by_one(seed: int, criteria: int) -> None:
    values = coarse(seed, 5, 6, criteria)
    drawn = np.random.default_rng(3).multinomial(5, np.full(5, 0.2), size=20)
    on = []
    for counts in drawn:
        picked = np.repeat(values, counts, axis=0)
        known = np.isfinite(picked)
        count = known.sum(axis=0)
        means = np.where(known, picked, 0).sum(axis=0) / np.where(count > 0, count, NAN)
        on.append(by_definition(means))
    # Sums of small whole numbers are exact in any order, so even ties agree.
    assert front_share(values, seed=3, rounds=20) == pytest.approx(np.mean(on, axis=0))


def test_sure_things() -> None:
    """Better in every block: always on the front. Worse in every block: never. Missing everywhere: never."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=(9, 1))
    level = np.hstack([base, base + 1, np.full((9, 1), NAN)])
    shares = front_share(np.stack([level, level], axis=2))
    assert shares.tolist() == [1.0, 0.0, 0.0]


def test_twins_share_the_front_and_a_coin_toss_has_half() -> None:
    """Two equal but for independent noise, one criterion: one of the two is on the front, each about half the time."""
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(40, 2, 1))
    noise -= noise.mean(axis=0)
    shares = front_share(noise, rounds=2000)
    assert shares.sum() == 1.0
    assert shares[0] == pytest.approx(0.5, abs=0.06)
    twins = np.repeat(noise[:, :1], 2, axis=1)
    assert front_share(twins).tolist() == [1.0, 1.0]


def test_blocks_are_taken_whole() -> None:
    """A difference far under the spread of the blocks is sure all the same, because it is there in each of them."""
    base = np.random.default_rng(6).normal(scale=100.0, size=(5, 1))
    level = np.hstack([base, base + 0.001])
    assert front_share(level[..., None]).tolist() == [1.0, 0.0]
