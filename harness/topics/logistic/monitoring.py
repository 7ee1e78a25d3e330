"""The task monitoring: a deployed model is watched period by period, and a monitor must notice that it has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Takes, Work
from harness.topics.logistic import topic

if TYPE_CHECKING:
    from harness.topics.logistic.engine.periods import Periods, Watched

PERIODS = "harness.topics.logistic.engine.periods"
MODELS = ("sklearn.impute", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing")

METRICS = (
    Metric(
        "errors",
        direction="lower",
        unit="1",
        summary="Share of the streams with an alarm before the change, or with a change and no alarm.",
        rate=True,
    ),
    Metric(
        "false_alarms",
        direction="lower",
        unit="1",
        summary="Share of the streams with an alarm before the change.",
        limit=0.06,  # the default level, and what chance adds to it over some thousand streams
        rate=True,
    ),
    Metric(
        "missed",
        direction="lower",
        unit="1",
        summary="Share of the streams without a false alarm on which the change is missed; 0 if nothing changes.",
        rate=True,
    ),
    Metric(
        "delay",
        direction="lower",
        unit="period",
        summary="Mean periods from the change to the alarm, or to the end if missed, without false alarms.",
    ),
)
CHARTS = (
    Chart(
        "statistic",
        title="Statistic over its limit",
        x="period",
        y="statistic / limit",
        reading="Median over streams, with the band from the 5 % to the 95 % quantile. From 1 on there is an alarm. If "
        "there is a change, it is at half of the periods.",
    ),
    Chart(
        "alarmed",
        title="Streams with an alarm",
        x="period",
        y="share",
        reading="Share of the streams with an alarm up to a period. Before the change, alarms are false.",
    ),
)
STREAMS = {
    "replications": Param(200, low=2, high=100_000, summary="independent streams"),
    "periods": Param(12, low=2, high=1_000, summary="monitored periods"),
    "period_rows": Param(500, low=10, high=100_000, summary="rows of a period"),
    "reference": Param(2_000, low=20, high=100_000, summary="rows before the first period, known to be without change"),
}
SHIFT = {"shift": Param(0.5, low=0.0, high=1.0, summary="size of the change; see each data set")}
LEVEL = {
    "level": Param(
        0.05, low=0.0001, high=0.5, summary="declared upper limit of the share of streams with a false alarm"
    )
}
ROWS = {"rows": Param(40_000, low=100, summary="training rows of a table, all of which are divided by time")}


def _streams(kind: str) -> Callable[[Mapping[str, Scalar], Generator], Periods]:
    """Return a loader of streams of a kind; the engine is imported only when it is called."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Periods:
        from harness.topics.logistic.engine.periods import generated, streams

        before, after = generated(kind, float(params["shift"]), rng)
        return streams(before, after, params, rng)

    return load


def _dataset(name: str, kind: str, summary: str) -> Dataset:
    return Dataset(name, _streams(kind), summary, {**STREAMS, **SHIFT}, needs=(PERIODS,))


def _prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Periods:
    from harness.topics.logistic.engine.periods import of_table, streams

    before, after = of_table(data, rng)
    return streams(before, after, params, rng)


def _view(data: Periods) -> Watched:
    return data.watched


def _judge(data: Periods, output: Any) -> Judgement:
    from harness.topics.logistic.engine.periods import judge

    return judge(data, output)


monitoring = topic.task(
    "monitoring",
    title="Noticing that a deployed model has changed, at a declared level of false alarms",
    datasets=[
        _dataset("prior-shift", "prior", "Class 1 becomes exp(shift) times as frequent against class 0."),
        _dataset("covariate-shift", "covariate", "Scores rise, and the model stays right."),
        _dataset("concept-drift", "concept", "The slope falls by shift; scores and the event rate stay."),
        _dataset("label-noise", "noise", "A share 0.2 shift of the labels is flipped."),
        _dataset("no-change", "none", "Nothing changes."),
        "nass-cds",
        "flights",
    ],
    takes=Takes("table", targets=("binary",), prepare=_prepare),
    phases=["watch"],
    metrics=METRICS,
    judge=_judge,
    view=_view,
    params={**STREAMS, **SHIFT, **LEVEL, **ROWS},
    work={"watch": Work("row", of=("period_rows", "periods", "replications"))},
    sweep={"shift": [0.25], "period_rows": [100]},
    reference="p-chart",
    baseline="silent",
    charts=CHARTS,
    quick=Profile(
        3,
        {"replications": 50},
        datasets=("concept-drift",),
        strategies=("silent", "p-chart", "calibration-in-the-large", "calibration-slope", "psi"),
    ),
    full=Profile(10, sweeps=True),
)
