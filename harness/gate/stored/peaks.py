"""Memory of two stored sides: a threshold if both had a memory pass, otherwise the interval over blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from harness.config import GatePolicy
from harness.gate.decision import Effect, Finding, Verdict
from harness.gate.growth import growth
from harness.gate.stored.findings import Draft, Levels, Row, Samples, certain, ratio, shared, verdict_of
from harness.stats.inferiority import EffectEstimate

#: A page: smaller values are taken as one page so that every ratio is defined; the policy's floor ignores such growth.
_LEAST_BYTES = 4096.0
_SAMPLED = "memory was sampled, which misses short peaks"
_MEASURED_ANEW = "measure both sides with 'bakeoff run --memory-pass', whose readings repeat"


@dataclass
class _Reading:
    """One block on both sides, as `harness.gate.growth` takes it."""

    base: dict[str, float]
    candidate: dict[str, float]


def memory_draft(name: str, base: Samples, candidate: Samples, policy: GatePolicy, topic: str, *, alike: bool) -> Draft:
    """Prepare the finding on the memory of a case that both sides have.

    Memory does not change with the session of the machine, so the runs of a side are averaged by block, and the blocks
    are the units of the test.

    Parameters
    ----------
    alike
        Whether the machines are of the same kind.
    """
    old, new = ({key: max(value, _LEAST_BYTES) for key, value in side.row(name).items()} for side in (base, candidate))
    keys = shared([old, new])
    margin = policy.margin(topic, name, {})
    sources = base.sources | candidate.sources
    quiet = sources == {"quiet"} or name == "device_bytes"
    if quiet and keys and alike:
        (finding,) = growth([_Reading({name: old[key]}, {name: new[key]}) for key in keys], policy, topic)
        if finding.verdict != "inconclusive":
            return certain(finding)
    doubt = _doubt(base, candidate, name, alike=alike)
    tested = _tested(old, new, keys)
    if len(keys) > 1 and not doubt and all(old[key] == new[key] for key in keys):
        words = f"the same to the byte in {len(keys)} blocks"
        same = Effect(1.0, 1.0, 1.0, base.median(name), candidate.median(name))
        return certain(Finding(name, "memory", "byte", "lower", margin, "pass", words, same, len(keys)))
    limit = math.log1p(max(margin, policy.memory_floor_bytes / median(old.values())))
    # One outlier moves the mean of few readings, so the median must have grown too.
    median_change = _median_change(old, new, keys)

    def finish(levels: Levels) -> Finding:
        verdict, p = verdict_of(tested, limit, levels, least=limit)
        if verdict in ("regressed", "improved") and abs(median_change) <= limit:
            verdict = "inconclusive"
        if doubt and not (verdict == "pass" and doubt == _SAMPLED):
            verdict = "inconclusive"
        reason = _words(verdict, tested, p, limit, policy, doubt, paired=bool(keys))
        pairs = len(keys) or min(len(old), len(new))
        effect = ratio(tested, base.median(name), candidate.median(name))
        return Finding(name, "memory", "byte", "lower", margin, verdict, reason, effect, pairs, p)

    return Draft(finish) if doubt else Draft(finish, tested.p_above(0.0), tested.p_below(0.0))


def _doubt(base: Samples, candidate: Samples, name: str, *, alike: bool) -> str:
    """Return why a difference would not be due to the code; empty if it would."""
    if not alike:
        return "memory of two machines of different kinds is not comparable"
    if name == "device_bytes":
        return ""
    if base.sources != candidate.sources or len(base.sources) > 1:
        ways = [" and ".join(sorted(side.sources)) for side in (base, candidate)]
        return f"memory was read in different ways, {ways[0]} in base and {ways[1]} in candidate; {_MEASURED_ANEW}"
    return _SAMPLED if base.sources == {"sampled"} else ""


def _tested(old: Row, new: Row, keys: Sequence[object]) -> EffectEstimate:
    """Return the log-ratio over blocks, or of the means where no block is shared (Welch 1947)."""
    one, other = ({key: math.log(value) for key, value in row.items()} for row in (old, new))
    if keys:
        return over_pairs([other[key] - one[key] for key in one if key in other])
    return unpaired(list(one.values()), list(other.values()))


def over_pairs(values: Sequence[float]) -> EffectEstimate:
    """Return the mean of paired differences; a single one has an infinite error."""
    count, mean = len(values), float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    return EffectEstimate(mean, error, error, max(count - 1, 1), count)


def unpaired(base: Sequence[float], candidate: Sequence[float]) -> EffectEstimate:
    """Return the difference of two means with the degrees of freedom of Welch 1947; infinite errors for one value."""
    counts = (len(base), len(candidate))
    mean = float(np.mean(candidate) - np.mean(base))
    if min(counts) < 2:
        return EffectEstimate(mean, math.inf, math.inf, 1, min(counts))
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (base, candidate)]
    error = math.sqrt(sum(parts))
    spread = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    return EffectEstimate(mean, error, error, error**4 / spread if spread > 0 else min(counts) - 1, min(counts))


def _median_change(old: Row, new: Row, keys: Sequence[object]) -> float:
    if keys:
        return median(math.log(new[key] / old[key]) for key in old if key in new)
    return math.log(median(new.values()) / median(old.values()))


def _words(
    verdict: Verdict, tested: EffectEstimate, p: float, limit: float, policy: GatePolicy, doubt: str, *, paired: bool
) -> str:
    over = f"over {tested.units} block{'' if tested.units == 1 else 's'}{'' if paired else ', unpaired'}"
    least = f"{math.expm1(limit):.1%}"
    change = f"{'grows' if tested.estimate > 0 else 'shrinks'} by {math.expm1(abs(tested.estimate)):.1%} {over}"
    if verdict in ("regressed", "improved"):
        return f"{change}, more than {least} and {policy.memory_floor_bytes / 1000:,.0f} kB (p = {p:.2g})"
    if verdict == "pass":
        return f"growth by {least} is excluded {over} (p = {p:.2g})"
    if doubt:
        return f"{change}, but {doubt}"
    if tested.units < 2:
        return f"{change}, and the spread of readings is unknown from one block; {_MEASURED_ANEW}"
    return f"{change}: neither no growth nor growth by {least} is excluded; {_MEASURED_ANEW}"
