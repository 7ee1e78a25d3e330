"""Strategies of XGBoost: its ways to search for splits.

Chen & Guestrin 2016, "XGBoost: a scalable tree boosting system", sections 3.1 (exact) and 3.2 (approximate).
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import CannotRunError
from harness.topics.boosting import (
    L2,
    LEAST_HESSIAN,
    SEARCH,
    categories,
    early_stopping,
    latency,
    regression,
    task,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xgboost

    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats, Table, Visible
    from harness.topics.boosting.early_stopping import Stopped
    from harness.topics.boosting.latency import Answers
    from harness.topics.boosting.learners import Goal
    from harness.topics.boosting.learners import Scores as AnyScores

    Scores = npt.NDArray[np.float32]

BINS = (8, 32, 64, 128, 256, 512)
NOTE = "Differs from the library's defaults in min_child_weight 0.001 (not 1)."


@task.strategy("xgboost-exact", needs="xgboost", note=NOTE)
def exact(problem: Problem, phase: PhaseClock) -> Scores:
    """Try every distinct value of every column as a split."""
    return _train(problem, phase, tree_method="exact")


@task.strategy("xgboost-approx", needs="xgboost", sweep={"max_bin": BINS}, note=NOTE)
def approx(problem: Problem, phase: PhaseClock, max_bin: int = 256) -> Scores:
    """Split between quantiles that are sketched again for every tree, weighted by the hessian."""
    return _train(problem, phase, tree_method="approx", max_bin=max_bin)


@task.strategy(
    "xgboost-hist",
    needs="xgboost",
    sweep={"max_bin": BINS},
    note=NOTE,
    search={**SEARCH, "least_hessian": (LEAST_HESSIAN, 1.0, 10.0)},
)
def hist(
    problem: Problem,
    phase: PhaseClock,
    max_bin: int = 256,
    l2: float = L2,
    least_hessian: float = LEAST_HESSIAN,
    columns: float = 1.0,
    rate_factor: float = 1.0,
) -> Scores:
    """Bin every column once and split between bins, level by level."""
    return _train(
        problem,
        phase,
        tree_method="hist",
        max_bin=max_bin,
        reg_lambda=l2,
        min_child_weight=least_hessian,
        colsample_bynode=columns,
        learning_rate=rate_factor * problem.params["learning_rate"],
    )


@task.strategy(
    "xgboost-hist-quantile",
    needs="xgboost",
    sweep={"max_bin": BINS},
    note=f"{NOTE} Bins in the phase build; xgboost-hist copies the table in build and bins in fit.",
)
def hist_quantile(problem: Problem, phase: PhaseClock, max_bin: int = 256) -> Scores:
    """Like xgboost-hist, from a QuantileDMatrix: the table is binned without a copy."""
    return _train(problem, phase, quantile=True, tree_method="hist", max_bin=max_bin)


@task.strategy(
    "xgboost-hist-leafwise",
    needs="xgboost",
    sweep={"max_bin": BINS},
    note=f"{NOTE} Grows leaf by leaf (grow_policy lossguide) to 2**depth leaves, at most depth deep.",
)
def hist_leafwise(problem: Problem, phase: PhaseClock, max_bin: int = 256) -> Scores:
    """Like xgboost-hist, but split the leaf with the largest gain next."""
    return _train(problem, phase, tree_method="hist", max_bin=max_bin, **_leafwise(problem))


@task.strategy(
    "xgboost-hist-leafwise-uncapped",
    needs="xgboost",
    sweep={"max_bin": BINS},
    note=f"{NOTE} Grows leaf by leaf (grow_policy lossguide) to 2**depth leaves, without a limit of depth.",
)
def hist_leafwise_uncapped(problem: Problem, phase: PhaseClock, max_bin: int = 256) -> Scores:
    """Like xgboost-hist-leafwise, with as many leaves, at any depth."""
    return _train(problem, phase, tree_method="hist", max_bin=max_bin, max_depth=0, **_leafwise(problem))


@task.strategy("xgboost-hist-gpu", needs="xgboost", device="cuda", sweep={"max_bin": BINS}, note=NOTE)
def hist_gpu(problem: Problem, phase: PhaseClock, max_bin: int = 256) -> Scores:
    """Like xgboost-hist, on a CUDA device."""
    return _train(problem, phase, tree_method="hist", max_bin=max_bin, device="cuda")


def _leafwise(problem: Problem) -> dict[str, Any]:
    return {"grow_policy": "lossguide", "max_leaves": 2 ** problem.params["depth"]}


def _check_device(booster: xgboost.Booster, wanted: str) -> None:
    """Refuse a model that was trained on another device, about which XGBoost only warns."""
    used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    if not used.startswith(wanted):
        raise CannotRunError(f"XGBoost has no {wanted} device that it can use, and trained on {used} instead")


def _train(problem: Problem, phase: PhaseClock, *, quantile: bool = False, **method: Any) -> Scores:
    """Build, fit and predict with the task's budget; `method` has the settings that differ between strategies."""
    import xgboost

    data, threads = problem.data, problem.threads
    config = budget(problem) | method
    for _ in phase("build"):
        if quantile:
            train = xgboost.QuantileDMatrix(data.train.X, data.train.y, nthread=threads, max_bin=config["max_bin"])
        else:
            train = xgboost.DMatrix(data.train.X, data.train.y, nthread=threads)
    # Measured once: training stores its bins in the matrix, and a second pass would reuse them.
    with phase("fit"):
        booster = xgboost.train(config, train, num_boost_round=problem.params["trees"])
    if "device" in config:
        _check_device(booster, config["device"])

    def predict(view: Visible) -> Scores:
        scores: Scores = booster.predict(xgboost.DMatrix(view.test, nthread=threads))
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)


def budget(problem: Problem) -> dict[str, Any]:
    """Return the library's settings for the task's budget of trees, leaves, depth and threads."""
    return {
        "objective": "binary:logistic",
        "max_depth": problem.params["depth"],
        "learning_rate": problem.params["learning_rate"],
        "reg_lambda": L2,
        "min_child_weight": LEAST_HESSIAN,
        "nthread": problem.threads,
        "seed": problem.seed,
        "verbosity": 0,
    }


class Hist:
    """A `Learner` of any target by histograms, which handles categories itself.

    Parameters
    ----------
    inplace
        Whether predictions read the array as it is, without a `DMatrix`; not with categories.
    """

    def __init__(self, problem: Problem, goal: Goal, *, inplace: bool = False) -> None:
        self._goal = goal
        self._rounds = int(problem.params["trees"])
        self._config = budget(problem) | {"tree_method": "hist"} | _OBJECTIVES[goal.target]
        if goal.target == "multiclass":
            self._config["num_class"] = goal.classes
        self._threads = problem.threads
        self._inplace = inplace

    def _matrix(self, X: Floats, y: npt.NDArray[Any] | None = None) -> xgboost.DMatrix:
        import xgboost

        types = ["c" if column in self._goal.categorical else "q" for column in range(X.shape[1])]
        named = {"feature_types": types, "enable_categorical": True} if self._goal.categorical else {}
        return xgboost.DMatrix(X, y, nthread=self._threads, **named)

    def build(self, train: Table, validation: Table | None = None) -> None:
        """Copy the rows."""
        self._train = self._matrix(train.X, train.y)
        self._watched = [] if validation is None else [(self._matrix(validation.X, validation.y), "validation")]

    def fit(self) -> None:
        """Bin and train."""
        import xgboost

        self._booster = xgboost.train(
            self._config,
            self._train,
            num_boost_round=self._rounds,
            evals=self._watched,
            early_stopping_rounds=self._goal.patience or None,
            verbose_eval=False,
        )

    @property
    def trees(self) -> int:
        """Rounds up to the one with the lowest validation loss."""
        return int(self._booster.best_iteration) + 1 if self._goal.patience else self._rounds

    def predict(self, X: Floats) -> AnyScores:
        """Predict with the trees up to the best round."""
        used = (0, self.trees)
        found: AnyScores = (
            self._booster.inplace_predict(X, iteration_range=used)
            if self._inplace
            else self._booster.predict(self._matrix(X), iteration_range=used)
        )
        return found


_OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic", "eval_metric": "logloss"},
    "multiclass": {"objective": "multi:softprob", "eval_metric": "mlogloss"},
    "real": {"objective": "reg:squarederror", "eval_metric": "rmse"},
}


@categories.task.strategy(
    "xgboost-hist",
    needs=("xgboost", *categories.MODULES),
    sweep={"encoding": categories.ENCODINGS},
    note=f"{NOTE} Native: sorts the categories of a node by gradient and splits the order in two.",
)
def hist_categories(problem: Problem, phase: PhaseClock, encoding: str = "native") -> AnyScores:
    """Split categories into two sets, level by level."""
    return categories.run(problem, phase, Hist, encoding)


@regression.task.strategy("xgboost-hist", needs="xgboost", note=NOTE)
def hist_regression(problem: Problem, phase: PhaseClock) -> AnyScores:
    """Bin every column once and split between bins, level by level, by squared error."""
    return regression.run(problem, phase, Hist)


@early_stopping.task.strategy("xgboost-hist", needs="xgboost", sweep={"stop": (True, False)}, note=NOTE)
def hist_stopped(problem: Problem, phase: PhaseClock, *, stop: bool = True) -> Stopped:
    """Stop when the validation loss no longer falls, and predict with the trees up to its minimum."""
    return early_stopping.run(problem, phase, Hist, stop=stop)


@latency.task.strategy("xgboost-hist", needs="xgboost", note=f"{NOTE} Makes a DMatrix of every request.")
def hist_answers(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by Booster.predict."""
    return latency.run(problem, phase, Hist)


@latency.task.strategy("xgboost-hist-inplace", needs="xgboost", note=NOTE)
def hist_answers_inplace(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by Booster.inplace_predict, which reads the array of a request as it is."""
    return latency.run(problem, phase, partial(Hist, inplace=True))
