"""Examples with several modalities, divided by groups into training and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harness import Arrays, Generator, Param, Scalar, UsageError

#: Names of the arrays of a card that are modalities, with what their values are.
KINDS = {"text": "ids", "links": "ids", "image": "pixels", "numbers": "numbers"}
#: Modalities of cards and of generated data.
MODALITIES = (*KINDS, "a", "b")
#: Label of a training example whose label may not be used.
UNLABELLED = -1
Rows: TypeAlias = npt.NDArray[np.integer] | slice
#: Largest share of the examples that is tested; whole groups.
TEST = 0.2
PARAMS = {
    "rows": Param(20_000, low=20, summary="training examples at most"),
    "tested": Param(20_000, low=20, summary="test examples at most, of a fifth of all"),
}


@dataclass(frozen=True, eq=False)
class Modality:
    """The values of one modality for all examples of a set.

    Attributes
    ----------
    kind
        ``ids``: integers from 1 on, in order, padded with 0, shape (n, length). ``pixels``: uint8, shape (n, height,
        width, 3). ``numbers``: float32, shape (n, columns), standardised by training examples. ``set``: float32, shape
        (n, members, columns), vectors without an order.
    size
        Number of different ids, with 0; for other kinds the number of columns or channels.
    present
        False where an example lacks this modality, shape (n,); its values are then 0.
    """

    kind: str
    values: npt.NDArray[Any]
    size: int
    present: npt.NDArray[np.bool_]

    def take(self, rows: Rows) -> Modality:
        """Take the given examples."""
        return replace(self, values=self.values[rows], present=self.present[rows])


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples: their modalities by name, and their classes, shape (n,), which are empty in what strategies see."""

    modalities: Mapping[str, Modality]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(next(iter(self.modalities.values())).values)

    def take(self, rows: Rows) -> Examples:
        """Take the given examples, in the given order."""
        taken = {name: modality.take(rows) for name, modality in self.modalities.items()}
        return Examples(taken, self.labels[rows], self.groups[rows])


@dataclass(frozen=True, eq=False)
class Divided:
    """Training and test examples of the same modalities.

    Attributes
    ----------
    classes
        Number of classes.
    shifted
        By the name of a modality, other values of it for the test examples, such as a second rendering of images.
    whole
        All examples as their card has them, where groups keep some together; strategies do not see them.
    overlap
        Test examples for each other example of the card.
    """

    train: Examples
    test: Examples
    classes: int
    shifted: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    whole: Examples | None = None
    overlap: float = 0.0


def prepare(data: Any, params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Divide the arrays of a card: a fifth of the examples at most, in whole groups, is tested, in random order.

    The arrays are ``labels``, ``groups``, and at least two of those in `KINDS`. An array ``image_shifted`` has other
    values of ``image``.

    Raises
    ------
    UsageError
        When an array is missing.
    """
    assert isinstance(data, Arrays)
    arrays = data.arrays
    names = [name for name in KINDS if name in arrays]
    if len(names) < 2 or "labels" not in arrays:
        raise UsageError(f"fusion needs an array labels and two or more of {', '.join(KINDS)}, not {', '.join(arrays)}")
    labels = arrays["labels"].astype(np.int64)
    groups = arrays.get("groups", np.arange(len(labels))).astype(np.int64)
    most = int(params["tested"])
    held = held_out(groups, rng, most)
    rows = rng.permutation(np.flatnonzero(~held))[: int(params["rows"])]
    tested = rng.permutation(np.flatnonzero(held))[:most]
    everything = np.ones(len(labels), dtype=np.bool_)
    modalities = {name: Modality(KINDS[name], arrays[name], _size(name, arrays[name]), everything) for name in names}
    whole = Examples(modalities, labels, groups)
    shifted = {name: arrays[f"{name}_shifted"][tested] for name in names if f"{name}_shifted" in arrays}
    parts = whole.take(rows), whole.take(tested)
    overlap = len(tested) / (len(labels) - len(tested))
    return standardised(known(Divided(*parts, int(labels.max()) + 1, shifted, whole, overlap)))


def split_at_random(data: Divided, rng: Generator) -> Divided:
    """Divide all examples again, without regard to groups, into as many training and test examples as before."""
    if data.whole is None:
        return data
    order = rng.permutation(len(data.whole))
    train, test = np.split(order[: len(data.train) + len(data.test)], [len(data.train)])
    return standardised(known(replace(data, train=data.whole.take(train), test=data.whole.take(test), shifted={})))


def held_out(groups: npt.NDArray[np.integer], rng: Generator, most: int | None = None) -> npt.NDArray[np.bool_]:
    """Draw whole groups, at most a fifth of the examples, until there are enough; return which examples these are.

    Parameters
    ----------
    most
        How many are enough; ``None`` for a fifth. The last group may exceed it.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    ends = np.cumsum(counts[order])
    enough = len(groups) if most is None else most
    taken = np.zeros(len(names), dtype=np.bool_)
    taken[order[(ends <= TEST * len(groups)) & (ends - counts[order] < enough)]] = True
    return taken[inverse]


def _size(name: str, values: npt.NDArray[Any]) -> int:
    return int(values.max()) + 1 if KINDS[name] == "ids" else values.shape[-1]


def standardised(data: Divided) -> Divided:
    """Give each column of numbers mean 0 and variance 1 over the training examples; NaN becomes the mean."""

    def scale(part: Examples) -> Examples:
        scaled = dict(part.modalities)
        for name, modality in part.modalities.items():
            if modality.kind == "numbers":
                train = data.train.modalities[name].values
                mean, spread = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
                values = (modality.values - mean) / np.where(spread > 0, spread, 1)
                scaled[name] = replace(modality, values=np.nan_to_num(values).astype(np.float32))
        return replace(part, modalities=scaled)

    return replace(data, train=scale(data.train), test=scale(data.test))


def known(data: Divided) -> Divided:
    """Remove the ids of test examples that no training example has: nothing can be learnt about them."""
    modalities = dict(data.test.modalities)
    for name, modality in modalities.items():
        if modality.kind == "ids":
            seen = np.isin(modality.values, data.train.modalities[name].values)
            modalities[name] = replace(modality, values=np.where(seen, modality.values, 0))
    return replace(data, test=replace(data.test, modalities=modalities))


def holdout(data: Divided, rng: Generator) -> Divided:
    """Put a fifth of the training examples, in whole groups, in place of the test examples, for tuning."""
    held = held_out(data.train.groups, rng)
    train, test = data.train.take(np.flatnonzero(~held)), data.train.take(np.flatnonzero(held))
    return known(replace(data, train=train, test=test, shifted={}, whole=None))


def visible(data: Divided) -> Divided:
    """Return what strategies see: everything but the classes of the test examples."""
    return replace(data, test=replace(data.test, labels=np.zeros(0, np.int64)), shifted={}, whole=None)


def only(data: Divided, name: str) -> Divided:
    """Return data that have a single modality."""

    def part(examples: Examples) -> Examples:
        return replace(examples, modalities={name: examples.modalities[name]})

    return replace(data, train=part(data.train), test=part(data.test))
