"""Scores and labels by period after a deployment, with a change whose period only the judge knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from harness import Curve, Generator, InvalidOutputError, Judgement, UsageError
from harness.data.tabular import Split, Table, read_only
from harness.topics.logistic.engine.lines import Floats
from harness.topics.logistic.engine.scored import MODELS, Labels

POOL = 50_000  # rows of a generated pool
INTERCEPT, DEVIATION = -2.0, 1.5  # of the log odds
EARLY, LATE = 0.5, 0.25  # shares of the rows in time: the first half, and the last quarter
MODEL = "logistic"


@dataclass(frozen=True, eq=False)
class Watched:
    """What a monitor may see, in independent streams. Arrays are read-only.

    Attributes
    ----------
    reference_scores, reference_labels
        Probabilities and classes of rows from before the monitored periods, shape (streams, m).
    scores, labels
        The same of each period, shape (streams, periods, n).
    """

    reference_scores: Floats
    reference_labels: Labels
    scores: Floats
    labels: Labels

    def __post_init__(self) -> None:
        read_only(self.reference_scores, self.reference_labels, self.scores, self.labels)

    @property
    def periods(self) -> int:
        """Number of monitored periods."""
        return int(self.scores.shape[1])


@dataclass(frozen=True, eq=False)
class Periods:
    """Streams as the judge knows them: with the first changed period, which is `watched.periods` if nothing changes."""

    watched: Watched
    change: int


class Pool(NamedTuple):
    """Rows to draw from: scores and classes, shape (n,)."""

    scores: Floats
    labels: Labels


def generated(kind: str, shift: float, rng: Generator) -> tuple[Pool, Pool | None]:
    """Make rows before and after a change, for a model that is right before it.

    The log odds of the model are -2 + 1.5 u for a standard normal u, and so are the true ones before the change. After
    it, by kind and the size `shift` of the change:

    - ``none``: there is no change.
    - ``prior``: rows of class 1 become exp(shift) times as frequent against those of class 0; within a class nothing
      changes.
    - ``covariate``: the mean of u is `shift`; the true log odds given u stay.
    - ``concept``: the true log odds are -2 + 1.5 ((1 - shift) u + sqrt(1 - (1 - shift)^2) v) with another standard
      normal v, which the model does not know. Scores and the event rate stay as they are.
    - ``noise``: a share 0.2 shift of the labels is flipped.
    """
    before = _rows(rng, np.ones(2))
    if kind == "none":
        return before, None
    if kind == "prior":
        pool = _rows(rng, np.ones(2))
        # Rows of the class that becomes rarer are dropped.
        keep = np.where(pool.labels == 1, np.exp(min(shift, 0)), np.exp(-max(shift, 0)))
        kept = rng.random(POOL) < keep
        return before, Pool(pool.scores[kept], pool.labels[kept])
    if kind == "covariate":
        return before, _rows(rng, np.ones(2), mean=shift)
    if kind == "concept":
        return before, _rows(rng, np.array([1 - shift, np.sqrt(1 - (1 - shift) ** 2)]))
    pool = _rows(rng, np.ones(2))
    return before, Pool(pool.scores, pool.labels ^ (rng.random(POOL) < 0.2 * shift).astype(np.int8))


def _rows(rng: Generator, weights: Floats, mean: float = 0.0) -> Pool:
    """Draw scores of u, and labels of the true log odds; with equal weights, those of u alone."""
    u, v = mean + rng.standard_normal(POOL), rng.standard_normal(POOL)
    true = u if weights[0] == weights[1] else weights[0] * u + weights[1] * v
    labels = (rng.random(POOL) < expit(INTERCEPT + DEVIATION * true)).astype(np.int8)
    return Pool(expit(INTERCEPT + DEVIATION * u), labels)


def of_table(split: Split, rng: Generator) -> tuple[Pool, Pool]:
    """Fit a model on early rows, and return its scores of other early rows and of late ones.

    The first half of the rows in time is divided by chance: one part for the model, the other for the rows before the
    change. The last quarter gives the rows after it.

    Raises
    ------
    UsageError
        When the rows have no time, or one of the three parts has one class only.
    """
    X, y, order = in_time(split)
    early, late = order[: int(EARLY * len(order))], order[-int(LATE * len(order)) :]
    early = rng.permutation(early)
    fit, before = np.array_split(early, 2)
    for name, rows in (("fit the model on", fit), ("watch before the change", before), ("watch after it", late)):
        if y[rows].min() == y[rows].max():
            raise UsageError(f"all {len(rows)} rows to {name} are of class {y[rows[0]]}; ask for more with --set rows")
    score = MODELS[MODEL](Table(X[fit], y[fit]))
    return Pool(score(X[before]), y[before]), Pool(score(X[late]), y[late])


def in_time(split: Split) -> tuple[npt.NDArray[np.float32], Labels, npt.NDArray[np.intp]]:
    """Return the features and classes of all rows of a split, and the order of the rows in time.

    Raises
    ------
    UsageError
        When the rows have no time.
    """
    if split.train.time is None or split.test.time is None:
        raise UsageError("monitoring needs data with a time column")
    X = np.concatenate([split.train.X, split.test.X])
    y = np.concatenate([split.train.y, split.test.y])
    return X, y, np.argsort(np.concatenate([split.train.time, split.test.time]), kind="stable")


def streams(before: Pool, after: Pool | None, params: Mapping[str, Any], rng: Generator) -> Periods:
    """Draw streams from two pools, with replacement; from the middle of the periods on they come from the second.

    Rows are independent, so nothing changes before that, and false alarms are known to be false.

    Parameters
    ----------
    after
        None if nothing changes.
    params
        ``replications``, ``reference``, ``periods`` and ``period_rows``.
    """
    count, m = int(params["replications"]), int(params["reference"])
    periods, n = int(params["periods"]), int(params["period_rows"])
    at = periods if after is None else periods // 2

    def draw(pool: Pool, *shape: int) -> tuple[Floats, Labels]:
        rows = rng.integers(len(pool.scores), size=(count, *shape))
        return pool.scores[rows], pool.labels[rows]

    reference, first, second = draw(before, m), draw(before, at, n), draw(after or before, periods - at, n)
    scores = np.concatenate([first[0], second[0]], axis=1)
    labels = np.concatenate([first[1], second[1]], axis=1)
    return Periods(Watched(*reference, scores, labels), at)


def judge(data: Periods, output: npt.ArrayLike) -> Judgement:
    """Judge the statistics of a monitor, divided by its limit: from 1 on it raises an alarm. The first one counts.

    Parameters
    ----------
    output
        Shape (streams, periods).

    Returns
    -------
    Judgement
        Metrics ``errors`` (share of the streams with an alarm before the change, or without one after it) and
        ``false_alarms``. Over the streams without a false alarm, ``missed`` (share without an alarm) and ``delay``
        (mean number of periods from the change to the end of the period with the alarm, or to the end if missed); both
        are 0 if nothing changes. Curves over periods: ``alarmed``, the share of the streams with an alarm so far, and
        ``statistic``, the median with the band of the 5 % and 95 % quantiles.

    Raises
    ------
    InvalidOutputError
        When the output has another shape, or numbers that are not finite.
    """
    statistic = _checked(data, output)
    periods = data.watched.periods
    crossed = statistic >= 1
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), periods)
    false = first < data.change
    left, after = periods - data.change, first[~false]
    missed = (after == periods) & (left > 0)
    at = np.arange(1, periods + 1)
    low, centre, high = np.quantile(statistic, [0.05, 0.5, 0.95], axis=0)
    return Judgement(
        metrics={
            "errors": float((false.sum() + missed.sum()) / len(first)),
            "false_alarms": float(false.mean()),
            "missed": float(missed.mean()) if len(after) else 0.0,
            "delay": float(np.minimum(after - data.change + 1, left).mean()) if len(after) else float(left),
        },
        n={"errors": len(first), "false_alarms": len(first), "missed": len(after) if left else 0},
        curves={
            "alarmed": Curve(at.astype(float).tolist(), [float((first < period).mean()) for period in at]),
            "statistic": Curve(at.astype(float).tolist(), centre.tolist(), low.tolist(), high.tolist()),
        },
    )


def _checked(data: Periods, output: npt.ArrayLike) -> Floats:
    try:
        statistic = np.asarray(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidOutputError("expected an array of statistics, one per stream and period") from None
    shape = data.watched.scores.shape[:2]
    if statistic.shape != shape:
        raise InvalidOutputError(f"expected statistics of shape {shape} (streams, periods), not {statistic.shape}")
    if not np.isfinite(statistic).all():
        raise InvalidOutputError(f"{np.count_nonzero(~np.isfinite(statistic))} statistics are not finite")
    return statistic
