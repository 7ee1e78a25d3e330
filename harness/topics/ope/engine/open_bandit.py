"""Makes logs of the sample of the Open Bandit Dataset: of two policies, each with the other as the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.topics._shared.open_bandit import CAMPAIGNS, POLICIES, logs
from harness.topics.ope.engine.log import Floats, Ints, Log
from harness.topics.ope.engine.worlds import Recorded

if TYPE_CHECKING:
    import pandas as pd

_USER = [f"user_feature_{number}" for number in range(4)]
_KINDS = [f"item_feature_{number}" for number in range(1, 4)]


def read(campaign: str, policy: str) -> Recorded:
    """Read the log of a policy in a campaign, the other policy being the target.

    The target of random's log is Thompson sampling with the campaign's prior, a distribution over items for each
    position. The target of bts's log is the uniform policy.

    Returns
    -------
    Recorded
        Contexts are the user's features as indicators, the first value of each left out, then two indicators of the
        position; embeddings are the item's three anonymised features. ``logging`` is known of random only: bts moves
        with time, and its log states the probability of the chosen item alone. The truth is the other log's click
        rate.
    """
    both = logs(campaign)
    own = both[policy]
    (other,) = (name for name in POLICIES if name != policy)
    count = CAMPAIGNS[campaign]
    shape = (len(own), count)
    uniform = np.full(shape, 1 / count)
    log = Log(
        actions=own["item"].to_numpy(np.int64),
        rewards=own["click"].to_numpy(np.float64),
        propensities=own["propensity"].to_numpy(np.float64),
        target=_thompson(both["random"], count)[own["position"].to_numpy(np.int64) - 1] if other == "bts" else uniform,
        reward_range=(0.0, 1.0),
        contexts=np.hstack([*(_indicators(own[name]) for name in _USER), _indicators(own["position"])]),
        logging=uniform if policy == "random" else None,
        embeddings=np.column_stack([_codes(own, name, count) for name in _KINDS]),
    )
    return Recorded(log, float(both[other]["click"].mean()))


def _indicators(column: pd.Series) -> Floats:
    """Return one column for each value but the first, in sorted order."""
    values, codes = np.unique(column.to_numpy(), return_inverse=True)
    indicators: Floats = (codes[:, None] == np.arange(1, len(values))).astype(np.float64)
    return indicators


def _thompson(random: pd.DataFrame, count: int) -> Floats:
    """Gather the target's probabilities from the rows, shape (positions, items): the random policy shows all."""
    shares = np.zeros((3, count))
    shares[random["position"].to_numpy(np.int64) - 1, random["item"]] = random["bts_probability"]
    normalised: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normalised


def _codes(rows: pd.DataFrame, name: str, count: int) -> Ints:
    """Return the code of an item's feature, shape (items,): values in sorted order."""
    items = rows.drop_duplicates("item").set_index("item")[name].reindex(range(count))
    _, codes = np.unique(items.to_numpy(str), return_inverse=True)
    return codes.astype(np.int64)
