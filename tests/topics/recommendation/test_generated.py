"""Generated feedback: what the declaration says of it is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.topics.recommendation.engine import metrics, protocols
from harness.topics.recommendation.engine.feedback import Feedback, Score
from harness.topics.recommendation.engine.synthetic import SPAN, World, _choose, draw
from harness.topics.recommendation.engine.top import rank


def _draw(seed: int = 0, **changes: float) -> World:
    settings = {"users": 300, "items": 80, "density": 0.1, "skew": 0.8, "drift": 0.5, "dimensions": 8} | changes
    return draw(np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


def _ndcg(feedback: Feedback, score: Score) -> float:
    return metrics.judge(feedback, rank(feedback.visible, score)).metrics["ndcg"]


@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_first_choices_follow_the_stated_probabilities(drift: float) -> None:
    """The first item of each of many users of the same taste, against the softmax of preferences."""
    world = _draw(items=12, users=2, dimensions=3)
    factors = replace(world.factors, drift=drift)
    n, moment = 40_000, 0.7
    tastes = np.repeat(factors.users[0][:1], n, axis=0), np.repeat(factors.users[1][:1], n, axis=0)
    sums = np.cumsum(factors.popularity[0]), np.cumsum(factors.popularity[1])
    owners = np.arange(n, dtype=np.int32)
    chosen = _choose(
        np.array([5], dtype=np.uint64),
        owners,
        np.full(n, drift * moment),
        tastes,
        factors.items,
        factors.popularity,
        sums,
        factors.scale,
    )
    preference = factors.preference(np.array([0], dtype=np.int32), moment * SPAN)[0].astype(np.float64)
    expected = np.exp(preference) / np.exp(preference).sum()
    shares = np.bincount(chosen, minlength=12) / n
    np.testing.assert_allclose(shares, expected, atol=4.5 * np.sqrt(0.25 / n))


def test_sizes_are_those_asked_for() -> None:
    world = _draw(users=2_000, items=400, density=0.05)
    interactions = world.interactions
    assert len(interactions) / (2_000 * 400) == pytest.approx(0.05, rel=0.1)
    pairs = set(zip(interactions.users.tolist(), interactions.items.tolist(), strict=True))
    assert len(pairs) == len(interactions)
    counts = np.bincount(interactions.users, minlength=2_000)
    assert counts.min() >= 5
    assert counts.max() <= 100
    assert interactions.time is not None
    assert 0 <= interactions.time.min() <= interactions.time.max() < SPAN


def test_popularity_follows_the_exponent() -> None:
    flat, steep = (_draw(users=2_000, skew=skew, drift=0.0).interactions for skew in (0.0, 1.5))
    top_share = [np.sort(np.bincount(data.items))[::-1][:8].sum() / len(data) for data in (flat, steep)]
    assert top_share[0] < 0.25
    assert top_share[1] > 0.35
    popularity = np.sort(_draw(skew=1.5).factors.popularity[0])[::-1]
    np.testing.assert_allclose(popularity[1:10] / popularity[0], np.arange(2, 11) ** -1.5)


def test_a_user_stays_for_a_part_of_the_time() -> None:
    interactions = _draw(stay=0.2).interactions
    assert interactions.time is not None
    for user in range(50):
        time = interactions.time[interactions.users == user]
        assert np.ptp(time) <= 0.2 * SPAN
    assert np.ptp(interactions.time) > 0.9 * SPAN


def test_drift_makes_late_preferences_others_than_early_ones() -> None:
    users = np.arange(20, dtype=np.int32)
    still, moving = _draw(drift=0.0), _draw(drift=1.0)
    np.testing.assert_array_equal(still.preference(users, 0.0), still.preference(users, float(SPAN)))
    early, late = (moving.preference(users, time) for time in (0.0, float(SPAN)))
    assert abs(np.corrcoef(early.ravel(), late.ravel())[0, 1]) < 0.3


def test_the_true_preferences_are_better_than_popularity_and_recorded_as_the_limit() -> None:
    world = _draw(users=1_000, drift=0.0)
    feedback = protocols.divide(
        world.interactions, protocols.random_holdout, np.random.default_rng(0), preference=world.preference
    )
    taken = np.bincount(feedback.visible.train.indices, minlength=80).astype(np.float32)

    def oracle(start: int, stop: int) -> np.ndarray:
        return np.asarray(world.preference(feedback.users[start:stop], 0.0))

    ranking = rank(feedback.visible, lambda start, stop: np.tile(taken, (stop - start, 1)))
    judged = metrics.judge(feedback, ranking)
    limit = judged.curves["oracle"].y[-1]
    assert limit == pytest.approx(_ndcg(feedback, oracle), abs=1e-6)
    assert limit > 1.2 * judged.metrics["ndcg"]


def test_features_say_something_of_the_factors() -> None:
    world = _draw(items=400)
    assert (np.diff(world.features.indptr) == 8).all()
    same_words = (world.features @ world.features.T).toarray()
    cosine = world.factors.items @ world.factors.items.T
    above = np.triu_indices(400, 1)
    assert np.corrcoef(same_words[above], cosine[above])[0, 1] > 0.3


def test_the_same_seed_gives_the_same_data() -> None:
    one, other, third = (_draw(seed).interactions for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.items, other.items)
    assert len(one) != len(third) or (one.items != third.items).any()
