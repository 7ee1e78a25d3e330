"""The tasks regularisation and prediction: which penalty finds the columns that matter, and which predicts best.

Coefficients can be judged only where the true ones are known, so the first task has generated data, and the second has
real data too. Every path has the same number of penalties, chosen by the same folds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Chart, Judgement, Metric, Param, Profile, Takes
from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
from harness.topics._shared.binary import FIGURES, METRICS
from harness.topics.logistic import topic
from harness.topics.logistic.scenarios import class_noise, on_world, prior_shift
from harness.topics.logistic.worlds import ENGINE, PARAMS, SYNTHETIC_LOGIT

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

MODULES = (
    *(f"{ENGINE}.{name}" for name in ("classifiers", "descent", "paths", "selection")),
    "sklearn.linear_model",
    "sklearn.metrics",
)
BUDGET = {
    "penalties": Param(20, low=2, high=1_000, summary="penalties of a path"),
    "folds": Param(5, low=2, high=100, summary="folds by which a penalty is chosen"),
}
SCENARIOS = tuple(
    on_world(scenario)
    for scenario in (
        label_noise(0.2),
        class_noise(0.3),
        covariate_shift(1.0),
        prior_shift(0.25),
        imbalance(0.1),
    )
)
# The log loss is what fits minimise and what chooses penalties, so it comes first.
PREDICTION = tuple(sorted(METRICS, key=lambda metric: metric.name != "log_loss"))
RECOVERY = (
    Metric(
        "support_f1",
        direction="higher",
        unit="1",
        margin=0.02,
        summary="Harmonic mean of precision and recall of the coefficients that are not 0.",
    ),
    Metric(
        "support_precision",
        direction="higher",
        unit="1",
        margin=0.02,
        summary="Share of the selected columns that have an effect; 1 where none is selected.",
    ),
    Metric(
        "support_recall",
        direction="higher",
        unit="1",
        margin=0.02,
        summary="Share of the columns with an effect that are selected.",
    ),
    Metric(
        "false_discoveries",
        direction="lower",
        unit="columns",
        margin=0.5,
        summary="Number of selected columns without an effect.",
    ),
    Metric(
        "coefficient_error",
        direction="lower",
        unit="1",
        margin=0.02,
        summary="Distance of the coefficients from the true ones, divided by the length of those.",
    ),
    Metric(
        "coefficient_scale",
        direction="higher",
        unit="1",
        margin=0.02,
        summary="Length of the coefficients along the true ones, divided by theirs; below 1 they are shrunk.",
    ),
)
PATH = "penalty, divided by the largest of the path"
PATH_LOSS = Chart(
    "path_loss",
    title="Regularisation path: log loss",
    x=PATH,
    y="log loss of held-out training rows, nat",
    log_x=True,
    reading="Cross-validation chooses the penalty with the least loss. To the right the model is too simple, to the "
    "left it fits noise.",
)
PATHS = (
    Chart(
        "path_f1",
        title="Regularisation path: columns found",
        x=PATH,
        y="F1 of the selected columns",
        log_x=True,
        reading="How well the coefficients that are not 0 match the columns with an effect. The best penalty is larger "
        "than the one that predicts best.",
    ),
    Chart(
        "path_error",
        title="Regularisation path: error of the coefficients",
        x=PATH,
        y="relative error of the coefficients",
        log_x=True,
        reading="At 1 nothing is gained over coefficients of 0.",
    ),
    PATH_LOSS,
)
WORLD = {**PARAMS, "rows": replace(PARAMS["rows"], default=500), "columns": replace(PARAMS["columns"], default=200)}


def _view(data: Any) -> Any:
    from harness.topics.logistic.engine import selection

    return selection.view(data)


def _judge(data: Any, output: Any) -> Judgement:
    from harness.topics.logistic.engine import selection

    return selection.judge(data, output)


def _judge_prediction(data: Any, output: Any) -> Judgement:
    from harness.topics.logistic.engine import selection

    return selection.judge_prediction(data, output)


task = topic.task(
    "regularisation",
    title="Coefficients, columns that matter and probabilities, with a known truth",
    datasets=[SYNTHETIC_LOGIT],
    scenarios=[CLEAN, *SCENARIOS],
    phases=["fit", "predict"],
    metrics=[*PREDICTION, *RECOVERY],
    judge=_judge,
    view=_view,
    params={**WORLD, **BUDGET},
    sweep={"rows": [250, 1_000, 4_000], "correlation": [0.5, 0.9], "columns": [50]},
    reference="l1",
    baseline="prior",
    charts=[*PATHS, *FIGURES],
    quick=Profile(
        6,
        {"rows": 600, "columns": 100, "support": 5},
        scenarios=("clean",),
        strategies=("prior", "none", "l1", "l2", "stability"),
    ),
    full=Profile(blocks=10, sweeps=True),
)
prediction = topic.task(
    "prediction",
    title="Probabilities of penalised models, on generated and real data",
    datasets=["flights", "nass-cds", "breast-cancer", SYNTHETIC_LOGIT],
    takes=Takes("table", targets=("binary",)),
    scenarios=[CLEAN, TEMPORAL, *SCENARIOS],
    phases=["fit", "predict"],
    metrics=PREDICTION,
    judge=_judge_prediction,
    view=_view,
    params={**WORLD, "rows": replace(PARAMS["rows"], default=400), **BUDGET},
    sweep={"rows": [100, 200]},
    reference="l2",
    baseline="prior",
    charts=[PATH_LOSS, *FIGURES],
    quick=Profile(
        4,
        {"rows": 1_500},  # with fewer, a plane may separate the few events
        datasets=("nass-cds",),
        scenarios=("clean",),
        strategies=("prior", "boosting", "l1", "l2"),
    ),
    full=Profile(blocks=10, sweeps=True),
)
BOTH = (task, prediction)


@topic.strategy("prior", tasks=BOTH, needs=MODULES)
def prior(problem: Problem, phase: PhaseClock) -> Any:
    """Predict the rate of class 1 in the training rows for every row."""
    from harness.topics.logistic.engine import selection

    return selection.run(problem, phase, selection.prior)


@topic.strategy("one-feature", tasks=BOTH, needs=MODULES)
def one_feature(problem: Problem, phase: PhaseClock) -> Any:
    """Fit the column with the largest correlation with the labels, without a penalty."""
    from harness.topics.logistic.engine import selection

    return selection.run(problem, phase, selection.one_feature)


@topic.strategy("none", tasks=BOTH, needs=MODULES, note="Has no result where a plane separates the training rows.")
def none(problem: Problem, phase: PhaseClock) -> Any:
    """Maximise the likelihood, without a penalty."""
    from harness.topics.logistic.engine import selection

    return selection.run(problem, phase, selection.unpenalised_fit)


@topic.strategy("l1", tasks=BOTH, needs=MODULES, sweep={"one_se": [True]})
def l1(problem: Problem, phase: PhaseClock, *, one_se: bool = False) -> Any:
    """Penalise the sum of the coefficients' sizes, with a penalty chosen by cross-validation."""
    return _penalised(problem, phase, 1.0, one_se=one_se)


@topic.strategy("l2", tasks=BOTH, needs=MODULES, sweep={"one_se": [True]})
def l2(problem: Problem, phase: PhaseClock, *, one_se: bool = False) -> Any:
    """Penalise the sum of the coefficients' squares, with a penalty chosen by cross-validation."""
    return _penalised(problem, phase, 0.0, one_se=one_se)


@topic.strategy("elastic-net", tasks=BOTH, needs=MODULES, sweep={"l1_ratio": [0.1, 0.9]})
def elastic_net(problem: Problem, phase: PhaseClock, l1_ratio: float = 0.5, *, one_se: bool = False) -> Any:
    """Penalise sizes and squares of the coefficients, with a penalty chosen by cross-validation."""
    return _penalised(problem, phase, l1_ratio, one_se=one_se)


def _penalised(problem: Problem, phase: PhaseClock, l1_ratio: float, *, one_se: bool) -> Any:
    from harness.topics.logistic.engine import selection

    params = problem.params
    fit = selection.penalised(
        l1_ratio, one_se=one_se, count=params["penalties"], folds=params["folds"], seed=problem.seed
    )
    return selection.run(problem, phase, fit)


@topic.strategy(
    "stability",
    tasks=BOTH,
    needs=MODULES,
    sweep={"threshold": [0.6]},
    note="Follows 100 paths on halves of the rows, beside those of the final fit.",
)
def stability(
    problem: Problem, phase: PhaseClock, threshold: float = 0.9, false: float = 1.0, subsamples: int = 100
) -> Any:
    """Select by L1 the columns that random halves of the rows agree on, then fit them with an L2 penalty.

    At most `false` false discoveries are expected (Meinshausen & Bühlmann 2010, theorem 1).
    """
    from harness.topics.logistic.engine import selection

    params = problem.params
    fit = selection.stable(
        subsamples=subsamples,
        threshold=threshold,
        false=false,
        count=params["penalties"],
        folds=params["folds"],
        seed=problem.seed,
    )
    return selection.run(problem, phase, fit)


@prediction.strategy("boosting", needs=(*MODULES, "sklearn.ensemble"), note="Has no penalty to choose: its defaults.")
def boosting(problem: Problem, phase: PhaseClock) -> Any:
    """Fit gradient-boosted trees (scikit-learn), to show what a linear model misses."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from harness.topics.logistic.engine import selection
    from harness.topics.logistic.engine.classifiers import check

    data = problem.data
    check(data.train)
    with phase("fit"):
        model = HistGradientBoostingClassifier(random_state=problem.seed).fit(data.train.X, data.train.y)
    with phase("predict"):
        probabilities = model.predict_proba(data.test)[:, 1]
    return selection.Fitted(probabilities)
