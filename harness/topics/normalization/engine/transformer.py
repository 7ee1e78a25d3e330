"""One Transformer, whose norms stand where a recipe says.

Of the residual stream x, a sublayer F (attention or two linear layers with GELU) and a norm N, a step is

- post: N(x + F(x)) (Vaswani et al. 2017, arXiv 1706.03762, section 3.1)
- pre: x + F(N(x)), with a last norm before the head (Xiong et al. 2020, arXiv 2002.04745, table 1)
- peri: x + N(F(N(x))), with norms after the embedding and before the head (Kim et al. 2025, arXiv 2502.02732)
- deepnorm: N(a x + F(x)), a = (2 L)^(1/4) with L layers; the values and outputs of attention and both linear layers
  begin smaller by b = (8 L)^(-1/4) (Wang et al. 2022, arXiv 2203.00555, figure 2, decoder)
- keel: N(a x + F(N(x))) with two different norms and a = 2 L, the number of sublayers; the first attention is
  x + F(N(x)), and a = 1 in the first two linear layers (Chen & Wei 2026, arXiv 2601.19895, section 3, which uses RMS
  norms; here they are layer norms as in the other places)
- rezero: x + w F(x), where w is learned and begins at 0 (Bachlechner et al. 2021, arXiv 2003.04887; their code shares
  w between the two sublayers of a layer, here each has its own)
- plain: x + F(x)

Where queries and keys are normalised, it is by a layer norm of each head (Dehghani et al. 2023, arXiv 2302.05442,
section 2). Embeddings are multiplied by a learned number that begins at the root of the width, so that they begin with
variance 1, as Xiong et al. assume. Functions without statistics need it (Zhu et al. 2025, arXiv 2503.10622, section 7,
for language models), and it helps the others, too: all have it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.normalization.engine.norms import norm, normalised
from harness.topics.normalization.recipes import Recipe


class Attention(nn.Module):
    """Multi-head attention; with `qk_norm`, queries and keys of each head are layer-normalised."""

    def __init__(self, width: int, heads: int, *, causal: bool, qk_norm: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        part = width // heads
        self.query_norm = nn.LayerNorm(part) if qk_norm else nn.Identity()
        self.key_norm = nn.LayerNorm(part) if qk_norm else nn.Identity()

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Attend within each sequence.

        Parameters
        ----------
        x
            Shape (batch, tokens, width).
        mask
            True where a token may be attended to, shape (batch, tokens); ``None`` for all.
        """
        batch, tokens, width = x.shape
        query, key, value = (
            layer(x).view(batch, tokens, self.heads, -1).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(
            self.query_norm(query),
            self.key_norm(key),
            value,
            attn_mask=None if mask is None else mask[:, None, None, :],
            is_causal=self.causal,
        )
        attended: torch.Tensor = self.output(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return attended


class FeedForward(nn.Module):
    """Two linear layers with GELU between them, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, _mask: torch.Tensor | None = None) -> torch.Tensor:
        """Apply it to each token."""
        out: torch.Tensor = self.outer(F.gelu(self.inner(x)))
        return out


class Step(nn.Module):
    """A sublayer with its residual connection and its norms.

    Parameters
    ----------
    number
        Which one it is, from 0 on: even ones are attention.
    """

    def __init__(self, sublayer: nn.Module, recipe: Recipe, width: int, layers: int, number: int) -> None:
        super().__init__()
        place = recipe.placement
        self.sublayer = sublayer
        self.before = norm(recipe.norm, width) if place in ("pre", "peri", "keel") else nn.Identity()
        self.inside = norm(recipe.norm, width) if place == "peri" else nn.Identity()
        closed = place in ("post", "deepnorm") or (place == "keel" and number > 0)
        self.after = norm(recipe.norm, width) if closed else nn.Identity()
        self.stream = {"deepnorm": (2 * layers) ** 0.25, "keel": 2.0 * layers if number > 1 else 1.0}.get(place, 1.0)
        self.weight = nn.Parameter(torch.zeros(1)) if place == "rezero" else None

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Take the residual stream through it."""
        change = normalised(self.inside, self.sublayer(normalised(self.before, x, mask), mask), mask)
        if self.weight is not None:
            change = self.weight * change
        stream = x if self.stream == 1 else self.stream * x
        return normalised(self.after, stream + change, mask)


class Transformer(nn.Module):
    """Tokens to scores: of the next token for each token, or of a class for each sequence.

    Parameters
    ----------
    tokens
        Number of different tokens.
    length
        Longest sequence.
    scores
        Number of scores.
    pooled
        Whether the tokens of a sequence are averaged and scored once (classification), without a causal mask; token 0
        is then padding.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        tokens: int,
        length: int,
        scores: int,
        width: int,
        heads: int,
        layers: int,
        pooled: bool = False,
    ) -> None:
        super().__init__()
        self.pooled = pooled
        self.embedding, self.position = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.scale = nn.Parameter(torch.full((1,), math.sqrt(width)))
        self.first = norm(recipe.norm, width) if recipe.placement == "peri" else nn.Identity()
        self.steps = nn.ModuleList(
            Step(
                FeedForward(width)
                if number % 2
                else Attention(width, heads, causal=not pooled, qk_norm=recipe.qk_norm),
                recipe,
                width,
                layers,
                number,
            )
            for number in range(2 * layers)
        )
        self.last = norm(recipe.norm, width) if recipe.placement in ("pre", "peri") else nn.Identity()
        self.head = nn.Linear(width, scores)
        self._initialise((8 * layers) ** -0.25 if recipe.placement == "deepnorm" else 1.0)

    def _initialise(self, gain: float) -> None:
        """Xavier's uniform weights (Glorot & Bengio 2010), biases 0; `gain` where DeepNorm has it."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                scaled = name.endswith(("value", "output", "inner", "outer"))
                nn.init.xavier_uniform_(module.weight, gain if scaled else 1.0)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=1 / math.sqrt(module.embedding_dim))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Score.

        Parameters
        ----------
        tokens
            int64, shape (batch, length).

        Returns
        -------
        torch.Tensor
            Shape (batch, length, scores), or (batch, scores) where sequences are scored.
        """
        x = self.scale * (self.embedding(tokens) + self.position.weight[: tokens.shape[1]])
        mask = tokens != 0 if self.pooled else None
        x = normalised(self.first, x, mask)
        for step in self.steps:
            x = step(x, mask)
        x = normalised(self.last, x, mask)
        if mask is not None:
            x = (x * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        scores: torch.Tensor = self.head(x)
        return scores
