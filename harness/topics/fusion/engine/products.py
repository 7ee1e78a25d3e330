"""Fusions by products of the modalities' means: gates, and tensors of full and of low rank."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from harness.topics.fusion.engine.encoders import WIDTH, Encoded
from harness.topics.fusion.engine.networks import Fusion, Head
from harness.topics.fusion.examples import Divided

#: Hidden units after the gates and after the full tensor.
AFTER = 64
TENSOR_HIDDEN = 32
RANK = 4


class Gated(Fusion):
    """Gates choose, for each hidden unit, how much comes from which modality (the gated multimodal unit).

    Arevalo et al. 2017, "Gated multimodal units for information fusion", arXiv 1702.01992, section 3.1: with
    h_m = tanh(W_m x_m), two modalities share a gate z = sigmoid(Z [x_1, x_2]), h = z h_1 + (1 - z) h_2, so that their
    weights add up to 1; of more, each has a gate, z_m = sigmoid(Z_m [x_1, ..., x_M]), h = sum_m z_m h_m. A head scores
    h, which has `size` numbers.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        count = len(self.names)
        self.inner = nn.ModuleDict({name: nn.Linear(width, size, bias=False) for name in self.names})
        self.gates = nn.Linear(count * width, size * (1 if count == 2 else count), bias=False)
        self.head = Head(size, data.classes, AFTER)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means."""
        means = {name: encoded[name].mean() for name in self.names}
        hidden = torch.stack([torch.tanh(self.inner[name](means[name])) for name in self.names], dim=1)
        scores: torch.Tensor = self.head((self.weights(means) * hidden).sum(dim=1))
        return scores

    def weights(self, means: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return how much comes from each modality, shape (batch, modalities, size)."""
        gates = torch.sigmoid(self.gates(torch.cat([means[name] for name in self.names], dim=1)))
        if len(self.names) == 2:
            return torch.stack([gates, 1 - gates], dim=1)
        return gates.reshape(len(gates), len(self.names), self.size)


class FullTensor(Fusion):
    """The outer product of all means, each with a 1 appended, and a head (tensor fusion).

    Zadeh et al. 2017, "Tensor fusion network for multimodal sentiment analysis", arXiv 1707.07250, section 4.2:
    [u_1, 1] x ... x [u_M, 1] has the products of all subsets of modalities. As the tensor has (size + 1)^M entries, u_m
    is a projection of x_m to `size` numbers, without a bias: it is 0 where the modality is missing, so that products of
    the others remain.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        self.inner = nn.ModuleDict({name: nn.Linear(width, size, bias=False) for name in self.names})
        self.head = Head((size + 1) ** len(self.names), data.classes, TENSOR_HIDDEN)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means."""
        vectors = [with_one(F.gelu(self.inner[name](encoded[name].mean()))) for name in self.names]
        scores: torch.Tensor = self.head(outer(vectors))
        return scores


class LowRank(Fusion):
    """A linear map of the tensor of `FullTensor` whose weights have a low rank (low-rank multimodal fusion).

    Liu et al. 2018, "Efficient low-rank multimodal fusion with modality-specific factors", arXiv 1806.00064, section
    3.3: h = sum_r prod_m W_m^r [x_m, 1], a product over the modalities of each number of h, with rank r = 1 ... 4. The
    tensor is never formed. h has `size` numbers; a linear layer scores it.
    """

    def __init__(self, data: Divided, size: int, width: int = WIDTH) -> None:
        super().__init__(data, size, width)
        count = len(self.names)
        # With this variance h is of the size of a product of M numbers of [x_m, 1], whatever the rank.
        spread = (width + 1) ** -0.5 * RANK ** (-0.5 / count)
        self.factors = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(RANK, width + 1, size) * spread) for name in self.names}
        )
        self.bias, self.outer = nn.Parameter(torch.zeros(size)), nn.Linear(size, data.classes)

    def join(self, encoded: Mapping[str, Encoded]) -> torch.Tensor:
        """Make scores of the means."""
        product = torch.ones(())
        for name in self.names:
            product = product.to(self.bias) * torch.einsum(
                "bi,rio->bro", with_one(encoded[name].mean()), self.factors[name]
            )
        scores: torch.Tensor = self.outer(product.sum(dim=1) + self.bias)
        return scores


def with_one(x: torch.Tensor) -> torch.Tensor:
    """Append a 1 to each vector."""
    return F.pad(x, (0, 1), value=1.0)


def outer(vectors: list[torch.Tensor]) -> torch.Tensor:
    """Return the outer product of vectors of shapes (batch, n_m), flattened to (batch, n_1 ... n_M)."""
    product = vectors[0]
    for vector in vectors[1:]:
        product = (product[:, :, None] * vector[:, None, :]).flatten(1)
    return product
