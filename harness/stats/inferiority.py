"""Tests of one effect of which more is worse: against none, and against a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import ndtr, ndtri, stdtr, stdtrit

_POWER = 0.8
#: From here on no number would do.
_MOST = 10**9


@dataclass(frozen=True)
class EffectEstimate:
    """An estimate with what its tests need.

    Attributes
    ----------
    below, above
        Standard errors to either side; they differ where an interval is not symmetric.
    df
        Degrees of freedom of Student's t; infinite for the normal distribution.
    units
        What it rests on: seeds or examples.
    p_zero
        One-sided p of "not above 0" and "not below 0", where a better test than that of the standard errors gives them.
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
        """Return the ends of the interval."""
        t = _quantile(self.df, 0.5 + confidence / 2)
        return self.estimate - t * self.below, self.estimate + t * self.above

    def p_above(self, bound: float) -> float:
        """Return the one-sided p of "the effect is at most the bound"."""
        if bound == 0 and self.p_zero:
            return self.p_zero[0]
        distance = self.estimate - bound
        error = self.below if distance > 0 else self.above
        if error == 0:
            # No spread, as happens with metrics that take few values: as many coins that all fell on one side.
            return 0.5**self.units if distance > 0 else 1.0
        t = distance / error
        return float(ndtr(-t)) if math.isinf(self.df) else float(stdtr(self.df, -t))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p of "the effect is at least the bound"."""
        return self.turned().p_above(-bound)

    def p_margin(self, margin: float) -> float:
        """Return the p of "worse by the margin or more"; with margin 0 nothing but equality speaks against that."""
        if margin == 0:
            return 0.5**self.units if self.estimate == self.below == self.above == 0 else 1.0
        return self.p_below(margin)

    def needed(self, margin: float, alpha: float, pass_alpha: float) -> int | None:
        """Return the units that would settle the present estimate with a power of 80 %.

        As worse or as within the margin, whichever takes fewer (with margin 0, as worse or as better); ``None`` when no
        number would do.
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

        # The normal distribution needs fewest; Student's t adds a few.
        normal = _quantile(math.inf, 1 - level) + _quantile(math.inf, _POWER)
        count = max(2, math.ceil(min(_MOST, self.units * min(_MOST, normal * error / distance) ** 2)))
        while reach(count) > distance and count < _MOST:
            count += 1
        return count


def _quantile(df: float, level: float) -> float:
    return float(ndtri(level)) if math.isinf(df) else float(stdtrit(df, level))
