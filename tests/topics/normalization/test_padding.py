"""Padding changes no prediction, no statistic and no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from harness.topics._shared.deep import seeded
from harness.topics.normalization.engine import sentences
from harness.topics.normalization.engine.norms import TokenBatchNorm
from harness.topics.normalization.engine.transformer import Transformer
from harness.topics.normalization.recipes import RECIPES, Recipe

WIDTH = 8


def model(recipe: Recipe) -> Any:
    seeded(0)
    return Transformer(recipe, tokens=20, length=6, scores=3, width=WIDTH, heads=2, layers=1, pooled=True)


def padded(rows: list[list[int]], length: int) -> Any:
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def test_batch_norm_is_torchs_on_the_tokens_that_are_no_padding() -> None:
    seeded(0)
    x = torch.randn(3, 4, WIDTH)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]) == 1
    ours: Any = TokenBatchNorm(WIDTH)
    theirs: Any = torch.nn.BatchNorm1d(WIDTH)
    out, wanted = ours(x, mask), theirs(x[mask])
    assert torch.equal(out[mask], wanted)
    assert not out[~mask].any()
    assert torch.equal(ours.running_mean, theirs.running_mean)
    assert torch.equal(ours.running_var, theirs.running_var)


def test_without_padding_a_mask_changes_nothing() -> None:
    x = torch.randn(3, 4, WIDTH)
    mask = torch.ones(3, 4, dtype=torch.bool)
    torch.testing.assert_close(TokenBatchNorm(WIDTH)(x, mask), TokenBatchNorm(WIDTH)(x))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_padding_changes_no_prediction_statistic_or_gradient(recipe: Recipe) -> None:
    rows = [[3, 4, 5], [6, 7], [8]]
    left = []
    for length in (3, 6):
        network = model(recipe)
        scores = network(padded(rows, length))
        scores.square().sum().backward()
        gradients = [parameter.grad for parameter in network.parameters()]
        statistics = [part.running_var for part in network.modules() if isinstance(part, TokenBatchNorm)]
        network.eval()
        left.append([scores, network(padded(rows, length)), *statistics, *gradients])
    for short, long in zip(*left, strict=True):
        torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["pre-bn", "post-bn", "pre-ln"])
def test_in_evaluation_a_sentence_is_predicted_alone(name: str) -> None:
    network = model(next(recipe for recipe in RECIPES if recipe.name == name))
    for _ in range(3):
        network(torch.randint(1, 20, (5, 6)))
    ids = np.array([[3, 4, 5, 0, 0, 0], [6, 7, 0, 0, 0, 0], [8, 9, 10, 11, 12, 13]], np.int32)
    together = sentences.predict(network, ids, "cpu")
    alone = np.concatenate([sentences.predict(network, ids[row : row + 1], "cpu") for row in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1)


def test_in_training_mode_batch_norm_looks_at_the_batch() -> None:
    network = model(next(recipe for recipe in RECIPES if recipe.name == "pre-bn"))
    ids = np.array([[3, 4, 5, 0, 0, 0], [6, 7, 0, 0, 0, 0], [8, 9, 10, 11, 12, 13]], np.int32)
    together, pair = (sentences.predict(network, ids, "cpu", size=size, training=True) for size in (3, 2))
    assert np.abs(together - pair).max() > 0.01


def test_batches_go_through_all_sentences_before_any_comes_again() -> None:
    ids = np.zeros((10, 4), np.int32)
    ids[:, 0] = np.arange(1, 11)
    ids[3, 1] = 5
    labels = np.arange(10)
    drawn = sentences.batches(ids, labels, 4, 0, "cpu")
    pairs = [next(drawn) for _ in range(5)]
    seen = torch.cat([classes for _, classes in pairs]).tolist()
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    for inputs, classes in pairs:
        assert inputs[:, 0].tolist() == (classes + 1).tolist()
        assert inputs.shape == (4, 2 if 3 in classes else 1)
    again = next(sentences.batches(ids, labels, 4, 0, "cpu"))[1]
    assert torch.equal(again, pairs[0][1])


def test_saved_bytes_grow_with_the_batch() -> None:
    network = model(RECIPES[0])
    ids = np.full((8, 6), 3, np.int32)
    labels = np.zeros(8, np.int64)
    few, many = (sentences.saved_bytes(network, ids[:size], labels[:size], "cpu") for size in (4, 8))
    assert many == pytest.approx(2 * few, rel=0.02)
