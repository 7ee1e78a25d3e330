"""The Transformer: torch's own encoder layers, plain loops of each placement, initial scales, and causality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from topics.normalization.plain_transformer import Array, Plain

pytest.importorskip("torch")

import torch

from harness.topics._shared.deep import parameter_count
from harness.topics.normalization.engine.transformer import Attention, Transformer
from harness.topics.normalization.recipes import ON_DEVICE, RECIPES, Recipe

BY_NAME = {recipe.name: recipe for recipe in RECIPES}
TOKENS, LENGTH, WIDTH, HEADS, LAYERS = 11, 7, 8, 2, 2
WITH_BATCH_NORM = ("pre-bn", "post-bn")


def made(name: str, layers: int = LAYERS, **changes: Any) -> Any:
    """Return a model in float64 whose norms and biases are random, too."""
    torch.manual_seed(0)
    model = Transformer(
        BY_NAME[name], tokens=TOKENS, length=LENGTH, scores=TOKENS, width=WIDTH, heads=HEADS, layers=layers, **changes
    ).double()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() < 2:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def sequences(rows: int = 3, seed: int = 0) -> Any:
    return torch.tensor(np.random.default_rng(seed).integers(1, TOKENS, (rows, LENGTH)))


def plain_step(recipe: Recipe, plain: Plain, number: int, x: Array) -> Array:
    """Write each placement as its paper does; L is the number of layers."""

    def sublayer(x: Array) -> Array:
        return plain.sublayer(number, x, qk_norm=recipe.qk_norm)

    def normal(place: str, x: Array) -> Array:
        return plain.norm(f"steps.{number}.{place}", x)

    match recipe.placement:
        case "post":
            return normal("after", x + sublayer(x))
        case "pre":
            return x + sublayer(normal("before", x))
        case "peri":
            return x + normal("inside", sublayer(normal("before", x)))
        case "deepnorm":
            return normal("after", (2 * LAYERS) ** 0.25 * x + sublayer(x))
        case "keel":
            summed = (2 * LAYERS if number > 1 else 1) * x + sublayer(normal("before", x))
            return normal("after", summed) if number else summed
        case "rezero":
            return x + plain[f"steps.{number}.weight"] * sublayer(x)
        case "plain":
            return x + sublayer(x)


def plain_scores(name: str, plain: Plain, tokens: npt.NDArray[np.int64]) -> Array:
    recipe, x = BY_NAME[name], plain["scale"] * plain.embedded(tokens)
    if recipe.placement == "peri":
        x = plain.norm("first", x)
    for number in range(2 * LAYERS):
        x = plain_step(recipe, plain, number, x)
    return plain.linear("head", plain.norm("last", x) if recipe.placement in ("pre", "peri") else x)


@pytest.mark.parametrize("name", BY_NAME)
def test_scores_are_those_of_a_plain_loop(name: str) -> None:
    model, tokens = made(name), sequences(1)
    found = model(tokens)[0].detach().numpy()
    plain = Plain(model, BY_NAME[name].norm, HEADS)
    np.testing.assert_allclose(found, plain_scores(name, plain, tokens[0].numpy()), rtol=1e-9, atol=1e-10)


def test_the_plain_loops_differ() -> None:
    plain, tokens = Plain(made("deepnorm"), "layer", HEADS), sequences(1)[0].numpy()
    for other in ("post-ln", "none"):
        assert np.abs(plain_scores("deepnorm", plain, tokens) - plain_scores(other, plain, tokens)).max() > 1e-3


def as_torch_encoder(model: Any, *, norm_first: bool) -> Any:
    """Return torch.nn.TransformerEncoder with the weights of a model."""
    nn: Any = torch.nn
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first
    )
    last = nn.LayerNorm(WIDTH) if norm_first else None
    encoder: Any = nn.TransformerEncoder(layer, LAYERS, norm=last, enable_nested_tensor=False).double()
    norms = "before" if norm_first else "after"
    with torch.no_grad():
        for number, copy in enumerate(encoder.layers):
            attending, feeding = model.steps[2 * number], model.steps[2 * number + 1]
            parts = [getattr(attending.sublayer, part) for part in ("query", "key", "value")]
            copy.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
            copy.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
            copy.self_attn.out_proj.load_state_dict(attending.sublayer.output.state_dict())
            copy.linear1.load_state_dict(feeding.sublayer.inner.state_dict())
            copy.linear2.load_state_dict(feeding.sublayer.outer.state_dict())
            copy.norm1.load_state_dict(getattr(attending, norms).state_dict())
            copy.norm2.load_state_dict(getattr(feeding, norms).state_dict())
        if last is not None:
            encoder.norm.load_state_dict(model.last.state_dict())
    return encoder


@pytest.mark.parametrize(("name", "norm_first"), [("post-ln", False), ("pre-ln", True)])
def test_post_and_pre_ln_are_torch_encoder_layers(name: str, norm_first: bool) -> None:
    model, tokens = made(name), sequences()
    encoder = as_torch_encoder(model, norm_first=norm_first)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(LENGTH, dtype=torch.float64)
    theirs = model.head(
        encoder(model.scale * (model.embedding(tokens) + model.position.weight), mask=mask, is_causal=True)
    )
    ours = model(tokens)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    for scores in (ours, theirs):
        scores.square().sum().backward()
    for number, copy in enumerate(encoder.layers):
        gradient = model.steps[2 * number + 1].sublayer.outer.weight.grad
        torch.testing.assert_close(gradient, copy.linear2.weight.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_later_token_changes_no_earlier_score(name: str) -> None:
    model, tokens = made(name).eval(), sequences()
    changed = tokens.clone()
    changed[:, 4:] = changed[:, 4:] % (TOKENS - 1) + 1
    before, after = model(tokens), model(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


@pytest.mark.parametrize("name", WITH_BATCH_NORM)
def test_batch_norm_in_training_looks_ahead(name: str) -> None:
    model, tokens = made(name), sequences()
    changed = tokens.clone()
    changed[:, -1] = changed[:, -1] % (TOKENS - 1) + 1
    assert not torch.allclose(model(tokens)[:, 0], model(changed)[:, 0])


def test_deepnorm_begins_with_the_scales_of_its_paper() -> None:
    layers, width = 32, 16
    torch.manual_seed(0)
    model: Any = Transformer(BY_NAME["deepnorm"], tokens=5, length=4, scores=5, width=width, heads=2, layers=layers)
    # Wang et al. 2022, figure 2, decoder: a = (2 M)^(1/4), b = (8 M)^(-1/4); 64^(1/4) and 256^(-1/4) here.
    assert [step.stream for step in model.steps] == pytest.approx([math.sqrt(8)] * 2 * layers)
    expected = {"query": 1.0, "key": 1.0, "value": 0.25, "output": 0.25, "inner": 0.25, "outer": 0.25}
    for name, gain in expected.items():
        layers_of = [getattr(step.sublayer, name) for step in model.steps if hasattr(step.sublayer, name)]
        weights = torch.cat([layer.weight.flatten() for layer in layers_of])
        rows, columns = layers_of[0].weight.shape
        assert weights.std().item() == pytest.approx(gain * math.sqrt(2 / (rows + columns)), rel=0.03)
        assert not any(layer.bias.any() for layer in layers_of)


def test_rezero_is_the_identity_at_the_start() -> None:
    torch.manual_seed(0)
    model: Any = Transformer(
        BY_NAME["rezero"], tokens=TOKENS, length=LENGTH, scores=TOKENS, width=WIDTH, heads=HEADS, layers=LAYERS
    )
    tokens = sequences()
    alone = model.head(model.scale * (model.embedding(tokens) + model.position.weight))
    assert torch.equal(model(tokens), alone)
    model(tokens).square().sum().backward()
    assert not any(step.sublayer.outer.weight.grad.any() for step in list(model.steps)[1::2])
    assert all(step.weight.grad.any() for step in model.steps)


def test_normalised_queries_and_keys_do_not_depend_on_their_scale() -> None:
    torch.manual_seed(0)
    layer = Attention(WIDTH, HEADS, causal=True, qk_norm=True).double()
    x = torch.randn(2, LENGTH, WIDTH, dtype=torch.float64)
    before = layer(x)
    with torch.no_grad():
        layer.query.weight.mul_(1e3)
        layer.query.bias.mul_(1e3)
    # eps is 1e-5 beside a variance that was of the order of 1 before the change.
    torch.testing.assert_close(layer(x), before, rtol=1e-3, atol=1e-4)


def test_embeddings_begin_with_variance_1() -> None:
    for recipe in BY_NAME.values():
        torch.manual_seed(0)
        model = Transformer(recipe, tokens=500, length=LENGTH, scores=TOKENS, width=64, heads=4, layers=1)
        assert (model.scale * model.embedding.weight).var().item() == pytest.approx(1, abs=0.05)


def test_recipes_have_parameters_of_the_same_size() -> None:
    d, layers = WIDTH, LAYERS
    network = TOKENS * d + LENGTH * d + 1 + layers * (12 * d * d + 9 * d) + TOKENS * d + TOKENS
    norms = {"pre-ln": (2 * layers + 1) * 2 * d, "post-ln": 2 * layers * 2 * d, "none": 0, "rezero": 2 * layers}
    norms |= {
        "pre-rmsnorm": (2 * layers + 1) * d,
        "peri-ln": (4 * layers + 2) * 2 * d,
        "keel": (4 * layers - 1) * 2 * d,
    }
    norms |= {"dyt": (2 * layers + 1) * (2 * d + 1), "derf": (2 * layers + 1) * (2 * d + 2)}
    for name, more in norms.items():
        assert parameter_count(made(name)) == network + more, name


def test_what_runs_on_a_device_is_pre_ln_computed_otherwise() -> None:
    assert [recipe.name for recipe in ON_DEVICE] == ["pre-ln-gpu", "pre-ln-compiled-gpu", "pre-ln-bf16-gpu"]
    assert {(recipe.placement, recipe.norm, recipe.qk_norm) for recipe in ON_DEVICE} == {("pre", "layer", False)}
