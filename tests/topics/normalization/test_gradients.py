"""Initial gradients: slopes that are known, derivatives along the gradient, and what theory says of small networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

pytest.importorskip("torch")

import torch

from harness import CannotRunError, InvalidOutputError, Problem, Texts, TextSplit
from harness.data.cards import builtin_card, dataset
from harness.topics.normalization import gradients
from harness.topics.normalization.corpus import Corpus, prepare
from harness.topics.normalization.engine.batches import next_token_loss
from harness.topics.normalization.engine.devices import prepared
from harness.topics.normalization.engine.gradients import layer_norms, networks
from harness.topics.normalization.recipes import ON_DEVICE, RECIPES

BY_NAME = {recipe.name: recipe for recipe in (*RECIPES, *ON_DEVICE)}
PARAMS = {"deepest": 16, "width": 16, "batch": 4, "context": 8}


def corpus() -> Corpus:
    drawn = np.random.default_rng(0).choice(list("abcdefghijklmnopqrs"), (50, 30))
    texts = Texts(tuple("".join(row) for row in drawn))
    split = TextSplit(texts.take(np.arange(40)), texts.take(np.arange(40, 50)))
    return prepare(split, {"context": 8, "windows": 1}, np.random.default_rng(0))


def batch(seed: int = 0) -> Any:
    return tuple(torch.tensor(np.random.default_rng(seed).integers(1, 20, (2, 4, 8))))


def norms_of(name: str, seed: int = 0) -> Any:
    return gradients.task.strategies[name].run(Problem(corpus(), PARAMS, seed), unmeasured)


@pytest.mark.parametrize("slope", [-0.5, 0.0, 1.3])
def test_a_known_power_of_depth_is_found(slope: float) -> None:
    found = {}
    for depth in (3, 6, 12, 24):
        norms = np.linspace(1, 100, depth)
        norms[0], norms[-1] = 0.5 * depth**-0.2, 7.0 * depth**slope
        found[depth] = norms
    judged = gradients.judge(corpus(), found)
    assert judged.metrics["last_slope"] == pytest.approx(slope)
    assert judged.metrics["first_slope"] == pytest.approx(-0.2)
    assert judged.metrics["spread"] == pytest.approx(np.log10(found[24].max() / found[24].min()))
    assert judged.curves["by_layer"].x == list(range(1, 25))
    assert judged.curves["last"].y == pytest.approx([7.0 * depth**slope for depth in (3, 6, 12, 24)])


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (None, "not a NoneType"),
        ({2: np.ones(2)}, "two depths"),
        ({2: np.ones(2), 4: np.ones(3)}, "4 norms"),
        ({2: np.ones(2), 4: np.array([1, 1, 0, 1])}, "0 or overflows"),
        ({2: np.ones(2), 4: np.array([1, 1, np.inf, 1])}, "smaller value of deepest"),
    ],
)
def test_what_cannot_be_judged_is_said(output: Any, said: str) -> None:
    with pytest.raises(InvalidOutputError, match=said):
        gradients.judge(corpus(), output)


def test_a_norm_is_the_slope_of_the_loss_along_its_gradient() -> None:
    model: Any = networks(BY_NAME["pre-ln"], [3], corpus(), PARAMS, 0)[0]
    next_token_loss(model, *batch()).backward()
    found = layer_norms(model)
    for layer in range(3):
        weight = model.steps[2 * layer + 1].sublayer.outer.weight
        direction, ends = weight.grad / weight.grad.norm(), []
        for step in (1e-5, -2e-5):
            with torch.no_grad():
                weight.add_(step * direction)
                ends.append(next_token_loss(model, *batch()).item())
        with torch.no_grad():
            weight.add_(1e-5 * direction)
        assert found[layer] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_slopes_have_the_order_that_theory_gives() -> None:
    judged = {
        name: np.mean([gradients.judge(corpus(), norms_of(name, seed)).metrics["last_slope"] for seed in range(3)])
        for name in ("post-ln", "pre-ln", "deepnorm", "keel")
    }
    assert abs(judged["post-ln"]) < 0.3
    assert judged["pre-ln"] == pytest.approx(-0.5, abs=0.3)
    assert judged["deepnorm"] == pytest.approx(-0.5, abs=0.1)
    assert judged["keel"] == pytest.approx(-1, abs=0.1)


def test_gradients_depend_on_the_seed_alone() -> None:
    one, again, other = norms_of("post-bn"), norms_of("post-bn"), norms_of("post-bn", 1)
    assert sorted(one) == [2, 4, 8, 16]
    assert all(np.array_equal(one[depth], again[depth]) for depth in one)
    assert not np.array_equal(one[16], other[16])


def test_rezero_has_no_gradients_to_compare() -> None:
    with pytest.raises(CannotRunError, match="multiplies every sublayer by 0"):
        norms_of("rezero")


def test_a_gradient_that_float32_cannot_hold_has_a_norm() -> None:
    (model,) = networks(BY_NAME["none"], [64], corpus(), PARAMS, 1)
    next_token_loss(model, *batch()).backward()
    assert np.isfinite(layer_norms(model)).all()
    model.float().zero_grad(set_to_none=True)
    next_token_loss(model, *batch()).backward()
    assert not np.isfinite(layer_norms(model)).all()


def test_matrix_products_in_bfloat16_leave_weights_and_scores_in_float32() -> None:
    recipe = BY_NAME["pre-ln-bf16-gpu"]
    plain, other = (networks(recipe, [2], corpus(), PARAMS, 0) for _ in range(2))
    (model,) = prepared(other, recipe, "cpu", unmeasured, batch())
    scores, exact = model(batch()[0]), plain[0](batch()[0])
    assert scores.dtype == torch.float32
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    difference = (scores - exact).abs().max() / exact.abs().max()
    assert 1e-5 < difference < 3e-2  # bfloat16 has 8 bits, float32 has 24


def test_strategies_of_a_device_are_skipped_without_one_and_are_not_quick() -> None:
    for recipe in ON_DEVICE:
        strategy = gradients.task.strategies[recipe.name]
        assert strategy.device == "cuda"
        assert recipe.name in gradients.task.not_quick


def test_the_text_is_that_of_the_card_and_blocks_do_not_overlap() -> None:
    split = dataset(builtin_card("kjv")).load({"rows": 50}, np.random.default_rng(0))
    takes = gradients.task.takes
    assert takes is not None
    assert takes.overlap is not None
    made = takes.prepare(split, {"rows": 50, "context": 8}, np.random.default_rng(0))
    assert takes.overlap(made) == 0
    assert made.overlap > 0
    assert made.size > 30
    assert len(made.train) == sum(map(len, split.train.strings)) + 49
