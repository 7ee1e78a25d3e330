"""Kernels: the float64 reference against numpy, planted errors, and the bytes that are saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from topics.normalization.plain_transformer import NORMS
from unmeasured import unmeasured

pytest.importorskip("torch")

import torch

from harness import InvalidOutputError, Problem
from harness.topics.normalization import kernels
from harness.topics.normalization.engine.kernels import reference
from harness.topics.normalization.engine.norms import norm

PARAMS = {"tokens": 40, "width": 16}
DATA = kernels.draw(PARAMS, np.random.default_rng(0))


def output_of(strategy: str) -> Any:
    return kernels.task.strategies[strategy].run(Problem(DATA, PARAMS, 0), unmeasured)


@pytest.mark.parametrize("name", NORMS)
def test_the_reference_is_the_formula_and_torch_in_float64(name: str) -> None:
    x, upstream = torch.tensor(DATA.x), torch.tensor(DATA.upstream)
    y, gradient = reference(name, x, upstream)
    module = norm(name, PARAMS["width"]).double()
    inputs = [getattr(module, parameter).detach().numpy() for parameter in NORMS[name][1]]
    np.testing.assert_allclose(y.numpy(), NORMS[name][0](DATA.x.astype(float), *inputs), rtol=1e-10, atol=1e-12)
    given = x.double().requires_grad_()
    (theirs,) = torch.autograd.grad(module(given), given, upstream.double())
    np.testing.assert_allclose(gradient.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("strategy", kernels.task.strategies)
def test_every_kernel_is_exact_to_float32_and_a_planted_error_is_found(strategy: str) -> None:
    output = output_of(strategy)
    judged = kernels.judge(DATA, output).metrics
    assert judged["error"] < 1e-5
    assert judged["gradient_error"] < 1e-4
    wrong = output.gradient.copy()
    wrong[3, 5] += 0.25
    judged = kernels.judge(DATA, replace(output, gradient=wrong)).metrics
    assert judged["gradient_error"] == pytest.approx(0.25, abs=1e-4)
    assert judged["error"] < 1e-5


def test_layer_norm_saves_its_input_and_two_numbers_a_token() -> None:
    size, tokens = DATA.x.nbytes, PARAMS["tokens"]
    assert output_of("copy").saved_bytes == size
    assert output_of("layer-norm").saved_bytes == size + 2 * 4 * tokens
    assert output_of("rms-norm").saved_bytes > 1.9 * size


def test_the_copy_moves_each_array_once() -> None:
    output = output_of("copy")
    np.testing.assert_array_equal(output.y, DATA.x)
    np.testing.assert_array_equal(output.gradient, DATA.x + DATA.upstream)


def test_what_cannot_be_judged_is_said() -> None:
    output = output_of("dyt")
    for wrong in (None, replace(output, y=output.y[:-1]), replace(output, y=output.y * np.float32(np.nan))):
        with pytest.raises(InvalidOutputError, match="expected"):
            kernels.judge(DATA, wrong)
