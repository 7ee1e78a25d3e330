"""Bakeoff: measures competing techniques side by side, and keeps the comparison honest.

Everything that a user imports is here; each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.data.scenarios import TEMPORAL, covariate_shift, imbalance, label_noise
    from harness.declare import (
        CLEAN,
        CannotRunError,
        Chart,
        Dataset,
        Examples,
        Judgement,
        Metric,
        Param,
        Problem,
        Profile,
        Scenario,
        Topic,
        Work,
    )
    from harness.store.load import load, samples

__all__ = [
    "CLEAN",
    "TEMPORAL",
    "CannotRunError",
    "Chart",
    "Comparison",
    "Dataset",
    "Examples",
    "Judgement",
    "Metric",
    "Param",
    "Problem",
    "Profile",
    "Scenario",
    "Topic",
    "Work",
    "covariate_shift",
    "imbalance",
    "label_noise",
    "load",
    "samples",
]

_HOMES = {
    "harness.analysis.comparison": ("Comparison",),
    "harness.data.scenarios": ("TEMPORAL", "covariate_shift", "imbalance", "label_noise"),
    "harness.store.load": ("load", "samples"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    home = next((module for module, names in _HOMES.items() if name in names), "harness.declare")
    return getattr(importlib.import_module(home), name)
