"""Networks that score examples of several modalities: what they have in common, and the simplest of them.

Notation of all docstrings: there are M modalities; x_m is the mean of the encoded modality m, a vector of `width`
numbers, 0 where the example lacks it; `size` is the number by which parameters are matched, see `matched`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from harness.topics._shared.deep import parameter_count
from harness.topics.fusion.engine.encoders import WIDTH, Encoded, encoder
from harness.topics.fusion.examples import UNLABELLED, Divided, Modality, only

#: Hidden units of the head of `Concatenation`, whose parameters all others match.
HIDDEN = 256

Values: TypeAlias = Mapping[str, torch.Tensor]
Loss: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Network(nn.Module):
    """What is fitted and predicts: a subclass defines `forward`.

    Parameters
    ----------
    data
        The modalities, their shapes and the number of classes are those of its training examples.
    size
        Width of what joins the modalities, in a unit that each network chooses.
    """

    def __init__(self, data: Divided, size: int) -> None:
        super().__init__()
        self.names = tuple(data.train.modalities)
        self.size = size

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch.

        Parameters
        ----------
        values
            By the name of a modality, its values.
        present
            By the name of a modality, False where an example lacks it, shape (batch,).

        Returns
        -------
        torch.Tensor
            Logarithms of probabilities up to a constant, shape (batch, classes).
        """
        raise NotImplementedError

    def loss(self, values: Values, present: Values, labels: torch.Tensor, loss: Loss) -> torch.Tensor:
        """Return what training minimises, a number: by default the loss of the scores."""
        return loss(self(values, present), labels)


class Fusion(Network):
    """Encoders of all modalities, and what joins them: a subclass defines `join`.

    An example without a modality has no tokens of it: its mask is False everywhere, and its mean is 0.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size)
        self.width = width
        self.encoders = nn.ModuleDict({name: encoder(data.train.modalities[name], width) for name in self.names})

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch; see `Network.forward`."""
        return self.join(self.encode(values, present))

    def encode(self, values: Values, present: Values) -> dict[str, Encoded]:
        """Encode all modalities of a batch."""
        encoded = {}
        for name in self.names:
            tokens, mask = self.encoders[name](values[name])
            encoded[name] = Encoded(tokens, mask & present[name][:, None])
        return encoded

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the encoded modalities, shape (batch, classes)."""
        raise NotImplementedError


class Head(nn.Module):
    """Two linear layers from a vector to scores: B gelu(A x + a) + b."""

    def __init__(self, inputs: int, classes: int, hidden: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(inputs, hidden), nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Score vectors, shape (batch, inputs)."""
        scores: torch.Tensor = self.outer(F.gelu(self.inner(x)))
        return scores


class Concatenation(Fusion):
    """The means of all modalities side by side, and a head of `size` hidden units: head([x_1, ..., x_M])."""

    def __init__(self, data: Divided, size: int = HIDDEN, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        self.head = Head(len(self.names) * width, data.classes, size)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means."""
        scores: torch.Tensor = self.head(torch.cat([encoded[name].mean() for name in self.names], dim=1))
        return scores


class Early(Network):
    """Two layers on the raw values of all modalities side by side, without encoders; `size` hidden units.

    Raw values of ids are how often each occurs, of pixels their brightness from -1/2 to 1/2, of others the numbers
    themselves; those of a modality that an example lacks are 0.
    """

    def __init__(self, data: Divided, size: int) -> None:
        super().__init__(data, size)
        self.first = nn.ModuleDict({name: _raw_layer(data.train.modalities[name], size) for name in self.names})
        self.bias, self.outer = nn.Parameter(torch.zeros(size)), nn.Linear(size, data.classes)

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch; see `Network.forward`."""
        total = self.bias
        for name in self.names:
            total = total + self.first[name](_flat(values[name])) * present[name][:, None]
        scores: torch.Tensor = self.outer(F.gelu(total))
        return scores


def _raw_layer(modality: Modality, size: int) -> nn.Module:
    if modality.kind != "ids":
        return nn.Linear(modality.values[0].size, size, bias=False)
    counts = nn.EmbeddingBag(modality.size, size, mode="sum", padding_idx=0)
    nn.init.normal_(counts.weight, std=size**-0.5)
    return counts


def _flat(values: torch.Tensor) -> torch.Tensor:
    if values.dtype == torch.int64:
        return values
    flat = values.flatten(1)
    return flat.float() / 255 - 0.5 if flat.dtype == torch.uint8 else flat


class Late(Network):
    """A network for each modality, which none of the others influences; their probabilities are averaged.

    p(c) is the mean of p_m(c) over the modalities m that an example has: the sum rule of Kittler et al. 1998, "On
    combining classifiers", with equal prior probabilities of the classes. Nothing is trained jointly: the loss is the
    sum of the members' losses, and as they share no parameter, each is trained as if it were alone. `size` is the
    number of hidden units of each head.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size)
        self.members = nn.ModuleDict({name: Concatenation(only(data, name), size, width) for name in self.names})

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch; see `Network.forward`."""
        there = torch.stack([present[name] for name in self.names])
        logs = torch.stack([F.log_softmax(self.members[name](values, present), dim=1) for name in self.names])
        return self.combine(logs, there)

    def combine(self, logs: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Combine the members' log-probabilities.

        Parameters
        ----------
        logs
            Shape (modalities, batch, classes).
        there
            Which modalities the examples have, shape (modalities, batch). With `Late`, an example that has none gets
            equal probabilities.
        """
        return (logs.exp() * there[..., None]).sum(dim=0).clamp(min=torch.finfo(logs.dtype).tiny).log()

    def loss(self, values: Values, present: Values, labels: torch.Tensor, loss: Loss) -> torch.Tensor:
        """Add up the members' losses, each over the examples that have its modality."""
        total = torch.zeros((), device=labels.device)
        for name in self.names:
            here = present[name]
            if here.any():
                total = total + loss(self.members[name](values, present)[here], labels[here])
        return total


class LateProduct(Late):
    """Like `Late`, but the members' probabilities are multiplied: the product rule of Kittler et al. 1998.

    Where the modalities are independent of each other given the class c, Bayes' rule gives
    p(c | x_1, ..., x_M) proportional to P(c)^(1 - M) p_1(c) ... p_M(c). Each member's probabilities contain the prior
    probability P(c), which must count once. P(c) is the rate of the class among the labelled training examples, with
    one added to each count (Laplace's rule of succession). Only the modalities that an example has are multiplied, so
    that an example that has none gets P(c).
    """

    log_priors: torch.Tensor

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        labels = data.train.labels
        counts = np.bincount(labels[labels != UNLABELLED], minlength=data.classes) + 1
        self.register_buffer("log_priors", torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32)))

    def combine(self, logs: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Combine the members' log-probabilities; see `Late.combine`."""
        return (logs * there[..., None]).sum(dim=0) + (1 - there.sum(dim=0))[:, None] * self.log_priors


def matched(kind: type[Network], data: Divided) -> int:
    """Return the size with which a network has nearest to as many parameters as `Concatenation`.

    All networks' parameters grow with their size. None are allocated here.
    """

    def parameters(size: int) -> int:
        with torch.device("meta"):
            return parameter_count(kind(data, size))

    target = parameters_of_concatenation(data)
    above = 1
    while parameters(above) < target:
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        above, below = (middle, below) if parameters(middle) >= target else (above, middle)
    return min((size for size in (below, above) if size), key=lambda size: abs(parameters(size) - target))


def parameters_of_concatenation(data: Divided) -> int:
    """Return the number of parameters that all networks match."""
    with torch.device("meta"):
        return parameter_count(Concatenation(data))
