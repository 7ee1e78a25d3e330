"""What a reader of one kind of data is, and the split into training and test rows that several of them make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.data.card import Card, File
from harness.data.tabular import Index
from harness.declare import Dataset, Param
from harness.declare.values import Generator
from harness.records import Scalar

TEST_ROWS = 50_000


@dataclass(frozen=True)
class Reader:
    """How the files of one kind become values.

    Attributes
    ----------
    file
        The type of a card's table ``[file]``: its fields are the keys that such a card may have.
    formats
        Ends of the names of files that can be read.
    check
        ``check(card)``: reads all of the file, and raises `UsageError` where it is not what the card says.
    dataset
        ``dataset(card)``: the data set, without what is the same for all kinds (verification, version, kind).
    needs
        Modules that reading uses.
    """

    file: type[File]
    formats: tuple[str, ...]
    check: Callable[[Card], object]
    dataset: Callable[[Card], Dataset]
    needs: tuple[str, ...] = ()


def test_rows(rows: int) -> int:
    """Return the size of the test set: 50,000 rows, or a fifth of a file with fewer than 250,000."""
    return min(TEST_ROWS, rows // 5)


def split_rows(rows: int, train: int, rng: Generator) -> tuple[Index, Index]:
    """Draw rows for training and test.

    The test rows are drawn first. They are the same for every number of training rows, so that figures compare across
    sizes, and a smaller training set is the beginning of a larger one.
    """
    order = rng.permutation(rows)
    held_out = test_rows(rows)
    return order[held_out : held_out + train], order[:held_out]


def overlap_of(rows: int, _params: Mapping[str, Scalar]) -> float:
    """Return the test rows for each other row of the file: every block draws both sets from it."""
    return test_rows(rows) / (rows - test_rows(rows))


def rows_param(rows: int) -> dict[str, Param]:
    """Return the parameter ``rows``, the number of training rows, of a file with so many rows."""
    most = rows - test_rows(rows)
    return {"rows": Param(min(100_000, most), low=min(100, most), high=most, summary="training rows")}
