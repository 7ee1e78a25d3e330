"""Language models of a recipe: made, trained on batches of a corpus, and asked for the next characters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from harness.topics._shared.deep import parameter_count, saved_for_backward
from harness.topics.normalization.budget import HEADS
from harness.topics.normalization.corpus import Corpus
from harness.topics.normalization.engine.batches import batches, next_token_loss
from harness.topics.normalization.engine.devices import prepared
from harness.topics.normalization.engine.norms import has_batch_norm
from harness.topics.normalization.engine.training import Budget, Trained, train
from harness.topics.normalization.engine.transformer import Transformer
from harness.topics.normalization.learned import Floats
from harness.topics.normalization.recipes import Recipe

if TYPE_CHECKING:
    from harness import PhaseClock

#: Pieces of text that are scored at once.
AT_ONCE = 64


def model_of(recipe: Recipe, data: Corpus, params: Mapping[str, Any], device: str) -> Transformer:
    """Make a causal Transformer that scores the characters of a corpus; torch's seed decides its weights."""
    return Transformer(
        recipe,
        tokens=data.size,
        length=data.test.shape[1],
        scores=data.size,
        width=params["width"],
        heads=HEADS,
        layers=params["layers"],
    ).to(device)


def prepared_model(
    recipe: Recipe, data: Corpus, params: Mapping[str, Any], device: str, phase: PhaseClock
) -> nn.Module:
    """Make a model as `model_of` does, and compile it, or let it use bfloat16, where the recipe says so."""
    batch = next(batches(data, data.test.shape[1], params["batch"], 0, device))
    asked = torch.from_numpy(data.test[:AT_ONCE].astype(np.int64))
    (ready,) = prepared([model_of(recipe, data, params, device)], recipe, device, phase, batch, asked)
    return ready


def teach(model: nn.Module, data: Corpus, params: Mapping[str, Any], rate: float, seed: int, device: str) -> Trained:
    """Train a language model at a learning rate."""
    drawn = batches(data, data.test.shape[1], params["batch"], seed, device)
    return train(model, drawn, next_token_loss, Budget(params["steps"], rate, params["warmup"]))


@torch.inference_mode()
def predict(model: nn.Module, data: Corpus, device: str, at_once: int = AT_ONCE) -> Floats:
    """Return the log-probabilities of the next characters, float32, shape (windows, context, size).

    The model stays in the mode in which it is.
    """
    windows = torch.from_numpy(data.test.astype(np.int64)).to(device)
    parts = [torch.log_softmax(model(part), dim=-1).cpu() for part in windows.split(at_once)]
    predicted: Floats = torch.cat(parts).numpy()
    return predicted


def scored(model: nn.Module, data: Corpus, trained: Trained, device: str) -> tuple[Floats | None, int | None]:
    """Predict in evaluation mode; or return ``None`` and the step at which training diverged.

    That is the last step where all losses were finite but a prediction is not.
    """
    if trained.diverged is not None:
        return None, trained.diverged
    predicted = predict(model.eval(), data, device)
    return (predicted, None) if np.isfinite(predicted).all() else (None, len(trained.losses))


def in_training(model: nn.Module, data: Corpus, evaluated: Floats, batch: int, device: str) -> Floats:
    """Predict as in training: batch norm takes its statistics from as many pieces at once as a batch had.

    So it looks ahead: the statistics contain the characters to predict. A copy of the model predicts, because its
    running averages change.

    Parameters
    ----------
    evaluated
        What the model predicts in evaluation mode; it is returned where there is no batch norm, as it is the same.
    """
    if not has_batch_norm(model):
        return evaluated
    return predict(copy.deepcopy(model).train(), data, device, batch)


def size_of(model: nn.Module, data: Corpus, batch: int, device: str) -> dict[str, int]:
    """Count the parameters of a model, and the bytes that a step of training saves for its gradients."""
    model.train()
    inputs, targets = next(batches(data, data.test.shape[1], batch, 0, device))
    with saved_for_backward(model) as saved:
        next_token_loss(model, inputs, targets)
    return {"parameters": parameter_count(model), "saved_bytes": saved.bytes}
