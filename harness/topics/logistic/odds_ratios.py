"""Data sets and scenarios of the task inference: small data sets whose odds ratio is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import Dataset, Generator, Param, Scalar, Scenario
from harness.topics.logistic.worlds import ENGINE

if TYPE_CHECKING:
    from harness.topics.logistic.engine.replications import Replications

PARAMS = {
    "replications": Param(250, low=2, high=100_000, summary="independent data sets"),
    "rows": Param(50, low=10, high=100_000, summary="rows of a data set"),
    "columns": Param(5, low=1, high=50, summary="features: the exposure and the covariates"),
    "event_rate": Param(0.2, low=0.001, high=0.999, summary="expected share of events"),
    "odds_ratio": Param(4.0, low=0.01, high=100.0, summary="true odds ratio of the exposure"),
    "exposed": Param(0.5, low=0.01, high=0.99, summary="share of rows with the exposure, if it is binary"),
    "correlation": Param(0.0, low=0.0, high=0.99, summary="correlation of neighbouring features"),
}
GRID = 5  # true odds ratios of the data set odds-ratio-grid


def replications(params: Mapping[str, Scalar], rng: Generator, *, binary: bool, grid: int = 1) -> Replications:
    """Draw data sets; see `engine.replications`."""
    from math import log

    from harness.topics.logistic.engine.replications import Population, replicate

    largest = log(float(params["odds_ratio"]))
    populations = [
        Population(
            effect,
            int(params["columns"]),
            float(params["correlation"]),
            float(params["exposed"]) if binary else None,
            float(params["event_rate"]),
        )
        for effect in ([largest] if grid == 1 else [largest * step / (grid - 1) for step in range(grid)])
    ]
    return replicate(populations, rng, replications=int(params["replications"]), rows=int(params["rows"]))


def _dataset(name: str, summary: str, **options: Any) -> Dataset:
    needs = (f"{ENGINE}.replications", f"{ENGINE}.coverage")
    return Dataset(name, partial(replications, **options), summary, params=PARAMS, needs=needs)


BINARY = _dataset(
    "binary-exposure", "Small data sets: a binary exposure, normal covariates, a binary outcome.", binary=True
)
CONTINUOUS = _dataset(
    "continuous-exposure", "Small data sets: a normal exposure and covariates, a binary outcome.", binary=False
)
SEVERAL = _dataset(
    "odds-ratio-grid",
    f"As binary-exposure, with {GRID} true odds ratios from 1 to the largest, in equal steps of the logarithm.",
    binary=True,
    grid=GRID,
)


def label_noise(share: float) -> Scenario:
    """Misclassify outcomes of both kinds with probability `share`."""
    return _misclassified(f"label_noise({share:g})", share, share, f"{100 * share:g} % of the outcomes are flipped.")


def missed_events(share: float) -> Scenario:
    """Record each event as none with probability `share`."""
    return _misclassified(f"missed_events({share:g})", share, 0.0, f"{100 * share:g} % of the events are not recorded.")


def _misclassified(name: str, missed: float, false: float, summary: str) -> Scenario:
    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.logistic.engine.replications import misclassify

        return misclassify(data, rng, missed=missed, false=false)

    return Scenario(name, apply, summary)


def case_control(share: float) -> Scenario:
    """Sample rows by their outcome, so that a fixed share of them are events: a prior shift."""

    def apply(data: Replications, rng: Generator) -> Replications:
        from harness.topics.logistic.engine import replications

        return replications.case_control(data, rng, share)

    return Scenario(
        f"case_control({share:g})",
        apply,
        f"Rows are sampled by outcome: {100 * share:g} % of each data set are events.",
    )
