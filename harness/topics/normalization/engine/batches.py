"""Batches of a corpus, and the loss of a language model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.normalization.corpus import Corpus


def batches(
    data: Corpus, context: int, size: int, seed: int, device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Draw batches of random pieces for ever: inputs and the next characters, int64, shape (size, context)."""
    rng = np.random.default_rng(seed)
    text = torch.from_numpy(np.array(data.train)).to(device)
    offsets = torch.arange(context + 1, device=device)
    while True:
        starts = torch.from_numpy(rng.integers(0, len(text) - context, size)).to(device)
        pieces = text[starts[:, None] + offsets].long()
        yield pieces[:, :-1], pieces[:, 1:]


def next_token_loss(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of the next characters, in nats."""
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
