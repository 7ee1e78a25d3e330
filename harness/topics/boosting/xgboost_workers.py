"""XGBoost by several workers: the rows divided among them (xgboost.dask), or the columns (xgboost.collective).

With divided rows, every worker adds its rows to histograms, and the sums of all workers are exchanged. With divided
columns, every worker has all rows of its columns: it finds the best split of these, and the worker that has the column
of the best split of all tells the others which rows go left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.topics.boosting.distributed import WORKERS, Trained, distributed
from harness.topics.boosting.engine import traffic
from harness.topics.boosting.engine.workers import LOOPBACK, Fitted, Workers, fitted
from harness.topics.boosting.xgboost_trees import NOTE, budget

if TYPE_CHECKING:
    import numpy.typing as npt
    import xgboost
    from xgboost.callback import TrainingCallback

    from harness import PhaseClock, Problem

    Array = npt.NDArray[Any]

NEEDS = ("xgboost", "dask.array", "distributed")
SHARED = f"{NOTE} The phase build sends the workers their parts; their data structures are made in fit."


@distributed.strategy(
    "xgboost-hist-data", needs=NEEDS, sweep={"workers": WORKERS}, note=f"Rows are divided among workers. {SHARED}"
)
def hist_data(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 256) -> Trained:
    """Bin every column once; workers exchange the sums of their histograms."""
    return _by_rows(problem, phase, workers, tree_method="hist", max_bin=max_bin)


@distributed.strategy(
    "xgboost-approx-data", needs=NEEDS, sweep={"workers": WORKERS}, note=f"Rows are divided among workers. {SHARED}"
)
def approx_data(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 256) -> Trained:
    """Like xgboost-hist-data, with quantiles that are sketched again for every tree."""
    return _by_rows(problem, phase, workers, tree_method="approx", max_bin=max_bin)


@distributed.strategy(
    "xgboost-hist-feature",
    needs=NEEDS,
    sweep={"workers": WORKERS},
    note=f"Columns are divided among workers, and all have the labels. {SHARED}",
)
def hist_feature(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 256) -> Trained:
    """Bin every column once; workers exchange their best splits, and which rows go left."""
    config = budget(problem) | {"tree_method": "hist", "max_bin": max_bin}

    def share(team: Workers, X: Array, y: Array) -> list[list[Any]]:
        count = len(team.addresses)
        # A part that is a view would be sent as a copy anyway; each worker needs its columns side by side.
        parts = [np.ascontiguousarray(part) for part in np.array_split(X, count, axis=1)]
        return [team.send(parts), team.send([y] * count)]

    def fit(team: Workers, parts: list[list[Any]], trees: int) -> xgboost.Booster:
        import xgboost
        from xgboost.tracker import RabitTracker

        count = len(team.addresses)
        tracker = RabitTracker(n_workers=count, host_ip=LOOPBACK, sortby="task")
        tracker.start()
        own = config | {"nthread": team.threads}
        ranks = [{**tracker.worker_args(), "dmlc_task_id": str(rank)} for rank in range(count)]
        models = team.together(_train_columns, ranks, [own] * count, [trees] * count, *parts)
        tracker.wait_for()
        return xgboost.Booster(model_file=bytearray(models[0]))

    return _predicted(problem, phase, fitted(problem, phase, workers, share, fit))


def _train_columns(place: dict[str, Any], config: dict[str, Any], trees: int, columns: Array, y: Array) -> bytes:
    """Train on a worker's columns, together with the other workers; all end with the same whole model."""
    import xgboost
    from xgboost.collective import CommunicatorContext

    with CommunicatorContext(**place):
        train = xgboost.DMatrix(columns, y, nthread=config["nthread"], data_split_mode=xgboost.core.DataSplitMode.COL)
        booster = xgboost.train(config, train, num_boost_round=trees, callbacks=[_noting()])
    return bytes(booster.save_raw())


def _by_rows(problem: Problem, phase: PhaseClock, workers: int, **method: Any) -> Trained:
    """Train with the task's budget; `method` has the settings that differ between strategies."""
    config = budget(problem) | method

    def share(team: Workers, X: Array, y: Array) -> tuple[Any, Any]:
        return team.rows(X), team.rows(y)

    def fit(team: Workers, parts: tuple[Any, Any], trees: int) -> xgboost.Booster:
        from xgboost.collective import Config
        from xgboost.dask import DaskDMatrix, train

        booster: xgboost.Booster = train(
            team.client,
            config | {"nthread": team.threads},
            DaskDMatrix(team.client, *parts),
            num_boost_round=trees,
            callbacks=[_noting()],
            coll_cfg=Config(tracker_host_ip=LOOPBACK),
        )["booster"]
        return booster

    return _predicted(problem, phase, fitted(problem, phase, workers, share, fit))


def _noting() -> TrainingCallback:
    """Make the callback that notes what a worker has used, while the connections of training are open."""
    from xgboost.callback import TrainingCallback

    class Noting(TrainingCallback):  # type: ignore[misc]  # xgboost is untyped here
        def after_training(self, model: Any) -> Any:
            traffic.note()
            return model

    return Noting()


def _predicted(problem: Problem, phase: PhaseClock, done: Fitted[xgboost.Booster]) -> Trained:
    """Predict in the trial's own process, with all its threads."""
    import xgboost

    done.model.set_param({"nthread": problem.threads})
    for _ in phase("predict"):
        scores = done.model.predict(xgboost.DMatrix(problem.data.test, nthread=problem.threads))
    return Trained(scores, done.bytes_sent, done.worker_peak_bytes)
