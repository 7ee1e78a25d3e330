"""The header of a run: what was asked for, on which machine, with which software."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from harness.declare.values import STRESS, TUNE, TUNED, Chart, Work
from harness.errors import UsageError
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Amount, Count, Scalar

SCHEMA = "1.4"
_SCHEMA = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")


class JudgedMetric(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader needs to know of a metric to say which of two values is better.

    Attributes
    ----------
    task
        Topic and task, as in ``boosting/tabular-binary``.
    rate
        Whether it is a share of cases; the records then have their number as `n`.
    of, stress, level, axis
        For a metric of an altered test set: the plain metric, the name of the stress, its level, and the title of the
        levels. The level is ``None`` for a figure that sums up all levels.
    """

    task: str
    name: str
    direction: Literal["higher", "lower"]
    unit: str
    summary: str = ""
    margin: Amount = 0.0
    limit: float | None = None
    rate: bool = False
    of: str = ""
    stress: str = ""
    level: float | None = 0.0
    axis: str = ""


def plain(metrics: Iterable[JudgedMetric]) -> tuple[JudgedMetric, ...]:
    """Leave out the metrics of altered test sets: comparisons show them where they are asked for by name."""
    return tuple(metric for metric in metrics if not metric.of)


class TaskCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader needs to know of a task without its code.

    Attributes
    ----------
    name
        Topic and task, as in ``boosting/tabular-binary``.
    baseline
        The strategy whose quality replaces a failed result in ranks; empty where there is none.
    sweep
        Names of the parameters that the full profile varies.
    charts
        How the task's curves are drawn.
    work
        Phase to the unit of its work.
    setup
        Phases that are in no total: set-up, tuning and stress.
    left_out
        Strategies that the profile does not run.
    """

    name: str
    title: str = ""
    baseline: str = ""
    sweep: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = msgspec.field(default=(), name="figures")
    work: dict[str, Work] = {}
    setup: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def declared_setup(self) -> frozenset[str]:
        """The phases in no total that the author of the task declares; the harness adds the others."""
        return frozenset(self.setup) - {TUNE, STRESS}


class StrategyCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reader needs to know of a strategy without its code.

    Attributes
    ----------
    task
        Topic and task, as in ``boosting/tabular-binary``.
    options
        Its options at their defaults; a trial names only what differs.
    note
        Where it departs from the task's common budget.
    tries
        How many sets of options it tries while it is tuned; 0 where it is not.
    hand_tuned
        Whether its author tuned its defaults on data of the task.
    yardstick
        Whether it does other work than the task asks for, and is never recommended.
    versions
        Measure to the version of its definition in the tool that it was imported from: ``wall_s``, ``peak_bytes``, or a
        metric. Results of two versions are not compared.
    """

    task: str
    name: str
    options: dict[str, Scalar] = {}
    note: str = ""
    summary: str = ""
    device: str = "cpu"
    tries: Count = 0
    hand_tuned: bool = False
    yardstick: bool = False
    versions: dict[str, str] = {}

    @property
    def title(self) -> str:
        """The strategy as tables and pages show it.

        It is ``als (tuned, 8 tries)`` for ``als-tuned``, and ``als (constants tuned)`` where its author tuned it.
        """
        if self.tries:
            return f"{self.name.removesuffix(TUNED)} (tuned, {self.tries} tries)"
        return f"{self.name} (constants tuned)" if self.hand_tuned else self.name


#: Run, task and strategy to measure to version.
Versions: TypeAlias = Mapping[tuple[str, str, str], Mapping[str, str]]


def titled(label: str, cards: Mapping[str, StrategyCard]) -> str:
    """Return the label of a strategy as tables and pages show it; with options it is not the tuned one."""
    return cards[label].title if label in cards else label


def version_of(versions: Mapping[str, str], measure: str) -> str:
    """Return the version of a measure's definition, by its name in `harness.records.figures`; empty if unknown."""
    return versions.get(measure.rpartition(".")[2], "")


class Header(msgspec.Struct, frozen=True):
    """First line of a file of a run.

    Attributes
    ----------
    schema
        Version of the format, ``major.minor``.
    run
        Id of the run: 6 hexadecimal digits.
    started
        Start of the run: UTC, ISO 8601; the same in all of its files.
    plan
        Digest of the planned trials.
    trials
        Number of planned trials, on all machines together; 0 for a run with a parent, which goes on as time allows.
    command
        The command line as typed.
    cards
        Data set to the checksum of its file (SHA-256), or to the name of its generator.
    strategies
        The strategies of the planned tasks.
    references
        Task to the strategy that tables compare the others with.
    tasks
        The planned tasks.
    parent
        The run that this one adds blocks to, continuing its seeds and block numbers; empty for any other run.
    session
        The run whose session of measuring this one goes on with, as it began within an hour of its end; empty for a
        run that began a session.
    modules
        Module that the planned tasks and strategies load to the digest of its file; see `harness.measure.code`.
    """

    schema: str
    run: str
    started: str
    machine: Machine
    environment: Environment
    selection: Selection
    plan: str
    trials: Count
    command: str
    metrics: tuple[JudgedMetric, ...]
    cards: dict[str, str]
    strategies: tuple[StrategyCard, ...] = ()
    references: dict[str, str] = {}
    tasks: tuple[TaskCard, ...] = ()
    parent: str = ""
    session: str = ""
    modules: dict[str, str] = {}

    def setup(self, task: str) -> frozenset[str]:
        """Return the phases that the author of a task declares set-up; none in runs before schema 1.2.

        Totals of runs in which they differ are not compared. The phases that the harness adds are not among them: no
        run has those in a total.
        """
        return next((card.declared_setup for card in self.tasks if card.name == task), frozenset())

    def has(self, task: str) -> bool:
        """Return whether a task, ``topic/task``, was planned."""
        return any(card.name == task for card in self.tasks)

    @property
    def name(self) -> str:
        """Name of the run's files and of the folders beside them: ``<utc>-<commit8>-<run>``."""
        utc = datetime.fromisoformat(self.started).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        return f"{utc}-{(self.environment.commit or 'nocommit')[:8]}-{self.run}"


def versions_in(headers: Iterable[Header]) -> Versions:
    """Return the versions of the benchmarks that runs were imported from."""
    return {
        (header.run, card.task, card.name): card.versions
        for header in headers
        for card in header.strategies
        if card.versions
    }


class _Version(msgspec.Struct):
    schema: str


def new_run_id() -> str:
    """Draw the id of a new run."""
    return secrets.token_hex(3)


def _major(schema: str) -> int:
    if not _SCHEMA.fullmatch(schema):
        raise ValueError("its schema is not a version such as 1.3")
    return int(schema.partition(".")[0])


def decode_header(line: bytes, path: Path) -> Header:
    """Read the first line of a run's file.

    Raises
    ------
    UsageError
        When the line is not a header, or comes from a newer major version of the format.
    """
    try:
        schema = msgspec.json.decode(line, type=_Version).schema
        if _major(schema) > _major(SCHEMA):
            raise UsageError(f"{path} has schema {schema}, and this bakeoff reads up to {SCHEMA}: update bakeoff")
        return msgspec.json.decode(line, type=Header)
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors too
        raise UsageError(f"{path} is not a run of bakeoff: its first line is not a header ({error})") from None
