"""What a judge returns is checked in one place, whoever runs the trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.declare import Dataset, Judgement, Metric, Param, Problem, Takes, Topic, Work
from harness.declare import PhaseClock as Phases
from harness.errors import InvalidOutputError
from harness.measure.clock import PhaseClock
from harness.measure.device import Cpu
from harness.measure.job import Job
from harness.records import Seeds, Trial
from harness.registry import Registry


def job(returned: Any, *, rate: bool = False, overlap: Any = None, **task_changes: Any) -> Job:
    """Return a job whose judge returns that."""
    topic = Topic("topic", title="T")
    task = topic.task(
        "task",
        title="T",
        datasets=[Dataset("data", lambda params, rng: None, overlap=overlap)],
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1", rate=rate)],
        judge=lambda data, output: returned,
        **task_changes,
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


def test_a_strategy_that_enters_set_up_alone_has_measured_nothing() -> None:
    topic = Topic("topic", title="T")
    task = topic.task(
        "task",
        title="T",
        datasets=[Dataset("data", lambda params, rng: None)],
        phases=["compile", "fit"],
        setup=["compile"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=lambda data, output: Judgement({"error": 0.0}),
    )

    @task.strategy("only")
    def only(problem: Problem, phase: Phases) -> None:
        with phase("compile"):
            pass

    trial = Trial("topic", "task", "only", "data", "clean", {"threads": 1}, {}, 0, Seeds(0, 1, 2))
    made = Job.of(trial, Registry({"topic": topic}, {}, {}), [])
    clock = PhaseClock(task.phases, Cpu(), lambda *_: None, setup=task.setup)
    with pytest.raises(InvalidOutputError, match=r"^it entered none of the task's phases: fit$"):
        made.call(made.problem(None), clock)


def test_only_the_metrics_of_the_task_are_recorded() -> None:
    made = job(Judgement({"error": 1, "other": 2.0}))
    assert made.judge(None, None).metrics == {"error": 1.0}


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (Judgement({"error": 0.5}), "metric error is a rate, but its n is missing; .*"),
        (Judgement({"error": 0.5}, n={"error": 2.0}), "metric error is a rate, but its n is 2.0; .*"),  # type: ignore[dict-item]
        (Judgement({"error": 0.5}, n={"error": True}), "metric error is a rate, but its n is True; .*"),
        (Judgement({"error": 0.5}, n={"error": -1}), "metric error is a rate, but its n is -1; .*"),
        (Judgement({"error": 1.5}, n={"error": 2}), "metric error is 1.5; a rate lies between 0 and 1"),
    ],
)
def test_a_wrong_rate_is_refused_in_a_sentence(returned: Judgement, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=f"^{sentence}$"):
        job(returned, rate=True).judge(None, None)


def test_the_cases_of_rates_are_recorded() -> None:
    made = job(Judgement({"error": 0.5}, n={"error": 40, "other": 3}), rate=True)
    assert made.judge(None, None).n == {"error": 40}


def test_overlap_is_that_of_the_data_set_at_the_trials_parameters() -> None:
    assert job(None).overlap(None) == 0.0
    assert job(None, overlap=lambda params: 3 / params["threads"]).overlap(None) == 3.0


def test_overlap_of_a_card_is_that_of_what_the_task_tests() -> None:
    takes = Takes("interactions", overlap=lambda data: len(data) / 8)
    card = replace(job(None).dataset, kind="interactions", overlap=lambda params: 0.5)
    assert replace(job(None, takes=takes), dataset=card).overlap([1, 2]) == 0.25
    assert replace(job(None), dataset=card).overlap([1, 2]) == 0.5
    assert job(None, takes=takes).overlap([1, 2]) == 0.0  # made in code: each block has data of its own


def test_work_is_counted_in_what_strategies_see_of_the_data() -> None:
    declared: dict[str, Any] = {"params": {"rows": Param(10)}, "work": {"fit": Work("row", of=("rows", "threads"))}}
    counted = job(None, **declared, view=lambda data: data[1:], sizes=lambda data: {"rows": len(data)})
    assert counted.work(counted.problem([1, 2, 3])) == {"fit": 2}
    assert job(None, **declared).work(counted.problem([1, 2, 3])) == {}


def test_a_task_prepares_what_the_cards_of_its_kind_contain() -> None:
    """The preparation draws from the generator of the data, after the data set; data made in code are left alone."""

    def prepare(data: list[float], params: Any, rng: np.random.Generator) -> list[float]:
        return [*data, params["threads"], rng.random()]

    topic = Topic("topic", title="T")
    made = {
        name: Dataset(name, lambda _params, rng: [rng.random()], kind=kind)
        for name, kind in (("card", "interactions"), ("code", ""))
    }
    task = topic.task(
        "task",
        title="T",
        datasets=list(made.values()),
        takes=Takes("interactions", prepare=prepare),
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=lambda data, output: Judgement({"error": 0.0}),
    )
    task.strategy("only")(lambda problem, phase: None)
    registry = Registry({"topic": topic}, {}, {})
    drawn = np.random.default_rng([7]).random(2).tolist()
    for name, expected in (("card", [drawn[0], 1, drawn[1]]), ("code", drawn[:1])):
        trial = Trial("topic", "task", "only", name, "clean", {"threads": 1}, {}, 0, Seeds(7, 1, 2))
        assert Job.of(trial, registry, []).prepare() == expected
