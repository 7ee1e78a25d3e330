"""Scenarios of tabular data. None of them changes the split that it is given."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.data.tabular import Floats, Split, Table
from harness.declare import Scenario
from harness.declare.names import wrong
from harness.declare.values import Generator
from harness.errors import UsageError

PCA_ROWS = 20_000


def label_noise(share: float) -> Scenario:
    """Flip each training label independently with probability `share`; the test rows stay as they are.

    The noise depends on nothing but chance: the classification noise of Angluin & Laird 1988 ("Learning from noisy
    examples"), NCAR in the taxonomy of Frénay & Verleysen 2014.

    Raises
    ------
    DeclarationError
        Unless 0 < share < 0.5; from one half on the labels no longer say which class is which.
    """
    if not 0 < share < 0.5:
        raise wrong(f"label_noise({share:g}): the share of flipped labels must lie between 0 and 0.5, both excluded")

    def apply(data: Split, rng: Generator) -> Split:
        train = _binary(data, f"label_noise({share:g})").train
        flipped = rng.random(len(train)) < share
        return replace(data, train=Table(train.X, train.y ^ flipped.astype(np.int8), train.time))

    return Scenario(f"label_noise({share:g})", apply, f"{100 * share:g} % of the training labels are flipped.")


def imbalance(ratio: float) -> Scenario:
    """Make positives a share `ratio` of the training and test rows by dropping rows of the class in excess.

    Random undersampling (He & Garcia 2009, "Learning from imbalanced data"). The other class stays whole, the share
    is exact to one row, and at least one row of each class remains. Rows keep their order.

    Raises
    ------
    DeclarationError
        Unless 0 < ratio < 1.
    """
    if not 0 < ratio < 1:
        raise wrong(f"imbalance({ratio:g}): the share of positives must lie between 0 and 1, both excluded")

    def rebalance(table: Table, rng: Generator) -> Table:
        positives, negatives = np.flatnonzero(table.y == 1), np.flatnonzero(table.y == 0)
        if not len(positives) or not len(negatives):
            raise UsageError(f"scenario imbalance({ratio:g}) needs rows of both classes, and there is only one class")
        if len(positives) > ratio * len(table):
            scarce, excess, keep = negatives, positives, len(negatives) * ratio / (1 - ratio)
        else:
            scarce, excess, keep = positives, negatives, len(positives) * (1 - ratio) / ratio
        chosen = rng.choice(excess, min(max(1, round(keep)), len(excess)), replace=False)
        return table.take(np.sort(np.concatenate([scarce, chosen])))

    def apply(data: Split, rng: Generator) -> Split:
        _binary(data, f"imbalance({ratio:g})")
        return replace(data, train=rebalance(data.train, rng), test=rebalance(data.test, rng))

    return Scenario(f"imbalance({ratio:g})", apply, f"Positives are {ratio:.3g} of the rows.")


def covariate_shift(strength: float) -> Scenario:
    """Move the test rows along the main direction of the training features; the training rows stay as they are.

    Half of the test rows remain, drawn one after the other without replacement with probability proportional to
    exp(strength z), where z is the row's score on the first principal component of the training features, in standard
    deviations. The draw looks at features alone, so P(y | x) is unchanged: covariate shift (Shimodaira 2000) as
    sample-selection bias (Zadrozny 2004), along the first principal component as in Huang et al. 2006 ("Correcting
    sample selection bias by unlabeled data"). Integer codes of categories count as numbers in that direction.

    Raises
    ------
    DeclarationError
        Unless strength is positive and finite.
    """
    if not (strength > 0 and math.isfinite(strength)):
        raise wrong(f"covariate_shift({strength:g}): the strength must be a positive finite number")

    def apply(data: Split, rng: Generator) -> Split:
        score = scores(data.train.X, data.test.X)
        # The largest sums of log weight and Gumbel noise are a weighted draw without replacement: Efraimidis &
        # Spirakis 2006, in logarithms.
        keys = strength * score + rng.gumbel(size=len(score))
        chosen = np.argsort(-keys, kind="stable")[: max(1, len(score) // 2)]
        return replace(data, test=data.test.take(np.sort(chosen)))

    return Scenario(f"covariate_shift({strength:g})", apply, "The test rows move along the main direction.")


def _binary(data: Split, scenario: str) -> Split:
    """Refuse targets that are not binary: without two classes, there is no other class to move rows to or from."""
    if data.train.target != "binary":
        raise UsageError(f"scenario {scenario} needs a binary target, and this one is {data.train.target}")
    return data


def scores(train: Floats, test: Floats) -> npt.NDArray[np.float64]:
    """Score test rows on the first principal component of the standardised training features.

    The component is estimated on at most 20,000 evenly spaced training rows; its loading of largest size is positive.
    Missing values count as the column's mean, constant columns as nothing.

    Parameters
    ----------
    train, test
        Shapes (n, d) and (m, d).

    Returns
    -------
    numpy.ndarray
        Shape (m,), in standard deviations of the training rows' scores.
    """
    sample = train[:: max(1, len(train) // PCA_ROWS)].astype(np.float64)
    present = np.isfinite(sample)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, sample, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(present, sample - mean, 0.0) ** 2).sum(axis=0) / count)
    spread = np.where(spread > np.finfo(np.float32).eps * np.abs(mean), spread, np.inf)

    def standardise(X: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        return np.where(np.isfinite(X), X - mean, 0.0) / spread

    standard = standardise(sample)
    variances, components = np.linalg.eigh(standard.T @ standard / len(standard))
    component, deviation = components[:, -1], math.sqrt(max(variances[-1], np.finfo(float).tiny))
    component = component * np.sign(component[np.abs(component).argmax()])
    along: npt.NDArray[np.float64] = standardise(test) @ (component / deviation)
    return along


def _by_time(data: Split, _rng: Generator) -> Split:
    """Train on the first rows and test on the last."""
    train, test = data.train, data.test
    if train.time is None or test.time is None:
        raise UsageError("scenario temporal needs data with a time column")
    time = np.concatenate([train.time, test.time])
    pool = Table(np.concatenate([train.X, test.X]), np.concatenate([train.y, test.y]), time)
    order = np.argsort(time, kind="stable")
    return replace(data, train=pool.take(order[: len(train)]), test=pool.take(order[len(train) :]))


# Train on the past, test on the future (Rubachev et al. 2024, TabReD, arXiv 2406.19380); the sizes stay as they are.
TEMPORAL = Scenario("temporal", _by_time, "Training rows come before test rows in time.", requires=("time",))
