"""Losses of class scores: functions of scores, shape (n, classes), and labels, shape (n,), that return one number.

Each one is cross-entropy at the neutral value of its parameter: equal weights, gamma 0, smoothing 0, strength 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from harness.errors import UsageError
from harness.topics.fusion.engine.networks import Loss


def class_weights(labels: npt.NDArray[np.integer], classes: int) -> npt.NDArray[np.float64]:
    """Weight classes by one over their size, so that all have the same total: n / (K n_k), scikit-learn's `balanced`.

    A class without an example has the weight of one with a single example; no label ever asks for it.
    """
    return len(labels) / (classes * np.maximum(np.bincount(labels, minlength=classes), 1))


def weighted(weights: npt.NDArray[np.float64]) -> Loss:
    """Return the mean of cross-entropies, each weighted by its class: sum w_y (-log p_y) / sum w_y over the batch."""

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(
            scores, labels, weight=torch.as_tensor(weights, dtype=scores.dtype, device=scores.device)
        )

    return loss


def focal(gamma: float) -> Loss:
    """Return the mean of -(1 - p_y)^gamma log p_y, which counts what is known already for less.

    Lin et al. 2017 (arXiv 1708.02002, equation 4) for two classes; with a softmax as Mukhoti et al. 2020 (arXiv
    2002.09437, section 3).

    Raises
    ------
    UsageError
        When gamma is negative, or between 0 and 1, where the gradient has no bound as p_y tends to 1.
    """
    if gamma != 0 and gamma < 1:
        raise UsageError(f"the gamma of the focal loss is 0, or 1 or more, not {gamma:g}")

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        known = F.log_softmax(scores, dim=1).gather(1, labels[:, None])[:, 0]
        missing = -torch.expm1(known)
        return (missing**gamma * -known).mean()

    return loss


def smoothed(smoothing: float) -> Loss:
    """Return cross-entropy with (1 - s) of the label and s / K of each of the K classes.

    Szegedy et al. 2016 (arXiv 1512.00567, section 7).
    """

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(scores, labels, label_smoothing=smoothing)

    return loss


def adjusted(labels: npt.NDArray[np.integer], classes: int, strength: float) -> Loss:
    """Return cross-entropy of the scores plus `strength` times the logarithms of the classes' rates in training.

    Menon et al. 2021 (arXiv 2007.07314, section 5): the logit-adjusted loss. With strength 1 the scores alone rank
    classes as if all were equally frequent, which minimises the balanced error; it is then the balanced softmax of Ren
    et al. 2020 (arXiv 2007.10740).
    """
    rates = np.maximum(np.bincount(labels, minlength=classes), 1) / len(labels)

    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        offset = torch.as_tensor(strength * np.log(rates), dtype=scores.dtype, device=scores.device)
        return F.cross_entropy(scores + offset, labels)

    return loss
