"""Norms: numpy and central differences in float64, torch's own modules, and what they do not depend on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topics.normalization.plain_transformer import EPS, NORMS, Array

pytest.importorskip("torch")

import torch

from harness.topics.normalization.engine.norms import norm

TOKENS, WIDTH = 6, 5


def made(name: str, seed: int = 0) -> Any:
    """Return a norm in float64 with random parameters."""
    torch.manual_seed(seed)
    module = norm(name, WIDTH).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


def numbers(seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(0.3, 1.5, (TOKENS, WIDTH))


def arguments(name: str, module: Any) -> list[Array]:
    return [getattr(module, parameter).detach().numpy().copy() for parameter in NORMS[name][1]]


def slopes(name: str, inputs: list[Array], upstream: Array) -> list[Array]:
    """Differentiate sum(upstream * norm) by central differences, with respect to each input."""
    function, step = NORMS[name][0], 1e-6
    found = []
    for place in range(len(inputs)):
        slope = np.zeros_like(inputs[place])
        for at in np.ndindex(slope.shape):
            ends = []
            for sign in (1, -1):
                moved = [array.copy() for array in inputs]
                moved[place][at] += sign * step
                ends.append((upstream * function(*moved)).sum())
            slope[at] = (ends[0] - ends[1]) / (2 * step)
        found.append(slope)
    return found


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_and_its_gradients_are_those_of_the_formula(name: str) -> None:
    module, x, upstream = made(name), numbers(), numbers(2)
    inputs = [x, *arguments(name, module)]
    given_x = torch.tensor(x, requires_grad=True)
    y = module(given_x)
    np.testing.assert_allclose(y.detach().numpy(), NORMS[name][0](*inputs), rtol=1e-12, atol=1e-12)
    y.backward(torch.tensor(upstream))
    gradients = [given_x.grad, *(getattr(module, parameter).grad for parameter in NORMS[name][1])]
    for gradient, slope in zip(gradients, slopes(name, inputs, upstream), strict=True):
        np.testing.assert_allclose(gradient.numpy(), slope, rtol=1e-6, atol=1e-7)


def test_a_wrong_formula_would_be_noticed() -> None:
    x, one, zero = numbers(), np.ones(WIDTH), np.zeros(WIDTH)
    assert np.abs(NORMS["layer"][0](x, one, zero) - NORMS["rms"][0](x, one)).max() > 0.1
    assert np.abs(NORMS["layer"][0](x, one, zero) - NORMS["batch"][0](x, one, zero)).max() > 0.1


def test_layer_and_rms_norm_are_torch_functions_with_the_same_eps() -> None:
    x = torch.tensor(numbers())
    layer, rms = made("layer"), made("rms")
    functional = torch.nn.functional
    assert torch.equal(layer(x), functional.layer_norm(x, (WIDTH,), layer.weight, layer.bias, EPS))
    assert torch.equal(rms(x), functional.rms_norm(x, (WIDTH,), rms.weight, EPS))


def test_batch_norm_takes_all_tokens_and_in_evaluation_running_averages() -> None:
    module = norm("batch", WIDTH).double()
    mean, variance = np.zeros(WIDTH), np.ones(WIDTH)
    for seed in range(3):
        x = numbers(seed)
        module(torch.tensor(x.reshape(2, 3, WIDTH)))
        # Ioffe & Szegedy 2015, algorithm 2: the variance without bias; torch's momentum is 0.1.
        mean, variance = 0.9 * mean + 0.1 * x.mean(0), 0.9 * variance + 0.1 * x.var(0, ddof=1)
    x = numbers(9)
    found = module.eval()(torch.tensor(x.reshape(3, 2, WIDTH))).detach().numpy()
    np.testing.assert_allclose(found.reshape(TOKENS, WIDTH), (x - mean) / np.sqrt(variance + EPS), rtol=1e-12)


def test_functions_without_statistics_begin_where_their_papers_say() -> None:
    x = torch.tensor(numbers())
    assert torch.allclose(norm("dyt", WIDTH).double()(x), torch.tanh(0.5 * x))
    assert torch.allclose(norm("derf", WIDTH).double()(x), torch.erf(0.5 * x))


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.1, 1e3), shift=st.floats(-10, 10), seed=st.integers(0, 1_000))
def test_which_changes_of_scale_and_mean_a_norm_removes(scale: float, shift: float, seed: int) -> None:
    x = torch.tensor(numbers(seed) * 100)  # large beside eps
    layer, rms = made("layer"), made("rms")
    torch.testing.assert_close(layer(scale * x + shift), layer(x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(rms(scale * x), rms(x), rtol=1e-4, atol=1e-4)
