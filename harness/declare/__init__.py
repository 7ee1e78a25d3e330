"""What an author writes.

A wrong declaration raises `DeclarationError` while its file is imported, with the file and line of the mistake.
"""

from harness.declare.topic import Task, Topic
from harness.declare.values import (
    CLEAN,
    THREADS,
    Claim,
    Dataset,
    Examples,
    Judgement,
    Metric,
    Param,
    PhaseClock,
    Problem,
    Profile,
    Scenario,
    Strategy,
)
from harness.errors import CannotRunError
from harness.trial import Figure, Work

__all__ = [
    "CLEAN",
    "THREADS",
    "CannotRunError",
    "Claim",
    "Dataset",
    "Examples",
    "Figure",
    "Judgement",
    "Metric",
    "Param",
    "PhaseClock",
    "Problem",
    "Profile",
    "Scenario",
    "Strategy",
    "Task",
    "Topic",
    "Work",
]
