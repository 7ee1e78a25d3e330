"""From the samples of two sides to findings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple, TypeAlias

from harness.analysis import wording
from harness.gate.decision import Effect, Finding, Verdict
from harness.records import MemorySource, Record, figures, setup_among
from harness.stats.inferiority import EffectEstimate
from harness.stats.paired import CONFIDENCE, holm
from harness.store.header import version_of

#: Level of the test against the margin; a figure that it rejects passes.
PASS_ALPHA = 0.025
_LARGEST_LOG = 700.0  # whose exponential is a finite float


@dataclass(frozen=True)
class Levels:
    """Levels at which one figure is tested, so that the whole suite has the level of the policy.

    A p-value is at most its level exactly if the p-value that Holm adjusts is at most the suite's level.
    """

    worse: float
    better: float


@dataclass(frozen=True)
class Draft:
    """A figure whose effect is known, but not yet the levels at which it is tested.

    Attributes
    ----------
    finish
        Returns the finding, given the levels.
    p_worse, p_better
        One-sided p-values of "not worse" and "not better"; NaN where nothing is tested.
    """

    finish: Callable[[Levels], Finding]
    p_worse: float = math.nan
    p_better: float = math.nan


def certain(finding: Finding) -> Draft:
    """Return a draft whose finding is known without a test."""
    return Draft(lambda _levels: finding)


def finish(drafts: Sequence[Draft], alpha: float) -> list[Finding]:
    """Turn drafts into findings; the chance that any of them is falsely called regressed is at most `alpha`."""
    worse = _levels([draft.p_worse for draft in drafts], alpha)
    better = _levels([draft.p_better for draft in drafts], alpha)
    return [draft.finish(Levels(*levels)) for draft, *levels in zip(drafts, worse, better, strict=True)]


def verdict_of(effect: EffectEstimate, margin: float, levels: Levels, *, least: float) -> tuple[Verdict, float]:
    """Judge an effect of which more is worse.

    Parameters
    ----------
    margin
        Largest effect that does not matter.
    least
        Estimate from which an effect counts as regressed, or, mirrored, as improved.

    Returns
    -------
    tuple of str and float
        The verdict, and the p-value of the test that decided, or of "not worse" if none did.
    """
    worse, better, passes = effect.p_above(0.0), effect.p_below(0.0), effect.p_margin(margin)
    if worse <= levels.worse and effect.estimate > least:
        return "regressed", worse
    if better <= levels.better and effect.estimate < -least:
        return "improved", better
    if passes <= PASS_ALPHA:
        return "pass", passes
    return "inconclusive", worse


def ratio(tested: EffectEstimate, base: float, candidate: float) -> Effect:
    """Return an effect on logarithms as a ratio."""
    low, high = tested.bounds(CONFIDENCE)
    return Effect(_exp(tested.estimate), _exp(low), _exp(high), base, candidate)


def _exp(value: float) -> float:
    return math.exp(value) if value < _LARGEST_LOG else math.inf


def _levels(p: Sequence[float], alpha: float) -> list[float]:
    adjusted = holm(p)
    return [alpha * raw / after if after > 0 else alpha for raw, after in zip(p, adjusted, strict=True)]


class Key(NamedTuple):
    """What paired trials have in common."""

    block: int
    data: int
    model: int


#: Block and seeds to a value.
Row: TypeAlias = dict[Key, float]


@dataclass(frozen=True)
class Sample:
    """One trial with its figures and the session of the machine that it was measured in.

    Attributes
    ----------
    setup
        Phases that the author of its task declared set-up when it ran.
    versions
        Measure to the version of the benchmark that it was imported from.
    """

    session: int
    record: Record
    figures: dict[str, float]
    setup: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Block and seeds."""
        trial = self.record.trial
        return Key(trial.block, trial.seeds.data, trial.seeds.model)

    def sample_s(self, name: str) -> tuple[float, float]:
        """Return how long one sample of a time lasts, all its calls together, and how long all of them do."""
        of, _, clock = name.rpartition(".")
        phases = [phase for own, phase in self.record.phases.items() if (own == of if of else phase.in_total)]
        samples = [(getattr(phase, clock), phase.calls) for phase in phases]
        return (
            sum(median(times) * calls for times, calls in samples if times),
            sum(sum(times) * calls for times, calls in samples),
        )


@dataclass(frozen=True)
class Samples:
    """The trials of one side of a case, whatever their status."""

    samples: list[Sample]

    @property
    def finished(self) -> list[Sample]:
        """The trials that are ok."""
        return [sample for sample in self.samples if sample.record.status == "ok"]

    @property
    def failed(self) -> list[Record]:
        """The records of trials that started and did not finish."""
        return [sample.record for sample in self.samples if sample.record.status not in ("ok", "skipped")]

    @property
    def names(self) -> list[str]:
        """Names of all figures."""
        return list(dict.fromkeys(name for sample in self.finished for name in sample.figures))

    @property
    def setups(self) -> dict[tuple[str, ...], None]:
        """What the totals of the trials leave out, each set of phases once."""
        names = self.names
        return dict.fromkeys(setup_among(names, sample.setup) for sample in self.finished)

    @property
    def never_in_total(self) -> set[str]:
        """Phases that some trial has in no total."""
        phases = (phase for sample in self.finished for phase in sample.record.phases.items())
        return {name for name, phase in phases if not phase.in_total}

    @property
    def sources(self) -> set[MemorySource]:
        """How memory was read."""
        return {sample.record.memory_source or "sampled" for sample in self.finished}

    @property
    def has_costs(self) -> bool:
        """Whether some trial finished without diverging, so that there are times and memory to compare."""
        return any(sample.record.diverged is None for sample in self.finished)

    def diverged(self) -> str:
        """Say in how many trials training diverged; empty where it never did."""
        steps = [step for sample in self.finished if (step := sample.record.diverged) is not None]
        return wording.diverged(steps, len(self.finished), "trial")

    def versions(self, name: str) -> set[str]:
        """Return the versions of the benchmark that a figure was imported from; an empty text where it is unknown."""
        return {version_of(sample.versions, name) for sample in self.finished if name in sample.figures}

    def sample_s(self, name: str) -> tuple[float, float]:
        """Return the medians over trials of `Sample.sample_s`; 0 where the time was not measured."""
        lasting = [sample.sample_s(name) for sample in self.finished if name in sample.figures] or [(0.0, 0.0)]
        return median(one for one, _ in lasting), median(all_ for _, all_ in lasting)

    def reasons(self) -> str:
        """Return why trials did not finish, each reason once."""
        return "; ".join(
            dict.fromkeys(
                f"{sample.record.status}: {sample.record.reason}" if sample.record.reason else sample.record.status
                for sample in self.samples
                if sample.record.status != "ok"
            )
        )

    def median(self, name: str) -> float:
        """Return the median of a figure; 0 where it was not measured."""
        return median([s.figures[name] for s in self.finished if name in s.figures] or [0.0])

    def rows(self, name: str) -> list[Row]:
        """Return a figure by block for each session; values of one block and session are averaged."""
        by_session: dict[int, dict[Key, list[float]]] = {}
        for sample in self.finished:
            if name in sample.figures:
                by_session.setdefault(sample.session, {}).setdefault(sample.key, []).append(sample.figures[name])
        return [{key: fmean(values) for key, values in row.items()} for row in by_session.values()]

    def row(self, name: str) -> Row:
        """Return a figure by block, averaged over sessions."""
        rows = self.rows(name)
        keys = dict.fromkeys(key for row in rows for key in row)
        return {key: fmean(row[key] for row in rows if key in row) for key in keys}


def sample(
    session: int, record: Record, setup: frozenset[str] = frozenset(), versions: Mapping[str, str] | None = None
) -> Sample:
    """Return the sample of a record."""
    return Sample(session, record, figures(record), setup, versions or {})


def shared(rows: Sequence[Row]) -> list[Key]:
    """Return the blocks that all rows have."""
    return [key for key in rows[0] if all(key in row for row in rows)] if rows else []
