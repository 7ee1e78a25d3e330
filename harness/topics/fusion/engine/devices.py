"""How a network is computed: on which device, compiled or not, and in which numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from harness.topics._shared import computing
from harness.topics.fusion.engine.fitting import Budget, fit, predict
from harness.topics.fusion.engine.networks import Network, Values
from harness.topics.fusion.examples import Divided

if TYPE_CHECKING:
    from harness import PhaseClock


class InBfloat16(Network):
    """A network whose matrix products are computed in bfloat16; its weights and scores are float32."""

    def __init__(self, network: Network, data: Divided) -> None:
        super().__init__(data, network.size)
        self.scored = computing.InBfloat16(network)

    def forward(self, values: Values, present: Values) -> torch.Tensor:
        """Score a batch; see `Network.forward`."""
        scores: torch.Tensor = self.scored(values, present)
        return scores


def prepared(
    network: Network, data: Divided, device: str, phase: PhaseClock, *, compiled: bool, bfloat16: bool
) -> Network:
    """Move a network to a device and make it compute as is asked; its weights stay as they are.

    Parameters
    ----------
    phase
        Compiling is the set-up phase ``compile``; it is not entered where nothing is compiled.

    Raises
    ------
    CannotRunError
        Where torch has to compile and finds no compiler.
    """
    network.to(device)
    if compiled:
        with phase("compile"), computing.compiling():
            network.compile()
            _run_once(network, data, device)
    return InBfloat16(network, data) if bfloat16 else network


def _run_once(network: Network, data: Divided, device: str) -> None:
    """Compute batches of all sizes that will be fitted and predicted, which is when torch compiles."""
    size = Budget.batch
    few = replace(data, train=data.train.take(slice(0, size + len(data.train) % size)))
    # At the rate 0, fitting leaves the weights as they are.
    fit(network, few, Budget(epochs=1, rate=0.0), 0, device=device)
    for examples in (data.test, data.test.take(slice(0, 1))):
        predict(network, examples, device)
