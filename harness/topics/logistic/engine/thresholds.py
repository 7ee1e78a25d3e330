"""Ways to choose the threshold of a decision from scores and labels of a validation set.

Each looks at the thresholds that lie half way between scores that differ, as decision trees do: a threshold at a score
itself would be biased towards the rows that it was chosen on. Of equally good thresholds the highest is taken, which
flags the fewest rows.
"""

from __future__ import annotations

import math

import numpy as np

from harness.topics.logistic.engine.costs import Floats, operating_points


def youden(labels: Floats, scores: Floats) -> float:
    """Maximise the share of events that are flagged minus that of the other rows.

    Youden 1950, "Index for rating diagnostic tests".
    """
    thresholds, hits, alarms = operating_points(labels, scores)
    return _between(thresholds, int(np.argmax(hits / hits[-1] - alarms / alarms[-1])))


def best_f1(labels: Floats, scores: Floats) -> float:
    """Maximise F1, the harmonic mean of precision and recall: 2 hits / (events + flagged)."""
    thresholds, hits, alarms = operating_points(labels, scores)
    return _between(thresholds, int(np.argmax(2 * hits / (hits[-1] + hits + alarms))))


def least_cost(labels: Floats, scores: Floats, ratio: float) -> float:
    """Minimise the cost on the validation set, where a missed event costs `ratio` false alarms.

    Sheng & Ling 2006, "Thresholding for making classifiers cost-sensitive".
    """
    thresholds, hits, alarms = operating_points(labels, scores)
    return _between(thresholds, int(np.argmin(ratio * (hits[-1] - hits) + alarms)))


def recall_at_precision(labels: Floats, scores: Floats, precision: float) -> float:
    """Maximise recall among thresholds of at least a precision; if none has it, take the one with the highest."""
    thresholds, hits, alarms = operating_points(labels, scores)
    reached = hits[1:] / (hits[1:] + alarms[1:])
    allowed = np.flatnonzero(reached >= precision)
    if not allowed.size:
        return _between(thresholds, 1 + int(np.argmax(reached)))
    return _between(thresholds, 1 + int(allowed[np.argmax(hits[1:][allowed])]))


def _between(thresholds: Floats, at: int) -> float:
    """Return the middle between a threshold and the next lower score; at the ends, one that flags no row or all."""
    if at == 0:
        return math.inf
    return float((thresholds[at] + thresholds[at + 1]) / 2) if at + 1 < len(thresholds) else 0.0
