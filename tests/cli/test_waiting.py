"""The bar of commands that read many runs: in a terminal alone, and gone when the result is there."""

from __future__ import annotations

import io
import sys
import time

import pytest

from harness.cli import waiting


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown_while_reading(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, patience_s: float, wait_s: float) -> str:
    """Return what is on standard error between the last of two files and the end."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(waiting, "_PATIENCE_S", patience_s)
    with waiting.reading(["one", "two"]) as read:
        read()
        read()
        end = time.monotonic() + wait_s
        while "computing" not in stream.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        return stream.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_while_reading(Terminal(), monkeypatch, patience_s=0, wait_s=30)
    assert "runs read, computing" in shown
    assert "2/2" in shown


def test_what_is_soon_done_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    assert shown_while_reading(terminal, monkeypatch, patience_s=1000, wait_s=0) == ""
    assert terminal.getvalue() == ""


def test_a_file_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_while_reading(io.StringIO(), monkeypatch, patience_s=0, wait_s=0.2) == ""
