"""Batches of sentences, the loss of a classifier, and its predictions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from harness.topics._shared.deep import saved_for_backward
from harness.topics.normalization.sentences import PADDING, Ids, Labels

#: Sentences that are predicted at once in evaluation.
EVALUATED = 256


def batches(
    sentences: Ids, labels: Labels, size: int, seed: int, device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Go through the sentences for ever, in a new random order each time.

    Yields
    ------
    tuple of torch.Tensor
        Words, int64, shape (size, length of the longest sentence), and classes, int64, shape (size,).
    """
    rng = np.random.default_rng(seed)
    rows = np.zeros(0, np.intp)
    while True:
        while len(rows) < size:
            rows = np.concatenate([rows, rng.permutation(len(sentences))])
        taken, rows = rows[:size], rows[size:]
        yield _tensor(sentences[taken], device), torch.from_numpy(labels[taken]).to(device)


def _tensor(sentences: Ids, device: str) -> torch.Tensor:
    """Cut what is padding in all sentences."""
    longest = int((sentences != PADDING).sum(axis=1).max())
    return torch.from_numpy(sentences[:, :longest].astype(np.int64)).to(device)


def class_loss(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of the classes, in nats."""
    return F.cross_entropy(model(inputs), targets)


@torch.no_grad()
def predict(
    model: nn.Module, sentences: Ids, device: str, *, size: int = EVALUATED, training: bool = False
) -> npt.NDArray[np.float64]:
    """Return the probabilities of the classes, shape (n, classes).

    Parameters
    ----------
    size
        Sentences in a batch.
    training
        Whether the model is in training mode, where batch norm uses the mean and variance of each batch; its running
        averages then change.
    """
    model.train(training)
    # Sentences of like length together have little padding; batches in training mode are as mixed as in training.
    order = np.arange(len(sentences)) if training else np.argsort((sentences != PADDING).sum(axis=1), kind="stable")
    parts = [
        F.softmax(model(_tensor(sentences[order[start : start + size]], device)).double(), dim=1).cpu().numpy()
        for start in range(0, len(order), size)
    ]
    probabilities = np.concatenate(parts)
    probabilities[order] = probabilities.copy()
    return probabilities


def saved_bytes(model: nn.Module, sentences: Ids, labels: Labels, device: str) -> int:
    """Count the bytes of the activations that a training step on these sentences saves for its gradients."""
    model.train()
    inputs, targets = next(batches(sentences, labels, len(sentences), 0, device))
    with saved_for_backward(model) as saved:
        class_loss(model, inputs, targets)
    return saved.bytes
