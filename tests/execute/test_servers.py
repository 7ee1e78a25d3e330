"""Fork servers: which start when, and what their workers leave to them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from support import Project, make_project

from harness.config import read_config
from harness.execute import local
from harness.execute.executor import Limits, Share
from harness.measure.messages import Request, Response
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.records import Record
from harness.registry import load_registry
from harness.store.read import read

TOPIC = """
import os
from pathlib import Path
from harness import Dataset, Judgement, Metric, Topic

topic = Topic("NAME", title="NAME")
task = topic.task(
    "task", title="Task", datasets=[Dataset("none-NAME", lambda params, rng: None)], phases=["look"],
    metrics=[Metric("other", direction="higher", unit="1")], judge=lambda data, output: Judgement({"other": output}),
)

@task.strategy("look", needs="library_NAME")
def look(problem, phase):
    with phase("look"):
        return float(os.environ["BESIDE"] in {path.stem for path in Path.cwd().glob("*.imported")})
"""
LIBRARY = """
from pathlib import Path
(Path.cwd() / "NAME.imported").write_text("")
"""
UNDONE = """
import weakref
from pathlib import Path

class Made: pass

made = Made()

def undo(by):
    with (Path.cwd() / "undone").open("a") as file:
        file.write(by + "\\n")

weakref.finalize(made, undo, "import")

def use():
    weakref.finalize(made, undo, "worker")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Topics a, b and c, whose libraries leave a mark when they are imported."""
    for name in "abc":
        (tmp_path / f"topic_{name}.py").write_text(TOPIC.replace("NAME", name))
        (tmp_path / f"library_{name}.py").write_text(LIBRARY.replace("NAME", name))
    (tmp_path / "bakeoff.toml").write_text('topics = ["topic_a.py", "topic_b.py", "topic_c.py"]\n')
    return Project(tmp_path)


def run(project: Project, *arguments: str, code: int = 0, **variables: str) -> dict[str, float]:
    """Run all topics alone on the machine, and return by topic whether the trial found the library imported."""
    alone = {"TMPDIR": str(project.folder), "PYTHONPATH": str(project.folder)}
    project.bakeoff("run", "a", "b", "c", "--blocks", "1", *arguments, code=code, **alone, **variables)
    return {record.trial.topic: record.metrics.get("other", -1.0) for record in read(project.runs()[0])[1]}


def test_the_next_topic_has_imported_before_the_first_trial(project: Project) -> None:
    assert run(project, BESIDE="b")["a"] == 1.0


def test_two_start_at_once_and_not_more(project: Project) -> None:
    found = run(project, BESIDE="c")
    assert (found["a"], found["c"]) == (0.0, 1.0)


class Begun:
    """Stands in for a fork server, and lists the topics of those that have begun."""

    topics: ClassVar[list[str]] = []

    def __init__(self, topic: str, *_: object, **__: object) -> None:
        self._topic = topic

    def begin(self) -> None:
        self.topics.append(self._topic)

    def wait(self) -> None: ...

    def run(self, request: Request) -> Response:
        return Response(Record(request.trial, "ok"))


@pytest.mark.parametrize(
    ("jobs", "others", "begun"), [(1, 0, ["planted", "next"]), (2, 0, ["planted"]), (1, 1, ["planted"])]
)
def test_only_a_job_that_has_the_machine_to_itself_starts_two(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jobs: int, others: int, begun: list[str]
) -> None:
    """On a second core another job or another run may be measuring."""
    monkeypatch.setattr(local, "Server", Begun)
    monkeypatch.setattr(Begun, "topics", [])
    config = read_config(make_project(tmp_path).folder)
    registry = load_registry(config)
    trial = make_plan(Selection(tasks=("planted",), strategies=("copy",)), registry).trials[0]
    job = local.Job(config, Limits(60.0, None), local.Obstacles(registry), [("planted", False), ("next", False)])
    job.measure(trial, Share((0,), jobs, others))
    assert Begun.topics == begun


def test_a_server_that_ends_early_fails_its_own_trials_only(project: Project) -> None:
    (project.folder / "library_b.py").write_text("import os\nprint('no such driver')\nos._exit(3)\n")
    assert run(project, code=4, BESIDE="c") == {"a": 0.0, "b": -1.0, "c": 1.0}
    (reason,) = [record.reason for record in read(project.runs()[0])[1] if record.status == "failed"]
    assert reason.startswith("the fork server of topic b ended with exit code 3")


def test_a_worker_undoes_what_it_made_and_not_what_its_server_made(tmp_path: Path) -> None:
    used = '    import library_u\n    library_u.use()\n    with phase("look"):'
    (tmp_path / "library_u.py").write_text(UNDONE)
    (tmp_path / "topic_u.py").write_text(TOPIC.replace("NAME", "u").replace('    with phase("look"):', used))
    (tmp_path / "bakeoff.toml").write_text('topics = ["topic_u.py"]\n')
    Project(tmp_path).bakeoff("run", "u", "--blocks", "3", PYTHONPATH=str(tmp_path), BESIDE="u")
    assert sorted((tmp_path / "undone").read_text().split()) == ["import", "worker", "worker", "worker"]
