"""Suites of cases whose pairs are drawn instead of measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import numpy as np

from harness.config import GatePolicy
from harness.execute.executor import Share
from harness.gate.decision import Case, Pair, Side
from harness.gate.environments.build import SideEnvironment
from harness.gate.live.both_sides import MemoryPass, PairRequest, Reading
from harness.gate.live.measured_case import MeasuredCase
from harness.gate.live.planned_cases import PlannedCase, PlannedMetric
from harness.gate.live.schedule import Setup
from harness.records import Seeds, Trial

Draw = Callable[[PairRequest], Pair]


def case(name: str, policy: GatePolicy, threads: int = 1) -> MeasuredCase:
    """Return a case with the metric ``auc``, nothing measured."""
    trials = tuple(
        Trial("topic", "task", name, "data", "clean", {"threads": threads}, {}, block, Seeds(block, block, block))
        for block in range(2 * policy.pairs)
    )
    planned = PlannedCase(
        Case("topic", "task", name, "data", "clean", {"threads": threads}),
        trials,
        {"auc": PlannedMetric("higher", "1", 0.005)},
    )
    return MeasuredCase(planned, policy)


def drawn(
    changes: dict[str, float], *, spread: float = 0.01, drop: float = 0.0, elapsed_s: float = 0.0, seed: int = 0
) -> Draw:
    """Return what draws pairs: strategies change their CPU and wall time by shares, and lose some AUC."""
    rng = np.random.default_rng(seed)

    def draw(request: PairRequest) -> Pair:
        ratio = (1 + changes.get(request.trial.strategy, 0.0)) * float(np.exp(rng.normal(0, spread)))
        names = ("fit.cpu_s", "fit.wall_s", "cpu_s", "wall_s")
        auc = 0.8 + float(rng.normal(0, 0.01))
        return Pair(
            request.trial.block,
            request.stage,
            request.first,
            request.cores,
            base={name: [0.1] * 4 for name in names},
            candidate={name: [0.1 * ratio] * 4 for name in names},
            metrics={"base": {"auc": auc}, "candidate": {"auc": auc - drop - float(rng.normal(0, 1e-4))}}
            if drop
            else {},
            identical=not drop,
            elapsed_s=elapsed_s,
        )

    return draw


class Memory(MemoryPass):
    """A memory pass whose candidate needs a multiple of the base's 100 MB."""

    def __init__(self, growth: float = 1.0, *, sampled: bool = False) -> None:
        super().__init__({}, 1.0)
        self.growth = growth
        self.sampled = sampled

    def measure(self, trial: Trial, cores: object, setup: object = (), choices: object = None) -> Reading:
        return Reading(base={"peak_bytes": 1e8}, candidate={"peak_bytes": 1e8 * self.growth}, sampled=self.sampled)


def bench(policy: GatePolicy, memory: MemoryPass | None = None, others: Iterator[int] | None = None) -> Setup:
    """Return a setup on two cores; `others` says each time how many others measure there, by default none."""
    side = SideEnvironment(side=Side("x"), python=Path("python"), folder=Path(), variables={})
    counts = others or repeat(0)

    def share(_threads: int) -> Share:
        return Share((0, 1), 1, next(counts))

    return Setup({"base": side, "candidate": side}, share, 1.0, memory or Memory(), policy)
