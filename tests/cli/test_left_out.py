"""What the quick profile leaves out is said in one line, with the command that runs it: table, page, list, dry run."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest
from support import Project

from harness.store.read import read

TOPIC = """
from harness.declare import Dataset, Judgement, Metric, Profile, Topic
topic = Topic("t", title="T")
task = topic.task(
    "task",
    title="Task",
    datasets=[Dataset("data", lambda params, rng: 0.0)],
    phases=["fit"],
    metrics=[Metric("auc", direction="higher", unit="1")],
    judge=lambda data, output: Judgement({"auc": output}),
    quick=Profile(2),
)

def half(problem, phase):
    with phase("fit"):
        return 0.5

task.strategy("a")(half)
task.strategy("b", quick=False)(half)
task.strategy("c", quick=False)(half)
"""
SENTENCE = "The quick profile leaves out b, c: bakeoff run t/task -s NAME, or --profile full"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("left-out")
    (folder / "topic_t.py").write_text(TOPIC)
    (folder / "bakeoff.toml").write_text('topics = ["topic_t.py"]\n')
    return Project(folder)


@pytest.fixture(scope="module")
def printed(made: Project) -> str:
    """What a quick run prints with its tables."""
    return made.bakeoff("run", "--tables").stdout


def test_a_run_and_its_table_say_it_once(made: Project, printed: str) -> None:
    assert printed.splitlines().count(SENTENCE) == 1
    assert made.bakeoff("show").stdout.splitlines().count(SENTENCE) == 1
    header, records = read(made.runs()[0])
    assert header.tasks[0].left_out == ("b", "c")
    assert {record.trial.strategy for record in records} == {"a"}


def test_the_summary_counts_it(made: Project, printed: str) -> None:
    said = made.bakeoff("run", "--resume", read(made.runs()[0])[0].run).stdout
    assert said.splitlines()[-1] == "bakeoff run TASK -s '*'  also the 2 strategies that the quick profile leaves out"


def test_the_dry_run_agrees_with_the_run(made: Project, printed: str) -> None:
    assert "2 trials: 2 ok" in printed
    words = made.bakeoff("run", "--dry-run").stdout.splitlines()
    assert words[:3] == ["t/task on data, clean (threads=1)", "  2 blocks of a", SENTENCE]
    assert words[3].startswith("2 trials; expected duration: about ")
    program = json.loads(made.bakeoff("run", "--dry-run", "--json").stdout)
    assert program["left_out"] == {"t/task": ["b", "c"]}
    assert program["measured_before"] == len(program["trials"]) == 2


def test_page_and_markdown_say_it(made: Project, printed: str, tmp_path: Path) -> None:
    made.bakeoff("report", "-o", str(tmp_path / "page.html"))
    assert unescape((tmp_path / "page.html").read_text()).count(f'<p class="note">{SENTENCE}</p>') == 1
    assert f"\n{SENTENCE}\n" in made.bakeoff("report", "--format", "markdown").stdout


def test_list_marks_it(made: Project) -> None:
    lines = [" ".join(line.split()) for line in made.bakeoff("list").stdout.splitlines()]
    mark = lines.index("not in the quick profile:")
    assert [lines.index(name) < mark for name in "abc"] == [True, False, False]
    (topic,) = json.loads(made.bakeoff("list", "--json").stdout)
    assert [one["quick"] for one in topic["tasks"][0]["strategies"]] == [True, False, False]


def test_the_command_runs_it_and_the_page_of_both_runs_lacks_nothing(made: Project, printed: str) -> None:
    assert "leaves out" not in made.bakeoff("run", "-s", "b").stdout
    assert "leaves out c: " in made.bakeoff("report", "--format", "markdown", *_runs(made)).stdout
    assert "leaves out" not in made.bakeoff("run", "-s", "c").stdout
    assert "leaves out" not in made.bakeoff("report", "--format", "markdown", *_runs(made)).stdout


def test_a_stored_gate_says_what_the_candidate_left_out(made: Project, printed: str) -> None:
    made.bakeoff("run", "-s", "*")
    first, last = made.runs()[0], made.runs()[-1]
    said = made.bakeoff("gate", str(last), str(first), code=4).stdout
    assert "the quick profile of the candidate leaves it out: measure the candidate with -s '*'" in said
    assert "gone from the candidate" not in said
    both = made.bakeoff("gate", str(first), str(first)).stdout
    assert "not judged, because the quick profile leaves it out; measure both sides with -s '*'" in both


def _runs(made: Project) -> list[str]:
    return [str(path) for path in made.runs()]
