"""The judge of tasks that return probabilities of classes, and the guess that a trial which diverges falls back on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Judgement
from harness.topics.fusion.examples import Divided

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
