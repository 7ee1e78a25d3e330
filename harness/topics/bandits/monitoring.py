"""The task monitoring: a policy has all traffic, and a monitor must detect changes in its rewards or contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Scenario, Work
from harness.topics.bandits import topic

if TYPE_CHECKING:
    from harness.topics.bandits.engine.streams import Streams, Watched

STREAMS = "harness.topics.bandits.engine.streams"
_STRESSED = "stressed"  # what scenarios require: two data sets are enough for them

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
        unit="step",
        summary="Median steps from the change to the alarm, or to the horizon if missed, without false alarms.",
    ),
)
ALARMED = Chart(
    "alarmed",
    title="Streams with an alarm",
    x="step",
    y="share",
    reading=(
        "Share of the streams with an alarm up to a step. If there is a change, it is at half of the horizon: alarms "
        "before it are false, and the line should rise steeply after it."
    ),
)
PARAMS = {
    "horizon": Param(2_000, low=20, high=100_000, summary="monitored steps"),
    "replications": Param(500, low=2, high=100_000, summary="independent streams"),
    "reference": Param(
        1_000, low=20, high=100_000, summary="steps before monitoring begins, known to be without change"
    ),
    "shift": Param(0.5, low=0.0, high=10.0, summary="size of a change, in standard deviations"),
}
LEVEL = {
    "level": Param(
        0.05, low=0.0001, high=0.5, summary="declared upper limit of the share of streams with a false alarm"
    )
}


def _streams(kind: str) -> Callable[[Mapping[str, Scalar], Generator], Streams]:
    """Return a loader of streams of a kind; the engine is imported only when it is called."""

    def load(params: Mapping[str, Scalar], rng: Generator) -> Streams:
        from harness.topics.bandits.engine.streams import streams

        return streams(
            rng,
            replications=int(params["replications"]),
            reference=int(params["reference"]),
            horizon=int(params["horizon"]),
            kind=kind,
            shift=float(params["shift"]),
        )

    return load


def heavy_tails(freedom: int) -> Scenario:
    """Give the noise Student's t distribution with at least 3 degrees of freedom, scaled to the same variance."""

    def apply(data: Streams, _rng: Generator) -> Streams:
        from harness.topics.bandits.engine import streams

        return streams.heavy_tails(data, freedom)

    return Scenario(
        f"heavy_tails({freedom})",
        apply,
        f"Noise has Student's t distribution with {freedom} degrees of freedom and the same variance.",
        (_STRESSED,),
    )


def autocorrelation(correlation: float) -> Scenario:
    """Make each step's noise depend on the one before."""

    def apply(data: Streams, _rng: Generator) -> Streams:
        from harness.topics.bandits.engine import streams

        return streams.autocorrelated(data, correlation)

    return Scenario(
        f"autocorrelation({correlation:g})",
        apply,
        f"Noise has a correlation of {correlation:g} with that of the step before.",
        (_STRESSED,),
    )


def _dataset(name: str, kind: str, summary: str, *provides: str) -> Dataset:
    return Dataset(name, _streams(kind), summary, PARAMS, provides, needs=(STREAMS, "scipy.special"))


def view(data: Streams) -> Watched:
    """Return what monitors may see: the streams without the step of the change."""
    return data.watched()


def judge(data: Streams, alarms: Any) -> Judgement:
    """Judge at which steps alarms were raised."""
    from harness.topics.bandits.engine import streams

    return streams.judge(data, alarms)


monitoring = topic.task(
    "monitoring",
    title="Detecting that rewards or contexts have changed",
    datasets=[
        _dataset("mean-shift", "mean", "The mean of rewards falls at once.", _STRESSED),
        _dataset("gradual-shift", "gradual", "The mean of rewards falls within a fifth of the horizon."),
        _dataset("variance-shift", "variance", "The standard deviation of rewards grows, their mean is constant."),
        _dataset("context-shift", "context", "The mean of contexts rises, rewards do not change."),
        _dataset("no-shift", "stable", "Nothing changes.", _STRESSED),
    ],
    scenarios=[CLEAN, heavy_tails(3), autocorrelation(0.3)],
    phases=["compile", "watch"],
    setup=["compile"],
    metrics=METRICS,
    judge=judge,
    view=view,
    params={**PARAMS, **LEVEL},
    work={"watch": Work("observation", of=("horizon", "replications"))},
    sweep={"shift": [1.0]},
    reference="e-detector",
    baseline="silent",
    charts=[ALARMED],
    quick=Profile(
        12,
        {"replications": 400},
        datasets=("mean-shift",),
        scenarios=("clean",),
        strategies=("silent", "cusum", "e-detector"),
    ),
    full=Profile(10, sweeps=True),
)
