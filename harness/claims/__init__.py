"""Verdicts on claims: each claim of a topic is judged on the records of runs."""

from harness.claims.decide import Judged, judge
from harness.claims.tracked import TrackedVerdict, tracked_verdicts

__all__ = ["Judged", "TrackedVerdict", "judge", "tracked_verdicts"]
