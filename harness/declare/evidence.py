"""The vocabulary in which a claim is written.

A claim's function asks for an estimate and states what it must satisfy. `harness.claims` answers from the records.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from harness.records import Scalar

Verdict: TypeAlias = Literal["supported", "refuted", "inconclusive", "not measured"]
#: A parameter, or ``scenario``, with the two values of it that are compared.
TwoValues: TypeAlias = tuple[str, Scalar, Scalar]
#: A parameter, all of whose measured values count; or a parameter with the values that count.
Sizes: TypeAlias = str | tuple[str, *tuple[Scalar, ...]]


class Estimate(Protocol):
    """A quantity with its interval, waiting to be compared with what the claim expects."""

    def at_least(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or more."""

    def at_most(self, bound: float) -> Verdict:
        """Judge that the quantity is `bound` or less."""

    def within(self, margin: float, of: float | None = None) -> Verdict:
        """Judge that the quantity differs from `of` by at most `margin`, in either direction.

        A ratio lies in of / (1 + margin) to of * (1 + margin), anything else in of - margin to of + margin.

        Parameters
        ----------
        of
            By default no effect: 1 for a ratio or a rank correlation, 0 for a difference or a slope.
        """


class Evidence(Protocol):
    """Records of one topic, asked about measures such as ``fit.cpu_s``, ``peak_bytes`` (of all phases) or ``auc``.

    A strategy may carry options, written as in tables: ``xgboost-hist[max_bin=64]``. Keyword arguments narrow the
    records to a value of a parameter, a data set, a scenario or a task; the scenario is ``clean`` unless one is named.
    Parameters that are not given are averaged over, within each block.
    """

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> Estimate:
        """Estimate the measure of one strategy divided by that of another, paired by block."""

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> Estimate:
        """Estimate the metric of one strategy minus that of another, paired by block; a cost has a ratio."""

    def mean(self, measure: str, of: str, **where: Scalar) -> Estimate:
        """Estimate the mean of a metric of one strategy over blocks; the interval of a rate is exact."""

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:
        """Judge that two strategies differ by at most `margin`: a ratio of a cost, a difference of a metric."""

    def growth(self, measure: str, of: str, to: str, over: TwoValues, **where: Scalar) -> Estimate:
        """Estimate the ratio of two strategies at the second value of a parameter divided by that at the first."""

    def speedup(self, measure: str, of: str, over: TwoValues, **where: Scalar) -> Estimate:
        """Estimate the measure at the first value of a parameter divided by that at the second."""

    def slope(
        self, measure: str, of: str, to: str | None = None, /, *, over: Sizes = "rows", **where: Scalar
    ) -> Estimate:
        """Estimate the exponent with which a measure grows in a parameter: 1 is linear, 2 quadratic.

        That of a cost is p of fixed + scale * size**p, fitted to three sizes or more, so that no fixed cost lowers it;
        that of a metric is the slope of the line through the logarithms. With `to`, it is the first exponent minus the
        second.
        """

    def crossover(self, measure: str, of: str, to: str, *, over: Sizes = "rows", **where: Scalar) -> Estimate:
        """Estimate the value of a parameter from which on the cost of one strategy is below that of another."""

    def order(self, measure: str, over: TwoValues, **where: Scalar) -> Estimate:
        """Estimate the rank correlation of strategies between two values of a parameter or two scenarios (Kendall)."""
