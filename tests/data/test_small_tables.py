"""The tables nass-cds and breast-cancer are what their cards say, and nothing in them gives the outcome away."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from harness.data.cards import builtin_card, builtin_folder, dataset, path, verify
from harness.data.readers.table import table_file
from harness.data.tabular import Split


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


@pytest.mark.parametrize(("name", "rows", "positives"), [("nass-cds", 26_217, 1_180), ("breast-cancer", 569, 212)])
def test_files_have_the_counts_of_their_cards(name: str, rows: int, positives: int) -> None:
    card, table = builtin_card(name), frame(name)
    verify(card)
    file = table_file(card)
    assert (file.rows, file.positives) == (len(table), int(table[file.target].sum())) == (rows, positives)
    assert Path(file.path).stat().st_size < 200_000


def test_crashes_by_year_and_gaps() -> None:
    table = frame("nass-cds")
    assert sorted(table["yearacc"].unique()) == list(range(1997, 2003))
    assert table.isna().sum().sum() == table["yearVeh"].isna().sum() == 1
    assert np.average(table["dead"], weights=table["weight"]) == pytest.approx(0.0054, abs=5e-5)
    assert ((table["abcat"] == "deploy") == (table["deploy"] == 1)).all()
    assert ((table["abcat"] == "unavail") == (table["airbag"] == "none")).all()


def test_features_are_known_before_the_outcome() -> None:
    card = builtin_card("nass-cds")
    assert not {"injSeverity", "caseid", "rownames"} & set(frame("nass-cds"))
    assert set(frame("nass-cds")) - set(card.features) == {"dead", "weight", "yearacc"}
    split: Split = dataset(card).load({"rows": 20_000}, np.random.default_rng(0))
    assert split.train.time is not None
    assert set(split.train.time) == set(range(1997, 2003))
    # Codes of the speed are in its order, since "1-9" sorts before "10-24".
    speeds = split.train.X[:, split.features.index("dvcat")]
    rates = [split.train.y[speeds == code].mean() for code in range(5)]
    assert rates == sorted(rates)


def test_malignant_is_the_positive_class() -> None:
    """Malignant nuclei are larger: the area under the curve of the mean radius is above one half."""
    from sklearn.metrics import roc_auc_score

    table = frame("breast-cancer")
    assert roc_auc_score(table["malignant"], table["mean_radius"]) > 0.9
    assert list(table.columns[:-1]) == list(builtin_card("breast-cancer").features)


def test_script_makes_the_measurements_again() -> None:
    made = script("make_breast_cancer").tumours().to_pandas()
    pd.testing.assert_frame_equal(made, frame("breast-cancer"))


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


@pytest.mark.parametrize("named", [_Evil(), np.float64(1), pd.Timestamp(0), print])
def test_pickles_name_nothing_but_the_parts_of_a_frame(named: object) -> None:
    unpickler = script("make_nass_cds").FrameUnpickler
    with pytest.raises(pickle.UnpicklingError, match="which is no part of a data frame"):
        unpickler(io.BytesIO(pickle.dumps(named))).load()


def test_script_leaves_out_what_gives_the_outcome_away() -> None:
    row = frame("nass-cds").iloc[:3]
    raw = row.assign(dead=["alive", "dead", "alive"], yearVeh=[1990.0, np.nan, 2001.0], injSeverity=4, caseid="2:3:1")
    made = script("make_nass_cds").occupants(raw)
    assert made["dead"].to_pylist() == [False, True, False]
    assert made["yearVeh"].to_pylist() == [1990, None, 2001]
    assert made.equals(script("make_nass_cds").occupants(raw.assign(injSeverity=0, caseid="x")))


def test_digits_are_those_of_scikit_learn() -> None:
    """Values and types are the same, and so are all results."""
    from sklearn.datasets import load_digits

    from harness.topics._shared.digits import digits, verify_digits

    verify_digits()
    for ours, theirs in zip(digits(), load_digits(return_X_y=True), strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)
    made = script("make_digits").digits()
    assert {name: array.dtype.name for name, array in made.items()} == {"images": "uint8", "labels": "uint8"}
    assert np.bincount(made["labels"]).min() == 174
