"""Times and memory of two stored sides.

Pairing by block removes data and seeds from a difference, but not the state of the machine at the time: two tracked
runs of one commit that began ten minutes apart differ by 12 % in all cells together. So the unit of the test of times
is the session, not the block. Memory has a threshold if both sides had a memory pass, otherwise the interval over
blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from scipy.special import stdtrit

from harness.config import GatePolicy
from harness.gate.decision import Effect, Finding, Verdict
from harness.gate.growth import SAMPLED, growth
from harness.gate.stored.findings import PASS_ALPHA, Draft, Levels, Row, Samples, certain, ratio, shared, verdict_of
from harness.gate.stored.sides import SESSION_S
from harness.records import TOTALS
from harness.stats.inferiority import EffectEstimate

#: Standard deviation of what a session of the machine adds to the log of every time. From 16 cells of boosting that
#: were measured in 2 to 4 tracked runs on a virtual machine with two cores: 0.083 for CPU and 0.072 for wall time by
#: the analysis of variance; between chunks of a LightGBM fit repeated there: 0.09. Rounded up, because few sessions
#: were measured.
BETWEEN_SESSIONS = 0.1
#: The same of one trial within its session and block: 0.101 and 0.110 there. Assumed where there is a single block.
WITHIN_SESSION = 0.11
#: Degrees of freedom from which the spread is estimated from the runs themselves.
ENOUGH_DF = 3

#: Shortest sample of a time that is judged by an assumed spread, in seconds.
_LEAST_S = 1e-3
_TINY_S = 1e-9
# Records have 6 digits: a smaller spread of logarithms is none.
_ROUNDING = 1e-6
_POWER = 0.8
_MOST_NEEDED = 1000
_CLOCKS = {"cpu_s": "CPU", "wall_s": "wall"}


@dataclass(frozen=True)
class TimeChange:
    """Candidate over base in one time, as a log-ratio.

    Attributes
    ----------
    spread
        Standard deviation of a session's mean.
    df
        Degrees of freedom of `spread`; infinite if it is assumed.
    sessions
        Number of sessions of base and candidate.
    paired
        Whether all of them have blocks in common.
    """

    estimate: float
    spread: float
    df: float
    sessions: tuple[int, int]
    paired: bool

    @property
    def assumed(self) -> bool:
        """Whether the spread between sessions is assumed instead of estimated from these runs."""
        return math.isinf(self.df)

    @property
    def error(self) -> float:
        """Standard error."""
        return self.spread * math.sqrt(sum(1 / count for count in self.sessions))

    @property
    def tested(self) -> EffectEstimate:
        """The effect with its tests."""
        return EffectEstimate(self.estimate, self.error, self.error, self.df, min(self.sessions))


def time_figures(base: Samples, candidate: Samples) -> list[str]:
    """Return the times of a case that are judged: those of which a sample lasts a millisecond or more on some side.

    A sample may consist of many calls. If every sample of a case is shorter, the totals are judged if there are enough
    runs to estimate from themselves how much such short times differ, and a trial measures a millisecond in all.
    The times of phases that are in no total on either side are not judged.
    """
    setup = base.never_in_total | candidate.never_in_total
    names = [name for name in base.names if name.rpartition(".")[2] in _CLOCKS and name.partition(".")[0] not in setup]
    long = [name for name in names if max(base.sample_s(name)[0], candidate.sample_s(name)[0]) >= _LEAST_S]
    return long or [name for name in names if name in TOTALS and _is_repeated(name, base, candidate)]


def _is_repeated(name: str, base: Samples, candidate: Samples) -> bool:
    runs = len(base.rows(name)) + len(candidate.rows(name))
    return runs - 2 >= ENOUGH_DF and min(base.sample_s(name)[1], candidate.sample_s(name)[1]) >= _LEAST_S


def change(base: Sequence[Row], candidate: Sequence[Row], noise_sd: float | None) -> TimeChange:
    """Estimate a change in time.

    With `ENOUGH_DF` the spread between sessions is pooled from those of each side; it includes the noise within them.
    With fewer, or where all runs of a side are equal to the digits that are stored, it is `BETWEEN_SESSIONS` and the
    noise of the blocks, or the spread of the runs if that is larger. In both cases it is at least the machine's noise
    floor.

    Parameters
    ----------
    base, candidate
        A row of times in seconds for each session.
    noise_sd
        Standard deviation of the log-ratio of two equal trials on this machine, if one is stored.
    """
    keys = shared([*base, *candidate])
    sides = [
        [{key: math.log(max(row[key], _TINY_S)) for key in keys or row} for row in rows] for rows in (base, candidate)
    ]
    means = [np.array([fmean(row.values()) for row in rows]) for rows in sides]
    blocks = min(len(row) for rows in sides for row in rows)
    floor = (noise_sd or 0.0) ** 2 / 2 / blocks
    counts = (len(base), len(candidate))
    df = sum(counts) - 2
    between = sum(float(((side - side.mean()) ** 2).sum()) for side in means) / df if df else 0.0
    estimated = df >= ENOUGH_DF and between > _ROUNDING**2
    if not estimated:
        within = _within(sides, counts) if keys else _apart(sides)
        between = max(between, BETWEEN_SESSIONS**2 + max(within, floor))
    return TimeChange(
        estimate=float(means[1].mean() - means[0].mean()),
        spread=math.sqrt(max(between, floor)),
        df=df if estimated else math.inf,
        sessions=counts,
        paired=bool(keys),
    )


def time_draft(
    name: str, base: Samples, candidate: Samples, margin: float, noise_sd: float | None, *, across: bool
) -> Draft:
    """Prepare the finding on one time that both sides have; `across` machines it is shown and not judged."""
    measured = change(base.rows(name), candidate.rows(name), noise_sd)
    limit, tested = math.log1p(margin), measured.tested
    effect = ratio(tested, base.median(name), candidate.median(name))

    def finding(verdict: Verdict, reason: str, p: float | None, needs: int | None) -> Finding:
        pairs = min(measured.sessions)
        return Finding(name, "time", "s", "lower", margin, verdict, reason, effect, pairs, p, needs)

    if across:
        reason = "times of two machines are not comparable"
        return Draft(lambda _levels: finding("inconclusive", reason, None, None))

    def finish(levels: Levels) -> Finding:
        verdict, p = verdict_of(tested, limit, levels, least=limit / 2)
        needs = needed(measured, limit, levels.worse) if verdict == "inconclusive" else None
        return finding(verdict, _time_words(verdict, measured, margin, p, needs), p, needs)

    return Draft(finish, tested.p_above(0.0), tested.p_below(0.0))


def needed(measured: TimeChange, limit: float, alpha: float) -> int | None:
    """Return how many runs on each side would decide the present estimate with a power of 80 %, each in a new session.

    Decided as worse or as within the margin, whichever is fewer; ``None`` if a thousand would not be enough.
    """
    counts = np.arange(2 + ENOUGH_DF // 2, _MOST_NEEDED + 1)
    df = 2 * counts - 2
    error = measured.spread * np.sqrt(2 / counts)
    power = stdtrit(df, _POWER)
    settled = limit - measured.estimate > (stdtrit(df, 1 - PASS_ALPHA) + power) * error
    if measured.estimate > limit / 2:
        settled |= measured.estimate > (stdtrit(df, 1 - alpha) + power) * error
    return int(counts[settled][0]) if settled.any() else None


def _within(sides: Sequence[Sequence[Row]], counts: tuple[int, int]) -> float:
    """Return the variance of a session's mean that is due to the noise of blocks, from the differences of pairs."""
    old, new = ({key: fmean(row[key] for row in rows) for key in rows[0]} for rows in sides)
    apart = np.array([new[key] - old[key] for key in old])
    if len(apart) < 2:
        return WITHIN_SESSION**2
    return float(apart.var(ddof=1)) / sum(1 / count for count in counts) / len(apart)


def _apart(sides: Sequence[Sequence[Row]]) -> float:
    """Return the same if no blocks are paired; it then includes the spread of data and seeds."""
    rows = [np.array(list(row.values())) for side in sides for row in side]
    known = [float(row.var(ddof=1)) / len(row) for row in rows if len(row) > 1]
    return max(known) if known else WITHIN_SESSION**2


def _time_words(verdict: Verdict, measured: TimeChange, margin: float, p: float, needs: int | None) -> str:
    over = f"over {_sides(measured)}" + ("" if measured.paired else ", which share no block")
    size = math.expm1(abs(measured.estimate))
    if verdict in ("regressed", "improved"):
        word = "slower" if verdict == "regressed" else "faster"
        beyond = f", beyond what two sessions of a machine differ by, {_two(measured):.0%}" if measured.assumed else ""
        return f"{word} by {size:.1%} {over}{beyond} (p = {p:.2g})"
    if verdict == "pass":
        return f"a change for the worse by the margin of {margin:.0%} is excluded {over} (p = {p:.2g})"
    live = "measure both sides now with 'bakeoff gate --base REV'"
    advice = (
        f"store {needs} runs of each side, {SESSION_S / 60:.0f} minutes apart"
        if needs
        else "no number of runs is enough"
    )
    if measured.assumed:
        return (
            f"{_sides(measured)}: two sessions of a machine alone differ by about {_two(measured):.0%}, which hides a "
            f"change of {margin:.0%}; {live}, or {advice}"
        )
    return (
        f"runs of the same code differ by {math.expm1(measured.spread):.1%}: neither no change nor a change by the "
        f"margin of {margin:.0%} is excluded {over}; {advice}, or {live}"
    )


def _two(measured: TimeChange) -> float:
    """Return the typical relative difference between one session and another."""
    return math.expm1(measured.spread * math.sqrt(2))


def _sides(measured: TimeChange) -> str:
    base, candidate = measured.sessions
    if base == candidate == 1:
        return "one run of each side"
    return f"{base} runs of each side" if base == candidate else f"{base} and {candidate} runs"


#: A page: smaller values are taken as one page so that every ratio is defined; the policy's floor ignores such growth.
_LEAST_BYTES = 4096.0
_MEASURED_ANEW = "measure both sides with 'bakeoff run --memory-pass', whose readings repeat"


@dataclass
class _Reading:
    """One block on both sides, as `harness.gate.growth` takes it."""

    base: dict[str, float]
    candidate: dict[str, float]
    sampled: bool = False


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
        if doubt and not (verdict == "pass" and doubt == SAMPLED):
            verdict = "inconclusive"
        reason = _memory_words(verdict, tested, p, limit, policy, doubt, paired=bool(keys))
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
    return SAMPLED if base.sources == {"sampled"} else ""


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


def _memory_words(
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
