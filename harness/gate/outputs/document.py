"""A decision as JSON: every field is there, also where it holds its default; docs/ci.md describes the shape."""

from __future__ import annotations

import datetime
import math
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from harness.gate.decision import Decision
from harness.gate.outputs import headline

SCHEMA = 1


def document(decision: Decision) -> dict[str, Any]:
    """Return a decision with its exit code and its words.

    Returns
    -------
    dict
        The fields of `harness.gate.decision.Decision` by name, and those of what it holds; numbers that are not finite
        (the bounds of an interval on one pair) are ``None``. Before them ``schema``, ``exit_code`` and ``words``.
    """
    said = {
        "headline": headline.headline(decision),
        "meaning": headline.meaning(decision),
        "advice": headline.advice(decision),
    }
    found: dict[str, Any] = _plain(decision)
    for plain, case in zip(found["cases"], decision.cases, strict=True):
        plain["name"] = case.name
    return {"schema": SCHEMA, "exit_code": int(decision.exit_code), "words": said, **found}


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date):
        return value.isoformat()
    # JSON is UTF-8, which has no word for half of a surrogate pair.
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
