"""From a selection to trials in blocks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.declare import CLEAN, Dataset, Judgement, Metric, Param, Profile, Scenario, Task, Topic
from harness.errors import DeclarationError, NothingSelectedError, UsageError
from harness.plan import Plan, make_plan
from harness.plan.make import further_block
from harness.plan.selection import Selection
from harness.records import Trial
from harness.registry import Registry

NOISY = Scenario("noisy", lambda data, _rng: data)
LATE = Scenario("late", lambda data, _rng: data, requires=("time",))


def _load(_params: Any, _rng: Any) -> None: ...


def _task(topic: Topic, name: str) -> Task:
    return topic.task(
        name,
        title=name,
        datasets=[
            Dataset("small", _load, params={"rows": Param(50, low=10, high=500)}),
            Dataset("timed", _load, params={"rows": Param(50, low=10, high=5000)}, provides=("time",)),
        ],
        scenarios=[CLEAN, NOISY, LATE],
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=lambda _data, _output: Judgement({}),
        params={"rows": Param(1000, low=1), "rate": Param(0.5, low=0, high=1)},
        sweep={"rows": [100, 1000, 4000], "threads": [1, 2]},
        quick=Profile(blocks=2, params={"rows": 20}, scenarios=("clean", "late")),
        full=Profile(blocks=3, sweeps=True),
    )


def _run(problem: Any, phase: Any) -> None: ...


def _with_bins(problem: Any, phase: Any, bins: int = 256, exact: bool = False) -> None: ...


@pytest.fixture(scope="module")
def registry() -> Registry:
    topic, other = Topic("first", title="First"), Topic("second", title="Second")
    for task in (_task(topic, "fit-it"), _task(topic, "rank-it"), _task(other, "fit-it")):
        for name in ("plain", "other", "third"):
            task.strategy(name)(_run)
        task.strategy("binned", sweep={"bins": [16, 64, 256]})(_with_bins)
    return Registry({"first": topic, "second": other}, {}, {})


ONE: dict[str, Any] = {"tasks": ("first/fit-it",), "datasets": ("timed",), "scenarios": ("clean",)}


def cell(trial: Trial) -> tuple[Any, ...]:
    return trial.topic, trial.task, trial.dataset, trial.scenario, tuple(sorted(trial.params.items()))


def blocks(plan: Plan) -> dict[Any, dict[int, list[str]]]:
    """Labels in their order, by cell and block."""
    found: dict[Any, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for trial in plan.trials:
        found[cell(trial)][trial.block].append(trial.label)
    return found


def params(plan: Plan, name: str) -> list[Any]:
    return sorted({trial.params[name] for trial in plan.trials})


def test_same_selection_gives_the_same_plan(registry: Registry) -> None:
    one, same = make_plan(Selection(**ONE), registry), make_plan(Selection(**ONE), registry)
    assert one == same
    assert one.digest != make_plan(Selection(**ONE, seed=1), registry).digest
    assert one.digest != make_plan(Selection(**ONE, blocks=4), registry).digest


def test_blocks_hold_every_variant_once_in_changing_order(registry: Registry) -> None:
    plan = make_plan(Selection(**ONE, blocks=20), registry)
    found = blocks(plan)[cell(plan.trials[0])]
    declared = ["plain", "other", "third", "binned", "binned[bins=16]", "binned[bins=64]"]
    assert {tuple(sorted(labels)) for labels in found.values()} == {tuple(sorted(declared))}
    orders = [tuple(labels) for labels in found.values()]
    assert len(set(orders)) > 15
    assert sum(order == tuple(declared) for order in orders) <= 1
    # Each comes first now and then: 20 blocks, 6 variants, p < 0.001 for four or fewer of them ever first.
    assert len({order[0] for order in orders}) >= 4


def test_first_place_is_even(registry: Registry) -> None:
    plan = make_plan(Selection(**ONE, blocks=600, strategies=("plain", "other", "third"), profile="quick"), registry)
    ((_, found),) = blocks(plan).items()
    first = Counter(labels[0] for labels in found.values())
    # 600 draws of 3: standard deviation 11.5; five of them.
    assert all(abs(count - 200) < 58 for count in first.values())


def test_trials_go_block_by_block(registry: Registry) -> None:
    order = [trial.block for trial in make_plan(Selection(), registry).trials]
    assert order == sorted(order)


def test_seeds_are_those_of_the_block(registry: Registry) -> None:
    by_block = defaultdict(set)
    for trial in make_plan(Selection(blocks=4), registry).trials:
        by_block[trial.block].add((trial.seeds.data, trial.seeds.model, trial.seeds.order))
    assert all(len(seeds) == 1 for seeds in by_block.values())
    seeds = [seed for found in by_block.values() for seed in next(iter(found))]
    assert len(set(seeds)) == len(seeds) == 12


def test_more_blocks_keep_the_first_ones(registry: Registry) -> None:
    few = make_plan(Selection(**ONE, blocks=2), registry).trials
    many = make_plan(Selection(**ONE, blocks=5), registry).trials
    assert many[: len(few)] == few


def test_a_further_block_is_that_of_a_longer_plan(registry: Registry) -> None:
    """It is made from the trials of any block."""
    longer = make_plan(Selection(blocks=4, seed=7), registry).trials
    first = [trial for trial in longer if trial.block == 0]
    last = [trial for trial in longer if trial.block == 3]
    made = further_block(first, 7, 3)
    assert {trial.key: trial for trial in made} == {trial.key: trial for trial in last}
    assert [trial.cell for trial in made] == [trial.cell for trial in last]


def test_fewer_strategies_keep_the_data(registry: Registry) -> None:
    seeds = [
        {trial.block: trial.seeds.data for trial in make_plan(Selection(**ONE, strategies=chosen), registry).trials}
        for chosen in ((), ("plain",))
    ]
    assert seeds[0] == seeds[1]


def test_quick_profile(registry: Registry) -> None:
    plan = make_plan(Selection(tasks=("first/fit-it",), profile="quick"), registry)
    assert {(trial.dataset, trial.scenario) for trial in plan.trials} == {
        ("small", "clean"),
        ("timed", "clean"),
        ("timed", "late"),
    }
    assert params(plan, "rows") == [20]
    assert {trial.block for trial in plan.trials} == {0, 1}
    assert all(trial.options == {} for trial in plan.trials)


def test_full_profile_sweeps_one_parameter_at_a_time_on_clean_data(registry: Registry) -> None:
    plan = make_plan(Selection(tasks=("first/fit-it",), datasets=("timed",)), registry)
    found = {
        scenario: {(key[4]) for key in blocks(plan) if key[3] == scenario} for scenario in ("clean", "noisy", "late")
    }
    default = {"rate": 0.5, "rows": 1000, "threads": 1}
    alone = [default, *({**default, **change} for change in ({"rows": 100}, {"rows": 4000}, {"threads": 2}))]
    assert found["clean"] == {tuple(sorted(point.items())) for point in alone}
    assert found["noisy"] == found["late"] == {tuple(sorted(default.items()))}
    swept = {cell(trial) for trial in plan.trials if trial.options}
    assert swept == {("first", "fit-it", "timed", "clean", tuple(sorted(default.items())))}


def test_sweep_leaves_out_what_the_data_cannot_give(registry: Registry) -> None:
    plan = make_plan(Selection(**{**ONE, "datasets": ("small",)}), registry)
    assert params(plan, "rows") == [100, 500]


def test_default_is_lowered_to_the_data(registry: Registry) -> None:
    assert params(make_plan(Selection(datasets=("small",), scenarios=("noisy",)), registry), "rows") == [500]


def test_given_value_that_is_too_large_names_data_and_limit(registry: Registry) -> None:
    with pytest.raises(
        UsageError, match=r"^fit-it on small: rows=501 is too large: the most is 500; change --set rows"
    ):
        make_plan(Selection(values={"rows": (501,)}), registry)
    plan = make_plan(Selection(values={"rows": (501,)}, datasets=("timed",)), registry)
    assert params(plan, "rows") == [501]


def test_given_values_replace_sweeps_and_defaults(registry: Registry) -> None:
    plan = make_plan(Selection(**ONE, values={"rows": (30, 40), "bins": (16,)}), registry)
    assert {tuple(trial.params.values()) for trial in plan.trials} == {
        (30, 0.5, 1),
        (40, 0.5, 1),
        (30, 0.5, 2),
        (40, 0.5, 2),
    }
    assert {trial.label for trial in plan.trials} == {"plain", "other", "third", "binned[bins=16]"}


def test_given_values_make_a_product(registry: Registry) -> None:
    plan = make_plan(
        Selection(**ONE, profile="quick", values={"rows": (30, 40), "rate": (0.1, 0.2), "bins": (1, 2)}), registry
    )
    assert {(trial.params["rows"], trial.params["rate"]) for trial in plan.trials} == {
        (30, 0.1),
        (30, 0.2),
        (40, 0.1),
        (40, 0.2),
    }
    labels = [trial.label for trial in plan.trials if cell(trial) == cell(plan.trials[0]) and trial.block == 0]
    assert sorted(labels) == ["binned[bins=1]", "binned[bins=2]", "other", "plain", "third"]


def test_given_default_is_no_option_of_a_label(registry: Registry) -> None:
    plan = make_plan(Selection(**ONE, profile="quick", values={"bins": (256, 64), "exact": (True,)}), registry)
    assert {trial.label for trial in plan.trials if trial.strategy == "binned"} == {
        "binned[exact=true]",
        "binned[bins=64,exact=true]",
    }


def test_whole_number_for_a_float(registry: Registry) -> None:
    plan = make_plan(Selection(**ONE, profile="quick", values={"rate": (1,)}), registry)
    assert {type(trial.params["rate"]) for trial in plan.trials} == {float}


def test_scenario_that_needs_time_is_left_out_without_it(registry: Registry) -> None:
    plan = make_plan(Selection(), registry)
    assert {trial.dataset for trial in plan.trials if trial.scenario == "late"} == {"timed"}
    with pytest.raises(NothingSelectedError, match=r"^nothing matches this selection; `bakeoff list` shows"):
        make_plan(Selection(datasets=("small",), scenarios=("late",)), registry)


def test_named_scenario_runs_in_a_profile_without_it(registry: Registry) -> None:
    plan = make_plan(Selection(profile="quick", scenarios=("noisy",)), registry)
    assert {trial.scenario for trial in plan.trials} == {"noisy"}


def test_patterns(registry: Registry) -> None:
    plan = make_plan(Selection(strategies=("*r*", "binn??"), tasks=("*/r*",), profile="quick"), registry)
    assert {trial.strategy for trial in plan.trials} == {"other", "third", "binned"}
    assert {(trial.topic, trial.task) for trial in plan.trials} == {("first", "rank-it")}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tasks": ("frist",)}, r"no topic matches 'frist'; did you mean first\?"),
        ({"tasks": ("first/rank",)}, r"no task matches 'first/rank'; did you mean first/rank-it\?.*"),
        ({"strategies": ("bined",)}, r"no strategy matches 'bined'; did you mean binned\?"),
        ({"strategies": ("plain", "x*")}, r"no strategy matches 'x\*'; known: binned, other, plain, third"),
        ({"datasets": ("tiny",)}, r"no data set matches 'tiny'; did you mean timed\?|no data set matches 'tiny'; kn.*"),
        ({"scenarios": ("clena",)}, r"no scenario matches 'clena'; did you mean clean\?"),
        ({"values": {"row": (1,)}}, r"--set row: there is no such parameter here; did you mean rows\?"),
        ({"values": {"rows": ("many",)}}, r"--set rows=many is not of type int"),
        ({"values": {"bins": (0.5,)}}, r"--set bins=0.5 is not of type int"),
        ({"values": {"exact": (1,)}}, r"--set exact=1 is not of type bool"),
        ({"values": {"rows": (9,)}}, r"fit-it on small: rows=9 is too small: the least is 10; .*"),
        ({"values": {"threads": (0,)}}, r".*threads=0 is too small: the least is 1.*"),
        ({"values": {"rate": (2,)}}, r".*rate=2.0 is too large: the most is 1.*"),
    ],
)
def test_wrong_selection(registry: Registry, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_plan(Selection(**changes), registry)
    assert re.fullmatch(sentence, str(caught.value)), str(caught.value)


selections = st.builds(
    Selection,
    tasks=st.sampled_from([(), ("first",), ("sec*", "first"), ("*/fit-it",), ("*/*-it", "second")]),
    strategies=st.sampled_from([(), ("plain", "binned"), ("*r*", "b*")]),
    datasets=st.sampled_from([(), ("timed",)]),
    scenarios=st.sampled_from([(), ("clean",), ("*a*", "noisy")]),
    profile=st.sampled_from(["quick", "full"]),
    blocks=st.none() | st.integers(1, 4),
    values=st.fixed_dictionaries(
        {},
        optional={
            "rows": st.lists(st.integers(10, 500), min_size=1, max_size=3, unique=True).map(tuple),
            "rate": st.lists(st.floats(0, 1), min_size=1, max_size=2, unique=True).map(tuple),
            "threads": st.sampled_from([(1,), (1, 2)]),
            "bins": st.lists(st.integers(1, 300), min_size=1, max_size=3, unique=True).map(tuple),
            "exact": st.sampled_from([(True,), (True, False)]),
        },
    ),
    seed=st.integers(0, 2**32),
)


@settings(deadline=None, max_examples=60)
@given(selection=selections)
def test_any_plan_is_complete_and_free_of_repetition(registry: Registry, selection: Selection) -> None:
    plan = make_plan(selection, registry)
    keys = [trial.key for trial in plan.trials]
    assert len(set(keys)) == len(keys)
    for found in blocks(plan).values():
        assert sorted(found) == list(range(len(found)))
        labels = [sorted(members) for members in found.values()]
        assert all(members == labels[0] for members in labels)
        assert len(set(labels[0])) == len(labels[0])
    for name, values in selection.values.items():
        if name in ("rows", "rate", "threads"):
            assert {trial.params[name] for trial in plan.trials} == set(values)
    assert make_plan(selection, registry).digest == plan.digest


def test_digest_tells_seeds_apart(registry: Registry) -> None:
    one, other = (make_plan(Selection(**ONE, strategies=("plain",), seed=seed), registry) for seed in (0, 1))
    assert [trial.key for trial in one.trials] == [trial.key for trial in other.trials]
    assert one.digest != other.digest


def test_value_that_is_not_finite_is_refused(registry: Registry) -> None:
    with pytest.raises(UsageError, match="rate=nan is not finite"):
        make_plan(Selection(**ONE, values={"rate": (float("nan"),)}), registry)


def test_data_of_a_user_run_in_every_profile(registry: Registry) -> None:
    topic = Topic("own", title="Own")
    task = _task(topic, "fit-it")
    task.strategy("plain")(_run)
    task.join(Dataset("mine", _load, params={"rows": Param(50, low=10)}))
    joined = Registry({**registry.topics, "own": topic}, {}, {})
    for profile in ("quick", "full"):
        plan = make_plan(Selection(tasks=("own",), profile=profile), joined)
        assert {trial.dataset for trial in plan.trials} == {"small", "timed", "mine"}
    with pytest.raises(DeclarationError, match="task fit-it has a data set 'mine' already; choose another name"):
        task.join(Dataset("mine", _load))


def test_a_plan_brings_no_statistics_with_it() -> None:
    """The gate makes plans in the processes whose memory it compares."""
    said = subprocess.run(
        [sys.executable, "-P", "-c", "import harness.plan, sys; print('scipy' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "False\n"
