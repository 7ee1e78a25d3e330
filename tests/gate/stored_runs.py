"""Stored runs with a planted truth."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.config import GatePolicy
from harness.gate.decision import Decision, Finding
from harness.gate.stored.gate import decide
from harness.gate.stored.sides import StoredRun
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Conditions, Phase, Record, Seeds, Trial
from harness.store.header import SCHEMA, Header, JudgedMetric

START = datetime.datetime(2026, 11, 20, 8, tzinfo=datetime.UTC)
MEMORY = 50_000_000
AUC = JudgedMetric("planted/choose", "auc", "higher", "1", margin=0.005)
LOSS = JudgedMetric("planted/choose", "loss", "lower", "nat", margin=0.005)

Plant = Callable[[int], dict[str, Any]]


def header(number: int, hour: float, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "run": f"{number:06x}",
        "started": (START + datetime.timedelta(hours=hour)).isoformat(),
        "machine": Machine(name="box", cpu="EPYC", os="Debian"),
        "environment": Environment(packages={"numpy": "2.0.0"}, commit="0123456789abcdef", dirty=False),
        "selection": Selection(tasks=("planted",)),
        "plan": "feed",
        "trials": 0,
        "command": "bakeoff run planted",
        "metrics": (AUC, LOSS),
        "cards": {"numbers": "ab" * 32, "words": "cd" * 32},
    }
    return Header(**(fields | changes))


def record(block: int, *, cpu: float = 1.0, **changes: Any) -> Record:
    where = {key: changes.pop(key) for key in ("strategy", "dataset", "options") if key in changes}
    memory, seed = changes.pop("memory", MEMORY), changes.pop("seed", 0)
    auc, loss = changes.pop("auc", 0.8 + block / 1000), changes.pop("loss", 0.4 - block / 1000)
    trial = Trial(
        topic="planted",
        task="choose",
        strategy=where.get("strategy", "hist"),
        dataset=where.get("dataset", "numbers"),
        scenario="clean",
        params={"rows": 1000},
        options=where.get("options", {}),
        block=block,
        seeds=Seeds(data=seed + block, model=seed + 100 + block, order=block),
    )
    fields: dict[str, Any] = {
        "trial": trial,
        "status": "ok",
        "phases": {"fit": Phase([cpu], [cpu], peak_bytes=memory), "predict": Phase([cpu / 1e5], [cpu / 1e5])},
        "metrics": {"auc": auc, "loss": loss},
        "conditions": Conditions(load=0.5, stolen=0.0, foreign=0.0),
        "memory_source": "quiet",
    }
    fields |= changes
    if fields["status"] != "ok":
        fields |= {"phases": {}, "metrics": {}}
    return Record(**fields)


def session(
    number: int, hour: float, plant: Plant = lambda _block: {}, *, blocks: int = 5, **changes: Any
) -> StoredRun:
    return header(number, hour, **changes), [record(block, **plant(block)) for block in range(blocks)]


def sessions(rng: np.random.Generator, count: int, first: int, *, factor: float, drift: float) -> list[StoredRun]:
    """Runs an hour apart, each shifted as a whole by the machine's drift, with 3 % of noise in each trial."""

    def one(index: int) -> StoredRun:
        times = factor * np.exp(rng.normal(0, drift) + rng.normal(0, 0.03, 5))
        return session(first + index, first + index, lambda block: {"cpu": float(times[block])})

    return [one(index) for index in range(count)]


def finding(decision: Decision, figure: str, place: int = 0) -> Finding:
    (found,) = (own for own in decision.cases[place].findings if own.figure == figure)
    return found


def both(base: Plant, candidate: Plant, policy: GatePolicy | None = None, **options: Any) -> Decision:
    return decide([session(1, 0, base)], [session(2, 1, candidate)], policy or GatePolicy(), **options)
