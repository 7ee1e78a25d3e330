"""What the quick profile leaves out: of runs only, never of gates and suites, and never what is named."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.config import Config
from harness.declare import Dataset, Judgement, Metric, Profile, Topic
from harness.errors import DeclarationError
from harness.interop.suites import suites
from harness.plan import Plan, make_plan
from harness.plan.selection import ProfileName, Selection
from harness.registry import Registry, load_registry

TOPIC = """
from harness.declare import Dataset, Judgement, Metric, Profile, Topic
topic = Topic("t", title="T")
task = topic.task(
    "task", title="Task", datasets=[Dataset("data", print)], phases=["fit"],
    metrics=[Metric("auc", direction="higher", unit="1")], judge=print, QUICK
)
task.strategy("a")(lambda problem, phase: None)
task.strategy("b", quick=False)(lambda problem, phase: None)
task.strategy("c")(lambda problem, phase: None)
"""


def made(folder: Path, quick: str = "quick=Profile(2)", more: str = "") -> Registry:
    """Load a project with the strategies a, b (not quick) and c."""
    folder.mkdir(exist_ok=True)
    (folder / "topic_t.py").write_text(TOPIC.replace("QUICK", quick) + more)
    (folder / "bakeoff.toml").write_text('topics = ["topic_t.py"]\n')
    return load_registry(Config(folder=folder, topics=("topic_t.py",)))


def names(plan: Plan) -> set[str]:
    return {trial.strategy for trial in plan.trials}


@pytest.mark.parametrize(
    ("selection", "kept", "left_out"),
    [
        ({"profile": "quick"}, {"a", "c"}, ("b",)),
        ({"profile": "quick", "strategies": ("b",)}, {"b"}, None),
        ({"profile": "quick", "strategies": ("*",)}, {"a", "b", "c"}, None),
        ({"profile": "full"}, {"a", "b", "c"}, None),
    ],
)
def test_a_run_leaves_out_what_is_not_quick(
    tmp_path: Path, selection: dict[str, Any], kept: set[str], left_out: tuple[str, ...] | None
) -> None:
    plan = make_plan(Selection(tasks=("t",), **selection), made(tmp_path))
    assert names(plan) == kept
    assert plan.left_out.get("t/task") == left_out


def test_a_list_of_the_profile(tmp_path: Path) -> None:
    plan = make_plan(
        Selection(tasks=("t",), profile="quick"), made(tmp_path, 'quick=Profile(2, strategies=("a", "b"))')
    )
    assert names(plan) == {"a"}
    assert plan.left_out == {"t/task": ("b", "c")}


def test_strategies_of_a_project_run_in_a_quick_profile_with_a_list() -> None:
    """They are declared in another folder than the task, as its own data sets are."""
    topic = Topic("t", title="T")
    task = topic.task(
        "task",
        title="Task",
        datasets=[Dataset("data", lambda _params, _rng: None)],
        phases=["fit"],
        metrics=[Metric("auc", direction="higher", unit="1")],
        judge=lambda _data, _output: Judgement({}),
        quick=Profile(2, strategies=("a",)),
    )
    for name, file in (("a", __file__), ("b", __file__), ("mine", "/home/me/mine.py")):
        exec(compile(f"task.strategy({name!r})(lambda problem, phase: None)", file, "exec"), {"task": task})
    assert names(make_plan(Selection(profile="quick"), Registry({"t": topic}, {}, {}))) == {"a", "mine"}


@pytest.mark.parametrize(
    ("quick", "sentence"),
    [
        (
            'quick=Profile(2, strategies=("a", "d"))',
            "the quick profile of task t/task names strategy 'd'; known: a, b, c",
        ),
        ('baseline="b"', "the quick profile of task t/task leaves out its baseline 'b'; the others are judged against"),
        ('reference="c", quick=Profile(2, strategies=("a",))', "task t/task leaves out its reference 'c'"),
        ('quick=Profile(2, strategies=("b",))', "the quick profile of task t/task leaves out all its strategies"),
        ('full=Profile(2, strategies=("a",))', "the full profile of task task lists strategies, but it runs all"),
    ],
)
def test_a_wrong_list_is_one_sentence_with_file_and_line(tmp_path: Path, quick: str, sentence: str) -> None:
    with pytest.raises(DeclarationError, match=rf"topic_t\.py:4: .*{re.escape(sentence)}") as caught:
        made(tmp_path, quick)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def built_in() -> Registry:
    return load_registry(Config(folder=Path.cwd()))


def test_gates_and_suites_have_every_strategy_of_the_built_in_topics(built_in: Registry) -> None:
    """A live gate plans with `every_strategy`, see `harness.gate.live.side`; asv and pytest-benchmark have suites."""
    quick = Selection(profile="quick")
    plan = make_plan(quick, built_in, every_strategy=True)
    assert plan.left_out == {}
    for task in built_in.tasks():
        planned = {trial.strategy for trial in plan.trials if (trial.topic, trial.task) == (task.topic, task.name)}
        assert planned == (set() if task.only_named else set(task.strategies))
    for suite in suites(Path.cwd(), ("boosting", "bandits", "ope")):
        assert {strategy for strategy, _, _ in suite.cases} == set(suite.task.strategies)


def test_quick_of_the_built_in_topics_has_the_baselines_and_three_blocks(built_in: Registry) -> None:
    plan = make_plan(Selection(profile="quick"), built_in)
    for task in (task for task in built_in.tasks() if not task.only_named):
        own = [trial for trial in plan.trials if (trial.topic, trial.task) == (task.topic, task.name)]
        assert {task.baseline, task.reference} - {None} <= {trial.strategy for trial in own}
        assert min(Counter((trial.cell, trial.label) for trial in own).values()) >= 3, task.full_name


@pytest.mark.parametrize(("topic", "most_s"), [("boosting", 35), ("bandits", 64), ("ope", 48)])
def test_quick_is_small_enough_for_its_time(topic: str, most_s: float, built_in: Registry) -> None:
    """A trial costs 0.2 to 0.4 s beside its work, so their number alone can make a quick profile too long."""
    assert len(make_plan(Selection(tasks=(topic,), profile="quick"), built_in).trials) <= most_s / 0.39


@pytest.mark.parametrize(
    ("profile", "asked", "planned"),
    [
        ("claims", (None,), 10),
        ("claims", (4,), 4),
        ("claims", (4, 6), 6),
        ("claims", (4, None), 10),
        ("claims", (12, None), 12),
        ("full", (4,), 10),
        ("full", (12,), 12),
    ],
)
def test_a_cell_has_the_most_blocks_that_a_claim_about_it_needs(
    tmp_path: Path, profile: ProfileName, asked: tuple[int | None, ...], planned: int
) -> None:
    registry = made(tmp_path)
    for blocks in asked:
        registry.topics["t"].claim("so", source="Nobody 2026", blocks=blocks)(
            lambda evidence: evidence.difference("auc", "a", "c").at_least(0)
        )
    plan = make_plan(Selection(tasks=("t",), profile=profile), registry)
    assert {trial.block for trial in plan.trials if trial.strategy == "a"} == set(range(planned))
    given = make_plan(Selection(tasks=("t",), profile=profile, blocks=2), registry)
    assert {trial.block for trial in given.trials} == {0, 1}


def test_a_strategy_has_the_blocks_of_the_claims_about_it(tmp_path: Path) -> None:
    """A claim that needs many blocks does not add blocks to the strategies that it does not compare."""
    registry = made(tmp_path)
    topic = registry.topics["t"]
    topic.claim("so", source="Nobody 2026", blocks=6)(lambda evidence: evidence.difference("auc", "a", "c").at_least(0))
    topic.claim("so", source="Nobody 2026", blocks=3)(lambda evidence: evidence.difference("auc", "a", "b").at_least(0))
    trials = make_plan(Selection(tasks=("t",), profile="claims"), registry).trials
    blocks = {name: sorted({trial.block for trial in trials if trial.strategy == name}) for name in ("a", "b", "c")}
    assert blocks == {"a": list(range(6)), "b": list(range(3)), "c": list(range(6))}


NAMED = """
other = topic.task(
    "other", title="Other", datasets=[Dataset("data", print)], phases=["fit"],
    metrics=[Metric("auc", direction="higher", unit="1")], judge=print, reference="a",
    quick=Profile(2, strategies=()),
)
other.strategy("a")(lambda problem, phase: None)
other.strategy("only-here", quick=False)(lambda problem, phase: None)
"""


@pytest.mark.parametrize(
    ("selection", "tasks"),
    [
        ({"tasks": ("t",)}, {"task"}),
        ({"tasks": ("t",), "strategies": ("a",)}, {"task"}),
        ({"tasks": ("t",), "strategies": ("*",)}, {"task"}),
        ({"tasks": ("t",), "strategies": ("only-*", "a")}, {"task", "other"}),
        ({"tasks": ("t/other",)}, {"other"}),
        ({"tasks": ("t/*",)}, {"task", "other"}),
        ({"tasks": ("t",), "profile": "full"}, {"task", "other"}),
    ],
)
def test_a_task_with_an_empty_list_runs_only_where_it_is_named(
    tmp_path: Path, selection: dict[str, Any], tasks: set[str]
) -> None:
    registry = made(tmp_path, more=NAMED)
    for every in (False, True):
        plan = make_plan(Selection(**{"profile": "quick", **selection}), registry, every_strategy=every)
        assert {trial.task for trial in plan.trials} == tasks
        assert "t/other" not in plan.left_out
    if selection["tasks"] == ("t/other",):
        assert names(plan) == {"a", "only-here"}
