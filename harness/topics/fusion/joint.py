"""Fusions that are trained as one network. All have as many parameters as `concatenation`, within 5 %."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.topics.fusion import ENGINE
from harness.topics.fusion.classification import NEEDS, Predicted, measured, task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness import PhaseClock, Problem, Scalar
    from harness.topics.fusion.engine.networks import Network

RATE, DECAY, EPOCHS = 5e-3, 0.01, 8
SEARCH: Mapping[str, Sequence[Scalar]] = {
    "rate": [2e-3, 5e-3, 1e-2],
    "weight_decay": [0.01, 0.1, 1.0],
    "epochs": [4, 8, 16],
}
PRODUCTS = (*NEEDS, f"{ENGINE}.products")
ATTENTION = (*NEEDS, f"{ENGINE}.attention")


def joined(problem: Problem, phase: PhaseClock, kind: type[Network], **budget: Any) -> Predicted:
    """Fit and predict with a network whose size is matched."""
    from harness.topics.fusion.engine.networks import matched

    return measured(problem, phase, partial(kind, size=matched(kind, problem.data)), **budget)


@task.strategy("concatenation", needs=NEEDS, search=SEARCH)
def concatenation(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Put the means of all modalities side by side, and score them by a head of two layers."""
    from harness.topics.fusion.engine.networks import Concatenation

    return measured(problem, phase, Concatenation, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("early", needs=NEEDS, search=SEARCH, note="It has no encoders.")
def early(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Put the raw values of all modalities side by side: bags of ids, pixels and numbers, scored by two layers."""
    from harness.topics.fusion.engine.networks import Early

    return joined(problem, phase, Early, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("gated", needs=PRODUCTS, search=SEARCH)
def gated(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Weigh the modalities by learned gates, for each hidden unit (Arevalo et al. 2017)."""
    from harness.topics.fusion.engine.products import Gated

    return joined(problem, phase, Gated, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("full-tensor", needs=PRODUCTS, search=SEARCH)
def full_tensor(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Take the outer product of all means (tensor fusion, Zadeh et al. 2017)."""
    from harness.topics.fusion.engine.products import FullTensor

    return joined(problem, phase, FullTensor, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("low-rank", needs=PRODUCTS, search=SEARCH)
def low_rank(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Weigh the entries of the outer product by a tensor of low rank (Liu et al. 2018)."""
    from harness.topics.fusion.engine.products import LowRank

    return joined(problem, phase, LowRank, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("cross-attention", needs=ATTENTION, search=SEARCH)
def cross_attention(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Let the tokens of each modality attend to those of the others (Tsai et al. 2019)."""
    from harness.topics.fusion.engine.attention import CrossAttention

    return joined(problem, phase, CrossAttention, rate=rate, weight_decay=weight_decay, epochs=epochs)


@task.strategy("bottleneck", needs=ATTENTION, search=SEARCH)
def bottleneck(
    problem: Problem, phase: PhaseClock, rate: float = RATE, weight_decay: float = DECAY, epochs: int = EPOCHS
) -> Predicted:
    """Let modalities exchange what they know through four tokens (MBT, Nagrani et al. 2021)."""
    from harness.topics.fusion.engine.attention import Bottleneck

    return joined(problem, phase, Bottleneck, rate=rate, weight_decay=weight_decay, epochs=epochs)
