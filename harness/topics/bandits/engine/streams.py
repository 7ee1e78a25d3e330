"""Streams of rewards and contexts after a deployment, with a change whose step only the judge knows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, InvalidOutputError, Judgement
from harness.topics.bandits.engine.judge import marks
from harness.topics.bandits.engine.world import Floats, Ints


@dataclass(frozen=True, eq=False)
class Watched:
    """What a monitor may see: the reference, which is known to be without change, and the monitored steps after it.

    Attributes
    ----------
    rewards, contexts
        Shape (replications, reference + horizon).
    reference
        Steps before monitoring begins.
    """

    rewards: Floats
    contexts: Floats
    reference: int

    @property
    def horizon(self) -> int:
        """Number of monitored steps."""
        steps: int = self.rewards.shape[1] - self.reference
        return steps


@dataclass(frozen=True, eq=False)
class Streams:
    """Streams as the judge knows them: noise, its scale, the means, and the step of the change.

    Attributes
    ----------
    reward_noise, context_noise
        Of mean 0 and variance 1, shape (replications, reference + horizon).
    reward_mean, reward_scale, context_mean
        Shape (reference + horizon,).
    reference
        Steps before monitoring begins.
    change
        Monitored step of the change; the horizon if nothing changes.
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
        """Number of monitored steps."""
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
        ``stable``: nothing changes; ``mean``: rewards fall by `shift` at once; ``gradual``: they fall by it within a
        fifth of the horizon; ``variance``: their standard deviation grows by `shift`; ``context``: contexts rise by it.
    shift
        Size of the change, in standard deviations.
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
    """Give the noise Student's t distribution, scaled to variance 1; the ranks of the numbers do not change."""
    from scipy.special import ndtr, stdtrit

    scale = np.sqrt((freedom - 2) / freedom)
    rewards, contexts = (scale * stdtrit(freedom, ndtr(noise)) for noise in (data.reward_noise, data.context_noise))
    return replace(data, reward_noise=rewards, context_noise=contexts)


def autocorrelated(data: Streams, correlation: float) -> Streams:
    """Make each step's noise depend on the one before: an autoregression of order 1, with variance 1."""
    fresh = np.sqrt(1 - correlation**2)
    linked = []
    for noise in (data.reward_noise, data.context_noise):
        series = noise.copy()
        for step in range(1, series.shape[1]):
            series[:, step] = correlation * series[:, step - 1] + fresh * noise[:, step]
        linked.append(series)
    return replace(data, reward_noise=linked[0], context_noise=linked[1])


def checked(data: Streams, alarms: npt.ArrayLike) -> Ints:
    """Return the steps of alarms as integers.

    Raises
    ------
    InvalidOutputError
        Unless they are integers of shape (replications,), from 0 to the horizon, which means "no alarm".
    """
    try:
        given = np.asarray(alarms)
    except ValueError:
        raise InvalidOutputError("expected an array of steps, one per replication") from None
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
        Metrics ``errors`` (share of the streams with an alarm before the change, or without one after it) and
        ``false_alarms`` (share of the streams with an alarm before the change). Over the other streams, ``missed``
        (share without an alarm) and ``delay`` (median number of steps from the change to the alarm, or to the horizon);
        both are 0 if nothing changes. Curve ``alarmed``: share of the streams with an alarm up to a step.

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
            # With a false alarm on every stream no change was detected.
            "delay": float(np.median(delay)) if len(after) else float(left),
        },
        n={"errors": len(steps), "false_alarms": len(steps), "missed": len(after) if left else 0},
        curves={"alarmed": Curve(at.astype(float).tolist(), alarmed)},
        examples={"false_alarms": Examples(early.astype(np.float64))},
    )
