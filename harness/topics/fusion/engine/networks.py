"""Fusions: networks that make class scores of several encoded modalities."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.fusion.engine.encoders import WIDTH, Encoded, encoder
from harness.topics.fusion.examples import Divided

HIDDEN = 128


class Network(nn.Module):
    """Encoders of all modalities and what joins them; a subclass defines `join`.

    An example without a modality has no tokens of it: its mask is False everywhere, and its mean is 0.
    """

    def __init__(self, data: Divided, width: int = WIDTH) -> None:
        super().__init__()
        self.names = tuple(data.train.modalities)
        self.width, self.classes = width, data.classes
        self.encoders = nn.ModuleDict({name: encoder(data.train.modalities[name], width) for name in self.names})

    def forward(self, values: Mapping[str, torch.Tensor], present: Mapping[str, torch.Tensor]) -> torch.Tensor:
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
        encoded = {}
        for name in self.names:
            tokens, mask = self.encoders[name](values[name])
            encoded[name] = Encoded(tokens, mask & present[name][:, None])
        return self.join(encoded)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the encoded modalities."""
        raise NotImplementedError


class Head(nn.Module):
    """Two linear layers from a vector to scores."""

    def __init__(self, inputs: int, classes: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(inputs, hidden), nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Score vectors, shape (batch, inputs)."""
        scores: torch.Tensor = self.outer(F.gelu(self.inner(x)))
        return scores


class Concatenation(Network):
    """The means of all modalities side by side, and a head."""

    def __init__(self, data: Divided, width: int = WIDTH) -> None:
        super().__init__(data, width)
        self.head = Head(len(self.names) * width, data.classes)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means."""
        scores: torch.Tensor = self.head(torch.cat([encoded[name].mean() for name in self.names], dim=1))
        return scores
