"""Text from files, strategies and other programs, shown so that no terminal, page or CI service acts on it."""

from __future__ import annotations

import re

# Control characters, those that are invisible or change the direction of writing, line separators, halves of
# surrogate pairs, and what XML forbids: all but newlines and tabs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
# GitHub runs a line that begins with two colons, whatever space is before them; and its older form anywhere in a line,
# like the commands of Azure Pipelines and TeamCity.
_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_ANYWHERE = re.compile(r"#(?=#[a-z]*\[)", re.IGNORECASE)


def visible(text: str) -> str:
    r"""Show what a reader cannot see: ``\x1b`` for an escape; newlines and tabs stay."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escaped, text)


def inert(text: str) -> str:
    r"""Show what a reader cannot see, and what a CI service would run: ``\x3a:error::`` for ``::error::``."""
    text = visible(text)
    if "::" in text:
        text = _AT_START.sub(lambda found: found[1] + _code(":"), text)
    return _ANYWHERE.sub(_escaped, text) if "##" in text else text


def inert_json(text: str) -> str:
    """Write JSON with escapes for what a terminal or a CI service acts on; it keeps its values."""
    return _ANYWHERE.sub(_json_escaped, _UNSEEN.sub(_json_escaped, text))


def one_line(text: str, most: int = 2000) -> str:
    """Write a text on one line, as `inert` does, cut with an ellipsis if it is longer than `most` characters."""
    plain = inert(" ".join(text.split()))
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _escaped(found: re.Match[str]) -> str:
    return "\\r" if found[0] == "\r" else _code(found[0])


def _json_escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def _code(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
