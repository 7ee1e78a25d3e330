"""What the topics of deep learning share: seeds, the size of a model, and the bytes saved for its gradients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch

# `use_deterministic_algorithms` imports it, which takes two seconds: here it happens before any clock starts.
import torch._inductor.config
from torch import nn


def seeded(seed: int) -> None:
    """Seed torch on all devices, and let it use deterministic algorithms where it has them."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, cuBLAS is not deterministic
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)


def parameter_count(model: nn.Module) -> int:
    """Count the trained parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@dataclass(eq=False)
class Saved:
    """The storages that autograd keeps until the gradients are computed, each counted once."""

    sizes: dict[int, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(self.sizes.values())


@contextmanager
def saved_for_backward(model: nn.Module) -> Iterator[Saved]:
    """Count the activations that a forward pass saves for the backward pass, with its inputs.

    Parameters and buffers of the model are not counted, since they are there anyway. A view counts as the whole storage
    that it keeps alive, and tensors of one storage count once. Gradients must be computed after the block, or not at
    all: memory that is freed inside of it may be used again.

    Examples
    --------
    >>> layer = nn.Linear(3, 5)
    >>> with saved_for_backward(layer) as saved:
    ...     loss = layer(torch.ones(2, 3)).tanh().sum()
    >>> saved.bytes  # the input, 2 x 3 numbers of 4 bytes, and the result of tanh, 2 x 5
    64
    """
    saved = Saved()
    own = {tensor.untyped_storage().data_ptr() for tensor in chain(model.parameters(), model.buffers())}

    def pack(tensor: torch.Tensor) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved.sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved
