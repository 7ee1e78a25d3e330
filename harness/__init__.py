"""Bakeoff: measures competing techniques side by side, and keeps the comparison honest.

Everything that an author or a notebook imports is here; each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.data.readers.arrays import Arrays
    from harness.data.readers.interactions import Interactions
    from harness.data.readers.log import LoggedRounds
    from harness.data.readers.text import Texts, TextSplit
    from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
    from harness.data.tabular import Split, Table
    from harness.declare import (
        CLEAN,
        Chart,
        Dataset,
        Examples,
        FittedConstant,
        Judgement,
        Measurement,
        Metric,
        NotMeasuredError,
        Outputs,
        Panel,
        Param,
        PhaseClock,
        Prediction,
        Problem,
        Profile,
        Scenario,
        Stress,
        Takes,
        Task,
        Topic,
        Tuning,
        Validation,
        WinnerMap,
        Work,
    )
    from harness.declare.evidence import Estimate, Evidence, Verdict
    from harness.declare.values import Generator, StrategyFunction
    from harness.errors import CannotRunError, DivergedError, InvalidOutputError, MissingDataError, UsageError
    from harness.records import Curve, Scalar
    from harness.store.load import load, samples

__all__ = [
    "CLEAN",
    "TEMPORAL",
    "Arrays",
    "CannotRunError",
    "Chart",
    "Comparison",
    "Curve",
    "Dataset",
    "DivergedError",
    "Estimate",
    "Evidence",
    "Examples",
    "FittedConstant",
    "Generator",
    "Interactions",
    "InvalidOutputError",
    "Judgement",
    "LoggedRounds",
    "Measurement",
    "Metric",
    "MissingDataError",
    "NotMeasuredError",
    "Outputs",
    "Panel",
    "Param",
    "PhaseClock",
    "Prediction",
    "Problem",
    "Profile",
    "Scalar",
    "Scenario",
    "Split",
    "StrategyFunction",
    "Stress",
    "Table",
    "Takes",
    "Task",
    "TextSplit",
    "Texts",
    "Topic",
    "Tuning",
    "UsageError",
    "Validation",
    "Verdict",
    "WinnerMap",
    "Work",
    "covariate_shift",
    "imbalance",
    "label_noise",
    "load",
    "samples",
]

_HOMES = {
    "harness.analysis.comparison": ("Comparison",),
    "harness.data.readers.arrays": ("Arrays",),
    "harness.data.readers.interactions": ("Interactions",),
    "harness.data.readers.log": ("LoggedRounds",),
    "harness.data.readers.text": (
        "TextSplit",
        "Texts",
    ),
    "harness.data.scenarios": (
        "TEMPORAL",
        "covariate_shift",
        "imbalance",
        "label_noise",
    ),
    "harness.data.tabular": (
        "Split",
        "Table",
    ),
    "harness.declare": (
        "CLEAN",
        "Chart",
        "Dataset",
        "Examples",
        "FittedConstant",
        "Judgement",
        "Measurement",
        "Metric",
        "NotMeasuredError",
        "Outputs",
        "Panel",
        "Param",
        "PhaseClock",
        "Prediction",
        "Problem",
        "Profile",
        "Scenario",
        "Stress",
        "Takes",
        "Task",
        "Topic",
        "Tuning",
        "Validation",
        "WinnerMap",
        "Work",
    ),
    "harness.declare.evidence": (
        "Estimate",
        "Evidence",
        "Verdict",
    ),
    "harness.declare.values": (
        "Generator",
        "StrategyFunction",
        "Stress",
    ),
    "harness.errors": (
        "CannotRunError",
        "DivergedError",
        "InvalidOutputError",
        "MissingDataError",
        "UsageError",
    ),
    "harness.records": (
        "Curve",
        "Scalar",
    ),
    "harness.store.load": (
        "load",
        "samples",
    ),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
