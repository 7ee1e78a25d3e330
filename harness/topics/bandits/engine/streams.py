"""What is watched after a deployment, rewards and contexts, with a change whose step is known to the judge alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.bandits.engine.chance import Floats, Ints
from harness.topics.bandits.engine.judge import marks


@dataclass(frozen=True, eq=False)
class Watched:
    """What a monitor may see: numbers from before the watch began, known to be good, and those after.

    Attributes
    ----------
    rewards, contexts
        Shape (replications, reference + horizon).
    reference
        Steps before the watch began.
    """

    rewards: Floats
    contexts: Floats
    reference: int

    @property
    def horizon(self) -> int:
        """Number of steps that are watched."""
        steps: int = self.rewards.shape[1] - self.reference
        return steps


@dataclass(frozen=True, eq=False)
class Streams:
    """Streams with their truth: noise, and what it is scaled by and added to.

    Attributes
    ----------
    reward_noise, context_noise
        Of mean 0 and variance 1, shape (replications, reference + horizon).
    reward_mean, reward_scale, context_mean
        Shape (reference + horizon,).
    reference
        Steps before the watch begins.
    change
        Watched step at which something changes; the horizon where nothing does.
    """

    reward_noise: Floats
    context_noise: Floats
    reward_mean: Floats
    reward_scale: Floats
    context_mean: Floats
    reference: int
    change: int

    @property
    def horizon(self) -> int:
        """Number of steps that are watched."""
        return len(self.reward_mean) - self.reference

    @property
    def replications(self) -> int:
        """Number of streams."""
        return len(self.reward_noise)

    def watched(self) -> Watched:
        """Return what monitors may see."""
        return Watched(
            self.reward_mean + self.reward_scale * self.reward_noise,
            self.context_mean + self.context_noise,
            self.reference,
        )


def streams(
    rng: np.random.Generator, *, replications: int, reference: int, horizon: int, kind: str, shift: float
) -> Streams:
    """Make Gaussian streams that change at half of the horizon.

    Parameters
    ----------
    kind
        ``stable``; ``mean``: rewards fall by `shift`; ``gradual``: they do so within a fifth of the horizon;
        ``variance``: their standard deviation grows by `shift`; ``context``: contexts rise by `shift`.
    shift
        In standard deviations of what changes.
    """
    length, change = reference + horizon, horizon if kind == "stable" else horizon // 2
    since = np.arange(length) - reference - change
    after = (since >= 0).astype(np.float64)
    ramp = np.clip((since + 1) / (horizon / 5), 0, 1)
    fallen = {"mean": after, "gradual": ramp}.get(kind, np.zeros(length))
    return Streams(
        rng.normal(size=(replications, length)),
        rng.normal(size=(replications, length)),
        -shift * fallen,
        1 + shift * after * (kind == "variance"),
        shift * after * (kind == "context"),
        reference,
        change,
    )


def heavy_tails(data: Streams, freedom: float) -> Streams:
    """Give the noise Student's t distribution, scaled to variance 1; its order stays."""
    from scipy.special import ndtr, stdtrit

    scale = np.sqrt((freedom - 2) / freedom)
    rewards, contexts = (scale * stdtrit(freedom, ndtr(noise)) for noise in (data.reward_noise, data.context_noise))
    return replace(data, reward_noise=rewards, context_noise=contexts)


def autocorrelated(data: Streams, correlation: float) -> Streams:
    """Make each step's noise depend on the one before: an autoregression of order 1, with variance 1."""
    fresh = np.sqrt(1 - correlation**2)
    linked = []
    for noise in (data.reward_noise, data.context_noise):
        own = noise.copy()
        for step in range(1, own.shape[1]):
            own[:, step] = correlation * own[:, step - 1] + fresh * noise[:, step]
        linked.append(own)
    return replace(data, reward_noise=linked[0], context_noise=linked[1])


def checked(data: Streams, alarms: npt.ArrayLike) -> Ints:
    """Return the steps of alarms as integers.

    Raises
    ------
    InvalidOutputError
        Unless they are integers from 0 to the horizon, which stands for no alarm, of shape (replications,).
    """
    try:
        given = np.asarray(alarms)
    except ValueError:
        raise InvalidOutputError("expected an array of steps, one a replication") from None
    if given.shape != (data.replications,):
        raise InvalidOutputError(f"expected steps of shape ({data.replications},) (replications,), not {given.shape}")
    if not np.issubdtype(given.dtype, np.integer):
        raise InvalidOutputError(f"steps of alarms must be integers, not {given.dtype}")
    if given.min() < 0 or given.max() > data.horizon:
        raise InvalidOutputError(f"steps must lie in 0 to {data.horizon}, not in {given.min()} to {given.max()}")
    return given.astype(np.int64)


def judge(data: Streams, alarms: npt.ArrayLike) -> Judgement:
    """Judge the steps at which monitors raised their first alarm.

    Returns
    -------
    Judgement
        Metrics ``errors`` (share of the streams with an alarm before the change, or without one after it),
        ``false_alarms`` (share of the streams with an alarm before the change), and of the others ``missed`` (share
        without one) and ``delay`` (median of the changed steps seen by the alarm, all of them where it is
        missed); both are 0 where nothing changes. Curve ``alarmed``: share of the streams with an alarm by a step.

    Raises
    ------
    InvalidOutputError
        See `checked`.
    """
    steps = checked(data, alarms)
    early = steps < data.change
    left = data.horizon - data.change
    after = steps[~early]
    missed = (after == data.horizon) & (left > 0)
    delay = np.minimum(after - data.change + 1, left)
    at = marks(data.horizon)
    alarmed = [float((steps < step).mean()) for step in at]
    return Judgement(
        metrics={
            "errors": float((early.sum() + missed.sum()) / len(steps)),
            "false_alarms": float(early.mean()),
            "missed": float(missed.mean()) if len(after) else 0.0,
            # Whoever cries wolf on every stream has detected nothing.
            "delay": float(np.median(delay)) if len(after) else float(left),
        },
        curves={"alarmed": Curve(at.astype(float).tolist(), alarmed)},
        examples={"false_alarms": Examples(early.astype(np.float64))},
    )
