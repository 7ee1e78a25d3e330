"""The texts kjv and gcide are what their cards say; the script of kjv refuses what is no Bible."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness.data.cards import builtin_card, builtin_folder, dataset
from harness.data.files import check
from harness.data.readers.text import TextFile, read
from harness.errors import MissingDataError, UsageError


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_kjv", builtin_folder() / "make_kjv.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_verses_are_in_order_and_without_references(script: ModuleType) -> None:
    card = builtin_card("kjv")
    check(card)
    texts, classes = read(card)
    verses = texts.strings
    assert (len(verses), texts.y, classes) == (31_102, None, ())
    assert verses[0] == "In the beginning God created the heaven and the earth."
    assert verses[-1] == "The grace of our Lord Jesus Christ be with you all. Amen."
    assert min(verses, key=len) == "Jesus wept."
    whole = "\n".join(verses)
    assert whole.isascii()
    assert (len(set(whole) - {"\n"}), len(verses) - len(set(verses))) == (62, 270)
    assert not any(script.VERSE.fullmatch(verse) or verse != " ".join(verse.split()) for verse in verses)
    # The same lines give the same bytes, without a time in their header.
    file = builtin_folder() / "kjv.txt.gz"
    assert file.read_bytes()[4:8] == b"\0\0\0\0"
    assert gzip.decompress(file.read_bytes()) == f"{whole}\n".encode()


def test_references_are_taken_away(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("VERSES", 3), ("CHAPTERS", 2), ("BOOKS", 2)):
        monkeypatch.setattr(script, name, count)
    said = "Ge1:1 In the  beginning. \nGe1:2 And: 3:4 more\n1Sm12:10 Now\n"
    assert script.verses(said) == ["In the beginning.", "And: 3:4 more", "Now"]
    with pytest.raises(UsageError, match="4 lines with 3 verses of 2 chapters and 2 books are not the 3 verses"):
        script.verses(f"(No concordance file)\n{said}")


def test_compressed_lines_have_no_time_and_no_name(script: ModuleType) -> None:
    packed = script.packed(["one", "two"])
    assert gzip.decompress(packed) == b"one\ntwo\n"
    # Flags and time of the header (RFC 1952, section 2.3).
    assert packed[3:8] == b"\0\0\0\0\0"


def test_what_is_missing_is_one_sentence(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_kjv.py"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^apt-get is not installed, so its packages cannot be fetched"):
        script.main()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("#!/bin/sh\necho 'libreadline.so.8: cannot open' >&2\nexit 127\n", r"libreadline.so.8: .* apt-get install"),
        ("\x7fELF of another machine", "cannot run on this machine"),
    ],
)
def test_programs_that_fail(script: ModuleType, tmp_path: Path, program: str, message: str) -> None:
    (tmp_path / "bible").write_text(program)
    with pytest.raises(UsageError, match=message):
        script.printed(tmp_path)


def test_dictionaries_are_fetched_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    card = builtin_card("gcide")
    assert isinstance(card.file, TextFile)
    assert card.file.origin is not None
    assert (card.licence, card.file.origin.apt) == ("GPL-2.0-or-later", "dict-gcide=0.48.5+nmu2")
    assert not list(builtin_folder().glob("gcide.*z*"))
    with pytest.raises(MissingDataError, match="fetch it with: bakeoff data get gcide"):
        dataset(card).verify()
    # Three bytes of the file are not UTF-8: they are a quotation mark, a c with a cedilla and a one.
    Path(card.file.path).parent.mkdir(parents=True)
    Path(card.file.path).write_bytes(gzip.compress(b"market\x92s fa\xe7ade\n" * 9 + b"end"))
    with pytest.raises(UsageError, match="has 10 lines, but its card says rows = 1204191"):
        read(card)
