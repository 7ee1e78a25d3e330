"""What an author writes.

A wrong declaration raises `DeclarationError` while its file is imported, with the file and line of the mistake.
"""

from harness.declare.model import (
    FittedConstant,
    Measurement,
    Model,
    NotMeasuredError,
    Panel,
    Prediction,
    Validation,
    WinnerMap,
)
from harness.declare.task import Examples, Judgement, Outputs, PhaseClock, Problem, Task
from harness.declare.topic import Topic
from harness.declare.values import (
    CLEAN,
    THREADS,
    Chart,
    Claim,
    Dataset,
    Metric,
    Param,
    Profile,
    Scenario,
    Strategy,
    Stress,
    Takes,
    Tuning,
    Work,
)

__all__ = [
    "CLEAN",
    "THREADS",
    "Chart",
    "Claim",
    "Dataset",
    "Examples",
    "FittedConstant",
    "Judgement",
    "Measurement",
    "Metric",
    "Model",
    "NotMeasuredError",
    "Outputs",
    "Panel",
    "Param",
    "PhaseClock",
    "Prediction",
    "Problem",
    "Profile",
    "Scenario",
    "Strategy",
    "Stress",
    "Takes",
    "Task",
    "Topic",
    "Tuning",
    "Validation",
    "WinnerMap",
    "Work",
]
