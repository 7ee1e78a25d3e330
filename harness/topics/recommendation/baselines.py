"""Baselines that every recommender has to beat: random items, and those that most users took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.topics.recommendation.ranking import NEEDS, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Ranking, Visible


@task.strategy("random", needs=NEEDS)
def random_items(problem: Problem, phase: PhaseClock) -> Ranking:
    """Rank items at random."""
    from harness.topics.recommendation.engine.top import rank

    for _ in phase("fit"):
        seed = problem.seed

    def recommend(data: Visible) -> Ranking:
        rng = np.random.default_rng(seed)
        return rank(data, lambda start, stop: rng.random((stop - start, data.items), dtype=np.float32))

    for _ in phase("recommend"):
        ranking = recommend(problem.data)
    return problem.with_altered(ranking, phase, recommend)


@task.strategy("popularity", needs=NEEDS)
def popularity(problem: Problem, phase: PhaseClock) -> Ranking:
    """Rank items by the number of training users who took them."""
    data: Visible = problem.data
    for _ in phase("fit"):
        taken = np.bincount(data.train.indices, minlength=data.items).astype(np.float32)
    return _same_for_all(problem, phase, taken)


@task.strategy("popularity-recent", needs=NEEDS, note="Without times, it is popularity.")
def recent_popularity(problem: Problem, phase: PhaseClock, half_life: float = 0.1) -> Ranking:
    """Rank items by the number of training users who took them, where old interactions count less.

    Ji et al. 2020, "A re-visit of the popularity baseline in recommender systems", arXiv 2005.13829.

    Parameters
    ----------
    half_life
        Age at which an interaction counts half, as a share of the time from the first to the last one.
    """
    data: Visible = problem.data
    for _ in phase("fit"):
        weights = None
        if data.times is not None:
            age = (data.times.max() - data.times) / max(int(np.ptp(data.times)), 1)
            weights = np.exp2(-age / half_life)
        taken = np.bincount(data.train.indices, weights, minlength=data.items).astype(np.float32)
    return _same_for_all(problem, phase, taken)


def _same_for_all(problem: Problem, phase: PhaseClock, scores: npt.NDArray[np.float32]) -> Ranking:
    """Rank items by the same scores for all users."""
    from harness.topics.recommendation.engine.top import rank

    def recommend(data: Visible) -> Ranking:
        return rank(data, lambda start, stop: np.tile(scores, (stop - start, 1)))

    for _ in phase("recommend"):
        ranking = recommend(problem.data)
    return problem.with_altered(ranking, phase, recommend)
