"""A set-up phase is shown and in no total; where totals come to mean something else, they are not compared."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import Project

import harness
from harness.analysis.run_set import read_run_set
from harness.config import GatePolicy, read_config
from harness.errors import UsageError
from harness.execute.run import reopen
from harness.gate.stored.gate import decide
from harness.records import Record, figures
from harness.registry import load_registry
from harness.report.run.markdown import markdown
from harness.report.run.page import render
from harness.report.run.payload import build
from harness.store.header import Header
from harness.store.read import read
from harness.store.runs import create

TOPIC = Path(__file__).parent / "projects" / "prepared.py"
TASK = "prepared/sort"
TOTALS = ("cpu_s", "wall_s", "peak_bytes")


def before(header: Header, records: list[Record], number: int) -> tuple[Header, list[Record]]:
    """Return the run as a Bakeoff without set-up phases wrote it, days earlier: 50 MB held from its first phase."""
    started = datetime.now(UTC) - timedelta(days=9 - number)
    tasks = tuple(msgspec.structs.replace(card, setup=()) for card in header.tasks)
    old = msgspec.structs.replace(
        header, schema="1.1", run=f"00000{number}", started=started.isoformat(timespec="seconds"), tasks=tasks
    )
    changed = [
        msgspec.structs.replace(
            record,
            phases={
                name: msgspec.structs.replace(
                    phase, in_total=True, held_bytes=phase.held_bytes + (name != "compile") * 50_000_000
                )
                for name, phase in record.phases.items()
            }
            if "compile" in record.phases
            else record.phases,
        )
        for record in records
    ]
    return old, changed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two runs in which the set-up counted, and one in which it is in no total."""
    project = Project(tmp_path_factory.mktemp("prepared"))
    (project.folder / "prepared.py").write_text(TOPIC.read_text())
    (project.folder / "bakeoff.toml").write_text('topics = ["prepared.py"]\n')
    project.bakeoff("run")
    (new,) = project.runs()
    for number in (1, 2):
        header, records = before(*read(new), number)
        with create(project.folder / "results", header) as run:
            for record in records:
                run.write(record)
    return project


@pytest.fixture(scope="module")
def new(project: Project) -> Path:
    return project.runs()[-1]


@pytest.fixture(scope="module")
def old(project: Project) -> Path:
    return project.runs()[0]


def test_totals_leave_the_set_up_out(new: Path) -> None:
    header, records = read(new)
    assert header.setup(TASK) == {"compile"}
    for record in records:
        numbers, phases = figures(record), record.phases
        measured = [phase for name, phase in phases.items() if name != "compile"]
        assert numbers["cpu_s"] == pytest.approx(sum(phase.cpu_s[0] for phase in measured))
        assert [phase.in_total for phase in phases.values()] == [name != "compile" for name in phases]
        assert phases["fit"].held_bytes == 0
    compiled = next(record for record in records if record.trial.strategy == "compiled")
    assert list(compiled.phases) == ["compile", "fit", "predict"]
    assert figures(compiled)["compile.peak_bytes"] > 35e6
    assert figures(compiled)["peak_bytes"] < 10e6


def test_tables_show_the_set_up_as_set_up(project: Project, new: Path) -> None:
    said = project.bakeoff("show", str(new), COLUMNS="220").stdout
    heading = next(line for line in said.splitlines() if line.startswith("strategy"))
    assert heading.rstrip().endswith("compile (set-up)")
    assert "; times and memory are without compile" in " ".join(said.split())
    cells = json.loads(project.bakeoff("show", str(new), "--json").stdout)["cells"]
    setup = {cell["strategy"]: cell["setup"] for cell in cells}
    assert setup["plain"] == {}
    assert setup["compiled"]["compile"]["peak_bytes"] > 35e6


def test_pages_show_the_set_up_as_set_up(new: Path) -> None:
    payload = build(read_run_set([new]), title="T")
    (task,) = payload["tasks"]
    titles = {measure["name"]: (measure["title"], measure["summary"]) for measure in task["measures"]}
    assert titles["cpu_s"] == ("CPU time", "CPU time of all phases without compile")
    assert titles["compile.cpu_s"][0] == "CPU time of compile (set-up)"
    assert titles["fit.cpu_s"][0] == "CPU time of fit"
    assert '<p class="note">Times and memory are without compile (set-up).</p>' in render(payload)
    assert "\nTimes and memory are without compile (set-up).\n" in markdown(payload)


def test_the_list_of_topics_names_the_set_up(project: Project) -> None:
    assert "phases     compile (set-up), fit, predict\n" in project.bakeoff("list", "prepared").stdout


def test_totals_begin_a_new_series_and_nothing_else_does(project: Project) -> None:
    def runs(measure: str, strategy: str) -> list[int]:
        done = project.bakeoff("history", measure, "-s", strategy, "--json")
        return [row["runs"] for row in json.loads(done.stdout)["series"]]

    for measure in ("fit.cpu_s", "compile.cpu_s", "error"):
        assert runs(measure, "compiled") == [3]
    for measure in TOTALS:
        assert runs(measure, "compiled") == [2]
        assert runs(measure, "plain") == [3]
    said = project.bakeoff("history", "cpu_s", "-s", "compiled")
    newest = read(project.runs()[-1])[0].run
    assert said.stderr.splitlines()[0] == (
        f"note: cpu_s of {TASK} does not mean the same in all runs (with all phases since run 000001, without compile "
        f"since run {newest}), so runs with other set-up phases are another series"
    )
    assert "(threads=1), with all phases, machine" in said.stdout


def test_held_memory_begins_a_new_series_too(project: Project) -> None:
    said = project.bakeoff("history", "predict.held_bytes", "-s", "compiled").stderr
    assert said.startswith(f"note: predict.held_bytes of {TASK} does not mean the same in all runs")


def test_totals_of_two_meanings_are_not_pooled(project: Project, old: Path, new: Path) -> None:
    files, newest = project.runs(), read(new)[0].run
    several, one = harness.Comparison(*files), harness.Comparison(new)
    assert several.effect("compiled", "plain", "cpu_s") == one.effect("compiled", "plain", "cpu_s")
    assert several.effect("compiled", "plain", "fit.cpu_s") != one.effect("compiled", "plain", "fit.cpu_s")
    remark = (
        f"Totals of time and memory of {TASK} are without compile in run {newest}; those of these runs mean something "
        "else and are left out: 000001, 000002."
    )
    assert (several.remarks, one.remarks) == ([remark], [])
    assert remark in several._repr_html_()
    assert remark in build(read_run_set(files), title="T")["remarks"]
    plain = read_run_set(files).comparable[0].entries["plain"].values["cpu_s"]
    assert (plain > 0).all()
    assert harness.Comparison(*files[:2]).remarks == []


def test_a_page_follows_both_series(project: Project, new: Path) -> None:
    page = build(read_run_set([new]), title="T", tracked=read_run_set(project.runs()[:2]))
    (task,) = page["tasks"]
    labels = [strategy["label"] for strategy in task["strategies"]]
    series = [
        (row["setup"], len(row["points"]))
        for row in task["history"]
        if labels[row["strategy"]] == "compiled" and row["measure"] == "cpu_s"
    ]
    assert sorted(series) == [([], 2), (["compile"], 1)]


def test_two_runs_are_compared_in_what_means_the_same(project: Project, old: Path, new: Path) -> None:
    done = project.bakeoff("compare", str(old), str(new), "--json")
    assert done.stderr.splitlines()[0] == (
        f"note: totals of time and memory of {TASK} are not compared: their set-up phases are none in the base and "
        "compile in the candidate"
    )
    rows = json.loads(done.stdout)["rows"]
    measures = {name: [row["measure"] for row in rows if row["strategy"] == name] for name in ("plain", "compiled")}
    assert measures == {"plain": [*TOTALS, "error"], "compiled": ["error"]}


def findings(base: Path, candidate: Path) -> dict[str, dict[str, Any]]:
    decision = decide([read(base)], [read(candidate)], GatePolicy())
    return {case.strategy: {finding.figure: finding for finding in case.findings} for case in decision.cases}


def test_the_stored_gate_compares_no_totals_of_two_meanings(old: Path, new: Path) -> None:
    found = findings(old, new)
    reason = (
        "the runs give it with all phases and without compile: measure both sides now with 'bakeoff gate --base REV'"
    )
    for name in ("cpu_s", "wall_s", "peak_bytes"):
        assert (found["compiled"][name].verdict, found["compiled"][name].reason) == ("not measured", reason)
        assert found["plain"][name].verdict != "not measured"
    assert found["compiled"]["fit.cpu_s"].verdict != "not measured"
    assert not any(name.startswith("compile.") for name in found["compiled"])


def test_the_stored_gate_judges_no_set_up(new: Path, old: Path) -> None:
    assert {"cpu_s", "fit.cpu_s", "compile.cpu_s"} <= findings(old, old)["compiled"].keys()
    judged = findings(new, new)["compiled"].keys()
    assert {"cpu_s", "fit.cpu_s"} <= judged
    assert "compile.cpu_s" not in judged


def test_a_run_with_other_set_up_phases_is_not_resumed(project: Project) -> None:
    config = read_config(project.folder)
    with pytest.raises(UsageError, match=re.escape(f"{TASK} has other set-up phases now")):
        reopen("000001", config, load_registry(config))
