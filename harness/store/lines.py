"""The lines of a file of a run. Floats are rounded when written; a line that a crash cut off is not damage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from harness.errors import UsageError
from harness.records import Curve, Record
from harness.store.header import Header, decode_header

# A trial's key is a digest of its fields, and a resumed run repeats its selection: both are written to the last digit.
_EXACT = ("trial", "selection")


def encode(value: Header | Record) -> bytes:
    """Write a header or record as one line of JSON, its floats rounded to 6 significant digits.

    JSON has neither NaN nor infinity: such a value is left out, and a curve loses the whole point.
    """
    if isinstance(value, Record) and value.curves:
        curves = {name: _finite(curve) for name, curve in value.curves.items()}
        value = msgspec.structs.replace(value, curves=curves)
    plain = msgspec.to_builtins(value)
    exact = {name: plain[name] for name in _EXACT if name in plain}
    return msgspec.json.encode(_rounded(plain) | exact) + b"\n"


class Reader:
    """Reads a file of a run once, line by line.

    A last line that is cut off, or not JSON because a part of it did not reach the disk, is ignored.

    Attributes
    ----------
    header
        The first line.
    size
        Length in bytes of the complete lines read so far.

    Raises
    ------
    UsageError
        When the header is missing or unreadable; while reading records, when a line is damaged.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        first = file.readline()
        if not first.endswith(b"\n"):
            raise UsageError(f"{path} has no complete header: the run was cut off as it began, so delete the file")
        self.header = decode_header(first, path)
        self.size = len(first)
        self._path = path
        self._file = file

    def __iter__(self) -> Iterator[Record]:
        decode = msgspec.json.Decoder(Record).decode
        for number, line in enumerate(self._file, start=2):
            if not line.endswith(b"\n"):
                return
            try:
                record = decode(line)
            except ValueError as error:  # msgspec's and Unicode's errors are ValueErrors too
                if not isinstance(error, msgspec.ValidationError) and not self._file.read(1):
                    return
                raise UsageError(
                    f"{self._path}, line {number} is damaged ({error}): restore the file or delete the line"
                ) from None
            self.size += len(line)
            yield record


def _finite(curve: Curve) -> Curve:
    lists = [values for values in (curve.x, curve.y, curve.low, curve.high) if values]
    points = [point for point in zip(*lists, strict=False) if all(map(math.isfinite, point))]
    return Curve(*([point[place] for point in points] for place in range(len(lists) if points else 2)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items() if _writable(part)}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value if _writable(part)]
    return value


def _writable(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
