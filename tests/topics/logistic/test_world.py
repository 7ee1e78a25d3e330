"""Data of a known logistic model: what the declaration says of them is true."""

from __future__ import annotations

import numpy as np
import pytest

from harness.topics.logistic.engine.world import World, draw


def _draw(seed: int = 0, **changes: float) -> World:
    settings = {
        "rows": 50_000,
        "test_rows": 1_000,
        "columns": 8,
        "support": 3,
        "correlation": 0.6,
        "signal": 1.5,
        "event_rate": 0.1,
    } | changes
    return draw(np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


def test_moments_are_those_asked_for() -> None:
    world = _draw()
    train = world.split.train
    assert np.count_nonzero(world.coefficients) == 3
    assert train.y.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 50_000))
    wanted = 0.6 ** np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    np.testing.assert_allclose(np.corrcoef(train.X.T), wanted, atol=0.02)
    assert (train.X.astype(float) @ world.coefficients).std() == pytest.approx(1.5, rel=0.02)


def test_labels_follow_the_model() -> None:
    world = _draw(event_rate=0.4)
    train = world.split.train
    log_odds = world.intercept + train.X.astype(float) @ world.coefficients
    probability = 1 / (1 + np.exp(-log_odds))
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1)):
        inside = (probability >= low) & (probability < high)
        error = np.sqrt((probability * (1 - probability))[inside].sum()) / inside.sum()
        assert train.y[inside].mean() == pytest.approx(probability[inside].mean(), abs=4 * error)


def test_a_smaller_training_set_is_the_beginning_of_a_larger_one() -> None:
    small, large = _draw(rows=100), _draw(rows=1_000)
    np.testing.assert_array_equal(small.coefficients, large.coefficients)
    np.testing.assert_array_equal(small.split.test.X, large.split.test.X)
    np.testing.assert_array_equal(small.split.train.X, large.split.train.X[:100])
