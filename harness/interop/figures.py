"""The names that asv knows our figures by, the same as in `harness.suites`: smaller is better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.store.header import JudgedMetric

Turn = Literal["", "one_minus", "inverse"]

#: What asv shows without a unit.
DIMENSIONLESS = "unit"
#: The axes of the suites.
AXES = ("strategy", "dataset", "scenario")
#: The axes of exported runs. All parameters are one axis: a data set may bring parameters of its own, and where asv
#: finds other axes than before it drops the history.
RUN_AXES = (*AXES, "params")


@dataclass(frozen=True)
class Figure:
    """One number of a trial under the name that asv knows.

    Attributes
    ----------
    name
        Name of the benchmark's method.
    measure
        Name in `harness.records.figures`.
    unit
        As asv writes it.
    turn
        How a number of which more is better becomes one of which less is better.
    """

    name: str
    measure: str
    unit: str
    turn: Turn = ""

    def turned(self, number: float) -> float | None:
        """Turn a number; ``None`` where the turned one would not be positive, which asv's ratios cannot order."""
        if self.turn == "one_minus":
            return 1 - number if number <= 1 else None
        if self.turn == "inverse":
            return 1 / number if number > 0 else None
        return number

    def back(self, number: float) -> float | None:
        """Turn a number of asv's back."""
        if self.turn == "one_minus":
            return 1 - number
        if self.turn == "inverse":
            return 1 / number if number > 0 else None
        return number


def figures_of(phases: Iterable[str], metrics: Sequence[JudgedMetric]) -> Iterator[Figure]:
    """List the figures of a task: times and memory of each phase and of all together, and every metric."""
    for phase in ("", *phases):
        prefix, suffix = (f"{phase}.", f"_{phase}") if phase else ("", "")
        yield Figure(f"time_wall{suffix}", f"{prefix}wall_s", "seconds")
        yield Figure(f"time_cpu{suffix}", f"{prefix}cpu_s", "seconds")
        yield Figure(f"track_peak_bytes{suffix}", f"{prefix}peak_bytes", "bytes")
        yield Figure(f"track_device_bytes{suffix}", f"{prefix}device_bytes", "bytes")
        if phase:
            yield Figure(f"track_held_bytes{suffix}", f"{prefix}held_bytes", "bytes")
    for metric in metrics:
        yield _judged(metric)


def class_name(task: str) -> str:
    """Name the class of a task: ``TabularBinary``."""
    return "".join(part.capitalize() for part in re.split(r"\W+", task))


def suite_prefix(topic: str, task: str) -> str:
    """Begin the names of what asv measures itself, by the suites in ``benchmarks/``."""
    return f"{module_name(topic)}.{class_name(task)}"


def run_prefix(topic: str, task: str) -> str:
    """Begin the names of what runs are exported as: another class, as the parameters are an axis of it too."""
    return f"{module_name(topic)}.{class_name(task)}Runs"


def module_name(topic: str) -> str:
    """Name the module of a topic."""
    return topic.replace("-", "_")


def _judged(metric: JudgedMetric) -> Figure:
    unit = DIMENSIONLESS if metric.unit == "1" else metric.unit
    if metric.direction == "lower":
        return Figure(f"track_{metric.name}", metric.name, unit)
    if metric.unit == "1":
        return Figure(f"track_one_minus_{metric.name}", metric.name, unit, "one_minus")
    return Figure(f"track_inverse_{metric.name}", metric.name, f"1/{unit}", "inverse")
