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
from harness.topics.fusion.on_device import ON_DEVICE, computed

ABSENT = ("text-only", "image-only", "links-only", "numbers-only")
ON_CPU = [name for name in task.strategies if name not in ON_DEVICE]


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


@pytest.mark.parametrize("name", [n for n in ON_CPU if not n.endswith("-tuned") and n not in ABSENT])
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
    assert len(tuned) == len(ON_CPU) / 2
    assert {strategy.tries for strategy in tuned} == {6}
    assert len({tuple(strategy.search.items()) for strategy in tuned}) == 1


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", ON_DEVICE)
def test_what_runs_on_a_device_is_a_fusion_computed_otherwise(name: str) -> None:
    """Tried on the CPU, where what would be compiled runs as it is."""
    import torch

    made, clock, way = data(), Clock(), ON_DEVICE[name]
    with torch.compiler.set_stance("force_eager"):
        output = computed(Problem(visible(made), {"threads": 1}, 0), clock, way, "cpu", epochs=2)
    assert clock.names == [*(["compile"] if way.compiled else []), "fit", "predict", "single"]
    plain = run(way.fusion, made, Clock())
    assert output.parameters == plain.parameters
    difference = abs(output.probabilities - plain.probabilities).max()
    assert 1e-5 < difference < 0.1 if way.bfloat16 else difference == 0


def test_strategies_of_a_device_are_skipped_without_one_and_are_not_quick() -> None:
    for name in ON_DEVICE:
        assert task.strategies[name].device == "cuda"
        assert name in task.not_quick
