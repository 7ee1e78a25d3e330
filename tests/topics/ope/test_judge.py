"""The judges on outputs made by hand."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from harness.errors import InvalidOutputError
from harness.topics.ope.engine import judge
from harness.topics.ope.engine.worlds import Population, Replications


def data(replications: int = 4, values: tuple[float, ...] = (0.5,)) -> Replications:
    """Make a world of one context in which candidate i earns values[i]: two actions that pay 1 and 0."""
    targets = np.array([[[value, 1 - value]] for value in values])
    world = Population(np.zeros((1, 1)), np.array([[1.0, 0.0]]), np.array([[0.25, 0.75]]), targets, rounds=10)
    return Replications((world,), replications, 0)


def test_value_is_judged_by_its_errors() -> None:
    judged = judge.value(data(), [0.5, 0.7, 0.4, 0.6])
    errors = np.array([0.0, 0.2, -0.1, 0.1])
    assert judged.metrics["mse"] == pytest.approx((errors**2).mean())
    assert judged.metrics["bias"] == pytest.approx(0.05)
    assert judged.metrics["variance"] == pytest.approx(errors.var())
    assert judged.metrics["mse"] == pytest.approx(judged.metrics["bias"] ** 2 + judged.metrics["variance"])
    assert judged.metrics["relative_error"] == pytest.approx(0.2)
    assert judged.metrics["relative_error_tail"] == pytest.approx(0.4)  # a tenth of four logs is one
    # Weights are 2 with probability 0.25 and 2 / 3 else: E[w^2] = 4 / 3.
    assert judged.metrics["effective_sample_size"] == pytest.approx(0.75)
    assert judged.metrics["support_violations"] == 0


def test_the_tail_is_the_mean_of_the_worst_tenth() -> None:
    estimates = 0.5 + np.arange(40) / 100
    assert judge.value(data(40), estimates).metrics["relative_error_tail"] == pytest.approx(2 * (0.36 + 0.39) / 2)


def test_examples_have_the_metric_as_their_mean() -> None:
    found = [
        judge.value(data(), [0.5, 0.7, 0.4, 0.6]),
        judge.interval(data(), [[0.4, 0.6], [0.6, 0.8], [0.1, 0.3], [0.5, 0.5]]),
        judge.selection(data(2, (0.2, 0.5, 0.4)), [[0.0, 0.1, 0.2], [0.1, 0.3, 0.2]]),
    ]
    for judged in found:
        assert judged.examples
        for name, examples in judged.examples.items():
            assert judged.metrics[name] == pytest.approx(examples.values.mean())


def test_errors_are_drawn_as_quantiles() -> None:
    curve = judge.value(data(), [0.5, 0.7, 0.4, 0.6]).curves["errors"]
    assert (curve.x[0], curve.x[-1]) == (0, 1)
    assert curve.y[0] == pytest.approx(0)
    assert curve.y[-1] == pytest.approx(0.4)


def test_intervals_are_judged_by_what_they_hold() -> None:
    judged = judge.interval(data(), [[0.4, 0.6], [0.6, 0.8], [0.1, 0.3], [0.5, 0.5]])
    assert judged.metrics["coverage_error"] == pytest.approx(0.95 - 0.5)
    assert judged.metrics["width"] == pytest.approx(0.15)
    assert judged.metrics["interval_score"] == pytest.approx(0.15 + 40 * (0.1 + 0.2) / 4)


def test_covering_more_is_no_error() -> None:
    assert judge.interval(data(), [[0.0, 1.0]] * 4).metrics["coverage_error"] == 0


def test_selection_is_judged_by_ranks_and_regret() -> None:
    judged = judge.selection(data(3, (0.2, 0.5, 0.4)), [[1, 3, 2], [3, 1, 2], [0, 0, 0]])
    assert judged.metrics["rank_correlation"] == pytest.approx((1 - 1 + 0) / 3)
    assert judged.metrics["regret"] == pytest.approx((0.0 + 0.3 + 0.3) / 3)


WRONG: list[tuple[str, Any, str]] = [
    ("value", [0.5, 0.5], r"expected estimates of shape \(4,\), not \(2,\)"),
    ("value", [0.5, np.nan, 0.5, np.inf], "2 of 4 estimates are not finite"),
    ("value", [0.5, [0.5], 0.5, 0.5], "not a list"),
    ("value", "many", "not a str"),
    ("value", None, "expected estimates"),
    ("interval", [0.5] * 4, r"expected intervals of shape \(4, 2\), not \(4,\)"),
    (
        "interval",
        [[0, 1], [0, 1], [0.75, 0.25], [0, 1]],
        "the interval of replication 2 ends at 0.25, before its start",
    ),
    ("interval", [[0, np.inf]] * 4, "4 of 8 intervals are not finite"),
    ("selection", [0.5] * 4, r"expected estimates of shape \(4, 1\)"),
]


@pytest.mark.parametrize(("name", "output", "sentence"), WRONG)
def test_wrong_outputs_are_refused(name: str, output: Any, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=sentence):
        getattr(judge, name)(data(), output)
