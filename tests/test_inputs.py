"""Whatever is named as a run, card, configuration or import and is no file ends in one sentence, and no read waits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import inputs
from harness.config import read_config
from harness.data.cards import read_card
from harness.errors import UsageError
from harness.interop.reading import read_json
from harness.store.named_runs import read_baselines
from harness.store.noise import stored_noise
from harness.store.read import read
from harness.store.runs import find, resume

# The name of the file, and what reads it.
READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "run": ("20261123T021500Z-01234567-a1b2c3.jsonl", read),
    "run to resume": ("20261123T021500Z-01234567-a1b2c3.jsonl", resume),
    "card": ("mine.toml", read_card),
    "bakeoff.toml": ("bakeoff.toml", lambda path: read_config(path.parent)),
    "pyproject.toml": ("pyproject.toml", lambda path: read_config(path.parent)),
    "baselines": ("baselines.json", lambda path: read_baselines(path.parent)),
    "noise": ("noise.json", lambda path: stored_noise(path.parent)),
    "import": ("saved.json", read_json),
}


def _loop(path: Path) -> None:
    path.symlink_to(path)


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "a pipe, not a file"),
    "folder": (Path.mkdir, "a folder, not a file|Is a directory"),
    "loop": (_loop, "Too many levels of symbolic links"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device, not a file"),
}


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """End a test that waits for a pipe."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_one_sentence(tmp_path: Path, reader: str, kind: str) -> None:
    name, reads = READERS[reader]
    make, said = NO_FILES[kind]
    make(tmp_path / name)
    with pytest.raises(UsageError, match=rf"^(cannot|\S+ is).*{name}.*({said})"):
        reads(tmp_path / name)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_nested_too_deep_is_one_sentence(tmp_path: Path, reader: str) -> None:
    name, reads = READERS[reader]
    before = b"a = " if name.endswith(".toml") else b'{"schema": "1.0", "x": ' if name.endswith(".jsonl") else b""
    (tmp_path / name).write_bytes(before + b"[" * 100_000 + b"]" * 100_000 + b"\n")
    with pytest.raises(UsageError, match=name):
        reads(tmp_path / name)


@pytest.mark.parametrize("reader", READERS)
def test_an_endless_file_is_not_read_to_its_end(tmp_path: Path, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, reads = READERS[reader]
    with (tmp_path / name).open("wb") as file:
        file.truncate(2**40)  # a terabyte of zeros, none of which is on the disk
    with pytest.raises(UsageError, match=name):
        reads(tmp_path / name)


def test_a_line_beyond_the_limit_ends_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MOST_BYTES", 8)
    (tmp_path / "x").write_bytes(b"1234567\n12345678\nabc\n")
    with inputs.open_regular(tmp_path / "x") as file:
        assert list(inputs.lines(file)) == [b"1234567\n", b"12345678"]


def test_a_name_with_a_null_byte_is_no_file() -> None:
    with pytest.raises(OSError, match="no file can have this name"):
        inputs.open_regular(Path("a\0b"))


def test_a_path_that_is_no_file_is_named_where_a_run_is_wanted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"^cannot read the run .*/pipe: it is a pipe, not a file$"):
        find(tmp_path, str(tmp_path / "pipe"))
    with pytest.raises(UsageError, match="contains no runs"):
        find(tmp_path, "a" * 5000)


def test_numbers_that_python_does_not_read_are_no_toml(tmp_path: Path) -> None:
    (tmp_path / "bakeoff.toml").write_text("timeout_s = " + "1" * 5000)
    with pytest.raises(UsageError, match=r"bakeoff\.toml is not valid TOML: it is nested too deep, or has a number"):
        read_config(tmp_path)
