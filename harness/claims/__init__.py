"""Records become verdicts: each claim of a topic is judged on what was measured."""

from harness.claims.decide import Judged, judge

__all__ = ["Judged", "judge"]
