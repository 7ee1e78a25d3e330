"""Costs, cost curves and prior correction, against Bayes' rule, loops written from the papers, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.topics.logistic.engine.costs import (
    OPERATING_POINTS,
    RECALLS,
    Floats,
    corrected,
    cost_curve,
    decision_curve,
    estimated_rate,
    mean_cost,
    operating_points,
    precision_curve,
    theoretical_threshold,
)


def ranked(rows: int = 400, seed: int = 0, decimals: int = 2) -> tuple[Floats, Floats]:
    """Labels and scores with ties."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 4, rows).round(decimals)
    return (rng.random(rows) < scores**1.5).astype(float), scores


@pytest.mark.parametrize("ratio", [0.1, 1.0, 20.0])
def test_flagging_costs_the_same_at_the_theoretical_threshold(ratio: float) -> None:
    p = theoretical_threshold(ratio)
    assert 1 - p == pytest.approx(ratio * p)


def test_mean_cost_counts_both_errors() -> None:
    labels, flagged = np.array([1.0, 1, 0, 0, 0]), np.array([True, False, True, True, False])
    assert mean_cost(labels, flagged, 10.0) == pytest.approx((10 + 2) / 5)


@pytest.mark.parametrize(("fitted", "rate"), [(0.5, 0.05), (0.1, 0.4)])
def test_correction_is_bayes_rule(fitted: float, rate: float) -> None:
    # Events are normal around 1, the others around 0, with variance 1: the likelihood ratio is exp(x - 1/2).
    likelihood = np.exp(np.linspace(-3, 4, 15) - 0.5)

    def posterior(prior: float) -> Floats:
        return prior * likelihood / (prior * likelihood + 1 - prior)

    np.testing.assert_allclose(corrected(posterior(fitted), fitted, rate), posterior(rate))


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_the_rate_of_events_is_estimated_without_labels(rate: float) -> None:
    # Normal classes two standard deviations apart; probabilities are those of a rate of 0.1.
    rng = np.random.default_rng(0)
    x = rng.normal(size=50_000) + 2 * (rng.random(50_000) < rate)
    likelihood = np.exp(2 * x - 2)
    scores = 0.1 * likelihood / (0.1 * likelihood + 0.9)
    assert estimated_rate(scores, 0.1) == pytest.approx(rate, abs=0.01)
    # It is where the likelihood of the mixture is largest.
    rates = np.linspace(0.001, 0.999, 999)
    best = rates[np.argmax([np.log(r * likelihood + 1 - r).sum() for r in rates])]
    assert estimated_rate(scores, 0.1) == pytest.approx(best, abs=0.002)


def test_operating_points_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import roc_curve

    labels, scores = ranked()
    thresholds, hits, alarms = operating_points(labels, scores)
    false, true, expected = roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(thresholds, expected)
    np.testing.assert_allclose(hits, true * labels.sum())
    np.testing.assert_allclose(alarms, false * (1 - labels).sum())


def test_cost_curve_is_the_lower_envelope_of_all_thresholds() -> None:
    # Drummond & Holte 2006: each threshold is the line from its false positive rate at 0 to its miss rate at 1.
    labels, scores = ranked(120)
    lines = []
    for threshold in (*np.unique(scores), np.inf):
        flagged = scores >= threshold
        false = sum(flagged[labels == 0]) / sum(labels == 0)
        missed = sum(~flagged[labels == 1]) / sum(labels == 1)
        lines.append([false * (1 - x) + missed * x for x in OPERATING_POINTS])
    np.testing.assert_allclose(cost_curve(labels, scores), np.min(lines, axis=0), atol=1e-12)


@pytest.mark.parametrize("ratio", [0.5, 3.0, 19.0])
def test_decision_curve_is_the_normalised_cost_of_theoretical_decisions(
    ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, scores = ranked(decimals=6)
    rate = labels.mean()
    worst = rate * ratio + 1 - rate
    monkeypatch.setattr("harness.topics.logistic.engine.costs.OPERATING_POINTS", np.array([rate * ratio / worst]))
    cost = mean_cost(labels, scores >= theoretical_threshold(ratio), ratio) / worst
    assert decision_curve(labels, scores) == pytest.approx([cost])


def test_true_probabilities_reach_the_cost_curve_and_doubled_odds_do_not() -> None:
    rng = np.random.default_rng(1)
    truth = rng.beta(1, 4, 40_000)
    labels = (rng.random(40_000) < truth).astype(float)
    lowest = cost_curve(labels, truth)
    assert np.max(decision_curve(labels, truth) - lowest) < 0.01
    inflated = corrected(truth, 0.2, 0.8)  # odds times 16, as if classes had been made equal
    np.testing.assert_allclose(cost_curve(labels, inflated), lowest)
    assert np.max(decision_curve(labels, inflated) - lowest) > 0.1


def test_precision_curve_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_curve

    labels, scores = ranked()
    precision, recall, _ = precision_recall_curve(labels, scores)  # rising thresholds
    expected = [precision[np.flatnonzero(recall >= wanted - 1e-12)[-1]] for wanted in RECALLS]
    # The last point of scikit-learn, without flagged rows, is reached by no wanted recall.
    np.testing.assert_allclose(precision_curve(labels, scores), expected)


rows = st.lists(st.tuples(st.booleans(), st.sampled_from(np.linspace(0, 1, 11).tolist())), min_size=1, max_size=40)


@given(rows=rows)
@settings(deadline=None, max_examples=50)
def test_curves_keep_to_their_bounds(rows: list[tuple[bool, float]]) -> None:
    labels, scores = np.array([*rows, (True, 0.5), (False, 0.5)], dtype=float).T
    lowest, trusting = cost_curve(labels, scores), decision_curve(labels, scores)
    assert (lowest <= np.minimum(OPERATING_POINTS, 1 - OPERATING_POINTS) + 1e-12).all()
    assert (lowest <= trusting + 1e-12).all()
