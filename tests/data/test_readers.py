"""Each kind of data arrives as its file has it; what is wrong with a file is one sentence."""

from __future__ import annotations

import datetime
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from support import write_card

from harness.data.cards import dataset, read_card
from harness.data.files import check
from harness.data.readers import kinds
from harness.data.readers.arrays import Arrays
from harness.data.readers.interactions import Interactions
from harness.data.readers.log import LoggedRounds
from harness.data.readers.text import TextSplit
from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
from harness.data.tabular import Split, visible
from harness.errors import UsageError

ROWS = 20


def load(card: Path, seed: int = 0, **params: int) -> Any:
    made = dataset(read_card(card))
    made.verify()
    return made.load(params, np.random.default_rng(seed))


def write_table(folder: Path, columns: dict[str, Any], layout: str, **more: Any) -> Path:
    file = folder / "mine.parquet"
    parquet.write_table(pa.table(columns), file)
    rows = len(next(iter(columns.values())))
    return write_card(file, f"rows = {rows}\n{layout}", **more)


def test_kinds() -> None:
    assert kinds() == ["arrays", "interactions", "log", "table", "text"]


def test_several_classes_become_numbers_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["setosa", "virginica", "versicolor", "setosa"] * 5
    card = write_table(tmp_path, {"x": range(ROWS), "y": names}, 'target = "y"\ntarget_kind = "multiclass"')
    assert dataset(read_card(card)).target == "multiclass"
    split: Split = load(card, rows=16)
    assert split.classes == visible(split).classes == ("setosa", "versicolor", "virginica")
    for part in (split.train, split.test):
        assert part.y.dtype == np.int32
        assert [split.classes[label] for label in part.y] == [names[int(row)] for row in part.X[:, 0]]


def test_classes_that_are_numbers(tmp_path: Path) -> None:
    card = write_table(tmp_path, {"x": range(ROWS), "y": [30, 4, 2**40, 4] * 5}, 'target="y"\ntarget_kind="multiclass"')
    split: Split = load(card, rows=16)
    assert split.classes == ("4", "30", str(2**40))
    assert [(30, 4, 2**40, 4)[int(row) % 4] for row in split.train.X[:, 0]] == [
        (4, 30, 2**40)[label] for label in split.train.y
    ]


def test_real_targets_are_exact(tmp_path: Path) -> None:
    values = [1e300 if row == 3 else row + 1e-12 for row in range(ROWS)]
    card = write_table(tmp_path, {"x": range(ROWS), "y": values}, 'target = "y"\ntarget_kind = "real"')
    split: Split = load(card, rows=16)
    for part in (split.train, split.test):
        assert part.target == "real"
        assert part.y.tolist() == [values[int(row)] for row in part.X[:, 0]]


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([1.0, float("nan")] * 10, "real", "target 'y' of .* has 10 values that are not finite"),
        ([1.0, float("inf")] * 10, "real", "10 values that are not finite"),
        (["1", "2"] * 10, "real", "is of type string; it must contain numbers"),
        ([1, None] * 10, "real", "misses 10 values; leave those rows out"),
        ([1.5, 2.5] * 10, "multiclass", "is of type double; it must contain strings or integers"),
        (["a"] * 20, "multiclass", "only one class, 'a'"),
        (["yes", "no"] * 10, "binary", "must contain 0 and 1 or true and false, not 'yes', 'no'; .*target_kind"),
    ],
)
def test_targets_that_are_not_of_their_kind(tmp_path: Path, values: list[Any], kind: str, message: str) -> None:
    card = write_table(tmp_path, {"x": range(ROWS), "y": values}, f'target = "y"\ntarget_kind = "{kind}"')
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


def test_scenarios_of_classes_need_two_of_them(tmp_path: Path) -> None:
    card = write_table(tmp_path, {"x": range(ROWS), "y": [0.5, 1.5] * 10}, 'target = "y"\ntarget_kind = "real"')
    split = load(card, rows=16)
    for scenario in (label_noise(0.1), imbalance(0.1)):
        with pytest.raises(UsageError, match=r"\(0.1\) needs a binary target, and this one is real"):
            scenario.apply(split, np.random.default_rng(0))


def test_scenarios_of_rows_keep_the_classes(tmp_path: Path) -> None:
    columns = {"x": range(ROWS), "at": range(ROWS), "y": ["a", "b", "c", "d"] * 5}
    split = load(write_table(tmp_path, columns, 'target = "y"\ntarget_kind = "multiclass"\ntime = "at"'), rows=16)
    for scenario in (TEMPORAL, covariate_shift(1.0)):
        assert scenario.apply(split, np.random.default_rng(0)).classes == ("a", "b", "c", "d")


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([float("inf")] + [0.0] * 19, "column 'x' of .* contains inf, which float32 cannot hold"),
        ([1e300] + [0.0] * 19, r"contains 1e\+300, which float32 cannot hold"),
        ([-1e39] + [0.0] * 19, r"contains -1e\+39, which float32 cannot hold"),
        ([10**40] + [0] * 19, r"contains 1e\+40"),
        (range(2**24, 2**24 + 20), "makes different ones equal"),
        (range(-(2**24) - 19, -(2**24) + 1), "makes different ones equal"),
        (range(2**53, 2**53 + 20), "20 different values become 1"),
        ([1_700_000_000_000.0 + 10 * row for row in range(ROWS)], "20 different values become 1"),
        ([1_700_000_000 + row / 2 for row in range(ROWS)], "20 different values become 1"),
    ],
    ids=["inf", "1e300", "-1e39", "decimal", "ids", "negative", "large", "times", "seconds"],
)
def test_numbers_that_float32_does_not_hold(tmp_path: Path, values: Any, message: str) -> None:
    column = pa.array(map(str, values)).cast(pa.decimal256(50, 0)) if message.endswith("e\\+40") else pa.array(values)
    card = write_table(tmp_path, {"x": column, "y": [0, 1] * 10}, 'target = "y"')
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


@pytest.mark.parametrize(
    "values",
    [
        range(2**24 - 19, 2**24 + 1),
        [40.712775 + row * 1e-7 for row in range(ROWS)],
        [2**30 * row for row in range(ROWS)],
        [1_700_000_000_000 + row * 1000 * HOUR_MS for row in range(ROWS)],
        [float("nan"), 3e38] * 10,
        [None] * ROWS,
    ],
    ids=["largest", "coordinates", "multiples", "distant times", "large", "nothing"],
)
def test_numbers_that_float32_holds(tmp_path: Path, values: Any) -> None:
    check(read_card(write_table(tmp_path, {"x": values, "y": [0, 1] * 10}, 'target = "y"')))


def test_large_numbers_may_be_times_and_categories(tmp_path: Path) -> None:
    ids = [2**53 + row for row in range(ROWS)]
    columns = {"at": ids, "user": ids, "y": [0, 1] * 10}
    split: Split = load(write_table(tmp_path, columns, 'target="y"\ntime="at"\ncategorical=["user"]'), rows=16)
    assert split.train.time is not None
    np.testing.assert_array_equal(split.train.time - 2**53, split.train.X[:, 0])


def test_training_or_test_rows_of_one_class(tmp_path: Path) -> None:
    """One row in twenty is positive: the test set has it, or the training set; never both."""
    card = write_table(tmp_path, {"x": range(ROWS), "y": [1] + [0] * 19}, 'target = "y"')
    made = dataset(read_card(card))
    made.verify()
    for seed in range(5):
        with pytest.raises(UsageError, match=r"data set mine: all (16 training|4 test) rows of a block are of class 0"):
            made.check({"rows": 16}, np.random.default_rng(seed))
    even = dataset(read_card(write_table(tmp_path, {"x": range(ROWS), "y": [0, 1] * 10}, 'target = "y"')))
    for seed in range(5):
        split = even.load({"rows": 2}, np.random.default_rng(seed))
        sides = [set(split.train.y.tolist()), set(split.test.y.tolist())]
        if sides == [{0, 1}, {0, 1}]:
            even.check({"rows": 2}, np.random.default_rng(seed))
        else:
            with pytest.raises(UsageError, match="of a block are of class"):
                even.check({"rows": 2}, np.random.default_rng(seed))


def test_log(tmp_path: Path) -> None:
    shown = ["red", "blue", "red", "green"] * 5
    columns = {
        "item": shown,
        "paid": [row / 4 for row in range(ROWS)],
        "p": [0.25] * ROWS,
        "day": [datetime.date(2024, 1, 1 + row) for row in range(ROWS)],
        "city": ["Rome", "Oslo"] * 10,
        "age": list(range(ROWS)),
    }
    layout = 'action = "item"\nreward = "paid"\npropensity = "p"\ntime = "day"'
    log = load(write_table(tmp_path, columns, layout, kind="log"))
    assert isinstance(log, LoggedRounds)
    assert len(log) == ROWS
    assert log.action_names == ("blue", "green", "red")
    assert [log.action_names[action] for action in log.actions] == shown
    assert log.rewards.tolist() == columns["paid"]
    assert log.propensities is not None
    assert set(log.propensities) == {0.25}
    assert log.time is not None
    assert log.time.tolist() == list(range(19_723, 19_723 + ROWS))
    assert log.others["city"].tolist() == columns["city"]
    assert log.others["age"].tolist() == columns["age"]
    assert not any(array.flags.writeable for array in (log.actions, log.rewards, log.propensities, log.time))
    assert not any(array.flags.writeable for array in log.others.values())


@pytest.mark.parametrize(("value", "said"), [(0.0, "is 0 in row 3"), (1.5, "is 1.5 in row 3"), (-0.1, "is -0.1")])
def test_propensities_are_probabilities(tmp_path: Path, value: float, said: str) -> None:
    columns = {"a": [0, 1] * 10, "r": [1.0] * ROWS, "p": [0.5, 1.0, value] + [0.5] * 17}
    card = write_table(tmp_path, columns, 'action = "a"\nreward = "r"\npropensity = "p"', kind="log")
    with pytest.raises(UsageError, match=said):
        check(read_card(card))


def test_interactions(tmp_path: Path) -> None:
    users, items = [2**53 + row % 3 for row in range(ROWS)], [f"film {row % 7}" for row in range(ROWS)]
    columns = {"who": users, "what": items, "stars": [row % 5 + 0.5 for row in range(ROWS)], "at": range(ROWS)}
    layout = 'user = "who"\nitem = "what"\nweight = "stars"\ntime = "at"'
    card = write_table(tmp_path, columns, layout, kind="interactions")
    assert dataset(read_card(card)).provides == ("time", "weight")
    made = load(card)
    assert isinstance(made, Interactions)
    # Identities above 2**53 are exact, and numbers begin at 0 without a gap.
    assert made.user_names == (2**53, 2**53 + 1, 2**53 + 2)
    assert [made.user_names[user] for user in made.users] == users
    assert [made.item_names[item] for item in made.items] == items
    assert made.weights is not None
    assert made.weights.tolist() == columns["stars"]
    assert made.time is not None
    assert made.time.tolist() == list(range(ROWS))
    for array in (made.users, made.items, made.weights, made.time):
        assert not array.flags.writeable


def test_interactions_of_a_file_with_tabs_and_without_a_header(tmp_path: Path) -> None:
    file = tmp_path / "u.tsv"
    file.write_text("".join(f"{row % 3}\t{row % 4}\t{row}\n" for row in range(ROWS)))
    layout = f'rows = {ROWS}\ncolumns = ["user", "item", "at"]\nuser = "user"\nitem = "item"\nrepeats = true'
    made = load(write_card(file, layout, kind="interactions"))
    assert (made.weights, made.time) == (None, None)
    assert made.users.tolist() == [row % 3 for row in range(ROWS)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": [1.5] * ROWS, "item": [1] * ROWS}, "user 'user' of .* is of type double; .* strings or integers"),
        ({"user": [1, None] * 10, "item": [1] * ROWS}, "user 'user' of .* misses 10 values"),
        ({"user": [1] * ROWS, "itme": [1] * ROWS}, "no column 'item'; did you mean itme?"),
    ],
)
def test_wrong_interactions(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    card = write_table(tmp_path, columns, 'user = "user"\nitem = "item"', kind="interactions")
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


def test_texts_with_a_target(tmp_path: Path) -> None:
    strings = [f"ticket {row}, ä" for row in range(ROWS)]
    columns = {"said": strings, "queue": ["billing", "sales"] * 10}
    layout = 'text = "said"\ntarget = "queue"\ntarget_kind = "multiclass"'
    split = load(write_table(tmp_path, columns, layout, kind="text"), rows=16)
    assert isinstance(split, TextSplit)
    assert sorted((*split.train.strings, *split.test.strings)) == sorted(strings)
    for part in (split.train, split.test):
        assert part.y is not None
        assert [split.classes[label] for label in part.y] == [
            columns["queue"][int(text.split()[1].strip(","))] for text in part.strings
        ]
    less = load(write_table(tmp_path, columns, layout, kind="text"), rows=4)
    assert less.train.strings == split.train.strings[:4]
    assert less.test.strings == split.test.strings


def test_lines_of_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    lines = [f"line {row}" for row in range(ROWS)]
    # Windows writes a byte-order mark before UTF-8.
    file.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode() + b"\n")
    split = load(write_card(file, f"rows = {ROWS}", kind="text"), rows=16)
    assert split.train.y is None
    assert set(split.train.strings) | set(split.test.strings) == set(lines)
    with pytest.raises(UsageError, match=r"has 20 lines, but its card says rows = 21"):
        check(read_card(write_card(file, "rows = 21", kind="text")))
    file.write_bytes(b"\xff\n" * ROWS)
    with pytest.raises(UsageError, match="is not UTF-8 at byte 0"):
        check(read_card(write_card(file, f"rows = {ROWS}", kind="text")))


def test_lines_of_text_may_be_compressed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "mine.txt", tmp_path / "mine.txt.gz"
    plain.write_text("".join(f"line {row}, ä\n" for row in range(ROWS)), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = (load(write_card(file, f"rows = {ROWS}", kind="text"), rows=16) for file in (plain, packed))
    assert (one.train.strings, one.test.strings) == (other.train.strings, other.test.strings)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-20], "end-of-stream marker"),
        (lambda content: content[:30] + b"\xff" * 20 + content[50:], "cannot be read as lines of text: .*"),
        (lambda content: content[:-5] + b"\0" + content[-4:], "CRC check failed"),
        (lambda _content: b"line 1\n" * ROWS, "Not a gzipped file"),
    ],
    ids=["cut", "changed", "checksum", "plain"],
)
def test_damaged_gzip_is_one_sentence(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    file = tmp_path / "mine.txt.gz"
    file.write_bytes(damage(gzip.compress("".join(f"line {row}\n" for row in range(ROWS)).encode())))
    with pytest.raises(UsageError, match=message) as caught:
        check(read_card(write_card(file, f"rows = {ROWS}", kind="text")))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lines_in_other_encodings(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes(b"market\x92s drop\n" * ROWS)
    split = load(write_card(file, f'rows = {ROWS}\nencoding = "cp1252"', kind="text"), rows=16)
    assert set(split.train.strings) == {"market\u2019s drop"}
    with pytest.raises(UsageError, match=r"is not UTF-8 at byte 6; save it as UTF-8, or say encoding = "):
        check(read_card(write_card(file, f"rows = {ROWS}", kind="text")))
    with pytest.raises(UsageError, match="enum value 'utf-7'"):
        read_card(write_card(file, f'rows = {ROWS}\nencoding = "utf-7"', kind="text"))


def test_arrays(tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    X = np.arange(12.0).reshape(3, 4)
    np.savez(file, X=X, y=np.array([0, 1, 0]), rest=np.zeros(9))
    made = load(write_card(file, "shapes = {X = [3, 4], y = [3]}", kind="arrays"))
    assert isinstance(made, Arrays)
    np.testing.assert_array_equal(made["X"], X)
    assert set(made.arrays) == {"X", "y"}
    assert not made["X"].flags.writeable


@pytest.mark.parametrize(
    ("array", "layout", "message"),
    [
        (np.zeros((3, 4)), "shapes = {X = [4, 3]}", r"array 'X' of .* has the shape \(3, 4\), but its card says"),
        (np.zeros(3), "shapes = {x = [3]}", "has no array 'x'"),
        (np.array([1.0, np.inf]), "shapes = {X = [2]}", "array 'X' of .* contains infinity"),
        (np.array([{}, {}], dtype=object), "shapes = {X = [2]}", "array 'X' of .* has objects in it"),
    ],
)
def test_wrong_arrays(tmp_path: Path, array: np.ndarray, layout: str, message: str) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, X=array)
    with pytest.raises(UsageError, match=message):
        check(read_card(write_card(file, layout, kind="arrays")))


def test_files_that_are_no_archives_of_arrays(tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    file.write_bytes(b"PK\x03\x04 no")
    with pytest.raises(UsageError, match="cannot be read as npz"):
        check(read_card(write_card(file, "shapes = {X = [2]}", kind="arrays")))
    with file.open("wb") as stream:
        np.save(stream, np.zeros(2))
    with pytest.raises(UsageError, match="contains one array, not named ones"):
        check(read_card(write_card(file, "shapes = {X = [2]}", kind="arrays")))


CSV = b"x,y\n" + b"1,0\n2,1\n" * 10


def test_byte_order_marks(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(b"\xef\xbb\xbf" + CSV)
    card = write_card(file, f'rows = {ROWS}\ntarget = "y"')
    assert load(card, rows=16).features == ("x",)
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())
    assert load(card, rows=16).features == ("x",)
    file.write_bytes(CSV.decode().encode("utf-16"))
    with pytest.raises(UsageError, match="is in UTF-16, or no text; save it as UTF-8"):
        check(read_card(write_card(file, f'rows = {ROWS}\ntarget = "y"')))


def test_pointers_of_git_lfs(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    card = write_card(file, f'rows = {ROWS}\ntarget = "y"')
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 84\n"
    file.write_text(pointer)
    with pytest.raises(UsageError, match=r"is a pointer of Git LFS, not the file .*git lfs pull"):
        check(read_card(card))


@pytest.mark.parametrize("size", [-1, 0])
def test_sizes_that_cannot_be(tmp_path: Path, size: int) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    card = write_card(file, f'rows = {ROWS}\ntarget = "y"')
    card.write_text(card.read_text().replace(f"bytes = {len(CSV)}", f"bytes = {size}"))
    with pytest.raises(UsageError, match=r"`int` >= 1 - at `\$.file.bytes`"):
        read_card(card)


def test_unknown_kinds_and_keys_of_other_kinds(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    with pytest.raises(UsageError, match=r"there is no kind of data 'tabel'; did you mean table?"):
        read_card(write_card(file, f'rows = {ROWS}\ntarget = "y"', kind="tabel"))
    with pytest.raises(UsageError, match=r"unknown key 'target' in \[file\]"):
        read_card(write_card(file, f'rows = {ROWS}\ntarget = "y"', kind="interactions"))
    with pytest.raises(UsageError, match=r"mine.csv must be one of .npz"):
        read_card(write_card(file, "shapes = {X = [2]}", kind="arrays"))


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found right is not read again, until the card or the file changes."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    card = write_card(file, f'rows = {ROWS}\ntarget = "y"')
    check(read_card(card))
    monkeypatch.setattr("harness.data.columns.open_columns", lambda *_: pytest.fail("it was read again"))
    check(read_card(card))
    card.write_text(card.read_text().replace('target = "y"', 'target = "x"'))
    with pytest.raises(pytest.fail.Exception, match="read again"):
        check(read_card(card))


def test_users_without_a_home_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as users that no file knows."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("BAKEOFF_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    check(read_card(write_card(file, f'rows = {ROWS}\ntarget = "y"')))
    assert list(tmp_path.glob("bakeoff-*/data/read/*"))


def test_a_cache_that_cannot_be_written_prevents_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "mine.csv"
    file.write_bytes(CSV)
    check(read_card(write_card(file, f'rows = {ROWS}\ntarget = "y"')))


def test_a_quotation_mark_that_is_not_closed_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    for line in (5, ROWS):  # as a line in the middle, and so that the rest of the file would be one value
        lines = ["x,y", *(f"{row},{row % 2}" for row in range(ROWS))]
        lines[line] = lines[line].replace(",", ',"')
        file.write_text("\n".join(lines) + "\n")
        card = read_card(write_card(file, f'rows = {ROWS + 1}\ntarget = "y"'))
        with pytest.raises(
            UsageError, match=r"; a quotation mark in it is not closed: close it, or say quotes = false"
        ):
            check(card)


def test_utf16_is_named_with_and_without_its_mark(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        for name, pack in (("mine.csv", bytes), ("mine.csv.gz", gzip.compress)):
            (tmp_path / name).write_bytes(pack(CSV.decode().encode(encoding)))
            with pytest.raises(UsageError, match="is in UTF-16, or no text; save it as UTF-8"):
                check(read_card(write_card(tmp_path / name, f'rows = {ROWS}\ntarget = "y"')))


def test_a_line_too_long_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("x,y\n" + "1" * 3_000_000 + ",0\n")
    with pytest.raises(UsageError, match=r"cannot be read as csv: a line is longer than 1 MB; is an end of line or"):
        check(read_card(write_card(tmp_path / "mine.csv", 'rows = 10\ntarget = "y"')))


@pytest.mark.parametrize("path", ["a\\u0000.csv", "x" * 300 + ".csv", "a/" * 3000 + "a.csv", "a\\nb.csv"])
def test_a_path_that_none_can_be_is_refused(tmp_path: Path, path: str) -> None:
    card = write_card(own := tmp_path / "mine.csv", f'rows = {ROWS}\ntarget = "y"', content=b"")
    card.write_text(card.read_text().replace(own.name, path))
    with pytest.raises(UsageError, match=r"mine\.toml: expected `str` matching regex .* at `\$\.file\.path`"):
        read_card(card)


def test_data_that_are_no_file_are_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.symlink_to(file)
    card = write_card(file, f'rows = {ROWS}\ntarget = "y"', content=CSV)
    with pytest.raises(UsageError, match=r"^cannot read .*mine\.csv, the file of data set mine: Too many levels"):
        check(read_card(card))
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match=r"^cannot read .*mine\.csv, the file of data set mine: it is a folder"):
        check(read_card(card))


def test_an_array_larger_than_the_memory_is_one_sentence(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as file:
        file.writestr("X.npy", header.getvalue())
    card = write_card(tmp_path / "mine.npz", "[file.shapes]\nX = [10_000_000_000_000]", kind="arrays")
    with pytest.raises(UsageError, match=r"mine\.npz cannot be read as npz: "):
        check(read_card(card))
