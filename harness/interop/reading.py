"""Files of other tools and of our exports, read with suspicion: one sentence for whatever is wrong with them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from harness.errors import UsageError
from harness.inputs import read_regular
from harness.records import LARGEST, Record
from harness.store.checks import COMMIT, SHORTEST_S, RecordCheck, check_header, is_date
from harness.store.header import SCHEMA, Header
from harness.store.imported_names import digest

#: Exported files store under this key what the other tool cannot represent; both tools ignore it.
KEY = "bakeoff"

Shape = TypeVar("Shape")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Half of a surrogate pair; alone it is not a character, and a run could not store it.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_MOST_BYTES = 2**62
_MOST_FILE_BYTES = 2**28
_MOST_S = 1e18
_EXACT = 2**53
_LEAST_MILLISECONDS = 1e11
_LONGEST = 200


class SourceFile(NamedTuple):
    """A JSON file: its path, its value, and the digest of its bytes (32 hexadecimal digits)."""

    path: Path
    value: Any
    digest: str


def read_json(path: Path) -> SourceFile:
    """Read a JSON file; NaN and Infinity count as numbers there.

    Raises
    ------
    UsageError
        When it cannot be read, or is not JSON.
    """
    try:
        content = read_regular(path, _MOST_FILE_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    try:
        value = json.loads(content)
        if _SURROGATE.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON ({error}): give a file that another tool wrote") from None
    return SourceFile(path, value, hashlib.blake2b(content, digest_size=16).hexdigest())


def typed_content(source: SourceFile, shape: type[Shape], tool: str) -> Shape:
    """Convert a file's content to a type.

    Raises
    ------
    UsageError
        When something is missing or has the wrong type.
    """
    try:
        return msgspec.convert(source.value, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UsageError(f"{source.path} is not a file of {tool}: {error}") from None


def exported_part(value: object, shape: type[Shape]) -> Shape | None:
    """Convert what an export stored in a file to its type; ``None`` when it is not as an export writes it."""
    try:
        return msgspec.convert(value, shape)
    except (msgspec.ValidationError, RecursionError):
        return None


def is_valid_header(header: Header) -> bool:
    """Return whether the header in an exported file can be one of ours: parts of it name a folder and a file."""
    try:
        check_header(header)
    except msgspec.ValidationError:
        return False
    return header.schema.partition(".")[0] == SCHEMA.partition(".")[0]


def are_valid_records(records: Iterable[Record]) -> bool:
    """Return whether the records in an exported file can be those of a run."""
    check = RecordCheck()
    try:
        for record in records:
            check(record)
    except msgspec.ValidationError:
        return False
    return True


def commit_name(value: object) -> str | None:
    """Return a commit's hexadecimal name in lower case; ``None`` for anything else."""
    text = value.lower() if isinstance(value, str) else ""
    return text if COMMIT.fullmatch(text) else None


def utc_time(value: object, path: Path) -> str:
    """Read a date and time, ISO 8601 or milliseconds or seconds since 1970, as ISO 8601 in UTC.

    A text without an offset counts as UTC. asv writes milliseconds, some tools seconds: a number below 10^11, which in
    milliseconds would be before March 1973, counts as seconds.

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
            number = float(value)  # type: ignore[arg-type]
            at = datetime.fromtimestamp(number if number < _LEAST_MILLISECONDS else number / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        shown = line(repr(value))[:40]
        raise UsageError(f"{path} has no date that can be read ({shown}): correct it in the file") from None
    text = at.isoformat(timespec="seconds")
    if not is_date(text):
        raise UsageError(f"{path} is dated {at.year}: correct the date in the file")
    return text


def milliseconds(at: str) -> int:
    """Convert a date and time, ISO 8601, to milliseconds since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def finite(value: object) -> float | None:
    """Return a number as a float; ``None`` for NaN, numbers beyond 1e100, truth values and what is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) <= LARGEST else None


def seconds(values: object) -> list[float]:
    """Return those of some values that can be times: 0, or between what is too short and too long for any clock."""
    numbers = map(finite, values if isinstance(values, list) else [values])
    return [number for number in numbers if number is not None and (number == 0 or SHORTEST_S <= number <= _MOST_S)]


def calls_of(value: object) -> int:
    """Return the number of calls in a sample; 1 for anything that cannot be one."""
    number = finite(value)
    return max(1, min(round(number), _EXACT)) if number is not None else 1


def memory(value: object) -> int | None:
    """Return a number of bytes; ``None`` for anything that cannot be one."""
    number = finite(value)
    return round(number) if number is not None and 0 <= number <= _MOST_BYTES else None


def line(value: object) -> str:
    """Return a text on one line; an empty one for anything but a text.

    Beyond 200 characters the text is cut and a digest of it follows, so that two long texts stay different.
    """
    text = _CONTROL.sub(" ", value).strip() if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 10]}... {digest(text, 3)}"


def table(value: object) -> dict[str, Any]:
    """Return a mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}
