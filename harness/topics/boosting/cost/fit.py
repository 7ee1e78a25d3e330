"""Constants of the cost model, fitted on measured trainings, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.topics.boosting.cost.formulas import ALONE, SCHEMES, Training, Units

Floats: TypeAlias = npt.NDArray[np.float64]
#: Draws of the bootstrap.
DRAWS = 400
UNIT_NAMES = Units._fields
UNITS = len(UNIT_NAMES)
COMMUNICATION = ("sent", "messages")
_EVERY = {**SCHEMES, **ALONE}


class Observation(NamedTuple):
    """What was measured of one strategy at one size.

    Attributes
    ----------
    seconds
        Wall time of a training in every block, shape (blocks,).
    trees
        Trees of a training.
    sent
        Median number of bytes that all workers sent for a training; NaN where it was not counted.
    """

    strategy: str
    training: Training
    trees: int
    seconds: Floats
    sent: float = np.nan


class Network(NamedTuple):
    """A network: seconds for a byte, and for a message."""

    byte_s: float
    message_s: float


@dataclass(frozen=True)
class Fit:
    """The constants of one library.

    Attributes
    ----------
    constants
        Seconds for one of each of `UNIT_NAMES`, shape (6,).
    once
        Strategy to the seconds that a training takes once, and those for each value that a worker has: to start, and
        to bin the values. Strategies do this in different phases. It is not part of the time of a tree.
    draws
        The constants of every draw of the bootstrap, shape (draws, 6).
    """

    constants: Floats
    once: Mapping[str, Floats]
    draws: Floats

    def seconds(self, observation: Observation) -> float:
        """Predict the wall time of a training, where it was measured."""
        units = _units(observation)
        return float(observation.trees * units @ self.constants + _once(observation) @ self.once[observation.strategy])


def fit(observations: Sequence[Observation], rng: np.random.Generator) -> Fit:
    """Fit the constants of one library by non-negative least squares on relative errors.

    Every block is one equation, divided by its measured time, so that a training of a second weighs as much as one of a
    minute. A draw of the bootstrap takes the blocks of each size with replacement, the same for all strategies, and
    moves the times of every strategy and size by a residual of the fit: three blocks alone vary less than the formula
    errs.
    """
    strategies = list(dict.fromkeys(own.strategy for own in observations))
    rows = np.array([_row(own, strategies) for own in observations])
    solved = _solve(rows, [own.seconds for own in observations])
    residuals = np.log([np.median(own.seconds) for own in observations]) - np.log(rows @ solved)
    free = max(1, len(residuals) - np.count_nonzero(solved))
    size = np.sqrt(np.square(residuals).sum() / free)

    def drawn() -> Floats:
        chosen = _blocks(observations, rng)
        moved = np.exp(rng.normal(0, size, len(observations)))
        times = [own.seconds[chosen[_size(own)]] * factor for own, factor in zip(observations, moved, strict=True)]
        return _solve(rows, times)[:UNITS]

    once = dict(zip(strategies, solved[UNITS:].reshape(-1, 2), strict=True))
    return Fit(solved[:UNITS], once, np.array([drawn() for _ in range(DRAWS)]))


def spread(made: Fit, observations: Sequence[Observation]) -> dict[str, float]:
    """Return by strategy the root mean square of the log of predicted over measured time."""
    logs: dict[str, list[float]] = {}
    for own in observations:
        logs.setdefault(own.strategy, []).append(float(np.log(made.seconds(own) / np.median(own.seconds))))
    return {strategy: float(np.sqrt(np.mean(np.square(values)))) for strategy, values in logs.items()}


def _size(own: Observation) -> tuple[float, float, int]:
    return own.training.rows, own.training.columns, own.trees


def _units(own: Observation) -> Floats:
    return np.array(_EVERY[own.strategy].units(own.training))


def _once(own: Observation) -> Floats:
    """Return what multiplies the two constants of a strategy's training: 1, and the values that a worker has."""
    return np.array([1.0, _EVERY[own.strategy].units(own.training).additions / own.training.passes])


def _row(own: Observation, strategies: Sequence[str]) -> Floats:
    """Return what multiplies the constants in the time of a training."""
    once = [_once(own) if own.strategy == strategy else np.zeros(2) for strategy in strategies]
    return np.concatenate([own.trees * _units(own), *once])


def _blocks(observations: Sequence[Observation], rng: np.random.Generator) -> dict[object, npt.NDArray[np.int64]]:
    """Draw, for every size, blocks with replacement; a strategy that lacks a block has fewer of them."""
    counts = {_size(own): len(own.seconds) for own in observations}
    for own in observations:
        counts[_size(own)] = min(counts[_size(own)], len(own.seconds))
    return {size: rng.integers(0, count, count) for size, count in counts.items()}


def _solve(rows: Floats, seconds: Sequence[Floats]) -> Floats:
    from scipy.optimize import nnls

    times = np.concatenate(list(seconds))
    relative = np.repeat(rows, [len(own) for own in seconds], axis=0) / times[:, None]
    # Units differ by ten orders of magnitude; columns of equal size keep the solution exact.
    scale = np.linalg.norm(relative, axis=0)
    scale[scale == 0] = 1.0
    solution: Floats = nnls(relative / scale, np.ones(len(times)))[0] / scale
    return solution


def tree_seconds(made: Fit, strategy: str, training: Training, network: Network) -> tuple[float, Floats]:
    """Predict the wall time of one tree over a network.

    A byte and a message take what the fit found between processes of one machine, or what the network takes for them,
    whichever is longer.

    Returns
    -------
    float
        The prediction.
    ndarray of shape (draws,)
        Its draws, without the residual of the strategy.
    """
    units = np.array(SCHEMES[strategy].units(training))
    return float(units @ over(made.constants, network)), over(made.draws, network) @ units


def over(constants: Floats, network: Network) -> Floats:
    """Return constants, shape (..., 6), for a network instead of one machine."""
    least = np.zeros(UNITS)
    for name, seconds in zip(COMMUNICATION, network, strict=True):
        least[UNIT_NAMES.index(name)] = seconds
    return np.maximum(constants, least)
