"""The Transformer in plain numpy and float64, written from the papers: loops over heads and tokens, no batches.

Arrays have the shape (tokens, width). Weights are read from a model by their names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
EPS = 1e-5
_erf = np.vectorize(math.erf, otypes=[float])


def layer_norm(x: Array, weight: Array, bias: Array) -> Array:
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    normal: Array = (x - mean) / np.sqrt(variance + EPS) * weight + bias
    return normal


def rms_norm(x: Array, weight: Array) -> Array:
    normal: Array = x / np.sqrt((x**2).mean(-1, keepdims=True) + EPS) * weight
    return normal


def batch_norm(x: Array, weight: Array, bias: Array) -> Array:
    normal: Array = (x - x.mean(0)) / np.sqrt(x.var(0) + EPS) * weight + bias
    return normal


def dyt(x: Array, slope: Array, weight: Array, bias: Array) -> Array:
    squashed: Array = np.tanh(slope * x) * weight + bias
    return squashed


def derf(x: Array, slope: Array, shift: Array, weight: Array, bias: Array) -> Array:
    squashed: Array = _erf(slope * x + shift) * weight + bias
    return squashed


#: Each norm, and the names of its parameters in the order of its arguments.
NORMS: Mapping[str, tuple[Callable[..., Array], tuple[str, ...]]] = {
    "layer": (layer_norm, ("weight", "bias")),
    "rms": (rms_norm, ("weight",)),
    "batch": (batch_norm, ("weight", "bias")),
    "dyt": (dyt, ("slope", "weight", "bias")),
    "derf": (derf, ("slope", "shift", "weight", "bias")),
}


def gelu(x: Array) -> Array:
    value: Array = x * (1 + _erf(x / math.sqrt(2))) / 2
    return value


class Plain:
    """Computes the scores of one sequence with the weights of a model."""

    def __init__(self, model: Any, norm: str, heads: int) -> None:
        self.weights = {name: value.detach().numpy() for name, value in model.state_dict().items()}
        self.norm_name, self.heads = norm, heads

    def __getitem__(self, name: str) -> Array:
        value: Array = self.weights[name]
        return value

    def linear(self, name: str, x: Array) -> Array:
        return x @ self[f"{name}.weight"].T + self[f"{name}.bias"]

    def norm(self, name: str, x: Array) -> Array:
        function, parameters = NORMS[self.norm_name]
        return function(x, *(self[f"{name}.{parameter}"] for parameter in parameters))

    def attention(self, name: str, x: Array, *, qk_norm: bool = False) -> Array:
        """Vaswani et al. 2017, section 3.2, where a token sees itself and those before it."""
        parts = [np.split(self.linear(f"{name}.{of}", x), self.heads, axis=1) for of in ("query", "key", "value")]
        heads = []
        for query, key, value in zip(*parts, strict=True):
            q, k = query, key
            if qk_norm:
                q = layer_norm(query, self[f"{name}.query_norm.weight"], self[f"{name}.query_norm.bias"])
                k = layer_norm(key, self[f"{name}.key_norm.weight"], self[f"{name}.key_norm.bias"])
            rows = []
            for token in range(len(x)):
                scores = q[token] @ k[: token + 1].T / math.sqrt(q.shape[1])
                shares = np.exp(scores - scores.max())
                rows.append(shares @ value[: token + 1] / shares.sum())
            heads.append(np.array(rows))
        return self.linear(f"{name}.output", np.concatenate(heads, axis=1))

    def feed_forward(self, name: str, x: Array) -> Array:
        return self.linear(f"{name}.outer", gelu(self.linear(f"{name}.inner", x)))

    def sublayer(self, number: int, x: Array, *, qk_norm: bool = False) -> Array:
        name = f"steps.{number}.sublayer"
        return self.attention(name, x, qk_norm=qk_norm) if number % 2 == 0 else self.feed_forward(name, x)

    def embedded(self, tokens: npt.NDArray[np.int64]) -> Array:
        x: Array = self["embedding.weight"][tokens] + self["position.weight"][: len(tokens)]
        return x
