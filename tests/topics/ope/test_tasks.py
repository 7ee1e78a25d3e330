"""The tasks: every strategy in the smallest setting, equal results of equal estimators, and what is refused."""

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("sklearn")

from topics.ope.logs import drawn

from harness.declare import Problem, Scenario, Task
from harness.errors import UsageError
from harness.measure.job import freeze
from harness.topics import ope
from harness.topics.ope.engine.log import Log
from harness.topics.ope.engine.worlds import Logs, Recorded, Replications

SMALL: dict[str, Any] = {"replications": 2, "rounds": 60, "actions": 4, "candidates": 3}
POINTS = ("value", "value-real", "selection")


class Phase:
    """One use of a phase that is not measured."""

    def __init__(self, entered: list[str], name: str) -> None:
        entered.append(name)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


@cache
def tasks() -> dict[str, Task]:
    for part in pkgutil.iter_modules(ope.__path__):
        importlib.import_module(f"{ope.__name__}.{part.name}")
    return ope.topic.tasks


@cache
def data(task: str, dataset: str, scenario: str) -> Any:
    declared = tasks()[task]
    (source,) = (d for d in declared.datasets if not isinstance(d, str) and d.name == dataset)
    known = {**source.params, **declared.params}
    params = {name: SMALL.get(name, param.default) for name, param in known.items()}
    laid: Scenario = next(s for s in declared.scenarios if s.name == scenario)
    made = laid.apply(source.load(params, np.random.default_rng(0)), np.random.default_rng(1))
    freeze(made)
    return made


def ran(task: str, name: str, dataset: str, scenario: str = "clean", **options: Any) -> Any:
    declared, entered = tasks()[task], list[str]()
    problem = Problem(declared.view(data(task, dataset, scenario)), {}, 7)
    output = declared.strategies[name].run(problem, lambda phase: Phase(entered, phase), **options)
    assert set(entered) <= set(declared.phases)
    assert "estimate" in entered
    return output


def cases() -> list[Any]:
    found = []
    for task, dataset, scenarios in (
        ("value", "nonlinear-rewards", ("clean", "noisy_rewards(1)", "missing_support(0.2)")),
        ("value-real", "digits-bandit", ("clean",)),
        ("selection", "candidate-policies", ("clean",)),
        ("interval", "linear-rewards", ("clean", "heavy_weights(3)")),
        ("interval", "nonlinear-rewards", ("unobserved_features(2)",)),
        ("interval-real", "digits-bandit", ("clean",)),
    ):
        for scenario in scenarios:
            found += [(task, name, dataset, scenario) for name in tasks()[task].strategies]
    return found


@pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning")
@pytest.mark.parametrize(("task", "name", "dataset", "scenario"), cases())
def test_every_strategy_is_judged_in_the_smallest_setting(task: str, name: str, dataset: str, scenario: str) -> None:
    if name.startswith("obp"):
        pytest.importorskip("obp.ope")
    declared = tasks()[task]
    judged = declared.judge(data(task, dataset, scenario), ran(task, name, dataset, scenario))
    assert set(judged.metrics) == {metric.name for metric in declared.metrics}
    assert all(np.isfinite(value) for value in judged.metrics.values())


@pytest.mark.parametrize("name", ["ips", "snips", "dm", "dr", "sndr", "switch-dr", "dr-os"])
@pytest.mark.parametrize(("task", "dataset"), [("value", "nonlinear-rewards"), ("selection", "candidate-policies")])
def test_obp_agrees(task: str, dataset: str, name: str) -> None:
    pytest.importorskip("obp.ope")
    ours, theirs = (ran(task, each, dataset) for each in (name, f"obp-{name}"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("model", ["obp-logistic", "obp-boosting"])
@pytest.mark.parametrize("scenario", ["clean", "noisy_rewards(1)"])
def test_models_of_obp_fit_rewards_of_every_kind(model: str, scenario: str) -> None:
    pytest.importorskip("obp.ope")
    estimates = ran("value", "obp-dr", "nonlinear-rewards", scenario, model=model)
    assert np.isfinite(estimates).all()


def test_the_model_is_another_one_on_measured_data() -> None:
    assert tasks()["value"].strategies["dr"].options == {"model": "ridge"}
    assert tasks()["value-real"].strategies["dr"].options == {"model": "shared"}
    assert tasks()["value-real"].strategies["dr"].summary == tasks()["value"].strategies["dr"].summary
    assert tasks()["interval"].strategies["normal-dr"].options == {"model": "ridge"}
    assert tasks()["interval-real"].strategies["normal-dr"].options == {"model": "shared"}


@pytest.mark.parametrize("task", ["value-real", "interval-real"])
def test_every_strategy_takes_rewards_that_are_not_0_and_1(task: str) -> None:
    declared = tasks()[task]
    made, chance = drawn(300, 3)
    rewards = np.random.default_rng(0).uniform(2 * chance[np.arange(300), made.actions] - 1, 1) / 2
    log = replace(made, rewards=rewards, reward_range=(-1.0, 1.0), embeddings=np.arange(5)[:, np.newaxis])
    world = Replications((Recorded(log, 0.1),), 2, 0)
    for name, strategy in declared.strategies.items():
        if not name.startswith("obp") or importlib.util.find_spec("obp"):
            output = strategy.run(Problem(declared.view(world), {}, 7), lambda phase: Phase([], phase))
            judged = declared.judge(world, output)
            assert np.isfinite(list(judged.metrics.values())).all(), name


def test_guaranteed_intervals_of_mips_state_their_assumption() -> None:
    for task in ("interval", "interval-real"):
        assert "no direct effect" in tasks()[task].strategies["betting-mips"].note
        assert "no direct effect" not in tasks()[task].strategies["betting-ips"].note


def test_outputs_have_a_column_for_each_candidate() -> None:
    assert ran("value", "ips", "linear-rewards").shape == (2,)
    assert ran("selection", "ips", "candidate-policies").shape == (2, 3)
    assert ran("interval", "normal-ips", "linear-rewards").shape == (2, 2)


@pytest.mark.parametrize("name", ["dr", "ips-estimated", "dr-os-tuned"])
def test_runs_are_repeatable(name: str) -> None:
    first, second = (ran("selection", name, "candidate-policies") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_bad_log_is_refused_in_words() -> None:
    log = Log(np.zeros(3, np.int64), np.zeros(3), np.array([0.5, 0.0, 0.5]), np.full((3, 2), 0.5), (0.0, 1.0))
    problem = Problem(Logs(1, 1, lambda _number: (log,)), {}, 0)
    with pytest.raises(UsageError, match="the propensity of round 1 is 0"):
        tasks()["value"].strategies["ips"].run(problem, lambda name: Phase([], name))


def test_metrics_have_units_and_directions() -> None:
    for task in tasks().values():
        assert all(metric.unit and metric.direction and metric.summary for metric in task.metrics)


def test_declaring_imports_no_library() -> None:
    code = (
        "import importlib, pkgutil, sys\n"
        "from harness.topics import ope\n"
        "modules = [part.name for part in pkgutil.iter_modules(ope.__path__) if not part.ispkg]\n"
        "for name in modules: importlib.import_module(f'{ope.__name__}.{name}')\n"
        "heavy = ('numba', 'sklearn', 'pandas', 'pyarrow', 'scipy', 'torch', 'obp')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
