"""What a file that was exported from a run carries of it beside the other tool's figures, checked on its way back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from harness.declare.names import NAME, SCENARIO
from harness.errors import UsageError
from harness.interop.sources import commit_in
from harness.measure.machine import check_name
from harness.records import Trial
from harness.store.header import SCHEMA, Header

#: Under this key an exported file keeps what is ours; both tools ignore it.
KEY = "bakeoff"

Shape = TypeVar("Shape")

_MOMENT = re.compile(r"(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d(\+00:00|Z)")


def carried(value: object, shape: type[Shape]) -> Shape | None:
    """Give what a file carries its types; ``None`` when it is not as an export wrote it."""
    try:
        return msgspec.convert(value, shape)
    except (msgspec.ValidationError, RecursionError):
        return None


def sound_header(header: Header) -> bool:
    """Return whether a carried header can be one of ours: its parts name a folder and a file."""
    commit = header.environment.commit
    try:
        check_name(header.machine.name)
    except UsageError:
        return False
    same_major = header.schema.partition(".")[0] == SCHEMA.partition(".")[0]
    return same_major and bool(_MOMENT.fullmatch(header.started)) and (commit is None or commit_in(commit) == commit)


def sound_trials(trials: Iterable[Trial]) -> bool:
    """Return whether carried trials have names as a declaration gives them."""
    return all(
        _all(NAME, (trial.topic, trial.task, trial.strategy, trial.dataset))
        and _all(SCENARIO, [trial.scenario])
        and sound_names((*trial.params, *trial.options))
        for trial in trials
    )


def sound_names(names: Iterable[str]) -> bool:
    """Return whether names of parameters, phases or metrics are as a declaration gives them."""
    return all(name.isidentifier() for name in names)


def plain(value: object) -> Any:
    """Write a value of ours as JSON can hold it."""
    return msgspec.to_builtins(value)


def _all(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    return all(pattern.fullmatch(name) for name in names)
