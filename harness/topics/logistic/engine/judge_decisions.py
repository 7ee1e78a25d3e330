"""The judge of decisions: what they cost, what they find, and what the probabilities behind them are worth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.data.tabular import Split
from harness.topics._shared import binary
from harness.topics.logistic.engine.costs import (
    OPERATING_POINTS,
    RECALLS,
    Flags,
    Floats,
    cost_curve,
    decision_curve,
    mean_cost,
    operating_points,
    precision_curve,
)


def judge_decisions(data: Split, probabilities: npt.ArrayLike, threshold: float, ratio: float) -> Judgement:
    """Judge what a strategy returned on the labels of the test rows.

    Parameters
    ----------
    probabilities
        Of class 1, shape (n_test,).
    threshold
        A row is flagged if its probability is at least this.
    ratio
        Cost of a missed event, in false alarms.

    Returns
    -------
    Judgement
        The metrics and curves of probabilities, those of decisions, and the numbers of cases of rates.

    Raises
    ------
    InvalidOutputError
        When the probabilities are not what `binary.judge` takes, or the threshold is not a number.
    UsageError
        When the test rows are of one class.
    """
    if math.isnan(threshold):
        raise InvalidOutputError("the threshold is not a number")
    judged = binary.judge(data, probabilities)
    labels = np.asarray(data.test.y, dtype=np.float64)
    scores = np.asarray(probabilities, dtype=np.float64)
    flagged = scores >= threshold
    cost = mean_cost(labels, flagged, ratio)
    metrics = {"expected_cost": cost, "cost_regret": cost - least_mean_cost(labels, scores, ratio)}
    rates, cases = _rates(labels, flagged)
    return replace(
        judged,
        metrics={**judged.metrics, **metrics, **rates},
        curves={**judged.curves, **_curves(labels, scores)},
        examples={**judged.examples, "expected_cost": Examples(np.where(labels == 1, ratio * ~flagged, flagged))},
        n=cases,
    )


def least_mean_cost(labels: Floats, scores: Floats, ratio: float) -> float:
    """Return the mean cost of the threshold that is best for these very rows."""
    _, hits, alarms = operating_points(labels, scores)
    return float((ratio * (hits[-1] - hits) + alarms).min() / labels.size)


def _rates(labels: Floats, flagged: Flags) -> tuple[dict[str, float], dict[str, int]]:
    """Return the rates of decisions with their numbers of cases, and F1; 0 of 0 is 0."""
    events, rows, chosen = int(labels.sum()), labels.size, int(flagged.sum())
    hits = int(labels[flagged].sum())
    rates = {
        "recall": (hits, events),
        "false_positive_rate": (chosen - hits, rows - events),
        "precision": (hits, chosen),
        "flagged": (chosen, rows),
    }
    shares = {name: count / of if of else 0.0 for name, (count, of) in rates.items()}
    return {**shares, "f1": 2 * hits / (events + chosen)}, {name: of for name, (_, of) in rates.items()}


def _curves(labels: Floats, scores: Floats) -> dict[str, Curve]:
    x = OPERATING_POINTS.tolist()
    return {
        "precision_recall": Curve(RECALLS.tolist(), precision_curve(labels, scores).tolist()),
        "cost": Curve(x, cost_curve(labels, scores).tolist()),
        "decision": Curve(x, decision_curve(labels, scores).tolist()),
        "trivial": Curve(x, np.minimum(OPERATING_POINTS, 1 - OPERATING_POINTS).tolist()),
    }
