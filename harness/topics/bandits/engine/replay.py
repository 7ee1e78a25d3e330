"""Makes a world from the log of a uniformly random policy; playing it is equivalent to a replay of the log.

Li, Chu, Langford & Wang 2011, "Unbiased offline evaluation of contextual-bandit-based news article recommendation
algorithms" (arXiv 1003.5956), algorithm 2: logged rounds are offered one after the other. If the policy chooses the
item that was shown, the round is accepted and the policy learns from it, otherwise the round is discarded.

In a log of K items only 1 / K of the rounds is accepted, so rounds are drawn with replacement (Mary, Preux & Nicol
2014, "Improving offline evaluation of contextual bandit algorithms via bootstrapping techniques", arXiv 1405.3536;
without their jitter). If a context occurred with a single item, a policy could then recognise the round: it would
choose the items whose clicks it remembers. So there are only a few contexts, and each was logged with all items. A
round is drawn by its context, then its item, then among the rounds with both. Whatever the policy chooses is therefore
accepted with probability 1 / K, and pays a logged click of this item in this context. The same rewards come from a
`World` with these click rates, which is played here: it saves drawing the rounds that would be discarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness import Curve, Examples, Judgement, Scalar, UsageError
from harness.topics._shared import open_bandit
from harness.topics.bandits.engine import judge as judges
from harness.topics.bandits.engine.world import Floats, Ints, World, key_of

USER = "user_feature_3"  # the one whose values are spread most evenly
VIEWS = 1_000  # clicks are reported per so many views


@dataclass(frozen=True, eq=False, kw_only=True)
class Replay(World):
    """Items of a log as arms; `means` are the click rates in the half of the log that policies learn from.

    Attributes
    ----------
    held_out
        Click rates in the other half, shape (rows, arms); a row is a logged round with its context.
    logged
        Click rate of the policy that was logged, with contexts as frequent as in the log.
    """

    held_out: Floats
    logged: float


def read(params: Mapping[str, Scalar], rng: np.random.Generator, campaign: str) -> Replay:
    """Read the log of the random policy in a campaign, reduced to the ``arms`` items that it shows most often.

    Of equally frequent items the one with the lower number is taken. The rounds that show the chosen items are a log of
    a uniform policy over these. A context is the constant 1, then indicators: the two most frequent values of one user
    feature, and the positions 2 and 3.

    Raises
    ------
    UsageError
        When the log is too short for so many items, or the file of the sample differs from its card.
    """
    rows = open_bandit.logs(campaign)["random"]
    shown = rows["item"].to_numpy(np.int64)
    chosen = np.sort(np.argsort(-np.bincount(shown), kind="stable")[: int(params["arms"])])
    rounds = np.isin(shown, chosen)
    frequent = rows[USER].value_counts().index[:2]
    users = np.stack([rows[USER] == value for value in frequent], axis=1)[rounds]
    positions = np.stack([rows["position"] == place for place in (2, 3)], axis=1)[rounds]
    features = np.hstack([np.ones((rounds.sum(), 1)), users, positions])
    clicks = rows["click"].to_numpy(np.float64)[rounds]
    return halved(np.searchsorted(chosen, shown[rounds]), features, clicks, params, rng)


def halved(
    items: Ints, features: Floats, clicks: Floats, params: Mapping[str, Scalar], rng: np.random.Generator
) -> Replay:
    """Make a world from a log: policies learn from a random half of the rounds of every item in every context.

    Parameters
    ----------
    items, features, clicks
        One per round, shapes (rounds,), (rounds, d) and (rounds,); items are numbered from 0.

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
        raise UsageError(f"the log has too few rounds of its {count} items to be halved; set fewer arms")
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
        held_out=rates(~learnt),
        logged=float(rates(np.ones(len(cells), dtype=bool)).mean()),
    )


def judge(world: Replay, actions: npt.ArrayLike) -> Judgement:
    """Judge the expected clicks of the chosen arms.

    Returns
    -------
    Judgement
        Metrics ``clicks`` (per 1,000 rounds, by the click rates of the half that policies do not learn from), ``lift``
        (their ratio to those of the logged policy) and ``clicks_learnt`` (by the rates of the half that policies learn
        from). Curves ``clicks``, and ``regret`` against the best arm in each context by the half that policies learn
        from. Examples of ``clicks``, one per replication.

    Raises
    ------
    InvalidOutputError
        See `judge.regret`.
    """
    lost = judges.regret(world, actions)
    chosen = judges.checked(world, actions)
    rows = world.rows(np.arange(world.horizon)[:, None])
    clicks, learnt = VIEWS * world.held_out[rows, chosen], VIEWS * world.means[0, rows, chosen]
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
