"""Strategies of LightGBM, which searches for splits on histograms.

Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree"; without its sampling (GOSS).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness import CannotRunError
from harness.topics._shared.binary import Floats
from harness.topics.boosting import (
    L2,
    LEAST_HESSIAN,
    LEAST_ROWS,
    SEARCH,
    categories,
    early_stopping,
    latency,
    regression,
    task,
)

if TYPE_CHECKING:
    import lightgbm

    from harness import PhaseClock, Problem
    from harness.data.tabular import Floats as Matrix
    from harness.data.tabular import Table, Visible
    from harness.topics.boosting.early_stopping import Stopped
    from harness.topics.boosting.latency import Answers
    from harness.topics.boosting.learners import Goal, Scores

CAPPED = "Grows leaf by leaf to 2**depth leaves, at most depth deep."
NOTE = (
    "Differs from the library's defaults in lambda_l2 1 (not 0), min_data_in_leaf 1 (not 20) and min_data_in_bin 1 "
    "(not 3)."
)
BY_ROWS = "Builds histograms by rows, so that seed and number of threads determine the model."


@task.strategy(
    "lightgbm",
    needs="lightgbm",
    note=f"{CAPPED} {NOTE} {BY_ROWS}",
    search={**SEARCH, "least_hessian": (LEAST_HESSIAN, 1.0, 10.0)},
)
def lightgbm_cpu(
    problem: Problem,
    phase: PhaseClock,
    max_bin: int = 255,
    l2: float = L2,
    least_hessian: float = LEAST_HESSIAN,
    columns: float = 1.0,
    rate_factor: float = 1.0,
) -> Floats:
    """Bin every column once and split the leaf with the largest gain next."""
    return _train(
        problem,
        phase,
        max_bin=max_bin,
        lambda_l2=l2,
        min_sum_hessian_in_leaf=least_hessian,
        feature_fraction_bynode=columns,
        learning_rate=rate_factor * problem.params["learning_rate"],
        **ON_CPU,
    )


@task.strategy(
    "lightgbm-uncapped",
    needs="lightgbm",
    note=f"Grows leaf by leaf to 2**depth leaves, without a limit of depth. {NOTE} {BY_ROWS}",
)
def lightgbm_uncapped(problem: Problem, phase: PhaseClock, max_bin: int = 255) -> Floats:
    """Like lightgbm, with as many leaves, at any depth."""
    return _train(problem, phase, max_bin=max_bin, max_depth=-1, **ON_CPU)


@task.strategy(
    "lightgbm-cuda", needs="lightgbm", device="cuda", note=f"{CAPPED} {NOTE} Needs a LightGBM built with CUDA."
)
def lightgbm_cuda(problem: Problem, phase: PhaseClock, max_bin: int = 255) -> Floats:
    """Like lightgbm, on a CUDA device."""
    with _needs("CUDA"):
        return _train(problem, phase, max_bin=max_bin, device_type="cuda")


@task.strategy(
    "lightgbm-opencl",
    needs="lightgbm",
    device="opencl",
    quick=False,
    note=f"{CAPPED} {NOTE} Sums in double precision. Trains once before the first phase, to compile its kernels.",
)
def lightgbm_opencl(problem: Problem, phase: PhaseClock, max_bin: int = 255) -> Floats:
    """Like lightgbm, on an OpenCL device: a card of any vendor, or the CPU."""
    with _needs("OpenCL"):
        return _train(problem, phase, compiles=True, max_bin=max_bin, device_type="gpu", gpu_use_dp=True)


ON_CPU: Mapping[str, Any] = MappingProxyType({"force_row_wise": True, "deterministic": True})


@contextmanager
def _needs(device: str) -> Iterator[None]:
    """Turn LightGBM's errors about a device that it lacks into the reason why the trial is skipped."""
    from lightgbm.basic import LightGBMError

    try:
        yield
    except LightGBMError as error:
        if "not enabled in this build" in str(error):
            raise CannotRunError(f"this LightGBM is built without {device}") from None
        if f"No {device} device found" in str(error):
            raise CannotRunError(f"LightGBM finds no {device} device") from None
        raise


def _train(problem: Problem, phase: PhaseClock, *, compiles: bool = False, **method: Any) -> Floats:
    """Build, fit and predict with the task's budget; `method` has the settings that differ between strategies.

    A learner that compiles is trained once for nothing: which kernels it needs depends on the rows of its leaves, and
    drivers keep what they have compiled.
    """
    import lightgbm

    data, config = problem.data, budget(problem) | method

    def build() -> lightgbm.Dataset:
        return lightgbm.Dataset(data.train.X, data.train.y, params=config).construct()

    def fit(train: lightgbm.Dataset) -> lightgbm.Booster:
        return lightgbm.train(config, train, num_boost_round=problem.params["trees"])

    if compiles:
        fit(build())
    for _ in phase("build"):
        train = build()
    with phase("fit"):
        booster = fit(train)

    def predict(view: Visible) -> Floats:
        scores: Floats = booster.predict(view.test, num_threads=problem.threads)
        return scores

    for _ in phase("predict"):
        scores = predict(data)
    return problem.with_altered(scores, phase, predict)


def budget(problem: Problem) -> dict[str, Any]:
    """Return the library's settings for the task's budget of trees, leaves, depth and threads."""
    return {
        "objective": "binary",
        "num_leaves": 2 ** problem.params["depth"],
        "max_depth": problem.params["depth"],
        "learning_rate": problem.params["learning_rate"],
        "lambda_l2": L2,
        "min_sum_hessian_in_leaf": LEAST_HESSIAN,
        "min_data_in_leaf": LEAST_ROWS,
        "min_data_in_bin": 1,
        "num_threads": problem.threads,
        "seed": problem.seed,
        "verbosity": -1,
    }


class LeafWise:
    """A `Learner` of any target, which handles categories itself."""

    def __init__(self, problem: Problem, goal: Goal) -> None:
        self._goal = goal
        self._rounds = int(problem.params["trees"])
        self._threads = problem.threads
        self._config = budget(problem) | {**ON_CPU, "objective": _OBJECTIVES[goal.target]}
        if goal.target == "multiclass":
            self._config["num_class"] = goal.classes

    def build(self, train: Table, validation: Table | None = None) -> None:
        """Bin the rows."""
        import lightgbm

        columns = list(self._goal.categorical)
        self._train = lightgbm.Dataset(train.X, train.y, categorical_feature=columns, params=self._config).construct()
        self._watched = [] if validation is None else [self._train.create_valid(validation.X, validation.y)]

    def fit(self) -> None:
        """Train."""
        import lightgbm

        patience = self._goal.patience
        self._booster = lightgbm.train(
            self._config,
            self._train,
            num_boost_round=self._rounds,
            valid_sets=self._watched,
            callbacks=[lightgbm.early_stopping(patience, verbose=False)] if patience else [],
        )

    @property
    def trees(self) -> int:
        """Rounds up to the one with the lowest validation loss."""
        return int(self._booster.best_iteration) if self._goal.patience else self._rounds

    def predict(self, X: Matrix) -> Scores:
        """Predict with the trees up to the best round."""
        found: Scores = self._booster.predict(X, num_iteration=self.trees, num_threads=self._threads)
        return found


_OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "real": "regression"}


@categories.task.strategy(
    "lightgbm",
    needs=("lightgbm", *categories.MODULES),
    sweep={"encoding": categories.ENCODINGS},
    note=f"{CAPPED} {NOTE} {BY_ROWS} Native: sorts the categories of a node by gradient and splits the order in two, "
    "with penalties of its own (cat_l2 10, cat_smooth 10), and leaves out the rarest.",
)
def lightgbm_categories(problem: Problem, phase: PhaseClock, encoding: str = "native") -> Scores:
    """Split categories into two sets, the leaf with the largest gain next."""
    return categories.run(problem, phase, LeafWise, encoding)


@regression.task.strategy("lightgbm", needs="lightgbm", note=f"{CAPPED} {NOTE} {BY_ROWS}")
def lightgbm_regression(problem: Problem, phase: PhaseClock) -> Scores:
    """Bin every column once and split the leaf with the largest gain next, by squared error."""
    return regression.run(problem, phase, LeafWise)


@early_stopping.task.strategy(
    "lightgbm", needs="lightgbm", sweep={"stop": (True, False)}, note=f"{CAPPED} {NOTE} {BY_ROWS}"
)
def lightgbm_stopped(problem: Problem, phase: PhaseClock, *, stop: bool = True) -> Stopped:
    """Stop when the validation loss no longer falls, and predict with the trees up to its minimum."""
    return early_stopping.run(problem, phase, LeafWise, stop=stop)


@latency.task.strategy("lightgbm", needs="lightgbm", note=f"{CAPPED} {NOTE} {BY_ROWS}")
def lightgbm_answers(problem: Problem, phase: PhaseClock) -> Answers:
    """Answer by Booster.predict."""
    return latency.run(problem, phase, LeafWise)
