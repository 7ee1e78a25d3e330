"""Training, the same for every recipe, until it ends or diverges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Budget:
    """What every recipe trains with: AdamW with a linear warm-up, then a constant rate; gradients are not clipped."""

    steps: int
    rate: float
    warmup: int = 0


@dataclass(frozen=True, eq=False)
class Trained:
    """What training left.

    Attributes
    ----------
    losses
        Training loss of each step, in nats, up to the last finite one.
    diverged
        The step whose loss or gradient was not finite; ``None`` where all were.
    """

    losses: list[float]
    diverged: int | None


Loss = Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor]


def train(
    model: nn.Module, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], loss: Loss, budget: Budget
) -> Trained:
    """Train a model on the first `budget.steps` batches.

    AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) with betas (0.9, 0.98). In step t, counted from 1, the rate is
    ``budget.rate * min(1, t / budget.warmup)``.
    """
    optimiser = torch.optim.AdamW(model.parameters(), budget.rate, BETAS, weight_decay=WEIGHT_DECAY, fused=True)
    losses: list[float] = []
    model.train()
    for step, (inputs, targets) in enumerate(batches, start=1):
        for group in optimiser.param_groups:
            group["lr"] = budget.rate * min(1.0, step / max(budget.warmup, 1))
        optimiser.zero_grad(set_to_none=True)
        value = loss(model, inputs, targets)
        value.backward()
        number = value.item()
        if not math.isfinite(number):
            return Trained(losses, step)
        losses.append(number)
        optimiser.step()
        if step == budget.steps:
            break
    return Trained(losses, None)
