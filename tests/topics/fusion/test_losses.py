"""Losses against their formulas in plain numpy, their gradients, and what they are at neutral values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from harness.errors import UsageError
from harness.topics.fusion.engine import losses
from harness.topics.fusion.engine.networks import Loss

CLASSES, ROWS = 5, 40
RNG = np.random.default_rng(3)
LABELS = RNG.choice(CLASSES, ROWS, p=[0.5, 0.2, 0.15, 0.1, 0.05])
SCORES = RNG.normal(0, 2, (ROWS, CLASSES))
WEIGHTS = np.array([0.2, 1.0, 1.5, 3.0, 7.0])
RATES = np.bincount(LABELS, minlength=CLASSES) / ROWS


def _probabilities(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _known(scores: Any) -> Any:
    return _probabilities(scores)[np.arange(ROWS), LABELS]


def _weighted(scores: Any) -> float:
    weights = WEIGHTS[LABELS]
    return float(np.sum(weights * -np.log(_known(scores))) / weights.sum())


def _focal(scores: Any) -> float:
    known = _known(scores)
    return float(np.mean(-((1 - known) ** 2) * np.log(known)))


def _smoothed(scores: Any) -> float:
    target = np.full((ROWS, CLASSES), 0.3 / CLASSES)
    target[np.arange(ROWS), LABELS] += 0.7
    return float(-np.sum(target * np.log(_probabilities(scores))) / ROWS)


def _adjusted(scores: Any) -> float:
    return float(-np.mean(np.log(_known(scores + 0.5 * np.log(RATES)))))


FORMULAS: dict[str, tuple[Loss, Callable[[Any], float]]] = {
    "weighted": (losses.weighted(WEIGHTS), _weighted),
    "focal": (losses.focal(2.0), _focal),
    "smoothed": (losses.smoothed(0.3), _smoothed),
    "adjusted": (losses.adjusted(LABELS, CLASSES, 0.5), _adjusted),
}
NEUTRAL = {
    "weighted": losses.weighted(np.full(CLASSES, 3.0)),
    "focal": losses.focal(0.0),
    "smoothed": losses.smoothed(0.0),
    "adjusted": losses.adjusted(LABELS, CLASSES, 0.0),
    "adjusted to equal rates": losses.adjusted(np.arange(CLASSES), CLASSES, 1.0),
}


def _value(loss: Loss, scores: Any, dtype: Any = torch.float64) -> float:
    return float(loss(torch.tensor(scores, dtype=dtype), torch.tensor(LABELS)))


@pytest.mark.parametrize("name", FORMULAS)
def test_each_loss_is_its_formula(name: str) -> None:
    loss, formula = FORMULAS[name]
    assert _value(loss, SCORES) == pytest.approx(formula(SCORES), rel=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_finite_differences(name: str) -> None:
    loss, formula = FORMULAS[name]
    scores = torch.tensor(SCORES, requires_grad=True)
    loss(scores, torch.tensor(LABELS)).backward()
    assert scores.grad is not None
    for row, column in [(0, 0), (7, 2), (39, 4), (12, LABELS[12])]:
        step = np.zeros_like(SCORES)
        step[row, column] = 1e-5
        slope = (formula(SCORES + step) - formula(SCORES - step)) / 2e-5
        assert scores.grad[row, column] == pytest.approx(slope, rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("name", NEUTRAL)
def test_at_its_neutral_value_each_is_cross_entropy(name: str) -> None:
    assert _value(NEUTRAL[name], SCORES) == pytest.approx(-np.mean(np.log(_known(SCORES))), rel=1e-12)


@pytest.mark.parametrize("name", [*FORMULAS, *NEUTRAL])
def test_extreme_scores_have_finite_losses_and_gradients(name: str) -> None:
    loss = {**NEUTRAL, **{of: loss for of, (loss, _) in FORMULAS.items()}}[name]
    scores = torch.tensor(SCORES * 1_000, dtype=torch.float32, requires_grad=True)
    value = loss(scores, torch.tensor(LABELS))
    value.backward()
    assert torch.isfinite(value)
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


def test_class_weights_are_those_of_scikit_learn_and_give_classes_equal_totals() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    found = losses.class_weights(LABELS, CLASSES)
    np.testing.assert_allclose(found, compute_class_weight("balanced", classes=np.arange(CLASSES), y=LABELS))
    np.testing.assert_allclose(found * np.bincount(LABELS), ROWS / CLASSES)
    assert losses.class_weights(np.array([0, 0, 0, 1]), 3).tolist() == [4 / 9, 4 / 3, 4 / 3]


def test_the_minimum_of_the_adjusted_loss_is_the_posterior_under_equal_rates() -> None:
    # One x in each example, so the scores are one vector: the rates of the classes, divided by themselves.
    scores = torch.zeros(CLASSES, dtype=torch.float64, requires_grad=True)
    loss, labels = losses.adjusted(LABELS, CLASSES, 1.0), torch.tensor(LABELS)
    optimiser = torch.optim.LBFGS([scores], max_iter=100, tolerance_grad=1e-12)

    def closure() -> Any:
        optimiser.zero_grad()
        value = loss(scores.expand(ROWS, CLASSES), labels)
        value.backward()
        return value

    optimiser.step(closure)
    assert torch.softmax(scores, 0).detach().numpy() == pytest.approx(np.full(CLASSES, 1 / CLASSES), abs=1e-5)


@pytest.mark.parametrize("gamma", [-1.0, 0.5])
def test_gammas_without_a_bounded_gradient_are_refused(gamma: float) -> None:
    with pytest.raises(UsageError, match="0, or 1 or more"):
        losses.focal(gamma)
