"""How a model is computed: on which device, compiled or not, and in which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from harness import CannotRunError
from harness.topics.normalization.engine.batches import next_token_loss
from harness.topics.normalization.engine.transformer import Transformer
from harness.topics.normalization.recipes import Recipe

if TYPE_CHECKING:
    from harness import PhaseClock


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

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Score as the model does."""
        with torch.autocast(tokens.device.type, torch.bfloat16):
            scores: torch.Tensor = self.model(tokens)
        return scores.float()


def prepared(
    model: Transformer, recipe: Recipe, device: str, phase: PhaseClock, batch: tuple[torch.Tensor, torch.Tensor]
) -> nn.Module:
    """Move a model to a device and make it compute as a recipe says.

    Layers are compiled one by one: they are alike, so that one compilation serves all of them, however many there are.

    Parameters
    ----------
    phase
        Compiling is the set-up phase ``compile``; it is not entered where nothing is compiled.
    batch
        Inputs and targets like those of training, to compile with; on any device.

    Raises
    ------
    CannotRunError
        Where torch has to compile and finds no compiler.
    """
    model.to(device)
    ready = InBfloat16(model) if recipe.bfloat16 else model
    if recipe.compiled:
        with phase("compile"):
            _compile(model, ready, (batch[0].to(device), batch[1].to(device)))
    return ready


def _compile(model: Transformer, ready: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    import torch._inductor.config

    # In this process and not in others: those would outlive the trial.
    torch._inductor.config.compile_threads = 1
    for step in model.steps:
        step.compile()
    try:
        next_token_loss(ready, *batch).backward()
        with torch.no_grad():
            ready.eval()(batch[0])
    except torch._dynamo.exc.TorchDynamoException as error:
        raise CannotRunError(f"torch cannot compile here: {str(error).strip().splitlines()[0]}") from None
    ready.train()
    ready.zero_grad(set_to_none=True)
