"""Commands without a selection mean what the project declares or adds to; runs land in the project's folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support import Project, make_project, write_csv_card

from harness.store.load import load

STRATEGY = """\
from harness.topics.boosting import task

@task.strategy("always-half")
def always_half(problem, phase):
    with phase("predict"):
        return problem.data.test[:, 0]
"""
JOIN = """\
from harness import Dataset
from harness.topics.boosting import task

task.join(Dataset("squares", load=print))
"""
TASK = """\
from harness import Dataset, Metric
from harness.topics.boosting import topic

task = topic.task("ours", title="Ours", datasets=[Dataset("mine", load=print)], phases=["fit"], judge=print,
                  metrics=[Metric("error", direction="lower", unit="1")])
task.strategy("nothing")(lambda problem, phase: 0)
"""


def planned(project: Project, *arguments: str) -> set[str]:
    """Return the tasks of a run's plan."""
    plan = json.loads(project.bakeoff("run", "--dry-run", "--json", *arguments).stdout)
    return {f"{trial['topic']}/{trial['task']}" for trial in plan["trials"]}


def listed(project: Project) -> list[str]:
    return [topic["topic"] for topic in json.loads(project.bakeoff("list", "--json").stdout)]


def test_a_topic_of_the_project_is_what_commands_mean(project: Project) -> None:
    assert planned(project) == {"planted/faults"}
    assert planned(project, "boosting") == {"boosting/tabular-binary"}
    assert listed(project) == ["planted"]
    claims = json.loads(project.bakeoff("claims", "--json").stdout)["claims"]
    assert claims == []
    said = project.bakeoff("list")
    assert "there are also the topics bandits, boosting, ope" in said.stderr


def test_builtin_topics_are_meant_where_the_project_says_so(project: Project) -> None:
    (project.folder / "bakeoff.toml").write_text('topics = ["planted.py"]\nbuiltin = true\n')
    assert {"planted/faults", "boosting/tabular-binary"} < planned(project)
    assert {"bandits", "boosting", "ope", "planted"} <= set(listed(project))


def test_without_topics_commands_mean_all(tmp_path: Path) -> None:
    assert {"bandits", "boosting", "ope"} <= set(listed(Project(tmp_path)))


@pytest.mark.parametrize("text", [STRATEGY, JOIN])
def test_a_strategy_or_data_in_code_means_the_task_that_they_join(tmp_path: Path, text: str) -> None:
    (tmp_path / "more.py").write_text(text)
    (tmp_path / "bakeoff.toml").write_text('topics = ["more.py"]\n')
    assert planned(Project(tmp_path)) == {"boosting/tabular-binary"}
    assert listed(Project(tmp_path)) == ["boosting"]


def test_a_task_added_to_a_builtin_topic_is_meant_alone(tmp_path: Path) -> None:
    (tmp_path / "more.py").write_text(TASK)
    (tmp_path / "bakeoff.toml").write_text('topics = ["more.py"]\n')
    assert planned(Project(tmp_path)) == {"boosting/ours"}


def test_a_card_means_the_task_that_it_joins(tmp_path: Path) -> None:
    write_csv_card(tmp_path / "datasets", "churn", tasks=["boosting/tabular-binary"])
    assert planned(Project(tmp_path)) == {"boosting/tabular-binary"}
    write_csv_card(tmp_path / "datasets", "other")
    assert planned(Project(tmp_path)) == {"boosting/tabular-binary"}


def test_runs_land_in_the_project_from_a_folder_below(project: Project) -> None:
    below = project.folder / "deep" / "down"
    below.mkdir(parents=True)
    Project(below).bakeoff("run", "-s", "copy", "--blocks", "1")
    assert len(project.runs()) == 1
    assert not list(below.rglob("*"))


def test_a_gate_without_a_selection_measures_the_project(tmp_path: Path) -> None:
    """The base has no topic of the project that is new, and the other one is compared all the same."""
    project = make_project(tmp_path / "project")
    (project.folder / "planted.py").write_text(_one_strategy((project.folder / "planted.py").read_text()))
    (project.folder / ".gitignore").write_text("results/\n__pycache__/\n")
    _git(project, "init", "-q")
    _git(project, "add", ".")
    _git(project, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "-m", "One")
    new = (
        (project.folder / "planted.py")
        .read_text()
        .replace('"planted"', '"fresh"')
        .replace('"numbers"', '"fresh-numbers"')
    )
    (project.folder / "fresh.py").write_text(new)
    (project.folder / "bakeoff.toml").write_text('topics = ["planted.py", "fresh.py"]\n[gate]\npairs = 2\n')
    command = project.command("gate", "--base", "HEAD", "--json")
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False, timeout=300)
    decision = json.loads(done.stdout)
    assert {(case["topic"], case["strategy"]) for case in decision["cases"]} == {("planted", "copy")}
    assert "new in the candidate" in json.dumps(decision)


def test_a_run_in_a_checkout_is_not_a_change(project: Project) -> None:
    """With the repository's own .gitignore: tracked runs stay tracked, new ones are ignored, and both are read."""
    ignored = Path(__file__).parents[1] / ".gitignore"
    (project.folder / ".gitignore").write_text(ignored.read_text())
    (project.folder / "results").mkdir()
    (project.folder / "results" / "README.md").write_text("Results\n")
    run = ("run", "-s", "copy", "--blocks", "1")
    project.bakeoff(*run)
    (tracked,) = project.runs()
    _git(project, "init", "-q")
    _git(project, "add", ".")
    _git(project, "add", "--force", str(tracked))
    _git(project, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "-m", "One")
    project.bakeoff(*run)
    assert len(project.runs()) == 2
    listed = subprocess.check_output(["git", "ls-files", "results"], cwd=project.folder, text=True).split()
    assert listed == ["results/README.md", str(tracked.relative_to(project.folder))]
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=project.folder, text=True) == ""
    trials = load(project.folder / "results")
    assert trials["run"].nunique() == 2


def _one_strategy(text: str) -> str:
    """Leave the first strategy of the planted topic alone."""
    start = text.index('@task.strategy("copy"')
    return text[: text.index("@task.strategy", start + 1)]


def _git(project: Project, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=project.folder, check=True, timeout=60)


def test_a_second_configuration_is_noted_once(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text('[tool.bakeoff]\nresults = "elsewhere"\n')
    done = project.bakeoff("run", "-s", "copy", "--blocks", "1")
    note = f"note: bakeoff.toml is used, and [tool.bakeoff] in {project.folder / 'pyproject.toml'} is ignored"
    assert done.stderr.splitlines().count(note) == 1
    assert len(project.runs()) == 1
