"""Refuses interactions that no division makes sense of, with one sentence."""

from __future__ import annotations

import numpy as np

from harness import UsageError
from harness.data.readers.interactions import Interactions


def check(interactions: Interactions) -> None:
    """Refuse pairs that come twice, and weights that are not positive.

    Raises
    ------
    UsageError
        A pair of a user and an item comes twice: if it were divided, its item would be known and to be found. Or a
        weight is 0, negative or not finite: an interaction that is there counts as positive.
    """
    users, items, weights = interactions.users, interactions.items, interactions.weights
    pairs = users.astype(np.int64) * len(interactions.item_names) + items
    order = np.argsort(pairs, kind="stable")
    again = order[1:][pairs[order][1:] == pairs[order][:-1]]
    if len(again):
        at = int(again.min())
        raise UsageError(
            f"{len(again):,} interactions repeat a pair of a user and an item, such as user "
            f"{interactions.user_names[users[at]]!r} and item {interactions.item_names[items[at]]!r}: "
            "give every pair once, with the sum of its weights"
        )
    if weights is None:
        return
    wrong = np.flatnonzero(~((weights > 0) & np.isfinite(weights)))
    if len(wrong):
        at = int(wrong[0])
        raise UsageError(
            f"{len(wrong):,} interactions have a weight that is not above 0, such as {weights[at]:g} of user "
            f"{interactions.user_names[users[at]]!r} and item {interactions.item_names[items[at]]!r}: leave them out"
        )
