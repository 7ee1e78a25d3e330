"""The strategies of the task missing: networks as they are, with modality dropout, and with mean imputation.

All are fitted to complete examples. A modality alone and late fusions need no remedy: a late fusion combines the
modalities that are there, and each of its members was trained alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.topics.fusion import ENGINE, predicting
from harness.topics.fusion.examples import MODALITIES
from harness.topics.fusion.missing import task
from harness.topics.fusion.networks import JOINT, LATE, Make, alone, sized

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from harness import PhaseClock, Problem
    from harness.topics.fusion.engine.networks import Network
    from harness.topics.fusion.examples import Divided

#: Share of the modalities that modality dropout drops.
DROPPED = 0.3
#: Names of the networks that are also fitted with a remedy.
REMEDIED = ("concatenation", "full-tensor", "cross-attention", "bottleneck")
NEEDS = (*predicting.NEEDS, f"{ENGINE}.imputation", *(JOINT[name].needs for name in REMEDIED))


def _register(
    name: str, summary: str, of: Callable[[Divided], Make], *, dropped: float = 0.0, imputed: bool = False
) -> None:
    """Register a network as a strategy.

    Parameters
    ----------
    of
        ``of(data)()`` makes the network.
    dropped
        Probability with which a modality of a training example is dropped, see `fitting.fit`.
    imputed
        Whether a missing modality is replaced by its mean encoding.
    """

    def strategy(problem: Problem, phase: PhaseClock) -> npt.NDArray[np.float64]:
        from harness.topics.fusion.engine.fitting import Budget, fit
        from harness.topics.fusion.engine.imputation import Imputed
        from harness.topics.fusion.engine.networks import Fusion

        data: Divided = problem.data
        make = of(data)

        def fit_made() -> Network:
            network = fit(make(), data, Budget(modality_dropout=dropped), problem.seed)
            if imputed:
                assert isinstance(network, Fusion)
                return Imputed(network, data)
            return network

        return predicting.fitted(problem, phase, fit_made)

    strategy.__doc__ = summary
    task.strategy(name, needs=NEEDS)(strategy)


for _name in REMEDIED:
    _of = partial(sized, JOINT[_name])
    _register(_name, JOINT[_name].summary, _of)
    _register(f"{_name}-dropout", f"Like {_name}; a modality is dropped at random in training.", _of, dropped=DROPPED)
    _register(f"{_name}-imputed", f"Like {_name}; a missing encoding is replaced by the mean one.", _of, imputed=True)
for _name, _kind in LATE.items():
    _register(_name, _kind.summary, partial(sized, _kind))
for _name in MODALITIES:
    _register(f"{_name}-only", f"Look at the modality {_name} and at no other.", partial(alone, _name))
