"""Each fusion against a plain loop written from its paper, masks, and equal numbers of parameters."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from harness.topics.fusion.examples import Divided, Examples, Modality, only
from harness.topics.fusion.networks import JOINT, LATE

if TYPE_CHECKING:
    import torch

    from harness.topics.fusion.engine.encoders import Encoded
    from harness.topics.fusion.engine.networks import Fusion, Network

B, W, C = 5, 6, 3
KINDS = {kind.name: kind.needs for kind in (*JOINT.values(), *LATE.values())}


def kind(name: str) -> type[Network]:
    found: type[Network] = getattr(import_module(KINDS[name]), name)
    return found


def examples(n: int, shapes: dict[str, tuple[str, int, tuple[int, ...]]], classes: int = C) -> Divided:
    rng = np.random.default_rng(0)
    made = {}
    for name, (kind_, size, shape) in shapes.items():
        values: np.ndarray
        if kind_ == "ids":
            values = rng.integers(1, size, (n, *shape))
        elif kind_ == "pixels":
            values = rng.integers(0, 255, (n, *shape)).astype(np.uint8)
        else:
            values = rng.normal(size=(n, *shape)).astype(np.float32)
        made[name] = Modality(kind_, values, size, np.ones(n, np.bool_))
    part = Examples(made, rng.integers(0, classes, n), np.arange(n))
    return Divided(part, part, classes)


TWO = {"a": ("numbers", 4, (4,)), "b": ("set", 3, (5, 3))}
THREE = {**TWO, "text": ("ids", 20, (7,))}
EMOJI = {"text": ("ids", 1479, (11,)), "image": ("pixels", 3, (32, 32, 3))}
DEBIAN = {"text": ("ids", 6938, (16,)), "links": ("ids", 8088, (32,)), "numbers": ("numbers", 7, (7,))}
GENERATED = {"a": ("numbers", 4, (4,)), "b": ("numbers", 4, (4,))}


@pytest.fixture
def torch_() -> None:
    """Seed torch, in one thread."""
    import torch

    torch.manual_seed(0)


def built(name: str, data: Divided, size: int = 4) -> Fusion:
    import torch

    torch.manual_seed(0)
    made: Fusion = kind(name)(data, size)  # type: ignore[assignment]
    return made.eval()


def encoded(network: Fusion, data: Divided) -> dict[str, Encoded]:
    from harness.topics.fusion.engine.fitting import tensors

    return network.encode(*tensors(data.train))


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().double().numpy()
    return array


def weights(network: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: numpy_of(value) for name, value in network.named_parameters()}


def gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    result: np.ndarray = x * (1 + erf(x / 2**0.5)) / 2
    return result


def sigmoid(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-x))
    return result


def head(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    inner = gelu(w["head.inner.weight"] @ x + w["head.inner.bias"])
    result: np.ndarray = w["head.outer.weight"] @ inner + w["head.outer.bias"]
    return result


def layer_norm(w: dict[str, np.ndarray], prefix: str, x: np.ndarray) -> np.ndarray:
    result: np.ndarray = (x - x.mean()) / np.sqrt(x.var() + 1e-5) * w[f"{prefix}.weight"] + w[f"{prefix}.bias"]
    return result


def attend(w: dict[str, np.ndarray], prefix: str, query: np.ndarray, keys: list[np.ndarray]) -> np.ndarray:
    """Attention of one query, head by head."""
    parts = []
    size = len(w[f"{prefix}.query.weight"]) // 2
    for number in range(2):
        rows = slice(number * size, (number + 1) * size)
        q = w[f"{prefix}.query.weight"][rows] @ query
        scores = np.array([q @ (w[f"{prefix}.key.weight"][rows] @ key) / size**0.5 for key in keys])
        share = np.exp(scores - scores.max())
        share /= share.sum()
        parts.append(sum(s * (w[f"{prefix}.value.weight"][rows] @ key) for s, key in zip(share, keys, strict=True)))
    result: np.ndarray = w[f"{prefix}.out.weight"] @ np.concatenate(parts)
    return result


def test_gates_of_two_modalities_add_up_to_1(torch_: None) -> None:
    data = examples(B, TWO)
    network = built("Gated", data)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    for row in range(B):
        a, b = (numpy_of(parts[name].mean())[row] for name in "ab")
        z = sigmoid(w["gates.weight"] @ np.concatenate([a, b]))
        h = z * np.tanh(w["inner.a.weight"] @ a) + (1 - z) * np.tanh(w["inner.b.weight"] @ b)
        np.testing.assert_allclose(scores[row], head(w, h), atol=1e-5)


def test_each_of_three_modalities_has_a_gate(torch_: None) -> None:
    data = examples(B, THREE)
    network = built("Gated", data)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    means = [numpy_of(parts[name].mean()) for name in network.names]
    for row in range(B):
        z = sigmoid(w["gates.weight"] @ np.concatenate([mean[row] for mean in means]))
        h = sum(
            z[4 * m : 4 * m + 4] * np.tanh(w[f"inner.{name}.weight"] @ means[m][row])
            for m, name in enumerate(network.names)
        )
        np.testing.assert_allclose(scores[row], head(w, h), atol=1e-5)


def test_full_tensor_is_the_outer_product_with_ones(torch_: None) -> None:
    data = examples(B, THREE)
    network = built("FullTensor", data, 3)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    for row in range(B):
        vectors = []
        for name in network.names:
            mean = numpy_of(parts[name].mean())[row]
            vectors.append(np.append(gelu(w[f"inner.{name}.weight"] @ mean), 1))
        tensor = np.einsum("i,j,k->ijk", *vectors).ravel()
        np.testing.assert_allclose(scores[row], head(w, tensor), atol=1e-5)


def test_low_rank_is_a_full_tensor_of_that_rank(torch_: None) -> None:
    data = examples(B, THREE)
    network = built("LowRank", data)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    factors = [w[f"factors.{name}"] for name in network.names]
    # The weight tensor, which the network never forms: one for each entry of the tensor and number of h.
    full = np.einsum("rio,rjo,rko->ijko", *factors)
    for row in range(B):
        vectors = [np.append(numpy_of(parts[name].mean())[row], 1) for name in network.names]
        h = np.einsum("i,j,k,ijko->o", *vectors, full) + w["bias"]
        np.testing.assert_allclose(scores[row], w["outer.weight"] @ h + w["outer.bias"], rtol=1e-4, atol=1e-5)


def test_cross_attention_is_a_loop_over_tokens(torch_: None) -> None:
    data = examples(B, TWO)
    network = built("CrossAttention", data)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    tokens = {name: numpy_of(parts[name].tokens) for name in "ab"}
    for row in range(B):
        normed = {name: [layer_norm(w, f"norms.{name}", t) for t in tokens[name][row]] for name in "ab"}
        means = []
        for name, other in (("a", "b"), ("b", "a")):
            attended = [attend(w, f"attention.{name}", query, normed[other]) for query in normed[name]]
            means.append((tokens[name][row] + np.array(attended)).mean(axis=0))
        np.testing.assert_allclose(scores[row], head(w, np.concatenate(means)), atol=1e-5)


def test_bottleneck_is_a_loop_over_layers_and_modalities(torch_: None) -> None:
    data = examples(B, TWO)
    network = built("Bottleneck", data)
    parts, w = encoded(network, data), weights(network)
    scores = numpy_of(network.join(parts))
    for row in range(B):
        own = {name: [w[f"tokens.{name}"][0], *numpy_of(parts[name].tokens)[row]] for name in "ab"}
        shared = list(w["start"])
        for level in range(2):
            updates = []
            for name in "ab":
                x = _layer(w, f"layers.{name}_{level}", [*own[name], *shared])
                own[name] = x[: len(own[name])]
                updates.append(x[len(own[name]) :])
            shared = [np.mean(pair, axis=0) for pair in zip(*updates, strict=True)]
        scored = [w["outer.weight"] @ layer_norm(w, "norm", own[name][0]) + w["outer.bias"] for name in "ab"]
        np.testing.assert_allclose(scores[row], np.mean(scored, axis=0), atol=1e-5)


def _layer(w: dict[str, np.ndarray], prefix: str, x: list[np.ndarray]) -> list[np.ndarray]:
    normed = [layer_norm(w, f"{prefix}.before", t) for t in x]
    x = [t + attend(w, f"{prefix}.attention", query, normed) for t, query in zip(x, normed, strict=True)]
    result = []
    for t in x:
        inner = gelu(w[f"{prefix}.inner.weight"] @ layer_norm(w, f"{prefix}.between", t) + w[f"{prefix}.inner.bias"])
        result.append(t + w[f"{prefix}.outer.weight"] @ inner + w[f"{prefix}.outer.bias"])
    return result


def test_bottleneck_tokens_are_the_only_exchange(torch_: None) -> None:
    """Without their influence on the class tokens, a modality changes nothing that another one's class token says."""
    import torch

    data = examples(B, TWO)
    network = built("Bottleneck", data)
    parts = encoded(network, data)
    moved = {**parts, "b": parts["b"]._replace(tokens=parts["b"].tokens + torch.randn(1, 1, 64))}
    seen: list[torch.Tensor] = []
    cast("torch.nn.Module", network.norm).register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    network.join(parts)
    network.join(moved)
    assert not torch.allclose(seen[0], seen[2])  # the class token of a feels b through the bottleneck
    # After one layer it does not yet: the bottleneck carries b only into the next layer.
    from harness.topics.fusion.engine import attention

    before, attention.LAYERS = attention.LAYERS, 1
    try:
        network.join(parts)
        network.join(moved)
    finally:
        attention.LAYERS = before
    torch.testing.assert_close(seen[4], seen[6])


def test_late_ensembles_average_and_multiply_what_members_say(torch_: None) -> None:
    import torch

    from harness.topics.fusion.engine.fitting import tensors

    data = examples(B, TWO)
    values, present = tensors(data.train)
    priors = np.bincount(data.train.labels, minlength=C) + 1
    for name in ("Late", "LateProduct"):
        network = built(name, data)
        parts = [numpy_of(torch.softmax(cast("Any", network.members)[m](values, present), 1)) for m in "ab"]
        expected = np.mean(parts, axis=0) if name == "Late" else np.prod(parts, axis=0) / priors
        expected /= expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(numpy_of(torch.softmax(network(values, present), 1)), expected, atol=1e-6)


def test_members_of_a_late_ensemble_are_trained_as_if_alone(torch_: None) -> None:

    from harness.topics.fusion.engine.fitting import Budget, fit, predict
    from harness.topics.fusion.engine.networks import Concatenation

    data = examples(100, TWO)
    ensemble = built("Late", data)
    alone = Concatenation(only(data, "a"), 4)
    alone.load_state_dict(ensemble.members["a"].state_dict())  # type: ignore[index, union-attr]
    budget = Budget(epochs=2)
    fit(ensemble, data, budget, 0)
    expected = predict(fit(alone, only(data, "a"), budget, 0), data.test)
    found = predict(ensemble.members["a"], only(data, "a").test)  # type: ignore[index, arg-type]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_what_an_example_lacks_changes_nothing(name: str, torch_: None) -> None:
    import torch

    from harness.topics.fusion.engine.fitting import tensors

    data = examples(B, THREE)
    network = built(name, data)
    values, present = tensors(data.train)
    lacking = {**present, "b": torch.zeros(B, dtype=torch.bool)}
    other = {**values, "b": torch.randn_like(values["b"])}
    torch.testing.assert_close(network(values, lacking), network(other, lacking))
    assert not torch.allclose(network(values, present), network(other, present))


@pytest.mark.parametrize("name", KINDS)
def test_nothing_present_gives_finite_scores(name: str, torch_: None) -> None:
    import torch

    from harness.topics.fusion.engine.fitting import tensors

    data = examples(B, TWO)
    values, present = tensors(data.train)
    scores = built(name, data)(values, {m: torch.zeros_like(p) for m, p in present.items()})
    assert torch.isfinite(torch.softmax(scores, dim=1)).all()


@pytest.mark.parametrize("shapes", [EMOJI, DEBIAN, GENERATED], ids=["emoji", "debian-packages", "generated"])
@pytest.mark.parametrize("name", KINDS)
def test_parameters_are_within_5_percent(name: str, shapes: dict[str, tuple[str, int, tuple[int, ...]]]) -> None:
    import torch

    from harness.topics._shared.deep import parameter_count
    from harness.topics.fusion.engine.networks import matched, parameters_of_concatenation

    data = examples(2, shapes, classes=24 if "links" in shapes else 8)
    with torch.device("meta"):
        count = parameter_count(kind(name)(data, matched(kind(name), data)))
    assert abs(count / parameters_of_concatenation(data) - 1) < 0.05
