"""The tasks language and stability: counts, what judges refuse and compute, and small runs of every recipe."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

from harness import InvalidOutputError, Outputs, Problem
from harness.measure import judging
from harness.topics.normalization import counts, language, learned, stability
from harness.topics.normalization.corpus import Corpus, visible
from harness.topics.normalization.learned import Learned
from harness.topics.normalization.recipes import RECIPES
from harness.topics.normalization.stability import Attempt

PARAMS = {
    "layers": 1,
    "width": 8,
    "steps": 12,
    "batch": 4,
    "warmup": 0,
    "rate": 1e-2,
    "target": 2.0,
    "lowest": 1e-3,
    "highest": 1e-1,
    "rates": 3,
    "threads": 1,
}


def _corpus(seed: int = 0) -> Corpus:
    """Return a text of two characters, each of which mostly follows the other."""
    rng = np.random.default_rng(seed)
    text = ((np.cumsum(rng.random(640) < 0.9) % 2) + 1).astype(np.uint8)
    held = text[:128].reshape(8, 16)
    return Corpus(text[128:], held[:, :-1], held[:, 1:], "ab")


def _uniform(data: Corpus) -> np.ndarray:
    return np.full((*data.targets.shape, data.size), -math.log(data.size), np.float32)


def _learned(data: Corpus, **changes: Any) -> Learned:
    return replace(Learned(_uniform(data), _uniform(data), target=2.0, steps=30), **changes)


def _scored(output: Learned) -> np.ndarray:
    assert output.scored is not None
    return output.scored


def _run(module: Any, name: str, data: Corpus, altered: dict[str, Corpus] | None = None, **params: float) -> object:
    task = module.task
    problem = Problem(visible(data), {**PARAMS, **params}, seed=3, altered=altered or {})
    return task.strategies[name].run(problem, unmeasured)


def test_counts_are_those_of_the_text_with_one_added() -> None:
    data = Corpus(np.array([1, 2, 1, 1], np.uint8), np.array([[1, 2]], np.uint8), np.array([[2, 1]], np.uint8), "ab")
    # Of 0, a and b: 0 + 1, 3 + 1 and 1 + 1 of 7.
    assert np.exp(counts.unigram(data)) == pytest.approx([1 / 7, 4 / 7, 2 / 7])
    # The pairs are ab, ba, aa.
    table = np.exp(counts.bigram(data))
    assert table == pytest.approx(np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 5, 2 / 5, 2 / 5], [1 / 4, 2 / 4, 1 / 4]]))
    assert np.exp(counts.after(counts.bigram(data), data.test))[0] == pytest.approx(table[[1, 2]])
    assert np.exp(counts.after(counts.unigram(data), data.test))[0, 1] == pytest.approx([1 / 7, 4 / 7, 2 / 7])


def test_baselines_score_as_their_formulas_say() -> None:
    data = _corpus()
    unigram = judging.judge(language.task, data, _run(language, "unigram", data)).metrics
    counted = np.bincount(data.train, minlength=3) + 1
    assert unigram["loss"] == pytest.approx(-np.log(counted / counted.sum())[data.targets].mean(), rel=1e-6)
    assert unigram["loss"] == counts.unigram_loss(data)
    assert language.guess(data).keys() | {"diverged"} == unigram.keys()
    bigram = judging.judge(language.task, data, _run(language, "bigram", data)).metrics
    pairs = np.ones((3, 3))
    np.add.at(pairs, (data.train[:-1], data.train[1:]), 1)
    expected = -np.log(pairs / pairs.sum(1, keepdims=True))[data.test, data.targets].mean()
    assert bigram["loss"] == pytest.approx(expected, rel=1e-6)
    assert bigram["loss"] < unigram["loss"] - 0.1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (None, r"expected log-probabilities of shape \(8, 15, 3\), not a NoneType"),
        (np.zeros((8, 15), np.float32), r"of shape \(8, 15, 3\), not \(8, 15\)"),
        (np.zeros((8, 15, 3), np.int64), "not a ndarray of int64"),
        (np.full((8, 15, 3), np.nan, np.float32), "360 of 360 log-probabilities are not finite"),
        (np.zeros((8, 15, 3), np.float32), "must sum to 1, but a sum is off by 2"),
    ],
)
def test_wrong_outputs_are_one_sentence(wrong: Any, sentence: str) -> None:
    data = _corpus()
    with pytest.raises(InvalidOutputError, match=sentence):
        language.judge(data, _learned(data, scored=wrong))
    if wrong is not None:
        with pytest.raises(InvalidOutputError, match=sentence):
            stability.judge(data, [Attempt(0.1, wrong)])


@pytest.mark.parametrize("wrong", [None, [], [1.0], np.zeros(3)])
def test_outputs_of_another_type_are_one_sentence(wrong: object) -> None:
    data = _corpus()
    with pytest.raises(InvalidOutputError, match="expected a Learned"):
        language.judge(data, wrong)
    with pytest.raises(InvalidOutputError, match="expected a list of Attempt"):
        stability.judge(data, wrong)


def test_the_loss_is_that_of_the_targets() -> None:
    data = _corpus()
    scored = _uniform(data).copy()
    scored[0, 0] = np.log(np.array([0.5, 0.25, 0.25]))
    count = data.targets.size
    expected = ((count - 1) * math.log(3) - math.log([0.5, 0.25, 0.25][data.targets[0, 0]])) / count
    judged = language.judge(data, _learned(data, scored=scored))
    assert judged.metrics["loss"] == pytest.approx(expected, rel=1e-6)
    assert judged.metrics["mode_gap"] == pytest.approx(expected - math.log(3), abs=1e-6)
    assert judged.examples["loss"].values.mean() == pytest.approx(judged.metrics["loss"])


def test_the_target_is_met_by_the_mean_of_ten_losses() -> None:
    losses = [3.0] * 15 + [1.0] * 15
    assert learned.steps_to(3.0, losses) == 10
    # Of the ten losses up to step 20, five are 1.
    assert learned.steps_to(2.0, losses) == 20
    assert learned.steps_to(0.9, losses) is None
    assert learned.steps_to(2.0, [4.0, 0.0]) == 2
    assert learned.steps_to(2.0, []) is None
    data = _corpus()
    met = language.judge(data, _learned(data, losses=losses, cpu_s=[0.1 * n for n in range(1, 31)])).metrics
    assert (met["reached"], met["target_steps"]) == (1.0, 20.0)
    assert met["target_cpu_s"] == pytest.approx(2.0)
    late = language.judge(data, _learned(data, losses=losses, cpu_s=[0.1 * n for n in range(1, 31)], target=0.5))
    assert (late.metrics["reached"], late.metrics["target_steps"]) == (0.0, 30.0)
    assert late.metrics["target_cpu_s"] == pytest.approx(3.0)


def test_the_curve_of_training_has_the_means_of_stretches() -> None:
    curve = learned.training_curve("loss", [float(step) for step in range(1, 41)], 20)["loss"]
    assert curve.x == list(range(2, 41, 2))
    assert curve.y == [step - 0.5 for step in curve.x]
    uneven = learned.training_curve("training", list(range(130)))["training"]
    assert (len(uneven.x), uneven.x[0], uneven.x[-1]) == (60, 3.0, 130.0)
    assert learned.training_curve("loss", [1.0, 5.0])["loss"].y == [1.0, 5.0]
    assert learned.training_curve("loss", []) == {}


def test_training_that_diverged_has_the_loss_of_counts_and_its_own_size() -> None:
    data = _corpus()
    output = _learned(data, scored=np.empty((0, 0, 0)), diverged=3, losses=[1.0, 2.0], cpu_s=[1, 2], saved_bytes=77)
    judged = judging.judge(language.task, data, output)
    assert judged.diverged == 3
    assert judged.metrics["loss"] == counts.unigram_loss(data)
    assert (judged.metrics["diverged"], judged.metrics["saved_bytes"]) == (1.0, 77.0)
    assert judged.curves["loss"].x == [1.0, 2.0]


def test_sensitivity_and_failures_follow_their_definitions() -> None:
    data = _corpus()
    data = replace(data, train=np.full(200, 1, np.uint8), targets=np.ones_like(data.targets))

    def sure(probability: float) -> np.ndarray:
        other = (1 - probability) / 2
        return np.broadcast_to(
            np.log(np.array([other, probability, other], np.float32)), (*data.targets.shape, 3)
        ).copy()

    # A unigram model of 200 equal characters is right with probability 201 / 203.
    attempts = [
        Attempt(0.1, sure(0.999), [1.0, 0.5]),
        Attempt(0.2, sure(0.9), [1.0, 0.5]),
        Attempt(0.3, None, [1.0], diverged=2),
        Attempt(0.4, sure(0.01), [1.0, 0.5]),
    ]
    judged = stability.judge(data, attempts)
    losses = [-math.log(0.999), -math.log(0.9), math.log(3), math.log(3)]
    assert judged.metrics["best_loss"] == pytest.approx(losses[0], rel=1e-3)
    assert judged.metrics["highest_loss"] == pytest.approx(math.log(3))
    assert judged.metrics["sensitivity"] == pytest.approx(np.mean(losses) - losses[0], rel=1e-3)
    assert (judged.metrics["failed"], judged.metrics["diverged_rates"]) == (0.75, 0.25)
    assert judged.n == {"failed": 4, "diverged_rates": 4}
    assert judged.curves["loss"].x == [0.1, 0.2, 0.3, 0.4]
    assert judged.curves["steps"].y == [2.0, 2.0, 1.0, 2.0]
    assert judged.curves["unigram"].y == pytest.approx([-math.log(201 / 203)] * 4)


@pytest.mark.parametrize("seed", range(20))
def test_counts_of_characters_are_not_above_their_own_loss(seed: int) -> None:
    """Two computations of it, in float32 and in float64, differ by rounding."""
    rng = np.random.default_rng(seed)
    text = rng.integers(1, 60, 3_000).astype(np.uint8)
    data = Corpus(text, text[:256].reshape(8, 32), text[1:257].reshape(8, 32), "".join(map(chr, range(65, 124))))
    attempts = _run(stability, "unigram", data)
    assert isinstance(attempts, list)
    assert judging.judge(stability.task, data, attempts).metrics["failed"] == 0.0
    # A loss that is larger by 0.0001 is a failure all the same: the text has no character 0.
    chances = 0.9999 * np.exp(attempts[0].scored)
    chances[..., 0] += 0.0001
    assert stability.judge(data, [Attempt(0.1, np.log(chances))]).metrics["failed"] == 1.0


@pytest.mark.parametrize("recipe", [recipe.name for recipe in RECIPES])
def test_every_recipe_learns(recipe: str) -> None:
    data = _corpus()
    output = _run(language, recipe, data, steps=30)
    assert isinstance(output, Learned)
    judged = judging.judge(language.task, data, output).metrics
    assert judged["loss"] < math.log(3) - 0.2
    assert output.saved_bytes > 0
    assert output.parameters > 8 * 8 * 12
    # Only batch norm has two modes.
    assert (judged["mode_gap"] != 0) == recipe.endswith("-bn")


def test_a_trial_repeats_itself() -> None:
    data = _corpus()
    first, again = _run(language, "pre-bn", data), _run(language, "pre-bn", data)
    assert isinstance(first, Learned)
    assert isinstance(again, Learned)
    assert list(again.losses) == list(first.losses)
    assert np.array_equal(_scored(again), _scored(first))


def test_evaluation_uses_the_averages_of_batch_norm_and_leaves_them_alone() -> None:
    import torch

    from harness.topics._shared.deep import seeded
    from harness.topics.normalization.engine import learning

    data = _corpus()
    recipe = next(recipe for recipe in RECIPES if recipe.name == "pre-bn")
    seeded(0)
    model = learning.model_of(recipe, data, PARAMS, "cpu")
    trained = learning.teach(model, data, PARAMS, 1e-2, 0, "cpu")
    scored, diverged = learning.scored(model, data, trained, "cpu")
    assert diverged is None
    assert scored is not None
    # With averages, a piece has the same scores alone and among others; with statistics of the batch it has not.
    alone = replace(data, test=data.test[:1])
    assert learning.predict(model, alone, "cpu")[0] == pytest.approx(scored[0], abs=1e-5)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batched = learning.in_training(model, data, scored, 4, "cpu")
    assert np.abs(learning.in_training(model, alone, scored, 4, "cpu")[0] - batched[0]).max() > 1e-4
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_prediction_that_is_not_finite_is_divergence_at_the_last_step() -> None:
    import torch

    from harness.topics.normalization.engine import learning
    from harness.topics.normalization.engine.training import Trained

    data = _corpus()
    model = learning.model_of(RECIPES[0], data, PARAMS, "cpu")
    with torch.no_grad():
        model.head.bias.fill_(math.nan)
    _, diverged = learning.scored(model, data, Trained([1.0, 2.0], None), "cpu")
    assert diverged == 2


def test_training_that_diverges_is_a_result_with_its_step() -> None:
    """Without a norm, weights of 1e30 give infinite losses from the second step on."""
    data = _corpus()
    output = _run(language, "none", data, rate=1e30)
    judged = judging.judge(language.task, data, output)
    assert judged.metrics["diverged"] == 1.0
    assert judged.diverged == 2
    attempts = _run(stability, "none", data, lowest=1e-3, highest=1e30)
    rates = judging.judge(stability.task, data, attempts)
    assert rates.metrics["diverged_rates"] == pytest.approx(2 / 3)
    assert rates.metrics["highest_loss"] == pytest.approx(math.log(3))
    assert rates.curves["steps"].y == [12.0, 1.0, 1.0]


def test_an_attempt_is_what_training_alone_at_its_rate_gives() -> None:
    data = _corpus()
    attempts = _run(stability, "pre-ln", data)
    assert isinstance(attempts, list)
    assert [attempt.rate for attempt in attempts] == pytest.approx([1e-3, 1e-2, 1e-1])
    alone = _run(language, "pre-ln", data, rate=attempts[1].rate)
    assert isinstance(alone, Learned)
    assert np.array_equal(_scored(alone), attempts[1].scored)
    flat = judging.judge(stability.task, data, _run(stability, "bigram", data)).metrics
    assert (flat["sensitivity"], flat["failed"]) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["pre-bn", "bigram"])
def test_altered_test_text_is_predicted_by_the_same_model(name: str) -> None:
    data, other = _corpus(), _corpus(1)
    altered = {"gcide_100": visible(replace(data, test=other.test))}
    output = _run(language, name, data, altered)
    assert isinstance(output, Outputs)
    plain, shifted = output.plain, output.altered["gcide_100"]
    assert not np.array_equal(plain.scored, shifted.scored)
    assert np.abs(np.exp(shifted.scored).sum(-1) - 1).max() < 1e-5
    assert (shifted.parameters, shifted.saved_bytes) == (plain.parameters, plain.saved_bytes)
