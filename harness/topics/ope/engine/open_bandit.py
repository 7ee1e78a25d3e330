"""Makes logs from the sample of the Open Bandit Dataset: two policies, each with the other as the target."""

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
    """Read the log of a policy in a campaign, with the other policy as the target.

    The target for the log of random is Thompson sampling with the prior of the campaign, a distribution over items for
    each position. The target for the log of bts is the uniform policy.

    Returns
    -------
    Recorded
        Contexts are indicators of the user's features, without the first value of each, then two indicators of the
        position; embeddings are the three anonymised features of an item. ``logging`` is known only for random: bts
        changes with time, and its log has only the probability of the chosen item. The true value is the click rate of
        the other log.
    """
    both = logs(campaign)
    rows = both[policy]
    (other,) = (name for name in POLICIES if name != policy)
    count = CAMPAIGNS[campaign]
    shape = (len(rows), count)
    uniform = np.full(shape, 1 / count)
    log = Log(
        actions=rows["item"].to_numpy(np.int64),
        rewards=rows["click"].to_numpy(np.float64),
        propensities=rows["propensity"].to_numpy(np.float64),
        target=_thompson(both["random"], count)[rows["position"].to_numpy(np.int64) - 1] if other == "bts" else uniform,
        reward_range=(0.0, 1.0),
        contexts=np.hstack([*(_indicators(rows[name]) for name in _USER), _indicators(rows["position"])]),
        logging=uniform if policy == "random" else None,
        embeddings=np.column_stack([_codes(rows, name, count) for name in _KINDS]),
    )
    return Recorded(log, float(both[other]["click"].mean()))


def _indicators(column: pd.Series) -> Floats:
    """Return one column for each value except the first, in sorted order."""
    values, codes = np.unique(column.to_numpy(), return_inverse=True)
    indicators: Floats = (codes[:, None] == np.arange(1, len(values))).astype(np.float64)
    return indicators


def _thompson(random: pd.DataFrame, count: int) -> Floats:
    """Return the target's probabilities, shape (positions, items); the random policy shows all items."""
    shares = np.zeros((3, count))
    shares[random["position"].to_numpy(np.int64) - 1, random["item"]] = random["bts_probability"]
    normalised: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normalised


def _codes(rows: pd.DataFrame, name: str, count: int) -> Ints:
    """Return codes of a feature of the items in sorted order of its values, shape (items,)."""
    items = rows.drop_duplicates("item").set_index("item")[name].reindex(range(count))
    _, codes = np.unique(items.to_numpy(str), return_inverse=True)
    return codes.astype(np.int64)
