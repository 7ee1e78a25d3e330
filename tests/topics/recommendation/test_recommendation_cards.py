"""Interactions of cards: repeated pairs, weights and features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from topics.recommendation.feedback_of import interactions

from harness import UsageError
from harness.topics.recommendation.engine import cards


def test_repeated_pairs_become_one_with_the_sum_of_weights_and_the_first_time() -> None:
    data = interactions([(0, 1), (1, 0), (0, 1), (0, 0)], time=[5, 1, 2, 3], weights=[1, 2, 4, 8])
    made = cards.merged(data)
    assert made.time is not None
    assert made.weights is not None
    rows = zip(made.users, made.items, made.time, made.weights, strict=True)
    assert sorted(tuple(map(int, row)) for row in rows) == [(0, 0, 3, 8), (0, 1, 2, 5), (1, 0, 1, 2)]


def test_without_weights_repetitions_are_counted() -> None:
    made = cards.merged(interactions([(0, 1), (0, 1), (0, 0)]))
    assert made.weights is not None
    assert dict(zip(made.items.tolist(), made.weights.tolist(), strict=True)) == {0: 1, 1: 2}


def test_what_does_not_repeat_is_left_as_it_is() -> None:
    data = interactions([(0, 1), (1, 0)])
    assert cards.merged(data) is data


def test_weights_that_are_not_positive_are_refused() -> None:
    data = interactions([(0, 0), (0, 1), (1, 1)], weights=[1, 2, 0.5])
    cards.check(data)
    for weight in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(UsageError, match=r"1 interactions have a weight that is not above 0, .* user 0 and item 1"):
            cards.check(replace(data, weights=np.array([1, weight, 1])))


def test_features_are_a_matrix_with_a_column_for_each_name() -> None:
    data = replace(interactions([(0, 0), (0, 2)]), item_features=(("b", "a", "b"), (), ("b",)))
    made = cards.features(data)
    assert made is not None
    np.testing.assert_array_equal(made.toarray(), [[1, 1], [0, 0], [0, 1]])
    assert cards.features(interactions([(0, 0)])) is None
