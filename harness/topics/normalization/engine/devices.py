"""How a model is computed: on which device, compiled or not, and in which numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from harness.topics._shared.computing import InBfloat16, compiling
from harness.topics.normalization.engine.batches import next_token_loss
from harness.topics.normalization.engine.transformer import Transformer
from harness.topics.normalization.recipes import Recipe

if TYPE_CHECKING:
    from harness import PhaseClock


def prepared(
    models: Sequence[Transformer],
    recipe: Recipe,
    device: str,
    phase: PhaseClock,
    batch: tuple[torch.Tensor, torch.Tensor],
    asked: torch.Tensor | None = None,
) -> list[nn.Module]:
    """Move models to a device and make them compute as a recipe says.

    Layers are compiled one by one: they are alike, so that one compilation serves all of them, however many there are.

    Parameters
    ----------
    phase
        Compiling is the set-up phase ``compile``; it is not entered where nothing is compiled.
    batch
        Inputs and targets like those of training, to compile with; on any device.
    asked
        Inputs like those of prediction; ``None`` where nothing is predicted.

    Raises
    ------
    CannotRunError
        Where torch has to compile and finds no compiler.
    """
    for model in models:
        model.to(device)
    ready: list[nn.Module] = [InBfloat16(model) if recipe.bfloat16 else model for model in models]
    if recipe.compiled:
        with phase("compile"):
            for model in models:
                for step in model.steps:
                    step.compile()
            for one in ready:
                _run_once(one, (batch[0].to(device), batch[1].to(device)), None if asked is None else asked.to(device))
    return ready


def _run_once(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor], asked: torch.Tensor | None) -> None:
    """Compute a step of training and a prediction, which is when torch compiles."""
    with compiling():
        next_token_loss(model, *batch).backward()
        if asked is not None:
            with torch.inference_mode():
                model.eval()(asked)
    model.train()
    model.zero_grad(set_to_none=True)
