"""What tasks of one network share: their size, a judge of class probabilities, and a guess for trials that diverge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Judgement, Param
from harness.topics.fusion.examples import Divided

#: Fewer rows than in the task classification: these tasks compare what is trained, on small data.
ROWS = Param(2_000, low=20, summary="training examples at most")
#: Label of a training example whose label may not be used.
UNLABELLED = -1


def judge(data: Divided, output: Any) -> Judgement:
    """Judge the probabilities of the classes of the test examples, shape (n, classes)."""
    from harness.topics._shared.multiclass import judge as judge_classes

    return judge_classes(data.test.labels, data.classes, output)


def guess(data: Divided) -> Mapping[str, float]:
    """Return the metrics of the rates of the training labels that may be used."""
    from harness.topics._shared.multiclass import majority

    labels = data.train.labels
    return majority(labels[labels != UNLABELLED], data.test.labels, data.classes)
