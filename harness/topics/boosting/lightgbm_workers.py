"""LightGBM by several workers (lightgbm.dask): the rows are divided among them.

Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree"; voting: Meng et al. 2016,
"A communication-efficient parallel algorithm for decision tree", arXiv 1611.01276.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from harness.topics.boosting.distributed import WORKERS, Trained, distributed
from harness.topics.boosting.engine import traffic
from harness.topics.boosting.engine.workers import Workers, fitted
from harness.topics.boosting.lightgbm_trees import BY_ROWS, CAPPED, NOTE, ON_CPU, budget

if TYPE_CHECKING:
    import lightgbm
    import numpy.typing as npt

    from harness import PhaseClock, Problem

    Array = npt.NDArray[Any]

NEEDS = ("lightgbm", "pandas", "dask.array", "distributed")
SHARED = (
    f"Rows are divided among workers. {CAPPED} {NOTE} {BY_ROWS} The phase build sends the workers their parts; their "
    "data structures are made in fit."
)


@distributed.strategy("lightgbm-data", needs=NEEDS, sweep={"workers": WORKERS}, note=SHARED)
def data_parallel(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 255) -> Trained:
    """Workers exchange the sums of their histograms of all columns."""
    return _by_rows(problem, phase, workers, tree_learner="data", max_bin=max_bin)


@distributed.strategy(
    "lightgbm-voting",
    needs=NEEDS,
    sweep={"workers": WORKERS, "top_k": (5, 20, 80)},
    note=f"{SHARED} With few top_k the trees may differ from those of one process.",
)
def voting(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 255, top_k: int = 20) -> Trained:
    """Every worker votes for `top_k` columns; sums are exchanged for the 2 `top_k` columns with the most votes."""
    return _by_rows(problem, phase, workers, tree_learner="voting", max_bin=max_bin, top_k=top_k)


class _Noting:
    """The callback that notes what a worker has used after the last tree, while its connections are open."""

    order = 100
    before_iteration = False

    def __call__(self, state: Any) -> None:
        if state.iteration == state.end_iteration - 1:
            traffic.note()


def _by_rows(problem: Problem, phase: PhaseClock, workers: int, **method: Any) -> Trained:
    """Train with the task's budget; `method` has the settings that differ between strategies."""
    config = {**budget(problem), **ON_CPU, **method, "time_out": 1}
    del config["num_threads"]  # workers have the threads that Dask gives them

    def share(team: Workers, X: Array, y: Array) -> tuple[Any, Any]:
        return team.rows(X), team.rows(y)

    def fit(team: Workers, parts: tuple[Any, Any], trees: int) -> lightgbm.Booster:
        # The regressor takes an objective of classes too, and does not ask which classes the rows of a worker have.
        from lightgbm.dask import DaskLGBMRegressor

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Parameter n_jobs will be ignored")
            model = DaskLGBMRegressor(client=team.client, n_estimators=trees, **config)
            booster: lightgbm.Booster = model.fit(*parts, callbacks=[_Noting()]).booster_
        return booster

    done = fitted(problem, phase, workers, share, fit)
    for _ in phase("predict"):
        scores = done.model.predict(problem.data.test, num_threads=problem.threads)
    return Trained(scores, done.bytes_sent, done.worker_peak_bytes)
