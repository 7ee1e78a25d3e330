"""The tables of boosting, loans, diamonds and acs-employment, are what their cards say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from harness.data.cards import builtin_card, builtin_folder, dataset, path, verify
from harness.data.readers.table import table_file
from harness.data.scenarios import TEMPORAL
from harness.data.tabular import Split, visible


def frame(name: str) -> pd.DataFrame:
    where = path(builtin_card(name))
    assert where is not None
    read: pd.DataFrame = parquet.read_table(where).to_pandas()
    return read


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, builtin_folder() / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "rows"), [("diamonds", 53_940), ("acs-employment", 277_677)])
def test_files_are_those_of_their_cards(name: str, rows: int) -> None:
    card = builtin_card(name)
    verify(card)
    assert table_file(card).rows == len(frame(name)) == rows
    assert set(card.features) < set(frame(name))


def test_all_files_together_stay_small() -> None:
    assert sum(file.stat().st_size for file in builtin_folder().iterdir()) < 12_000_000


def test_employment_by_year_without_the_model_of_others() -> None:
    table, file = frame("acs-employment"), table_file(builtin_card("acs-employment"))
    assert not {"id", "prediction", "predicted_probability"} & set(table)
    assert table["employed"].sum() == file.positives == 139_199
    assert table["year"].value_counts(sort=False).to_dict() == {2015: 68_785, 2016: 69_126, 2017: 69_635, 2018: 70_131}
    assert table.loc[table["AGEP"] < 16, "employed"].sum() == 0
    assert (table["AGEP"] < 16).mean() == pytest.approx(0.159, abs=5e-4)


def test_in_order_of_time_the_last_year_is_tested() -> None:
    split: Split = dataset(builtin_card("acs-employment")).load({"rows": 150_000}, np.random.default_rng(0))
    later = TEMPORAL.apply(split, np.random.default_rng(0))
    assert later.train.time is not None
    assert later.test.time is not None
    assert later.train.time.max() <= later.test.time.min()
    assert set(later.test.time) == {2018}
    assert later.categorical == split.categorical


def test_columns_of_categories_reach_strategies() -> None:
    split: Split = dataset(builtin_card("acs-employment")).load({"rows": 1_000}, np.random.default_rng(0))
    assert visible(split).categorical == ("MAR", "RELP", "ESP", "CIT", "MIG", "MIL", "ANC", "RAC1P")
    flights: Split = dataset(builtin_card("flights")).load({"rows": 1_000}, np.random.default_rng(0))
    assert flights.categorical == ("carrier", "origin", "dest")
    diamonds: Split = dataset(builtin_card("diamonds")).load({"rows": 1_000}, np.random.default_rng(0))
    assert diamonds.categorical == ()


def test_employment_is_made_of_three_files() -> None:
    make = script("make_acs_employment")
    row = dict.fromkeys(make.FEATURES, "1")
    raw = pd.DataFrame({**row, "AGEP": [40.0, 10.0], "year": [2016, 2015], "employed": [1, 0], "prediction": [0, 1]})
    made = make.people(raw)
    assert made.column("year").to_pylist() == [2015, 2016]
    assert made.column("employed").to_pylist() == [False, True]
    assert made.column_names == frame("acs-employment").columns.to_list()


def test_grades_of_diamonds_are_in_order() -> None:
    """Among stones of about one carat, the mean price rises with the colour and the clarity."""
    table = frame("diamonds")
    stones = table[table["carat"].between(0.95, 1.05)]
    for grade in ("color", "clarity"):
        prices = stones.groupby(grade)["price"].mean()
        assert np.corrcoef(prices.index, prices)[0, 1] > 0.9
    assert table[["x", "y", "z"]].isna().sum().to_list() == [8, 7, 20]
    assert table.duplicated().sum() == 146


def test_a_size_of_nothing_is_missing() -> None:
    raw = pd.DataFrame({"carat": [0.3], "cut": ["Ideal"], "color": ["D"], "clarity": ["IF"], "depth": [60.0]})
    made = script("make_diamonds").diamonds(raw.assign(table=55.0, x=4.0, y=4.0, z=0.0, price=500))
    assert made.to_pylist()[0]["z"] is None
    assert [made.to_pylist()[0][name] for name in ("cut", "color", "clarity")] == [4, 6, 7]


LEAKS = {"sub_grade", "interest_rate", "installment", "loan_status", "balance", "paid_total", "paid_interest"}


def test_loans_are_fetched_and_give_nothing_away() -> None:
    card = builtin_card("loans")
    assert card.file is not None
    assert card.file.origin is not None
    assert card.file.origin.url is not None
    assert card.file.origin.url.startswith("https://raw.githubusercontent.com/vincentarelbundock/Rdatasets/")
    assert not LEAKS & set(card.features)
    assert len(card.features) == 42


@pytest.mark.skipif(not Path(str(path(builtin_card("loans")))).is_file(), reason="bakeoff data get loans")
def test_loans_have_names_and_gaps() -> None:
    card = builtin_card("loans")
    verify(card)
    split: Split = dataset(card).load({"rows": 8_000}, np.random.default_rng(0))
    assert split.classes == tuple("ABCDEFG")
    assert len(split.categorical) == 7
    assert np.isnan(np.concatenate([split.train.X, split.test.X])).any(axis=0).sum() == 10
