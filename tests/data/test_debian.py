"""The files made from Debian's index are what their cards say, and the script does what the cards tell of it."""

from __future__ import annotations

import importlib.util
import lzma
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from harness.data.cards import builtin_card, builtin_folder, dataset
from harness.data.files import check
from harness.data.readers.arrays import Arrays
from harness.data.readers.interactions import Interactions
from harness.data.readers.text import TextSplit

INDEX = """\
Package: editor
Source: tools (1.2)
Depends: libui (>= 1.0), libspell2 | libspell1, virtual-mail
Pre-Depends: base:any
Recommends: dictionary [amd64]
Suggests: manual
Section: editors
Description: Small editor for TEXT
 in two lines
Size: 99
Installed-Size: 9

Package: mailer
Provides: virtual-mail (= 2), other
Section: mail
Description: Mail, and mail again: text
Size: 1000

Package: editor
Depends: newer
Section: editors
Description: Another version
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_debian", builtin_folder() / "make_debian.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_relations_become_pairs(script: ModuleType) -> None:
    known = script.packages(INDEX)
    assert list(known) == ["editor", "mailer"]
    assert script.dependencies(known) == {
        ("editor", name) for name in ("libui", "libspell2", "libspell1", "virtual-mail", "base", "dictionary")
    }


def test_cores_are_the_largest_with_enough_pairs_on_both_sides(script: ModuleType) -> None:
    square = {(f"p{row}", f"q{column}") for row in range(3) for column in range(3)}
    # A chain falls apart from its end.
    chain = {("p0", "r0"), ("s0", "r0"), ("s0", "r1"), ("s1", "r1")}
    assert script.core(square | chain, 2) == sorted(square)
    assert script.core(square, 3) == sorted(square)


def test_virtual_packages_are_described_by_a_provider(script: ModuleType) -> None:
    made = script.items(script.packages(INDEX), ["virtual-mail", "editor", "libui"]).to_pylist()
    assert [(row["item"], row["section"]) for row in made] == [
        ("editor", "editors"),
        ("libui", ""),
        ("virtual-mail", "mail"),
    ]
    # Words that describe one item only are left out: here all but "text".
    assert [row["words"] for row in made] == ["text", "", "text"]


def test_indices_may_be_compressed(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "Packages").write_text(INDEX)
    (tmp_path / "Packages.xz").write_bytes(lzma.compress(INDEX.encode()))
    assert script.read(tmp_path / "Packages") == script.read(tmp_path / "Packages.xz") == INDEX.encode()


def test_dependencies() -> None:
    card = builtin_card("debian-dependencies")
    check(card)
    data = dataset(card).load({}, np.random.default_rng(0))
    assert isinstance(data, Interactions)
    assert (len(data.user_names), len(data.item_names), len(data)) == (17_234, 5_457, 168_797)
    assert min(np.bincount(data.users).min(), np.bincount(data.items).min()) >= 5
    assert data.item_names[int(np.bincount(data.items).argmax())] == "libc6"
    assert data.item_features is not None
    of = dict(zip(data.item_names, data.item_features, strict=True))
    assert {"section=libs", "words=gnu", "words=library"} <= set(of["libc6"])
    assert sum(not names for names in data.item_features) == 15
    assert min(Counter(name for names in data.item_features for name in names if name[0] == "w").values()) == 2


def test_descriptions() -> None:
    card = builtin_card("debian-descriptions")
    check(card)
    split = dataset(card).load({"rows": 1_000}, np.random.default_rng(0))
    assert isinstance(split, TextSplit)
    assert len(split.classes) == 24
    assert card.file is not None
    table: pd.DataFrame = parquet.read_table(card.file.path).to_pandas()
    assert len(table) == 40_304
    assert (table["section"] == "python").sum() == 4_544
    assert (table["source"].nunique(), table["description"].duplicated().sum()) == (29_142, 1_852)
    assert not table.isna().any().any()


def test_strings_that_come_often_are_numbered(script: ModuleType) -> None:
    lists = [["a", "b", "rare"], ["b", "a"], ["b", "rare", "a", "c"], ["b"], ["c"], ["c"], []]
    ids, known = script.numbered(lists, 2)
    # The frequent ones first, then in alphabetical order; the third string of a list is cut off.
    assert known.tolist() == ["", "b", "a", "c"]
    assert ids.dtype == np.uint16
    assert ids.tolist() == [[2, 1], [1, 2], [1, 2], [1, 0], [3, 0], [3, 0], [0, 0]]
    with pytest.raises(ValueError, match="65537 different strings are too many for 16 bits"):
        script.numbered([[str(number) for number in range(2**16)]] * 3, 2)


def test_packages_are_measured(script: ModuleType) -> None:
    known = script.packages(INDEX)
    assert script.required(known["editor"]) == ["libui", "libspell2", "libspell1", "virtual-mail", "base"]
    made = script.arrays(script.in_largest_sections(known))
    assert made["number_names"].tolist() == [
        "size",
        "installed_size",
        "depends",
        "recommends",
        "suggests",
        "name_length",
        "description_length",
    ]
    expected = [[99, 9, 3, 1, 1, 6, 34], [1000, 0, 0, 0, 0, 6, 26]]
    np.testing.assert_allclose(np.expm1(made["numbers"]), expected, rtol=1e-5, atol=1e-6)
    assert (made["labels"].tolist(), made["classes"].tolist()) == ([0, 1], ["editors", "mail"])
    assert made["groups"].tolist() == [1, 0]
    # No word and no dependency comes in three packages.
    assert (made["text"].max(), made["links"].max()) == (0, 0)


@pytest.fixture(scope="module")
def packages() -> Arrays:
    card = builtin_card("debian-packages")
    check(card)
    arrays = dataset(card).load({}, np.random.default_rng(0))
    assert isinstance(arrays, Arrays)
    return arrays


def test_packages_are_those_with_descriptions(packages: Arrays, script: ModuleType) -> None:
    file = builtin_card("debian-descriptions").file
    assert file is not None
    table: pd.DataFrame = parquet.read_table(file.path).to_pandas()
    np.testing.assert_array_equal(packages["classes"][packages["labels"]], table["section"])
    np.testing.assert_array_equal(packages["groups"], pd.factorize(table["source"], sort=True)[0])
    np.testing.assert_allclose(np.expm1(packages["numbers"][:, 5]), table["package"].str.len(), rtol=1e-5)
    known = set(packages["words"])
    for ids, description in zip(packages["text"][::50], table["description"][::50], strict=True):
        expected = [word for word in script.words(description) if word in known][:16]
        assert packages["words"][ids[ids > 0]].tolist() == expected


@pytest.mark.parametrize(("ids", "known", "count"), [("text", "words", 6_938), ("links", "link_names", 8_088)])
def test_numbers_of_words_and_links(packages: Arrays, ids: str, known: str, count: int) -> None:
    rows, names = packages[ids], packages[known]
    assert (rows.dtype.name, names[0], len(set(names))) == ("uint16", "", count)
    # Padding is on the right, and no number comes twice in a row.
    assert ((rows[:, 1:] == 0) | (rows[:, :-1] > 0)).all()
    inside = np.sort(rows, axis=1)
    assert ((inside[:, 1:] == 0) | (inside[:, 1:] > inside[:, :-1])).all()
    # Every number is in use, in three packages unless a row was cut off; frequent ones are first.
    uses = np.bincount(rows.ravel(), minlength=count)[1:]
    assert len(uses) == count - 1
    assert (uses >= 3).mean() > 0.98
    assert np.corrcoef(-np.arange(1, count), uses)[0, 1] > 0


def test_packages_have_24_classes_and_finite_numbers(packages: Arrays) -> None:
    labels, numbers = packages["labels"], packages["numbers"]
    assert len(packages["classes"]) == len(set(labels)) == 24
    assert packages["classes"][np.bincount(labels).argmax()] == "python"
    assert np.bincount(labels).max() == 4_544
    types = [array.dtype.name for array in (numbers, packages["groups"], labels)]
    assert types == ["float32", "int32", "uint8"]
    assert np.isfinite(numbers).all()
    assert (numbers >= 0).all()
    assert packages["groups"].max() + 1 == len(set(packages["groups"])) == 29_142
    assert "libc6" in packages["link_names"]
    assert (packages["links"] == 0).all(axis=1).mean() == pytest.approx(0.148, abs=5e-4)
