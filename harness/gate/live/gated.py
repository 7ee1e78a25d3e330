"""The figures of a case: which of them are gated, and how each is judged on the pairs so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from harness.config import GatePolicy
from harness.declare import Examples
from harness.gate.decision import SIDES, Effect, Kind, Pair
from harness.gate.live.planned_cases import PlannedCase, PlannedMetric
from harness.gate.quality import PairedSeed, QualityOutcome, judge_quality
from harness.gate.sequential import SequentialResult, decide, spending
from harness.records import is_time
from harness.stats.examples import Difference, difference


def differences(base: Mapping[str, Any], candidate: Mapping[str, Any], seed: int) -> dict[str, Difference]:
    """Compare both sides' examples, metric by metric.

    Parameters
    ----------
    base, candidate
        ``<metric>.values`` and, for scores, ``<metric>.labels``; arrays of shape (n,).
    seed
        Seed of the bootstrap.
    """
    compared: dict[str, Difference] = {}
    for key in base:
        name, _, part = key.rpartition(".")
        if part != "values" or key not in candidate:
            continue
        one, other = (Examples(side[key], side.get(f"{name}.labels")) for side in (base, candidate))
        change = difference(one, other, seed)
        if change is not None:
            compared[name] = change
    return compared


def quality_outcome(
    name: str,
    better: Literal["lower", "higher"],
    margin: float,
    pairs: Sequence[Pair],
    cap: int,
    *,
    alpha: float,
    pass_alpha: float,
    ended: bool = False,
) -> SequentialResult:
    """Judge a metric in the tests that the number of pairs allows; the first test that decides is final.

    A metric passes at once, whatever the number of pairs, if the predictions of all of them are identical.
    """
    seeds = [_seed(name, pair) for pair in pairs]
    if seeds and all(seed.identical for seed in seeds):
        return SequentialResult("pass", 0.0, 0.0, 0.0, 1.0, 1.0, len(seeds), reason="identical predictions")
    result, p_worse = SequentialResult("undecided", 0.0, -float("inf"), float("inf"), 1.0, 1.0, len(seeds)), 1.0
    last = len(seeds) if ended else cap
    for look, part in spending(len(seeds), cap, ended=ended):
        judged = judge_quality(
            seeds[:look], better, margin, alpha=part * alpha, pass_alpha=part * pass_alpha, last=look == last
        )
        if judged.verdict in ("regressed", "undecided"):
            p_worse = min(p_worse, judged.p / part)
        result = _outcome(judged, better, p_worse)
        if result.state != "undecided":
            break
    return result


def _seed(name: str, pair: Pair) -> PairedSeed:
    if pair.identical:
        return PairedSeed(0.0, 0.0, identical=True)
    base, candidate = (pair.metrics[side][name] for side in ("base", "candidate"))
    return PairedSeed(base, candidate, difference=pair.examples.get(name))


def _outcome(judged: QualityOutcome, better: str, p_worse: float) -> SequentialResult:
    """Return the outcome with signs such that positive estimates are for the worse."""
    estimate, low, high = judged.estimate, judged.low, judged.high
    if better == "higher":
        estimate, low, high = -judged.estimate, -judged.high, -judged.low
    return SequentialResult(
        judged.verdict, estimate, low, high, p_worse, 1.0, judged.seeds, judged.needs, judged.reason
    )


#: Probability with which screening flags a figure that is not worse. What is flagged is confirmed at the policy's
#: alpha, so this decides how often fresh pairs are taken in vain, not how often a gate errs.
SCREEN_ALPHA = 0.05
PASS_ALPHA = 0.025
# A phase is gated if it takes this long, or this share of a call; a shorter one counts in the totals only.
_LEAST_S = 1e-3
_LEAST_SHARE = 0.05
_LEAST_WITH_S = 5e-5  # reading the clocks around a body takes a microsecond or two
_CPU = "cpu_s"


@dataclass(frozen=True)
class GatedFigure:
    """A figure that pairs of processes measure: a time or a metric.

    Attributes
    ----------
    margin
        As a log-ratio for a time, in the metric's unit for a metric.
    """

    name: str
    kind: Kind
    unit: str
    better: Literal["lower", "higher"]
    margin: float

    def outcome(
        self, pairs: Sequence[Pair], cap: int, alpha: float, gain_alpha: float, *, ended: bool
    ) -> SequentialResult:
        """Judge the pairs; positive estimates are for the worse.

        Parameters
        ----------
        cap
            Most pairs that the case may take.
        alpha, gain_alpha
            Error rate of calling it worse, and of calling it improved.
        ended
            Whether no more pairs will come.
        """
        if self.kind == "time":
            ratios = log_ratios(pairs, self.name)
            return decide(
                ratios, self.margin, cap, alpha=alpha, pass_alpha=PASS_ALPHA, gain_alpha=gain_alpha, ended=ended
            )
        return quality_outcome(
            self.name, self.better, self.margin, pairs, cap, alpha=alpha, pass_alpha=PASS_ALPHA, ended=ended
        )

    def effect(self, outcome: SequentialResult, pairs: Sequence[Pair]) -> Effect | None:
        """Return an outcome as a ratio of times, or as a difference of metrics in their unit."""
        if self.kind == "time":
            base, candidate = (
                float(np.median([np.median(getattr(pair, side)[self.name]) for pair in pairs])) for side in SIDES
            )
            estimate, low, high = map(float, np.exp([outcome.estimate, outcome.low, outcome.high]))
            return Effect(estimate, low, high, base, candidate)
        judged = [pair.metrics for pair in pairs if pair.metrics]
        if not judged:
            return None
        base, candidate = (float(np.mean([metrics[side][self.name] for metrics in judged])) for side in SIDES)
        if self.better == "higher":
            # 0 - x is 0 where -x would be printed as -0
            return Effect(0 - outcome.estimate, 0 - outcome.high, 0 - outcome.low, base, candidate)
        return Effect(outcome.estimate, outcome.low, outcome.high, base, candidate)


def figures_of(planned: PlannedCase, pairs: Sequence[Pair], policy: GatePolicy) -> list[GatedFigure]:
    """Return the gated figures of a case: CPU and wall time, in all and of each phase long enough, and metrics.

    A phase that is alone is not gated beside the total, which is the same figure, unless the policy gives it a margin.
    """
    case = planned.case
    declared = {name: metric.margin for name, metric in planned.metrics.items()}

    def margin(name: str) -> float:
        return policy.margin(case.topic, name, declared)

    times = [
        GatedFigure(name, "time", "s", "lower", float(np.log1p(margin(name))))
        for name in times_of(pairs[0])
        if _long_enough(pairs[0], name) and (margin(name) != margin(total_of(name)) or not _alone(pairs[0], name))
    ]

    def in_unit(name: str, metric: PlannedMetric) -> float:
        base = abs(pairs[0].metrics.get("base", {}).get(name, 0.0))
        return margin(name) * (base if metric.relative and not policy.names(case.topic, name) else 1.0)

    metrics = [
        GatedFigure(
            name, "quality", metric.unit, "higher" if metric.direction == "higher" else "lower", in_unit(name, metric)
        )
        for name, metric in planned.metrics.items()
        if all(name in metrics for metrics in pairs[0].metrics.values())
    ]
    return times + metrics


def times_of(pair: Pair) -> list[str]:
    """Return the times that both sides of a pair have."""
    return [name for name in pair.base if is_time(name) and name in pair.candidate]


def total_of(name: str) -> str:
    """Return the total that the time of a phase is part of: ``cpu_s`` for ``fit.cpu_s``."""
    return name.rpartition(".")[2]


def too_short(pair: Pair) -> float:
    """Return the CPU seconds that the bodies of ``with`` statements take together, if that is too little to be timed.

    The clock's own cost is part of these times; of phases with a ``for`` statement it is not. 0 if a phase has one, or
    if the bodies are long enough.
    """
    total = float(np.median(pair.base[_CPU])) if _CPU in pair.base else 0.0
    return total if not pair.passes and 0 < total < _LEAST_WITH_S else 0.0


def _alone(pair: Pair, name: str) -> bool:
    total = total_of(name)
    return name != total and pair.base[name] == pair.base[total] and pair.candidate[name] == pair.candidate[total]


def log_ratios(pairs: Sequence[Pair], name: str) -> list[float]:
    """Return for each pair the median over its rounds of the log of candidate over base."""
    return [float(np.median(np.log(np.divide(pair.candidate[name], pair.base[name])))) for pair in pairs]


def _long_enough(pair: Pair, name: str) -> bool:
    phase, _, clock = name.rpartition(".")
    if not all(min(side[name]) > 0 for side in (pair.base, pair.candidate)):
        return False
    part, total = float(np.median(pair.base[name])), float(np.median(pair.base[clock]))
    return not phase or part >= _LEAST_S or part >= _LEAST_SHARE * total
