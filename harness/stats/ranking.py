"""Strategies ranked over many cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from harness.stats.paired import CONFIDENCE, holm

Floats = npt.NDArray[np.float64]

ALPHA = 1 - CONFIDENCE
_PRIOR = 0.5  # wins, and as many losses, against an average player
_STEPS = 100
_EXACT = 1e-9  # change of a strength's logarithm


@dataclass(frozen=True)
class Ranking:
    """Strategies by their mean rank over cells.

    Attributes
    ----------
    names
        In the order given; `mean_rank` follows it.
    mean_rank
        1 is best.
    p
        Of Friedman's test that all are alike; NaN with fewer than two cells or three strategies.
    groups
        Maximal sets of strategies that are not told apart, the best first; every strategy is in one or more.
    critical_difference
        Between mean ranks (Nemenyi); NaN where `p` is.
    """

    names: tuple[str, ...]
    mean_rank: Floats
    p: float
    groups: tuple[tuple[str, ...], ...]
    critical_difference: float


@dataclass(frozen=True)
class Elo:
    """Strengths on the scale of chess, with the bounds of their 95 % intervals; shape (strategies,) each."""

    rating: Floats
    low: Floats
    high: Floats


def ranks(scores: npt.ArrayLike, *, higher_is_better: bool) -> Floats:
    """Rank the strategies in every cell; ties share their mean rank, and what is missing ties for the last.

    Parameters
    ----------
    scores
        NaN where missing, shape (cells, strategies).

    Returns
    -------
    ndarray of float
        Shape (cells, strategies), 1 is best.
    """
    from scipy.stats import rankdata

    values = np.asarray(scores, dtype=float)
    missing = np.isnan(values)
    # Apart from an infinite score, which is bad but not missing.
    last = values.shape[1] - (missing.sum(axis=1, keepdims=True) - 1) / 2
    found = rankdata(-values if higher_is_better else values, axis=1, nan_policy="omit")
    return np.asarray(np.where(missing, last, found))


def rank(names: Sequence[str], scores: npt.ArrayLike, *, higher_is_better: bool) -> Ranking:
    """Rank strategies over cells, and say which are told apart.

    Friedman's test first; where it rejects at 5 %, Nemenyi's critical difference between mean ranks makes the groups
    (Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", JMLR 7), else all are one group. A
    mean rank depends on who else competes; `pairwise` does not.

    Parameters
    ----------
    names
        Of the strategies.
    scores
        One a cell, costs as logarithms, NaN where missing, shape (cells, strategies).
    """
    values = np.asarray(scores, dtype=float)
    cells, count = values.shape
    if count != len(names):
        raise ValueError(f"{len(names)} names for {count} strategies")
    placed = ranks(values, higher_is_better=higher_is_better)
    means = placed.mean(axis=0) if cells else np.full(count, math.nan)
    p, critical = math.nan, math.nan
    if cells >= 2 and count >= 3:
        p, critical = _friedman(placed), _nemenyi(cells, count)
    groups = _groups(means, critical if p < ALPHA else math.inf)
    told = tuple(tuple(names[index] for index in group) for group in groups)
    return Ranking(tuple(names), means, p, told, critical)


def bradley_terry(scores: npt.ArrayLike, *, higher_is_better: bool, rounds: int = 200, seed: int = 0) -> Elo:
    """Estimate the strengths by which strategies beat each other in the cells.

    The model of Bradley & Terry 1952 with half a win and half a loss against an average player, so that who always wins
    stays finite. A tie is half a win, a missing score loses. The likelihood has one maximum (Hunter 2004, "MM
    algorithms for generalized Bradley-Terry models"); Newton's steps find it some hundred times faster than that
    paper's. The intervals are percentiles over resampled cells, as in TabArena (Erickson et al. 2025); they know
    nothing of cells that depend on each other.

    Parameters
    ----------
    scores
        One a cell, NaN where missing, shape (cells, strategies).
    rounds
        Resamples of the cells.

    Returns
    -------
    Elo
        400 points are odds of ten to one, the mean is 1000. With fewer than two cells the bounds are NaN.
    """
    placed = ranks(scores, higher_is_better=higher_is_better)
    cells, count = placed.shape
    wins = count - placed  # all meet in every cell, so a rank says how many were beaten
    logs = _fit(wins.sum(axis=0), cells, np.zeros(count))
    rating = _points(logs)
    if cells < 2:
        return Elo(rating, np.full(count, math.nan), np.full(count, math.nan))
    drawn = np.random.default_rng(seed).multinomial(cells, np.full(cells, 1 / cells), size=rounds)
    resampled = _points(np.array([_fit(won, cells, logs) for won in drawn @ wins]))
    low, high = np.quantile(resampled, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2], axis=0)
    return Elo(rating, low, high)


def _fit(wins: Floats, cells: int, start: Floats) -> Floats:
    """Return the logarithms of the strengths of strategies that met in so many cells, shape (strategies,) each."""
    logs = start
    for _ in range(_STEPS):
        beats = cells * expit(logs[:, None] - logs)  # and half of the games against itself, which are none
        average = expit(logs)
        slope = wins + _PRIOR - (beats.sum(axis=1) - cells / 2) - 2 * _PRIOR * average
        curved = beats * beats.T / cells
        bend = np.diag(curved.sum(axis=1) + 2 * _PRIOR * average * (1 - average)) - curved
        step = np.linalg.solve(bend, slope)
        logs = logs + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _EXACT:
            break
    return logs


def _points(logs: Floats) -> Floats:
    """Put logarithms of strengths on the Elo scale."""
    return np.asarray(1000 + 400 / math.log(10) * (logs - logs.mean(axis=-1, keepdims=True)))


def _friedman(placed: Floats) -> float:
    from scipy.stats import friedmanchisquare

    if np.ptp(placed) == 0:  # all tie everywhere
        return 1.0
    return float(friedmanchisquare(*placed.T).pvalue)


def _nemenyi(cells: int, count: int) -> float:
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(CONFIDENCE, count, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(count * (count + 1) / (6 * cells))


def _groups(means: Floats, critical: float) -> list[list[int]]:
    """Return the maximal runs of mean ranks that differ by less than the critical difference."""
    order = np.argsort(means, kind="stable").tolist()
    found: list[list[int]] = []
    end = 0
    for start in range(len(order)):
        reach = next((stop for stop in range(len(order), start, -1) if _close(means, order, start, stop, critical)), 0)
        if reach > end:
            found.append(order[start:reach])
            end = reach
    return found


def _close(means: Floats, order: Sequence[int], start: int, stop: int, critical: float) -> bool:
    return not means[order[stop - 1]] - means[order[start]] >= critical


def pairwise(scores: npt.ArrayLike, *, higher_is_better: bool) -> Floats:
    """Test every pair of strategies by Wilcoxon's signed ranks, adjusted by Holm.

    A test between two that does not depend on who else competes (Benavoli, Corani & Mangili 2016, "Should we really use
    post-hoc tests based on mean-ranks?", JMLR 17(5)).

    Parameters
    ----------
    scores
        One a cell, NaN where missing, shape (cells, strategies).

    Returns
    -------
    ndarray of float
        Adjusted p, shape (strategies, strategies); NaN on the diagonal and with fewer than two cells.
    """
    worse = np.asarray(scores, dtype=float) * (-1.0 if higher_is_better else 1.0)
    cells, count = worse.shape
    found = np.full((count, count), math.nan)
    pairs = list(itertools.combinations(range(count), 2))
    if cells >= 2:
        adjusted = holm([_wilcoxon(worse[:, one], worse[:, other]) for one, other in pairs])
        for (one, other), p in zip(pairs, adjusted, strict=True):
            found[one, other] = found[other, one] = p
    return found


def _wilcoxon(one: Floats, other: Floats) -> float:
    """Return p of the signed ranks; a missing score loses by more than any other, two of them tie."""
    from scipy.stats import wilcoxon

    unlike = one != other
    apart = np.subtract(one, other, out=np.zeros_like(one), where=unlike)
    for side, sign in ((one, 1.0), (other, -1.0)):
        apart[np.isnan(side)] = sign * math.inf
    apart[np.isnan(one) & np.isnan(other)] = 0.0
    return float(wilcoxon(apart).pvalue) if apart.any() else 1.0
