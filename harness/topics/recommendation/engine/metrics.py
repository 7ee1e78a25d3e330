"""The judge of rankings: how many of the items to find are recommended, and how far up.

For a user with the set T of items to find and a ranking of k items, of which r_1, ..., r_k say whether they are in T:

- precision: sum(r) / k
- recall: sum(r) / abs(T)
- hit rate: 1 if any r is 1, else 0
- reciprocal rank: 1 / (position of the first r that is 1), or 0
- average precision: sum over hits of (hits up to there / position), divided by abs(T)
- NDCG: sum(r_i / log2(i + 1)) / sum over i from 1 to min(k, abs(T)) of 1 / log2(i + 1)

The means over users are the values of ranx 0.3 (Bassani 2022, "ranx: a blazing-fast Python library for ranking
evaluation"). Precision, recall and average precision: Manning, Raghavan & Schuetze 2008, chapter 8; NDCG: Jarvelin &
Kekalainen 2002 with gains of 0 and 1, and the discount log2(i + 1) of Burges et al. 2005.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, types

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.recommendation.engine.feedback import Feedback, Matrix, Ranking
from harness.topics.recommendation.engine.top import known, rank

Floats = npt.NDArray[np.float64]

_RANKING = types.Array(types.int32, 2, "C", readonly=True)
_ENDS = types.Array(types.int64, 1, "C", readonly=True)
_ITEMS = types.Array(types.int32, 1, "C", readonly=True)

#: Bands of popularity, from the most popular items on; each has a third of the training interactions.
BANDS = ("head", "mid", "tail")
TIMES = (1 / 6, 1 / 2, 5 / 6)


def judge(data: Feedback, output: Any) -> Judgement:
    """Judge rankings.

    Parameters
    ----------
    output
        Items from the best on, integers, shape (test users, k); -1 where nothing is left, at the end of a row.

    Returns
    -------
    Judgement
        The metrics of `harness.topics.recommendation.ranking.METRICS`; those that are means over users with their
        examples. Curves: ``ndcg``, by the length of the ranking; ``oracle``, the same for the true preferences of
        generated data.

    Raises
    ------
    InvalidOutputError
        When the output is not such an array, or ranks an item twice, one that the user has already, or one that is not
        among the candidates.
    """
    ranking = checked(data, output)
    hits = found(ranking, data.test)
    relevant = np.diff(data.test.indptr)
    examples = by_user(hits, relevant)
    examples |= by_band(ranking, hits, data)
    metrics = {name: float(values.mean()) if len(values) else 0.0 for name, values in examples.items()}
    metrics |= of_catalogue(ranking, np.bincount(data.visible.train.indices, minlength=data.visible.items), data)
    return Judgement(
        metrics,
        curves={"ndcg": ndcg_curve(hits, relevant), **oracle_curve(data)},
        examples={name: Examples(values) for name, values in examples.items() if len(values)},
        n={"hit_rate": len(hits)},
    )


def checked(data: Feedback, output: Any) -> Ranking:
    """Return the output as a ranking.

    Raises
    ------
    InvalidOutputError
        See `judge`.
    """
    visible = data.visible
    ranking = np.asarray(output)
    if ranking.shape != (visible.users, visible.k) or not np.issubdtype(ranking.dtype, np.integer):
        raise InvalidOutputError(
            f"the ranking is of type {ranking.dtype} and shape {ranking.shape}; it must be integers of shape "
            f"({visible.users}, {visible.k}), a row for each test user"
        )
    if ranking.size and not -1 <= ranking.min() <= ranking.max() < visible.items:
        raise InvalidOutputError(f"the ranking has items outside of 0 to {visible.items - 1}, where -1 stands for none")
    ranking = ranking.astype(np.int32)
    ordered = np.sort(ranking, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        user = int(np.flatnonzero(twice.any(axis=1))[0])
        raise InvalidOutputError(f"the ranking of test user {user} has an item twice")
    if ((ranking[:, :-1] < 0) & (ranking[:, 1:] >= 0)).any():
        raise InvalidOutputError("the ranking has an item after -1, which stands for none at the end of a row only")
    seen = found(ranking, visible.history).any(axis=1)
    if seen.any():
        user = int(np.flatnonzero(seen)[0])
        raise InvalidOutputError(f"the ranking of test user {user} has an item that the user has already")
    if visible.candidates is not None:
        _check_candidates(ranking, visible.candidates)
    return ranking


def _check_candidates(ranking: Ranking, candidates: npt.NDArray[np.int32]) -> None:
    users, count = candidates.shape
    inside = np.empty(ranking.shape, dtype=np.bool_)
    _find(ranking, np.arange(users + 1, dtype=np.int64) * count, np.sort(candidates, axis=1).ravel(), inside)
    wrong = np.flatnonzero((~inside & (ranking >= 0)).any(axis=1))
    if len(wrong):
        raise InvalidOutputError(f"the ranking of test user {wrong[0]} has an item that is not among the candidates")


def found(ranking: Ranking, items: Matrix) -> npt.NDArray[np.bool_]:
    """Return which ranked items are in the rows of a matrix with sorted columns, shape (users, k)."""
    inside = np.empty(ranking.shape, dtype=np.bool_)
    ends, columns = known(items, 0, len(ranking))
    _find(ranking, ends, columns, inside)
    return inside


# With a signature it is loaded when this module is imported, before a trial begins.
@njit(types.void(_RANKING, _ENDS, _ITEMS, types.Array(types.boolean, 2, "C")), cache=True)
def _find(
    ranking: Ranking, ends: npt.NDArray[np.int64], items: npt.NDArray[np.int32], inside: npt.NDArray[np.bool_]
) -> None:
    """Look every ranked item up by bisection; an item is at least 0, so that -1 is never found."""
    for user in range(ranking.shape[0]):
        for at in range(ranking.shape[1]):
            low, high = ends[user], ends[user + 1]
            while low < high:
                middle = (low + high) // 2
                if items[middle] < ranking[user, at]:
                    low = middle + 1
                else:
                    high = middle
            inside[user, at] = low < ends[user + 1] and items[low] == ranking[user, at]


def by_user(hits: npt.NDArray[np.bool_], relevant: npt.NDArray[np.integer]) -> dict[str, Floats]:
    """Compute the metrics of each user.

    Parameters
    ----------
    hits
        Which of the k recommended items are to be found, from the first on, shape (users, k).
    relevant
        Number of items to find, at least 1, shape (users,).
    """
    k = hits.shape[1]
    positions = np.arange(1, k + 1)
    count = hits.sum(axis=1)
    any_hit = count > 0
    precision_at_hits = (np.cumsum(hits, axis=1) / positions * hits).sum(axis=1)
    discounts = 1 / np.log2(positions + 1)
    ideal = np.cumsum(discounts)[np.minimum(relevant, k) - 1]
    return {
        "ndcg": hits @ discounts / ideal,
        "recall": count / relevant,
        "precision": count / k,
        "average_precision": precision_at_hits / relevant,
        "reciprocal_rank": np.where(any_hit, 1 / (1 + hits.argmax(axis=1)), 0.0),
        "hit_rate": any_hit.astype(np.float64),
    }


def by_band(ranking: Ranking, hits: npt.NDArray[np.bool_], data: Feedback) -> dict[str, Floats]:
    """Compute the recall of the items of each band of popularity, for the users who have some of them to find."""
    band = bands(np.bincount(data.visible.train.indices, minlength=data.visible.items))
    recalls = {}
    for number, name in enumerate(BANDS):
        # Every user has an item to find, so that no row is empty, as reduceat needs.
        relevant = np.add.reduceat(band[data.test.indices] == number, data.test.indptr[:-1], dtype=np.int64)
        count = (hits & (band[ranking] == number)).sum(axis=1)
        recalls[f"recall_{name}"] = (count / np.maximum(relevant, 1))[relevant > 0]
    return recalls


def bands(popularity: npt.NDArray[np.integer]) -> npt.NDArray[np.int8]:
    """Return the band of each item: 0 for the head, 1, and 2 for the tail, where items without interactions are.

    Items in the order of their popularity are divided where a third and two thirds of the interactions are reached.
    """
    order = np.argsort(-popularity, kind="stable")
    before = np.cumsum(popularity[order]) - popularity[order]
    band = np.empty(len(popularity), dtype=np.int8)
    band[order] = np.minimum(before * len(BANDS) // max(int(popularity.sum()), 1), len(BANDS) - 1)
    return band


def of_catalogue(ranking: Ranking, popularity: npt.NDArray[np.integer], data: Feedback) -> dict[str, float]:
    """Compute what the recommendations of all users are together.

    ``coverage``: share of the items that can be ranked that somebody is recommended. ``novelty``: mean of -log2 of the
    share of training users who took a recommended item, where one taken by nobody counts half a user (Zhou et al. 2010,
    arXiv 0808.2670, "surprisal"). ``gini``: Gini coefficient of the numbers of recommendations over those items
    (Fleder & Hosanagar 2009): 0 where all are equal.
    """
    shown = ranking[ranking >= 0]
    counts = np.bincount(shown, minlength=data.visible.items)
    candidates = data.visible.candidates
    if candidates is not None:
        counts = counts[np.unique(candidates)]
    share = np.maximum(popularity, 0.5) / data.visible.train.shape[0]
    return {
        "coverage": float(np.count_nonzero(counts) / len(counts)),
        "novelty": float(-np.log2(share[shown]).mean()) if len(shown) else 0.0,
        "gini": gini(counts),
    }


def gini(counts: npt.NDArray[np.integer]) -> float:
    """Compute the Gini coefficient: half of the mean difference of two counts, divided by their mean; 0 without any."""
    n = len(counts)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ np.sort(counts) / (n * max(int(counts.sum()), 1)))


def ndcg_curve(hits: npt.NDArray[np.bool_], relevant: npt.NDArray[np.integer]) -> Curve:
    """Compute the mean NDCG of the first item, the first two, and so on."""
    lengths = range(1, hits.shape[1] + 1)
    means = [float(by_user(hits[:, :length], relevant)["ndcg"].mean()) for length in lengths]
    return Curve([float(length) for length in lengths], means)


def oracle_curve(data: Feedback) -> dict[str, Curve]:
    """Compute the same for the true preferences of generated data, averaged over the times of the test interactions."""
    preference = data.preference
    if preference is None:
        return {}
    time = data.interactions.time
    moments = [0.0] if time is None else np.quantile(time[data.division.test], TIMES).tolist()

    def score(start: int, stop: int) -> npt.NDArray[np.floating]:
        users = data.users[start:stop]
        return np.asarray(np.mean([preference(users, moment) for moment in moments], axis=0))

    hits = found(rank(data.visible, score), data.test)
    return {"oracle": ndcg_curve(hits, np.diff(data.test.indptr))}
