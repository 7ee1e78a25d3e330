"""Encoders: each modality as a sequence of vectors, and as one. All fusions have the same.

- ids: an embedding of each, plus one of its position
- pixels: the mean of each 2 by 2, then three convolutions with stride 2, each with a group norm of one group (Wu & He
  2018, arXiv 1803.08494); the 4 places of the last are the sequence
- numbers: a token for each column, the feature tokenizer of Gorishniy et al. 2021 (arXiv 2106.11959)
- set: two linear layers for each member
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.fusion.examples import Modality

WIDTH = 64
#: Standard deviation of the first vectors of ids.
SPREAD = 0.1


class Encoded(NamedTuple):
    """A modality of a batch: vectors, shape (batch, tokens, width), and which of them are there, (batch, tokens)."""

    tokens: torch.Tensor
    mask: torch.Tensor

    def mean(self) -> torch.Tensor:
        """Average the vectors that are there, shape (batch, width); 0 where there are none."""
        weight = self.mask[..., None].to(self.tokens.dtype)
        total: torch.Tensor = (self.tokens * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        return total


class IdEncoder(nn.Module):
    """Ids in order: an embedding of each, plus one of its position."""

    def __init__(self, size: int, length: int, width: int = WIDTH) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, width, padding_idx=0)
        # Ids that training examples lack keep their first vectors, which therefore must be small.
        nn.init.normal_(self.embedding.weight, std=SPREAD)
        self.position = nn.Parameter(torch.zeros(length, width))

    def forward(self, values: torch.Tensor) -> Encoded:
        """Encode ids, int64, shape (batch, length)."""
        return Encoded(self.embedding(values) + self.position, values != 0)


class PixelEncoder(nn.Module):
    """Images of 32 by 32 pixels, or other sizes of at least 16, halved first."""

    def __init__(self, channels: int, width: int = WIDTH) -> None:
        super().__init__()
        sizes = (channels, width // 4, width // 2, width)
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in pairwise(sizes)
        )

    def forward(self, values: torch.Tensor) -> Encoded:
        """Encode pixels between 0 and 255, shape (batch, height, width, channels)."""
        x = F.avg_pool2d(1 - values.permute(0, 3, 1, 2).float() / 255, 2)
        for layer in self.layers:
            x = F.gelu(F.group_norm(layer(x), 1))
        tokens = x.flatten(2).transpose(1, 2)
        return Encoded(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device))


class NumberEncoder(nn.Module):
    """Columns of numbers: each is a token, its value times a learned vector plus another one."""

    def __init__(self, columns: int, width: int = WIDTH) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(columns, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(columns, width))
        self.mix = nn.Linear(width, width)

    def forward(self, values: torch.Tensor) -> Encoded:
        """Encode numbers, float32, shape (batch, columns)."""
        x = F.gelu(values[..., None] * self.weight + self.bias)
        tokens = x + F.gelu(self.mix(x))
        return Encoded(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device))


class SetEncoder(nn.Module):
    """Vectors without an order."""

    def __init__(self, columns: int, width: int = WIDTH) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(columns, width), nn.Linear(width, width)

    def forward(self, values: torch.Tensor) -> Encoded:
        """Encode vectors, float32, shape (batch, members, columns)."""
        tokens = self.outer(F.gelu(self.inner(values)))
        return Encoded(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device))


def encoder(modality: Modality, width: int = WIDTH) -> nn.Module:
    """Return the encoder of a modality's kind."""
    if modality.kind == "ids":
        return IdEncoder(modality.size, modality.values.shape[1], width)
    made = {"pixels": PixelEncoder, "numbers": NumberEncoder, "set": SetEncoder}[modality.kind]
    return made(modality.size, width)
