"""The rows of the sample of the Open Bandit Dataset.

obp is not imported: its loader fails with pandas 2 and later, because it passes arguments by position.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.cards import builtin_folder, path, read_card, verify

if TYPE_CHECKING:
    import pandas as pd

CARD = "open-bandit-sample"
CAMPAIGNS = {"all": 80, "men": 34, "women": 46}  # number of items in each campaign
POLICIES = ("random", "bts")
MODULES = ("pandas", "pyarrow.dataset", "pyarrow.parquet")  # imported when the file is read


def card_file() -> Path:
    """Return the file of the sample after checking it against its card.

    Raises
    ------
    UsageError
        When the file is missing or differs from its card.
    """
    card = read_card(builtin_folder() / f"{CARD}.toml")
    verify(card)
    place = path(card)
    assert place is not None
    return place


def logs(campaign: str) -> dict[str, pd.DataFrame]:
    """Read the logs of both policies in a campaign, in order of time; the columns are the card's.

    Raises
    ------
    UsageError
        When the file is missing or differs from its card.
    """
    import pandas as pd

    rows = pd.read_parquet(card_file(), filters=[("campaign", "==", campaign)])
    return {name: rows[rows["policy"] == name].reset_index(drop=True) for name in POLICIES}
