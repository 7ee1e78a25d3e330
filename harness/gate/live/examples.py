"""What the examples of a test set say of two outputs, read from what both sides wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.declare import Examples
from harness.stats.examples import Difference, difference


def differences(base: Mapping[str, Any], candidate: Mapping[str, Any], seed: int) -> dict[str, Difference]:
    """Compare both sides' examples, metric by metric.

    Parameters
    ----------
    base, candidate
        ``<metric>.values`` and, for scores, ``<metric>.labels``; arrays of shape (n,).
    seed
        Of the bootstrap.
    """
    found: dict[str, Difference] = {}
    for key in base:
        name, _, part = key.rpartition(".")
        if part != "values" or key not in candidate:
            continue
        one, other = (Examples(side[key], side.get(f"{name}.labels")) for side in (base, candidate))
        compared = difference(one, other, seed)
        if compared is not None:
            found[name] = compared
    return found
