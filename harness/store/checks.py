"""What headers and records must be beyond their types: names that fit paths and pages, dates, lists of equal lengths.

Runs come from strangers, and what is read from them becomes parts of paths, tables and pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import ValidationError

from harness.declare.names import NAME, SCENARIO
from harness.errors import UsageError
from harness.measure.machine import check_name
from harness.records import Record, Trial
from harness.store.header import Header

_RUN = re.compile(r"[0-9a-f]{6}")
COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DATE = re.compile(r"(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_LONGEST = 200
#: Ratios of shorter times could be too small for a float.
SHORTEST_S = 1e-18


def check_header(header: Header) -> None:
    """Refuse a header whose names or dates cannot be.

    Raises
    ------
    ValidationError
        With a clause that says what is wrong.
    """
    for run in (header.run, *filter(None, (header.parent, header.session))):
        if not _RUN.fullmatch(run):
            raise ValidationError(f"{_shown(run)} is not the id of a run, six hexadecimal digits")
    if not is_date(header.started):
        raise ValidationError(f"{_shown(header.started)} is not the date and time of a start")
    try:
        check_name(header.machine.name)
    except UsageError as error:
        raise ValidationError(str(error)) from None
    commit = header.environment.commit
    if commit is not None and not COMMIT.fullmatch(commit):
        raise ValidationError(f"{_shown(commit)} is not the name of a commit")
    _check_tasks((*header.references, *(card.name for card in header.tasks)))
    _check_tasks((*(metric.task for metric in header.metrics), *(card.task for card in header.strategies)))
    _check_names("strategy", (*(card.name for card in header.strategies), *header.references.values()))
    _check_identifiers(one.name for one in header.metrics)
    _check_identifiers(phase for card in header.tasks for phase in (*card.setup, *card.work))
    named = (header.environment.packages, header.cards, header.modules)
    _check_lines((*(pair for names in named for pair in names.items()), *_versions(header)))


def check_trial(trial: Trial) -> None:
    """Refuse a trial whose names no declaration and no import gives; errors are those of `check_header`."""
    for what, name in (
        ("topic", trial.topic),
        ("task", trial.task),
        ("strategy", trial.strategy),
        ("data set", trial.dataset),
    ):
        _check_names(what, (name,))
    if not SCENARIO.fullmatch(trial.scenario) and not NAME.fullmatch(trial.scenario):
        raise ValidationError(f"{_shown(trial.scenario)} cannot name a scenario")


class RecordCheck:
    """Checks records one after the other; names that were checked together once are known."""

    def __init__(self) -> None:
        self._known: set[tuple[str, ...]] = set()

    def __call__(self, record: Record) -> None:
        """Refuse a record that cannot be.

        Raises
        ------
        ValidationError
            With a clause that says what is wrong.
        """
        trial = record.trial
        keys = (*trial.params, *trial.options, *record.phases, *record.metrics, *record.curves, *record.n, *record.work)
        names = (trial.topic, trial.task, trial.strategy, trial.dataset, trial.scenario, *keys)
        if names not in self._known:
            check_trial(trial)
            _check_identifiers(keys)
            self._known.add(names)
        for name, phase in record.phases.items():
            times = (*phase.wall_s, *phase.cpu_s)
            if min(times, default=1.0) < SHORTEST_S and any(0 < time < SHORTEST_S for time in times):
                raise ValidationError(f"phase {name} has a time that is neither 0 nor {SHORTEST_S:g} s or more")
            # An imported phase may have only one of the two times.
            if len(phase.wall_s) != len(phase.cpu_s) and phase.wall_s and phase.cpu_s:
                raise ValidationError(f"phase {name} has {len(phase.wall_s)} wall but {len(phase.cpu_s)} CPU samples")
        for name in record.n:
            if not 0 <= record.metrics.get(name, 0) <= 1:
                raise ValidationError(f"metric {name} is a share of cases, and {record.metrics[name]:g} is not one")
        for name, curve in record.curves.items():
            if {len(curve.y), *map(len, filter(None, (curve.low, curve.high)))} != {len(curve.x)}:
                raise ValidationError(f"the lists of curve {name} differ in length")


def is_date(text: str) -> bool:
    """Return whether a text is a date and time with its offset from UTC, ISO 8601, from 1970 on."""
    if not _DATE.fullmatch(text):
        return False
    try:
        # The last year is left out: in another time zone it could be the next, which no date of Python can be.
        return datetime.fromisoformat(text).year < 9999
    except ValueError:
        return False


def _versions(header: Header) -> Iterable[tuple[str, str]]:
    return (pair for card in header.strategies for pair in card.versions.items())


def _check_tasks(names: Iterable[str]) -> None:
    for name in names:
        topic, between, task = name.partition("/")
        if not between or not NAME.fullmatch(topic) or not NAME.fullmatch(task):
            raise ValidationError(f"{_shown(name)} cannot name a task, as topic/task does")


def _check_names(what: str, names: Iterable[str]) -> None:
    for name in names:
        if not NAME.fullmatch(name):
            raise ValidationError(f"{_shown(name)} cannot name a {what}")


def _check_identifiers(names: Iterable[str]) -> None:
    for name in names:
        if not name.isidentifier() or len(name) > _LONGEST:
            raise ValidationError(f"{_shown(name)} cannot name a phase, a metric or a parameter")


def _check_lines(pairs: Iterable[tuple[str, str]]) -> None:
    for pair in pairs:
        for text in pair:
            if len(text) > _LONGEST or not text.isprintable():
                raise ValidationError(f"{_shown(text)} is not a name or version: one line of at most {_LONGEST}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
