"""The task classification: what strategies return, what they refuse, and that all run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import harness.topics.fusion.fusions  # noqa: F401 - it adds the strategies
from harness import CannotRunError, InvalidOutputError, Problem
from harness.topics.fusion.classification import Predicted, task
from harness.topics.fusion.engine.interaction import generated
from harness.topics.fusion.examples import Divided, visible

ABSENT = ("text-only", "image-only", "links-only", "numbers-only")


class Clock:
    """A clock that measures nothing and remembers the phases."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> Clock:
        self.names.append(name)
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[None]:
        yield None


def data() -> Divided:
    return generated("redundant", 1.0, 200, 80, np.random.default_rng(0))


def run(name: str, made: Divided, clock: Clock) -> Predicted:
    problem = Problem(visible(made), {"threads": 1}, 0)
    output: Predicted = task.strategies[name].run(problem, clock, epochs=2)
    return output


@pytest.mark.parametrize("name", [n for n in task.strategies if not n.endswith("-tuned") and n not in ABSENT])
def test_every_strategy_is_judged(name: str) -> None:
    made, clock = data(), Clock()
    output = run(name, made, clock)
    assert clock.names == ["fit", "predict", "single"]
    judged = task.judge(made, output)
    assert set(judged.metrics) == {metric.name for metric in task.metrics} - {"diverged"}
    assert judged.metrics["accuracy"] > 0.5
    assert judged.metrics["parameters"] > 10_000
    assert judged.metrics["saved_bytes"] > 10_000


@pytest.mark.parametrize("name", ABSENT)
def test_a_modality_that_the_data_lack_is_said(name: str) -> None:
    with pytest.raises(CannotRunError, match=f"these data have no modality {name.removesuffix('-only')}"):
        run(name, data(), Clock())


def test_members_have_the_parameters_of_the_ensemble_together() -> None:
    made = data()
    alone = [run(name, made, Clock()).parameters for name in ("a-only", "b-only")]
    assert sum(alone) == run("late-average", made, Clock()).parameters


def test_other_outputs_are_refused() -> None:
    with pytest.raises(InvalidOutputError, match="expected a Predicted"):
        task.judge(data(), np.zeros((80, 2)))


def test_all_fusions_are_tuned_alike() -> None:
    tuned = [strategy for name, strategy in task.strategies.items() if name.endswith("-tuned")]
    assert len(tuned) == len(task.strategies) / 2
    assert {strategy.tries for strategy in tuned} == {6}
    assert len({tuple(strategy.search.items()) for strategy in tuned}) == 1
