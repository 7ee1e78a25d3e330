"""Norms as functions to be timed, and what they should return."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import torch
from torch import nn

from harness.topics.normalization.engine.norms import EPS, SLOPE, norm

#: Options of glibc's mallopt, for the sizes from which on it gives freed memory back and maps a block of its own.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST, _MOST_MAPPED = 2**31 - 1, 32 * 2**20


def keep_freed_memory() -> None:
    """Let the C library reuse large blocks of memory, as allocators that cache do; where it is not glibc, do nothing.

    By default it gives many of them back, and the system then maps the pages of the next result anew, which takes
    several times as long as a norm. Blocks above 32 MiB are always given back.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MOST_MAPPED)
        mallopt(_TRIM_THRESHOLD, _MOST)


class ComposedRMSNorm(nn.Module):
    """RMS norm in elementary operations: x * rsqrt(mean(x^2) + eps) * g."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise the last dimension."""
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + EPS) * self.weight


def kernel(name: str, width: int) -> nn.Module:
    """Return the function of that name for `width` features: a norm, or ``rms-composed``."""
    return ComposedRMSNorm(width) if name == "rms-composed" else norm(name, width)


def _layer(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (centred.square().mean(dim=-1, keepdim=True) + EPS).sqrt()


#: The formulas of `engine.norms` with their first weights, in operations whose gradients autograd knows.
FORMULAS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "layer": _layer,
    "rms": lambda x: x / (x.square().mean(dim=-1, keepdim=True) + EPS).sqrt(),
    "batch": lambda x: _layer(x.T).T,
    "dyt": lambda x: torch.tanh(SLOPE * x),
    "derf": lambda x: torch.erf(SLOPE * x),
}
FORMULAS["rms-composed"] = FORMULAS["rms"]


def reference(name: str, x: torch.Tensor, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a norm and its backward pass should return, in float64.

    Parameters
    ----------
    x, upstream
        Activations, and the gradient with respect to the result; shape (tokens, width).

    Returns
    -------
    tuple[torch.Tensor, torch.Tensor]
        The result and the gradient with respect to `x`.
    """
    x, upstream = x.double().requires_grad_(), upstream.double()
    if name == "copy":
        return x.detach(), x.detach() + upstream
    y = FORMULAS[name](x)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    return y.detach(), gradient
