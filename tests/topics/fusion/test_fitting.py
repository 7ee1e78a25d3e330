"""Fitting: the same for the same seed, divergence with its step, the limit on steps."""

from __future__ import annotations

import numpy as np
import pytest

from harness import DivergedError
from harness.topics.fusion.engine.interaction import generated
from harness.topics.fusion.examples import Divided


def data() -> Divided:
    return generated("redundant", 1.0, 300, 100, np.random.default_rng(0))


def fitted(seed: int, **budget: float) -> np.ndarray:
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine.fitting import Budget, fit, predict
    from harness.topics.fusion.engine.networks import Concatenation

    seeded(seed)
    made = data()
    return predict(fit(Concatenation(made, 8), made, Budget(**{"epochs": 2, **budget}), seed), made.test)  # type: ignore[arg-type]


def test_a_seed_gives_the_same_fit_twice() -> None:
    np.testing.assert_array_equal(fitted(1), fitted(1))
    assert not np.array_equal(fitted(1), fitted(2))


def test_probabilities_add_up_to_1() -> None:
    np.testing.assert_allclose(fitted(0).sum(axis=1), 1, atol=1e-12)


def test_divergence_is_raised_with_its_step() -> None:
    with pytest.raises(DivergedError) as raised:
        fitted(0, rate=1e30, weight_decay=0.0)
    assert 0 < raised.value.step < 10


def test_steps_are_limited() -> None:
    """Two fits that differ in passes only are the same where the limit ends both."""
    np.testing.assert_array_equal(fitted(0, epochs=4, steps=5), fitted(0, epochs=9, steps=5))


def test_saved_bytes_count_each_token_of_a_batch() -> None:
    from harness.topics.fusion.engine.fitting import saved_bytes
    from harness.topics.fusion.engine.networks import Concatenation

    made = data()
    small, large = (saved_bytes(Concatenation(made, size), made) for size in (8, 16))
    # The head keeps its hidden units before and after GELU: 64 examples of 8 more units of 4 bytes, twice.
    assert large - small == 2 * 64 * 8 * 4
