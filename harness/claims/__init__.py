"""Verdicts on claims: each claim of a topic is judged on the records of runs."""

from harness.claims.decide import Judged, judge

__all__ = ["Judged", "judge"]
