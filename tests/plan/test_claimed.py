"""The profile claims: the cells that claims ask about, with the strategies that they compare there and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.aggregates import aggregate
from harness.claims import judge
from harness.config import Config
from harness.declare import CLEAN, Dataset, Judgement, Metric, Param, Profile, Scenario, Topic
from harness.declare.evidence import Evidence, Verdict
from harness.errors import NothingSelectedError, UsageError
from harness.plan import Plan, make_plan
from harness.plan.selection import Selection
from harness.records import Phase, Record, Scalar
from harness.registry import Registry, load_registry

NOISY = Scenario("noisy", lambda data, _rng: data)
LATE = Scenario("late", lambda data, _rng: data, requires=("time",))
Check = Callable[[Evidence], Verdict]


def _load(_params: Any, _rng: Any) -> None: ...


def _registry(*checks: Check) -> Registry:
    topic = Topic("t", title="T")
    for name in ("first", "second"):
        task = topic.task(
            name,
            title=name,
            datasets=[
                Dataset("small", _load, params={"rows": Param(50, low=10, high=500)}),
                Dataset("timed", _load, params={"rows": Param(50, low=10)}, provides=("time",)),
            ],
            scenarios=[CLEAN, NOISY, LATE],
            phases=["fit"],
            metrics=[Metric("auc", direction="higher", unit="1")],
            judge=lambda _data, _output: Judgement({}),
            params={"rows": Param(100, low=1)},
            sweep={"rows": [200, 4000]},
            quick=Profile(1, {"rows": 20}, datasets=("small",)),
            full=Profile(3, sweeps=True),
        )
        for strategy in ("a", "b", f"only-{name}"):

            @task.strategy(strategy, sweep={"bins": [16, 64]})
            def run(problem: Any, phase: Any, bins: int = 256) -> None: ...

    for index, check in enumerate(checks):
        topic.claim(f"claim {index}", source="Nobody 2026")(check)
    return Registry({"t": topic, "other": Topic("other", title="Without claims")}, {}, {})


def _plan(*checks: Check, **selection: Any) -> Plan:
    return make_plan(Selection(profile="claims", **selection), _registry(*checks))


def _cells(plan: Plan) -> dict[tuple[str, str, str, Scalar], set[str]]:
    """Labels of each cell."""
    found: dict[tuple[str, str, str, Scalar], set[str]] = {}
    for trial in plan.trials:
        key = (trial.task, trial.dataset, trial.scenario, trial.params["rows"])
        found.setdefault(key, set()).add(trial.label)
    return found


def _better(evidence: Evidence) -> Verdict:
    return evidence.difference("auc", "a", "b[bins=16]", dataset="timed", rows=100).at_least(0)


def _cheaper(evidence: Evidence) -> Verdict:
    return evidence.ratio("fit.cpu_s", "b", "b[bins=16]", task="first", dataset="timed", rows=100).at_least(1)


def _grows(evidence: Evidence) -> Verdict:
    return evidence.slope("fit.cpu_s", "only-second", over="rows", scenario="late").at_least(1)


def test_a_cell_has_what_its_claims_compare_and_no_product_of_it() -> None:
    plan = _plan(_better, _cheaper)
    assert _cells(plan) == {("first", "timed", "clean", 100): {"a", "b", "b[bins=16]"}}
    assert len(plan.trials) == 3 * 3
    assert [trial.block for trial in plan.trials] == sorted(trial.block for trial in plan.trials)


def test_what_varies_takes_the_default_and_the_sweep_where_the_data_can_have_them() -> None:
    own = {"only-second"}
    assert _cells(_plan(_grows)) == {("second", "timed", "late", rows): own for rows in (100, 200, 4000)}


def test_named_values_and_all_data_sets_that_can_have_them() -> None:
    plan = _plan(lambda evidence: evidence.growth("wall_s", "a", "b", over=("rows", 50, 1000)).at_least(1))
    both = {"a", "b"}
    places = [("small", 50), ("timed", 50), ("timed", 1000)]
    assert _cells(plan) == {("first", dataset, "clean", rows): both for dataset, rows in places}


def test_scenarios_vary_too() -> None:
    plan = _plan(
        lambda evidence: evidence.order("auc", over=("scenario", "clean", "noisy"), dataset="small").at_least(0)
    )
    assert {scenario for _, _, scenario, _ in _cells(plan)} == {"clean", "noisy"}
    assert set.union(*_cells(plan).values()) == {"a", "b", "only-first"}


def test_a_check_that_fails_leaves_what_it_asked_before() -> None:
    def breaks(evidence: Evidence) -> Verdict:
        evidence.difference("auc", "a", "b", rows=100, dataset="timed").at_least(0)
        raise ZeroDivisionError

    assert _cells(_plan(breaks)) == {("first", "timed", "clean", 100): {"a", "b"}}


@pytest.mark.parametrize(
    ("selection", "labels"),
    [
        ({"tasks": ("t/first",)}, {"a", "b", "b[bins=16]"}),
        ({"strategies": ("b",)}, {"b", "b[bins=16]"}),
        ({"datasets": ("timed",), "blocks": 1}, {"a", "b", "b[bins=16]"}),
    ],
)
def test_a_selection_narrows_it(selection: dict[str, Any], labels: set[str]) -> None:
    plan = _plan(_better, _cheaper, **selection)
    assert {trial.label for trial in plan.trials} == labels
    assert len({trial.block for trial in plan.trials}) == selection.get("blocks", 3)


@pytest.mark.parametrize("selection", [{"tasks": ("t/second",)}, {"datasets": ("small",)}, {"tasks": ("other",)}])
def test_nothing_is_left_of_another_selection(selection: dict[str, Any]) -> None:
    with pytest.raises((NothingSelectedError, UsageError)):
        _plan(_better, _cheaper, **selection)


def test_values_are_refused() -> None:
    with pytest.raises(UsageError, match="--set rows: claims state the values that they need; leave out --set"):
        _plan(_better, values={"rows": (10,)})


@pytest.fixture(scope="module")
def built_in() -> Registry:
    return load_registry(Config(folder=Path.cwd()))


@pytest.mark.parametrize("topic", ["boosting", "bandits", "ope"])
def test_a_run_of_it_measures_every_claim(topic: str, built_in: Registry) -> None:
    """Judge made-up records of the plan: no claim may be left without an interval."""
    plan = make_plan(Selection(tasks=(topic,), profile="claims"), built_in)
    claims = judge(
        built_in.topics[topic], aggregate([("run", "machine", [_record(trial, built_in) for trial in plan.trials])])
    )
    assert claims
    assert [claim.text for claim in claims if claim.estimate is None] == []


@pytest.mark.parametrize("topic", ["boosting", "bandits", "ope"])
def test_the_full_profile_holds_it(topic: str, built_in: Registry) -> None:
    claims = make_plan(Selection(tasks=(topic,), profile="claims"), built_in)
    full = make_plan(Selection(tasks=(topic,), profile="full"), built_in)
    assert {trial.key for trial in claims.trials} < {trial.key for trial in full.trials}
    assert len({trial.key for trial in full.trials}) == len(full.trials)


def _record(trial: Any, registry: Registry) -> Record:
    task = registry.topics[trial.topic].tasks[trial.task]
    value = 1.0 + trial.block % 7 + len(trial.label) % 5
    phases = {phase: Phase([value], [value], int(value)) for phase in task.phases}
    names = [*(metric.name for metric in task.metrics), *task.altered_metrics]
    return Record(trial, "ok", phases=phases, metrics=dict.fromkeys(names, value))
