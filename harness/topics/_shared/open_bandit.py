"""The rows of the sample of the Open Bandit Dataset.

obp is not imported: its loader fails with pandas 2 and later, because it passes arguments by position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.data import columns
from harness.data.cards import builtin_card, verify
from harness.data.files import check
from harness.data.readers import log

if TYPE_CHECKING:
    import pandas as pd

CARD = "open-bandit-sample"
CAMPAIGNS = {"all": 80, "men": 34, "women": 46}  # number of items in each campaign
POLICIES = ("random", "bts")
MODULES = ("pandas", *columns.MODULES)  # imported when the file is read


def verify_sample() -> None:
    """Check the file of the sample against its card.

    Raises
    ------
    MissingDataError
        When the file is missing.
    UsageError
        When it differs from its card.
    """
    check(builtin_card(CARD))


def logs(campaign: str) -> dict[str, pd.DataFrame]:
    """Read the logs of both policies in a campaign, in order of time; the columns are the card's.

    Raises
    ------
    UsageError
        When the file is missing or differs from its card.
    """
    import pandas as pd

    card = builtin_card(CARD)
    verify(card)
    rounds = log.read(card)
    named: dict[str, Any] = {
        "item": rounds.actions,
        "click": rounds.rewards,
        "propensity": rounds.propensities,
        "time": rounds.time,
    }
    # Chosen before pandas copies the strings.
    chosen = rounds.others["campaign"] == campaign
    rows = pd.DataFrame({name: values[chosen] for name, values in {**named, **rounds.others}.items()})
    return {name: rows[rows["policy"] == name].reset_index(drop=True) for name in POLICIES}
