"""The Transformer, its norms and its training against plain numpy, written from the papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from topics.normalization import from_papers as papers
from topics.normalization.from_papers import Array, Function

from harness.topics.normalization.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from torch import nn

WIDTH, HEADS, LAYERS, LENGTH, TOKENS = 8, 2, 3, 5, 11
close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-10)


@pytest.fixture(scope="module")
def engine() -> Any:
    """Modules that import torch."""
    pytest.importorskip("torch")
    from harness.topics.normalization.engine import norms, training, transformer

    return SimpleNamespace(norms=norms, training=training, transformer=transformer)


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """In float64, with every weight moved at random, so that none has its initial value."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    module.double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    return module


def weights_of(module: nn.Module) -> dict[str, Array]:
    """Copies of the weights by name."""
    return {name: value.detach().numpy().copy() for name, value in module.named_parameters()}


def norm_of(name: str, module: nn.Module) -> Function:
    """The same norm in numpy, with the weights of `module`, in training mode."""
    own = weights_of(module)
    gain, bias = own.get("weight", np.ones(1)), own.get("bias", np.zeros(1))
    functions: dict[str, Function] = {
        "layer": lambda x: papers.layer_norm(x, gain, bias),
        "rms": lambda x: papers.rms_norm(x, gain),
        "batch": lambda x: papers.BatchNorm(x.shape[-1]).train(x) * gain + bias,
        "dyt": lambda x: papers.dyt(x, own["slope"].item(), gain, bias),
        "derf": lambda x: papers.derf(x, own["slope"].item(), own["shift"].item(), gain, bias),
    }
    return functions[name]


def run(module: nn.Module, *arrays: Any) -> Array:
    """Return a module's output."""
    import torch

    out: Array = module(*(torch.from_numpy(each) for each in arrays)).detach().numpy()
    return out


@pytest.mark.parametrize("name", ["layer", "rms", "batch", "dyt", "derf"])
def test_each_norm_follows_its_paper(engine: Any, name: str) -> None:
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, LENGTH, WIDTH))
    module = shaken(engine.norms.norm(name, WIDTH))
    close(run(module, x), norm_of(name, module)(x))


def test_batch_norm_evaluates_with_averaged_unbiased_variances(engine: Any) -> None:
    rng = np.random.default_rng(1)
    module, reference = engine.norms.norm("batch", WIDTH).double(), papers.BatchNorm(WIDTH)
    for _ in range(3):
        x = rng.normal(1.0, 2.0, (2, LENGTH, WIDTH))
        run(module, x)
        reference.train(x)
    module.eval()
    close(run(module, x), reference.evaluate(x))


def test_point_wise_functions_start_where_their_papers_say(engine: Any) -> None:
    for name in ("dyt", "derf"):
        own = weights_of(engine.norms.norm(name, WIDTH))
        assert own["slope"].item() == 0.5
        assert (own["weight"] == 1).all()
        assert (own["bias"] == 0).all()
    assert own["shift"].item() == 0


def linear(own: dict[str, Array], name: str, x: Array) -> Array:
    """Apply a linear layer of that name."""
    return x @ own[f"{name}.weight"].T + own[f"{name}.bias"]


def attention_of(module: nn.Module, heads: int) -> Function:
    """The same attention in numpy."""
    own = weights_of(module)

    def normalise(name: str) -> Function:
        return lambda x: papers.layer_norm(x, own[f"{name}.weight"], own[f"{name}.bias"])

    norm = (normalise("query_norm"), normalise("key_norm")) if "query_norm.weight" in own else None

    def attend(x: Array) -> Array:
        query, key, value = (linear(own, name, x) for name in ("query", "key", "value"))
        return linear(own, "output", papers.multi_head(query, key, value, heads, causal=True, norm=norm))

    return attend


def feed_forward_of(module: nn.Module) -> Function:
    """The same two linear layers in numpy."""
    own = weights_of(module)
    return lambda x: linear(own, "outer", papers.gelu(linear(own, "inner", x)))


def step_of(step: Any, recipe: Recipe, sublayer: Function, index: int) -> Function:
    """The same step of the residual stream in numpy."""

    def norm(place: str) -> Function:
        module = getattr(step, place)
        return norm_of(recipe.norm, module) if weights_of(module) else lambda x: x

    made: dict[str, Callable[[Array], Array]] = {
        "post": lambda x: papers.post(x, sublayer, norm("after")),
        "pre": lambda x: papers.pre(x, sublayer, norm("before")),
        "peri": lambda x: papers.peri(x, sublayer, norm("before"), norm("inside")),
        "deepnorm": lambda x: papers.deepnorm(x, sublayer, norm("after"), LAYERS),
        "keel": lambda x: papers.keel(x, sublayer, norm("before"), norm("after"), LAYERS, index),
        "rezero": lambda x: papers.rezero(x, sublayer, step.weight.item()),
        "plain": lambda x: x + sublayer(x),
    }
    return made[recipe.placement]


def transformer_of(model: Any, recipe: Recipe) -> Callable[[np.ndarray[Any, Any]], Array]:
    """The same Transformer in numpy: tokens of shape (batch, length) to scores."""
    own = weights_of(model)

    def forward(tokens: np.ndarray[Any, Any]) -> Array:
        x = own["embedding.weight"][tokens] + own["position.weight"][: tokens.shape[1]]
        x = own["scale"] * x
        if recipe.placement == "peri":
            x = norm_of(recipe.norm, model.first)(x)
        for index, step in enumerate(model.steps):
            sublayer = feed_forward_of(step.sublayer) if index % 2 else attention_of(step.sublayer, HEADS)
            x = step_of(step, recipe, sublayer, index)(x)
        if recipe.placement in ("pre", "peri"):
            x = norm_of(recipe.norm, model.last)(x)
        return linear(own, "head", x)

    return forward


def transformer(engine: Any, recipe: Recipe) -> Any:
    """A small language model."""
    import torch

    torch.manual_seed(0)
    return engine.transformer.Transformer(
        recipe, tokens=TOKENS, length=LENGTH, scores=TOKENS, width=WIDTH, heads=HEADS, layers=LAYERS
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_transformer_of_each_recipe_follows_its_paper(engine: Any, recipe: Recipe) -> None:
    tokens = np.random.default_rng(2).integers(0, TOKENS, (3, LENGTH))
    model = shaken(transformer(engine, recipe))
    np.testing.assert_allclose(run(model, tokens), transformer_of(model, recipe)(tokens), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "recipe", [recipe for recipe in RECIPES if recipe.norm != "batch"], ids=lambda recipe: recipe.name
)
def test_no_token_sees_what_follows_it(engine: Any, recipe: Recipe) -> None:
    tokens = np.random.default_rng(3).integers(0, TOKENS, (2, LENGTH))
    model = shaken(transformer(engine, recipe))
    later = tokens.copy()
    later[:, 3:] = (later[:, 3:] + 1) % TOKENS
    close(run(model, tokens)[:, :3], run(model, later)[:, :3])


def test_deepnorm_shrinks_the_initial_weights_its_paper_names(engine: Any) -> None:
    import torch

    torch.manual_seed(0)
    recipe = next(recipe for recipe in RECIPES if recipe.name == "deepnorm")
    model = engine.transformer.Transformer(recipe, tokens=4, length=4, scores=4, width=64, heads=4, layers=LAYERS)
    for name, weight in weights_of(model).items():
        if not name.endswith(".weight") or not name.startswith("steps") or "sublayer" not in name:
            continue
        xavier = np.sqrt(2 / sum(weight.shape))
        gain = 1.0 if name.split(".")[-2] in ("query", "key") else papers.deepnorm_gain(LAYERS)
        np.testing.assert_allclose(weight.std(), gain * xavier, rtol=0.03, err_msg=name)


def test_rezero_begins_as_the_identity(engine: Any) -> None:
    model = transformer(engine, next(recipe for recipe in RECIPES if recipe.name == "rezero")).double()
    tokens = np.random.default_rng(4).integers(0, TOKENS, (2, LENGTH))
    own = weights_of(model)
    embedded = own["scale"] * (own["embedding.weight"][tokens] + own["position.weight"])
    close(run(model, tokens), linear(own, "head", embedded))


@pytest.mark.parametrize("warmup", [0, 1, 4])
def test_training_takes_the_steps_of_adamw_with_warm_up(engine: Any, warmup: int) -> None:
    import torch

    rng = np.random.default_rng(5)
    start, data = rng.normal(size=(2, 3)), rng.normal(size=(6, 4, 3))
    model = torch.nn.Linear(3, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(start))
    drawn = [(torch.from_numpy(each), torch.zeros(4, 2, dtype=torch.float64)) for each in data]

    def squares(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = ((network(inputs) - targets) ** 2).sum()
        return out

    rate, steps = 0.1, 6
    trained = engine.training.train(model, drawn, squares, engine.training.Budget(steps, rate, warmup))
    weights, optimiser, losses = start, papers.AdamW(), []
    for step, inputs in enumerate(data, start=1):
        residual = inputs @ weights.T
        losses.append((residual**2).sum())
        weights = optimiser.step(weights, 2 * residual.T @ inputs, papers.warm(step, warmup, rate))
    np.testing.assert_allclose(trained.losses, losses, rtol=1e-9)
    np.testing.assert_allclose(model.weight.detach().numpy(), weights, rtol=1e-9)


def test_stability_is_judged_by_wortsmans_sensitivity() -> None:
    """With the loss of equal probabilities in place of that at initialisation, as the judge says."""
    from harness.topics.normalization.corpus import Corpus
    from harness.topics.normalization.stability import Attempt, judge

    rng = np.random.default_rng(6)
    text = rng.integers(1, 4, (4, LENGTH + 1)).astype(np.uint8)
    data = Corpus(text.ravel(), text[:, :-1], text[:, 1:], "abc")
    equal, losses, attempts = np.log(data.size), [], []
    for rate, certainty in ((1e-3, 0.5), (3e-3, 2.0), (1e-2, -3.0)):
        scores = rng.normal(size=(*data.targets.shape, data.size))
        scores[np.arange(4)[:, None], np.arange(LENGTH), data.targets] += certainty
        chances = papers.softmax(scores)
        losses.append(-np.log(np.take_along_axis(chances, data.targets[..., None].astype(int), -1)).mean())
        attempts.append(Attempt(rate, np.log(chances).astype(np.float32), [1.0]))
    attempts.append(Attempt(3e-2, None, [1.0], diverged=2))
    losses.append(np.nan)
    assert max(losses[:3]) > equal
    found = judge(data, attempts).metrics
    np.testing.assert_allclose(found["sensitivity"], papers.sensitivity(losses, float(equal)), rtol=1e-6)
    np.testing.assert_allclose(found["best_loss"], min(losses[:3]), rtol=1e-6)
    np.testing.assert_allclose(found["highest_loss"], equal)
    assert found["diverged_rates"] == 0.25
    counts = np.bincount(data.train, minlength=data.size) + 1
    unigram = -np.log(counts / counts.sum())[data.targets].mean()
    assert found["failed"] == np.mean([np.isnan(loss) or loss > unigram for loss in losses])


def test_counts_are_unigrams_and_bigrams_with_one_added() -> None:
    from harness.topics.normalization import counts
    from harness.topics.normalization.corpus import Corpus

    text = np.array([1, 2, 1, 1, 3, 2, 1], np.uint8)
    data = Corpus(text, text[None, :4], text[None, 1:5], "abc")
    singles, pairs = np.ones(4), np.ones((4, 4))
    for one in text:
        singles[one] += 1
    for before, after in pairwise(text):
        pairs[before, after] += 1
    np.testing.assert_allclose(np.exp(counts.unigram(data)), singles / singles.sum(), rtol=1e-6)
    np.testing.assert_allclose(np.exp(counts.bigram(data)), pairs / pairs.sum(1, keepdims=True), rtol=1e-6)
