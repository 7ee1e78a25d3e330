"""Fusions, losses and measures of topic fusion in plain numpy, written from the papers alone.

The project's code is held to these in `test_from_papers`. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
Labels: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"


def log_softmax(scores: Array) -> Array:
    """Logarithms of the probabilities of the last axis."""
    shifted = scores - scores.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def with_one(features: Array) -> Array:
    """Append the constant 1 to features of shape (n, d)."""
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


def tensor_fusion(features: Sequence[Array]) -> Array:
    """Zadeh et al. 2017 (arXiv 1707.07250), eq. 1 and 2: outer product of all ``[z; 1]``, flattened a row."""
    fused = with_one(features[0])
    for each in features[1:]:
        fused = np.einsum("ni,nj->nij", fused, with_one(each)).reshape(len(each), -1)
    return fused


def low_rank_fusion(features: Sequence[Array], factors: Sequence[Array]) -> Array:
    """Liu et al. 2018 (arXiv 1806.00064), sec. 3.2: the sum over ranks of the product over modalities.

    `factors` holds one array of shape (rank, d + 1, out) a modality, whose last row of inputs meets the constant 1.
    """
    ranks = [np.einsum("ni,rio->rno", with_one(each), factor) for each, factor in zip(features, factors, strict=True)]
    return np.asarray(np.prod(ranks, axis=0).sum(0))


def low_rank_weights(factors: Sequence[Array]) -> Array:
    """The full weights, shape (product of d + 1, out), that `low_rank_fusion` factorises (same, eq. 3)."""
    full = factors[0]
    for factor in factors[1:]:
        full = np.einsum("rio,rjo->rijo", full, factor).reshape(len(factor), -1, factor.shape[-1])
    return np.asarray(full.sum(0))


def gated_bimodal(first: Array, second: Array, weights: tuple[Array, Array], gate: Array) -> Array:
    """Arevalo et al. 2017 (arXiv 1702.01992), eq. 1 to 4: z * tanh(W1 x1) + (1 - z) * tanh(W2 x2).

    z is the logistic function of the gate's weights times both inputs side by side; no biases.
    """
    z = sigmoid(np.concatenate([first, second], axis=1) @ gate)
    return z * np.tanh(first @ weights[0]) + (1 - z) * np.tanh(second @ weights[1])


def gated_multimodal(features: Sequence[Array], weights: Sequence[Array], gates: Sequence[Array]) -> Array:
    """The same unit for any number of modalities (sec. 3.1): each has a gate of its own, which sees all inputs."""
    together = np.concatenate(features, axis=1)
    return np.asarray(
        sum(
            sigmoid(together @ gate) * np.tanh(each @ weight)
            for each, weight, gate in zip(features, weights, gates, strict=True)
        )
    )


def bottleneck_layer(
    tokens: Sequence[Array], bottleneck: Array, layers: Sequence[Callable[[Array], Array]]
) -> tuple[list[Array], Array]:
    """One fusion layer of Nagrani et al. 2021 (arXiv 2107.00135), eq. 8 and 9.

    Each modality's own layer reads its tokens and the same bottleneck tokens, arrays of shape (n, tokens, width);
    the new bottleneck tokens are averaged over modalities.
    """
    read = [layer(np.concatenate([each, bottleneck], axis=1)) for each, layer in zip(tokens, layers, strict=True)]
    kept = [out[:, : each.shape[1]] for out, each in zip(read, tokens, strict=True)]
    passed = [out[:, each.shape[1] :] for out, each in zip(read, tokens, strict=True)]
    return kept, np.mean(passed, axis=0)


def emap(scores: Array) -> Array:
    """Hessel & Lee 2020 (arXiv 2010.06572), sec. 3, of two modalities.

    ``scores[i, j]`` are the model's scores of the first modality of example i with the second of example j, shape
    (n, n, classes). The result, shape (n, classes), is the additive model nearest to them, at the pairs (i, i).
    """
    n = len(scores)
    projected: Array = scores.mean(1) + scores.mean(0) - scores.mean((0, 1))
    assert projected.shape == (n, scores.shape[2])
    return projected


def additive_fit(scores: Array) -> Array:
    """Least-squares fit of ``f[i] + g[j]`` to `scores`, at (i, i): what `emap` has in closed form."""
    n, classes = len(scores), scores.shape[2]
    design = np.zeros((n, n, 2 * n))
    for i, j in product(range(n), range(n)):
        design[i, j, i] = design[i, j, n + j] = 1.0
    found, *_ = np.linalg.lstsq(design.reshape(n * n, -1), scores.reshape(n * n, classes), rcond=None)
    fitted: Array = found[:n] + found[n:]
    return fitted


def info_nce(first: Array, second: Array, temperature: float) -> float:
    """Symmetric contrastive loss (Radford et al. 2021, arXiv 2103.00020, fig. 3; van den Oord et al. 2018, eq. 4).

    Rows are pairs; similarities are cosines over the temperature, and the losses of both directions are averaged.
    """
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second)]
    similar = unit[0] @ unit[1].T / temperature
    forth, back = (-np.diag(log_softmax(each)).mean() for each in (similar, similar.T))
    return float((forth + back) / 2)


def cross_entropy(scores: Array, labels: Labels) -> Array:
    """Loss of each row."""
    return -np.asarray(log_softmax(scores)[np.arange(len(labels)), labels])


def focal(scores: Array, labels: Labels, gamma: float) -> Array:
    """Lin et al. 2017 (arXiv 1708.02002), eq. 4, of each row: ``-(1 - p)^gamma log p`` of the true class."""
    loss = cross_entropy(scores, labels)
    return (1 - np.exp(-loss)) ** gamma * loss


def smoothed(scores: Array, labels: Labels, epsilon: float) -> Array:
    """Szegedy et al. 2016 (arXiv 1512.00567), sec. 7, of each row: `epsilon` of the target is spread evenly."""
    return np.asarray((1 - epsilon) * cross_entropy(scores, labels) - epsilon * log_softmax(scores).mean(1))


def balanced_weights(labels: Labels, classes: int) -> Array:
    """Weights inverse to the classes' frequencies, whose mean over rows is 1 (King & Zeng 2001)."""
    return len(labels) / (classes * np.bincount(labels, minlength=classes))


def dropped(probability: float, modalities: int) -> dict[tuple[bool, ...], float]:
    """Chance of each set of kept modalities where each is dropped independently (Neverova et al. 2015, sec. 4.3)."""
    return {
        kept: float(np.prod([1 - probability if one else probability for one in kept]))
        for kept in product([True, False], repeat=modalities)
    }


def product_of(probabilities: Sequence[Array], priors: Array | float = 1.0) -> Array:
    """Product rule (Kittler et al. 1998): probabilities multiplied, the prior of a class counted once, normalised."""
    logs = np.sum([np.log(each) for each in probabilities], axis=0) - (len(probabilities) - 1) * np.log(priors)
    return np.exp(log_softmax(logs))


def area_under(rates: Sequence[float], values: Sequence[float]) -> float:
    """Mean height of the curve through the points, by trapezoids: its area over the range of the rates."""
    x, y = np.asarray(rates), np.asarray(values)
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum() / (x[-1] - x[0]))


def recall_at(similar: Array, k: int) -> float:
    """Share of rows whose partner, the column of the same number, is among their k most similar."""
    best = np.argsort(-similar, axis=1)[:, :k]
    return float((best == np.arange(len(similar))[:, None]).any(1).mean())
