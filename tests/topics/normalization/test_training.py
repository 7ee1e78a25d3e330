"""The loop of training: AdamW, warm-up, divergence, and the batches that it gets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.topics.normalization.corpus import Corpus

if TYPE_CHECKING:
    import torch

pytest.importorskip("torch")


def _problem(rows: int = 16) -> tuple[torch.nn.Linear, Iterator[tuple[torch.Tensor, torch.Tensor]]]:
    """Return a linear model of known weights, and batches of a regression, for ever."""
    import torch

    rng = np.random.default_rng(0)
    model = torch.nn.Linear(3, 1, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.3, -0.2, 0.5]]))
        model.bias.fill_(0.1)

    def drawn() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            x = rng.normal(size=(rows, 3))
            yield torch.from_numpy(x), torch.from_numpy(x @ [[1.0], [2.0], [3.0]] + 0.5)

    return model, drawn()


def _squared(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    loss: torch.Tensor = ((model(x) - y) ** 2).mean()
    return loss


@pytest.mark.parametrize("warmup", [0, 3])
def test_the_loop_is_adamw_with_a_linear_warm_up(warmup: int) -> None:
    """Algorithm 2 of Loshchilov & Hutter 2019 by hand, for 6 steps, with decay times the rate as torch has it."""
    from harness.topics.normalization.engine.training import Budget, train

    model, drawn = _problem()
    trained = train(model, drawn, _squared, Budget(6, 0.05, warmup))

    _, again = _problem()
    weights, first, second, losses = np.array([0.3, -0.2, 0.5, 0.1]), np.zeros(4), np.zeros(4), []
    for step, (inputs, targets) in enumerate(islice(again, 6), start=1):
        x, y = np.c_[inputs.numpy(), np.ones(len(inputs))], targets.numpy()[:, 0]
        error = x @ weights - y
        losses.append(float(np.mean(error**2)))
        gradient = 2 * x.T @ error / len(y)
        rate = 0.05 * min(1.0, step / warmup if warmup else 1.0)
        weights = weights * (1 - rate * 0.01)
        first, second = 0.9 * first + 0.1 * gradient, 0.98 * second + 0.02 * gradient**2
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.98**step)) + 1e-8)
    assert trained.losses == pytest.approx(losses, rel=1e-6)
    found = np.r_[model.weight.detach().numpy()[0], model.bias.detach().numpy()]
    assert found == pytest.approx(weights, rel=1e-6)
    assert trained.diverged is None
    assert len(trained.cpu_s) == 6
    assert trained.cpu_s == sorted(trained.cpu_s)


def test_the_rate_rises_to_its_value_and_stays() -> None:
    from harness.topics.normalization.engine.training import Budget

    budget = Budget(8, 0.4, 4)
    assert [budget.rate_at(step) for step in range(1, 7)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert Budget(8, 0.4).rate_at(1) == 0.4


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_training_ends_at_the_first_step_that_is_not_finite(bad: float) -> None:
    from harness.topics.normalization.engine.training import Budget, train

    model, drawn = _problem()
    batches = ((x, y + (bad if step == 3 else 0.0)) for step, (x, y) in enumerate(drawn, start=1))
    trained = train(model, batches, _squared, Budget(10, 0.01))
    assert trained.diverged == 3
    assert len(trained.losses) == len(trained.cpu_s) == 2
    assert np.isfinite(trained.losses).all()


def _corpus() -> Corpus:
    train = (np.arange(200) % 9 + 1).astype(np.uint8)
    return Corpus(train, train[:12].reshape(2, 6), train[1:13].reshape(2, 6), "abcdefghi")


def test_batches_are_seeded_and_targets_are_the_next_characters() -> None:
    from harness.topics.normalization.engine.batches import batches

    first, again, other = (list(islice(batches(_corpus(), 6, 5, seed, "cpu"), 3)) for seed in (1, 1, 2))
    for (inputs, targets), (same, _), (different, _) in zip(first, again, other, strict=True):
        assert tuple(inputs.shape) == tuple(targets.shape) == (5, 6)
        # In this text each character is followed by the next one of nine.
        assert (targets == inputs % 9 + 1).all()
        assert (inputs == same).all()
        assert (inputs != different).any()


def test_the_shortest_text_makes_batches() -> None:
    from harness.topics.normalization.engine.batches import batches

    data = Corpus(np.arange(1, 8, dtype=np.uint8), np.zeros((1, 6), np.uint8), np.zeros((1, 6), np.uint8), "abcdefg")
    inputs, targets = next(batches(data, 6, 2, 0, "cpu"))
    assert inputs.tolist() == [[1, 2, 3, 4, 5, 6]] * 2
    assert targets.tolist() == [[2, 3, 4, 5, 6, 7]] * 2


def test_the_loss_is_the_mean_over_all_characters() -> None:
    import torch

    from harness.topics.normalization.engine.batches import next_token_loss

    class Fixed(torch.nn.Module):
        def forward(self, _inputs: torch.Tensor) -> torch.Tensor:
            return scores

    scores = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = torch.tensor([[0, 1, 2], [3, 4, 0]])
    p = np.exp(scores.numpy()) / np.exp(scores.numpy()).sum(-1, keepdims=True)
    expected = -np.mean([np.log(p[i, j, targets[i, j]]) for i in range(2) for j in range(3)])
    assert next_token_loss(Fixed(), targets, targets).item() == pytest.approx(expected)
