"""Strategies of factorisation and of cold start: what each ranks, in the scenario that it is for."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

pytest.importorskip("implicit")
pytest.importorskip("numba")
pytest.importorskip("sklearn")

from harness.declare import Problem
from harness.errors import CannotRunError
from harness.topics.recommendation import cold, factors, worlds
from harness.topics.recommendation.engine import metrics, protocols
from harness.topics.recommendation.engine.feedback import Feedback, Ranking
from harness.topics.recommendation.ranking import task

importlib.import_module("harness.topics.recommendation.baselines")  # registers random and popularity

DEFAULTS = {name: param.default for name, param in worlds.PARAMS.items()}
PLAIN: dict[str, Any] = {"factors": cold.FACTORS, "regularization": cold.REGULARIZATION, "alpha": cold.ALPHA}
OWN = [
    name
    for name, strategy in task.strategies.items()
    if not strategy.tries and strategy.run.__module__ in (factors.__name__, cold.__name__)
]


@cache
def feedback(scenario: str = "clean", seed: int = 0) -> Feedback:
    params = DEFAULTS | {"users": 400, "items": 200, "density": 0.05}
    laid = next(found for found in worlds.SCENARIOS if found.name == scenario)
    rng = np.random.default_rng(seed)
    made: Feedback = laid.apply(worlds.synthetic_implicit(params, rng), rng)
    return made


@cache
def ran(name: str, scenario: str = "clean", **options: Any) -> Ranking:
    problem = Problem(feedback(scenario).visible, {"threads": 1}, seed=3)
    found: Ranking = task.strategies[name].run(problem, unmeasured, **options)
    return found


def ndcg(name: str, scenario: str = "clean", **options: Any) -> float:
    return metrics.judge(feedback(scenario), ran(name, scenario, **options)).metrics["ndcg"]


@pytest.mark.parametrize("name", [name for name in OWN if name != "biased-mf"])
def test_each_ranks_better_than_at_random(name: str) -> None:
    """The 100 factors that are the default of ALS would overfit these 200 items."""
    options: dict[str, Any] = {"factors": 8} if name in ("als", "als-cholesky") else {}
    assert ndcg(name, **options) > 1.3 * ndcg("random")
    problem = Problem(feedback().visible, {"threads": 1}, seed=3)
    assert (task.strategies[name].run(problem, unmeasured, **options) == ran(name, **options)).all()


def test_regularised_als_beats_popularity_and_the_defaults() -> None:
    tuned: dict[str, Any] = {"factors": 32, "regularization": 30.0, "alpha": 8.0}
    assert ndcg("als", **tuned) > ndcg("popularity") + 0.01
    assert ndcg("als", **tuned) > ndcg("als") + 0.02
    assert ndcg("als-cholesky", **tuned) == pytest.approx(ndcg("als", **tuned), abs=0.01)


def test_a_popularity_back_off_repairs_cold_users() -> None:
    without = ran("als", "cold_users", **PLAIN)
    backed = ran("als-popularity", "cold_users")
    unknown = np.diff(feedback("cold_users").visible.history.indptr) == 0
    assert unknown.any()
    assert (backed[~unknown] == without[~unknown]).all()
    assert (backed[unknown] == ran("popularity", "cold_users")[unknown]).all()
    gains = [metrics.judge(feedback("cold_users"), ranking).examples["ndcg"].values for ranking in (backed, without)]
    assert gains[0][unknown].mean() > gains[1][unknown].mean() + 0.02


@pytest.mark.parametrize("name", ["content", "als-features", "als-collective"])
def test_features_repair_cold_items(name: str) -> None:
    assert ndcg(name, "cold_items") > 1.2 * ndcg("als", "cold_items", **PLAIN)


def test_where_all_items_are_known_features_are_not_mapped() -> None:
    assert feedback().visible.train.sum(axis=0).min() > 0
    assert (ran("als-features") == ran("als", **PLAIN)).all()


def test_models_that_cannot_fold_in_show_new_users_what_is_popular() -> None:
    for name in ("bpr", "lmf"):
        assert (ran(name, "user_holdout") == ran("popularity", "user_holdout")).all()
    assert (ran("als", "user_holdout") != ran("popularity", "user_holdout")).mean() > 0.5


def test_biased_factorisation_needs_ratings_and_ranks_by_them() -> None:
    with pytest.raises(CannotRunError, match="there are no ratings to learn from"):
        ran("biased-mf")
    data = feedback().visible
    train = data.train.copy()
    best = train.indices < 20  # the first items are rated 5, the others 1
    train.data = np.where(best, 5, 1).astype(np.float32)
    problem = Problem(replace(data, train=train), {"threads": 1}, seed=0)
    ranking = task.strategies["biased-mf"].run(problem, unmeasured)
    assert (ranking < 20).mean() > 0.9


def test_altered_sets_are_ranked_by_the_same_model() -> None:
    data = feedback()
    altered = protocols.sampled(data, 20, np.random.default_rng(0)).visible
    problem = Problem(data.visible, {"threads": 1}, seed=3, altered={"sampled_20": altered})
    both = task.strategies["als"].run(problem, unmeasured, factors=8)
    assert (both.plain == ran("als", factors=8)).all()
    ranked = both.altered["sampled_20"]
    assert altered.candidates is not None
    assert all(set(row) <= set(among) for row, among in zip(ranked, altered.candidates, strict=True))
