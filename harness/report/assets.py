"""Styles, scripts and the payload, prepared to be embedded in a page."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.text import visible

_STATIC = Path(__file__).parent / "static"
_VENDOR = Path(__file__).parent / "vendor"

#: Run in the head, before anything is drawn.
FIRST = ("start.js",)
_BASE = ("dom.js", "hash.js")
_VIEWS = ("ledger.js", "views.js", "find.js")
_TABLES = (
    "student.js",
    "interval.js",
    "compare.js",
    "rank.js",
    "format.js",
    "selection.js",
    "state.js",
    "csv.js",
    "model.js",
    "details.js",
    "controls.js",
    "table.js",
    "lazy.js",
)
_LAST = ("main.js",)

#: What a page may do: run and style itself, and show images that it drew. It can load nothing and send nothing.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)

# Text in a script at which the HTML parser would end the script, or the part of it without escapes.
_LEAVING = re.compile(r"<(?=/script|!--)", re.IGNORECASE)
_LEAVING_STYLE = re.compile(r"</(?=style)", re.IGNORECASE)


@cache
def styles() -> str:
    """Return the style sheets as one, print last."""
    names = sorted(path.name for path in _STATIC.glob("*.css"))
    ordered = sorted(names, key=lambda name: (name == "print.css", name != "page.css"))
    text = "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ordered)
    return _LEAVING_STYLE.sub("<\\\\/", text)


@cache
def scripts() -> Sequence[str]:
    """Return the scripts at the end of a page: those of a page that has only links and views."""
    return read((*_BASE, *_VIEWS, *_LAST))


@cache
def packed_scripts() -> str:
    """Return the scripts that draw tables and charts, as `pack` writes a payload: they run once the page is shown."""
    vendored = [path.read_text(encoding="utf-8") for path in sorted(_VENDOR.glob("*.js"))]
    figure = sorted(path.name for path in _STATIC.glob("figure*.js"))
    charts = sorted(f"charts/{path.name}" for path in (_STATIC / "charts").glob("*.js"))
    return _packed("\n".join((*vendored, *read((*_TABLES, *figure, *charts)))).encode("utf-8"))


@cache
def first_scripts() -> Sequence[str]:
    """Return the scripts in the head of a page."""
    return read(FIRST)


def pack(payload: Mapping[str, Any]) -> str:
    """Write a payload, all of it visible, as base64 of gzip of JSON; equal payloads give equal text."""
    import msgspec

    return _packed(msgspec.json.encode(_visible(payload), enc_hook=_plain))


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0)).decode("ascii")


def _visible(value: Any) -> Any:
    """Copy a value without control characters: with one in a label, a chart cannot be saved as an image."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {_visible(name): _visible(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(part) for part in value]
    return value


def _plain(value: Any) -> Any:
    """Turn a scalar of NumPy, which msgspec cannot encode, into one of Python."""
    return value.item()


def read(names: Sequence[str]) -> tuple[str, ...]:
    """Return files of the folder ``static`` as text that cannot end the element around it."""
    return tuple(_sealed((_STATIC / name).read_text(encoding="utf-8")) for name in names)


def _sealed(script: str) -> str:
    return _LEAVING.sub("<\\\\", script)
