"""The fusions against plain numpy, written from the papers: what joins the encoded modalities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from topics.fusion import from_papers as papers
from topics.fusion.from_papers import Array
from topics.fusion.two_modalities import arrays
from topics.normalization.from_papers import gelu, layer_norm, multi_head

from harness import Arrays
from harness.topics.fusion.examples import UNLABELLED, Divided, prepare

if TYPE_CHECKING:
    from torch import nn

WIDTH, SIZE, ROWS, CLASSES = 6, 4, 5, 4
LENGTHS = (3, 2, 4)
close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11)


@pytest.fixture(params=[2, 3])
def data(request: pytest.FixtureRequest) -> Divided:
    """Examples of two modalities, and of three."""
    given = dict(arrays(40, CLASSES).arrays)
    if request.param == 3:
        given["links"] = given["text"][::-1]
    return prepare(Arrays(given), {"rows": 100, "tested": 100}, np.random.default_rng(0))


@pytest.fixture
def tokens(data: Divided) -> list[Array]:
    """Encoded modalities: each has as many tokens as `LENGTHS` says."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(ROWS, LENGTHS[i], WIDTH)) for i in range(len(data.train.modalities))]


def made(kind: str, module: str, data: Divided) -> Any:
    """A network in float64 with every weight moved at random."""
    torch = pytest.importorskip("torch")
    from importlib import import_module

    network = getattr(import_module(f"harness.topics.fusion.engine.{module}"), kind)(data, SIZE, WIDTH).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype))
    return network


def joined(network: Any, tokens: Sequence[Array]) -> Array:
    """Scores that the network makes of encoded modalities, all of whose tokens are there."""
    import torch

    from harness.topics.fusion.engine.encoders import Encoded

    encoded = {
        name: Encoded(torch.from_numpy(each), torch.ones(each.shape[:2], dtype=torch.bool))
        for name, each in zip(network.names, tokens, strict=True)
    }
    scores: Array = network.join(encoded).detach().numpy()
    return scores


def array(weight: Any) -> Array:
    """A weight in numpy."""
    made_of: Array = weight.detach().numpy()
    return made_of


def linear(module: Any, x: Array) -> Array:
    """The same linear layer in numpy."""
    product = x @ array(module.weight).T
    return product if module.bias is None else product + array(module.bias)


def norm(module: Any, x: Array) -> Array:
    """The same layer norm in numpy."""
    return layer_norm(x, array(module.weight), array(module.bias))


def head(module: Any, x: Array) -> Array:
    """The same two layers in numpy."""
    return linear(module.outer, gelu(linear(module.inner, x)))


def attention(module: nn.Module, queries: Array, keys: Array) -> Array:
    """The same attention of two heads in numpy."""
    query, key, value = linear(module.query, queries), linear(module.key, keys), linear(module.value, keys)
    return linear(module.out, multi_head(query, key, value, heads=2, causal=False))


def test_concatenation(data: Divided, tokens: list[Array]) -> None:
    network = made("Concatenation", "networks", data)
    expected = head(network.head, np.concatenate([each.mean(1) for each in tokens], axis=1))
    close(joined(network, tokens), expected)


def test_gated_units(data: Divided, tokens: list[Array]) -> None:
    network = made("Gated", "products", data)
    means = [each.mean(1) for each in tokens]
    weights = [array(network.inner[name].weight).T for name in network.names]
    gates = array(network.gates.weight).T
    if len(means) == 2:
        hidden = papers.gated_bimodal(means[0], means[1], (weights[0], weights[1]), gates)
    else:
        hidden = papers.gated_multimodal(means, weights, np.split(gates, len(means), axis=1))
    close(joined(network, tokens), head(network.head, hidden))


def test_full_tensor(data: Divided, tokens: list[Array]) -> None:
    network = made("FullTensor", "products", data)
    vectors = [
        gelu(linear(network.inner[name], each.mean(1))) for name, each in zip(network.names, tokens, strict=True)
    ]
    expected = head(network.head, papers.tensor_fusion(vectors))
    close(joined(network, tokens), expected)


def test_low_rank_tensor(data: Divided, tokens: list[Array]) -> None:
    network = made("LowRank", "products", data)
    means = [each.mean(1) for each in tokens]
    factors = [array(network.factors[name]) for name in network.names]
    full = papers.tensor_fusion(means) @ papers.low_rank_weights(factors) + array(network.bias)
    close(joined(network, tokens), linear(network.outer, full))


def test_cross_attention(data: Divided, tokens: list[Array]) -> None:
    network = made("CrossAttention", "attention", data)
    normed = [norm(network.norms[name], each) for name, each in zip(network.names, tokens, strict=True)]
    means = []
    for i, name in enumerate(network.names):
        others = np.concatenate([each for j, each in enumerate(normed) if j != i], axis=1)
        means.append((tokens[i] + attention(network.attention[name], normed[i], others)).mean(1))
    expected = head(network.head, np.concatenate(means, axis=1))
    close(joined(network, tokens), expected)


def layer(module: Any) -> Callable[[Array], Array]:
    """The same layer of a Transformer, norms first, in numpy."""

    def transformed(x: Array) -> Array:
        normed = norm(module.before, x)
        x = x + attention(module.attention, normed, normed)
        return x + linear(module.outer, gelu(linear(module.inner, norm(module.between, x))))

    return transformed


def test_bottleneck_tokens(data: Divided, tokens: list[Array]) -> None:
    network = made("Bottleneck", "attention", data)
    classes = [np.repeat(array(network.tokens[name])[None], ROWS, axis=0) for name in network.names]
    own = [np.concatenate(pair, axis=1) for pair in zip(classes, tokens, strict=True)]
    shared = np.repeat(array(network.start)[None], ROWS, axis=0)
    for level in range(len(network.layers) // len(network.names)):
        layers = [layer(network.layers[f"{name}_{level}"]) for name in network.names]
        own, shared = papers.bottleneck_layer(own, shared, layers)
    expected = np.mean([linear(network.outer, norm(network.norm, each[:, 0])) for each in own], axis=0)
    close(joined(network, tokens), expected)


def test_late_fusions_average_and_multiply_probabilities(data: Divided) -> None:
    torch = pytest.importorskip("torch")
    from harness.topics.fusion.engine.networks import Late, LateProduct

    rng = np.random.default_rng(2)
    logs = papers.log_softmax(rng.normal(size=(len(data.train.modalities), ROWS, CLASSES)))
    there = torch.ones(logs.shape[:2], dtype=torch.bool)
    counts = np.bincount(data.train.labels, minlength=CLASSES) + 1
    multiplied = papers.product_of(list(np.exp(logs)), counts / counts.sum())
    for kind, expected in ((Late, np.exp(logs).mean(0)), (LateProduct, multiplied)):
        combined = kind(data, SIZE, WIDTH).double().combine(torch.from_numpy(logs), there).numpy()
        np.testing.assert_allclose(np.exp(papers.log_softmax(combined)), expected, rtol=1e-6)


def test_the_late_product_of_true_probabilities_is_the_true_probability(data: Divided) -> None:
    """Modalities that are independent given the class, of classes that are not equally frequent; some are missing."""
    torch = pytest.importorskip("torch")
    from harness.topics.fusion.engine.networks import LateProduct

    counts = np.array([1, 3, 5, 11])
    labels = np.append(np.repeat(np.arange(CLASSES), counts), UNLABELLED)
    train = replace(data.train.take(np.zeros(len(labels), np.intp)), labels=labels)
    priors = (counts + 1) / (counts + 1).sum()
    members = len(data.train.modalities)
    likelihoods = np.random.default_rng(3).uniform(0.05, 1, (members, ROWS, CLASSES))
    there = np.arange(members)[:, None] >= np.arange(ROWS) - 1
    joint = priors * np.where(there[..., None], likelihoods, 1).prod(axis=0)
    alone = priors * likelihoods
    logs = np.log(alone / alone.sum(axis=-1, keepdims=True))
    network = LateProduct(replace(data, train=train), SIZE, WIDTH)
    combined = network.combine(torch.from_numpy(logs), torch.from_numpy(there)).numpy()
    expected = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(papers.log_softmax(combined)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        ("Concatenation", "networks"),
        ("Gated", "products"),
        ("FullTensor", "products"),
        ("LowRank", "products"),
        ("CrossAttention", "attention"),
        ("Bottleneck", "attention"),
    ],
)
def test_what_a_modality_that_is_missing_would_be_does_not_matter(
    data: Divided, tokens: list[Array], kind: str, module: str
) -> None:
    torch = pytest.importorskip("torch")
    from harness.topics.fusion.engine.encoders import Encoded

    network = made(kind, module, data)
    here = [torch.ones(each.shape[:2], dtype=torch.bool) for each in tokens]
    here[0][:] = False
    scores = []
    for first in (tokens[0], tokens[0] + 5.0):
        values = [torch.from_numpy(each) for each in (first, *tokens[1:])]
        encoded = {name: Encoded(*pair) for name, *pair in zip(network.names, values, here, strict=True)}
        scores.append(network.join(encoded).detach().numpy())
    close(*scores)
