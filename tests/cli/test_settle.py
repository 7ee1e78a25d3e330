"""``bakeoff settle``: it adds blocks where they decide something, in a run that counts together with the first one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from support import TESTS, Project

from harness.analysis.run_set import read_run_set
from harness.config import read_config
from harness.plan import make_plan
from harness.records import Record
from harness.registry import load_registry
from harness.store.header import SCHEMA, Header
from harness.store.read import encode, read

SEED = "1"
APART = """
from noisy import _score, other

@other.strategy("apart")
def apart(problem, phase):
    return _score(problem, phase, 6, -50.0)
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run of three blocks, which settle one task of two."""
    folder = tmp_path_factory.mktemp("measured")
    shutil.copy(TESTS / "projects" / "noisy.py", folder)
    (folder / "steps.py").write_text("STEPS = 20_000\n")
    (folder / "apart.py").write_text(APART)
    (folder / "bakeoff.toml").write_text('topics = ["noisy.py", "apart.py"]\n')
    Project(folder).bakeoff("run", "--seed", SEED)
    return folder


@pytest.fixture
def noisy(measured: Path, tmp_path: Path) -> Project:
    folder = tmp_path / "noisy"
    shutil.copytree(measured, folder)
    return Project(folder)


def write(path: Path, header: Header, records: list[Record]) -> None:
    path.write_bytes(b"".join([encode(header), *map(encode, records)]))


def rewrite(path: Path, **changes: object) -> None:
    """Change the header of a run."""
    header, records = read(path)
    write(path, msgspec.structs.replace(header, **changes), records)


def parts(project: Project) -> list[tuple[Header, list[Record]]]:
    return [read(path) for path in project.runs()]


def test_blocks_go_on_with_the_seeds_until_all_is_settled(noisy: Project) -> None:
    done = noisy.bakeoff("settle", "--json")
    said = json.loads(done.stdout)
    assert {own["task"]: (own["state"], own["take"]) for own in said["tasks"]} == {
        "noisy/pick": ("settled", "good"),
        "noisy/clear": ("settled", "high"),
    }
    assert "open: 1 of 2 tasks" in done.stderr
    (first, _), (added, records) = parts(noisy)
    assert (added.run, added.parent, added.session, added.trials) == (said["run"], first.run, first.run, 0)
    assert added.schema == SCHEMA
    blocks = {record.trial.block for record in records}
    # Looks have 6, 12, 24 ... blocks.
    assert sorted(blocks) == list(range(3, 3 + len(blocks)))
    assert len(blocks) + 3 in (6, 12, 24)
    # The trials are those that the plan of as many blocks has.
    selection = msgspec.structs.replace(first.selection, blocks=3 + len(blocks))
    planned = {own.key: own for own in make_plan(selection, load_registry(read_config(noisy.folder))).trials}
    assert all(planned[record.trial.key] == record.trial for record in records)
    assert {record.trial.strategy for record in records} == {"good", "fair"}


def test_the_first_run_and_what_was_added_count_together(noisy: Project) -> None:
    *_, told, before = noisy.bakeoff("settle").stdout.splitlines()
    assert told.startswith("noisy/pick: settled: take good")
    assert before == "settled before: 1 task, see 'bakeoff show'"
    (first, own), (added, more) = parts(noisy)
    for name in (first.run, added.run, "latest"):
        shown = json.loads(noisy.bakeoff("show", name, "--json").stdout)
        assert (shown["header"]["run"], shown["added"]) == (first.run, [added.run])
        blocks = {row["strategy"]: row["statuses"]["ok"] for row in shown["cells"]}
        assert blocks["good"] == blocks["fair"] == 3 + len(more) // 2
        assert blocks["poor"] == blocks["high"] == 3
    assert f"Run {added.run} adds blocks to run {first.run}; their times count as one session" in (
        noisy.bakeoff("show", first.run).stderr
    )
    page = noisy.bakeoff("report", added.run, "--format", "markdown").stdout
    assert first.run in page
    assert f"Run {added.run} adds blocks to run {first.run}" in page
    compared = json.loads(noisy.bakeoff("compare", first.run, added.run, "--json").stdout)
    # Of memory there may be less than a page, and none has no ratio.
    rows = [row for row in compared["rows"] if row["strategy"] == "good" and row["measure"] != "peak_bytes"]
    assert {row["blocks"] for row in rows} == {3 + len(more) // 2}
    claims = json.loads(noisy.bakeoff("claims", "--run", first.run, "--json").stdout)
    assert [run["run"] for run in claims["runs"]] == [first.run, added.run]
    # The path of a file means that file alone.
    alone = json.loads(noisy.bakeoff("show", str(noisy.runs()[0]), "--json").stdout)
    assert alone["added"] == []
    assert len(own) == 18


def test_what_is_settled_gets_no_more_blocks(noisy: Project) -> None:
    noisy.bakeoff("settle")
    done = noisy.bakeoff("settle")
    assert "settled: all of 2 tasks" in done.stderr
    assert "noisy/pick: settled: take good" in done.stdout
    assert len(noisy.runs()) == 2
    assert "noisy/clear: settled" in noisy.bakeoff("settle", "--task", "noisy/clear").stdout


def test_it_says_why_it_stops_at_strategies_that_blocks_do_not_settle(tmp_path: Path) -> None:
    """Two strategies are equal; with this seed a look of six blocks shows that no number of them will do."""
    text = (TESTS / "projects" / "noisy.py").read_text()
    (tmp_path / "noisy.py").write_text(text.replace("_score(problem, phase, 2, 0.0)", "_score(problem, phase, 2, 2.0)"))
    (tmp_path / "steps.py").write_text("STEPS = 100\n")
    (tmp_path / "bakeoff.toml").write_text('topics = ["noisy.py"]\n')
    project = Project(tmp_path)
    project.bakeoff("run", "noisy/pick", "--seed", "5")
    done = project.bakeoff("settle")
    assert done.stdout == "noisy/pick: open: good leads; 6 blocks do not tell it apart from fair\n"
    assert "note: noisy/pick goes no further: 400 blocks are not expected to tell fair from good\n" in done.stderr


def test_without_time_nothing_is_measured_and_the_answer_is_inconclusive(noisy: Project) -> None:
    done = noisy.bakeoff("settle", "--budget", "0.001", code=6)
    assert "--budget 0.001 is less than all of this takes" in done.stderr
    assert len(noisy.runs()) == 1


def test_a_run_that_adds_blocks_is_itself_settled_further(noisy: Project) -> None:
    """Its blocks are taken for a look that was cut short: those that it lacks go on with its numbers."""
    noisy.bakeoff("settle")
    first, added = noisy.runs()
    header, records = read(added)
    write(added, header, records[:3])
    noisy.bakeoff("settle", header.run)
    (_, _), (_, cut), (again, more) = parts(noisy)
    assert (again.parent, again.session) == (read(first)[0].run, read(first)[0].run)
    assert min(record.trial.block for record in more) == max(record.trial.block for record in cut) + 1
    assert read_run_set(noisy.runs()).added == {header.run, again.run}


def test_after_an_hour_it_is_another_session(noisy: Project) -> None:
    (path,) = noisy.runs()
    header, records = read(path)
    for record in records:
        record.started = "2026-11-23T02:15:00+00:00"
    write(path, header, records)
    noisy.bakeoff("settle")
    (first, _), (added, _) = parts(noisy)
    assert (added.parent, added.session) == (first.run, "")
    assert "it began over an hour after the blocks before" in noisy.bakeoff("show").stderr


def test_a_run_that_adds_blocks_is_not_resumed(noisy: Project) -> None:
    noisy.bakeoff("settle")
    (first, _), (added, _) = parts(noisy)
    said = noisy.bakeoff("run", "--resume", added.run, code=2).stderr
    assert said.endswith(
        f"run {added.run} adds blocks to run {first.run} as time allows: go on with 'bakeoff settle {first.run}'\n"
    )


def test_changed_code_is_refused_and_that_of_other_strategies_is_not(noisy: Project) -> None:
    """The topic imports `steps.py` and not `notes.py`; `apart.py` has a strategy of the task that is settled."""
    (noisy.folder / "notes.py").write_text("NOTE = 'read by nobody'\n")
    (noisy.folder / "apart.py").write_text(APART.replace("-50.0", "-60.0"))
    (noisy.folder / "steps.py").write_text("STEPS = 10_000\n")
    assert "the code of steps has changed" in noisy.bakeoff("settle", code=2).stderr
    (noisy.folder / "steps.py").write_text("STEPS = 20_000\n")
    noisy.bakeoff("settle")


def test_a_strategy_that_is_gone_is_refused(noisy: Project) -> None:
    text = (noisy.folder / "noisy.py").read_text()
    (noisy.folder / "noisy.py").write_text(text.replace('strategy("fair")', 'strategy("fairer")'))
    said = noisy.bakeoff("settle", code=2).stderr
    assert "strategy fair of noisy/pick is gone, the code of noisy has changed; start a new run" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"packages": {"numpy": "1.0.0"}}, "numpy 1.0.0 is not installed now"),
        ({"python": "CPython 3.1"}, "Python was CPython 3.1 and is"),
        ({"name": "elsewhere"}, "was measured on elsewhere, and this is"),
        ({"modules": {}}, "does not say which code it ran"),
        ({"cards": {"numbers": "other"}}, "data set numbers has changed"),
        ({"trials": 99}, "lacks 81 of its trials: finish it with 'bakeoff run --resume"),
    ],
)
def test_what_is_not_as_it_was_is_refused(noisy: Project, changes: dict[str, object], reason: str) -> None:
    (path,) = noisy.runs()
    header, _ = read(path)
    made = {}
    for part in ("environment", "machine"):
        own = getattr(header, part)
        fields = {name: value for name, value in changes.items() if name in own.__struct_fields__}
        made[part] = msgspec.structs.replace(own, **fields)
    rest = {name: value for name, value in changes.items() if name in ("modules", "cards", "trials")}
    rewrite(path, **made, **rest)
    assert reason in noisy.bakeoff("settle", str(path), code=2).stderr
    assert len(noisy.runs()) == 1


def test_an_unknown_task_is_refused_with_a_suggestion(noisy: Project) -> None:
    assert "has no task 'noisy/pik'; did you mean noisy/pick or noisy/clear?" in (
        noisy.bakeoff("settle", "--task", "noisy/pik", code=2).stderr
    )
