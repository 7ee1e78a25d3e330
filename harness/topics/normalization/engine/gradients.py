"""Gradients of a Transformer before it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from harness.topics._shared.deep import seeded
from harness.topics.normalization.corpus import Corpus
from harness.topics.normalization.engine.learning import model_of
from harness.topics.normalization.engine.transformer import FeedForward, Transformer
from harness.topics.normalization.recipes import Recipe

Norms = npt.NDArray[np.float64]


def networks(
    recipe: Recipe, depths: Sequence[int], data: Corpus, params: Mapping[str, Any], seed: int
) -> list[Transformer]:
    """Make untrained networks of several depths, each from the same seed.

    They compute in float64, so that a gradient that float32 could not hold has a norm as well; those whose matrix
    products are in bfloat16 compute in float32, as autocast does.
    """
    made = []
    for layers in depths:
        seeded(seed)
        model = model_of(recipe, data, {**params, "layers": layers}, "cpu")
        made.append(model if recipe.bfloat16 else model.double())
    return made


def layer_norms(model: Transformer) -> Norms:
    """Return the norm of the gradient of each layer's second feed-forward matrix, first layer first, shape (layers,).

    It is the Frobenius norm of the matrix that theorem 1 of Xiong et al. (2020, arXiv 2002.04745) is about. `model` has
    gradients.
    """
    found = []
    for step in model.steps:
        if isinstance(step.sublayer, FeedForward):
            gradient = step.sublayer.outer.weight.grad
            assert gradient is not None
            found.append(float(torch.linalg.vector_norm(gradient.double())))
    return np.array(found)
