"""What a language model returns, and what judges of training share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Curve, InvalidOutputError
from harness.topics.normalization.corpus import Corpus

Floats = npt.NDArray[np.float32]
Losses = npt.NDArray[np.float64]

#: By how much the probabilities of float32 may miss 1.
OFF = 1e-3
#: Training losses that are averaged, where one of them is too noisy.
AVERAGED = 10
#: Most points of a curve of training.
POINTS = 60


@dataclass(frozen=True, eq=False)
class Learned:
    """What a strategy of the task language returns.

    Attributes
    ----------
    scored
        Log-probabilities of the next characters of the test text, float32, shape (windows, context, size); ``None``
        where training diverged.
    in_training
        The same with batch norm as in training; the same array where there is none.
    target, steps
        The training loss whose time is taken, in nats, and the number of steps.
    losses, cpu_s
        Training loss of each step, in nats, and the CPU time from the start of training to its end, in seconds.
    diverged
        The step at which training diverged; ``None`` where it did not.
    parameters, saved_bytes
        Number of trained numbers, and the bytes that one step of training saves for its gradients.
    """

    scored: Floats | None
    in_training: Floats | None
    target: float
    steps: int
    losses: Sequence[float] = ()
    cpu_s: Sequence[float] = ()
    diverged: int | None = None
    parameters: int = 0
    saved_bytes: int = 0

    def on(self, scored: Floats, in_training: Floats) -> Learned:
        """Return the same on another test text."""
        return replace(self, scored=scored, in_training=in_training)


def losses_of(data: Corpus, output: Any) -> Losses:
    """Return the negative log-likelihood of each next character, in nats, shape (windows, context).

    Raises
    ------
    InvalidOutputError
        When the output is not an array of finite log-probabilities, whose probabilities sum to 1 for each character.
    """
    expected = (*data.targets.shape, data.size)
    if not isinstance(output, np.ndarray) or not np.issubdtype(output.dtype, np.floating):
        kind = f"{type(output).__name__} of {output.dtype}" if isinstance(output, np.ndarray) else type(output).__name__
        raise InvalidOutputError(f"expected log-probabilities of shape {expected}, not a {kind}")
    if output.shape != expected:
        raise InvalidOutputError(f"expected log-probabilities of shape {expected}, not {output.shape}")
    wrong = np.count_nonzero(~np.isfinite(output))
    if wrong:
        raise InvalidOutputError(f"{wrong} of {output.size} log-probabilities are not finite")
    totals = np.exp(output, dtype=np.float64).sum(axis=-1)
    off = float(np.abs(totals - 1).max())
    if off > OFF:
        raise InvalidOutputError(f"the probabilities of a next character must sum to 1, but a sum is off by {off:.3g}")
    return -np.take_along_axis(output, data.targets[..., None].astype(np.intp), -1)[..., 0].astype(np.float64)


def steps_to(target: float, losses: Sequence[float]) -> int | None:
    """Return the first step, counted from 1, at which the mean of ten training losses is at most a target.

    They are the loss of that step and the nine before it; of fewer than ten losses, the mean is that of all.
    """
    if not losses:
        return None
    count = min(AVERAGED, len(losses))
    means = np.lib.stride_tricks.sliding_window_view(losses, count).mean(axis=-1)
    met = np.flatnonzero(means <= target)
    return int(met[0]) + count if met.size else None


def training_curve(name: str, losses: Sequence[float], points: int = POINTS) -> dict[str, Curve]:
    """Return the curve of the training loss over steps by its name; none where nothing was trained in steps.

    Its points, so many at most, are the means of stretches of nearly equal length, each at its last step.
    """
    if not losses:
        return {}
    parts = np.array_split(np.asarray(losses, float), min(points, len(losses)))
    ends = np.cumsum([len(part) for part in parts])
    return {name: Curve(ends.astype(float).tolist(), [float(part.mean()) for part in parts])}
