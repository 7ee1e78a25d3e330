"""Many gates from the pairs that were measured: each draws pairs anew and takes the looks of a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from power.rules import Rule
from scipy.special import stdtr

from harness.config import GatePolicy
from harness.gate.decision import Pair
from harness.gate.live.gated import PASS_ALPHA, SCREEN_ALPHA, quality_outcome
from harness.gate.sequential import SequentialResult, spending

Floats = npt.NDArray[np.float64]

ALPHA, CAP = GatePolicy().alpha, GatePolicy().pairs
_CUT = 8  # as in harness.gate.sequential
_POOLS = 40
#: Codes of verdicts.
PASSED, REGRESSED, UNDECIDED = 0, 1, 2


@dataclass(frozen=True)
class Looks:
    """When a gate tests, and at which level.

    Attributes
    ----------
    looks
        Numbers of pairs with the share of alpha that each spends.
    leaves_open
        Whether a flagged figure is confirmed at once, and the others are left open where it is.
    """

    looks: Sequence[tuple[int, float]]
    screen_alpha: float
    leaves_open: bool
    alpha: float = ALPHA
    pass_alpha: float = PASS_ALPHA

    @property
    def cap(self) -> int:
        """The number of pairs at the last look."""
        return self.looks[-1][0]


TODAY = Looks(spending(CAP, CAP), SCREEN_ALPHA, leaves_open=True)
#: The rule up to commit 328de08: looks after 2, 4, 8 and 16 pairs, which spend alpha in proportion to the pairs.
EARLIER = Looks([(2, 1 / 8), (4, 1 / 8), (8, 1 / 4), (16, 1 / 2)], ALPHA, leaves_open=False)


@dataclass(frozen=True)
class Rates:
    """Shares of gates by verdict, and the pairs that a gate took on average."""

    regressed: float
    passed: float
    inconclusive: float
    pairs: float


@dataclass(frozen=True)
class DrawnGates:
    """Gates of one case each, by place: the verdict as a code, and the pairs that were taken. Shapes (gates,)."""

    verdict: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]

    def rates(self) -> Rates:
        """Return the shares of the verdicts."""
        regressed, passed, open_ = (float(np.mean(self.verdict == code)) for code in (REGRESSED, PASSED, UNDECIDED))
        return Rates(regressed, passed, open_, float(self.pairs.mean()))


def decided(
    ratios: Floats, margin: float, rule: Looks, alpha: float | Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the verdict on one figure in many gates at once, and the pairs up to the look that decided.

    This is `harness.gate.sequential.decide` without improvements, which count as passed; a test compares the two.

    Parameters
    ----------
    ratios
        Log of candidate over base. Shape (gates, pairs) with the rule's cap of pairs.
    alpha
        Level of "regressed", one for all gates or one for each.
    """
    verdict = np.full(len(ratios), UNDECIDED)
    taken = np.full(len(ratios), rule.cap)
    smallest = np.ones(len(ratios))
    for look, share in rule.looks:
        ordered = np.sort(ratios[:, :look], axis=1)
        cut = look // _CUT
        mean = ordered[:, cut : look - cut].mean(axis=1)
        clipped = np.clip(ordered, ordered[:, [cut]], ordered[:, [look - cut - 1]])
        error = np.maximum(clipped.std(axis=1, ddof=1) / ((1 - 2 * cut / look) * look**0.5), 1e-12)
        freedom = look - 2 * cut - 1
        smallest = np.minimum(smallest, stdtr(freedom, -mean / error) / share)
        worse = (smallest <= alpha) & (mean > margin / 2)
        passed = stdtr(freedom, -(margin - mean) / error) <= share * rule.pass_alpha
        for code, found in ((REGRESSED, worse), (PASSED, passed & ~worse)):
            now = found & (verdict == UNDECIDED)
            verdict[now], taken[now] = code, look
    return verdict, taken


def draw_gates(screen: Floats, confirm: Floats, margins: Sequence[float], rule: Looks) -> DrawnGates:
    """Decide gates of one case with some figures: what the screening calls regressed is confirmed by fresh pairs.

    Alpha is divided among the flagged figures of a gate (Holm's first step).

    Parameters
    ----------
    screen, confirm
        Log-ratios. Shape (gates, pairs, figures).
    """
    flags, taken = _each_figure(screen, margins, rule, rule.screen_alpha)
    flagged = flags == REGRESSED
    again, more = _confirm(confirm, margins, rule, flagged)
    final = np.where(flagged, again, flags)
    verdict = np.where((final == REGRESSED).any(axis=1), REGRESSED, final.max(axis=1))
    pairs = taken.max(axis=1) + np.where(flagged, more, 0).max(axis=1)
    if not rule.leaves_open:
        return DrawnGates(verdict, pairs)
    first = np.where(flagged, taken, rule.cap + 1).min(axis=1, keepdims=True)
    at_first = flagged & (taken == first)
    again, more = _confirm(confirm, margins, rule, at_first)
    worse, open_ = at_first & (again == REGRESSED), at_first & (again == UNDECIDED)
    early = np.where(worse.any(axis=1), REGRESSED, UNDECIDED)
    early_pairs = first[:, 0] + np.where(worse, more, rule.cap).min(axis=1)
    ends = worse.any(axis=1) | open_.any(axis=1)
    return DrawnGates(np.where(ends, early, verdict), np.where(ends, early_pairs, pairs))


def _confirm(
    confirm: Floats, margins: Sequence[float], rule: Looks, flagged: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Decide each figure on fresh pairs, at alpha over the number of flagged figures of its gate."""
    return _each_figure(confirm, margins, rule, rule.alpha / np.maximum(flagged.sum(axis=1), 1))


def draw_suites(screen: Floats, confirm: Floats, margins: Sequence[float], rule: Looks) -> npt.NDArray[np.bool_]:
    """Return of each suite whether some case regressed; alpha is divided among the flagged figures of the suite.

    Parameters
    ----------
    screen, confirm
        Log-ratios. Shape (suites, cases, pairs, figures).
    """
    suites, cases = screen.shape[:2]
    rows = (suites * cases, *screen.shape[2:])
    flags = _each_figure(screen.reshape(rows), margins, rule, rule.screen_alpha)[0] == REGRESSED
    alpha = rule.alpha / np.maximum(flags.reshape(suites, -1).sum(axis=1), 1)
    again = _each_figure(confirm.reshape(rows), margins, rule, np.repeat(alpha, cases))[0] == REGRESSED
    failed: npt.NDArray[np.bool_] = (flags & again).reshape(suites, -1).any(axis=1)
    return failed


def _each_figure(
    ratios: Floats, margins: Sequence[float], rule: Looks, alpha: float | Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Decide each figure; shapes (gates, figures)."""
    found = [decided(ratios[:, :, place], margin, rule, alpha) for place, margin in enumerate(margins)]
    return np.stack([verdict for verdict, _ in found], axis=1), np.stack([pairs for _, pairs in found], axis=1)


def gates(ratios: Floats, margins: Sequence[float], count: int, rng: np.random.Generator, rule: Looks = TODAY) -> Rates:
    """Return the rates over gates whose pairs are drawn with replacement.

    Parameters
    ----------
    ratios
        Log of candidate over base of each figure, a row for each pair. Shape (n, figures).
    """
    screen, confirm = rng.choice(ratios, size=(2, count, rule.cap))
    return draw_gates(screen, confirm, margins, rule).rates()


def intervals(
    ratios: Floats, margins: Sequence[float], count: int, rng: np.random.Generator, rule: Looks
) -> dict[str, tuple[float, float]]:
    """Return the 95 % percentile intervals of the shares when the measured pairs themselves are drawn anew.

    They say how much the shares depend on which pairs happened to be measured.
    """
    found = [gates(rng.choice(ratios, size=len(ratios)), margins, count, rng, rule) for _ in range(_POOLS)]
    shares = ("regressed", "inconclusive")
    bounds = [np.percentile([getattr(rates, share) for rates in found], [2.5, 97.5]) for share in shares]
    return {share: (float(low), float(high)) for share, (low, high) in zip(shares, bounds, strict=True)}


def quality_gates(errors: Floats, margin: float, count: int, rng: np.random.Generator) -> Rates:
    """Return the rates of gates on a metric that is better lower, whose seeds are drawn with replacement.

    Parameters
    ----------
    errors
        Candidate minus base, one a seed. Shape (n,).
    """
    verdicts = []
    for screen, confirm in rng.choice(errors, size=(count, 2, CAP)):
        found = _quality(screen, margin, SCREEN_ALPHA)
        taken = found.pairs
        if found.state == "regressed":
            found = _quality(confirm, margin, ALPHA)
            taken += found.pairs
        verdicts.append((str(found.state), taken))
    counts = Counter(verdict for verdict, _ in verdicts)
    return Rates(
        counts["regressed"] / len(verdicts),
        (counts["pass"] + counts["improved"]) / len(verdicts),
        counts["undecided"] / len(verdicts),
        float(np.mean([pairs for _, pairs in verdicts])),
    )


def _quality(errors: Floats, margin: float, alpha: float) -> SequentialResult:
    pairs = [
        Pair(block, metrics={"base": {"error": 0.0}, "candidate": {"error": float(error)}})
        for block, error in enumerate(errors)
    ]
    return quality_outcome("error", "lower", margin, pairs, CAP, alpha=alpha, pass_alpha=PASS_ALPHA)


def flagged(
    rule: Rule, base: Sequence[Floats], candidate: Sequence[Floats], blocks: int, count: int, rng: np.random.Generator
) -> float:
    """Return how often another tool's rule calls the candidate slower, from as many processes of each side as given.

    Those tools measure one side after the other: the processes of base and candidate are drawn from different pairs.

    Parameters
    ----------
    base, candidate
        Samples of each process in seconds.
    """
    found = 0
    for _ in range(count):
        chosen = rng.choice(len(base), size=(2, blocks), replace=True)
        old = np.concatenate([base[index] for index in chosen[0]])
        new = np.concatenate([candidate[index] for index in chosen[1]])
        found += rule(old.tolist(), new.tolist())
    return found / count
