"""What the tasks imbalance and threshold share: data with rare events, costs, and how decisions are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Chart, Dataset, Generator, InvalidOutputError, Judgement, Metric, Param, Scalar, Takes
from harness.data.tabular import Split
from harness.topics._shared.binary import FIGURES, METRICS, MORE_METRICS
from harness.topics.logistic.worlds import ENGINE, PARAMS, synthetic_logit

MODULES = (
    f"{ENGINE}.classifiers",
    f"{ENGINE}.costs",
    f"{ENGINE}.thresholds",
    "sklearn.linear_model",
    "sklearn.metrics",
)
BOOSTING = "sklearn.ensemble"
RESAMPLING = ("imblearn.over_sampling", "imblearn.under_sampling")


COST_RATIO = Param(20.0, low=0.001, high=1e6, summary="cost of a missed event, in false alarms")


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy returns: probabilities of class 1 for the test rows, and the threshold from which it flags a row.

    Attributes
    ----------
    probabilities
        Shape (n_test,).
    threshold
        A row is flagged if its probability is at least this; above 1, none is.
    """

    probabilities: npt.NDArray[np.float64]
    threshold: float


@dataclass(frozen=True, eq=False)
class Priced(Split):
    """Training and test rows with the cost of a missed event, in false alarms, by which the judge weighs decisions."""

    cost_ratio: float = 1.0


def price(data: Split, params: Mapping[str, Scalar], _rng: Generator) -> Priced:
    """Add the cost of a missed event."""
    return Priced(**vars(data), cost_ratio=float(params["cost_ratio"]))


def rare_logit(params: Mapping[str, Scalar], rng: Generator) -> Priced:
    """Draw training and test rows of a logistic model whose events are rare; see `engine.world.draw`."""
    return price(synthetic_logit(params, rng).split, params, rng)


def _check(params: Mapping[str, Scalar], rng: Generator) -> None:
    from harness.topics.logistic.engine.classifiers import check

    check(rare_logit(params, rng).train)


RARE_LOGIT = Dataset(
    "rare-logit",
    rare_logit,
    "Rows of the logistic model of synthetic-logit, with 5 % events.",
    params={
        **PARAMS,
        "cost_ratio": COST_RATIO,
        "columns": replace(PARAMS["columns"], default=20),
        "event_rate": replace(PARAMS["event_rate"], default=0.05),
    },
    needs=(f"{ENGINE}.world",),
    check=_check,
)

TABLES = Takes("table", targets=("binary",), prepare=price)

EXPECTED_COST = Metric(
    "expected_cost",
    direction="lower",
    unit="false alarms",
    margin=0.01,
    summary="Mean cost of the decisions for each row; a missed event costs cost_ratio, a false alarm 1.",
)
RECALL = Metric(
    "recall", direction="higher", unit="1", margin=0.01, summary="Share of the events that are flagged.", rate=True
)
FALSE_ALARMS = Metric(
    "false_positive_rate",
    direction="lower",
    unit="1",
    margin=0.01,
    summary="Share of the other rows that are flagged.",
    rate=True,
)
PRECISION = Metric(
    "precision",
    direction="higher",
    unit="1",
    margin=0.01,
    summary="Share of the flagged rows that are events; 0 of 0 where none is flagged.",
    rate=True,
)
FLAGGED = Metric(
    "flagged", direction="lower", unit="1", margin=0.01, summary="Share of the rows that are flagged.", rate=True
)
F1 = Metric(
    "f1", direction="higher", unit="1", margin=0.01, summary="Harmonic mean of precision and recall of the decisions."
)
REGRET = Metric(
    "cost_regret",
    direction="lower",
    unit="false alarms",
    margin=0.01,
    summary="Expected cost minus that of the best threshold for the same probabilities, known in hindsight.",
)
PROBABILITIES = (*METRICS, *MORE_METRICS)

CHARTS = (
    *FIGURES,
    Chart(
        "precision_recall",
        title="Precision and recall",
        x="recall",
        y="precision",
        reading="Precision at the highest threshold that reaches a recall. It falls with the rate of events.",
    ),
    Chart(
        "cost",
        title="Cost curve",
        x="probability-cost: share of missed events in the cost of flagging nothing and flagging everything",
        y="normalised expected cost",
        reading="The lowest cost that any threshold reaches, chosen on the test rows: what the order of rows is worth. "
        "Costs and rate of events vary along the axis.",
        limit="trivial",
        limit_title="flag nothing or everything",
    ),
    Chart(
        "decision",
        title="Cost of trusting the probabilities",
        x="probability-cost: share of missed events in the cost of flagging nothing and flagging everything",
        y="normalised expected cost",
        reading="The cost with the threshold that is right for true probabilities. What lies above the cost curve is "
        "lost to wrong ones.",
        limit="trivial",
        limit_title="flag nothing or everything",
    ),
)


def judge(data: Priced, output: Any) -> Judgement:
    """Judge probabilities and decisions.

    Raises
    ------
    InvalidOutputError
        When the output is not `Decisions`, or they cannot be judged.
    """
    from harness.topics.logistic.engine.judge_decisions import judge_decisions

    if not isinstance(output, Decisions):
        raise InvalidOutputError(f"expected Decisions(probabilities, threshold), not a {type(output).__name__}")
    return judge_decisions(data, output.probabilities, output.threshold, data.cost_ratio)
