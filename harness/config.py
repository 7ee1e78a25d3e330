"""Configuration: ``[tool.bakeoff]`` of pyproject.toml, or the same keys in bakeoff.toml; environment over file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from harness.errors import UsageError, did_you_mean
from harness.gate.policy import Policy

_PREFIX = "BAKEOFF_"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A project's configuration.

    Attributes
    ----------
    folder
        Where the file lies, or the working folder without one; the paths below are relative to it.
    results
        Folder of the runs.
    datasets
        Folder of the project's own cards.
    topics
        Python files or modules with the project's own topics and strategies.
    machine
        Name of this machine in the results; made from its hardware when empty.
    timeout_s
        Limit of one trial's wall time.
    memory_limit_mb
        Limit of one trial's memory; 80 % of what is free when 0.
    gate
        What `bakeoff gate` demands.
    """

    folder: Path
    results: str = "results"
    datasets: str = "datasets"
    topics: tuple[str, ...] = ()
    machine: str = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e7)] = 600.0
    memory_limit_mb: Annotated[int, msgspec.Meta(ge=0)] = 0
    gate: Policy = Policy()

    @property
    def results_folder(self) -> Path:
        """Folder of the runs, resolved."""
        return self.folder / self.results

    @property
    def datasets_folder(self) -> Path:
        """Folder of the project's own cards, resolved."""
        return self.folder / self.datasets


def read_config(start: Path) -> Config:
    """Find and read the configuration of the project that `start` lies in.

    Raises
    ------
    UsageError
        When the file cannot be parsed, or a key is unknown or of the wrong type.
    """
    for folder in (start, *start.parents):
        for file, keys in ((folder / "bakeoff.toml", ()), (folder / "pyproject.toml", ("tool", "bakeoff"))):
            table = _table(file, keys)
            if table is not None:
                return _convert(table, folder, file)
    return _convert({}, start, None)


def encode_config(config: Config) -> str:
    """Write a configuration on one line, for another process of the harness."""
    return msgspec.json.encode(config, enc_hook=str).decode()


def decode_config(text: str) -> Config:
    """Read what `encode_config` wrote."""
    return msgspec.json.decode(text, type=Config, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    return kind(value)


def _table(file: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        table: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from None
    for key in keys:
        table = table.get(key)
        if not isinstance(table, dict):
            return None
    return dict(table)


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{where}: unknown key {key!r}{did_you_mean(key, known)}")


def _convert(table: dict[str, Any], folder: Path, file: Path | None) -> Config:
    known = [name for name in Config.__struct_fields__ if name != "folder"]
    _refuse_unknown(table, known, f"{file}")
    gate = table.get("gate")
    if isinstance(gate, dict):
        _refuse_unknown(gate, Policy.__struct_fields__, f"{file}, table gate")
    typed = [name for name in known if name != "gate"]
    variables = {key: os.environ[_PREFIX + key.upper()] for key in typed if os.environ.get(_PREFIX + key.upper())}
    split = {"topics": variables["topics"].split(os.pathsep)} if "topics" in variables else {}
    try:
        msgspec.convert({**table, "folder": folder}, Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{file}: {error}") from None
    try:
        return msgspec.convert({**table, **variables, **split, "folder": folder}, Config, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"environment variables {_PREFIX}...: {error}") from None
