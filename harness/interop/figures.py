"""The names under which asv and pytest-benchmark know the figures of a trial: the one mapping for suites and files.

asv assumes that smaller is better and compares ratios. A metric of which more is better is therefore converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple, Protocol

from harness.analysis import wording
from harness.interop.reading import finite, memory, seconds
from harness.records import Phase

Conversion = Literal["", "one_minus", "inverse"]

#: What asv writes as the unit of a number without one.
DIMENSIONLESS = "unit"
#: The axes of the suites.
AXES = ("strategy", "dataset", "scenario")
#: The axes of exported runs. All parameters together are one axis: data sets have parameters of their own, and asv
#: drops a benchmark's history when its axes change.
RUN_AXES = (*AXES, "params")


class _PhaseFigure(NamedTuple):
    """A time or a size of a phase.

    Attributes
    ----------
    measure
        Field of `harness.records.Phase`.
    name
        Name of asv's benchmark; ``time_`` where there are samples that asv's statistics work on, ``track_`` elsewhere.
    of_all
        Whether there is such a figure of all phases together.
    """

    measure: str
    name: str
    unit: str
    title: str
    of_all: bool = True


_PHASE_FIGURES = (
    _PhaseFigure("wall_s", "time_wall", "seconds", "wall time of"),
    _PhaseFigure("cpu_s", "time_cpu", "seconds", "CPU time of"),
    _PhaseFigure("peak_bytes", "track_peak_bytes", "bytes", "peak memory of"),
    _PhaseFigure("device_bytes", "track_device_bytes", "bytes", "peak device memory of"),
    _PhaseFigure("held_bytes", "track_held_bytes", "bytes", "memory in use before", of_all=False),
)
#: The figures that pytest-benchmark stores in ``extra_info``; wall times are its rounds.
EXTRA_FIGURES = tuple(figure.measure for figure in _PHASE_FIGURES if figure.measure != "wall_s")


class DeclaredMetric(Protocol):
    """A metric, as declared or as in the header of a run."""

    @property
    def name(self) -> str:
        """Name of the metric."""

    @property
    def direction(self) -> Literal["higher", "lower"] | None:
        """Which values are better."""

    @property
    def unit(self) -> str | None:
        """Unit, ``1`` for none."""


@dataclass(frozen=True)
class MappedFigure:
    """One number of a trial under the name that asv knows.

    Attributes
    ----------
    name
        Name of the benchmark's method, such as ``time_cpu_fit``.
    measure
        Name in `harness.records.figures`, such as ``fit.cpu_s``.
    unit
        As asv writes it: ``seconds``, ``bytes``, ``unit`` for none.
    title
        For people.
    conversion
        How a number of which more is better becomes one of which less is better.
    """

    name: str
    measure: str
    unit: str
    title: str
    conversion: Conversion = ""

    @property
    def is_time(self) -> bool:
        """Whether asv's statistics work on the samples."""
        return self.name.startswith("time_")

    def converted(self, number: float) -> float | None:
        """Convert a number for asv; ``None`` where the result is not positive, which asv's ratios cannot order."""
        if self.conversion == "one_minus":
            return 1 - number if number <= 1 else None
        if self.conversion == "inverse":
            return 1 / number if number > 0 else None
        return number

    def is_reported(self, numbers: Iterable[float]) -> bool:
        """Return whether numbers are worth a benchmark: most phases start with no memory in use, so zeros are not."""
        return not self.measure.endswith(".held_bytes") or any(numbers)


def original(number: float, conversion: Conversion) -> float | None:
    """Convert a number of asv's back; ``None`` where none can have led to it."""
    if conversion == "one_minus":
        return 1 - number
    if conversion == "inverse":
        return finite(1 / number) if number > 0 else None
    return number


def figures_of(
    phases: Iterable[str], metrics: Iterable[DeclaredMetric], setup: Sequence[str] = ()
) -> Iterator[MappedFigure]:
    """List the figures of a task: times and memory of all phases but `setup` together and of each, and every metric."""
    for phase in ("", *phases):
        prefix, suffix = (f"{phase}.", f"_{phase}") if phase else ("", "")
        part = f"phase {wording.phase(phase, setup)}" if phase else "all phases" + (" but set-up" if setup else "")
        for figure in _PHASE_FIGURES:
            if phase or figure.of_all:
                name, measure = f"{figure.name}{suffix}", f"{prefix}{figure.measure}"
                yield MappedFigure(name, measure, figure.unit, f"{figure.title} {part}")
    for metric in metrics:
        yield _metric(metric)


def set_phase_figure(phase: Phase, measure: str, samples: Sequence[object]) -> None:
    """Write a figure that was read from another tool's file into a phase.

    Parameters
    ----------
    measure
        Field of `harness.records.Phase`; others are ignored.
    samples
        Seconds, or one number of bytes.
    """
    if measure in ("wall_s", "cpu_s"):
        setattr(phase, measure, seconds(list(samples)))
    elif measure == "held_bytes":
        phase.held_bytes = memory(samples[0]) or 0
    elif measure in ("peak_bytes", "device_bytes"):
        setattr(phase, measure, memory(samples[0]))


def extra_figures(samples: Mapping[str, Sequence[float]], phase: str = "") -> dict[str, float]:
    """Return the medians for pytest-benchmark's ``extra_info``, of a phase or of all phases together.

    Parameters
    ----------
    samples
        Numbers by the name in `harness.records.figures`.
    """
    prefix = f"{phase}." if phase else ""
    names = {name: f"{prefix}{name}" for name in EXTRA_FIGURES}
    return {name: median(samples[measure]) for name, measure in names.items() if samples.get(measure)}


def class_name(task: str) -> str:
    """Name the class of a task: ``TabularBinary``."""
    return "".join(part.capitalize() for part in re.split(r"\W+", task))


def suite_prefix(topic: str, task: str) -> str:
    """Return how the names of the benchmarks begin that asv measures with a task's suite."""
    return f"{module_name(topic)}.{class_name(task)}"


def run_prefix(topic: str, task: str) -> str:
    """Return how the names of exported benchmarks begin: in another class, because they have parameters as an axis."""
    return f"{suite_prefix(topic, task)}Runs"


def module_name(topic: str) -> str:
    """Name the module of a topic."""
    return topic.replace("-", "_")


def _metric(metric: DeclaredMetric) -> MappedFigure:
    unit = DIMENSIONLESS if metric.unit == "1" else str(metric.unit)
    words = metric.name.replace("_", " ")
    if metric.direction == "lower":
        return MappedFigure(f"track_{metric.name}", metric.name, unit, words)
    if metric.unit == "1":
        return MappedFigure(f"track_one_minus_{metric.name}", metric.name, unit, f"1 - {words}", "one_minus")
    return MappedFigure(f"track_inverse_{metric.name}", metric.name, f"1/{unit}", f"1 / {words}", "inverse")
