"""What a fitted fusion takes in place of a missing modality: the mean encoding of the training examples."""

from __future__ import annotations

import torch

from harness.topics.fusion.engine.encoders import Encoded
from harness.topics.fusion.engine.fitting import pieces, tensors
from harness.topics.fusion.engine.networks import Fusion, Network, Values
from harness.topics.fusion.examples import Divided


class Imputed(Network):
    """A fitted fusion that is given a token for each missing modality: the mean of the training examples' encodings.

    It is mean imputation, after the encoders instead of before them, since a mean of ids or of images is neither. The
    mean is over the examples that have the modality, each of them the mean of its own tokens.
    """

    def __init__(self, fusion: Fusion, data: Divided, device: str = "cpu") -> None:
        super().__init__(data, fusion.size)
        self.fusion = fusion
        self.means = mean_encodings(fusion, data, device)

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch; see `Network.forward`."""
        encoded = self.fusion.encode(values, present)
        return self.fusion.join({name: self._filled(encoded[name], present[name], name) for name in self.names})

    def _filled(self, encoded: Encoded, present: torch.Tensor, name: str) -> Encoded:
        """Put the mean in place of the tokens of examples that lack the modality; its first token counts as there."""
        tokens = torch.where(present[:, None, None], encoded.tokens, self.means[name])
        mask = encoded.mask.clone()
        mask[:, 0] |= ~present
        return Encoded(tokens, mask)


@torch.no_grad()
def mean_encodings(fusion: Fusion, data: Divided, device: str = "cpu") -> dict[str, torch.Tensor]:
    """Average the encoded modalities over the training examples that have them, each of shape (width,)."""
    fusion.eval()
    batch = tensors(data.train, device)
    totals = {name: torch.zeros(fusion.width, device=device) for name in fusion.names}
    for values, present in pieces(batch):
        encoded = fusion.encode(values, present)
        for name in fusion.names:
            totals[name] += encoded[name].mean().sum(dim=0)
    _, present = batch
    return {name: totals[name] / present[name].sum().clamp(min=1) for name in fusion.names}
