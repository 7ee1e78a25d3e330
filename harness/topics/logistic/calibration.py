"""The tasks calibration and calibration-known: make probabilities of a model's scores, on rows that it has not seen.

The model is fitted before any phase, because calibrators compete and models do not. In the task calibration-known the
probabilities behind the labels are known, and so is the true error of every prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Scenario, Takes, Work
from harness.topics._shared.binary import FIGURES, METRICS
from harness.topics.logistic import topic

if TYPE_CHECKING:
    from harness.topics.logistic.engine.scored import Parts, Scored

ENGINE = "harness.topics.logistic.engine"
SCORED = f"{ENGINE}.scored"
MODELS = ("sklearn.ensemble", "sklearn.impute", "sklearn.linear_model", "sklearn.naive_bayes", "sklearn.pipeline")
_KNOWN = "known"

#: The metrics of binary classification with the log loss first, and the calibration error that is biased upwards.
SCORES = (
    *sorted(METRICS, key=lambda metric: metric.name != "log_loss"),
    Metric(
        "expected_calibration_error",
        direction="lower",
        unit="1",
        margin=0.01,
        summary="Mean absolute calibration error in bins of equal mass, not debiased: noise adds to it.",
    ),
)
IMPROVED = Metric(
    "improved",
    direction="higher",
    unit="1",
    summary="Share of the trials in which the log loss is lower than that of the model's own scores.",
    rate=True,
)
TRUE_ERROR = Metric(
    "true_error",
    direction="lower",
    unit="1",
    margin=0.002,
    summary="Root-mean-square difference from the known probabilities.",
)
POINTS = Param(1_000, low=10, high=100_000, summary="rows of the calibration set, at most half of the training rows")


def label_noise(share: float) -> Scenario:
    """Flip labels of the calibration set alone: what a model learnt from clean labels, noisy ones recalibrate."""

    def apply(data: Parts, rng: Generator) -> Parts:
        from harness.topics.logistic.engine.scored import flip

        return flip(data, share, rng)

    return Scenario(
        f"label_noise({share:g})", apply, f"{100 * share:g} % of the labels of the calibration set are flipped."
    )


def prior_shift(keep: float) -> Scenario:
    """Drop rows of class 1 from the test set alone, so that a map that was right becomes wrong."""

    def apply(data: Parts, rng: Generator) -> Parts:
        from harness.topics.logistic.engine.scored import thin

        return thin(data, keep, rng)

    return Scenario(
        f"prior_shift({keep:g})", apply, f"In the test set, the odds of class 1 are {keep:g} times what they were."
    )


def _by_time(data: Parts, _rng: Generator) -> Parts:
    from harness.topics.logistic.engine.scored import by_time

    return by_time(data)


TEMPORAL = Scenario(
    "temporal",
    _by_time,
    "The model's rows come first in time, then the calibration set, then the test set.",
    requires=("time",),
)


def prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Parts:
    """Divide the training rows of a table between the model and the calibration set."""
    from harness.topics.logistic.engine.scored import divide

    return divide(data, params, rng)


def _known(kind: str) -> Callable[[Mapping[str, Scalar], Generator], Parts]:
    """Return a loader of scores of a kind; the engine is imported only when it is called."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Parts:
        from harness.topics.logistic.engine.scored import known

        return known(kind, rng, int(params["points"]), int(params["test_rows"]))

    return load


def view(data: Parts) -> Scored:
    """Fit the model, and return its scores without the labels of the test set."""
    return data.scored


def judge(data: Parts, output: Any) -> Judgement:
    """Judge calibrated probabilities on the labels of the test set, and against the model's own scores."""
    from harness.topics.logistic.engine.judge_calibration import judge_scored

    return judge_scored(data, output)


def judge_known(data: Parts, output: Any) -> Judgement:
    """Judge the same, and against the known probabilities."""
    from harness.topics.logistic.engine.judge_calibration import judge_scored, true_error

    judged = judge_scored(data, output)
    return replace(judged, metrics={**judged.metrics, "true_error": true_error(data, output)})


calibration = topic.task(
    "calibration",
    title="Calibrated probabilities from the scores of a model, weak or strong",
    datasets=["flights", "nass-cds", "breast-cancer"],
    takes=Takes("table", targets=("binary",), prepare=prepare),
    scenarios=[CLEAN, label_noise(0.1), prior_shift(0.5), TEMPORAL],
    phases=["fit", "predict"],
    metrics=[*SCORES, IMPROVED],
    judge=judge,
    view=view,
    params={
        "rows": Param(10_000, low=40, summary="training rows; the first half is for the model"),
        "points": POINTS,
        "model": Param("naive-bayes", choices=("naive-bayes", "logistic", "boosting"), summary="what gives the scores"),
    },
    sizes=lambda data: {"points": len(data.labels)},
    work={"fit": Work("row", of=("points",))},
    sweep={"model": ["logistic", "boosting"], "points": [200, 5_000]},
    reference="none",
    baseline="prior",
    charts=FIGURES,
    quick=Profile(
        6,
        {"rows": 4_000, "points": 8_000},
        datasets=("nass-cds",),
        scenarios=("clean",),
        strategies=("none", "prior", "platt", "isotonic", "venn-abers"),
    ),
    full=Profile(10, sweeps=True),
)
KNOWN = {
    "points": POINTS,
    "test_rows": Param(10_000, low=100, high=1_000_000, summary="rows of the test set"),
}
calibration_known = topic.task(
    "calibration-known",
    title="Calibrated probabilities where the true ones are known",
    datasets=[
        Dataset("overconfident", _known("overconfident"), "Log odds twice too large, and shifted.", KNOWN),
        Dataset("misspecified", _known("misspecified"), "Log odds cubed, which no sigmoid undoes.", KNOWN),
        Dataset("calibrated", _known("calibrated"), "Scores that are the true probabilities.", KNOWN),
    ],
    scenarios=[CLEAN, label_noise(0.1), prior_shift(0.5)],
    phases=["fit", "predict"],
    metrics=[*SCORES, TRUE_ERROR, IMPROVED],
    judge=judge_known,
    view=view,
    params=KNOWN,
    work={"fit": Work("row", of=("points",))},
    sweep={"points": [200, 10_000], "test_rows": [200]},
    reference="none",
    baseline="prior",
    charts=FIGURES,
    quick=Profile(
        6,
        {"points": 8_000},
        datasets=("misspecified",),
        scenarios=("clean",),
        strategies=("none", "prior", "platt", "isotonic"),
    ),
    full=Profile(10, sweeps=True),
)
TASKS = (calibration, calibration_known)
