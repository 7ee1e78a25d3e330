"""Contrastive alignment: encoders that put both modalities of an example at one place, alone and within a fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.fusion.engine.encoders import WIDTH, Encoded, encoder
from harness.topics.fusion.engine.fitting import Budget, batches, fit, labels_of, optimise, pieces, taken, tensors
from harness.topics.fusion.engine.networks import HIDDEN, Concatenation, Loss, Values
from harness.topics.fusion.examples import UNLABELLED, Divided, Examples

#: Columns of the space that both modalities are projected to.
SHARED = 32


def info_nce(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return how badly a batch tells its own pairs from all others: the symmetric InfoNCE loss.

    With the cosines c_ij of row i of the first and row j of the second, it is the mean of two cross-entropies: of the
    rows and of the columns of c / temperature, whose labels are the diagonal. Van den Oord et al. 2018 (arXiv
    1807.03748, equation 4) for one direction; Radford et al. 2021 (arXiv 2103.00020, figure 3) for both, with a
    temperature that is trained, while it is given here. A batch of which all cosines are equal has the loss log n.

    Parameters
    ----------
    first, second
        Vectors of any length, shape (n, columns); row i of both belongs to example i.
    """
    scores = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / temperature
    own = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


class Aligner(nn.Module):
    """Encoders of the first two modalities, each with a linear projection to the shared space."""

    def __init__(self, data: Divided) -> None:
        super().__init__()
        self.names = tuple(data.train.modalities)[:2]
        self.encoders = nn.ModuleDict({name: encoder(data.train.modalities[name]) for name in self.names})
        self.projections = nn.ModuleDict({name: nn.Linear(WIDTH, SHARED, bias=False) for name in self.names})

    def forward(self, name: str, values: torch.Tensor) -> torch.Tensor:
        """Project the mean of an encoded modality, shape (batch, SHARED)."""
        projected: torch.Tensor = self.projections[name](Encoded(*self.encoders[name](values)).mean())
        return projected


@dataclass(frozen=True)
class Alignment:
    """How much the alignment counts beside the loss of the scores, and its temperature."""

    weight: float = 0.3
    temperature: float = 0.1


class AlignedConcatenation(Concatenation):
    """Concatenation whose loss has a second term: InfoNCE of the first two modalities' means, linearly projected.

    The projections are used in training alone.
    """

    def __init__(
        self, data: Divided, size: int = HIDDEN, width: int = WIDTH, alignment: Alignment | None = None
    ) -> None:
        super().__init__(data, size, width)
        self.alignment = alignment or Alignment()
        self.pair = self.names[:2]
        # Drawn last, so that everything else starts as in concatenation of the same size.
        self.projections = nn.ModuleDict({name: nn.Linear(width, SHARED, bias=False) for name in self.pair})

    def loss(self, values: Values, present: Values, labels: torch.Tensor, loss: Loss) -> torch.Tensor:
        """Return the loss of the scores plus the weighted InfoNCE of the batch's own pairs."""
        encoded = self.encode(values, present)
        return loss(self.join(encoded), labels) + self.misalignment(encoded, present)

    def misalignment(self, encoded: Mapping[str, Encoded], present: Values) -> torch.Tensor:
        """Return the weight times the InfoNCE of the examples that have both modalities; 0 if there are none."""
        first, second = self.pair
        both = present[first] & present[second]
        if not self.alignment.weight or not both.any():
            return torch.zeros((), device=both.device)
        one, other = (self.projections[name](encoded[name].mean()[both]) for name in self.pair)
        return self.alignment.weight * info_nce(one, other, self.alignment.temperature)


def fit_pairs(
    aligner: Aligner,
    data: Divided,
    partner: npt.NDArray[np.intp],
    budget: Budget,
    temperature: float,
    seed: int,
    device: str = "cpu",
) -> Aligner:
    """Fit an aligner to training pairs and return it; labels are not used.

    Parameters
    ----------
    partner
        For each training example, the example whose second modality is its partner, shape (n,): itself for true pairs,
        another for a control.

    Raises
    ------
    DivergedError
        See `optimise`.
    """
    values, _ = tensors(data.train, device)
    first, second = aligner.names
    partners = torch.from_numpy(partner).to(device)

    def losses() -> Iterator[torch.Tensor]:
        for rows in batches(np.arange(len(partner)), budget.batch, np.random.default_rng(seed), device):
            one, other = aligner(first, values[first][rows]), aligner(second, values[second][partners[rows]])
            yield info_nce(one, other, temperature)

    optimise(aligner, losses(), budget, len(partner))
    return aligner


@torch.no_grad()
def embed(
    aligner: Aligner, examples: Examples, device: str = "cpu"
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the projections of both modalities, each of shape (n, SHARED)."""
    aligner.eval()
    batch = tensors(examples, device)
    first, second = (
        torch.cat([aligner(name, values[name]) for values, _ in pieces(batch)]).cpu().numpy() for name in aligner.names
    )
    return first, second


def fit_few(
    network: AlignedConcatenation, data: Divided, budget: Budget, seed: int, device: str = "cpu"
) -> AlignedConcatenation:
    """Fit a fusion to the labels that may be used and, beside them, to all pairs; return it.

    Each step minimises the cross-entropy of a batch of labelled examples plus the misalignment of a batch of all
    examples. The number of steps depends on the number of all, so that it is the same for every share of labels. Where
    all are labelled, both batches are one, as in every other fit.

    Parameters
    ----------
    data
        Training labels that may not be used are `UNLABELLED`.

    Raises
    ------
    DivergedError
        See `optimise`.
    """
    labelled = np.flatnonzero(data.train.labels != UNLABELLED)
    if len(labelled) == len(data.train):
        fit(network, data, budget, seed, device=device)
        return network
    batch, labels = tensors(data.train, device), labels_of(data.train, device)
    everyone = np.arange(len(labels))

    def losses() -> Iterator[torch.Tensor]:
        rng = np.random.default_rng(seed)
        drawn, paired = (batches(rows, budget.batch, rng, device) for rows in (labelled, everyone))
        for rows in drawn:
            loss = F.cross_entropy(network(*taken(batch, rows)), labels[rows])
            if network.alignment.weight:
                values, present = taken(batch, next(paired))
                loss = loss + network.misalignment(network.encode(values, present), present)
            yield loss

    optimise(network, losses(), budget, len(labels))
    return network
