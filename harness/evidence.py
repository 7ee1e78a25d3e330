"""The vocabulary in which a claim is written.

A claim's function asks for an estimate and says what it must satisfy. Who answers, from which records and with which
intervals, is not the author's concern.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from harness.trial import Scalar

Verdict: TypeAlias = Literal["supported", "refuted", "inconclusive", "not measured"]


class Estimate(Protocol):
    """A quantity with its interval, waiting to be compared with what the claim expects."""

    def at_least(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or more."""

    def at_most(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or less."""

    def within(self, margin: float) -> Verdict:
        """Judge that the quantity differs from no effect by at most `margin`, in either direction.

        A difference lies in -margin to margin, a ratio in 1 / (1 + margin) to 1 + margin.
        """


class Evidence(Protocol):
    """Records of one topic, asked about measures such as ``fit.cpu_s``, ``peak_bytes`` (of all phases) or ``auc``.

    A strategy may carry options, written as in tables: ``xgboost-hist[max_bin=64]``. Keyword arguments narrow the
    records to a value of a parameter, a data set or a scenario; the scenario is ``clean`` unless one is named. What is
    left open is averaged over, block by block.
    """

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> Estimate:
        """Estimate the cost of one strategy divided by that of another, paired by block."""

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> Estimate:
        """Estimate the metric of one strategy minus that of another, paired by block."""

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:
        """Judge that two strategies do not differ by more than `margin`: the ratio of a cost, else the difference."""

    def growth(self, measure: str, of: str, to: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> Estimate:
        """Estimate the ratio of two strategies at the second value of a parameter divided by that at the first."""

    def speedup(self, measure: str, of: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> Estimate:
        """Estimate the cost at the first value of a parameter divided by that at the second."""

    def slope(self, measure: str, of: str, over: str, **where: Scalar) -> Estimate:
        """Estimate the exponent with which a cost grows in a parameter: the slope of log cost on log size."""

    def crossover(self, measure: str, of: str, to: str, over: str, **where: Scalar) -> Estimate:
        """Estimate the value of a parameter at which two strategies cost the same."""

    def order(self, measure: str, over: tuple[str, Scalar, Scalar], **where: Scalar) -> Estimate:
        """Estimate the rank correlation of strategies between two values of a parameter or two scenarios (Kendall)."""
