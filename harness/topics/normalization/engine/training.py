"""Training, the same for every recipe, until it ends or diverges."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1: ``rate * min(1, step / warmup)``."""
        return self.rate * min(1.0, step / max(self.warmup, 1))


@dataclass(frozen=True, eq=False)
class Trained:
    """What training left.

    Attributes
    ----------
    losses
        Training loss of each step, in nats, up to the last finite one.
    diverged
        The step whose loss was not finite; ``None`` where all were. A gradient that is not finite shows in the loss of
        the next step.
    cpu_s
        CPU time from the start of training to the end of each of these steps, in seconds.
    """

    losses: list[float]
    diverged: int | None
    cpu_s: list[float] = field(default_factory=list)


Loss = Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor]


def train(
    model: nn.Module, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], loss: Loss, budget: Budget
) -> Trained:
    """Train a model on the first `budget.steps` batches.

    AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2) with betas (0.9, 0.98) and torch's decay of weights,
    which is multiplied by the rate.

    Parameters
    ----------
    loss
        ``loss(model, inputs, targets)``: a scalar.
    """
    optimiser = torch.optim.AdamW(model.parameters(), budget.rate, BETAS, weight_decay=WEIGHT_DECAY, fused=True)
    trained = Trained([], None)
    begin = time.process_time()
    model.train()
    for step, (inputs, targets) in enumerate(batches, start=1):
        for group in optimiser.param_groups:
            group["lr"] = budget.rate_at(step)
        optimiser.zero_grad(set_to_none=True)
        value = loss(model, inputs, targets)
        value.backward()
        number = value.item()
        if not math.isfinite(number):
            return Trained(trained.losses, step, trained.cpu_s)
        optimiser.step()
        trained.losses.append(number)
        trained.cpu_s.append(time.process_time() - begin)
        if step == budget.steps:
            break
    return trained
