"""Which records belong together, and the numbers in them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from harness.trial import TOTALS, Record, Scalar


@dataclass(frozen=True)
class Cell:
    """What competing trials share: a row of cells is a table."""

    topic: str
    task: str
    dataset: str
    scenario: str
    params: tuple[tuple[str, Scalar], ...]

    @classmethod
    def of(cls, record: Record) -> Cell:
        """Return the cell that a record belongs to."""
        trial = record.trial
        return cls(trial.topic, trial.task, trial.dataset, trial.scenario, tuple(sorted(trial.params.items())))

    @property
    def short(self) -> str:
        """The cell in words, without its task."""
        params = " ".join(f"{name}={value}" for name, value in self.params)
        return f"{self.dataset}, {self.scenario}" + (f" ({params})" if params else "")

    @property
    def title(self) -> str:
        """The cell in words."""
        return f"{self.topic}/{self.task} on {self.short}"


def figures(record: Record) -> dict[str, float]:
    """Return the numbers of a record by name; none of a trial that did not finish.

    Returns
    -------
    dict of str to float
        ``fit.cpu_s`` (median of the phase's samples), ``cpu_s`` (sum over phases), ``peak_bytes`` (largest size reached
        in any phase above the start of the first), ``device_bytes`` (largest of any phase), and the metrics.
    """
    if record.status != "ok":
        return {}
    found: dict[str, float] = {}
    totals: dict[str, float] = {}
    for name, phase in record.phases.items():
        for figure, samples in (("wall_s", phase.wall_s), ("cpu_s", phase.cpu_s)):
            if samples:
                middle = samples[0] if len(samples) == 1 else median(samples)
                found[f"{name}.{figure}"] = middle
                totals[figure] = totals.get(figure, 0.0) + middle
        found[f"{name}.held_bytes"] = phase.held_bytes
        for figure, peak, before in (
            ("peak_bytes", phase.peak_bytes, phase.held_bytes),
            ("device_bytes", phase.device_bytes, 0),
        ):
            if peak is not None:
                found[f"{name}.{figure}"] = peak
                totals[figure] = max(totals.get(figure, 0), before + peak)
    return found | totals | record.metrics


def measure(record: Record, name: str) -> float | None:
    """Return a number of a record by its name in `figures`."""
    return figures(record).get(name)


def is_time(name: str) -> bool:
    """Return whether a measure is a time, of which alone the noise floor of a machine says something."""
    return is_cost(name) and name.endswith("_s")


def is_cost(name: str) -> bool:
    """Return whether a measure is time or memory, which are compared as ratios; metrics are compared as differences."""
    return name in TOTALS or "." in name
