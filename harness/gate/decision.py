"""The decision of a gate with all that it is based on: the one value that every output is made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from harness.config import GatePolicy
from harness.errors import Exit
from harness.measure.machine import Machine
from harness.records import Scalar
from harness.stats.examples import Difference

Verdict = Literal["pass", "improved", "inconclusive", "not measured", "failed", "regressed"]
Kind = Literal["time", "memory", "quality"]
SideName = Literal["base", "candidate"]
Stage = Literal["screen", "confirm"]

SIDES: tuple[SideName, SideName] = ("base", "candidate")

#: From the best to the worst; the worst finding is a case's verdict, the worst case the gate's.
VERDICTS: tuple[Verdict, ...] = ("pass", "improved", "inconclusive", "not measured", "failed", "regressed")
_EXITS: dict[Verdict, Exit] = {
    "pass": Exit.DONE,
    "improved": Exit.DONE,
    "inconclusive": Exit.INCONCLUSIVE,
    "not measured": Exit.TRIAL_FAILED,
    "failed": Exit.TRIAL_FAILED,
    "regressed": Exit.NO,
}


class Effect(msgspec.Struct, frozen=True):
    """How far the candidate is from the base.

    Attributes
    ----------
    estimate, low, high
        Candidate over base for a cost, candidate minus base in the metric's unit for a metric; with the bounds of the
        95 % interval.
    base, candidate
        Medians of both sides for a cost, means for a metric; in the figure's unit.
    """

    estimate: float
    low: float
    high: float
    base: float
    candidate: float


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict on one figure of a case.

    Attributes
    ----------
    figure
        As in `harness.records.figures`: ``fit.cpu_s``, ``wall_s``, ``peak_bytes``, or a metric.
    unit
        ``s``, ``byte``, or the metric's.
    better
        Which way is better.
    margin
        Largest change for the worse that does not matter: a share of the base for a cost, in its unit for a metric.
    reason
        One sentence: why this verdict.
    pairs
        Number of pairs of processes, of readings of memory, or of seeds that the effect is computed from.
    p
        One-sided p-value of the test that decided.
    needs
        Number of pairs, or seeds, that would probably decide an inconclusive figure.
    allowed
        Why the policy lets this regression pass, and until when; empty if it does not.
    """

    figure: str
    kind: Kind
    unit: str
    better: Literal["lower", "higher"]
    margin: float
    verdict: Verdict
    reason: str
    effect: Effect | None = None
    pairs: int = 0
    p: float | None = None
    needs: int | None = None
    allowed: str = ""


class Pair(msgspec.Struct, omit_defaults=True):
    """The results of one pair of new processes, base and candidate in alternating order on the same cores.

    Attributes
    ----------
    block
        Index of the block, which fixes the seeds of both.
    stage
        Whether the pair looked for differences, or confirms one that was flagged.
    first
        The side that began the first round.
    cores
        The cores that both were pinned to; empty where pinning is not possible.
    base, candidate
        Figure to one value a round; index i is round i on both sides.
    metrics
        Side to its judged metrics.
    examples
        Metric to the difference estimated from the examples of the test set, if the task's judge returns examples.
    identical
        Whether both predicted the same, bit for bit.
    failed
        Side to the reason why it did not finish.
    unable
        Sides on which the strategy raised `CannotRunError`.
    diverged
        Side to the step at which its training diverged; the times of the pair are then not compared.
    elapsed_s
        Wall time of the pair, start of the processes included.
    choices
        Side to the options that tuning chose there; empty where the strategy is not tuned.
    others
        Number of other runs, gates and workers of Dask that measured on the machine meanwhile.
    passes
        For each phase with a ``for`` statement, how many passes were timed together.
    loop_s
        Side to the seconds of an empty pass of a phase with a ``for`` statement, which were taken off its times.
    """

    block: int
    stage: Stage = "screen"
    first: SideName = "base"
    cores: list[int] = []
    base: dict[str, list[float]] = {}
    candidate: dict[str, list[float]] = {}
    metrics: dict[SideName, dict[str, float]] = {}
    examples: dict[str, Difference] = {}
    identical: bool = False
    failed: dict[SideName, str] = {}
    unable: list[SideName] = []
    diverged: dict[SideName, float] = {}
    elapsed_s: float = 0.0
    choices: dict[SideName, dict[str, Scalar]] = {}
    others: int = 0
    passes: dict[str, int] = {}
    loop_s: dict[SideName, float] = {}


class Case(msgspec.Struct, omit_defaults=True):
    """One strategy in one cell, on both sides.

    Attributes
    ----------
    strategy
        With its options, as in ``xgboost-hist[max_bin=64]``.
    reason
        Why the case has no findings; empty if it has some.
    allowed
        Why the policy lets a case without findings pass.
    unchanged
        Whether it passes without being measured, because what it loads is equal on both sides.
    """

    topic: str
    task: str
    strategy: str
    dataset: str
    scenario: str
    params: dict[str, Scalar]
    findings: list[Finding] = []
    pairs: list[Pair] = []
    verdict: Verdict = "pass"
    reason: str = ""
    allowed: str = ""
    unchanged: bool = False

    @property
    def name(self) -> str:
        """The case in one word, as policies name it: ``topic/task/strategy/dataset/scenario``."""
        return "/".join((self.topic, self.task, self.strategy, self.dataset, self.scenario))


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """The base or the candidate.

    Attributes
    ----------
    name
        As the user gave it: a revision, a run, a requirement.
    commit, dirty
        Commit, and whether tracked files differ from it; ``None`` outside of a repository.
    packages
        Versions of the packages that differ between the sides.
    """

    name: str
    commit: str | None = None
    dirty: bool | None = None
    packages: dict[str, str] = {}


class Commits(msgspec.Struct, frozen=True, omit_defaults=True):
    """The commits between base and candidate.

    Attributes
    ----------
    ahead
        Number of commits of the candidate that the base lacks.
    behind
        Number of commits of the base that the candidate lacks.
    subject
        First line of the message if the candidate is one commit ahead.
    """

    ahead: int
    behind: int = 0
    subject: str = ""


class Forecast(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a live gate expected before it measured.

    Attributes
    ----------
    cases
        How many are measured.
    low_s, high_s
        Seconds that measuring probably takes: with a first look at every case, and with all pairs that look for
        differences.
    known
        Of how many cases earlier gates on the machine say what a pair takes.
    budget_s
        The policy's; ``None`` for as long as it takes.
    beyond
        Cases that get no first look within the budget.
    """

    cases: int
    low_s: float
    high_s: float
    known: int
    budget_s: float | None = None
    beyond: list[str] = []


class Decision(msgspec.Struct, omit_defaults=True):
    """A gate's decision with everything that it is based on.

    Attributes
    ----------
    live
        Whether both sides were measured now, in turn; otherwise stored runs were compared.
    started
        UTC, ISO 8601.
    remarks
        Sentences that a reader needs beside the verdicts.
    forecast
        What a live gate expected; ``None`` for stored runs and for a gate that was resumed.
    parts
        Seconds that each part of a live gate took: check out, install, plan, measure.
    commits
        Those between the sides; ``None`` if there are none or they are unknown.
    """

    base: Side
    candidate: Side
    live: bool
    machine: Machine
    policy: GatePolicy
    started: str
    elapsed_s: float = 0.0
    command: str = ""
    cases: list[Case] = []
    remarks: list[str] = []
    verdict: Verdict = "pass"
    forecast: Forecast | None = None
    parts: dict[str, float] = {}
    commits: Commits | None = None

    @property
    def exit_code(self) -> Exit:
        """Exit code of the verdict."""
        return _EXITS[self.verdict]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts; ``pass`` for none."""
    return max(verdicts, key=VERDICTS.index, default="pass")
