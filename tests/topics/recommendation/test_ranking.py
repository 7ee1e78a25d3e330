"""The task ranking: what strategies see, its scenarios, and its baselines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

from harness import Outputs, Problem
from harness.topics.recommendation import baselines
from harness.topics.recommendation.engine.feedback import Feedback, Visible
from harness.topics.recommendation.ranking import task
from harness.topics.recommendation.worlds import SYNTHETIC_IMPLICIT

SMALL = {name: param.default for name, param in SYNTHETIC_IMPLICIT.params.items()} | {"users": 120, "items": 60}
SMALL["density"] = 0.1
BASELINES = ("random", "popularity", "popularity-recent")


@pytest.fixture(scope="module")
def clean() -> Feedback:
    made: Feedback = SYNTHETIC_IMPLICIT.load(SMALL, np.random.default_rng(0))
    return made


def _run(name: str, data: Feedback, altered: dict[str, Visible] | None = None) -> Any:
    problem = Problem(task.view(data), {"threads": 1, **SMALL}, 0, altered or {})
    return task.strategies[name].run(problem, unmeasured)


def test_strategies_see_nothing_of_the_test_items(clean: Feedback) -> None:
    seen: Visible = task.view(clean)
    assert isinstance(seen, Visible)
    assert not (seen.history.multiply(clean.test)).nnz
    assert not hasattr(seen, "test")


@pytest.mark.parametrize("scenario", task.scenarios, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("name", BASELINES)
def test_baselines_rank_in_every_scenario(name: str, scenario: Any, clean: Feedback) -> None:
    data = scenario.apply(clean, np.random.default_rng(1))
    judged = task.judge(data, _run(name, data))
    assert 0 <= judged.metrics["ndcg"] <= judged.metrics["hit_rate"] <= 1
    assert (data.test != scenario.apply(clean, np.random.default_rng(1)).test).nnz == 0


def test_scenarios_leave_the_data_that_they_are_given_unchanged(clean: Feedback) -> None:
    before = clean.test.copy(), len(clean.interactions)
    for scenario in task.scenarios:
        scenario.apply(clean, np.random.default_rng(1))
    assert (before[0] != clean.test).nnz == 0
    assert len(clean.interactions) == before[1]


def test_popularity_recommends_what_most_users_took(clean: Feedback) -> None:
    ranking = _run("popularity", clean)
    counts = np.bincount(clean.visible.train.indices, minlength=60)
    for user, items in enumerate(ranking):
        left = np.setdiff1d(np.arange(60), clean.visible.history[[user]].indices)
        assert counts[items].tolist() == sorted(counts[left].tolist(), reverse=True)[:10]


def test_of_recent_popularity_old_interactions_count_half() -> None:
    from harness.topics.recommendation.engine.feedback import matrix

    items = np.array([0, 0, 0, 1, 1], dtype=np.int32)
    train, order = matrix(np.array([0, 1, 2, 3, 4]), items, None, (5, 3))
    times = np.array([0, 0, 0, 10, 5])[order]
    history, _ = matrix(np.array([], dtype=np.int64), np.array([], dtype=np.int32), None, (1, 3))
    view = Visible(train, history, np.array([-1]), None, None, 3, times)
    # At a half-life of half the time, item 0 has three quarters and item 1 has 1 + 1/2.
    ranking = baselines.recent_popularity(Problem(view, {"threads": 1}, 0), unmeasured, half_life=0.5)
    assert ranking.tolist() == [[1, 0, 2]]
    without = Visible(train, history, np.array([-1]), None, None, 3)
    assert baselines.recent_popularity(Problem(without, {"threads": 1}, 0), unmeasured).tolist() == [[0, 1, 2]]


def test_sampled_candidates_are_ranked_by_the_same_scores(clean: Feedback) -> None:
    stress = task.stress[0]
    altered = {stress.key(level): stress.alter(clean, level, np.random.default_rng(0)) for level in (20, 1_000)}
    outputs = _run("popularity", clean, {name: task.view(data) for name, data in altered.items()})
    assert isinstance(outputs, Outputs)
    ndcg = {name: task.judge(data, outputs.altered[name]).metrics["ndcg"] for name, data in altered.items()}
    plain = task.judge(clean, outputs.plain).metrics["ndcg"]
    assert ndcg["sampled_20"] > 1.5 * plain
    assert ndcg["sampled_1000"] < ndcg["sampled_20"]


def test_tuning_sees_training_interactions_alone(clean: Feedback) -> None:
    assert task.tuning is not None
    held = task.tuning.holdout(clean, np.random.default_rng(0))
    assert len(held.interactions) == clean.visible.train.nnz
    assert held.preference is None
    task.judge(held, _run("popularity", held))


def test_sizes_are_those_of_the_training_data(clean: Feedback) -> None:
    assert task.sizes is not None
    sizes = task.sizes(clean.visible)
    assert float(sizes["users"]) * float(sizes["items"]) * float(sizes["density"]) == clean.visible.train.nnz
