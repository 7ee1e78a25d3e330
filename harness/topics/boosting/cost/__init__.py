"""A model of what a tree costs on many workers: its sizes, formulas, fit and map."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Measurement, WinnerMap
from harness.topics.boosting.distributed import distributed


@distributed.model(title="who trains a tree fastest on 8 to 1,024 workers")
def who_is_fastest(measured: Sequence[Measurement]) -> WinnerMap:
    """Fit the model; what it needs is imported only then, so that listing the topic is fast."""
    from harness.topics.boosting.cost.model import winners

    return winners(measured)
