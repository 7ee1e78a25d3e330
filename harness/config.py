"""Configuration: ``[tool.bakeoff]`` of pyproject.toml, or the same keys in bakeoff.toml; environment over file."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from harness.errors import UsageError, did_you_mean
from harness.inputs import PathText, read_toml
from harness.records import Scalar

Positive = Annotated[float, msgspec.Meta(gt=0)]

_MARGINS = {"cpu_s": 0.05, "wall_s": 0.1, "peak_bytes": 0.01, "device_bytes": 0.01}


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regression, a failure or a removal that the project accepts for a while.

    Attributes
    ----------
    case
        Pattern of the cases, or of their beginning: ``boosting/tabular-binary/xgboost-hist*``.
    until
        Last day on which it applies, by UTC.
    reason
        Why; printed beside the finding.
    figure
        Pattern of the figures.
    params
        Values that parameters of the case must have; by default any.
    """

    case: Annotated[str, msgspec.Meta(min_length=1)]
    until: datetime.date
    reason: Annotated[str, msgspec.Meta(min_length=1)]
    figure: str = "*"
    params: dict[str, Scalar] = {}

    def covers(self, case: str, params: Mapping[str, Scalar], figure: str, today: datetime.date) -> bool:
        """Return whether this entry accepts a figure of a case today."""
        named = any(fnmatchcase(case, pattern) for pattern in (self.case, f"{self.case}/*"))
        here = all(name in params and params[name] == value for name, value in self.params.items())
        return named and here and fnmatchcase(figure, self.figure) and today <= self.until


class GatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `bakeoff gate` requires of a candidate.

    Attributes
    ----------
    margins
        Figure, or ``topic:figure``, to the largest change for the worse that makes no difference: a share of the base
        for costs (by default 0.05 of CPU time, 0.1 of wall time, 0.01 of memory), in its unit for a metric (by default
        what the metric declares). ``fit.cpu_s`` goes over ``cpu_s``.
    memory_floor_bytes
        Growth of memory in bytes that is accepted whatever its share.
    alpha
        Probability that a suite without any change is called regressed.
    inconclusive
        How an inconclusive case counts: as inconclusive (exit code 6), as a pass, or as a regression.
    budget_s
        Wall time for the whole gate; ``None`` for as long as it takes.
    pairs
        Most pairs of processes for a case before it is inconclusive.
    rounds
        Rounds of a pair, in each of which both sides are called: at least so many, more while they disagree by much,
        fewer where a call takes seconds.
    allowed
        Findings that are accepted until a date.
    lock
        Files that pin packages; where they differ between revisions, so do the environments.
    wheels
        Folder of wheels to install from, instead of an index.
    paths
        Folders within the project that are put on the import path; by default ``src`` where there is one, and ``.``.
    build
        Command that compiles the project in its folder, where its package must be compiled: ``python setup.py build_ext
        --inplace``. It runs in the working tree, and once in the tree of each base.
    """

    margins: dict[str, Annotated[float, msgspec.Meta(ge=0)]] = {}
    memory_floor_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256_000
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.01
    inconclusive: Literal["inconclusive", "pass", "regressed"] = "inconclusive"
    budget_s: Positive | None = None
    pairs: Annotated[int, msgspec.Meta(ge=2, le=256)] = 24
    rounds: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 4
    allowed: tuple[Allowed, ...] = ()
    lock: tuple[PathText, ...] = ("constraints.txt", "requirements.txt")
    wheels: PathText = ""
    paths: tuple[PathText, ...] = ()
    build: str = ""

    def margin(self, topic: str, figure: str, declared: Mapping[str, float]) -> float:
        """Return the margin of a figure.

        Parameters
        ----------
        declared
            Metric to the margin that its task declares.
        """
        total = figure.rpartition(".")[2]
        for name in (f"{topic}:{figure}", figure, f"{topic}:{total}", total):
            if name in self.margins:
                return self.margins[name]
        return declared[figure] if figure in declared else _MARGINS[total]

    def names(self, topic: str, figure: str) -> bool:
        """Return whether the policy itself has a margin of a figure."""
        return f"{topic}:{figure}" in self.margins or figure in self.margins

    def allows(self, case: str, params: Mapping[str, Scalar], figure: str, today: datetime.date) -> str:
        """Return why a figure of a case may be worse today; empty when it may not."""
        for entry in self.allowed:
            if entry.covers(case, params, figure, today):
                return f"{entry.reason} (allowed until {entry.until})"
        return ""


_PREFIX = "BAKEOFF_"
# Where a configuration is looked for in a folder, the first one first, and the table that contains it.
_FILES = {"bakeoff.toml": (), "pyproject.toml": ("tool", "bakeoff")}


def source_folders(folder: Path, paths: Sequence[str]) -> list[Path]:
    """Return the folders of `paths` in a project; by default ``src``, if there is one, and the project's folder."""
    folders = [Path(os.path.normpath(folder / path)) for path in (paths or ("src", "."))]
    return [found for found in folders if found.is_dir()]


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``BAKEOFF_CACHE``, or ``bakeoff`` in the user's cache folder.

    Raises
    ------
    UsageError
        When neither is known.
    """
    given = os.environ.get("BAKEOFF_CACHE", "")
    if given:
        return Path(given).absolute()
    user = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (user if user.is_absolute() else Path.home() / ".cache") / "bakeoff"
    except RuntimeError:
        raise UsageError("there is no home folder for the cache: set BAKEOFF_CACHE to a folder") from None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A project's configuration.

    Attributes
    ----------
    folder
        Where the file lies, or the working folder without one; the paths below are relative to it.
    results
        Folder of the runs.
    datasets
        Folder of the project's cards.
    topics
        Python files, modules or packages with the project's topics and strategies.
    builtin
        Whether commands without a selection mean the built-in topics too.
    machine
        Name of this machine in the results; made from its hardware when empty.
    timeout_s
        Limit of one trial's wall time.
    memory_limit_mb
        Limit of one trial's memory; 80 % of what is free when 0.
    gate
        What `bakeoff gate` requires.
    """

    folder: Path
    results: PathText = "results"
    datasets: PathText = "datasets"
    topics: tuple[PathText, ...] = ()
    builtin: bool = False
    machine: str = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e7)] = 600.0
    memory_limit_mb: Annotated[int, msgspec.Meta(ge=0)] = 0
    gate: GatePolicy = GatePolicy()

    @property
    def results_folder(self) -> Path:
        """Folder of the runs, resolved."""
        return self.folder / self.results

    @property
    def datasets_folder(self) -> Path:
        """Folder of the project's cards, resolved."""
        return self.folder / self.datasets

    @property
    def import_folders(self) -> list[Path]:
        """Folders from which the project's files import each other."""
        return source_folders(self.folder, self.gate.paths)


def read_config(start: Path) -> Config:
    """Find and read the configuration of the project that `start` lies in.

    Raises
    ------
    UsageError
        When the file cannot be read or parsed, or a key is unknown or of the wrong type.
    """
    for folder in (start, *start.parents):
        for name, keys in _FILES.items():
            file = folder / name
            table = _table(file, keys)
            if table is not None:
                return _convert(table, folder, file)
    return _convert({}, start, None)


def ignored_file(folder: Path) -> Path | None:
    """Return the pyproject.toml whose table ``[tool.bakeoff]`` is ignored because a bakeoff.toml lies beside it."""
    first, second = (folder / name for name in _FILES)
    if not first.is_file():
        return None
    try:
        return second if _table(second, _FILES[second.name]) is not None else None
    except UsageError:
        return None


def encode_config(config: Config) -> str:
    """Write a configuration on one line, for another process of the harness."""
    return msgspec.json.encode(config, enc_hook=str).decode()


def decode_config(text: str) -> Config:
    """Read what `encode_config` wrote."""
    return msgspec.json.decode(text, type=Config, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    return kind(value)


def _table(file: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    if not os.path.lexists(file):
        return None
    table: Any = read_toml(file)
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
        _refuse_unknown(gate, GatePolicy.__struct_fields__, f"{file}, table gate")
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
