"""A card drafted from a file of rows: what can be counted is filled in, what only its owner knows is left to them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.declare.names import NAME
from harness.errors import UsageError, did_you_mean
from harness.inputs import open_regular

if TYPE_CHECKING:
    from harness.data.columns import Columns
    from harness.data.readers.table import TargetKind

#: A column of more different whole numbers is taken for a quantity, not for classes.
_MOST_CLASSES = 50


def draft(path: Path, target: str, tasks: Sequence[str]) -> str:
    """Write the card of a table; its place is `card_place`.

    Parameters
    ----------
    path
        The file, in a format of `harness.data.columns.FORMATS`.
    target
        Its column to predict.
    tasks
        Tasks that the data join, as ``topic/task``.

    Raises
    ------
    UsageError
        When the file cannot be read, has no such column, or has a name that a card cannot have.
    """
    name, size, checksum = _name(path), *_pinned(path)
    columns = _opened(path, size, checksum)
    if target not in columns.names:
        raise UsageError(f"{path} has no column {target!r}{did_you_mean(target, columns.names)}")
    times = [column for column in columns.names if column != target and _is_time(columns.column(column).type)]
    features = [column for column in columns.names if column != target and column not in times]
    unused = f"; {', '.join(times[1:])} cannot be features" if times[1:] else ""
    time = (f"time = {_text(times[0])}  # makes the scenario temporal possible{unused}",) if times else ()
    return "\n".join(
        (
            f"name = {_text(name)}",
            f"title = {_text(name)}  # a few words for pages",
            'summary = ""  # one line: what a row is, and what is predicted from what',
            'licence = ""  # such as "CC-BY-4.0" or "internal"',
            f"tasks = [{', '.join(map(_text, tasks))}]  # tasks that the data join, as topic/task",
            "",
            "[source]",
            'text = ""  # where the file comes from, and how to get it again',
            "",
            "[file]",
            f"path = {_text(path.name)}",
            f"sha256 = {_text(checksum)}",
            f"bytes = {size}",
            f"rows = {columns.rows}",
            f"target = {_text(target)}",
            f"target_kind = {_text(_kind(columns, target))}",
            *time,
            "categorical = []  # columns of numbers that stand for categories; columns of strings are anyway",
            "",
            "[features]  # the columns to use, in their order, each with its meaning",
            *(f'{_key(column)} = ""' for column in features),
            "",
        )
    )


def card_place(path: Path) -> Path:
    """Return where the card of a file of rows belongs: beside it.

    Raises
    ------
    UsageError
        When there is a card already; the message has what its ``[file]`` should say now.
    """
    place = path.parent / f"{_name(path)}.toml"
    if place.exists():
        size, checksum = _pinned(path)
        raise UsageError(
            f"{place} exists and is not changed; for {path.name} as it is now, its [file] says: "
            f'sha256 = "{checksum}", bytes = {size}, rows = {_opened(path, size, checksum).rows}'
        )
    return place


def _name(path: Path) -> str:
    from harness.data.columns import FORMATS

    ending = next((own for own in sorted(FORMATS, key=len, reverse=True) if path.name.endswith(own)), None)
    if ending is None:
        raise UsageError(f"{path} must be one of {', '.join(FORMATS)}; other kinds of data have cards written by hand")
    name = path.name.removesuffix(ending)
    if not NAME.fullmatch(name):
        raise UsageError(f"a data set cannot be named {name!r}; rename {path} to lower-case words-with-hyphens")
    return name


def _pinned(path: Path) -> tuple[int, str]:
    try:
        with open_regular(path) as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), checksum
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _opened(path: Path, size: int, checksum: str) -> Columns:
    from harness.data.columns import open_columns
    from harness.data.readers.table import TableFile

    return open_columns(TableFile(path=str(path), sha256=checksum, bytes=size, rows=10, target=""))


def _is_time(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_date(kind) or types.is_timestamp(kind))


def _kind(columns: Columns, target: str) -> TargetKind:
    from pyarrow import compute, types

    column = columns.column(target)
    known = compute.unique(column).drop_null()
    if types.is_boolean(column.type) or (len(known) <= 2 and set(known.to_pylist()) <= {0, 1}):
        return "binary"
    if types.is_floating(column.type) or (types.is_integer(column.type) and len(known) > _MOST_CLASSES):
        return "real"
    return "multiclass"


def _text(value: str) -> str:
    """Write a string of TOML; JSON's are such, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)
