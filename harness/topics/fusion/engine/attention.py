"""Fusions by attention among the tokens of modalities."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.fusion.engine.encoders import WIDTH, Encoded
from harness.topics.fusion.engine.networks import Fusion, Head
from harness.topics.fusion.examples import Divided

HEADS = 2
#: Hidden units of the head after cross-attention.
AFTER = 64
#: Bottleneck tokens and layers of `Bottleneck`; Nagrani et al. use 4 tokens.
TOKENS, LAYERS = 4, 2


class Attention(nn.Module):
    """Attention with several heads (Vaswani et al. 2017, arXiv 1706.03762, section 3.2).

    O [softmax(Q_h K_h^T / sqrt(size)) V_h for each head h], where heads have `size` numbers. A query with nothing to
    attend to gets 0.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, HEADS * size, bias=False) for _ in range(3))
        self.out = nn.Linear(HEADS * size, width, bias=False)

    def forward(self, queries: torch.Tensor, keys: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attend.

        Parameters
        ----------
        queries
            Shape (batch, queries, width).
        keys
            What is attended to, shape (batch, keys, width).
        mask
            Which of the keys are there, shape (batch, keys).

        Returns
        -------
        torch.Tensor
            Shape (batch, queries, width).
        """
        q, k, v = (
            layer(x).unflatten(2, (HEADS, -1)).transpose(1, 2)
            for layer, x in ((self.query, queries), (self.key, keys), (self.value, keys))
        )
        scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
        weights = F.softmax(scores.masked_fill(~mask[:, None, None], -1e9), dim=3) * mask[:, None, None]
        attended: torch.Tensor = self.out((weights @ v).transpose(1, 2).flatten(2))
        return attended


class CrossAttention(Fusion):
    """The tokens of each modality attend to those of all others, before the means and a head.

    Tsai et al. 2019, "Multimodal Transformer for unaligned multimodal language sequences", arXiv 1906.00295, section
    3.1, with layer norm before attention: t + Attention_m(LN(t), LN(tokens of the others)) for each token t of m.
    `size` is the width of each of two heads.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        self.norms = nn.ModuleDict({name: nn.LayerNorm(width) for name in self.names})
        self.attention = nn.ModuleDict({name: Attention(width, size) for name in self.names})
        self.head = Head(len(self.names) * width, data.classes, AFTER)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means after attention."""
        normed = {name: self.norms[name](encoded[name].tokens) for name in self.names}
        means = []
        for name in self.names:
            others = [other for other in self.names if other != name]
            tokens, mask = encoded[name]
            if others:
                keys = torch.cat([normed[other] for other in others], dim=1)
                there = torch.cat([encoded[other].mask for other in others], dim=1)
                tokens = tokens + self.attention[name](normed[name], keys, there)
            means.append(Encoded(tokens, mask).mean())
        scores: torch.Tensor = self.head(torch.cat(means, dim=1))
        return scores


class Layer(nn.Module):
    """A layer of a Transformer with the norm first: y = x + Attention(LN(x)), y + B gelu(A LN(y))."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, size)
        self.inner, self.outer = nn.Linear(width, 2 * HEADS * size), nn.Linear(2 * HEADS * size, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Transform tokens, shape (batch, tokens, width); `mask` says which are there, shape (batch, tokens)."""
        normed = self.before(x)
        x = x + self.attention(normed, normed, mask)
        transformed: torch.Tensor = x + self.outer(F.gelu(self.inner(self.between(x))))
        return transformed


class Bottleneck(Fusion):
    """Modalities exchange what they know only through a few tokens (the multimodal bottleneck Transformer, MBT).

    Nagrani et al. 2021, "Attention bottlenecks for multimodal fusion", arXiv 2107.00135, sections 3.2 and 3.3: layer l
    of modality m transforms its own tokens and the bottleneck tokens b, [t_m, b_m] <- Layer_ml([t_m, b]), and b becomes
    the mean of the b_m, here over the modalities that the example has. A class token of each modality is among t_m; one
    linear layer scores it, and the scores are averaged. `size` is the width of each of two heads.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        self.start = nn.Parameter(torch.randn(TOKENS, width) * 0.02)
        self.tokens = nn.ParameterDict({name: nn.Parameter(torch.randn(1, width) * 0.02) for name in self.names})
        self.layers = nn.ModuleDict(
            {f"{name}_{level}": Layer(width, size) for name in self.names for level in range(LAYERS)}
        )
        self.norm, self.outer = nn.LayerNorm(width), nn.Linear(width, data.classes)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the class tokens."""
        batch = len(encoded[self.names[0]].mask)
        there = torch.stack([encoded[name].mask.any(dim=1) for name in self.names])[:, :, None]
        shared = self.start.expand(batch, -1, -1)
        everywhere = torch.ones(batch, TOKENS, dtype=torch.bool, device=shared.device)
        own = {name: self._own(encoded[name], name) for name in self.names}
        for level in range(LAYERS):
            parts = []
            for name in self.names:
                tokens, mask = own[name]
                joined = self.layers[f"{name}_{level}"](
                    torch.cat([tokens, shared], dim=1), torch.cat([mask, everywhere], dim=1)
                )
                own[name] = Encoded(joined[:, : tokens.shape[1]], mask)
                parts.append(joined[:, tokens.shape[1] :])
            shared = _mean(torch.stack(parts), there[..., None])
        scored = torch.stack([self.outer(self.norm(own[name].tokens[:, 0])) for name in self.names])
        return _mean(scored, there)

    def _own(self, encoded: Encoded, name: str) -> Encoded:
        """Put the class token before a modality's tokens; it is there if any of them is."""
        first = self.tokens[name].expand(len(encoded.mask), -1, -1)
        mask = torch.cat([encoded.mask.any(dim=1, keepdim=True), encoded.mask], dim=1)
        return Encoded(torch.cat([first, encoded.tokens], dim=1), mask)


def _mean(parts: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Average over the first axis what is there; 0 where nothing is."""
    weight = there.to(parts.dtype)
    return (parts * weight).sum(dim=0) / weight.sum(dim=0).clamp(min=1)
