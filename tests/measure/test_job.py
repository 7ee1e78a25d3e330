"""What a judge returns is checked in one place, whoever runs the trial."""

from __future__ import annotations

from typing import Any

import pytest

from harness.declare import Dataset, Judgement, Metric, Topic
from harness.errors import InvalidOutputError
from harness.measure.job import Job
from harness.records import Seeds, Trial
from harness.registry import Registry


def job(returned: Any) -> Job:
    """Return a job whose judge returns that."""
    topic = Topic("topic", title="T")
    task = topic.task(
        "task",
        title="T",
        datasets=[Dataset("data", lambda params, rng: None)],
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=lambda data, output: returned,
    )
    task.strategy("only")(lambda problem, phase: None)
    trial = Trial("topic", "task", "only", "data", "clean", {"threads": 1}, {}, 0, Seeds(0, 1, 2))
    return Job.of(trial, Registry({"topic": topic}, {}, {}), [])


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "the judge returned NoneType; it must return a Judgement"),
        ({"error": 1.0}, "the judge returned dict; it must return a Judgement"),
        (Judgement({}), "metric error is missing"),
        (Judgement({"error": float("nan")}), "metric error is nan"),
    ],
)
def test_a_wrong_judgement_is_refused_in_a_sentence(returned: Any, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=f"^{sentence}$"):
        job(returned).judge(None, None)


def test_only_the_metrics_of_the_task_are_recorded() -> None:
    made = job(Judgement({"error": 1, "other": 2.0}))
    assert made.judge(None, None).metrics == {"error": 1.0}
