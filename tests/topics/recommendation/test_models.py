"""Strategies of neighbourhoods and linear models: what each ranks."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from unmeasured import unmeasured

from harness.declare import Problem
from harness.errors import CannotRunError
from harness.topics.recommendation import linear, neighbours, worlds
from harness.topics.recommendation.engine import metrics, protocols
from harness.topics.recommendation.engine.feedback import Feedback, Ranking
from harness.topics.recommendation.ranking import task

importlib.import_module("harness.topics.recommendation.baselines")  # registers random

SIZES = {name: param.default for name, param in worlds.PARAMS.items()} | {"users": 400, "items": 150, "density": 0.06}
MODELS = [
    name
    for name, strategy in task.strategies.items()
    if not strategy.tries and strategy.run.__module__ in (neighbours.__name__, linear.__name__)
]


@cache
def _feedback(protocol: str) -> Feedback:
    rng = np.random.default_rng(0)
    return protocols.redivide(worlds.synthetic_implicit(SIZES, rng), getattr(protocols, protocol), rng)


def _ran(name: str, data: Any, **options: Any) -> Ranking:
    found: Ranking = task.strategies[name].run(Problem(data, {"threads": 1}, seed=0), unmeasured, **options)
    return found


@pytest.mark.parametrize("protocol", ["random_holdout", "user_holdout"])
@pytest.mark.parametrize("name", MODELS)
def test_each_ranks_better_than_at_random_also_for_new_users(name: str, protocol: str) -> None:
    data = _feedback(protocol)
    ndcg = {of: metrics.judge(data, _ran(of, data.visible)).metrics["ndcg"] for of in (name, "random")}
    assert ndcg[name] > 2 * ndcg["random"]


@pytest.mark.parametrize(("name", "weighting"), [("implicit-cosine", "cosine"), ("implicit-tfidf", "tfidf")])
def test_the_models_of_implicit_are_item_knn_of_the_other_side(name: str, weighting: str) -> None:
    visible = _feedback("random_holdout").visible
    ours = _ran("item-knn", visible, weighting=weighting, neighbours=150, side="source")
    assert np.mean(_ran(name, visible, neighbours=150) == ours) > 0.99


@pytest.mark.parametrize("name", MODELS)
def test_ratings_do_not_count(name: str) -> None:
    visible = _feedback("random_holdout").visible

    def rated(matrix: Any) -> Any:
        ratings = np.random.default_rng(1).integers(1, 6, matrix.nnz).astype(np.float32)
        return sparse.csr_array((ratings, matrix.indices, matrix.indptr), shape=matrix.shape)

    with_ratings = replace(visible, train=rated(visible.train), history=rated(visible.history))
    np.testing.assert_array_equal(_ran(name, with_ratings), _ran(name, visible))


def test_a_dense_sansa_ranks_as_ease() -> None:
    visible = _feedback("random_holdout").visible
    assert np.mean(_ran("sansa", visible, weight_density=1.0) == _ran("ease", visible)) > 0.99


def test_slim_refuses_large_catalogues() -> None:
    visible = _feedback("random_holdout").visible
    wide = sparse.csr_array((visible.train.data, visible.train.indices, visible.train.indptr), shape=(400, 3_000))
    with pytest.raises(CannotRunError, match="3,000 items take too long"):
        _ran("slim", replace(visible, train=wide))
