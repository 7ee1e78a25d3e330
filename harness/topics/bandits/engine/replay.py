"""Makes a world of the log of a uniformly random policy: what policies meet that are replayed against it.

Li, Chu, Langford & Wang 2011, "Unbiased offline evaluation of contextual-bandit-based news article recommendation
algorithms" (arXiv 1003.5956), algorithm 2: logged rounds are offered one after the other; where the policy chooses the
item that was shown, the round counts and the policy learns from it, otherwise the round is thrown away.

A log of K items is short once all but 1 / K of it is thrown away, so that rounds are drawn with replacement (Mary,
Preux & Nicol 2014, "Improving offline evaluation of contextual bandit algorithms via bootstrapping techniques", arXiv
1405.3536; without their jitter). Where a context has been seen with one item only, the choice then depends on the item
shown: a policy accepts the rounds of which it remembers a click, and matches no others. So contexts are few, each is
logged with all items, and a round is drawn by its context, then its item, then among the rounds that have both. A
choice is thereby accepted with probability 1 / K whatever it is, and pays a logged click of its item in its context:
that is the `World` of these click rates, which is played without drawing the rounds that would be thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, Judgement, Scalar, UsageError
from harness.topics._shared import open_bandit
from harness.topics.bandits.engine import judge as judges
from harness.topics.bandits.engine.chance import Floats, Ints, key_of
from harness.topics.bandits.engine.world import World

USER = "user_feature_3"  # the one whose values are spread most evenly
VIEWS = 1_000  # that clicks are counted in


@dataclass(frozen=True, eq=False, kw_only=True)
class Replay(World):
    """Items of a log as arms, with the click rates of the half of it that is learnt from.

    Attributes
    ----------
    held
        Click rates in the other half, shape (rows, arms); a row is a logged round, of which the context counts.
    logged
        Click rate of the policy that was logged, contexts as often as in the log.
    """

    held: Floats
    logged: float


def read(params: Mapping[str, Scalar], rng: np.random.Generator, campaign: str) -> Replay:
    """Read random's log of a campaign, of the ``arms`` items that it shows most often; ties go to the lower number.

    A uniform log of some of its items is a uniform log of these. The context is the position, and one feature of the
    user: its two most frequent values and the rest, as indicators after the constant 1.

    Raises
    ------
    UsageError
        When the log is too short for so many items, or the sample's file is not what its card says.
    """
    rows = open_bandit.logs(campaign)["random"]
    shown = rows["item"].to_numpy(np.int64)
    chosen = np.sort(np.argsort(-np.bincount(shown), kind="stable")[: int(params["arms"])])
    kept = np.isin(shown, chosen)
    frequent = rows[USER].value_counts().index[:2]
    users = np.stack([rows[USER] == value for value in frequent], axis=1)[kept]
    positions = np.stack([rows["position"] == place for place in (2, 3)], axis=1)[kept]
    features = np.hstack([np.ones((kept.sum(), 1)), users, positions])
    clicks = rows["click"].to_numpy(np.float64)[kept]
    return halved(np.searchsorted(chosen, shown[kept]), features, clicks, params, rng)


def halved(
    items: Ints, features: Floats, clicks: Floats, params: Mapping[str, Scalar], rng: np.random.Generator
) -> Replay:
    """Make a world of a log: of every item in every context one half at random is learnt from.

    Parameters
    ----------
    items, features, clicks
        Of the log's rounds, shapes (rounds,), (rounds, d) and (rounds,); items count from 0.

    Raises
    ------
    UsageError
        When an item was shown less than twice in some context, or nothing was clicked.
    """
    count = int(items.max()) + 1
    codes = np.unique(features, axis=0, return_inverse=True)[1].ravel()
    cells = codes * count + items
    sizes = np.bincount(cells, minlength=(int(codes.max()) + 1) * count)
    if sizes.min() < 2 or not clicks.any():
        raise UsageError(f"the log shows too few rounds of its {count} items to be halved; set fewer arms")
    # The place of each round among those of its cell, in random order.
    order = np.lexsort((rng.random(len(cells)), cells))
    places = np.empty(len(cells), dtype=np.int64)
    places[order] = np.arange(len(cells)) - np.repeat(sizes.cumsum() - sizes, sizes)
    learnt = places < sizes[cells] // 2 + (sizes[cells] % 2) * (rng.random(len(sizes)) < 1 / 2)[cells]

    def rates(half: npt.NDArray[np.bool_]) -> Floats:
        sums = np.bincount(cells[half], clicks[half], len(sizes))
        means: Floats = (sums / np.bincount(cells[half], minlength=len(sizes))).reshape(-1, count)
        return means[codes]

    return Replay(
        rates(learnt)[None],
        np.zeros(int(params["horizon"]), dtype=np.int64),
        int(params["replications"]),
        key_of(rng),
        features=features,
        held=rates(~learnt),
        logged=float(rates(np.ones(len(cells), dtype=bool)).mean()),
    )


def judge(world: Replay, actions: npt.ArrayLike) -> Judgement:
    """Judge the clicks that are expected of the arms chosen.

    Returns
    -------
    Judgement
        Metrics ``clicks`` (in 1,000 rounds, by the rates of the half that is not learnt from), ``lift`` (their ratio to
        those of the logged policy) and ``clicks_learnt`` (by the rates of the half learnt from). Curves ``clicks``, and
        ``regret`` against the arm that is best in each context of the half learnt from. Examples of ``clicks``, one a
        replication.

    Raises
    ------
    InvalidOutputError
        See `judge.regret`.
    """
    lost = judges.regret(world, actions)
    chosen = judges.checked(world, actions)
    rows = world.rows(np.arange(world.horizon)[:, None])
    clicks, learnt = VIEWS * world.held[rows, chosen], VIEWS * world.means[0, rows, chosen]
    at = judges.marks(world.horizon)
    curves = {"clicks": clicks.mean(axis=1).cumsum()[at - 1] / at, "regret": lost.mean(axis=1).cumsum()[at - 1]}
    return Judgement(
        metrics={
            "clicks": float(clicks.mean()),
            "lift": float(clicks.mean() / (VIEWS * world.logged)),
            "clicks_learnt": float(learnt.mean()),
        },
        curves={name: Curve(at.astype(float).tolist(), y.tolist()) for name, y in curves.items()},
        examples={"clicks": Examples(clicks.mean(axis=0))},
    )
