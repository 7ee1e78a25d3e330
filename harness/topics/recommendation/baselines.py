"""Baselines that every recommender has to beat: random items, and those that most users took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.topics.recommendation.ranking import NEEDS, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.recommendation.engine.feedback import Ranking, Visible


@task.strategy("random", needs=NEEDS)
def random_items(problem: Problem, phase: PhaseClock) -> Ranking:
    """Rank items at random."""
    from harness.topics.recommendation.engine.top import rank

    def recommend(data: Visible) -> Ranking:
        rng = np.random.default_rng(problem.seed)
        return rank(data, lambda start, stop: rng.random((stop - start, data.items), dtype=np.float32))

    with phase("fit"):
        pass
    with phase("recommend"):
        ranking = recommend(problem.data)
    return problem.with_altered(ranking, phase, recommend)


@task.strategy("popularity", needs=NEEDS)
def popularity(problem: Problem, phase: PhaseClock) -> Ranking:
    """Rank items by the number of training users who took them."""
    from harness.topics.recommendation.engine.top import rank

    data: Visible = problem.data
    for _ in phase("fit"):
        taken = np.bincount(data.train.indices, minlength=data.items).astype(np.float32)

    def recommend(data: Visible) -> Ranking:
        return rank(data, lambda start, stop: np.tile(taken, (stop - start, 1)))

    for _ in phase("recommend"):
        ranking = recommend(data)
    return problem.with_altered(ranking, phase, recommend)
