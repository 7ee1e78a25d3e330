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
from torch import nn

from harness.errors import DivergedError
from harness.topics._shared.deep import saved_for_backward
from harness.topics.fusion.engine.networks import Loss, Network
from harness.topics.fusion.examples import Divided, Examples

#: Examples that are predicted at once.
EVALUATED = 512
#: Share of the steps in which the learning rate rises.
WARMUP = 0.1
#: Values and presence of all modalities, by name.
Batch = tuple[Mapping[str, torch.Tensor], Mapping[str, torch.Tensor]]


@dataclass(frozen=True)
class Budget:
    """What every fusion is fitted with: AdamW with a warm-up, and then a rate that falls to 0 along a cosine.

    Without the warm-up, bottleneck tokens learn exclusive or in one block of three.

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

    def steps_for(self, examples: int) -> int:
        """Return the number of steps of a fit to so many examples."""
        return min(self.epochs * math.ceil(examples / self.batch), self.steps)

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step, counted from 0: half a cosine, whose first tenth rises from 0."""
        return self.rate * min(1.0, (step + 1) / (WARMUP * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))


def tensors(examples: Examples, device: str = "cpu") -> Batch:
    """Return the values and the presence of all modalities as tensors."""
    values, present = {}, {}
    for name, modality in examples.modalities.items():
        array = modality.values.astype(np.int64) if modality.kind == "ids" else np.array(modality.values)
        values[name] = torch.from_numpy(array).to(device)
        present[name] = torch.from_numpy(np.array(modality.present)).to(device)
    return values, present


def labels_of(examples: Examples, device: str = "cpu") -> torch.Tensor:
    """Return the classes of examples as a tensor."""
    return torch.from_numpy(np.array(examples.labels)).to(device)


def taken(batch: Batch, rows: torch.Tensor | slice) -> Batch:
    """Take the given examples of a batch."""
    values, present = ({name: all_[rows] for name, all_ in part.items()} for part in batch)
    return values, present


def pieces(batch: Batch) -> Iterator[Batch]:
    """Go through a batch in order, in pieces that are small enough to be predicted at once."""
    _, present = batch
    for start in range(0, len(next(iter(present.values()))), EVALUATED):
        yield taken(batch, slice(start, start + EVALUATED))


def batches(
    rows: npt.NDArray[np.intp], size: int, rng: np.random.Generator, device: str = "cpu"
) -> Iterator[torch.Tensor]:
    """Go through rows in random order without an end, in batches; the last one of each pass may be smaller."""
    while True:
        yield from torch.from_numpy(rng.permutation(rows)).to(device).split(size)


def optimise(model: nn.Module, losses: Iterator[torch.Tensor], budget: Budget, examples: int) -> None:
    """Take as many steps of AdamW (Loshchilov & Hutter 2019) as so many examples get, each by the next loss.

    Raises
    ------
    DivergedError
        When a loss is not finite, with the step.
    """
    optimiser = torch.optim.AdamW(model.parameters(), budget.rate, weight_decay=budget.weight_decay, fused=True)
    steps = budget.steps_for(examples)
    model.train()
    for step, value in enumerate(islice(losses, steps)):
        optimiser.param_groups[0]["lr"] = budget.rate_at(step, steps)
        if not math.isfinite(value.item()):
            raise DivergedError(step)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()


def fit(
    network: Network, data: Divided, budget: Budget, seed: int, *, loss: Loss = F.cross_entropy, device: str = "cpu"
) -> Network:
    """Fit a network to the training examples and return it.

    With `budget.modality_dropout`, each modality of an example is dropped with that probability, but never all
    (Neverova et al. 2015, arXiv 1501.00102, section 4: ModDrop).

    Raises
    ------
    DivergedError
        See `optimise`.
    """
    batch, labels = tensors(data.train, device), labels_of(data.train, device)

    def losses() -> Iterator[torch.Tensor]:
        rng = np.random.default_rng(seed)
        for rows in batches(np.arange(len(labels)), budget.batch, rng, device):
            values, present = taken(batch, rows)
            if budget.modality_dropout:
                present = _dropped(present, budget.modality_dropout, rng)
            yield network.loss(values, present, labels[rows], loss)

    optimise(network, losses(), budget, len(labels))
    return network


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
    network.train()
    with saved_for_backward(network) as saved:
        # The result is held, because what it keeps is counted by its address.
        _value = network.loss(values, present, labels_of(batch, device), F.cross_entropy)
    return saved.bytes


@torch.no_grad()
def predict(network: Network, examples: Examples, device: str = "cpu") -> npt.NDArray[np.float64]:
    """Return the probabilities of the classes, shape (n, classes)."""
    network.eval()
    parts = [F.softmax(network(*piece).double(), dim=1).cpu().numpy() for piece in pieces(tensors(examples, device))]
    return np.concatenate(parts)
