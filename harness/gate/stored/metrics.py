"""Quality of two stored sides, paired by the seeds of data and model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple, TypeAlias

from harness.gate.decision import Effect, Finding, Verdict
from harness.gate.quality import PairedSeed, QualityOutcome, judge_quality
from harness.gate.stored.costs import unpaired
from harness.gate.stored.findings import PASS_ALPHA, Draft, Levels, Samples, certain, verdict_of
from harness.stats.paired import CONFIDENCE
from harness.store.header import JudgedMetric

#: The largest level that is allowed, at which the test returns its p-value in any case; and a level that never passes.
_ANY, _NONE = 0.499999, 1e-300


class SeedPairs(NamedTuple):
    """The seeds that determine the quality of a deterministic strategy."""

    data: int
    model: int


#: Seeds to the metrics of every trial on them.
Metrics: TypeAlias = dict[SeedPairs, list[dict[str, float]]]


def quality_draft(metric: JudgedMetric, base: Samples, candidate: Samples, margin: float) -> Draft:
    """Prepare the finding on one metric that the base has.

    Trials on the same data and model seeds count once, in however many blocks or runs they are. A record has no
    predictions: two trials count as identical if all their metrics are, in the 6 digits that are stored.
    """
    old, new = _metrics(base, metric.name), _metrics(candidate, metric.name)
    if not new:
        return gone(metric, margin)
    common = [seeds for seeds in old if seeds in new]
    pairs = [_pair(metric.name, old[seeds], new[seeds]) for seeds in common]
    if pairs and (len(pairs) > 1 or pairs[0].identical):
        rest = len(old.keys() | new.keys()) - len(common)
        return _paired(metric, margin, pairs, rest)
    return _unpaired(metric, margin, _means(metric.name, old), _means(metric.name, new), len(common))


def gone(metric: JudgedMetric, margin: float) -> Draft:
    """Return the finding on a metric that the candidate does not have."""
    return not_judged(metric, margin, "the candidate does not judge this metric")


def not_judged(metric: JudgedMetric, margin: float, reason: str) -> Draft:
    """Return the finding on a metric that cannot be compared."""
    return certain(finding(metric, margin, "not measured", reason))


def _metrics(side: Samples, name: str) -> Metrics:
    by_seeds: Metrics = {}
    for sample in side.finished:
        if name in sample.record.metrics:
            key = SeedPairs(sample.key.data, sample.key.model)
            by_seeds.setdefault(key, []).append(sample.record.metrics)
    return by_seeds


def _means(name: str, metrics: Metrics) -> list[float]:
    return [fmean(trial[name] for trial in trials) for trials in metrics.values()]


def _pair(name: str, base: Sequence[Mapping[str, float]], candidate: Sequence[Mapping[str, float]]) -> PairedSeed:
    both = set(base[0]) & set(candidate[0])
    first = {key: base[0][key] for key in both}
    same = all({key: trial.get(key) for key in both} == first for trial in (*base, *candidate))
    return PairedSeed(fmean(trial[name] for trial in base), fmean(trial[name] for trial in candidate), identical=same)


def _paired(metric: JudgedMetric, margin: float, pairs: Sequence[PairedSeed], rest: int) -> Draft:
    tested = judge_quality(pairs, metric.direction, margin, alpha=_ANY, pass_alpha=_NONE)
    worse, better = _ps(tested)

    def finish(levels: Levels) -> Finding:
        level = levels.better if tested.verdict == "improved" else levels.worse
        judged = judge_quality(pairs, metric.direction, margin, alpha=level, pass_alpha=PASS_ALPHA)
        verdict: Verdict = "inconclusive" if judged.verdict == "undecided" else judged.verdict
        reason = judged.reason
        if all(pair.identical for pair in pairs):
            reason = f"metrics equal to 6 digits in {len(pairs)} seed{'' if len(pairs) == 1 else 's'}"
        if rest:
            reason += f"; {rest} seeds that only one side has are left out"
        effect = _effect(judged, fmean(pair.base for pair in pairs), fmean(pair.candidate for pair in pairs))
        return finding(metric, margin, verdict, reason, effect, len(pairs), judged.p, judged.needs)

    return Draft(finish, worse, better)


def _ps(tested: QualityOutcome) -> tuple[float, float]:
    """Return the p-values of "not worse" and "not better"; NaN where nothing was tested."""
    if tested.verdict == "pass" or math.isnan(tested.estimate):
        return math.nan, math.nan
    return (1 - tested.p, tested.p) if tested.verdict == "improved" else (tested.p, 1 - tested.p)


def _unpaired(
    metric: JudgedMetric, margin: float, base: Sequence[float], candidate: Sequence[float], common: int
) -> Draft:
    """Compare sides with different seeds; the interval includes the spread of data and training."""
    change = unpaired(base, candidate)
    effect = change if metric.direction == "lower" else change.turned()
    shared = "one seed" if common else "no seeds"
    rests = f"over {len(base)} and {len(candidate)} seeds, unpaired because the sides share {shared}"
    low, high = change.bounds(CONFIDENCE)
    shown = Effect(change.estimate, low, high, fmean(base), fmean(candidate))

    def finish(levels: Levels) -> Finding:
        verdict, p = verdict_of(effect, margin, levels, least=margin / 2)
        size = f"{abs(effect.estimate):.3g} {rests} (p = {p:.2g})"
        words: dict[Verdict, str] = {
            "regressed": f"worse by {size}",
            "improved": f"better by {size}",
            "pass": f"not worse by the margin {margin:g} {rests} (p = {p:.2g})",
        }
        advice = f"underpowered {rests}: run both sides with the same --seed and 2 blocks or more"
        return finding(metric, margin, verdict, words.get(verdict, advice), shown, effect.units, p)

    return Draft(finish, effect.p_above(0.0), effect.p_below(0.0))


def _effect(outcome: QualityOutcome, base: float, candidate: float) -> Effect | None:
    return (
        None if math.isnan(outcome.estimate) else Effect(outcome.estimate, outcome.low, outcome.high, base, candidate)
    )


def finding(
    metric: JudgedMetric,
    margin: float,
    verdict: Verdict,
    reason: str,
    effect: Effect | None = None,
    pairs: int = 0,
    p: float | None = None,
    needs: int | None = None,
) -> Finding:
    """Make the finding on a metric."""
    return Finding(
        metric.name, "quality", metric.unit, metric.direction, margin, verdict, reason, effect, pairs, p, needs
    )
