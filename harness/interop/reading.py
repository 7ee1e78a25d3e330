"""Files of other tools and of our exports, read with suspicion: one sentence for whatever is wrong with them.

Other tools' names become valid names here: letters, digits and dashes; two different names never become the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from harness.declare.names import NAME, SCENARIO
from harness.errors import UsageError
from harness.measure.machine import check_name
from harness.records import Scalar, Trial, typed
from harness.store.header import SCHEMA, Header

#: Exported files store under this key what the other tool cannot represent; both tools ignore it.
KEY = "bakeoff"

Shape = TypeVar("Shape")

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Half of a surrogate pair; alone it is not a character, and a run could not store it.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_START = re.compile(r"(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d:\d\d(\+00:00|Z)")
_MOST_BYTES = 2**62
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
        content = path.read_bytes()
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
    commit = header.environment.commit
    try:
        check_name(header.machine.name)
    except UsageError:
        return False
    same_major = header.schema.partition(".")[0] == SCHEMA.partition(".")[0]
    return same_major and bool(_START.fullmatch(header.started)) and (commit is None or commit_name(commit) == commit)


def are_valid_trials(trials: Iterable[Trial]) -> bool:
    """Return whether the trials in an exported file have names that a declaration can give."""
    return all(
        all(NAME.fullmatch(name) for name in (trial.topic, trial.task, trial.strategy, trial.dataset))
        and bool(SCENARIO.fullmatch(trial.scenario))
        and are_valid_names((*trial.params, *trial.options))
        for trial in trials
    )


def are_valid_names(names: Iterable[str]) -> bool:
    """Return whether names of parameters, phases or metrics are such as a declaration can give."""
    return all(name.isidentifier() for name in names)


def commit_name(value: object) -> str | None:
    """Return a commit's hexadecimal name in lower case; ``None`` for anything else."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _COMMIT.fullmatch(text) else None


def utc_time(value: object, path: Path) -> str:
    """Read a date and time, ISO 8601 or milliseconds since 1970, as ISO 8601 in UTC.

    A text without an offset counts as UTC.

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
        shown = line(repr(value))[:40]
        raise UsageError(f"{path} has no date that can be read ({shown}): correct it in the file") from None
    if at.year < 1970:
        raise UsageError(f"{path} is dated {at.year}: correct the date in the file")
    return at.isoformat(timespec="seconds")


def milliseconds(at: str) -> int:
    """Convert a date and time, ISO 8601, to milliseconds since 1970."""
    return round(datetime.fromisoformat(at).timestamp() * 1000)


def finite(value: object) -> float | None:
    """Return a number as a float; ``None`` for NaN, infinity, truth values and everything that is not a number."""
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


_LONGEST_NAME = 80
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
    return clean if len(clean) <= _LONGEST_NAME else f"{clean[: _LONGEST_NAME - 9]}{between}{digest(text, 4)}"
