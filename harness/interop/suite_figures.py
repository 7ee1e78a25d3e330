"""The figures of a task as asv takes them: smaller is better, and the name says what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from harness.declare import Metric
from harness.interop.suites import Suite

Turn = Literal["", "one_minus", "inverse"]

#: What asv shows without a unit.
DIMENSIONLESS = "unit"


@dataclass(frozen=True)
class Figure:
    """One number of a trial under the name that asv knows.

    Attributes
    ----------
    name
        ``time_...`` of what has samples that asv's statistics can work on, ``track_...`` of the rest.
    measure
        Its name in `harness.records.figures`.
    unit
        As asv writes it: ``seconds``, ``bytes``, ``unit`` for none.
    title
        For people.
    turn
        How a number of which more is better becomes one of which less is better.
    """

    name: str
    measure: str
    unit: str
    title: str
    turn: Turn = ""

    @property
    def timed(self) -> bool:
        """Whether it is a time."""
        return self.name.startswith("time_")

    def value(self, number: float) -> float | None:
        """Turn a number; ``None`` where the turned one would not be positive, which asv's ratios cannot order."""
        if self.turn == "one_minus":
            return 1 - number if number <= 1 else None
        if self.turn == "inverse":
            return 1 / number if number > 0 else None
        return number


def figures_of(suite: Suite) -> Iterator[Figure]:
    """List the figures of a task: times and peak memory of each phase and of all together, and every metric."""
    for phase in ("", *suite.task.phases):
        prefix, suffix = (f"{phase}.", f"_{phase}") if phase else ("", "")
        part = f"of phase {phase}" if phase else "of all phases"
        yield Figure(f"time_wall{suffix}", f"{prefix}wall_s", "seconds", f"wall time {part}")
        yield Figure(f"time_cpu{suffix}", f"{prefix}cpu_s", "seconds", f"CPU time {part}")
        yield Figure(f"track_peak_bytes{suffix}", f"{prefix}peak_bytes", "bytes", f"peak memory {part}")
    for metric in suite.task.metrics:
        yield _judged(metric)


def version(suite: Suite, figure: Figure) -> str:
    """Return a digest of all that a figure depends on besides code: declaration, parameters, blocks and data.

    Where it changes, asv begins a new series. A strategy's code is not in it, as its effect is what a series shows;
    nor are the strategies themselves, as a new one leaves the others' figures alone.
    """
    content = {
        "task": f"{suite.task.topic}/{suite.task.name}",
        "phases": suite.task.phases,
        "figure": (figure.measure, figure.unit, figure.turn),
        "profile": suite.profile,
        "blocks": sorted({(trial.block, trial.seeds.data, trial.seeds.model) for trial in suite.trials}),
        "params": {trial.dataset: trial.params for trial in suite.trials},
        "data": {dataset.name: dataset.version for dataset in suite.datasets},
    }
    return hashlib.blake2b(msgspec.json.encode(content, order="sorted"), digest_size=8).hexdigest()


def _judged(metric: Metric) -> Figure:
    unit = DIMENSIONLESS if metric.unit == "1" else str(metric.unit)
    words = metric.name.replace("_", " ")
    if metric.direction == "lower":
        return Figure(f"track_{metric.name}", metric.name, unit, words)
    if metric.unit == "1":
        return Figure(f"track_one_minus_{metric.name}", metric.name, unit, f"1 - {words}", "one_minus")
    return Figure(f"track_inverse_{metric.name}", metric.name, f"1/{unit}", f"1 / {words}", "inverse")
