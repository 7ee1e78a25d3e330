"""Times of two stored sides: whether they differ by more than two sessions of a machine differ without any change.

Pairing by block removes data and seeds from a difference, but not the state of the machine at the time: two tracked
runs of one commit that began ten minutes apart differ by 12 % in all cells together. So the unit of the test is the
session, not the block.
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
#: the analysis of variance; between chunks of a LightGBM fit repeated there: 0.09. Rounded up, because few sessions
#: were measured.
BETWEEN_SESSIONS = 0.1
#: The same of one trial within its session and block: 0.101 and 0.110 there. Assumed where there is a single block.
WITHIN_SESSION = 0.11
#: Degrees of freedom from which the spread is estimated from the runs themselves.
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
    """Return the times of a case that are judged: those in which a side takes a millisecond or more."""
    names = [name for name in base.names if name.rpartition(".")[2] in _CLOCKS]
    return [name for name in names if max(base.median(name), candidate.median(name)) >= _LEAST_S]


def change(base: Sequence[Row], candidate: Sequence[Row], noise_sd: float | None) -> TimeChange:
    """Estimate a change in time.

    With `ENOUGH_DF` the spread between sessions is pooled from those of each side; it includes the noise within them.
    With fewer it is `BETWEEN_SESSIONS` and the noise of the blocks, or the spread of the runs if that is larger. In
    both cases it is at least the machine's noise floor.

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
        return finding(verdict, _words(verdict, measured, margin, p, needs), p, needs)

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


def _words(verdict: Verdict, measured: TimeChange, margin: float, p: float, needs: int | None) -> str:
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
