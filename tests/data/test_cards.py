"""Cards are checked, files verified, and a user's own data arrive as the card says."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from harness.data.card import Card
from harness.data.cards import builtin_folder, cards, dataset, path, read_card, verify
from harness.data.columns import _array
from harness.data.tabular import Split
from harness.errors import UsageError

CARD = """
name = "{name}"
title = "t"
summary = "s"
licence = "internal"
tasks = ["boosting/tabular-binary"]
{top}
[source]
text = "ask the owner"
[file]
path = "{file}"
sha256 = "{sha256}"
bytes = {bytes}
rows = {rows}
target = "y"
{more}
"""


def write_card(file: Path, rows: int, more: str = "", top: str = "", name: str = "mine") -> Path:
    content = file.read_bytes()
    card = file.parent / f"{name}.toml"
    digest = hashlib.sha256(content).hexdigest()
    card.write_text(
        CARD.format(name=name, file=file.name, sha256=digest, bytes=len(content), rows=rows, more=more, top=top)
    )
    return card


def load(card: Path, rows: int, seed: int = 0) -> Split:
    split = dataset(read_card(card)).load({"rows": rows}, np.random.default_rng(seed))
    assert isinstance(split, Split)
    return split


def together(split: Split) -> np.ndarray:
    """All rows with their labels, sorted; NaN last."""
    rows = [np.column_stack([part.X, part.y]) for part in (split.train, split.test)]
    return np.array(sorted(np.concatenate(rows).tolist(), key=lambda row: [(v != v, v) for v in row]))


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Ten rows of text, numbers with gaps, booleans, a date and a label."""
    file = tmp_path / "mine.csv"
    plans = ["b", "a", "", "c", "b", "a", "c", "b", "a", "b"]
    lines = [
        f"{i},{plan},{'' if i == 3 else i / 2},{str(i % 2 == 0).lower()},2024-01-{i + 1:02},{i % 3 == 0:d}"
        for i, plan in enumerate(plans)
    ]
    file.write_text("\n".join(["id,plan,amount,web,day,y", *lines]) + "\n")
    return file


def test_users_csv_end_to_end(csv: Path) -> None:
    card = write_card(csv, 10, more='time = "day"')
    made = cards([builtin_folder(), csv.parent])["mine"]
    assert made.tasks == ("boosting/tabular-binary",)
    assert path(made) == csv
    data = dataset(made)
    assert data.provides == ("time",)
    assert (data.params["rows"].low, data.params["rows"].high) == (8, 8)
    split = load(card, 8)
    assert split.features == ("id", "plan", "amount", "web")
    assert (len(split.train), len(split.test)) == (8, 2)
    nan = float("nan")
    plans = [1, 0, nan, 2, 1, 0, 2, 1, 0, 1]
    expected = [[i, plans[i], nan if i == 3 else i / 2, i % 2 == 0, i % 3 == 0] for i in range(10)]
    np.testing.assert_array_equal(together(split), np.array(expected, dtype=float))
    assert split.train.time is not None
    # 1 January 2024 is day 19,723 since 1970.
    np.testing.assert_array_equal(split.train.time, split.train.X[:, 0].astype(int) + 19_723)


def test_features_and_categories_are_those_of_the_card(csv: Path) -> None:
    card = write_card(csv, 10, more='categorical = ["amount"]\n[features]\namount = "in euro"\nplan = "tariff"')
    split = load(card, 8)
    assert split.features == ("amount", "plan")
    rows = together(split)[:, 0]
    # Nine different amounts in order; the tenth is missing.
    np.testing.assert_array_equal(rows, [*range(9), float("nan")])


def test_parquet_gives_what_csv_gives(csv: Path) -> None:
    from pyarrow import csv as reader

    table = reader.read_csv(csv, convert_options=reader.ConvertOptions(strings_can_be_null=True))
    twin = csv.with_suffix(".parquet")
    plan = table.column_names.index("plan")
    dictionary = table.set_column(plan, "plan", table.column("plan").dictionary_encode())
    parquet.write_table(dictionary, twin, row_group_size=3)
    more = 'time = "day"'
    one, other = load(write_card(csv, 10, more), 8), load(write_card(twin, 10, more, name="twin"), 8)
    np.testing.assert_array_equal(one.train.X, other.train.X)
    np.testing.assert_array_equal(one.test.y, other.test.y)
    assert one.train.time is not None
    assert other.train.time is not None
    np.testing.assert_array_equal(one.train.time, other.train.time)


def test_types_of_a_csv_come_from_all_of_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    rows = 300_000
    file.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(rows - 1)) + "0.5,1\n")
    split = load(write_card(file, rows), rows - 50_000)
    assert len(split.test) == 50_000
    assert np.float32(0.5) in np.concatenate([split.train.X, split.test.X])


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(10, 600), seed=st.integers(0, 2**32), data=st.data())
def test_splits_are_disjoint_nested_and_seeded(
    rows: int, seed: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("data") / "mine.parquet"
    parquet.write_table(pa.table({"row": list(range(rows)), "y": [i % 2 for i in range(rows)]}), file)
    card = write_card(file, rows)
    most = rows - rows // 5
    some = data.draw(st.integers(1, most))
    small, large = load(card, some, seed), load(card, most, seed)
    assert (len(small.train), len(small.test)) == (some, rows // 5)
    np.testing.assert_array_equal(small.test.X, large.test.X)
    np.testing.assert_array_equal(small.train.X, large.train.X[:some])
    np.testing.assert_array_equal(together(large)[:, 0], np.arange(rows))
    if rows > 100:
        assert not np.array_equal(large.test.X, load(card, most, seed + 1).test.X)


def test_damaged_file(csv: Path) -> None:
    card = read_card(write_card(csv, 10))
    verify(card)
    content = csv.read_bytes()
    csv.write_bytes(content.replace(b"9,b", b"8,b"))
    old, new = hashlib.sha256(content).hexdigest()[:12], hashlib.sha256(csv.read_bytes()).hexdigest()[:12]
    with pytest.raises(UsageError, match=f"mine.csv.* data set mine .*{new}.*{old}.*ask the owner"):
        dataset(card).load({"rows": 8}, np.random.default_rng(0))


def test_missing_file(csv: Path) -> None:
    card = read_card(write_card(csv, 10))
    csv.unlink()
    with pytest.raises(UsageError, match=r"mine.csv, the file of data set mine, is missing; get it again: ask"):
        verify(card)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("licence", "license"), "unknown key 'license'; did you mean licence?"),
        (lambda text: text.replace("rows =", "row ="), r"unknown key 'row' in \[file\]; did you mean rows?"),
        (lambda text: text.replace('target = "y"', ""), "missing required field `target`"),
        (lambda text: text.replace("rows = 10", "rows = 'ten'"), r"expected `int`, got `str` - at `\$.file.rows`"),
        (lambda text: text.replace("rows = 10", "rows = 3"), "rows"),
        (lambda text: text.replace('sha256 = "', 'sha256 = "x'), "sha256"),
        (lambda text: text.replace('name = "mine"', 'name = "other"'), "'other'; it must be the file's"),
        (lambda text: text.replace("mine.csv", "mine.xlsx"), r"mine.xlsx must be one of .parquet, .csv"),
        (lambda text: text.replace("title", "title title"), "not valid TOML"),
        (lambda text: text[: text.index("[file]")], r"either a \[file\] or a \[generator\]"),
        (lambda text: text + '[generator]\nname = "tabular"', r"either a \[file\] or a \[generator\]"),
        (
            lambda text: text[: text.index("[file]")] + '[generator]\nname = "tabula"',
            "no generator 'tabula'; did you mean tabular?",
        ),
        (lambda text: text.replace("[source]\ntext", "source"), "source"),
    ],
)
def test_wrong_cards(csv: Path, change: Callable[[str], str], message: str) -> None:
    card = write_card(csv, 10)
    text = change(card.read_text())
    assert text != card.read_text()
    card.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_card(card)
    assert str(card) in str(caught.value)


@pytest.mark.parametrize(
    ("more", "rows", "message"),
    [
        ("", 11, "has 10 rows, but its card says 11"),
        ('time = "dya"', 10, "no column 'dya'; did you mean day?"),
        ('time = "amount"\n[features]\nid = "x"', 10, "time 'amount' of .* misses 1 values"),
        ('time = "web"\n[features]\nid = "x"', 10, "must contain integers, dates or timestamps"),
        ('categorical = ["plam"]', 10, "no feature 'plam'; did you mean plan?"),
        ('[features]\nplam = "x"', 10, "no column 'plam'; did you mean plan?"),
        ('[features]\nid = "x"\ny = "x"', 10, "other than the target"),
        ("", 10, "'day' of .* is of type date32.*cannot be a feature"),
    ],
)
def test_cards_that_do_not_fit_their_file(csv: Path, more: str, rows: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(write_card(csv, rows, more), 8)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (["yes", "no"] * 5, "must contain 0 and 1 or true and false, not 'yes', 'no'"),
        ([0, 1, 2, 1, 0] * 2, "not 0, 1, 2"),
        ([0.0, 0.5] * 5, "not 0.0, 0.5"),
        ([1] * 10, "only one class, 1"),
        ([0, 1, None, 1, 0] * 2, "misses 2 values"),
    ],
)
def test_targets_that_are_not_binary(tmp_path: Path, target: list[Any], message: str) -> None:
    file = tmp_path / "mine.parquet"
    parquet.write_table(pa.table({"x": list(range(10)), "y": target}), file)
    with pytest.raises(UsageError, match=message):
        load(write_card(file, 10), 8)


@pytest.mark.parametrize("target", [[False, True] * 5, [0.0, 1.0] * 5, [0, 1] * 5])
def test_targets_that_are_binary(tmp_path: Path, target: list[Any]) -> None:
    file = tmp_path / "mine.parquet"
    gaps = pa.array([None] * 10)
    parquet.write_table(pa.table({"x": list(range(10)), "gap": gaps, "y": target}), file)
    split = load(write_card(file, 10), 8)
    np.testing.assert_array_equal(split.train.y, split.train.X[:, 0] % 2)
    assert np.isnan(split.train.X[:, 1]).all()


def test_unreadable_files(tmp_path: Path) -> None:
    for name in ("mine.parquet", "mine.csv"):
        file = tmp_path / name
        file.write_text("x,y\n1,2,3\n")
        with pytest.raises(UsageError, match=f"{name} cannot be read as"):
            load(write_card(file, 10), 8)


def test_slices_of_columns_begin_where_they_should() -> None:
    column = pa.chunked_array([pa.array([1, 2, 3, 4], pa.int8())[2:]])
    np.testing.assert_array_equal(_array(column, np.int8), [3, 4])


def test_columns_of_the_same_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("x,x,y\n" + "1,2,0\n3,4,1\n" * 5)
    with pytest.raises(UsageError, match="same name"):
        load(write_card(file, 10), 8)


def test_file_without_features(tmp_path: Path) -> None:
    file = tmp_path / "mine.parquet"
    parquet.write_table(pa.table({"y": [0, 1] * 5}), file)
    with pytest.raises(UsageError, match="at least one"):
        load(write_card(file, 10), 8)


def test_folders(csv: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        cards([tmp_path / "missing"])
    (tmp_path / "again").mkdir()
    write_card(csv, 10)
    (tmp_path / "again" / "mine.toml").write_text((tmp_path / "mine.toml").read_text())
    with pytest.raises(UsageError, match="another data set named mine"):
        cards([tmp_path, tmp_path / "again"])


def test_built_in_cards() -> None:
    known = cards([builtin_folder()])
    assert set(known) >= {"flights", "synthetic-tabular"}
    for card in known.values():
        if card.file is None or card.file.origin is None:
            verify(card)
        assert dataset(card).name == card.name


def test_files_in_the_package_are_small() -> None:
    assert sum(file.stat().st_size for file in builtin_folder().iterdir() if file.is_file()) < 10_000_000


def test_generated_data_have_the_generators_parameters() -> None:
    card = cards([builtin_folder()])["synthetic-tabular"]
    data = dataset(card)
    assert path(card) is None
    assert set(data.params) == {"rows", "columns", "bayes_error"}
    split = data.load({"rows": 100, "columns": 6, "bayes_error": 0.1}, np.random.default_rng(0))
    assert split.train.X.shape == (100, 6)


def test_too_many_rows_are_caught_before_loading(csv: Path) -> None:
    rows = dataset(read_card(write_card(csv, 10))).params["rows"]
    with pytest.raises(ValueError, match="the most is 8"):
        rows.check("rows", 9)


def test_loading_keeps_pandas_out_of_the_trial() -> None:
    code = (
        "import sys, numpy\n"
        "from harness.data.cards import builtin_folder, cards, dataset\n"
        "data = dataset(cards([builtin_folder()])['flights'])\n"
        "data.load({'rows': 1000}, numpy.random.default_rng(0))\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_cards_are_values(csv: Path) -> None:
    place = write_card(csv, 10)
    assert read_card(place) == read_card(place)
    assert isinstance(read_card(place), Card)


def test_blocks_of_one_file_overlap_by_its_test_rows_for_each_other_row(csv: Path) -> None:
    """Two of ten rows are test rows; generated data are new in every block."""
    overlap = dataset(read_card(write_card(csv, 10))).overlap
    assert overlap is not None
    assert overlap({"rows": 8}) == overlap({"rows": 4}) == 2 / 8
    assert dataset(cards([builtin_folder()])["synthetic-tabular"]).overlap is None
