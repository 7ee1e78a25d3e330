"""Data sets of all tasks: generated ones with known coefficients, and how they are parametrised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import Dataset, Generator, Param, Scalar

if TYPE_CHECKING:
    from harness.topics.logistic.engine.world import World

ENGINE = "harness.topics.logistic.engine"
TEST_ROWS = 10_000

PARAMS = {
    "rows": Param(1_000, low=20, high=1_000_000, summary="training rows"),
    "columns": Param(50, low=1, high=10_000, summary="features"),
    "support": Param(10, low=1, high=10_000, summary="features with an effect"),
    "correlation": Param(0.0, low=0.0, high=0.99, summary="correlation of neighbouring features"),
    "signal": Param(2.0, low=0.1, high=10.0, summary="standard deviation of the log odds"),
    "event_rate": Param(0.5, low=0.001, high=0.999, summary="expected share of class 1"),
}


def synthetic_logit(params: Mapping[str, Scalar], rng: Generator) -> World:
    """Draw data of a logistic model; see `engine.world.draw`."""
    from harness.topics.logistic.engine.world import draw

    columns = int(params["columns"])
    return draw(
        rng,
        rows=int(params["rows"]),
        test_rows=TEST_ROWS,
        columns=columns,
        support=min(int(params["support"]), columns),
        correlation=float(params["correlation"]),
        signal=float(params["signal"]),
        event_rate=float(params["event_rate"]),
    )


SYNTHETIC_LOGIT = Dataset(
    "synthetic-logit",
    synthetic_logit,
    "A logistic model with known coefficients, few of which are not zero.",
    params=PARAMS,
    needs=(f"{ENGINE}.world",),
)
