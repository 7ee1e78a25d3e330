"""The readers of data, one module a kind: the module's name is what a card calls its ``kind``.

A module has an object ``READER``. A new kind is a new module here.
"""

from __future__ import annotations

import importlib
import pkgutil

from harness.data.readers.reader import Reader

__all__ = ["Reader", "kinds", "reader_of"]

_BASE = "reader"


def kinds() -> list[str]:
    """List the kinds of data that can be read."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != _BASE)


def reader_of(kind: str) -> Reader:
    """Return the reader of a kind, which is imported when it is first used."""
    reader: Reader = importlib.import_module(f"{__name__}.{kind}").READER
    return reader
