"""The gate on stored runs: what two sessions of a machine can tell, and what they cannot."""

from harness.gate.stored.gate import decide, runs_named

__all__ = ["decide", "runs_named"]
