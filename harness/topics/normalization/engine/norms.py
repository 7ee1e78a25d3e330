"""The norms: functions that keep the scale of activations, each with learned weights for every feature.

With x of shape (..., d), weights g and b of shape (d,), and means over the d features unless said otherwise:

- layer: (x - mean(x)) / sqrt(var(x) + eps) * g + b (Ba, Kiros & Hinton 2016, arXiv 1607.06450, eq. 4)
- rms: x / sqrt(mean(x^2) + eps) * g (Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4, without eps)
- batch: as layer, but with mean and variance of each feature over all tokens of the batch; in evaluation, running
  averages of both (Ioffe & Szegedy 2015, arXiv 1502.03167, algorithms 1 and 2)
- dyt: tanh(a x) * g + b with a learned number a (Zhu et al. 2025, arXiv 2503.10622, eq. 1)
- derf: erf(a x + s) * g + b with learned numbers a and s (Chen et al. 2025, arXiv 2512.10938, eq. 10)
"""

from __future__ import annotations

import torch
from torch import nn

EPS = 1e-5
#: Where the learned slope a of the functions without statistics begins (Zhu et al. 2025, section 4); s begins at 0.
SLOPE = 0.5


class DynamicTanh(nn.Module):
    """tanh(a x) * g + b."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((1,), SLOPE))
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to each number."""
        return torch.tanh(self.slope * x) * self.weight + self.bias


class DynamicErf(nn.Module):
    """erf(a x + s) * g + b."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((1,), SLOPE))
        self.shift = nn.Parameter(torch.zeros(1))
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply it to each number."""
        return torch.erf(self.slope * x + self.shift) * self.weight + self.bias


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch norm over all tokens of a batch but padding."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Normalise.

        Parameters
        ----------
        x
            Shape (batch, tokens, d).
        mask
            False where a token is padding, shape (batch, tokens); ``None`` where none is. Padding enters no mean or
            variance, and becomes 0.
        """
        if mask is None:
            return super().forward(x.reshape(-1, x.shape[-1])).view_as(x)
        out = torch.zeros_like(x)
        out[mask] = super().forward(x[mask])
        return out


def normalised(layer: nn.Module, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Apply a norm; one whose statistics are of the whole batch is told which tokens are padding."""
    out: torch.Tensor = layer(x, mask) if isinstance(layer, TokenBatchNorm) else layer(x)
    return out


def has_batch_norm(model: nn.Module) -> bool:
    """Return whether a model contains batch norm: only then do training and evaluation differ."""
    return any(isinstance(module, TokenBatchNorm) for module in model.modules())


def norm(name: str, width: int) -> nn.Module:
    """Return the norm of that name for activations with `width` features."""
    made: dict[str, type[nn.Module]] = {"dyt": DynamicTanh, "derf": DynamicErf, "batch": TokenBatchNorm}
    if name == "layer":
        return nn.LayerNorm(width, eps=EPS)
    if name == "rms":
        return nn.RMSNorm(width, eps=EPS)
    return made[name](width)
