"""Errors that a person reads: one sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from enum import IntEnum

from harness.text import inert


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    NO = 1
    USAGE = 2
    FAULT = 3
    TRIAL_FAILED = 4
    NOTHING_SELECTED = 5
    INCONCLUSIVE = 6
    INTERRUPTED = 130


class BakeoffError(Exception):
    """Base of the errors that end a command with one sentence instead of a traceback."""

    exit_code = Exit.FAULT

    def __str__(self) -> str:
        """Return the sentence, in which the text of a file or a strategy is only shown."""
        return inert(super().__str__())


class UsageError(BakeoffError):
    """Bad input: an argument, a file, a configuration key."""

    exit_code = Exit.USAGE


class MissingDataError(UsageError):
    """A data set whose file is not on this machine; the trials that need it are skipped.

    Parameters
    ----------
    name
        The data set, as in ``bakeoff data get NAME``.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.remedy = f"bakeoff data get {name}"


class DeclarationError(UsageError):
    """A topic, task, strategy, metric, scenario or claim that is declared wrongly."""


class NothingSelectedError(BakeoffError):
    """A valid selection that matches no trial."""

    exit_code = Exit.NOTHING_SELECTED


class InvalidOutputError(BakeoffError):
    """A strategy returned something that its task cannot judge."""


class CannotRunError(BakeoffError):
    """Raised by a strategy that cannot run on this machine or with this build of its library; its trial is skipped.

    The message is the reason, a clause such as "LightGBM is built without CUDA".
    """


class TuningError(BakeoffError):
    """No set of options of a strategy could be tried; the message says why."""


class DivergedError(BakeoffError):
    """Raised by a strategy whose training diverged; its trial has the metrics of a guess.

    A judge that still has something to draw returns ``Judgement(diverged=step)`` instead.

    Parameters
    ----------
    step
        The step at which a number was no longer finite, in the unit of the task's curves.
    """

    def __init__(self, step: float) -> None:
        super().__init__(f"training diverged at step {step:g}")
        self.step = step


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for a mistyped word: the closest known words, or all of them when few.

    Returns
    -------
    str
        A clause to append to a sentence, empty when nothing is close and there is too much to list.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 12 else ""


_LISTED = 3


def some(names: Sequence[str]) -> str:
    """List the first three names, and say how many more there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
