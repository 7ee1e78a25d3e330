"""The task kernels: what a norm costs, against a copy of the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness import Dataset, Generator, InvalidOutputError, Judgement, Metric, Param, Profile, Scalar, Work
from harness.topics.normalization import ENGINE, topic

if TYPE_CHECKING:
    from harness import PhaseClock, Problem

Floats = npt.NDArray[np.float32]

PARAMS = {
    "tokens": Param(1_024, low=2, high=10_000_000, summary="rows of the activations"),
    "width": Param(512, low=2, high=1_000_000, summary="features of a token"),
}


@dataclass(frozen=True, eq=False)
class Activations:
    """What a norm is applied to; both float32, shape (tokens, width).

    Attributes
    ----------
    x
        Activations of which each token has another scale and each feature another mean.
    upstream
        The gradient with respect to the result of the norm.
    """

    x: Floats
    upstream: Floats


@dataclass(frozen=True, eq=False)
class Normalised:
    """What a strategy returns.

    Attributes
    ----------
    name
        Which function it is, as `engine.kernels` calls it.
    y, gradient
        The result, and the gradient with respect to the activations; shape (tokens, width).
    saved_bytes
        What the forward pass saved for the backward pass.
    """

    name: str
    y: Floats
    gradient: Floats
    saved_bytes: int


def draw(params: Mapping[str, Scalar], rng: Generator) -> Activations:
    """Draw activations with scales of tokens over a decade and means of features of the same size as the noise."""
    shape = int(params["tokens"]), int(params["width"])
    scales = 10.0 ** rng.uniform(-0.5, 0.5, (shape[0], 1)).astype(np.float32)
    x = rng.standard_normal(shape, np.float32) + rng.standard_normal((1, shape[1]), np.float32)
    return Activations(x * scales, rng.standard_normal(shape, np.float32))


def judge(data: Activations, output: Any) -> Judgement:
    """Compare a norm and its gradient with float64.

    Raises
    ------
    InvalidOutputError
        When the output is not a `Normalised`, or its arrays have another shape or values that are not finite.
    """
    import torch

    from harness.topics.normalization.engine.kernels import reference

    if not isinstance(output, Normalised):
        raise InvalidOutputError(f"expected a Normalised, not a {type(output).__name__}")
    wanted = reference(output.name, torch.tensor(data.x), torch.tensor(data.upstream))
    errors = {}
    for metric, found, exact in zip(("error", "gradient_error"), (output.y, output.gradient), wanted, strict=True):
        if found.shape != data.x.shape or not np.isfinite(found).all():
            raise InvalidOutputError(f"expected finite numbers of shape {data.x.shape}, not those of {found.shape}")
        errors[metric] = float(np.abs(found - exact.numpy()).max())
    return Judgement({"saved_bytes": float(output.saved_bytes), **errors})


task = topic.task(
    "kernels",
    title="Norms of activations, forward and backward, against a copy of the same bytes",
    datasets=[Dataset("activations", draw, "Normal numbers; each token has its scale.", params=PARAMS)],
    phases=["forward", "backward"],
    metrics=[
        Metric(
            "error",
            direction="lower",
            unit="1",
            margin=1e-4,
            summary="Largest error of a normalised number, against the same formula in float64.",
        ),
        Metric(
            "gradient_error",
            direction="lower",
            unit="1",
            margin=1e-3,
            summary="Largest error of a gradient with respect to the activations, against float64.",
        ),
        Metric(
            "saved_bytes",
            direction="lower",
            unit="byte",
            summary="What the forward pass saves for the backward pass: memory that a network holds for every norm.",
        ),
    ],
    judge=judge,
    params=PARAMS,
    sweep={"width": [64]},
    work={"forward": Work("number", of=("tokens", "width")), "backward": Work("number", of=("tokens", "width"))},
    reference="copy",
    quick=Profile(3, strategies=("copy", "layer-norm", "rms-norm")),
    full=Profile(10, sweeps=True),
)

NEEDS = (f"{ENGINE}.kernels", "harness.topics._shared.deep")


@task.strategy("copy", needs=NEEDS, note="It allocates nothing and normalises nothing.", yardstick=True)
def copy(problem: Problem, phase: PhaseClock) -> Normalised:
    """Move the bytes that no norm can avoid: read and write once; for the gradient, read two arrays and write one."""
    import torch

    from harness.topics.normalization.engine.kernels import keep_freed_memory

    keep_freed_memory()
    data: Activations = problem.data
    x, upstream = torch.tensor(data.x), torch.tensor(data.upstream)
    y, gradient = torch.zeros_like(x), torch.zeros_like(x)
    for _ in phase("forward"):
        y.copy_(x)
    for _ in phase("backward"):
        torch.add(x, upstream, out=gradient)
    return Normalised("copy", y.numpy(), gradient.numpy(), data.x.nbytes)


def _strategy(name: str, summary: str) -> Callable[[Problem, PhaseClock], Normalised]:
    def strategy(problem: Problem, phase: PhaseClock) -> Normalised:
        import torch

        from harness.topics._shared.deep import saved_for_backward
        from harness.topics.normalization.engine.kernels import keep_freed_memory, kernel

        keep_freed_memory()
        data: Activations = problem.data
        x = torch.tensor(data.x, requires_grad=True)
        upstream = torch.tensor(data.upstream)
        module = kernel(name, data.x.shape[1])
        wanted = [x, *module.parameters()]
        for _ in phase("forward"):
            y = module(x)
        for _ in phase("backward"):
            gradients = torch.autograd.grad(y, wanted, upstream, retain_graph=True)
        with saved_for_backward(module) as saved:
            module(x)
        return Normalised(name, y.detach().numpy(), gradients[0].numpy(), saved.bytes)

    strategy.__doc__ = summary
    return strategy


for label, name, summary in (
    ("layer-norm", "layer", "torch's layer norm."),
    ("rms-norm", "rms", "torch's RMS norm."),
    ("rms-norm-composed", "rms-composed", "RMS norm in elementary operations of torch."),
    ("batch-norm", "batch", "torch's batch norm over all tokens, as in training."),
    ("dyt", "dyt", "A scaled tanh (Zhu et al. 2025), in elementary operations of torch."),
    ("derf", "derf", "A scaled error function (Chen et al. 2025), in elementary operations of torch."),
):
    task.strategy(label, needs=NEEDS)(_strategy(name, summary))
