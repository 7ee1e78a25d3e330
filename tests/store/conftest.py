"""Headers and records by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Conditions, Phase, Record, Seeds, Trial
from harness.store.header import SCHEMA, Header, JudgedMetric


@pytest.fixture
def make_header() -> Callable[..., Header]:
    def make(**changes: Any) -> Header:
        fields: dict[str, Any] = {
            "schema": SCHEMA,
            "run": "a1b2c3",
            "started": "2026-11-23T02:15:00+00:00",
            "machine": Machine(name="box"),
            "environment": Environment(packages={"numpy": "2.0.0"}, commit="0123456789abcdef", dirty=False),
            "selection": Selection(tasks=("boosting",), values={"rate": (0.12345678,)}),
            "plan": "feed",
            "trials": 4,
            "command": "bakeoff run boosting",
            "metrics": (JudgedMetric("boosting/binary", "auc", "higher", "1"),),
            "cards": {"flights": "ab" * 32},
        }
        return Header(**(fields | changes))

    return make


@pytest.fixture
def make_record() -> Callable[..., Record]:
    def make(block: int = 0, strategy: str = "hist", **changes: Any) -> Record:
        trial = Trial(
            topic="boosting",
            task="binary",
            strategy=strategy,
            dataset="flights",
            scenario="clean",
            params={"rows": 1000, "threads": 2},
            options={"max_bin": 64} if strategy == "hist" else {},
            block=block,
            seeds=Seeds(data=1, model=2, order=3),
        )
        fields: dict[str, Any] = {
            "trial": trial,
            "status": "ok",
            "phases": {"fit": Phase(wall_s=[3.0, 1.0, 2.5], cpu_s=[4.0, 6.0, 5.0], peak_bytes=1024, held_bytes=16)},
            "metrics": {"auc": 0.75},
            "conditions": Conditions(load=0.5, stolen=0.0, foreign=0.01),
            "elapsed_s": 9.5,
        }
        return Record(**(fields | changes))

    return make
