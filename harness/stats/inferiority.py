"""Tests of one effect, where larger is worse, against 0 and against a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import ndtr, ndtri, stdtr, stdtrit

_POWER = 0.8
#: A number of seeds or examples that is taken as "no number is enough".
_MOST = 10**9


@dataclass(frozen=True)
class EffectEstimate:
    """An estimate with everything that its tests need.

    Attributes
    ----------
    estimate
        Estimated effect; larger is worse.
    below, above
        Standard errors below and above the estimate; they differ if the interval is not symmetric.
    df
        Degrees of freedom of Student's t; infinite for the normal distribution.
    units
        Number of seeds or examples behind the estimate.
    p_zero
        One-sided p of "not above 0" and of "not below 0", if there is a better test than one by the standard errors.
    """

    estimate: float
    below: float
    above: float
    df: float
    units: int
    p_zero: tuple[float, float] | None = None

    def turned(self) -> EffectEstimate:
        """Return the effect with its sign changed."""
        swapped = self.p_zero and (self.p_zero[1], self.p_zero[0])
        return replace(self, estimate=-self.estimate, below=self.above, above=self.below, p_zero=swapped)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Return the ends of the two-sided interval with the given confidence, such as 0.95."""
        t = _quantile(self.df, 0.5 + confidence / 2)
        return self.estimate - t * self.below, self.estimate + t * self.above

    def p_above(self, bound: float) -> float:
        """Return the one-sided p of "the effect is at most the bound"."""
        if bound == 0 and self.p_zero:
            return self.p_zero[0]
        distance = self.estimate - bound
        error = self.below if distance > 0 else self.above
        if error == 0:
            # No spread, which happens with metrics of few values. p is that of the sign test: n coins on one side.
            return 0.5**self.units if distance > 0 else 1.0
        t = distance / error
        return float(ndtr(-t)) if math.isinf(self.df) else float(stdtr(self.df, -t))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p of "the effect is at least the bound"."""
        return self.turned().p_above(-bound)

    def p_margin(self, margin: float) -> float:
        """Return the p of "worse by the margin or more"; with margin 0 only exact equality is evidence against it."""
        if margin == 0:
            return 0.5**self.units if self.estimate == self.below == self.above == 0 else 1.0
        return self.p_below(margin)

    def needed(self, margin: float, alpha: float, pass_alpha: float) -> int | None:
        """Return how many units would decide with a power of 80 %, if the estimate is the true effect.

        The decision is "worse" or "within the margin", whichever needs fewer units; with margin 0 it is "worse" or
        "better".

        Parameters
        ----------
        margin
            Margin, in the unit of the estimate.
        alpha
            Level of the test for "worse".
        pass_alpha
            Level of the test for "within the margin".

        Returns
        -------
        int or None
            ``None`` if no number is enough.
        """
        counts = []
        if self.estimate > margin / 2:
            counts.append(self._count(self.estimate, self.below, alpha))
        if self.estimate < margin or self.estimate == self.below == self.above == 0:
            counts.append(
                self._count(margin - self.estimate, self.above, pass_alpha if margin or not self.estimate else alpha)
            )
        least = min(counts, default=_MOST)
        return max(least, self.units + 1) if least < _MOST else None

    def _count(self, distance: float, error: float, level: float) -> int:
        if error == 0:
            return math.ceil(-math.log2(level))

        def reach(count: float) -> float:
            df = math.inf if math.isinf(self.df) else count - 1
            return (_quantile(df, 1 - level) + _quantile(df, _POWER)) * error * math.sqrt(self.units / count)

        # Start with the number for a normal distribution; Student's t needs a few more.
        normal = _quantile(math.inf, 1 - level) + _quantile(math.inf, _POWER)
        count = max(2, math.ceil(min(_MOST, self.units * min(_MOST, normal * error / distance) ** 2)))
        while reach(count) > distance and count < _MOST:
            count += 1
        return count


def _quantile(df: float, level: float) -> float:
    return float(ndtri(level)) if math.isinf(df) else float(stdtrit(df, level))
