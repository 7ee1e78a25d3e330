"""The values that all packages share: a trial to be run, the record of it, and the cell that it belongs to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

# Bounds are checked where values are read, as runs come from strangers: whole numbers fit 64 bits, and what is counted
# or timed is not negative. Squares of figures are finite, so that the statistics of any can be computed.
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Whole: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=1e18)]
LARGEST = 1e100
Figure: TypeAlias = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Text: TypeAlias = Annotated[str, Meta(max_length=10_000)]
Scalar: TypeAlias = bool | Whole | float | Text
Status: TypeAlias = Literal["ok", "skipped", "failed", "timeout", "memory"]
#: Measures over all phases of a trial; no metric may have such a name.
TOTALS = ("wall_s", "cpu_s", "peak_bytes", "device_bytes")
MemorySource: TypeAlias = Literal["exact", "quiet", "sampled"]


class Seeds(msgspec.Struct, frozen=True):
    """Separate seeds, so that one source of randomness can vary while the others do not."""

    data: Count
    model: Count
    order: Count


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """One strategy on one data set under one scenario, run once in a fresh process.

    Attributes
    ----------
    params
        Values of the task's parameters, the same for every strategy of the block (rows, trees, threads ...).
    options
        Values of the strategy's own keyword arguments (max_bin ...).
    block
        Index of the block; trials that share task, dataset, scenario, params and block are paired.
    """

    topic: str
    task: str
    strategy: str
    dataset: str
    scenario: str
    params: dict[str, Scalar]
    options: dict[str, Scalar]
    block: Count
    seeds: Seeds

    @property
    def variant(self) -> str:
        """Digest of all that identifies the trial except block and seeds: 10 hexadecimal digits."""
        names = (self.topic, self.task, self.strategy, self.dataset, self.scenario)
        content = msgspec.json.encode((names, self.params, self.options), order="sorted")
        return hashlib.blake2b(content, digest_size=5).hexdigest()

    @property
    def key(self) -> str:
        """Identifies the trial within its run: variant and block, as in ``3fa9c1d27b-0``."""
        return f"{self.variant}-{self.block}"

    @property
    def label(self) -> str:
        """The strategy with its options, as tables show it: ``xgboost-hist[max_bin=64]``."""
        return label(self.strategy, self.options)

    @property
    def cell(self) -> Cell:
        """The cell that the trial belongs to."""
        return Cell(self.topic, self.task, self.dataset, self.scenario, tuple(sorted(self.params.items())))


class Phase(msgspec.Struct, omit_defaults=True):
    """Figures of one phase of a trial.

    Attributes
    ----------
    wall_s, cpu_s
        One sample for each repeat, in seconds; CPU time includes that of child processes.
    peak_bytes
        Peak resident memory above the phase's start, children included; ``None`` where it could not be read.
    held_bytes
        Resident memory at the phase's start above that at the start of the trial's first phase that is in the totals.
    device_bytes
        Peak memory of the accelerator above the phase's start; ``None`` without one.
    in_total
        Whether the phase counts in totals of time and memory; not so for set-up, tuning and stress.
    calls
        Calls that each sample of time is the mean of; above 1 only in imported runs.
    """

    wall_s: list[Amount]
    cpu_s: list[Amount]
    peak_bytes: Count | None = None
    held_bytes: Whole = 0
    device_bytes: Count | None = None
    in_total: bool = True
    calls: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 1


class Curve(msgspec.Struct, omit_defaults=True):
    """A line that a task records: ``y`` over ``x``, with a band around it if there is one; all of the same length.

    Attributes
    ----------
    low, high
        Ends of the band, for example quantiles over repetitions; both empty without one.
    """

    x: list[float]
    y: list[float]
    low: list[float] = []
    high: list[float] = []


class Try(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try of tuning.

    Attributes
    ----------
    options
        The options that were tried, without those at their defaults.
    value
        The task's first metric on the data held out for validation; ``None`` where the try failed.
    """

    options: dict[str, Scalar] = {}
    value: float | None = None


#: Share of a trial's time that went elsewhere or was withheld, above which the trial is contaminated.
DISTURBED = 0.05


class Conditions(msgspec.Struct, omit_defaults=True):
    """What else the machine did during a trial, so that a contaminated trial can be recognised.

    Attributes
    ----------
    load
        1-minute load average at the start.
    stolen
        Share of the trial's cores' time taken by other guests of the host (steal), 0 to 1.
    foreign
        Share of the trial's cores' time used by other processes of this machine, 0 to 1.
    throttled
        Share of the trial's cores' time for which the CPU quota of its control group stopped it, 0 to 1.
    mhz
        Mean frequency of the trial's cores before and after, in MHz; empty where unknown.
    switches
        Involuntary context switches of the trial's process.
    jobs
        Trials that ran at the same time, this one included.
    """

    load: Amount
    stolen: Amount
    foreign: Amount
    mhz: list[Amount] = []
    switches: Count = 0
    jobs: Count = 1
    throttled: Amount = 0.0

    @property
    def contaminated(self) -> bool:
        """Whether more than 5 % of the cores' time went elsewhere or was withheld, or other trials ran alongside."""
        return self.stolen + self.foreign + self.throttled > DISTURBED or self.jobs > 1


class Record(msgspec.Struct, omit_defaults=True):
    """The result of a trial.

    Attributes
    ----------
    reason
        One line: why the trial did not finish, or why its figures are suspect. Longer text is in the run's folder.
    cores
        CPU cores that the trial was pinned to; empty where pinning is not possible.
    elapsed_s
        Wall time of the whole trial, preparation and judging included.
    n
        Metric to the number of cases that it is a rate of.
    overlap
        Rows of the test set for each other row of the data, where blocks draw both sets from the same rows; else 0.
    diverged
        The step at which training diverged; the metrics are then those of a guess. ``None`` where it did not.
    tries, choice
        What tuning tried, in order, and the options that it chose; empty without tuning.
    work
        Phase to the number of its units of work in the data that were given; empty where parameters give it.
    """

    trial: Trial
    status: Status
    reason: str = ""
    phases: dict[str, Phase] = {}
    metrics: dict[str, Figure] = {}
    curves: dict[str, Curve] = {}
    conditions: Conditions | None = None
    cores: list[Count] = []
    memory_source: MemorySource | None = None
    started: str = ""
    elapsed_s: Amount = 0.0
    n: dict[str, Count] = {}
    overlap: Amount = 0.0
    diverged: Amount | None = None
    tries: list[Try] = []
    choice: dict[str, Scalar] = {}
    work: dict[str, Amount] = {}

    @property
    def crowded(self) -> bool:
        """Whether the trial had more threads than cores, so that its threads waited for each other."""
        threads = self.trial.params.get("threads", 0)
        return bool(self.cores) and isinstance(threads, int) and threads > len(self.cores)


def label(strategy: str, options: dict[str, Scalar]) -> str:
    """Name a strategy together with its options."""
    if not options:
        return strategy
    return f"{strategy}[{','.join(f'{name}={typed(value)}' for name, value in sorted(options.items()))}]"


def parse_label(text: str) -> tuple[str, dict[str, Scalar]]:
    """Split what `label` wrote into the strategy and its options."""
    name, _, options = text.removesuffix("]").partition("[")
    pairs = (option.partition("=") for option in options.split(",") if option)
    return name, {option: scalar(value) for option, _, value in pairs}


def typed(value: Scalar) -> str:
    """Write a value as `scalar` reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def scalar(text: str) -> Scalar:
    """Read a number or a truth value; everything else is text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?\d+(_\d+)*", text) and len(text) < 4000:  # Python reads no longer whole numbers
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Cell:
    """What trials share that differ in strategy and block only: they are compared with each other."""

    topic: str
    task: str
    dataset: str
    scenario: str
    params: tuple[tuple[str, Scalar], ...]

    @property
    def full_task(self) -> str:
        """Topic and task, as in ``boosting/tabular-binary``."""
        return f"{self.topic}/{self.task}"

    @property
    def short(self) -> str:
        """The cell in words, without its task."""
        params = " ".join(f"{name}={value}" for name, value in self.params)
        return f"{self.dataset}, {self.scenario}" + (f" ({params})" if params else "")

    @property
    def title(self) -> str:
        """The cell in words."""
        return f"{self.full_task} on {self.short}"


def figures(record: Record) -> dict[str, float]:
    """Return the numbers of a record by name; none of a trial that did not finish.

    A trial that diverged has metrics only: it stopped early, so its time and memory compare with nothing.

    Returns
    -------
    dict of str to float
        ``fit.cpu_s`` (median of the phase's samples), ``cpu_s`` (sum over the phases that are in the totals),
        ``peak_bytes`` (largest size reached in any of these above the start of the first), ``device_bytes`` (largest of
        any of these), and the metrics.
    """
    if record.status != "ok":
        return {}
    if record.diverged is not None:
        return dict(record.metrics)
    values: dict[str, float] = {}
    totals: dict[str, float] = {}
    for name, phase in record.phases.items():
        for figure, samples in (("wall_s", phase.wall_s), ("cpu_s", phase.cpu_s)):
            if samples:
                value = samples[0] if len(samples) == 1 else median(samples)
                values[f"{name}.{figure}"] = value
                if phase.in_total:
                    totals[figure] = totals.get(figure, 0.0) + value
        values[f"{name}.held_bytes"] = phase.held_bytes
        for figure, peak, before in (
            ("peak_bytes", phase.peak_bytes, phase.held_bytes),
            ("device_bytes", phase.device_bytes, 0),
        ):
            if peak is not None:
                values[f"{name}.{figure}"] = peak
                if phase.in_total:
                    totals[figure] = max(totals.get(figure, 0), before + peak)
    return values | totals | record.metrics


def without(record: Record, setup: Collection[str]) -> Record:
    """Return a record whose totals and held memory leave some phases out, as if the task had declared them set-up."""
    phases = {
        name: msgspec.structs.replace(phase, in_total=phase.in_total and name not in setup)
        for name, phase in record.phases.items()
    }
    base = next((phase.held_bytes for phase in phases.values() if phase.in_total), 0)
    for phase in phases.values():
        phase.held_bytes -= base
    return msgspec.structs.replace(record, phases=phases)


def measure(record: Record, name: str) -> float | None:
    """Return a number of a record by its name in `figures`."""
    return figures(record).get(name)


def depends_on_setup(name: str) -> bool:
    """Return whether a measure means something else where other phases are set-up: totals and held memory do."""
    return name in TOTALS or name.endswith(".held_bytes")


def setup_among(names: Collection[str], setup: Collection[str]) -> tuple[str, ...]:
    """Return the set-up phases that a strategy enters: what its totals leave out.

    Parameters
    ----------
    names
        Names of all figures of the strategy.
    setup
        Phases that its task declares set-up.
    """
    return tuple(sorted(phase for phase in setup if f"{phase}.held_bytes" in names))


def is_time(name: str) -> bool:
    """Return whether a measure is a time: the noise floor of a machine applies to times only."""
    return is_cost(name) and name.endswith("_s")


def is_cost(name: str) -> bool:
    """Return whether a measure is time or memory, which are compared as ratios; metrics are compared as differences."""
    return name in TOTALS or "." in name
