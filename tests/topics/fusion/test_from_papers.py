"""Losses, measures and fusions against plain numpy, written from the papers."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from topics.fusion import from_papers as papers
from topics.fusion.from_papers import Array

close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12)
ROWS, CLASSES = 7, 4


@pytest.fixture
def torch() -> Any:
    """The library, where it is installed."""
    return pytest.importorskip("torch")


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers in each test."""
    return np.random.default_rng(0)


@pytest.fixture
def scores(rng: np.random.Generator) -> Array:
    """Class scores of a few rows."""
    return rng.normal(scale=3.0, size=(ROWS, CLASSES))


@pytest.fixture
def labels(rng: np.random.Generator) -> papers.Labels:
    """Classes of a few rows, of which none is missing."""
    return np.concatenate([np.arange(CLASSES), rng.integers(0, CLASSES, ROWS - CLASSES)])


# What must hold among the formulas themselves.


def test_emap_is_the_nearest_additive_model(rng: np.random.Generator) -> None:
    interacting = rng.normal(size=(5, 5, 3))
    close(papers.emap(interacting), papers.additive_fit(interacting))


def test_emap_keeps_an_additive_model_and_flattens_a_product(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 6, 2))
    additive = first[:, None] + second
    close(papers.emap(additive), first + second)
    signs = np.array([1.0, -1.0, 1.0, -1.0])
    close(papers.emap((signs[:, None] * signs)[..., None]), 0.0)


def test_low_rank_fusion_is_tensor_fusion_with_factorised_weights(rng: np.random.Generator) -> None:
    features = [rng.normal(size=(ROWS, width)) for width in (2, 3, 4)]
    factors = [rng.normal(size=(5, width + 1, CLASSES)) for width in (2, 3, 4)]
    full = papers.tensor_fusion(features) @ papers.low_rank_weights(factors)
    close(papers.low_rank_fusion(features, factors), full)


def test_two_gates_that_sum_to_one_are_the_bimodal_unit(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))
    weights = rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
    gate = rng.normal(size=(5, 4))
    many = papers.gated_multimodal([first, second], weights, [gate, -gate])
    close(many, papers.gated_bimodal(first, second, weights, gate))


def test_an_additive_score_gets_three_of_the_four_cells_of_xor_and_its_best_likelihood_is_chance() -> None:
    """What `late fusion is at chance on XOR` may and may not mean."""
    cells = np.array(list(product([0, 1], repeat=2)))
    truth = cells[:, 0] ^ cells[:, 1]
    grid = np.linspace(-3, 3, 13)
    logits = np.array([[f[a] + g[b] for a, b in cells] for f in product(grid, grid) for g in product([0.0], grid)])
    assert ((logits > 0) == truth).mean(1).max() == 0.75
    losses = np.logaddexp(0, np.where(truth == 1, -logits, logits)).mean(1)
    np.testing.assert_allclose(losses.min(), np.log(2))
    np.testing.assert_allclose(logits[losses.argmin()], 0.0)


# The project's losses and measures.


def test_focal_loss(torch: Any, scores: Array, labels: papers.Labels) -> None:
    from harness.topics.fusion.engine import losses

    for gamma in (0.0, 1.0, 2.0, 5.0):
        value = losses.focal(gamma)(torch.from_numpy(scores), torch.from_numpy(labels)).item()
        close(value, papers.focal(scores, labels, gamma).mean())


def test_smoothed_labels(torch: Any, scores: Array, labels: papers.Labels) -> None:
    from harness.topics.fusion.engine import losses

    value = losses.smoothed(0.1)(torch.from_numpy(scores), torch.from_numpy(labels)).item()
    close(value, papers.smoothed(scores, labels, 0.1).mean())


def test_weighted_cross_entropy(torch: Any, scores: Array, labels: papers.Labels) -> None:
    from harness.topics.fusion.engine import losses

    weights = losses.class_weights(labels, CLASSES)
    close(weights, papers.balanced_weights(labels, CLASSES))
    value = losses.weighted(weights)(torch.from_numpy(scores), torch.from_numpy(labels)).item()
    expected = np.average(papers.cross_entropy(scores, labels), weights=weights[labels])
    close(value, expected)


def test_info_nce(torch: Any, rng: np.random.Generator) -> None:
    from harness.topics.fusion.engine.alignment import info_nce

    first, second = rng.normal(size=(2, 6, 5))
    for temperature in (0.07, 1.0):
        value = info_nce(torch.from_numpy(first), torch.from_numpy(second), temperature).item()
        close(value, papers.info_nce(first, second, temperature))


def test_recall_without_ties(torch: Any, rng: np.random.Generator) -> None:
    from harness.topics.fusion.engine import retrieval

    similar = rng.normal(size=(30, 30))
    places = retrieval.places(similar)
    for k in (1, 5, 30):
        np.testing.assert_allclose(retrieval.recall(*places, k).mean(), papers.recall_at(similar, k))


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("count", [2, 3])
def test_dropped_modalities_are_moddrop_where_an_example_that_would_lose_all_keeps_all(
    torch: Any, rng: np.random.Generator, share: float, count: int
) -> None:
    from harness.topics.fusion.engine.fitting import _dropped

    n = 40_000
    present = {f"modality {i}": torch.ones(n, dtype=torch.bool) for i in range(count)}
    kept = np.stack([each.numpy() for each in _dropped(present, share, rng).values()], axis=1)
    expected = papers.dropped(share, count)
    expected[(True,) * count] += expected.pop((False,) * count)
    found = {sets: (kept == sets).all(1).mean() for sets in expected}
    assert sum(found.values()) == 1.0
    for sets, chance in expected.items():
        assert abs(found[sets] - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n), sets


def test_the_judge_of_several_classes(scores: Array, labels: papers.Labels) -> None:
    from harness.topics._shared.multiclass import judge

    log_probabilities = papers.log_softmax(scores)
    metrics = judge(labels, CLASSES, np.exp(log_probabilities)).metrics
    chosen = scores.argmax(1)
    hits = [((chosen == c) & (labels == c)).sum() for c in range(CLASSES)]
    sizes = [(chosen == c).sum() + (labels == c).sum() for c in range(CLASSES)]
    np.testing.assert_allclose(metrics["accuracy"], (chosen == labels).mean())
    np.testing.assert_allclose(metrics["macro_f1"], np.mean(2 * np.array(hits) / sizes))
    close(metrics["log_loss"], papers.cross_entropy(scores, labels).mean())


def test_the_additive_projection_of_predictions(rng: np.random.Generator) -> None:
    from harness.topics.fusion.engine.emap import projected

    logs = papers.log_softmax(rng.normal(size=(6, 6, CLASSES)))
    found = projected(np.exp(logs).reshape(36, CLASSES))
    close(found, np.exp(papers.log_softmax(papers.additive_fit(logs))))


def test_the_projection_leaves_a_product_of_probabilities_as_it_is(rng: np.random.Generator) -> None:
    from harness.topics.fusion.engine.emap import projected

    first, second = np.exp(papers.log_softmax(rng.normal(size=(2, 6, CLASSES))))
    pairs = [papers.product_of([one[None], other[None]])[0] for one, other in product(first, second)]
    close(projected(np.array(pairs)), papers.product_of([first, second]))
