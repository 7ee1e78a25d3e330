"""An answer, compared with what a claim expects."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.analysis.verdicts import noise_floor
from harness.claims.answers import Answer
from harness.claims.words import number
from harness.declare.evidence import Verdict
from harness.declare.questions import Kind, Question
from harness.errors import UsageError
from harness.stats.paired import Interval, p_value


@dataclass(frozen=True)
class ClaimDecision:
    """The verdict on an answer, and the reason if it is not decided.

    Attributes
    ----------
    expected, at_least, at_most
        What is expected, in words and as bounds; ``None`` where there is no bound.
    p
        Two-sided p of the bound that is hardest to exclude; NaN without an interval.
    """

    question: Question
    found: Answer
    expected: str
    at_least: float | None
    at_most: float | None
    verdict: Verdict
    reason: str = ""
    p: float = math.nan


class Estimated:
    """An answer, to be compared with what the claim expects; `note` receives every decision.

    Parameters
    ----------
    noise_sd
        Standard deviation of the log-ratio of two equal trials on the answer's machine, if it is known.
    least_blocks
        Fewest blocks on which the claim is decided.
    missing
        What is missing for an answer, in words; empty if there is one.
    """

    def __init__(
        self,
        question: Question,
        found: Answer,
        *,
        noise_sd: float | None,
        least_blocks: int,
        missing: str,
        note: Callable[[ClaimDecision], None],
    ) -> None:
        self._question = question
        self._found = found
        self._noise_sd = noise_sd
        self._least_blocks = least_blocks
        self._missing = missing
        self._note = note

    def at_least(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or more."""
        return self._decide(bound, math.inf, f"at least {number(bound)}")

    def at_most(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or less."""
        return self._decide(-math.inf, bound, f"at most {number(bound)}")

    def within(self, margin: float, of: float | None = None) -> Verdict:
        """Judge that the quantity differs from `of` by at most `margin`, in either direction."""
        kind = self._question.kind
        if of is None and kind == "crossover":
            raise UsageError("within(margin) of a crossover needs of=: the size that it is expected to be near")
        neutral = 1.0 if self._question.is_ratio or kind == "order" else 0.0
        centre = neutral if of is None else of
        by_factor = self._question.is_ratio or kind == "crossover"
        low, high = (centre / (1 + margin), centre * (1 + margin)) if by_factor else (centre - margin, centre + margin)
        return self._decide(low, high, f"between {number(low)} and {number(high)}")

    def _decide(self, low: float, high: float, expected: str) -> Verdict:
        bounds = [bound for bound in (low, high) if math.isfinite(bound)]
        positive = self._question.is_ratio or self._question.kind == "crossover"
        if not bounds or (positive and min(bounds) <= 0):
            wanted = "above 0" if positive else "that are finite"
            raise UsageError(f"{expected}: a {self._question.kind} is compared with numbers {wanted}")
        verdict, reason, p = self._weigh(low, high, bounds)
        at_least, at_most = (bound if math.isfinite(bound) else None for bound in (low, high))
        self._note(ClaimDecision(self._question, self._found, expected, at_least, at_most, verdict, reason, p))
        return verdict

    def _weigh(self, low: float, high: float, bounds: list[float]) -> tuple[Verdict, str, float]:
        found, interval = self._found, self._found.interval
        if interval is None:
            return "not measured", self._missing, math.nan
        if interval.blocks < self._least_blocks:
            wanted = f"the claim is decided on {self._least_blocks} blocks or more"
            return "inconclusive", f"{wanted}, and {interval.blocks} were measured", math.nan
        if found.steep is not None and found.steep.known and found.steep.low > 0:
            of, to = self._question.labels
            return "refuted", f"{of} grows dearer against {to}, not cheaper", p_value(found.steep, 0.0)
        if self._compares and interval.equal(1.0 if self._question.is_ratio else 0.0):
            equal: Verdict = "supported" if low <= interval.estimate <= high else "refuted"
            return equal, f"equal in all {interval.blocks} blocks", math.nan
        unknown = _why_unknown(interval, self._question.kind)
        if unknown:
            return "inconclusive", f"{unknown}: more blocks may decide", math.nan
        verdict: Verdict = "inconclusive"
        if low <= interval.low and interval.high <= high:
            verdict = "supported"
        elif interval.high < low or high < interval.low:
            verdict = "refuted"
        reason = self._doubt(verdict, interval, bounds)
        # Between two bounds both must be excluded, outside of them the nearer one: in both cases the larger p counts.
        return "inconclusive" if reason else verdict, reason, max(found.p(bound) for bound in bounds)

    @property
    def _compares(self) -> bool:
        """Whether the question compares two values, which may be equal."""
        return self._question.kind in ("ratio", "difference", "growth", "speedup")

    def _doubt(self, verdict: Verdict, interval: Interval, bounds: list[float]) -> str:
        outside = [bound for bound in bounds if not self._was_measured(bound)]
        if outside:
            return f"{number(outside[0])} is outside of the sizes measured"
        if verdict == "inconclusive":
            return f"the interval includes {self._included(interval, bounds)}: more blocks may decide"
        if self._below_noise(interval, bounds):
            return "closer to the bound than the noise floor of the machine"
        return ""

    @staticmethod
    def _included(interval: Interval, bounds: list[float]) -> str:
        return " and ".join(number(bound) for bound in bounds if interval.low <= bound <= interval.high)

    def _was_measured(self, bound: float) -> bool:
        """Return whether a size is among the measured ones, so that the answer is not an extrapolation."""
        sizes = [float(size) for size in self._found.values] if self._question.kind == "crossover" else [bound]
        return min(sizes) <= bound <= max(sizes)

    def _below_noise(self, interval: Interval, bounds: list[float]) -> bool:
        sd = self._noise_sd
        if sd is None or math.isnan(self._found.noise):
            return False
        scale = math.log if self._question.is_ratio else float
        floor = noise_floor(sd * self._found.noise, interval.blocks)
        return any(abs(scale(interval.estimate) - scale(bound)) < floor for bound in bounds)


def _why_unknown(interval: Interval, kind: Kind) -> str:
    """Say why an estimate has no interval; empty if it has one."""
    if interval.same:
        return f"the same in all {interval.blocks} blocks, so that its spread is not known"
    if interval.known:
        return ""
    if interval.blocks < 2:
        return "one block gives no interval"
    if kind == "slope":
        return "no power of the size fits, beside a fixed cost"
    return "the two costs grow too similarly to estimate where they cross"
