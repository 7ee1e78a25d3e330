"""InfoNCE, retrieval, and the tasks alignment and few-labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch
from topics.fusion.two_modalities import arrays
from unmeasured import unmeasured

from harness.declare import Problem
from harness.errors import DivergedError, InvalidOutputError
from harness.topics.fusion import alignment, few_labels
from harness.topics.fusion.classification import task as classification
from harness.topics.fusion.engine import alignment as engine
from harness.topics.fusion.engine import retrieval
from harness.topics.fusion.engine.fitting import Budget, fit, predict, tensors
from harness.topics.fusion.engine.networks import Concatenation, parameters_of_concatenation
from harness.topics.fusion.examples import Divided, visible

PARAMS = {"rows": 300, "candidates": 40, "labelled": 1.0, "tested": 80}
RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(2, 7, 3))


def _pairs() -> alignment.Pairs:
    return alignment.pairs(arrays(), PARAMS, np.random.default_rng(1))


def _few(labelled: float = 1.0) -> Divided:
    return few_labels.few(arrays(), {**PARAMS, "labelled": labelled}, np.random.default_rng(1))


# InfoNCE ----------------------------------------------------------------------------------------------------------


def _info_nce(first: Any, second: Any, temperature: float) -> float:
    cosines = (first / np.linalg.norm(first, axis=1)[:, None]) @ (second / np.linalg.norm(second, axis=1)[:, None]).T
    powers = np.exp(cosines / temperature)
    own = np.diag(powers)
    return float(-0.5 * (np.log(own / powers.sum(axis=0)) + np.log(own / powers.sum(axis=1))).mean())


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_info_nce_is_its_formula_and_its_gradient(temperature: float) -> None:
    first = torch.tensor(FIRST, requires_grad=True)
    loss = engine.info_nce(first, torch.tensor(SECOND), temperature)
    assert loss.item() == pytest.approx(_info_nce(FIRST, SECOND, temperature), rel=1e-12)
    loss.backward()
    assert first.grad is not None
    step = np.zeros_like(FIRST)
    step[2, 1] = 1e-6
    slope = (_info_nce(FIRST + step, SECOND, temperature) - _info_nce(FIRST - step, SECOND, temperature)) / 2e-6
    assert first.grad[2, 1] == pytest.approx(slope, rel=1e-6)


def test_info_nce_of_equal_vectors_is_log_n_and_of_orthogonal_pairs_its_closed_form() -> None:
    assert engine.info_nce(torch.ones(8, 3), torch.ones(8, 3), 0.1).item() == pytest.approx(np.log(8), rel=1e-6)
    own = torch.eye(4, dtype=torch.float64)
    assert engine.info_nce(own, own, 0.5).item() == pytest.approx(np.log(1 + 3 * np.exp(-2)), rel=1e-12)


def test_info_nce_ignores_lengths_and_order_of_the_pairs() -> None:
    before = engine.info_nce(torch.tensor(FIRST), torch.tensor(SECOND), 0.2)
    order = RNG.permutation(7)
    after = engine.info_nce(torch.tensor(3 * FIRST[order]), torch.tensor(SECOND[order]), 0.2)
    assert after.item() == pytest.approx(before.item(), rel=1e-12)


# Retrieval --------------------------------------------------------------------------------------------------------


def test_recall_and_reciprocal_rank_by_hand_with_a_tie() -> None:
    scores = np.array(
        [
            [0.9, 0.1, 0.2, 0.3],  # first of four
            [0.8, 0.5, 0.5, 0.1],  # second or third: one is before, one ties
            [0.3, 0.9, 0.2, 0.8],  # fourth
            [0.1, 0.1, 0.1, 0.1],  # anywhere
        ]
    )
    before, tied = retrieval.places(scores)
    assert before.tolist() == [0, 1, 3, 0]
    assert tied.tolist() == [0, 1, 0, 3]
    assert retrieval.recall(before, tied, 1).tolist() == [1, 0, 0, 0.25]
    assert retrieval.recall(before, tied, 2).tolist() == [1, 0.5, 0, 0.5]
    assert retrieval.recall(before, tied, 4).tolist() == [1, 1, 1, 1]
    expected = [1, (1 / 2 + 1 / 3) / 2, 1 / 4, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4]
    assert retrieval.reciprocal_rank(before, tied) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 2**31))
def test_ties_count_as_the_mean_over_random_orders(count: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (count, count)).astype(np.float64)
    before, tied = retrieval.places(scores)
    ranks = []
    for _ in range(400):
        broken = scores + rng.uniform(0, 0.5, scores.shape)
        ranks.append(1 + (broken > np.diag(broken)[:, None]).sum(axis=1))
    assert (1 / np.array(ranks)).mean() == pytest.approx(retrieval.reciprocal_rank(before, tied).mean(), abs=0.05)
    assert (np.array(ranks) <= 2).mean() == pytest.approx(retrieval.recall(before, tied, 2).mean(), abs=0.05)


def test_equal_vectors_are_at_chance_and_single_precision_breaks_no_tie() -> None:
    data = _pairs()
    found = alignment.judge(data, (np.ones((40, 3)), np.ones((40, 3)))).metrics
    assert found["recall_5_forward"] == pytest.approx(5 / 40)
    assert found["mrr"] == pytest.approx(np.mean(1 / np.arange(1, 41)))
    assert alignment.guess(data) == pytest.approx(found)
    nearly = np.ones((40, 3)) + 1e-7 * RNG.normal(size=(40, 3))
    assert alignment.judge(data, (nearly, np.ones((40, 3)))).metrics == pytest.approx(found)


def test_zeros_are_no_neighbour_of_anything() -> None:
    assert retrieval.similarities(np.zeros((1, 2)), np.eye(2)).tolist() == [[0, 0]]


# The task alignment -----------------------------------------------------------------------------------------------


def test_the_order_that_strategies_see_says_nothing_of_the_pairs_and_the_judge_undoes_it() -> None:
    data = _pairs()
    seen = alignment.view(data)
    assert list(seen.test.modalities) == ["text", "numbers"]
    assert not len(seen.test.labels)
    assert not len(seen.test.groups)
    truth = np.eye(40)
    assert alignment.judge(data, (truth, truth[data.order])).metrics["recall_1_back"] == 1
    assert alignment.judge(data, (truth, truth)).metrics["recall_1_forward"] < 0.2
    shown = data.data.test.modalities["numbers"].values[data.order]
    np.testing.assert_array_equal(seen.test.modalities["numbers"].values, shown)


def test_recall_of_both_directions_is_told_apart() -> None:
    data = _pairs()
    # All first vectors are near one second vector: the way back finds, the way forward does not.
    first = np.eye(40) + 0.0
    second = np.eye(40)
    second[:, 0] += 5.0
    found = alignment.judge(data, (first, second[data.order])).metrics
    cosines = second / np.linalg.norm(second, axis=1)[:, None]
    forward = np.argmax(cosines.T, axis=1) == np.arange(40)  # rows of the identity are the queries
    assert found["recall_1_forward"] == pytest.approx(forward.mean())
    assert found["recall_1_forward"] != found["recall_1_back"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.ones(3), "two arrays"),
        ((np.ones((40, 3)), np.ones((39, 3))), "40 vectors of equal length"),
        ((np.full((40, 3), np.nan), np.ones((40, 3))), "not finite"),
    ],
)
def test_other_outputs_are_refused(output: Any, message: str) -> None:
    with pytest.raises(InvalidOutputError, match=message):
        alignment.judge(_pairs(), output)


def _mrr(name: str, **options: Any) -> float:
    data = _pairs()
    run = alignment.task.strategies[name].run
    output = run(Problem(alignment.view(data), {"threads": 1}, seed=2), unmeasured, **options)
    return alignment.judge(data, output).metrics["mrr"]


def test_pairs_retrieve_and_shuffled_pairs_are_at_chance() -> None:
    chance = float(np.mean(1 / np.arange(1, 41)))
    of_class, paired = (_mrr(name, epochs=12) for name in ("shuffled-in-class", "paired"))
    assert _mrr("shuffled", epochs=12) == pytest.approx(chance, abs=0.06)
    assert chance + 0.06 < of_class < paired - 0.1
    assert paired > 0.4


# Few labels -------------------------------------------------------------------------------------------------------


def test_smaller_shares_of_labels_are_parts_of_larger_ones() -> None:
    few, more, all_ = (_few(share).train.labels for share in (0.1, 0.5, 1.0))
    assert [(labels != -1).sum() for labels in (few, more, all_)] == [30, 150, 300]
    np.testing.assert_array_equal(few[few != -1], all_[:30])
    np.testing.assert_array_equal(more[more != -1], all_[:150])


def test_labels_that_may_not_be_used_change_nothing() -> None:
    data = _few(0.2)
    guess = few_labels.task.guess
    assert guess is not None
    rates = np.bincount(data.train.labels[:60], minlength=4) / 60
    assert guess(data)["log_loss"] == pytest.approx(-np.log(rates[data.test.labels]).mean())


def _fitted(data: Divided, weight: float, epochs: int = 3) -> Any:
    torch.manual_seed(0)
    network = engine.AlignedConcatenation(data, alignment=engine.Alignment(weight, 0.1))
    return engine.fit_few(network, data, Budget(epochs=epochs), seed=5)


def test_without_weight_it_is_the_plain_fusion() -> None:
    data = _few()
    torch.manual_seed(0)
    plain = fit(Concatenation(data), data, Budget(epochs=3), 5)
    np.testing.assert_allclose(predict(_fitted(data, 0.0), data.test), predict(plain, data.test), rtol=1e-5)


def test_alignment_lowers_the_contrastive_loss_of_the_test_pairs_also_without_labels() -> None:
    data = _few(0.1)
    values, present = tensors(data.test)
    losses = []
    for weight in (0.0, 1.0):
        network = _fitted(data, weight)
        network.alignment = engine.Alignment(1.0, 0.1)
        with torch.no_grad():
            losses.append(float(network.misalignment(network.encode(values, present), present)))
    assert losses[1] < losses[0] - 0.5


@pytest.mark.parametrize("labelled", [0.1, 1.0])
def test_examples_without_a_modality_are_no_pairs(labelled: float) -> None:
    data = _few(labelled)
    numbers = data.train.modalities["numbers"]
    there = np.arange(300) < 150

    def with_values(values: Any) -> Divided:
        modality = replace(numbers, values=values, present=there)
        return replace(data, train=replace(data.train, modalities={**data.train.modalities, "numbers": modality}))

    changed = numbers.values.copy()
    changed[~there] = 9.0
    one, other = (_fitted(with_values(values), 1.0, epochs=1) for values in (numbers.values, changed))
    np.testing.assert_array_equal(predict(one, data.test), predict(other, data.test))


@pytest.mark.parametrize("labelled", [0.1, 1.0])
def test_it_diverges_with_its_step(labelled: float) -> None:
    data = _few(labelled)
    with pytest.raises(DivergedError, match="diverged at step"):
        engine.fit_few(engine.AlignedConcatenation(data), data, Budget(rate=1e30), seed=0)


def test_contrastive_is_a_strategy_of_classification_too() -> None:
    assert {"contrastive", "contrastive-tuned"} <= set(classification.strategies)
    data = _few()
    problem = Problem(visible(data), {"threads": 1}, seed=0)
    output = classification.strategies["contrastive"].run(problem, unmeasured, epochs=4)
    judged = classification.judge(data, output).metrics
    assert judged["accuracy"] > 0.8
    assert judged["parameters"] == pytest.approx(parameters_of_concatenation(data), rel=0.05)
