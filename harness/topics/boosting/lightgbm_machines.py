"""LightGBM's feature-parallel training by several processes of its command-line program; its Python interface has none.

Every process has all rows and all columns. It searches for splits in its share of the columns, and the processes
exchange their best ones (LightGBM documentation, Features, section "Optimization in Parallel Learning").
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.topics.boosting.distributed import WORKERS, Trained, distributed
from harness.topics.boosting.engine import machines
from harness.topics.boosting.engine.lightgbm_program import program
from harness.topics.boosting.engine.workers import WARM_UP_ROWS, threads_each
from harness.topics.boosting.lightgbm_trees import BY_ROWS, CAPPED, NOTE, ON_CPU, budget

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.boosting.engine.traffic import Usage

    Array = npt.NDArray[Any]


# All columns, by rounding. With a share of 1, LightGBM 4.7.0 does not reset the columns that a process searches before
# it divides them anew for the next tree (col_sampler.hpp, ResetByTree): from the second tree on, each divides its own
# share only, and most columns are searched by no process.
_ALL_COLUMNS = 0.999999


@distributed.strategy(
    "lightgbm-feature",
    needs="lightgbm",
    sweep={"workers": WORKERS},
    note="All workers have all data, and search for splits in different columns. Sets feature_fraction to 0.999999, "
    f"which is all columns: with 1, LightGBM 4.7.0 loses columns after every tree. {CAPPED} {NOTE} {BY_ROWS} The phase "
    "build bins and writes a file; fit starts the processes, which read it.",
)
def feature_parallel(problem: Problem, phase: PhaseClock, workers: int = 2, max_bin: int = 255) -> Trained:
    """Workers exchange their best splits only, by processes of LightGBM's command-line program."""
    import lightgbm

    place, threads = program(), threads_each(workers, problem.threads)
    data = problem.data
    config = {**budget(problem), **ON_CPU, "max_bin": max_bin, "feature_fraction": _ALL_COLUMNS}

    with tempfile.TemporaryDirectory(prefix="bakeoff-") as name:
        folder = Path(name)

        def build(file: str, X: Array, y: Array) -> None:
            lightgbm.Dataset(X, y, params=config).construct().save_binary(folder / file)

        def fit(file: str, trees: int) -> list[Usage]:
            settings = config | {"data": file, "num_iterations": trees, "tree_learner": "feature", "time_out": 1}
            return machines.train(place, settings, workers, threads, folder)

        with phase("start"):
            build("few.bin", data.train.X[:WARM_UP_ROWS], data.train.y[:WARM_UP_ROWS])
            fit("few.bin", 1)
        with phase("build"):
            build("all.bin", data.train.X, data.train.y)
        with phase("fit"):
            usage = fit("all.bin", problem.params["trees"])
        booster = lightgbm.Booster(model_file=folder / "model-0.txt")
    for _ in phase("predict"):
        scores = booster.predict(data.test, num_threads=problem.threads)
    return Trained(
        scores,
        bytes_sent=sum(one.sent() for one in usage),
        worker_peak_bytes=max(one.peak_bytes for one in usage),
    )
