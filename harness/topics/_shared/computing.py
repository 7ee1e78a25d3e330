"""How torch computes a model: in which numbers, and compiled or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch._dynamo
import torch._inductor.config
from torch import nn

from harness import CannotRunError


class InBfloat16(nn.Module):
    """A model whose matrix products are computed in bfloat16, and its scores returned in float32.

    Parameters
    ----------
    model
        Its weights stay in float32.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Any) -> torch.Tensor:
        """Score as the model does."""
        device = next(self.model.parameters()).device
        with torch.autocast(device.type, torch.bfloat16):
            scores: torch.Tensor = self.model(*inputs)
        return scores.float()


@contextmanager
def compiling() -> Iterator[None]:
    """Let torch compile what first runs in the block, in this process.

    Raises
    ------
    CannotRunError
        Where torch finds no compiler.
    """
    # In this process and not in others: those would outlive the trial.
    torch._inductor.config.compile_threads = 1
    try:
        yield
    except torch._dynamo.exc.TorchDynamoException as error:
        raise CannotRunError(f"torch cannot compile here: {str(error).strip().splitlines()[0]}") from None
