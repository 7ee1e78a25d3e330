"""Tables check their arrays and make them read-only; strategies do not see the test labels."""

import numpy as np
import pytest

from harness.data.tabular import Split, Table, holdout, visible
from harness.errors import DeclarationError


def table(n: int = 4) -> Table:
    return Table(np.zeros((n, 2), np.float32), np.zeros(n, np.int8), np.arange(n, dtype=np.int64))


def test_arrays_are_read_only() -> None:
    made = table()
    for array in (made.X, made.y, made.time):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_strategies_see_no_test_labels() -> None:
    split = Split(table(5), table(3), ("a", "b"))
    seen = visible(split)
    assert isinstance(seen.test, np.ndarray)
    assert seen.test is split.test.X
    assert seen.train is split.train
    assert set(vars(seen)) == {"train", "test", "features", "classes", "categorical"}


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros(3, np.int8), "float32"),
        (np.zeros((2, 3), np.float32).T, np.zeros(3, np.int8), "contiguous"),
        (np.zeros((3, 2), np.float32), np.zeros(3, np.float32), "int8, int32 or float64"),
        (np.zeros((3, 2), np.float32), np.zeros(2, np.int8), "3 rows"),
    ],
)
def test_wrong_arrays_are_refused(X: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Table(X, y)


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.int8, "binary"), (np.int32, "multiclass"), (np.float64, "real")], ids=str
)
def test_the_type_of_the_target_is_its_kind(dtype: type, kind: str) -> None:
    assert Table(np.zeros((3, 2), np.float32), np.zeros(3, dtype)).target == kind


def test_take_copies_rows_in_order() -> None:
    taken = table().take(np.array([2, 0]))
    assert taken.time is not None
    assert taken.time.tolist() == [2, 0]
    assert len(taken) == 2


def test_a_holdout_is_a_part_of_the_training_rows_with_the_rate_of_each_class() -> None:
    X = np.arange(400, dtype=np.float32).reshape(200, 2)
    y = (np.arange(200) % 10 == 0).astype(np.int8)
    data = Split(Table(X, y, np.arange(200)), table(3), ("a", "b"))
    held = holdout(0.25)(data, np.random.default_rng(0))
    assert (len(held.train), len(held.test), held.features) == (150, 50, ("a", "b"))
    assert held.train.time is not None
    assert held.test.time is not None
    assert sorted([*held.train.time, *held.test.time]) == list(range(200))
    assert np.all(np.diff(held.test.time) > 0)
    np.testing.assert_array_equal(held.test.X, X[held.test.time])
    assert (held.train.y.sum(), held.test.y.sum()) == (15, 5)
    again, other = (holdout(0.25)(data, np.random.default_rng(seed)).test.time for seed in (0, 1))
    assert again is not None
    assert again.tolist() == held.test.time.tolist()
    assert other is not None
    assert other.tolist() != held.test.time.tolist()


@pytest.mark.parametrize("share", [0, 1, -0.5, float("nan")])
def test_a_holdout_of_no_or_all_rows_is_refused(share: float) -> None:
    with pytest.raises(DeclarationError, match="must lie between 0 and 1, both excluded"):
        holdout(share)
