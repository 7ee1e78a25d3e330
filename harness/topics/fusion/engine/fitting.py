"""Fitting and predicting, the same for every fusion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from harness.errors import DivergedError
from harness.topics._shared.deep import saved_for_backward
from harness.topics.fusion.engine.networks import Loss, Network
from harness.topics.fusion.examples import Divided, Examples

EVALUATED = 512

Batch = tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Budget:
    """What every fusion is fitted with: AdamW with a rate that falls to 0 along a cosine.

    Attributes
    ----------
    epochs
        Passes through the training examples.
    steps
        Steps at most: a fit to many examples ends before the passes do.
    """

    epochs: int = 8
    batch: int = 64
    rate: float = 5e-3
    steps: int = 500
    weight_decay: float = 0.01
    modality_dropout: float = 0.0


def tensors(examples: Examples, device: str = "cpu") -> Batch:
    """Return the values and the presence of all modalities as tensors."""
    values, present = {}, {}
    for name, modality in examples.modalities.items():
        array = modality.values.astype(np.int64) if modality.kind == "ids" else np.array(modality.values)
        values[name] = torch.from_numpy(array).to(device)
        present[name] = torch.from_numpy(np.array(modality.present)).to(device)
    return values, present


def fit(
    network: Network, data: Divided, budget: Budget, seed: int, *, loss: Loss = F.cross_entropy, device: str = "cpu"
) -> Network:
    """Fit a network to the training examples and return it.

    AdamW (Loshchilov & Hutter 2019). With `budget.modality_dropout`, each modality of an example is dropped with that
    probability, but never all (Neverova et al. 2015, arXiv 1501.00102, section 4: ModDrop).

    Raises
    ------
    DivergedError
        When the loss is no longer finite, with the step.
    """
    values, present = tensors(data.train, device)
    labels = torch.from_numpy(np.array(data.train.labels)).to(device)
    generator = np.random.default_rng(seed)
    steps = min(budget.epochs * math.ceil(len(labels) / budget.batch), budget.steps)
    optimiser = torch.optim.AdamW(network.parameters(), budget.rate, weight_decay=budget.weight_decay, fused=True)
    network.train()
    for step, rows in enumerate(islice(_batches(len(labels), budget, generator), steps)):
        optimiser.param_groups[0]["lr"] = budget.rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        index = torch.from_numpy(rows).to(device)
        here = {name: there[index] for name, there in present.items()}
        if budget.modality_dropout:
            here = _dropped(here, budget.modality_dropout, generator)
        optimiser.zero_grad(set_to_none=True)
        value = network.loss({name: all_[index] for name, all_ in values.items()}, here, labels[index], loss)
        if not math.isfinite(value.item()):
            raise DivergedError(step)
        value.backward()
        optimiser.step()
    return network


def _batches(n: int, budget: Budget, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    for _ in range(budget.epochs):
        order = rng.permutation(n)
        for start in range(0, n, budget.batch):
            yield order[start : start + budget.batch]


def _dropped(present: Mapping[str, torch.Tensor], share: float, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Drop modalities at random; an example that would lose all that it has keeps them."""
    there = torch.stack(list(present.values()))
    kept = there & torch.from_numpy(rng.random(there.shape) >= share).to(there.device)
    kept = torch.where(kept.any(dim=0), kept, there)
    return dict(zip(present, kept, strict=True))


def saved_bytes(network: Network, data: Divided, device: str = "cpu") -> int:
    """Count the bytes of activations that a batch of training examples keeps for its gradients."""
    batch = data.train.take(np.arange(min(Budget.batch, len(data.train))))
    values, present = tensors(batch, device)
    labels = torch.from_numpy(np.array(batch.labels)).to(device)
    network.train()
    with saved_for_backward(network) as saved:
        # The result is held, because what it keeps is counted by its address.
        _value = network.loss(values, present, labels, F.cross_entropy)
    return saved.bytes


@torch.no_grad()
def predict(network: Network, examples: Examples, device: str = "cpu") -> npt.NDArray[np.float64]:
    """Return the probabilities of the classes, shape (n, classes)."""
    network.eval()
    values, present = tensors(examples, device)
    parts = []
    for start in range(0, len(examples), EVALUATED):
        piece = slice(start, start + EVALUATED)
        scores = network(
            {name: all_[piece] for name, all_ in values.items()}, {name: all_[piece] for name, all_ in present.items()}
        )
        parts.append(F.softmax(scores.double(), dim=1).cpu().numpy())
    return np.concatenate(parts)
