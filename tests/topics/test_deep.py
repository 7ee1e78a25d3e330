"""Bytes saved for gradients against hand counts, and seeds."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from harness.topics._shared.deep import parameter_count, saved_for_backward, seeded

FLOAT = 4


def test_a_linear_layer_saves_its_input() -> None:
    layer = torch.nn.Linear(3, 5)
    with saved_for_backward(layer) as saved:
        layer(torch.ones(2, 3))
    assert saved.bytes == 2 * 3 * FLOAT


def test_a_network_saves_what_its_derivatives_need() -> None:
    # Input of the first layer; result of tanh, which is also the input of the second: 2 x 3 and 2 x 5 numbers.
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    with saved_for_backward(network) as saved:
        network(torch.ones(2, 3)).sum()
    assert saved.bytes == (2 * 3 + 2 * 5) * FLOAT


def test_a_shared_storage_counts_once_and_as_a_whole() -> None:
    x = torch.ones(4, 6, requires_grad=True)
    with saved_for_backward(torch.nn.Identity()) as saved:
        y = 2 * x
        (y[:2] ** 2).sum() + (y[1:] ** 3).sum()
    assert saved.bytes == 4 * 6 * FLOAT


def test_equal_numbers_in_two_storages_count_twice() -> None:
    x = torch.ones(4, 6, requires_grad=True)
    with saved_for_backward(torch.nn.Identity()) as saved:
        ((2 * x) ** 2).sum() + ((2 * x) ** 2).sum()
    assert saved.bytes == 2 * 4 * 6 * FLOAT


def test_parameters_and_running_averages_are_not_counted() -> None:
    # Batch norm saves its input, and mean and deviation of each of 3 features.
    layer = torch.nn.BatchNorm1d(3)
    with saved_for_backward(layer) as saved:
        layer(torch.randn(8, 3))
    assert saved.bytes == (8 * 3 + 2 * 3) * FLOAT


def test_layer_norm_saves_mean_and_deviation_of_each_row() -> None:
    layer = torch.nn.LayerNorm(3)
    with saved_for_backward(layer) as saved:
        layer(torch.randn(8, 3))
    assert saved.bytes == (8 * 3 + 2 * 8) * FLOAT


def test_nothing_is_saved_without_gradients() -> None:
    layer = torch.nn.Linear(3, 5)
    with saved_for_backward(layer) as saved, torch.no_grad():
        layer(torch.ones(2, 3))
    assert saved.bytes == 0


def test_counting_changes_no_gradient() -> None:
    seeded(0)
    layer, x = torch.nn.Linear(3, 5), torch.randn(2, 3)
    plain = torch.autograd.grad(layer(x).tanh().sum(), layer.weight)
    with saved_for_backward(layer):
        value = layer(x).tanh().sum()
    assert torch.equal(*plain, *torch.autograd.grad(value, layer.weight))


def test_frozen_parameters_are_not_trained() -> None:
    layer = torch.nn.Linear(3, 5)
    layer.bias.requires_grad = False
    assert parameter_count(layer) == 15


def test_a_seed_gives_the_same_numbers() -> None:
    def numbers(seed: int) -> torch.Tensor:
        seeded(seed)
        return torch.rand(5)

    first, second, other = map(numbers, (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
