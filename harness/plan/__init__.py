"""A selection becomes an ordered list of trials, in blocks."""

from harness.plan.make import Plan, make_plan

__all__ = ["Plan", "make_plan"]
