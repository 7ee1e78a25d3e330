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

Package: mailer
Provides: virtual-mail (= 2), other
Section: mail
Description: Mail, and mail again: text

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
