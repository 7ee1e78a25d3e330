"""Names in declarations, and the author's file and line in every error."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from harness.errors import DeclarationError

# Names become parts of paths, columns and command lines, so that they are short.
NAME = re.compile(r"(?=.{1,200}\Z)[a-z0-9]+(-[a-z0-9]+)*")
IDENTIFIER = re.compile(r"(?=.{1,200}\Z)[a-z][a-z0-9_]*")
SCENARIO = re.compile(r"(?=.{1,200}\Z)[a-z][a-z0-9_]*(\([0-9.e+-]+\))?")
_EXAMPLES = {NAME: "two-words", IDENTIFIER: "two_words", SCENARIO: "label_noise(0.1)"}
# Frames that are not the author's; a dataclass's generated __init__ runs in a file called "<string>".
_INSIDE = (str(Path(__file__).parent), str(Path(__file__).parents[1] / "data" / "scenarios.py"), "<string>")


def caller() -> str:
    """Name the file and line of the author's declaration."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def importer() -> str:
    """Name the file and line of the module whose import declares something, be it through a function of a topic."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def wrong(sentence: str) -> DeclarationError:
    """Make the error for a sentence, with the author's place in front."""
    return DeclarationError(f"{caller()}: {sentence}")


def check_name(name: str, what: str, pattern: re.Pattern[str]) -> None:
    """Refuse a name that would not fit a file, a column or a command line."""
    if not pattern.fullmatch(name):
        raise wrong(f"invalid {what} name {name!r}: use lower-case letters and digits, as in {_EXAMPLES[pattern]}")
