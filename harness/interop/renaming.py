"""Other tools' names as valid names here: letters, digits and dashes; two different names never become the same."""

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
# Characters at which labels are split, and control characters, which no line of a table can show.
_UNFIT = re.compile(r"[\[\],=\x00-\x1f\x7f-\x9f\u2028\u2029]+")

TypedText: TypeAlias = tuple[str, str]


def slug(text: str) -> str:
    """Write a text in lower-case letters, digits and dashes."""
    return _shortened("-".join(_words(text)), text) or "unnamed"


def identifier(text: str) -> str:
    """Write a text as the name of a parameter or a metric: lower-case letters, digits and underscores."""
    name = _shortened("_".join(_words(text)), text, "_")
    return name if name[:1].isalpha() else f"p_{name}".rstrip("_")


def unique(texts: Iterable[str], clean: Callable[[str], str] = slug) -> dict[str, str]:
    """Clean some texts so that different ones stay different.

    Where several texts become the same name, each one that cleaning changed gets a digest of itself, so that the result
    does not depend on the order.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for text in dict.fromkeys(texts):
        groups[clean(text)].append(text)
    return {
        text: name if len(group) == 1 or text == name else clean(f"{name} {digest(text, 3)}")
        for name, group in groups.items()
        for text in group
    }


def scalar_of(value: Any) -> Scalar:
    """Convert a parameter's value: numbers and truth values stay as they are, everything else becomes text."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _EXACT):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _shortened(_UNFIT.sub("-", str(value)), str(value))


def unique_values(values: Iterable[Any]) -> dict[TypedText, Scalar]:
    """Convert a parameter's values to scalars so that no two look the same in a label.

    Returns
    -------
    dict
        `typed_text` of a value to its scalar.
    """
    groups: dict[str, dict[TypedText, Any]] = defaultdict(dict)
    for value in values:
        groups[typed(scalar_of(value))][typed_text(value)] = value
    found: dict[TypedText, Scalar] = {}
    for group in groups.values():
        made = {key: scalar_of(value) for key, value in group.items()}
        numbers = not all(isinstance(value, str) for value in made.values())
        for key, value in made.items():
            ambiguous = len(group) > 1 and isinstance(value, str) and (numbers or value != group[key])
            found[key] = f"{value}-{digest(repr(key), 3)}" if ambiguous else value
    return found


def typed_text(value: Any) -> TypedText:
    """Return a value's type and text, which differ for values that are equal in Python: ``1``, ``True``, ``1.0``."""
    return type(value).__name__, str(value)


def digest(text: str, size: int) -> str:
    """Return `size` bytes of BLAKE2b over a text, in hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _shortened(clean: str, text: str, between: str = "-") -> str:
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 9]}{between}{digest(text, 4)}"
