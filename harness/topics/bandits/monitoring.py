"""A policy has all traffic, and somebody must notice when what it earns, or whom it meets, is no longer what it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness import CLEAN, Chart, Dataset, Generator, Judgement, Metric, Param, Profile, Scalar, Scenario, Work
from harness.topics.bandits import topic

if TYPE_CHECKING:
    from harness.topics.bandits.engine.streams import Streams, Watched

STREAMS = "harness.topics.bandits.engine.streams"
_STRESSED = "stressed"  # what scenarios require: two data sets say enough of them

METRICS = (
    Metric(
        "errors",
        direction="lower",
        unit="1",
        summary="Share of the streams with an alarm before the change, or with a change and no alarm.",
    ),
    Metric(
        "false_alarms", direction="lower", unit="1", summary="Share of the streams with an alarm before the change."
    ),
    Metric(
        "missed",
        direction="lower",
        unit="1",
        summary="Share of the streams without an alarm, of those without a false one; 0 where nothing changes.",
    ),
    Metric(
        "delay",
        direction="lower",
        unit="step",
        summary="Changed steps until the alarm, of the streams without a false one, all if missed; median.",
    ),
)
ALARMED = Chart(
    "alarmed",
    title="Streams with an alarm",
    x="step",
    y="share",
    reading=(
        "Share of the streams on which there was an alarm by a step. The change, where there is one, is at half of the "
        "horizon: what rises before is false, and it should rise steeply after."
    ),
)
PARAMS = {
    "horizon": Param(2_000, low=20, high=100_000, summary="steps that are watched"),
    "replications": Param(500, low=2, high=100_000, summary="streams, side by side"),
    "reference": Param(1_000, low=20, high=100_000, summary="steps from before, known to be good"),
    "shift": Param(0.5, low=0.0, high=10.0, summary="size of a change, in standard deviations"),
}
LEVEL = {"level": Param(0.05, low=0.0001, high=0.5, summary="declared share of false alarms by the horizon, at most")}


def _streams(kind: str) -> Callable[[Mapping[str, Scalar], Generator], Streams]:
    """Name streams of a kind without importing their module."""

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
    """Give the noise Student's t distribution with so many degrees of freedom, 3 at least; its variance stays."""

    def apply(data: Streams, _rng: Generator) -> Streams:
        from harness.topics.bandits.engine import streams

        return streams.heavy_tails(data, freedom)

    return Scenario(
        f"heavy_tails({freedom})", apply, "Noise has Student's t distribution, of the same variance.", (_STRESSED,)
    )


def autocorrelation(correlation: float) -> Scenario:
    """Make each step's noise depend on the one before."""

    def apply(data: Streams, _rng: Generator) -> Streams:
        from harness.topics.bandits.engine import streams

        return streams.autocorrelated(data, correlation)

    return Scenario(
        f"autocorrelation({correlation:g})",
        apply,
        f"Noise has a correlation of {correlation:g} with the step before.",
        (_STRESSED,),
    )


def _dataset(name: str, kind: str, summary: str, *provides: str) -> Dataset:
    return Dataset(name, _streams(kind), summary, PARAMS, provides, needs=(STREAMS, "scipy.special"))


def view(data: Streams) -> Watched:
    """Return what monitors may see: the streams, but not what they are made of."""
    return data.watched()


def judge(data: Streams, alarms: Any) -> Judgement:
    """Judge when alarms were raised."""
    from harness.topics.bandits.engine import streams

    return streams.judge(data, alarms)


monitoring = topic.task(
    "monitoring",
    title="Noticing that rewards or contexts are no longer what they were",
    datasets=[
        _dataset("mean-shift", "mean", "The mean of rewards falls at once.", _STRESSED),
        _dataset("gradual-shift", "gradual", "The mean of rewards falls within a fifth of the horizon."),
        _dataset("variance-shift", "variance", "The standard deviation of rewards grows, their mean stays."),
        _dataset(
            "context-shift", "context", "The mean of contexts rises, and rewards, of which nothing is to be said, stay."
        ),
        _dataset("no-shift", "stable", "Nothing changes.", _STRESSED),
    ],
    scenarios=[CLEAN, heavy_tails(3), autocorrelation(0.3)],
    phases=["compile", "watch"],
    metrics=METRICS,
    judge=judge,
    view=view,
    params={**PARAMS, **LEVEL},
    work={"watch": Work("observation", of=("horizon", "replications"))},
    sweep={"shift": [1.0]},
    reference="e-detector",
    baseline="silent",
    charts=[ALARMED],
    quick=Profile(1, {"replications": 50}, datasets=("mean-shift",), scenarios=("clean",)),
    full=Profile(10, sweeps=True),
)
