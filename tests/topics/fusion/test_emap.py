"""The additive projection of a model, against loops, least squares and models whose interaction is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from topics.fusion.three_modalities import CLASSES, made

from harness.topics.fusion.engine.emap import PAIRED, Recombined, diagonal, projected, recombined, sampled
from harness.topics.fusion.missing import task

Floats = npt.NDArray[np.float64]


def softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    made_: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return made_


def pairs(n: int, classes: int, seed: int) -> Floats:
    """Draw scores of all pairs, shape (n, n, classes): those of text i with the other modalities of j."""
    return np.random.default_rng(seed).normal(scale=3, size=(n, n, classes))


def test_projection_is_that_of_a_loop_over_pairs() -> None:
    n, classes = 7, 4
    scores = pairs(n, classes, seed=1)
    additive = np.zeros((n, classes))
    for i in range(n):
        for c in range(classes):
            text = sum(scores[i, j, c] for j in range(n)) / n
            rest = sum(scores[j, i, c] for j in range(n)) / n
            overall = sum(scores[j, k, c] for j in range(n) for k in range(n)) / n**2
            additive[i, c] = text + rest - overall
    found = projected(softmax(scores).reshape(n * n, classes))
    # The scores are the logarithms of the probabilities: the number by which they differ goes away in the softmax.
    assert found == pytest.approx(softmax(additive), rel=1e-9)


def test_projection_is_the_least_squares_fit_of_a_sum() -> None:
    n = 6
    scores = pairs(n, 2, seed=2)
    i, j = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    design = np.hstack([np.eye(n)[i], np.eye(n)[j]])
    fit = design @ np.linalg.lstsq(design, scores.reshape(n * n, 2), rcond=None)[0]
    assert projected(softmax(scores).reshape(n * n, 2)) == pytest.approx(softmax(fit)[diagonal(n * n)], rel=1e-9)


@given(st.integers(1, 9), st.integers(2, 5), st.integers(0, 10_000))
def test_an_additive_model_equals_its_projection(n: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    text, rest = rng.normal(size=(n, 1, classes)), rng.normal(size=(1, n, classes))
    probabilities = softmax(text + rest).reshape(n * n, classes)
    assert projected(probabilities) == pytest.approx(probabilities[diagonal(n * n)], rel=1e-9)


def test_nothing_is_left_of_an_exclusive_or() -> None:
    text, rest = np.array([0, 0, 1, 1] * 5), np.array([0, 1, 0, 1] * 5)
    side = 2.0 * (text[:, None] ^ rest[None]) - 1
    scores = np.stack([-5 * side, 5 * side], axis=-1)
    assert projected(softmax(scores).reshape(-1, 2)) == pytest.approx(np.full((20, 2), 0.5))


def test_a_probability_of_zero_is_projected() -> None:
    certain = np.eye(3)[[0, 1, 2, 0]]
    assert projected(certain).sum(axis=1) == pytest.approx(np.ones(2))
    assert np.isfinite(projected(certain)).all()


def test_pairs_have_the_first_modality_of_one_example_and_the_others_of_another() -> None:
    data = made(test=9)
    found = recombined(data)
    assert isinstance(found, Recombined)
    assert len(found.test) == 81
    for i, j in ((0, 0), (2, 5), (8, 1)):
        pair = found.test.take(slice(9 * i + j, 9 * i + j + 1))
        assert (pair.modalities["text"].values[0] == data.test.modalities["text"].values[i]).all()
        for name in ("image", "numbers"):
            assert (pair.modalities[name].values[0] == data.test.modalities[name].values[j]).all()
    assert (found.test.labels[diagonal(81)] == data.test.labels).all()
    assert found.train is data.train


def test_so_many_examples_are_paired() -> None:
    data = made(test=PAIRED + 10)
    assert len(sampled(data).test) == PAIRED
    assert (sampled(data).test.labels == data.test.labels[:PAIRED]).all()
    assert len(recombined(data).test) == PAIRED**2


def test_the_task_judges_the_projection() -> None:
    data = recombined(made(test=12))
    scores = np.random.default_rng(3).normal(size=(12, 12, CLASSES))
    additive = scores.mean(axis=1) + scores.mean(axis=0) - scores.mean(axis=(0, 1))
    judged = task.judge(data, softmax(scores).reshape(144, CLASSES))
    labels = made(test=12).test.labels
    assert judged.metrics["accuracy"] == (additive.argmax(axis=1) == labels).mean()
    assert judged.metrics["log_loss"] == pytest.approx(-np.log(softmax(additive))[np.arange(12), labels].mean())
    assert judged.n == {"accuracy": 12}
