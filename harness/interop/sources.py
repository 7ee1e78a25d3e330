"""Files of other tools, read with suspicion: one sentence for whatever is wrong with them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from harness.errors import UsageError

Shape = TypeVar("Shape")

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Half of a pair that stands for one character; alone it is no text that a run could hold.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_MOST_BYTES = 2**62
_LONGEST = 200


class SourceFile(NamedTuple):
    """A file read: its path, what its JSON holds, and the digest of its bytes (32 hexadecimal digits)."""

    path: Path
    value: Any
    digest: str


def read_json(path: Path) -> SourceFile:
    """Read a file of JSON; NaN and Infinity count as numbers there.

    Raises
    ------
    UsageError
        When it cannot be read, or is no JSON.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    try:
        value = json.loads(content)
        if _HALF.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON ({error}): give a file that another tool wrote") from None
    return SourceFile(path, value, hashlib.blake2b(content, digest_size=16).hexdigest())


def shaped(source: SourceFile, shape: type[Shape], tool: str) -> Shape:
    """Give a file's content its types.

    Raises
    ------
    UsageError
        When it lacks something, or something has the wrong type.
    """
    try:
        return msgspec.convert(source.value, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UsageError(f"{source.path} is no file of {tool}: {error}") from None


def commit_in(value: object) -> str | None:
    """Return a commit's hexadecimal name in lower case; ``None`` for anything else."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _COMMIT.fullmatch(text) else None


def moment(value: object, path: Path) -> str:
    """Read a moment, ISO 8601 or milliseconds since 1970, as ISO 8601 in UTC; without an offset it is UTC.

    Raises
    ------
    UsageError
        When it is neither.
    """
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        else:
            at = datetime.fromtimestamp(float(value) / 1000, UTC)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError, OSError):
        raise UsageError(f"{path} has no date that can be read ({_told(value)}): correct it in the file") from None
    if at.year < 1970:
        raise UsageError(f"{path} is dated {at.year}: correct the date in the file")
    return at.isoformat(timespec="seconds")


def milliseconds(at: str) -> int:
    """Write a moment, ISO 8601, as milliseconds since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def finite(value: object) -> float | None:
    """Return a number as a float; ``None`` for NaN, infinity, truth values and everything that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def seconds(values: object) -> list[float]:
    """Return those of some values that can be times: finite and not negative."""
    numbers = map(finite, values if isinstance(values, list) else [values])
    return [number for number in numbers if number is not None and number >= 0]


def memory(value: object) -> int | None:
    """Return a number of bytes; ``None`` for what cannot be one."""
    number = finite(value)
    return round(number) if number is not None and 0 <= number <= _MOST_BYTES else None


def line(value: object) -> str:
    """Return a text on one line, cut to 200 characters; empty for what is no text."""
    return _CONTROL.sub(" ", value).strip()[:_LONGEST] if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """Return a mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _told(value: object) -> str:
    return line(repr(value))[:40]
