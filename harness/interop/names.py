"""Other tools' names as names of ours: letters, digits and dashes, two different names never the same."""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from harness.records import Scalar, typed

_LONGEST = 80
_EXACT = 2**53
# What a label is taken apart at, and what no line of a table can show.
_UNFIT = re.compile(r"[\[\],=\x00-\x1f\x7f-\x9f\u2028\u2029]+")

Typed: TypeAlias = tuple[str, str]


def slug(text: str) -> str:
    """Write a text in lower-case letters, digits and dashes."""
    return _short("-".join(_words(text)), text) or "unnamed"


def identifier(text: str) -> str:
    """Write a text as the name of a parameter or a metric: lower-case letters, digits and underscores."""
    name = _short("_".join(_words(text)), text, "_")
    return name if name[:1].isalpha() else f"p_{name}".rstrip("_")


def unique(texts: Iterable[str], clean: Callable[[str], str] = slug) -> dict[str, str]:
    """Clean some texts so that different ones stay different.

    Where two become the same, each that cleaning changed gets a digest of itself, so that what a text becomes depends
    on no order.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for text in dict.fromkeys(texts):
        groups[clean(text)].append(text)
    return {
        text: name if len(group) == 1 or text == name else clean(f"{name} {digest(text, 3)}")
        for name, group in groups.items()
        for text in group
    }


def plain(value: Any) -> Scalar:
    """Make a scalar of what a parameter is: numbers and truth values as they are, everything else as text."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _short(_UNFIT.sub("-", str(value)), str(value))


def unique_values(values: Iterable[Any]) -> dict[Typed, Scalar]:
    """Make scalars of a parameter's values so that no two look the same in a label.

    Returns
    -------
    dict
        From `kind` of a value.
    """
    groups: dict[str, dict[Typed, Any]] = defaultdict(dict)
    for value in values:
        groups[typed(plain(value))][kind(value)] = value
    found: dict[Typed, Scalar] = {}
    for group in groups.values():
        made = {key: plain(value) for key, value in group.items()}
        numbers = not all(isinstance(value, str) for value in made.values())
        for key, value in made.items():
            apart = len(group) > 1 and isinstance(value, str) and (numbers or value != group[key])
            found[key] = f"{value}-{digest(repr(key), 3)}" if apart else value
    return found


def kind(value: Any) -> Typed:
    """Tell values apart that are equal in Python: ``1``, ``1.0``, ``True`` and ``"1"``."""
    return type(value).__name__, str(value)


def digest(text: str, size: int) -> str:
    """Return `size` bytes of BLAKE2b over a text, in hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _short(clean: str, text: str, between: str = "-") -> str:
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 9]}{between}{digest(text, 4)}"
