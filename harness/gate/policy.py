"""What a project demands of a candidate: ``[tool.bakeoff.gate]`` of pyproject.toml, or ``[gate]`` of bakeoff.toml."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from harness.trial import Scalar

Positive = Annotated[float, msgspec.Meta(gt=0)]

_MARGINS = {"cpu_s": 0.05, "wall_s": 0.1, "peak_bytes": 0.01, "device_bytes": 0.01}


class Allowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regression, a failure or a removal that the project accepts for a while.

    Attributes
    ----------
    case
        Pattern of the cases: ``boosting/tabular-binary/xgboost-hist*``; what comes after it is free.
    until
        Last day on which it holds.
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

    def holds(self, case: str, params: Mapping[str, Scalar], figure: str, today: datetime.date) -> bool:
        """Return whether it covers a figure of a case today."""
        named = any(fnmatchcase(case, pattern) for pattern in (self.case, f"{self.case}/*"))
        here = all(name in params and params[name] == value for name, value in self.params.items())
        return named and here and fnmatchcase(figure, self.figure) and today <= self.until


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A project's demands.

    Attributes
    ----------
    margins
        Figure, or ``topic:figure``, to the largest change for the worse that makes no difference: a share of the base
        for costs (by default 0.05 of CPU time, 0.1 of wall time, 0.01 of memory), in its unit for a metric (by default
        what the metric declares). ``fit.cpu_s`` goes over ``cpu_s``.
    memory_floor_bytes
        Growth of memory up to which nothing is made of a share.
    alpha
        Probability that a suite without any change is called regressed.
    inconclusive
        What the gate makes of an inconclusive case: its own exit code 6, a pass, or a regression.
    budget_s
        Wall time for the whole gate; ``None`` for as long as it takes.
    pairs
        Most pairs of processes for a case before it is inconclusive.
    rounds
        Rounds of a pair, in each of which both sides are called: at least so many, more while they disagree by much,
        fewer where a call takes seconds.
    allowed
        What is accepted for a while.
    lock
        Files that pin packages; where they differ between revisions, so do the environments.
    wheels
        Folder of wheels to install from, instead of an index.
    paths
        Folders within the project that are put on the import path; by default ``src`` where there is one, and ``.``.
    """

    margins: dict[str, Annotated[float, msgspec.Meta(ge=0)]] = {}
    memory_floor_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256_000
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.01
    inconclusive: Literal["inconclusive", "pass", "regressed"] = "inconclusive"
    budget_s: Positive | None = None
    pairs: Annotated[int, msgspec.Meta(ge=2, le=256)] = 16
    rounds: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 12
    allowed: tuple[Allowed, ...] = ()
    lock: tuple[str, ...] = ("constraints.txt", "requirements.txt")
    wheels: str = ""
    paths: tuple[str, ...] = ()

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

    def allows(self, case: str, params: Mapping[str, Scalar], figure: str, today: datetime.date) -> str:
        """Return why a figure of a case may be worse today; empty when it may not."""
        for entry in self.allowed:
            if entry.holds(case, params, figure, today):
                return f"{entry.reason} (allowed until {entry.until})"
        return ""
