"""The vendored flights are what their card says, and hold nothing known only after departure."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from harness.data.card import Card
from harness.data.cards import builtin_folder, cards, dataset, path, verify
from harness.data.readers.table import TableFile

FOLDER = builtin_folder()


@pytest.fixture(scope="module")
def card() -> Card:
    return cards([FOLDER])["flights"]


@pytest.fixture(scope="module")
def table(card: Card) -> pd.DataFrame:
    where = path(card)
    assert where is not None
    frame: pd.DataFrame = parquet.read_table(where).to_pandas()
    return frame


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_flights", FOLDER / "make_flights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def raw() -> pd.DataFrame:
    """Three flights that arrived, one diverted and one cancelled, not in order of departure."""
    return pd.DataFrame(
        {
            "year": 2013,
            "month": [12, 1, 1, 1, 2],
            "day": [31, 1, 1, 2, 1],
            "dep_time": [2359.0, 517.0, 533.0, 600.0, np.nan],
            "sched_dep_time": [2355, 515, 529, 559, 600],
            "dep_delay": [4.0, 2.0, 4.0, 1.0, np.nan],
            "arr_time": [430.0, 830.0, 850.0, np.nan, np.nan],
            "sched_arr_time": [440, 819, 830, 900, 901],
            "arr_delay": [15.0, 16.0, -3.0, np.nan, np.nan],
            "carrier": ["B6", "UA", "UA", "AA", "DL"],
            "flight": [1, 2, 3, 4, 5],
            "tailnum": ["N1", "N2", "N3", "N4", None],
            "origin": ["JFK", "EWR", "LGA", "JFK", "LGA"],
            "dest": ["BQN", "IAH", "IAH", "MIA", "ATL"],
            "air_time": [190.0, 227.0, 227.0, np.nan, np.nan],
            "distance": [1576, 1400, 1416, 1089, 762],
        }
    )


def test_file_has_the_checksum_and_counts_of_its_card(card: Card, table: pd.DataFrame) -> None:
    verify(card)
    assert isinstance(card.file, TableFile)
    where = path(card)
    assert where is not None
    assert where.stat().st_size == card.file.bytes < 2_000_000
    # 336,776 flights in all (the R package's page) less the 9,430 without an arrival delay.
    assert len(table) == card.file.rows == 336_776 - 9_430
    assert table["late"].sum() == card.file.positives == 77_630
    assert set(card.features) | {"late", "time"} == set(table)


def test_columns_have_the_values_of_their_meaning(table: pd.DataFrame) -> None:
    assert set(table["month"]) == set(range(1, 13))
    assert set(table["day"]) == set(range(1, 32))
    assert table[["departure", "arrival"]].to_numpy().min() >= 0
    assert table[["departure", "arrival"]].to_numpy().max() < 24 * 60
    assert set(table["origin"]) == {"EWR", "JFK", "LGA"}
    assert (table["carrier"].nunique(), table["dest"].nunique()) == (16, 104)
    assert table["time"].is_monotonic_increasing
    when = pd.Timestamp("2013-01-01") + pd.to_timedelta(table["time"], unit="min")
    assert (when.dt.month == table["month"]).all()
    assert (when.dt.day == table["day"]).all()
    assert (when.dt.isocalendar().day == table["weekday"]).all()
    assert (when.dt.hour * 60 + when.dt.minute == table["departure"]).all()


def test_features_are_the_schedule_alone(card: Card) -> None:
    schedule = {"month", "day", "weekday", "departure", "arrival", "carrier", "origin", "dest", "distance"}
    assert set(card.features) == schedule


def test_what_happens_after_departure_changes_nothing(script: ModuleType, raw: pd.DataFrame) -> None:
    changed = raw.assign(
        dep_time=raw["dep_time"] + 77, dep_delay=99.0, arr_time=1.0, air_time=1.0, tailnum="N0", flight=9
    )
    assert script.flights(changed).equals(script.flights(raw))
    assert not set(script.SCHEDULE) & {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}


def test_script_keeps_arrived_flights_in_order(script: ModuleType, raw: pd.DataFrame) -> None:
    made = script.flights(raw).to_pylist()
    assert [row["dest"] for row in made] == ["IAH", "IAH", "BQN"]
    assert [row["late"] for row in made] == [True, False, False]
    assert made[0] == {
        "time": 5 * 60 + 15,
        "month": 1,
        "day": 1,
        "weekday": 2,  # 1 January 2013 was a Tuesday
        "departure": 315,
        "arrival": 8 * 60 + 19,
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400,
        "late": True,
    }
    assert made[2]["time"] == 364 * 24 * 60 + 23 * 60 + 55


def test_script_writes_the_same_bytes_again(script: ModuleType, raw: pd.DataFrame, tmp_path: Path) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    script.write(script.flights(raw), first)
    script.write(script.flights(raw), second)
    assert first.read_bytes() == second.read_bytes()
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["first.parquet", "second.parquet"]


def test_split_holds_the_rows_of_the_file(card: Card, table: pd.DataFrame) -> None:
    data = dataset(card)
    small = data.load({"rows": 1000}, np.random.default_rng(3))
    large = data.load({"rows": 277_346}, np.random.default_rng(3))
    assert (len(small.train), len(small.test)) == (1000, 50_000)
    np.testing.assert_array_equal(small.test.X, large.test.X)
    np.testing.assert_array_equal(small.train.X, large.train.X[:1000])
    assert data.params["rows"].high == 277_346
    coded = table.assign(**{name: table[name].astype("category").cat.codes for name in ("carrier", "origin", "dest")})[
        [*card.features, "late", "time"]
    ].astype(np.int64)
    expected = coded.sort_values(list(coded.columns)).to_numpy()
    parts = [np.column_stack([part.X.astype(np.int64), part.y, part.time]) for part in (large.train, large.test)]
    found = pd.DataFrame(np.concatenate(parts), columns=coded.columns).sort_values(list(coded.columns)).to_numpy()
    np.testing.assert_array_equal(found, expected)
