"""What can be selected: built in, of the user's project, of plug-ins."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Project, fresh_process, write_csv_card

from harness.config import Config
from harness.declare import Judgement, Metric, Strategy, Topic
from harness.errors import DeclarationError, UsageError
from harness.measure.job import missing_module, why_not
from harness.registry import ENTRY_POINTS, load_registry

TOPIC = """\
from harness import (Dataset, Judgement, Metric, Topic)
topic = Topic({name!r}, title="Mine")
task = topic.task("task", title="Task", datasets=[Dataset("numbers", lambda params, rng: rng.random(3))],
                  phases=["fit"], metrics=[Metric("error", direction="lower", unit="1")], judge=print)
"""
JOINS = """\
from harness.topics.boosting import task

@task.strategy("always-half")
def always_half(problem, phase, value=0.5):
    \"\"\"Predict the same for all.\"\"\"
    import numpy as np
    with phase("fit"):
        pass
    with phase("predict"):
        return np.full(len(problem.data.test), value)
"""

MINE = Topic("mine", title="Mine")


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Leave no module of a project behind."""
    before = set(sys.modules)
    path = list(sys.path)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("bakeoff_project_", "mine")):
            del sys.modules[name]
    sys.path[:] = path


def project(folder: Path, **files: str) -> Config:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return Config(folder=folder, topics=tuple(f"{name}.py" for name in files))


def test_builtin_topics_and_cards_are_found(tmp_path: Path) -> None:
    registry = load_registry(Config(folder=tmp_path))
    assert "boosting" in registry.topics
    assert {"flights", "synthetic-tabular"} <= set(registry.dataset_names())


def test_file_of_the_project_brings_a_topic(tmp_path: Path) -> None:
    registry = load_registry(project(tmp_path, mine=TOPIC.format(name="mine")))
    assert registry.topics["mine"].title == "Mine"
    (found,) = registry.datasets_of(registry.topics["mine"].tasks["task"])
    assert found is registry.dataset("numbers")


def test_module_of_the_project_brings_a_topic(tmp_path: Path) -> None:
    (tmp_path / "mine_module.py").write_text(TOPIC.format(name="mine"))
    assert "mine" in load_registry(Config(folder=tmp_path, topics=("mine_module",))).topics


def test_file_is_read_once(tmp_path: Path) -> None:
    config = project(tmp_path, mine=TOPIC.format(name="mine"))
    assert load_registry(config).topics["mine"] is load_registry(config).topics["mine"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def (", "SyntaxError: invalid syntax"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_broken_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_registry(project(tmp_path, mine=text))
    assert str(caught.value).startswith(f"topic file mine.py in {tmp_path} cannot be imported: {sentence}")
    assert "\n" not in str(caught.value)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no file .*gone\.py, which topics in the configuration lists$"):
        load_registry(Config(folder=tmp_path, topics=("gone.py",)))


def test_wrong_declaration_keeps_its_place(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as caught:
        load_registry(project(tmp_path, mine=TOPIC.format(name="mine") + "Topic('A', title='')\n"))
    assert str(caught.value).startswith(f"{tmp_path / 'mine.py'}:5: invalid topic name 'A'")


def test_two_topics_of_one_name(tmp_path: Path) -> None:
    config = project(tmp_path, mine=TOPIC.format(name="mine"), mine_too=TOPIC.format(name="mine"))
    with pytest.raises(DeclarationError) as caught:
        load_registry(config)
    assert str(caught.value) == f"{tmp_path / 'mine_too.py'}:2: there is a topic 'mine' already; choose another name"


def test_name_of_a_builtin_topic_is_taken(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="there is a topic 'boosting' already"):
        load_registry(project(tmp_path, mine=TOPIC.format(name="boosting")))


def plant(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = importlib.metadata.EntryPoint("planted-point", value, ENTRY_POINTS)
    found = importlib.metadata.EntryPoints([point])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: found.select(group=group))


def test_plug_in_brings_a_topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_plugin.py").write_text(TOPIC.format(name="plugged"))
    monkeypatch.syspath_prepend(tmp_path)
    plant(monkeypatch, "mine_plugin")
    assert "plugged" in load_registry(Config(folder=tmp_path)).topics


def test_broken_plug_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "mine_missing.part")
    with pytest.raises(
        UsageError, match=r"^plug-in planted-point \(mine_missing\.part\) cannot be imported: No module"
    ):
        load_registry(Config(folder=tmp_path))


def test_card_of_the_project_joins_a_task(tmp_path: Path) -> None:
    write_csv_card(tmp_path / "datasets", "churn", tasks=["boosting/tabular-binary"])
    registry = load_registry(Config(folder=tmp_path))
    task = registry.topics["boosting"].tasks["tabular-binary"]
    assert [found.name for found in registry.datasets_of(task)] == [*task.datasets, "churn"]


def test_card_of_the_project_cannot_take_a_builtin_name(tmp_path: Path) -> None:
    write_csv_card(tmp_path / "datasets", "flights")
    with pytest.raises(UsageError, match="there is another data set named flights; rename the card"):
        load_registry(Config(folder=tmp_path))


def test_unknown_data_set_of_a_task(tmp_path: Path) -> None:
    text = TOPIC.format(name="mine").replace(
        'datasets=[Dataset("numbers", lambda params, rng: rng.random(3))]', 'datasets=["flihgts"]'
    )
    registry = load_registry(project(tmp_path, mine=text))
    with pytest.raises(UsageError, match=r"^there is no data set 'flihgts'; did you mean flights or digits\?$"):
        registry.datasets_of(registry.topics["mine"].tasks["task"])


def strategy(**changes: Any) -> Strategy:
    def judge(data: Any, output: Any) -> Judgement:
        return Judgement({})

    topic = Topic("mine", title="Mine")
    metric = Metric("error", direction="lower", unit="1")
    task = topic.task("task", title="Task", datasets=["flights"], phases=["fit"], metrics=[metric], judge=judge)

    @task.strategy("any", **changes)
    def run(problem: Any, phase: Any) -> None: ...

    return task.strategies["any"]


def test_why_not() -> None:
    assert why_not(strategy(), MINE) == ""
    assert why_not(strategy(needs=["numpy.linalg", "json"]), MINE) == ""
    assert why_not(strategy(needs=["numpy", "no_such.part"]), MINE) == "package no_such is not installed"
    assert (
        why_not(strategy(needs="no_such"), Topic("boosting", title="Mine"))
        == "package no_such is not installed (in a checkout of Bakeoff: pip install '.[boosting]')"
    )


def test_why_not_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert why_not(strategy(device="cuda"), MINE) == "CUDA_VISIBLE_DEVICES hides every CUDA device"


def test_every_module_of_a_topic_that_is_to_be_imported_before_the_clock_exists() -> None:
    """A needed module that is missing is not imported, and then its import counts for the phase that needs it."""
    registry = load_registry(Config(folder=Path(__file__).parent))
    needed: set[str] = set()
    for task in registry.tasks():
        needed.update(name for strategy in task.strategies.values() for name in strategy.needs)
        needed.update(name for dataset in registry.datasets_of(task) for name in dataset.needs)
    needed = {name for name in needed if name.startswith("harness.")}
    assert len(needed) > 20
    assert [name for name in sorted(needed) if importlib.util.find_spec(name) is None] == []


def test_asking_for_a_module_imports_nothing() -> None:
    sys.modules.pop("this", None)
    assert not missing_module("this")
    assert "this" not in sys.modules
    assert missing_module("no_such_package.part")


def test_project_adds_a_strategy_and_data_to_a_builtin_task(tmp_path: Path) -> None:
    """The closed forms of a constant prediction of one half: AUC 1/2, log loss ln 2, Brier score 1/4."""
    (tmp_path / "more.py").write_text(JOINS)
    (tmp_path / "bakeoff.toml").write_text('topics = ["more.py"]\n')
    write_csv_card(tmp_path / "datasets", "churn", tasks=["boosting/tabular-binary"])
    chosen = ("-s", "always-half", "-d", "churn", "--set", "rows=120", "--blocks", "2")
    done = Project(tmp_path).bakeoff("run", "boosting", "--scenario", "clean", *chosen, "--json")
    (cell,) = json.loads(done.stdout)["cells"]
    assert (cell["dataset"], cell["strategy"], cell["statuses"]) == ("churn", "always-half", {"ok": 2})
    medians = {name: cell["measures"][name]["median"] for name in ("auc", "log_loss", "brier")}
    assert medians == pytest.approx({"auc": 0.5, "log_loss": 0.693147, "brier": 0.25}, rel=1e-5)


def test_card_that_joins_no_task_is_refused(tmp_path: Path) -> None:
    write_csv_card(tmp_path / "datasets", "churn", tasks=["boosting/tabular-bin"])
    with pytest.raises(UsageError) as caught:
        load_registry(Config(folder=tmp_path))
    assert str(caught.value).startswith(
        "the card of data set churn joins task 'boosting/tabular-bin'; did you mean boosting/tabular-binary"
    )


@pytest.mark.parametrize(
    ("takes", "reason"),
    [
        ("", "no data sets of cards (a task that does says so: takes=Takes(...))"),
        (
            "takes=Takes('table', targets=('multiclass', 'real')), ",
            "data of the kind 'table with a multiclass or real target', not 'table with a binary target'",
        ),
        ("takes=Takes('interactions'), ", "data of the kind 'interactions', not 'table with a binary target'"),
    ],
)
def test_data_that_a_task_cannot_take_are_refused(tmp_path: Path, takes: str, reason: str) -> None:
    text = (
        TOPIC.format(name="mine").replace("Metric, Topic", "Metric, Takes, Topic").replace("judge=", f"{takes}judge=")
    )
    config = project(tmp_path, mine=text)
    write_csv_card(tmp_path / "datasets", "churn", tasks=["mine/task"])
    with pytest.raises(UsageError) as caught:
        load_registry(config)
    assert (
        str(caught.value)
        == f"the card of data set churn joins task mine/task, which takes {reason}; correct its `tasks`"
    )


def test_data_that_a_task_names_and_cannot_take_are_refused(tmp_path: Path) -> None:
    text = TOPIC.format(name="mine").replace("Metric, Topic", "Metric, Takes, Topic")
    text = text.replace("datasets=[", "takes=Takes('log'), datasets=['flights', ")
    with pytest.raises(
        DeclarationError,
        match=r"mine.py:3: task task takes data of the kind 'log', and its data set flights is 'table with a binary",
    ):
        load_registry(project(tmp_path, mine=text))


@pytest.mark.parametrize("takes", ["Takes('table')", "Takes('table', targets=('real', 'binary'))"])
def test_data_that_a_task_takes_join_it(tmp_path: Path, takes: str) -> None:
    text = TOPIC.format(name="mine").replace("Metric, Topic", "Metric, Takes, Topic")
    config = project(tmp_path, mine=text.replace("judge=", f"takes={takes}, judge="))
    write_csv_card(tmp_path / "datasets", "churn", tasks=["mine/task"])
    registry = load_registry(config)
    (task,) = registry.topics["mine"].tasks.values()
    assert [dataset.name for dataset in registry.datasets_of(task)] == ["numbers", "churn"]


@pytest.mark.parametrize("role", ["reference", "baseline"])
def test_role_that_is_no_strategy_is_refused(tmp_path: Path, role: str) -> None:
    text = TOPIC.format(name="mine").replace("judge=print)", f"judge=print, {role}='basee')")
    (tmp_path / "mine.py").write_text(text + "task.strategy('base')(lambda problem, phase: 0)\n")
    with pytest.raises(DeclarationError, match=rf"^task mine/task: there is no strategy 'basee' for its {role}; did"):
        load_registry(Config(folder=tmp_path, topics=("mine.py",)))


def test_two_data_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(TOPIC.format(name=name))
    with pytest.raises(DeclarationError, match=r"^task two/task: there is another data set 'numbers'; rename"):
        load_registry(Config(folder=tmp_path, topics=("one.py", "two.py")))


def test_broken_file_is_as_broken_the_second_time(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(TOPIC.format(name="half") + "1 / 0\n")
    for _ in range(2):
        with pytest.raises(UsageError, match=r"topic file half\.py in .* cannot be imported: ZeroDivisionError"):
            load_registry(Config(folder=tmp_path, topics=("half.py",)))


def test_default_of_an_option_that_no_strategy_has_is_refused(tmp_path: Path) -> None:
    text = TOPIC.format(name="mine").replace("judge=print)", "judge=print, defaults={'widht': 3})")
    (tmp_path / "mine.py").write_text(text + "task.strategy('base')(lambda problem, phase, width=2: 0)\n")
    with pytest.raises(DeclarationError, match=r"^task mine/task: no strategy has the option 'widht' of its defaults"):
        load_registry(Config(folder=tmp_path, topics=("mine.py",)))


def test_the_built_in_topics_are_declared_without_any_library_that_they_compare() -> None:
    absent = ("numba", "torch", "xgboost", "lightgbm", "catboost", "sklearn", "implicit", "obp", "pandas", "pyarrow")
    script = f"""
import json, sys
from pathlib import Path
sys.modules.update(dict.fromkeys({absent}))
from harness.config import Config
from harness.registry import load_registry
print(json.dumps(sorted(load_registry(Config(folder=Path.cwd())).topics)))
"""
    assert {"bandits", "boosting", "fusion", "logistic", "normalization", "ope"} < set(fresh_process(script))
