"""Types of the values on the command line."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import click

from harness.records import Scalar, scalar

_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?", re.IGNORECASE)
_SET = re.compile(r"([a-z][a-z0-9_]*)=(.+)")


class Size(click.ParamType[int]):
    """A number of bytes such as 500MB or 2GiB."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the size."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(str(value).strip())
        size = int(float(match[1]) * _SIZES[(match[2] or "").lower()]) if match else 0
        if not size:
            self.fail(f"invalid size {value!r}: write for example 500MB or 2GiB", param, ctx)
        return size


class Seconds(click.FloatRange):
    """A positive finite time."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=math.inf, max_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the time; NaN is refused here, because every comparison lets it pass."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


class OutputPath(click.Path):
    """A file to be written, or a folder to write files in."""

    def __init__(self, *, folder: bool = False) -> None:
        super().__init__(file_okay=not folder, dir_okay=folder, readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the path; an empty one is refused here, because it would mean the working folder."""
        if value == "":
            self.fail(f"it is empty: name a {'folder' if self.dir_okay else 'file'} to write", param, ctx)
        return super().convert(value, param, ctx)


class Setting(click.ParamType["tuple[str, tuple[Scalar, ...]]"]):
    """A parameter with one value or several: ``rows=1000`` or ``rows=1000,10000``."""

    name = "name=value[,value]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[Scalar, ...]]:
        """Read the name and its values."""
        match = _SET.fullmatch(str(value))
        values = [part.strip() for part in match[2].split(",")] if match else []
        if match is None or not all(values):
            self.fail(f"invalid setting {value!r}: write name=value, as in rows=100000 or max_bin=64,256", param, ctx)
        given = tuple(dict.fromkeys(scalar(part) for part in values))
        if any(isinstance(number, int) and not -(2**63) <= number < 2**63 for number in given):
            self.fail(f"{value!r} has a whole number beyond 64 bits, which a run cannot store", param, ctx)
        return match[1], given
