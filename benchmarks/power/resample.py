"""Many gates from the pairs that were measured: each draws pairs anew and takes the real gate's looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from power.rules import Rule

from harness.config import GatePolicy
from harness.gate.decision import Pair
from harness.gate.live.gated import PASS_ALPHA, SCREEN_ALPHA, quality_outcome
from harness.gate.sequential import SequentialResult, decide

Floats = npt.NDArray[np.float64]

ALPHA, CAP = GatePolicy().alpha, GatePolicy().pairs


@dataclass(frozen=True)
class Rates:
    """Shares of gates by verdict, and the pairs that a gate took on average."""

    regressed: float
    passed: float
    inconclusive: float
    pairs: float


def gate(screen: Sequence[float] | Floats, confirm: Sequence[float] | Floats, margin: float) -> tuple[str, int]:
    """Return the verdict of a gate on one figure of one case, and the pairs that it took."""
    first = decide(screen, margin, CAP, alpha=SCREEN_ALPHA, pass_alpha=PASS_ALPHA, gain_alpha=ALPHA)
    if first.state != "regressed":
        return first.state, first.pairs
    second = decide(confirm, margin, CAP, alpha=ALPHA, pass_alpha=PASS_ALPHA, gain_alpha=ALPHA)
    return second.state, first.pairs + second.pairs


def gates(ratios: Floats, margin: float, count: int, rng: np.random.Generator) -> Rates:
    """Return the rates over gates whose pairs are drawn with replacement.

    Parameters
    ----------
    ratios
        Log of candidate over base, one a pair. Shape (n,).
    """
    drawn = rng.choice(ratios, size=(count, 2, CAP))
    return _rates([gate(screen, confirm, margin) for screen, confirm in drawn])


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
    return _rates(verdicts)


def _quality(errors: Floats, margin: float, alpha: float) -> SequentialResult:
    pairs = [
        Pair(block, metrics={"base": {"error": 0.0}, "candidate": {"error": float(error)}})
        for block, error in enumerate(errors)
    ]
    return quality_outcome("error", "lower", margin, pairs, CAP, alpha=alpha, pass_alpha=PASS_ALPHA)


def _rates(verdicts: Sequence[tuple[str, int]]) -> Rates:
    counts = Counter(verdict for verdict, _ in verdicts)
    return Rates(
        counts["regressed"] / len(verdicts),
        (counts["pass"] + counts["improved"]) / len(verdicts),
        counts["undecided"] / len(verdicts),
        float(np.mean([pairs for _, pairs in verdicts])),
    )


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
