"""The digests of the code of a cell: they change with what its task and its strategy import, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import fresh_process

DIGESTS = """
import json, sys
from pathlib import Path
from harness.config import read_config
from harness.measure.code import code_digests
from harness.registry import load_registry
config = read_config(Path(sys.argv[1]))
registry = load_registry(config)
tasks = [topic.tasks["task"] for topic in registry.topics.values() if "task" in topic.tasks]
cells = {f"{task.topic}/{name}": (task, own) for task in tasks for name, own in task.strategies.items()}
print(json.dumps({name: code_digests([cell], registry, config) for name, cell in cells.items()}))
"""
TOPIC = """
from harness import Dataset, Judgement, Metric, Topic
import {module}

topic = Topic("{name}", title="Planted")
task = topic.task(
    "task",
    title="Return",
    datasets=[Dataset("{name}-numbers", lambda params, rng: 1)],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1")],
    judge=lambda data, output: Judgement({{"error": 0}}),
)

@task.strategy("only")
def only(problem, phase):
    from {later} import value
    with phase("fit"):
        return value
"""
STRATEGY = """
from one import task
import {module}

@task.strategy("{name}", needs=("parts.needed", "a_package_that_is_missing"))
def other(problem, phase):
    with phase("fit"):
        return 1
"""


def digests(folder: Path) -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = fresh_process(DIGESTS, str(folder))
    return made


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def made(changed: str = "") -> Path:
        folder = tmp_path_factory.mktemp("project")
        files = {
            "one": TOPIC.format(name="one", module="common", later="parts.late"),
            "two": TOPIC.format(name="two", module="common", later="common"),
            "strategy": STRATEGY.format(name="other", module="common"),
            "common": "value = 1\n",
            "unused": "value = 1\n",
            "parts/__init__": "",
            "parts/late": "from . import deep\nvalue = 1\n",
            "parts/deep": "value = 1\n",
            "parts/needed": "value = 1\n",
            # No package: its file imports what lies beside it, and a folder is a package without a file.
            "loose/three": TOPIC.format(name="three", module="beside", later="folder.inner"),
            "loose/beside": "value = 1\n",
            "loose/folder/inner": "value = 1\n",
            # No module can have this name.
            "loose/four-a": TOPIC.format(name="four", module="beside", later="beside"),
        }
        for name, text in files.items():
            file = folder / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "# changed\n" * (name == changed))
        topics = '["one.py", "two.py", "strategy.py", "loose/three.py", "loose/four-a.py"]'
        (folder / "bakeoff.toml").write_text(f"topics = {topics}\nbuiltin = true\n")
        return folder

    return made


@pytest.fixture(scope="module")
def before(make: Callable[..., Path]) -> dict[str, dict[str, str]]:
    return digests(make())


@pytest.mark.parametrize(
    ("changed", "cells"),
    [
        ("", set()),
        ("unused", set()),
        ("common", {"one/only", "one/other", "two/only"}),
        ("strategy", {"one/other"}),
        ("one", {"one/only", "one/other"}),
        ("parts/__init__", {"one/only", "one/other"}),
        ("parts/late", {"one/only", "one/other"}),
        ("parts/deep", {"one/only", "one/other"}),
        ("parts/needed", {"one/other"}),
        ("loose/beside", {"three/only", "four/only"}),
        ("loose/folder/inner", {"three/only"}),
        ("loose/four-a", {"four/only"}),
    ],
)
def test_a_change_shows_in_the_cells_that_import_it(
    make: Callable[..., Path], before: dict[str, dict[str, str]], changed: str, cells: set[str]
) -> None:
    """The project lies elsewhere each time, which is no change."""
    after = digests(make(changed))
    assert before.keys() == {"one/only", "one/other", "two/only", "three/only", "four/only"}
    assert {cell for cell in before if before[cell] != after[cell]} == cells
    for cell in cells:
        (module,) = {name for name in before[cell] if before[cell][name] != after[cell][name]}
        assert changed.removeprefix("loose/").removesuffix("/__init__").replace("/", ".") in module


def test_the_harness_counts_and_what_only_reads_records_does_not() -> None:
    script = """
import json, sys
from pathlib import Path
from harness.config import read_config
from harness.measure import code
from harness.registry import load_registry
config = read_config(Path(sys.argv[1]))
finder = code._Finder(config, [])
for name in code._PROCESS:
    finder.import_hook(name)
finder.import_hook("harness.topics.bandits.stationary")
print(json.dumps(sorted(finder.modules)))
"""
    found = fresh_process(script, "/")
    assert {"harness.measure.clock", "harness.plan.data", "harness.topics.bandits.engine.judge"} <= set(found)
    assert not [name for name in found if name.startswith(("harness.report", "harness.analysis", "harness.cli"))]
    assert not [name for name in found if not name.startswith("harness")]


RUN = """
import json, sys
from pathlib import Path
from harness.config import read_config
from harness.measure.clock import PhaseClock
from harness.measure.code import code_digests
from harness.measure.device import open_device
from harness.measure.job import Job, import_installed
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.registry import load_registry
config = read_config(Path("/"))
registry = load_registry(config)
task, strategy = sys.argv[1:]
trial = make_plan(Selection(tasks=(task,), strategies=(strategy,), profile="quick"), registry).trials[0]
called = set()
def note(frame, event, argument):
    called.add(frame.f_globals.get("__name__"))
sys.setprofile(note)
job = Job.of(trial, registry, [])
import_installed((*job.strategy.needs, *job.dataset.needs, *job.topic.needs))
data = job.prepare()
clock = PhaseClock(job.task.phases, open_device("cpu"), lambda *_: None, setup=job.task.setup, repeat=False)
job.judge(data, job.call(job.problem(data), clock))
sys.setprofile(None)
digests = code_digests([(job.task, job.strategy)], registry, config)
print(json.dumps([sorted(filter(None, called)), sorted(digests)]))
"""


@pytest.mark.parametrize(
    ("task", "strategy"),
    [
        ("bandits/stationary", "ucb1"),
        ("boosting/tabular-binary", "logistic-regression"),
        ("fusion/missing", "concatenation"),
        ("logistic/imbalance", "logistic-threshold"),
        ("normalization/kernels", "layer-norm"),
        ("ope/value", "dr"),
        ("recommendation/ranking", "popularity"),
    ],
)
def test_what_a_trial_calls_is_counted(task: str, strategy: str) -> None:
    called, counted = fresh_process(RUN, task, strategy)
    own = {name for name in called if name.startswith("harness.")}
    assert own - set(counted) == set()
    assert any(name.startswith(f"harness.topics.{task.partition('/')[0]}.") for name in own)
