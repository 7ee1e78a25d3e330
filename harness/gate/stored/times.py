"""Times of two stored sides: how far apart two sessions of a machine are without any change, and what is beyond that.

A run is a session. Pairing by block takes the data and seeds out of a difference, not what the machine did at the time:
of the tracked runs, two of one commit that began ten minutes apart differ by 12 % in all cells together. So the unit of
the test is the session, not the block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy.special import stdtrit

from harness.gate.decision import Finding, Verdict
from harness.gate.stored.findings import PASS_ALPHA, Draft, Levels, Row, Samples, ratio, shared, verdict_of
from harness.gate.stored.sides import SESSION_S
from harness.stats.inferiority import EffectEstimate

#: Standard deviation of what a session of the machine adds to the log of every time. From 16 cells of boosting that
#: were measured in 2 to 4 tracked runs on a virtual machine with two cores: 0.083 for CPU and 0.072 for wall time by
#: the analysis of variance; between chunks of a LightGBM fit repeated there: 0.09. Rounded up: few sessions are behind
#: it.
BETWEEN_SESSIONS = 0.1
#: The same of one trial about its session and block: 0.101 and 0.110 there. Taken where a single block tells nothing.
WITHIN_SESSION = 0.11
#: Degrees of freedom from which the spread of the runs themselves is believed.
ENOUGH_DF = 3

_LEAST_S = 1e-3
_TINY_S = 1e-9
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
        Degrees of freedom behind `spread`; infinite where it is assumed.
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
        """Whether the spread between sessions does not come from these runs."""
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
    """Return the times of a case that are judged: of phases and in all, where a side takes a millisecond or more."""
    names = [name for name in base.names if name.rpartition(".")[2] in _CLOCKS]
    return [name for name in names if max(base.median(name), candidate.median(name)) >= _LEAST_S]


def change(base: Sequence[Row], candidate: Sequence[Row], noise_sd: float | None) -> TimeChange:
    """Estimate a change in time.

    With `ENOUGH_DF` the spread between sessions is pooled from those of each side; it holds the noise within them. With
    fewer it is `BETWEEN_SESSIONS` and the noise of the blocks, or what the runs show where that is more. In both cases
    the machine's noise floor is the least.

    Parameters
    ----------
    base, candidate
        A row of times in seconds for each session.
    noise_sd
        Standard deviation of the log-ratio of two equal trials on this machine, where it was kept.
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
    between = sum(float(((own - own.mean()) ** 2).sum()) for own in means) / df if df else 0.0
    if df < ENOUGH_DF:
        within = _within(sides, counts) if keys else _apart(sides)
        between = max(between, BETWEEN_SESSIONS**2 + max(within, floor))
    return TimeChange(
        estimate=float(means[1].mean() - means[0].mean()),
        spread=math.sqrt(max(between, floor)),
        df=df if df >= ENOUGH_DF else math.inf,
        sessions=counts,
        paired=bool(keys),
    )


def time_draft(
    name: str, base: Samples, candidate: Samples, margin: float, noise_sd: float | None, *, across: bool
) -> Draft:
    """Prepare the finding on one time that both sides have; `across` machines it is told and not judged."""
    found = change(base.rows(name), candidate.rows(name), noise_sd)
    limit, tested = math.log1p(margin), found.tested
    effect = ratio(tested, base.median(name), candidate.median(name))

    def finding(verdict: Verdict, reason: str, p: float | None, needs: int | None) -> Finding:
        pairs = min(found.sessions)
        return Finding(name, "time", "s", "lower", margin, verdict, reason, effect, pairs, p, needs)

    if across:
        reason = "times of two machines do not tell the code"
        return Draft(lambda _levels: finding("inconclusive", reason, None, None))

    def finish(levels: Levels) -> Finding:
        verdict, p = verdict_of(tested, limit, levels, least=limit / 2)
        needs = needed(found, limit, levels.worse) if verdict == "inconclusive" else None
        return finding(verdict, _words(verdict, found, margin, p, needs), p, needs)

    return Draft(finish, tested.p_above(0.0), tested.p_below(0.0))


def needed(found: TimeChange, limit: float, alpha: float) -> int | None:
    """Return the runs a side, each its own session, that would settle the present estimate with a power of 80 %.

    As worse or as within the margin, whichever takes fewer; ``None`` when a thousand would not do.
    """
    counts = np.arange(2 + ENOUGH_DF // 2, _MOST_NEEDED + 1)
    df = 2 * counts - 2
    error = found.spread * np.sqrt(2 / counts)
    power = stdtrit(df, _POWER)
    settled = limit - found.estimate > (stdtrit(df, 1 - PASS_ALPHA) + power) * error
    if found.estimate > limit / 2:
        settled |= found.estimate > (stdtrit(df, 1 - alpha) + power) * error
    return int(counts[settled][0]) if settled.any() else None


def _within(sides: Sequence[Sequence[Row]], counts: tuple[int, int]) -> float:
    """Return the variance that the blocks' noise gives to the mean of a session, from the differences of pairs."""
    old, new = ({key: fmean(row[key] for row in rows) for key in rows[0]} for rows in sides)
    apart = np.array([new[key] - old[key] for key in old])
    if len(apart) < 2:
        return WITHIN_SESSION**2
    return float(apart.var(ddof=1)) / sum(1 / count for count in counts) / len(apart)


def _apart(sides: Sequence[Sequence[Row]]) -> float:
    """Return the same where no blocks are paired, so that data and seeds add to it."""
    rows = [np.array(list(row.values())) for side in sides for row in side]
    known = [float(row.var(ddof=1)) / len(row) for row in rows if len(row) > 1]
    return max(known) if known else WITHIN_SESSION**2


def _words(verdict: Verdict, found: TimeChange, margin: float, p: float, needs: int | None) -> str:
    rests = f"over {_sides(found)}" + ("" if found.paired else ", which share no block")
    size = math.expm1(abs(found.estimate))
    if verdict in ("regressed", "improved"):
        word = "slower" if verdict == "regressed" else "faster"
        beyond = f", beyond what two sessions of a machine differ by, {_two(found):.0%}" if found.assumed else ""
        return f"{word} by {size:.1%} {rests}{beyond} (p = {p:.2g})"
    if verdict == "pass":
        return f"a change for the worse by the margin of {margin:.0%} is excluded {rests} (p = {p:.2g})"
    anew = "measure both sides now with 'bakeoff gate --base REV'"
    advice = f"keep {needs} runs a side, {SESSION_S / 60:.0f} minutes apart" if needs else "no number of runs will tell"
    if found.assumed:
        return (
            f"{_sides(found)}: two sessions of a machine alone differ by about {_two(found):.0%}, which hides a change "
            f"of {margin:.0%}; {anew}, or {advice}"
        )
    return (
        f"runs of the same code differ by {math.expm1(found.spread):.1%}: neither no change nor a change by the margin "
        f"of {margin:.0%} is excluded {rests}; {advice}, or {anew}"
    )


def _two(found: TimeChange) -> float:
    """Return the typical relative difference between one session and another."""
    return math.expm1(found.spread * math.sqrt(2))


def _sides(found: TimeChange) -> str:
    base, candidate = found.sessions
    if base == candidate == 1:
        return "one run a side"
    return f"{base} runs a side" if base == candidate else f"{base} and {candidate} runs"
