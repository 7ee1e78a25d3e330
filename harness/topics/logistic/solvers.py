"""The task solvers: the time to come close to the optimum of one objective, for all solvers the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import CLEAN, CannotRunError, Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Takes
from harness.topics.logistic import topic
from harness.topics.logistic.worlds import ENGINE

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

MODULES = (f"{ENGINE}.optimum", f"{ENGINE}.solving", "scipy.sparse.linalg", "sklearn.linear_model")
OBJECTIVE = {
    "penalty": Param("l2", choices=("l1", "l2"), summary="kind of penalty"),
    "l1": Param(0.1, low=1e-4, high=0.99, summary="L1 penalty, divided by the least at which all coefficients are 0"),
    "l2": Param(1.0, low=1e-6, high=1e6, summary="L2 penalty, divided by that of a standard normal prior: 1 / C"),
}
SIZE = {
    "rows": Param(2_000, low=10, high=1_000_000, summary="rows"),
    "columns": Param(50, low=2, high=10_000, summary="columns of a dense design"),
}
DECADES = {
    "decades": Param(
        3.0, low=0.0, high=12.0, summary="powers of 10 between the scales of columns that are badly scaled"
    )
}
GOAL = {
    "target": Param(1e-8, low=1e-11, high=0.5, summary="relative suboptimality up to which a solver runs"),
    "patience": Param(3.0, low=0.001, high=3_600.0, summary="longest CPU time of a run, in seconds"),
}
SKLEARN_L2 = ("lbfgs", "newton-cg", "newton-cholesky", "sag")


def _posed(made: Any, params: Mapping[str, Scalar]) -> Any:
    from harness.topics.logistic.engine.optimum import posed

    X, labels = made
    return posed(X, labels, penalty=str(params["penalty"]), l1=float(params["l1"]), l2=float(params["l2"]))


def _dense(params: Mapping[str, Scalar], rng: Generator) -> Any:
    from harness.topics.logistic.engine.designs import dense

    return _posed(dense(rng, int(params["rows"]), int(params["columns"])), params)


def _badly_scaled(params: Mapping[str, Scalar], rng: Generator) -> Any:
    from harness.topics.logistic.engine.designs import dense

    return _posed(dense(rng, int(params["rows"]), int(params["columns"]), float(params["decades"])), params)


def _wide(params: Mapping[str, Scalar], rng: Generator) -> Any:
    from harness.topics.logistic.engine.designs import dense

    return _posed(dense(rng, int(params["columns"]), int(params["rows"])), params)


def _sparse(params: Mapping[str, Scalar], rng: Generator) -> Any:
    from harness.topics.logistic.engine.designs import sparse

    return _posed(sparse(rng, int(params["rows"]), int(params["columns"])), params)


def _texts(data: Any, params: Mapping[str, Scalar], _rng: Generator) -> Any:
    from harness.topics.logistic.engine.designs import texts

    return _posed(texts(data), params)


_made = partial(Dataset, needs=(f"{ENGINE}.optimum", "sklearn.linear_model", "sklearn.feature_extraction.text"))
DENSE = _made("dense", _dense, "Correlated columns of one scale.", {**SIZE, **OBJECTIVE})
BADLY_SCALED = _made(
    "badly-scaled", _badly_scaled, "Columns of very different scales.", {**SIZE, **OBJECTIVE, **DECADES}
)
WIDE = _made("wide", _wide, "More columns than rows: their numbers are exchanged.", {**SIZE, **OBJECTIVE})
SPARSE = _made("sparse", _sparse, "TF-IDF of words with Zipf's frequencies.", {**SIZE, **OBJECTIVE})


def _judge(data: Any, output: Any) -> Judgement:
    from harness.topics.logistic.engine import solving

    return solving.judge(data, output)


task = topic.task(
    "solvers",
    title="Penalised logistic regression to a given precision: the same objective without an intercept, in float64",
    datasets=[DENSE, BADLY_SCALED, WIDE, SPARSE, "debian-descriptions"],
    takes=Takes("text", targets=("binary", "multiclass"), prepare=_texts),
    scenarios=[CLEAN],
    phases=["compile", "search", "solve"],
    setup=["compile", "search"],
    metrics=[
        Metric(
            "digits",
            direction="higher",
            unit="1",
            margin=16,  # all that float64 has: whatever reaches the target is as good
            summary="Relative suboptimality as -log10: 8 is a hundred-millionth of the distance from the value at 0.",
        ),
        Metric(
            "iterations",
            direction="lower",
            unit="iterations",
            summary="Of the solver's own kind: they cost different amounts of work.",
        ),
    ],
    judge=_judge,
    params={**SIZE, **OBJECTIVE, **DECADES, **GOAL},
    sweep={"penalty": ["l1"], "target": [1e-4], "rows": [10_000]},
    reference="lbfgs",
    charts=[
        Chart(
            "descent",
            title="Suboptimality over time",
            x="CPU time of a run, s",
            y="relative suboptimality",
            log_x=True,
            log_y=True,
            reading="Each point is a run from coefficients of 0 with a given number of iterations.",
        )
    ],
    quick=Profile(
        3,
        {"rows": 500, "columns": 10},
        datasets=("badly-scaled",),
        strategies=("lbfgs", "liblinear", "newton-cholesky"),
    ),
    full=Profile(blocks=6, sweeps=True),
)


def _only_l2(problem: Problem) -> None:
    if problem.data.penalty != "l2":
        raise CannotRunError("it has no L1 penalty")


@task.strategy("lbfgs", needs=MODULES, note="L2 only.")
def lbfgs(problem: Problem, phase: PhaseClock) -> Any:
    """Approximate the Hessian by the last ten gradients (scikit-learn)."""
    return _smooth(problem, phase, "lbfgs")


@task.strategy("newton-cg", needs=MODULES, note="L2 only.")
def newton_cg(problem: Problem, phase: PhaseClock) -> Any:
    """Take Newton steps found by conjugate gradients (scikit-learn)."""
    return _smooth(problem, phase, "newton-cg")


@task.strategy("newton-cholesky", needs=MODULES, note="L2 only. Its memory grows with the square of the columns.")
def newton_cholesky(problem: Problem, phase: PhaseClock) -> Any:
    """Take Newton steps found by factorising the Hessian (scikit-learn)."""
    return _smooth(problem, phase, "newton-cholesky")


@task.strategy("sag", needs=MODULES, note="L2 only.")
def sag(problem: Problem, phase: PhaseClock) -> Any:
    """Average the gradients of single rows (scikit-learn); an iteration goes over all rows."""
    return _smooth(problem, phase, "sag")


def _smooth(problem: Problem, phase: PhaseClock, solver: str) -> Any:
    from harness.topics.logistic.engine import solving

    _only_l2(problem)
    return solving.solve(problem, phase, solving.scikit_learn(problem, solver))


@task.strategy("saga", needs=MODULES)
def saga(problem: Problem, phase: PhaseClock) -> Any:
    """Average the gradients of single rows without bias (scikit-learn); an iteration goes over all rows."""
    from harness.topics.logistic.engine import solving

    return solving.solve(problem, phase, solving.scikit_learn(problem, "saga"))


@task.strategy("liblinear", needs=MODULES)
def liblinear(problem: Problem, phase: PhaseClock) -> Any:
    """Take Newton steps in a trust region, or by coordinate descent where the penalty is L1 (scikit-learn)."""
    from harness.topics.logistic.engine import solving

    return solving.solve(problem, phase, solving.scikit_learn(problem, "liblinear"))


@task.strategy("glum", needs=(*MODULES, "glum"))
def glum(problem: Problem, phase: PhaseClock) -> Any:
    """Solve reweighted least squares again and again, by coordinate descent where the penalty is L1 (glum)."""
    from harness.topics.logistic.engine import solving

    return solving.solve(problem, phase, solving.glum(problem))


@task.strategy(
    "skglm",
    needs=(*MODULES, "skglm.datafits", "skglm.penalties", "skglm.solvers"),
    note="An iteration solves one working set. Compiling takes about 10 s in every trial and is in no total.",
)
def skglm(problem: Problem, phase: PhaseClock) -> Any:
    """Descend along coordinates of a growing working set, with Anderson acceleration (skglm)."""
    from harness.topics.logistic.engine import solving

    return solving.solve(problem, phase, solving.skglm(problem))
