"""Norms, placements, initial weights and the optimiser in plain numpy, written from the papers alone.

The project's code is held to these in `test_from_papers`. Everything is float64; the last axis is the width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from scipy.special import erf

Array: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
Function: TypeAlias = Callable[[Array], Array]

GAIN_ONE, NO_BIAS = 1.0, 0.0


def layer_norm(x: Array, gain: Array | float = GAIN_ONE, bias: Array | float = NO_BIAS, eps: float = 1e-5) -> Array:
    """Ba, Kiros & Hinton 2016, eq. 3; the variance is divided by the width, `eps` stands under the root."""
    centred = x - x.mean(-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * gain + bias)


def rms_norm(x: Array, gain: Array | float = GAIN_ONE, eps: float = 1e-5) -> Array:
    """Zhang & Sennrich 2019, eq. 4: no mean is subtracted and no bias is added."""
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * gain)


@dataclass
class BatchNorm:
    """Ioffe & Szegedy 2015, algorithms 1 and 2, over all axes but the last.

    A batch is divided by the root of its biased variance (algorithm 1); the population's variance that evaluation
    uses is unbiased, ``m / (m - 1)`` of a batch's (algorithm 2, step 10), averaged with weight `momentum` a batch.
    """

    width: int
    momentum: float = 0.1
    eps: float = 1e-5
    mean: Array = field(init=False)
    variance: Array = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.variance = np.zeros(self.width), np.ones(self.width)

    def train(self, x: Array) -> Array:
        """Normalise a batch by its own statistics and average them into the population's."""
        rows = x.reshape(-1, self.width)
        mean, variance = rows.mean(0), rows.var(0)
        self.mean += self.momentum * (mean - self.mean)
        self.variance += self.momentum * (variance * len(rows) / (len(rows) - 1) - self.variance)
        return np.asarray((x - mean) / np.sqrt(variance + self.eps))

    def evaluate(self, x: Array) -> Array:
        """Normalise by the population's statistics."""
        return (x - self.mean) / np.sqrt(self.variance + self.eps)


def dyt(x: Array, alpha: float, gain: Array | float = GAIN_ONE, bias: Array | float = NO_BIAS) -> Array:
    """Zhu et al. 2025 (arXiv 2503.10622), eq. 2 and algorithm 1; `alpha` starts at 0.5 outside of large models."""
    return gain * np.tanh(alpha * x) + bias


def derf(x: Array, alpha: float, shift: float, gain: Array | float = GAIN_ONE, bias: Array | float = NO_BIAS) -> Array:
    """Chen et al. 2025 (arXiv 2512.10938), eq. 10; `alpha` starts at 0.5 and `shift` at 0."""
    return np.asarray(gain * erf(alpha * x + shift) + bias)


def post(x: Array, sublayer: Function, norm: Function) -> Array:
    """Vaswani et al. 2017, sec. 3.1."""
    return norm(x + sublayer(x))


def pre(x: Array, sublayer: Function, norm: Function) -> Array:
    """Xiong et al. 2020 (arXiv 2002.04745), table 1."""
    return x + sublayer(norm(x))


def peri(x: Array, sublayer: Function, norm: Function, outer: Function) -> Array:
    """Kim et al. 2025 (arXiv 2502.02732), eq. 3: `outer` normalises what the sublayer returns."""
    return x + outer(sublayer(norm(x)))


def deepnorm(x: Array, sublayer: Function, norm: Function, layers: int) -> Array:
    """Wang et al. 2022 (arXiv 2203.00555), fig. 2, a decoder of `layers` blocks."""
    return norm((2 * layers) ** 0.25 * x + sublayer(x))


def deepnorm_gain(layers: int) -> float:
    """Factor of the initial v, output and feed-forward weights of a decoder of `layers` blocks (same, fig. 2)."""
    return float((8 * layers) ** -0.25)


def keel(x: Array, sublayer: Function, inner: Function, outer: Function, layers: int, index: int) -> Array:
    """Chen & Wei 2026 (arXiv 2601.19895), eq. 8 and sec. 3.1.

    The stream's weight is the number of sublayers, two a block. The first attention (`index` 0) has neither weight
    nor outer norm, the first feed-forward (`index` 1) has the outer norm only.
    """
    if index == 0:
        return x + sublayer(inner(x))
    weight = 1.0 if index == 1 else 2.0 * layers
    return outer(weight * x + sublayer(inner(x)))


def rezero(x: Array, sublayer: Function, weight: float) -> Array:
    """Bachlechner et al. 2020 (arXiv 2003.04887), eq. 1; `weight` starts at 0."""
    return x + weight * sublayer(x)


def softmax(scores: Array) -> Array:
    """Probabilities of the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def attention(
    query: Array, key: Array, value: Array, *, causal: bool, norm: tuple[Function, Function] | None = None
) -> Array:
    """Scaled dot-product attention of one head (Vaswani et al. 2017, eq. 1), arrays of shape (..., length, width).

    `norm` normalises queries and keys first (Dehghani et al. 2023; Wortsman et al. 2023, sec. 3.1.1).
    """
    if norm is not None:
        query, key = norm[0](query), norm[1](key)
    scores = query @ np.swapaxes(key, -1, -2) / math.sqrt(query.shape[-1])
    if causal:
        ahead = np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)
        scores = np.where(ahead, -np.inf, scores)
    return softmax(scores) @ value


def multi_head(
    query: Array,
    key: Array,
    value: Array,
    heads: int,
    *,
    causal: bool,
    norm: tuple[Function, Function] | None = None,
) -> Array:
    """Heads side by side (Vaswani et al. 2017, sec. 3.2.2): split the width, attend, concatenate."""
    split = zip(*(np.split(part, heads, axis=-1) for part in (query, key, value)), strict=True)
    return np.concatenate([attention(q, k, v, causal=causal, norm=norm) for q, k, v in split], axis=-1)


def gelu(x: Array) -> Array:
    """Hendrycks & Gimpel 2016: x times the normal distribution function of x."""
    return np.asarray(0.5 * x * (1.0 + erf(x / math.sqrt(2.0))))


def sensitivity(losses: Sequence[float], initial: float) -> float:
    """Sensitivity to the learning rate (Wortsman et al. 2023, arXiv 2309.14322, sec. 2.2).

    Mean over the rates of ``min(loss, initial)`` less the best loss; a diverged run has loss infinity or NaN.
    """
    capped = [initial if math.isnan(loss) else min(loss, initial) for loss in losses]
    return float(np.mean(capped) - min(loss for loss in losses if not math.isnan(loss)))


def warm(step: int, warmup: int, rate: float) -> float:
    """Learning rate of step 1, 2, ... (Xiong et al. 2020, eq. 1), constant after `warmup` steps."""
    return rate * min(1.0, step / warmup) if warmup else rate


@dataclass
class AdamW:
    """Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2, whose weight decay is scaled by the learning rate."""

    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-8
    decay: float = 0.01
    count: int = 0
    first: Array = field(default_factory=lambda: np.zeros(()))
    second: Array = field(default_factory=lambda: np.zeros(()))

    def step(self, weights: Array, gradient: Array, rate: float) -> Array:
        """New weights."""
        self.count += 1
        one, two = self.betas
        self.first = one * self.first + (1 - one) * gradient
        self.second = two * self.second + (1 - two) * gradient**2
        mean = self.first / (1 - one**self.count)
        square = self.second / (1 - two**self.count)
        return weights - rate * self.decay * weights - rate * mean / (np.sqrt(square) + self.eps)
