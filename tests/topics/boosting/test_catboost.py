"""CatBoost gets the budget, writes no files, and says which package it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from topics.boosting.test_learners import SMALL, TASKS, noisy, run, with_gaps

from harness.measure import job
from harness.topics import boosting

pytest.importorskip("catboost")


def fitted(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> Any:
    """Train a strategy of tabular-binary, and return CatBoost's own model."""
    import catboost

    models: list[Any] = []
    original = catboost.CatBoost.fit

    def keep(self: Any, *args: Any, **kwargs: Any) -> Any:
        models.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(catboost.CatBoost, "fit", keep)
    run(TASKS["tabular-binary"], name, noisy(), {**SMALL, **changes})
    return models[0]


@pytest.mark.parametrize("name", ["catboost", "catboost-ordered"])
def test_symmetric_trees_have_all_leaves(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted(monkeypatch, name, trees=6, depth=3)
    assert list(model.get_tree_leaf_counts()) == [8] * 6


def test_trees_grown_node_by_node_have_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = fitted(monkeypatch, "catboost-depthwise", trees=6, depth=3).get_tree_leaf_counts()
    assert len(counts) == 6
    assert 4 < max(counts) <= 8


def test_the_budget_is_that_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    used = fitted(monkeypatch, "catboost", trees=3, depth=4, learning_rate=0.25).get_all_params()
    asked = {"iterations": 3, "depth": 4, "learning_rate": 0.25, "l2_leaf_reg": 1, "bootstrap_type": "No"}
    assert {name: used[name] for name in asked} == pytest.approx(asked)
    assert (used["leaf_estimation_iterations"], used["boosting_type"], used["nan_mode"]) == (1, "Plain", "Min")


@pytest.mark.parametrize("task", ["tabular-binary", "categories"])
def test_predictions_are_repeatable_and_no_file_is_written(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = noisy() if task == "tabular-binary" else with_gaps()
    first, second, other = (run(TASKS[task], "catboost", data, SMALL, seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_reason_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [(task, name) for task in TASKS.values() for name in task.strategies if name.startswith("catboost")]
    assert len(names) == 9
    monkeypatch.setattr(job, "_extras", lambda: ("boosting", "catboost"))
    monkeypatch.setattr(job, "missing_module", lambda name: name == "catboost")
    assert {job.why_not(task.strategies[name], boosting.topic) for task, name in names} == {
        "package catboost is not installed (in a checkout of Bakeoff: pip install '.[catboost]')"
    }
