"""The kind ``arrays``: named arrays of a file ``.npz``."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.data.card import Card, File
from harness.data.readers.reader import Reader
from harness.data.tabular import read_only
from harness.declare import Dataset
from harness.declare.values import Generator
from harness.errors import UsageError, did_you_mean
from harness.inputs import open_regular
from harness.records import Scalar


class ArraysFile(File, frozen=True, kw_only=True):
    """A file of arrays.

    Attributes
    ----------
    shapes
        Name of each array that is read to its shape, such as ``{X = [1797, 64], y = [1797]}``; others are not read.
    """

    shapes: dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays by name. They are read-only."""

    arrays: Mapping[str, npt.NDArray[Any]]

    def __post_init__(self) -> None:
        read_only(*self.arrays.values())

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.arrays[name]


def read(card: Card) -> Arrays:
    """Read the arrays that the card names. Objects, which could run code, are not read.

    Raises
    ------
    UsageError
        When the file cannot be read, or an array is missing, has another shape, or is not of numbers or text.
    """
    assert isinstance(card.file, ArraysFile)
    path = card.file.path
    try:
        with open_regular(Path(path)) as stream:
            stored = np.load(stream, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                raise UsageError(f"{path} contains one array, not named ones; write it with numpy.savez")
            return Arrays({name: _array(stored, name, shape, path) for name, shape in card.file.shapes.items()})
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, MemoryError) as error:
        said = (str(error).splitlines() or ["too large"])[0]
        raise UsageError(f"{path} cannot be read as npz: {said}") from None


def _array(stored: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int, ...], path: str) -> npt.NDArray[Any]:
    if name not in stored:
        raise UsageError(f"{path} has no array {name!r}{did_you_mean(name, stored)}")
    try:
        array = stored[name]
    except ValueError:
        raise UsageError(f"array {name!r} of {path} has objects in it, which are not read; store numbers") from None
    if array.shape != shape:
        raise UsageError(f"array {name!r} of {path} has the shape {array.shape}, but its card says {shape}")
    if np.issubdtype(array.dtype, np.floating) and np.isinf(array).any():
        raise UsageError(f"array {name!r} of {path} contains infinity; replace it by a number or by NaN")
    return array


def _load(card: Card, _params: Mapping[str, Scalar], _rng: Generator) -> Arrays:
    return read(card)


def _dataset(card: Card) -> Dataset:
    return Dataset(card.name, load=partial(_load, card))


READER = Reader(ArraysFile, (".npz",), read, _dataset)
