"""The kind ``log``: rounds in which a policy chose an action and saw its reward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data import columns
from harness.data.card import Card, ColumnsFile, Rows
from harness.data.readers.reader import Reader
from harness.data.tabular import read_only
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.errors import UsageError
from harness.records import Scalar


class LogFile(ColumnsFile, frozen=True, kw_only=True):
    """A file of rounds.

    Attributes
    ----------
    rows
        Number of rounds.
    action
        Column of the action: strings or integers.
    reward
        Column of the reward: finite numbers.
    propensity
        Optional column of the probability with which the policy that ran chose the action: above 0, at most 1.
    time
        Optional column of integers, dates or timestamps.
    positives
        Rounds whose reward is 1, for pages.
    """

    rows: Rows
    action: str
    reward: str
    propensity: str | None = None
    time: str | None = None
    positives: int | None = None


@dataclass(frozen=True, eq=False)
class LoggedRounds:
    """The rounds of a log in the order of the file. Arrays are read-only.

    Attributes
    ----------
    actions
        Numbers of the actions from 0, int32, shape (n,).
    rewards
        float64, shape (n,).
    propensities
        float64, shape (n,); ``None`` where the file has none.
    time
        int64, shape (n,); ``None`` where the file has none.
    action_names
        What the file calls each action.
    others
        The other columns, or those that the card lists as features, by name: numbers, or strings as objects.
    """

    actions: npt.NDArray[np.int32]
    rewards: npt.NDArray[np.float64]
    propensities: npt.NDArray[np.float64] | None
    time: npt.NDArray[np.int64] | None
    action_names: tuple[str | int, ...]
    others: Mapping[str, npt.NDArray[Any]]

    def __post_init__(self) -> None:
        read_only(self.actions, self.rewards, self.propensities, self.time, *self.others.values())

    def __len__(self) -> int:
        return len(self.actions)


def read(card: Card) -> LoggedRounds:
    """Read a log.

    Raises
    ------
    UsageError
        When the file cannot be read, has another number of rows, or a column is missing or not what it must be.
    """
    assert isinstance(card.file, LogFile)
    file = card.file
    opened = columns.open_columns(file)
    roles = [name for name in (file.action, file.reward, file.propensity, file.time) if name is not None]
    opened.check(file.rows, (*roles, *card.features))
    actions, names = columns.identities(opened.column(file.action), opened.where("action", file.action))
    others = [name for name in (card.features or opened.names) if name not in roles]
    return LoggedRounds(
        actions,
        columns.reals(opened.column(file.reward), opened.where("reward", file.reward)),
        None if file.propensity is None else _propensities(opened, file.propensity),
        None if file.time is None else columns.times(opened.column(file.time), opened.where("time", file.time)),
        names,
        {name: columns.plain(opened.column(name), opened.where("column", name)) for name in others},
    )


def _propensities(opened: columns.Columns, name: str) -> npt.NDArray[np.float64]:
    values = columns.reals(opened.column(name), opened.where("propensity", name))
    wrong = np.flatnonzero((values <= 0) | (values > 1))
    if len(wrong):
        raise UsageError(
            f"{opened.where('propensity', name)} is {values[wrong[0]]:g} in row {wrong[0] + 1}: a policy chooses what "
            "it chose with a probability above 0 and at most 1"
        )
    return values


def _load(card: Card, _params: Mapping[str, Scalar], _rng: Generator) -> LoggedRounds:
    return read(card)


def _dataset(card: Card) -> Dataset:
    assert isinstance(card.file, LogFile)
    return Dataset(card.name, load=partial(_load, card), provides=("time",) if card.file.time else ())


READER = Reader(LogFile, columns.FORMATS, read, _dataset, columns.MODULES)
