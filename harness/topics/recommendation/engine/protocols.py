"""Protocols: how interactions are divided into training, what is known of test users, and what is to be found.

Each protocol answers another question about deployment. Test users are those with at least one item to find. The items
that are known of them are never recommended; all others are ranked, unless the protocol says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness import Generator, UsageError
from harness.data.readers.interactions import Interactions
from harness.topics.recommendation.engine.chance import new_key, untaken
from harness.topics.recommendation.engine.feedback import (
    Division,
    Feedback,
    Index,
    Matrix,
    Preference,
    Protocol,
    Visible,
    matrix,
)
from harness.topics.recommendation.engine.top import known

K = 10
TEST_SHARE = 0.2


def divide(
    interactions: Interactions,
    protocol: Protocol,
    rng: Generator,
    *,
    features: Matrix | None = None,
    preference: Preference | None = None,
) -> Feedback:
    """Divide interactions by a protocol.

    Raises
    ------
    UsageError
        When nothing is left to train on, or to find.
    """
    return arrange(interactions, protocol, protocol(interactions, rng), features, preference)


def arrange(
    interactions: Interactions,
    protocol: Protocol,
    division: Division,
    features: Matrix | None,
    preference: Preference | None,
) -> Feedback:
    """Make the matrices of a division.

    Raises
    ------
    UsageError
        When nothing is left to train on, or to find.
    """
    if not len(division.past) or not len(division.test):
        nothing = "to find in the test set" if len(division.past) else "to train on"
        raise UsageError(f"the division of {len(interactions):,} interactions leaves none {nothing}; use more of them")
    users, items = len(interactions.user_names), len(interactions.item_names)
    trained = np.unique(interactions.users[division.past])
    tested = np.unique(interactions.users[division.test])
    train, order = _of_users(interactions, division.past, trained)
    test, _ = _of_users(interactions, division.test, tested, weighted=False)
    rows = np.full(users, -1, dtype=np.int64)
    rows[trained] = np.arange(len(trained))
    candidates = division.candidates
    if candidates is not None:
        candidates = np.broadcast_to(candidates, (len(tested), len(candidates)))
    times = interactions.time
    visible = Visible(
        train=train,
        history=_of_users(interactions, division.history, tested)[0],
        rows=rows[tested],
        features=features,
        candidates=candidates,
        k=min(K, items),
        times=None if times is None else times[division.past][order],
    )
    return Feedback(interactions, division, protocol, visible, tested, test, preference)


def _of_users(
    interactions: Interactions, chosen: Index, users: npt.NDArray[np.int32], *, weighted: bool = True
) -> tuple[Matrix, Index]:
    """Return the matrix of some interactions of some users, and the order of these interactions in it."""
    of_them = np.zeros(len(interactions.user_names), dtype=bool)
    of_them[users] = True
    chosen = chosen[of_them[interactions.users[chosen]]]
    weights = interactions.weights[chosen] if weighted and interactions.weights is not None else None
    rows = np.searchsorted(users, interactions.users[chosen])
    return matrix(rows, interactions.items[chosen], weights, (len(users), len(interactions.item_names)))


def redivide(data: Feedback, protocol: Protocol, rng: Generator) -> Feedback:
    """Divide the same interactions by another protocol."""
    return divide(data.interactions, protocol, rng, features=data.visible.features, preference=data.preference)


def holdout(data: Feedback, rng: Generator) -> Feedback:
    """Divide the training interactions by the same protocol, to tune on; reads nothing of the test items."""
    past = take(data.interactions, data.division.past)
    return divide(past, data.protocol, rng, features=data.visible.features)


def take(interactions: Interactions, chosen: Index) -> Interactions:
    """Return some of the interactions; users and items keep their numbers."""
    weights, time = interactions.weights, interactions.time
    return replace(
        interactions,
        users=interactions.users[chosen],
        items=interactions.items[chosen],
        weights=None if weights is None else weights[chosen],
        time=None if time is None else time[chosen],
    )


def random_holdout(interactions: Interactions, rng: Generator) -> Division:
    """Hold a fifth of all interactions out, drawn at random."""
    return _split(rng.permutation(len(interactions)) < round(TEST_SHARE * len(interactions)))


def _split(held: npt.NDArray[np.bool_]) -> Division:
    past = np.flatnonzero(~held)
    return Division(past, past, np.flatnonzero(held))


def times_of(interactions: Interactions) -> npt.NDArray[np.int64]:
    """Return the times of interactions.

    Raises
    ------
    UsageError
        When they have none.
    """
    if interactions.time is None:
        raise UsageError("this division needs interactions with times")
    return interactions.time


def temporal(interactions: Interactions, _rng: Generator) -> Division:
    """Train on what happened before one moment for all users, and test on what happened from then on.

    The moment leaves about four fifths of the interactions before it; those of the same time are never divided. Only
    users and items that are in the training interactions are tested, as new ones are the matter of other protocols.
    Global temporal split: Ji et al. 2023, arXiv 2010.11060; arXiv 2507.16289.

    Raises
    ------
    UsageError
        When the interactions have no times, or only one.
    """
    time = times_of(interactions)
    ordered = np.unique(time)
    if len(ordered) < 2:
        raise UsageError("all interactions happened at the same time, so that no moment divides them")
    moment = max(np.sort(time)[int((1 - TEST_SHARE) * len(time))], ordered[1])
    past = time < moment
    warm_users = np.zeros(len(interactions.user_names), dtype=bool)
    warm_items = np.zeros(len(interactions.item_names), dtype=bool)
    warm_users[interactions.users[past]] = True
    warm_items[interactions.items[past]] = True
    tested = ~past & warm_users[interactions.users] & warm_items[interactions.items]
    known = np.flatnonzero(past)
    return Division(known, known, np.flatnonzero(tested))


def user_holdout(interactions: Interactions, rng: Generator, known: float = 0.8) -> Division:
    """Keep a fifth of the users out of training; most of their items are known, and the others are to be found.

    The protocol of variational autoencoders for collaborative filtering (Liang et al. 2018, arXiv 1802.05814),
    which asks whether a model can serve users that it was not trained on.

    Parameters
    ----------
    known
        Share of a held-out user's items that is known, rounded so that at least one item is to be found.
    """
    held = _drawn(interactions.users, len(interactions.user_names), rng)
    rank, count = _positions(interactions.users, rng.random(len(interactions)))
    shown = held & (rank < np.minimum(np.floor(known * count), count - 1))
    return Division(np.flatnonzero(~held), np.flatnonzero(shown), np.flatnonzero(held & ~shown))


def cold_users(interactions: Interactions, rng: Generator, most: int = 3) -> Division:
    """Keep a fifth of the users out of training, of whom from none to `most` items are known, in equal parts.

    The earliest items are the known ones where there are times.
    """
    held = _drawn(interactions.users, len(interactions.user_names), rng)
    shown = rng.integers(0, most + 1, len(interactions.user_names))[interactions.users]
    order = rng.random(len(interactions)) if interactions.time is None else interactions.time
    rank, count = _positions(interactions.users, order)
    known = held & (rank < np.minimum(shown, count - 1))
    return Division(np.flatnonzero(~held), np.flatnonzero(known), np.flatnonzero(held & ~known))


def cold_items(interactions: Interactions, rng: Generator) -> Division:
    """Keep a fifth of the items out of training; they alone are ranked, for the users who took one of them.

    Among all items no model without features would ever find one of them. With the cold items as candidates, one that
    knows nothing of them ranks at random, and the figure says what features are worth.
    """
    held = _drawn(interactions.items, len(interactions.item_names), rng)
    past = np.flatnonzero(~held)
    test = np.flatnonzero(held)
    return Division(past, past, test, candidates=np.unique(interactions.items[test]).astype(np.int32))


def leave_one_out(interactions: Interactions, rng: Generator) -> Division:
    """Hold out one interaction of every user with two or more: the last one where there are times, else any.

    The split of He et al. 2017 (arXiv 1708.05031, section 4.1). Other users' later interactions are in training, so
    that models learn from the future: arXiv 2010.11060 and 2507.16289.
    """
    chance = rng.random(len(interactions))
    order = (chance,) if interactions.time is None else (chance, interactions.time)
    rank, count = _positions(interactions.users, *order)
    return _split((rank == count - 1) & (count > 1))


def popularity_shift(interactions: Interactions, rng: Generator) -> Division:
    """Hold a fifth out at random, then test on the half of it that makes the items' frequencies most alike.

    The half is drawn without replacement with weights inverse to the popularity of the item in training, so that the
    test set is nearer to what users would take if items were shown at random (Bonner & Vasile 2018, arXiv
    1706.07639). Training interactions are those of the random split.
    """
    division = random_holdout(interactions, rng)
    taken = np.bincount(interactions.items[division.past], minlength=len(interactions.item_names))
    weights = 1 / np.maximum(taken[interactions.items[division.test]], 1)
    # The largest sums of log weight and Gumbel noise are a weighted draw without replacement (Efraimidis & Spirakis
    # 2006).
    keys = np.log(weights) + rng.gumbel(size=len(weights))
    kept = np.argsort(-keys, kind="stable")[: max(1, len(keys) // 2)]
    return replace(division, test=np.sort(division.test[kept]))


def noise(data: Feedback, share: float, rng: Generator) -> Feedback:
    """Add random pairs of a user and an item to training, a share of its number.

    None of them is among the interactions. Weights and times are those of training interactions drawn at random. What
    is to be found stays as it is.
    """
    known = data.interactions
    past = data.division.past
    copied = rng.choice(past, round(share * len(past)))
    users = rng.choice(np.unique(known.users[past]), len(copied))
    items = rng.choice(np.unique(known.items[past]), len(copied)).astype(np.int32)
    width = len(known.item_names)
    pairs, first = np.unique(users.astype(np.int64) * width + items, return_index=True)
    first = first[~np.isin(pairs, known.users.astype(np.int64) * width + known.items)]
    noisy = replace(
        known,
        users=np.concatenate([known.users, users[first]]),
        items=np.concatenate([known.items, items[first]]),
        weights=None if known.weights is None else np.concatenate([known.weights, known.weights[copied[first]]]),
        time=None if known.time is None else np.concatenate([known.time, known.time[copied[first]]]),
    )
    extra = np.arange(len(known), len(noisy))
    division = data.division
    division = replace(
        division,
        past=np.concatenate([division.past, extra]),
        history=np.concatenate([division.history, extra]),
    )
    return arrange(noisy, data.protocol, division, data.visible.features, data.preference)


def sampled(data: Feedback, negatives: float, rng: Generator) -> Feedback:
    """Rank one test item of each user among items sampled at random that the user never took.

    The evaluation that Krichene & Rendle 2020 ("On sampled metrics for item recommendation", KDD) show to be
    inconsistent with that among all items. Candidates are sorted, so that their order does not give the label away.
    Where only some items are ranked, those are sampled from.

    Parameters
    ----------
    negatives
        Number of sampled items, drawn without replacement; fewer where a user has fewer that it never took.

    Raises
    ------
    UsageError
        When a user took all items.
    """
    visible, test = data.visible, data.test
    counts = np.diff(test.indptr)
    targets = test.indices[test.indptr[:-1] + (rng.random(visible.users) * counts).astype(np.intp)].astype(np.int32)
    taken = test + visible.history
    allowed = np.arange(visible.items, dtype=np.int32) if visible.candidates is None else visible.candidates[0]
    count = min(int(negatives), len(allowed) - int(np.diff(taken[:, allowed].indptr).max()))
    if count < 1:
        raise UsageError("a test user took all items, so that there are none to sample: use more items")
    ends, items = known(taken, 0, visible.users)
    chosen = np.hstack([untaken(ends, items, rng.permutation(allowed), count, new_key(rng)), targets[:, np.newaxis]])
    found, _ = matrix(np.arange(visible.users), targets, None, test.shape)
    return replace(data, visible=replace(visible, candidates=np.sort(chosen, axis=1)), test=found)


def _drawn(groups: npt.NDArray[np.int32], count: int, rng: Generator) -> npt.NDArray[np.bool_]:
    """Choose a fifth of the groups that occur at random, and return which rows are theirs."""
    there = np.unique(groups)
    held = np.zeros(count, dtype=bool)
    held[rng.permutation(there)[: max(1, round(TEST_SHARE * len(there)))]] = True
    return held[groups]


def _positions(groups: npt.NDArray[np.int32], *keys: npt.NDArray[np.generic]) -> tuple[Index, Index]:
    """Return the position of each row within its group, in the order of the keys, the last of which counts most.

    Also returns the size of each row's group.
    """
    order = np.lexsort((*keys, groups))
    counts = np.bincount(groups)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(groups), dtype=np.intp)
    rank[order] = np.arange(len(groups)) - starts[groups[order]]
    return rank, counts[groups]
