"""The digest of the code of a topic: it changes with what the topic imports, and with nothing else."""

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
print(json.dumps(code_digests(["one", "two"], load_registry(config), config)))
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


def digests(folder: Path) -> dict[str, str]:
    made: dict[str, str] = fresh_process(DIGESTS, str(folder))
    return made


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def made(**changed: str) -> Path:
        folder = tmp_path_factory.mktemp("project")
        files = {
            "one": TOPIC.format(name="one", module="common", later="parts.late"),
            "two": TOPIC.format(name="two", module="common", later="common"),
            "common": "value = 1\n",
            "unused": "value = 1\n",
            "parts/__init__": "",
            "parts/late": "from . import deep\nvalue = 1\n",
            "parts/deep": "value = 1\n",
        } | {name.replace("__", "/", 1): text for name, text in changed.items()}
        (folder / "parts").mkdir()
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        (folder / "bakeoff.toml").write_text('topics = ["one.py", "two.py"]\nbuiltin = true\n')
        return folder

    return made


@pytest.mark.parametrize(
    ("changed", "topics"),
    [
        ({}, set()),
        ({"unused": "value = 2\n"}, set()),
        ({"common": "value = 2\n"}, {"one", "two"}),
        ({"parts__late": "from . import deep\nvalue = 2\n"}, {"one"}),
        ({"parts__deep": "value = 2\n"}, {"one"}),
    ],
    ids=["nothing", "a file that nothing imports", "of both", "imported within a function", "by that in turn"],
)
def test_a_change_shows_in_the_topics_that_import_it(
    make: Callable[..., Path], changed: dict[str, str], topics: set[str]
) -> None:
    """The project lies elsewhere each time, which is no change."""
    before, after = digests(make()), digests(make(**changed))
    assert {name for name in before if before[name] != after[name]} == topics


def test_the_harness_counts_and_what_only_reads_records_does_not() -> None:
    script = """
import json, sys
from pathlib import Path
from harness.config import read_config
from harness.measure import code
from harness.registry import load_registry
config = read_config(Path(sys.argv[1]))
finder = code._Finder(config)
for name in code._PROCESS:
    finder.import_hook(name)
finder.import_hook("harness.topics.bandits.stationary")
print(json.dumps(sorted(finder.modules)))
"""
    found = fresh_process(script, "/")
    assert {"harness.measure.clock", "harness.plan.data", "harness.topics.bandits.engine.judge"} <= set(found)
    assert not [name for name in found if name.startswith(("harness.report", "harness.analysis", "harness.cli"))]
    assert not [name for name in found if not name.startswith("harness")]
