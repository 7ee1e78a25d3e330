"""Estimators of a target policy's value, each with the per-round terms of its standard error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from harness import UsageError
from harness.topics.ope.engine.check import check_model
from harness.topics.ope.engine.log import Floats, Log
from harness.topics.ope.engine.weights import (
    bend_weights,
    chosen,
    clip_weights,
    importance_weights,
    marginal_weights,
    shrink_weights,
    switch_weights,
)


@dataclass(frozen=True, eq=False)
class ValueEstimate:
    """An estimated value with the per-round terms of its standard error and bootstrap.

    Attributes
    ----------
    value
        Estimated mean reward of the target policy.
    terms
        Influence of each round, shape (n,): their mean is ``value``, and their standard deviation divided by sqrt(n) is
        its standard error.
    base, extra, scale
        Terms that a bootstrap resamples, each of shape (n,): the value is mean(base) + mean(extra) / mean(scale).
        ``scale`` is ``None`` for estimators without a denominator.
    """

    value: float
    terms: Floats
    base: Floats
    extra: Floats
    scale: Floats | None = None

    @property
    def standard_error(self) -> float:
        """Standard deviation of the terms divided by sqrt(n); NaN for a single round."""
        count = len(self.terms)
        return float(self.terms.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of every estimator, each of shape (n,).

    Attributes
    ----------
    weights
        Importance weights of the logged actions.
    base
        Model's value of the target policy in each round; 0 without a model.
    residuals
        Reward minus the model's reward of the logged action; the reward without a model.
    """

    weights: Floats
    base: Floats
    residuals: Floats


def parts_of(log: Log, model: Floats | None) -> Parts:
    """Return weights, model values and residuals of a log."""
    weights = importance_weights(log)
    if model is None:
        return Parts(weights, np.zeros(len(weights)), log.rewards)
    base = np.einsum("ij,ij->i", log.target, model)
    return Parts(weights, base, log.rewards - chosen(model, log))


def plain(base: Floats, weights: Floats, residuals: Floats) -> ValueEstimate:
    """Return mean(base + w residual)."""
    extra = weights * residuals
    terms = base + extra
    return ValueEstimate(float(terms.mean()), terms, base, extra)


def self_normalised(base: Floats, weights: Floats, residuals: Floats) -> ValueEstimate:
    """Return mean(base) + mean(w residual) / mean(w), with terms by the delta method.

    Raises
    ------
    UsageError
        All weights are zero.
    """
    mass = float(weights.mean())
    if mass <= 0:
        raise UsageError("all weights are 0: the target policy takes none of the logged actions")
    extra = weights * residuals
    ratio = float(extra.mean()) / mass
    terms = base + ratio + weights * (residuals - ratio) / mass
    return ValueEstimate(float(base.mean()) + ratio, terms, base, extra, weights)


def dm(log: Log, model: Floats | None = None) -> ValueEstimate:
    """Direct method: the model's value of the target policy (Beygelzimer & Langford 2009).

    Parameters
    ----------
    log
        The log.
    model
        Estimated reward of every action, shape (n, actions).
    """
    base = np.einsum("ij,ij->i", log.target, check_model(log, model, "dm"))
    return ValueEstimate(float(base.mean()), base, base, np.zeros(len(base)))


def ips(log: Log, model: Floats | None = None) -> ValueEstimate:  # noqa: ARG001 (all estimators are called alike)
    """Inverse propensity scoring: mean of w r (Horvitz & Thompson 1952)."""
    parts = parts_of(log, None)
    return plain(parts.base, parts.weights, parts.residuals)


def clipped_ips(log: Log, model: Floats | None = None, *, clip: float = 10.0) -> ValueEstimate:  # noqa: ARG001
    """Inverse propensity scoring with weights of at most ``clip`` (Ionides 2008)."""
    parts = parts_of(log, None)
    return plain(parts.base, clip_weights(parts.weights, _at_least_0("clip", clip)), parts.residuals)


def sub_gaussian_ips(log: Log, model: Floats | None = None, *, lam: float = 0.05) -> ValueEstimate:  # noqa: ARG001
    """Inverse propensity scoring with weights w / (1 - lam + lam w) (Metelli et al. 2021, s = -1), lam of 0 to 1."""
    if not 0 <= lam <= 1:
        raise UsageError(f"lam of sub_gaussian_ips must lie between 0 and 1, not {lam:g}")
    parts = parts_of(log, None)
    return plain(parts.base, bend_weights(parts.weights, lam), parts.residuals)


def snips(log: Log, model: Floats | None = None) -> ValueEstimate:  # noqa: ARG001
    """Self-normalised inverse propensity scoring: sum of w r over sum of w (Swaminathan & Joachims 2015)."""
    parts = parts_of(log, None)
    return self_normalised(parts.base, parts.weights, parts.residuals)


def dr(log: Log, model: Floats | None = None) -> ValueEstimate:
    """Doubly robust: the model, corrected by its weighted residuals (Dudik et al. 2011, arXiv 1103.4601)."""
    parts = parts_of(log, check_model(log, model, "dr"))
    return plain(parts.base, parts.weights, parts.residuals)


def sndr(log: Log, model: Floats | None = None) -> ValueEstimate:
    """Self-normalised doubly robust (Kallus & Uehara 2019)."""
    parts = parts_of(log, check_model(log, model, "sndr"))
    return self_normalised(parts.base, parts.weights, parts.residuals)


def switch_dr(log: Log, model: Floats | None = None, *, tau: float = 1.0) -> ValueEstimate:
    """Doubly robust where w <= ``tau``, the model alone elsewhere (Wang et al. 2017, arXiv 1612.01205)."""
    parts = parts_of(log, check_model(log, model, "switch_dr"))
    return plain(parts.base, switch_weights(parts.weights, _at_least_0("tau", tau)), parts.residuals)


def dr_os(log: Log, model: Floats | None = None, *, lam: float = 1.0) -> ValueEstimate:
    """Doubly robust with optimistic shrinkage of the weights (Su et al. 2020, arXiv 1907.09623)."""
    parts = parts_of(log, check_model(log, model, "dr_os"))
    return plain(parts.base, shrink_weights(parts.weights, _at_least_0("lam", lam)), parts.residuals)


def mips(log: Log, model: Floats | None = None) -> ValueEstimate:  # noqa: ARG001
    """Marginalised inverse propensity scoring over action embeddings (Saito & Joachims 2022, arXiv 2202.06317).

    Raises
    ------
    UsageError
        The log has no embeddings, or the probabilities of the logging policy are not known.
    """
    weights = marginal_weights(log)
    return plain(np.zeros(len(weights)), weights, log.rewards)


def _at_least_0(name: str, value: float) -> float:
    if not value >= 0:
        raise UsageError(f"{name} must be at least 0, not {value:g}")
    return value


ESTIMATORS: Final[Mapping[str, Callable[..., ValueEstimate]]] = MappingProxyType(
    {
        "dm": dm,
        "ips": ips,
        "clipped_ips": clipped_ips,
        "sub_gaussian_ips": sub_gaussian_ips,
        "snips": snips,
        "dr": dr,
        "sndr": sndr,
        "switch_dr": switch_dr,
        "dr_os": dr_os,
        "mips": mips,
    }
)
