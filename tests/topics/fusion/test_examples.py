"""Division of examples into training and test, and the scenarios that change the training examples."""

from __future__ import annotations

import numpy as np
import pytest

from harness import Arrays, UsageError
from harness.topics.fusion.examples import Divided, holdout, only, prepare, split_at_random, visible

N = 400


def arrays(seed: int = 0) -> Arrays:
    """Examples in groups of 4; ids above 100 occur once."""
    rng = np.random.default_rng(seed)
    text = rng.integers(0, 100, (N, 5)).astype(np.uint16)
    text[:, 0] = 101 + np.arange(N)
    return Arrays(
        {
            "labels": rng.integers(0, 3, N).astype(np.uint8),
            "groups": np.arange(N) // 4,
            "text": text,
            "image": rng.integers(0, 255, (N, 16, 16, 3)).astype(np.uint8),
            "image_shifted": rng.integers(0, 255, (N, 16, 16, 3)).astype(np.uint8),
            "numbers": rng.normal(5, 3, (N, 2)),
        }
    )


def divided(rows: int = N, seed: int = 0) -> Divided:
    return prepare(arrays(), {"rows": rows, "tested": N}, np.random.default_rng(seed))


def test_groups_do_not_cross() -> None:
    data = divided()
    assert not set(data.train.groups) & set(data.test.groups)
    assert len(data.test) == N // 5
    assert len(data.train) + len(data.test) == N


def test_a_random_split_lets_groups_cross() -> None:
    data = divided()
    again = split_at_random(data, np.random.default_rng(1))
    assert (len(again.train), len(again.test)) == (len(data.train), len(data.test))
    assert len(set(again.train.groups) & set(again.test.groups)) > 10
    mean = again.train.modalities["numbers"].values.mean(axis=0)
    np.testing.assert_allclose(mean, 0, atol=1e-6)


def test_rows_limit_training_only() -> None:
    data = divided(rows=50)
    assert (len(data.train), len(data.test)) == (50, N // 5)


def test_fewer_test_examples_are_of_fewer_groups() -> None:
    data = prepare(arrays(), {"rows": N, "tested": 31}, np.random.default_rng(0))
    assert len(data.test) == 31
    assert data.overlap == 31 / (N - 31)
    assert not set(data.train.groups) & set(data.test.groups)
    assert len(data.train) >= N - 31 - max(np.bincount(data.train.groups))


def test_ids_that_training_lacks_are_removed_from_test() -> None:
    data = divided()
    seen = set(np.unique(data.train.modalities["text"].values)) | {0}
    assert set(np.unique(data.test.modalities["text"].values)) <= seen
    assert (data.test.modalities["text"].values[:, 0] == 0).all()
    assert (data.train.modalities["text"].values[:, 0] > 100).all()


def test_numbers_are_standardised_by_training_examples() -> None:
    values = divided().train.modalities["numbers"].values
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-6)


def test_strategies_see_no_classes_of_the_test() -> None:
    seen = visible(divided())
    assert len(seen.test.labels) == 0
    assert seen.whole is None
    assert not seen.shifted


def test_the_holdout_takes_whole_groups_of_training() -> None:
    data = divided()
    held = holdout(data, np.random.default_rng(0))
    assert not set(held.train.groups) & set(held.test.groups)
    assert set(held.train.groups) | set(held.test.groups) == set(data.train.groups)


def test_only_keeps_one_modality() -> None:
    alone = only(divided(), "image")
    assert list(alone.train.modalities) == list(alone.test.modalities) == ["image"]


def test_too_few_modalities_are_refused() -> None:
    some = Arrays({"labels": np.zeros(9, np.uint8), "text": np.ones((9, 2), np.uint8)})
    with pytest.raises(UsageError, match="two or more of text, links, image, numbers"):
        prepare(some, {"rows": 9, "tested": 9}, np.random.default_rng(0))
