"""What decisions cost, and the probabilities behind them: the theoretical threshold, cost curves, prior correction.

A missed event costs `ratio`, a false alarm 1, and a right decision nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Places of a cost curve: the share of the cost of flagging nothing in the costs of flagging nothing and everything.
OPERATING_POINTS: Floats = np.linspace(0.0, 1.0, 41)
RECALLS: Floats = np.linspace(0.05, 1.0, 20)
EM_STEPS, EM_TOLERANCE = 1_000, 1e-6


def theoretical_threshold(ratio: float) -> float:
    """Return the probability from which on flagging a row costs less than not flagging it.

    Elkan 2001 ("The foundations of cost-sensitive learning", equation 2): flagging costs 1 - p on average, not flagging
    costs `ratio` p.
    """
    return 1.0 / (1.0 + ratio)


def mean_cost(labels: Floats, flagged: Flags, ratio: float) -> float:
    """Return the mean cost of decisions, in false alarms for each row."""
    return float(np.mean(np.where(labels == 1, ratio * ~flagged, flagged)))


def corrected(scores: Floats, fitted: float, rate: float) -> Floats:
    """Correct probabilities of a model that was fitted on a set with another rate of events.

    The odds are multiplied by the ratio of the prior odds (King & Zeng 2001, "Logistic regression in rare events data",
    equation 7; Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"). It is exact if the events and the others were each drawn by chance, which SMOTE does
    not do.

    Parameters
    ----------
    fitted
        Rate of events that the model was fitted on, or that its weights imply.
    rate
        Rate of events in the data that the probabilities are for.
    """
    events = scores * (rate / fitted)
    corrected: Floats = events / (events + (1 - scores) * ((1 - rate) / (1 - fitted)))
    return corrected


def estimated_rate(scores: Floats, rate: float) -> float:
    """Estimate the rate of events in rows without labels from the probabilities of a model.

    Saerens et al. 2002: the rate that the corrected probabilities have on average, found by the EM algorithm, which
    maximises the likelihood of the rows. It supposes that only the rate has changed, and that the
    probabilities were right.

    Parameters
    ----------
    rate
        Rate of events in the data that the model was fitted on.
    """
    estimate = rate
    for _ in range(EM_STEPS):
        previous, estimate = estimate, float(corrected(scores, rate, estimate).mean())
        if abs(estimate - previous) <= EM_TOLERANCE * previous:
            break
    return min(max(estimate, np.finfo(np.float64).eps), 1 - EM_TOLERANCE)


def operating_points(labels: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Count what flagging the rows from a threshold on means, at every threshold that differs.

    Returns
    -------
    thresholds, hits, alarms
        Falling thresholds, from infinity to the lowest score; numbers of events and of other rows that are flagged.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, events = scores[order], labels[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), scores.size - 1)  # equal scores are flagged together
    hits = np.cumsum(events)[last]
    return (
        np.append(np.inf, ranked[last]),
        np.append(0.0, hits),
        np.append(0.0, last + 1 - hits),
    )


def cost_curve(labels: Floats, scores: Floats) -> Floats:
    """Return the lowest normalised cost that any threshold reaches at each of `OPERATING_POINTS`.

    Drummond & Holte 2006 ("Cost curves: an improved method for visualizing classifier performance", Machine Learning
    65): at the place x, a threshold costs x times its share of missed events plus 1 - x times its share of false
    alarms. The lower envelope chooses the threshold on the same rows, so it is optimistic; it depends on the order of
    scores alone.
    """
    _, hits, alarms = operating_points(labels, scores)
    missed, false = 1 - hits / hits[-1], alarms / alarms[-1]
    x = OPERATING_POINTS[:, None]
    lowest: Floats = (x * missed + (1 - x) * false).min(axis=1)
    return lowest


def decision_curve(labels: Floats, scores: Floats) -> Floats:
    """Return the normalised cost of deciding by the theoretical threshold at each of `OPERATING_POINTS`.

    The scores count as probabilities, so what this curve lies above `cost_curve` is the price of wrong ones. It is a
    Brier curve (Hernández-Orallo, Flach & Ferri 2011, "Brier curves: a new cost-based visualisation of classifier
    performance") over the axis of a cost curve. The ratio of costs behind a place follows from the rate of events.
    """
    rate = labels.mean()
    x = OPERATING_POINTS
    # The place is rate * ratio / (rate * ratio + 1 - rate), so the threshold 1 / (1 + ratio) is:
    thresholds = rate * (1 - x) / (rate * (1 - x) + x * (1 - rate))
    flagged = scores >= thresholds[:, None]
    missed = np.mean(~flagged[:, labels == 1], axis=1)
    false = np.mean(flagged[:, labels == 0], axis=1)
    cost: Floats = x * missed + (1 - x) * false
    return cost


def precision_curve(labels: Floats, scores: Floats) -> Floats:
    """Return the precision of the highest threshold that reaches each of `RECALLS`."""
    _, hits, alarms = operating_points(labels, scores)
    recall = hits[1:] / hits[-1]
    at = np.searchsorted(recall, RECALLS - 1e-12)
    precision: Floats = (hits[1:] / (hits[1:] + alarms[1:]))[at]
    return precision
