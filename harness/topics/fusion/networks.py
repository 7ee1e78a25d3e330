"""The networks that compete, by name. A new fusion is an entry of `JOINT` or `LATE` and its class in engine/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from harness import CannotRunError
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import Divided, only

if TYPE_CHECKING:
    from harness.topics.fusion.engine.networks import Network

#: Makes a network; torch's seed decides its weights.
Make: TypeAlias = Callable[[], "Network"]


@dataclass(frozen=True)
class Kind:
    """A class of networks: its module in engine/, its name there, and what it does."""

    module: str
    name: str
    summary: str
    note: str = ""

    @property
    def needs(self) -> str:
        """Full name of its module."""
        return f"{ENGINE}.{self.module}"


#: Fusions that are trained as one network.
JOINT: Mapping[str, Kind] = {
    "concatenation": Kind(
        "networks",
        "Concatenation",
        "Put the means of all modalities side by side, and score them by a head of two layers.",
    ),
    "early": Kind(
        "networks",
        "Early",
        "Put the raw values of all modalities side by side: bags of ids, pixels and numbers, scored by two layers.",
        note="It has no encoders.",
    ),
    "gated": Kind(
        "products", "Gated", "Weigh the modalities by learned gates, for each hidden unit (Arevalo et al. 2017)."
    ),
    "full-tensor": Kind(
        "products", "FullTensor", "Take the outer product of all means (tensor fusion, Zadeh et al. 2017)."
    ),
    "low-rank": Kind(
        "products", "LowRank", "Weigh the entries of the outer product by a tensor of low rank (Liu et al. 2018)."
    ),
    "cross-attention": Kind(
        "attention",
        "CrossAttention",
        "Let the tokens of each modality attend to those of the others (Tsai et al. 2019).",
    ),
    "bottleneck": Kind(
        "attention",
        "Bottleneck",
        "Let modalities exchange what they know through four tokens (MBT, Nagrani et al. 2021).",
    ),
}
#: Ensembles of networks of one modality, which are not trained jointly.
LATE: Mapping[str, Kind] = {
    "late-average": Kind(
        "networks", "Late", "Average the probabilities of networks of one modality, each trained alone."
    ),
    "late-product": Kind(
        "networks",
        "LateProduct",
        "Multiply the probabilities of networks of one modality, each trained alone, and count the prior once.",
    ),
}


def sized(kind: Kind, data: Divided) -> Make:
    """Return what makes a network of a kind, with as many parameters as `concatenation` within 5 %.

    Its size is found at once, before any clock starts.
    """
    from harness.topics.fusion.engine.networks import matched

    network: type[Network] = getattr(import_module(kind.needs), kind.name)
    return partial(network, data, matched(network, data))


def alone(name: str, data: Divided) -> Make:
    """Return what makes the member of a late ensemble that sees one modality.

    Raises
    ------
    CannotRunError
        When the data lack it.
    """
    from harness.topics.fusion.engine.networks import Concatenation, Late, matched

    if name not in data.train.modalities:
        raise CannotRunError(f"these data have no modality {name}")
    return partial(Concatenation, only(data, name), matched(Late, data))
