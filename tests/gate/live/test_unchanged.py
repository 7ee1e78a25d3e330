"""A case is left out only if what it loads is equal on both sides; every planted way to differ is measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import harness
from harness.gate.decision import Side, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.live import unchanged
from harness.gate.live.planned_cases import GatePlan, plan_cases
from harness.gate.live.process import SideProcess
from harness.gate.live.unchanged import Trees, equal, leave_out_unchanged, settle_all
from harness.plan.selection import Selection

TOPIC = """
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import numpy as np

from harness import Dataset, Judgement, Metric, Profile, Topic

topic = Topic("small", title="Small work")
if "THREADED" in os.environ:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def judge(data, output):
    import rules
    return Judgement({"error": rules.ERROR})


task = topic.task(
    "copy",
    title="Copy numbers",
    datasets=[Dataset("numbers", lambda params, rng: rng.random(10))],
    phases=["fit"],
    metrics=[Metric("error", direction="lower", unit="1", margin=0.01)],
    judge=judge,
    quick=Profile(blocks=2),
)


def strategy(work):
    @task.strategy(work.__name__.replace("_", "-"))
    def run(problem, phase):
        with phase("fit"):
            work()
        return problem.data
    return run


def plain():
    pass


def imports_late():
    import helper
    helper.work()


def calls_in_a_thread():
    import helper
    thread = threading.Thread(target=helper.work)
    thread.start()
    thread.join()
    print("said by another case", flush=True)


def stops_the_trace():
    sys.settrace(None)
    import helper


def forgets():
    import helper
    del sys.modules["helper"]


def reads_json():
    with open("table.json") as file:
        file.read()


def reads_a_data_base():
    sqlite3.connect("table.db").execute("select 1")


def maps_a_file():
    np.memmap("table.bin", dtype=np.uint8, mode="r")[0]


def starts():
    subprocess.run([sys.executable, "-c", ""])


def spawns():
    # No audit event of Python says this one.
    from multiprocessing.util import spawnv_passfds
    os.waitpid(spawnv_passfds(os.fsencode(sys.executable), [sys.executable, "-c", ""], []), 0)


def fails():
    raise RuntimeError("planted")


def ends():
    os._exit(3)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


for work in (
    plain, imports_late, calls_in_a_thread, stops_the_trace, forgets, reads_json, reads_a_data_base, maps_a_file,
    starts, spawns, fails, ends, is_killed
):
    strategy(work)
"""
HELPER = """
def work():
    return 1


def other():
    return 2
"""
FILES = {
    "small.py": TOPIC,
    "bakeoff.toml": 'topics = ["small.py"]\n',
    "helper.py": HELPER,
    "rules.py": "ERROR = 0.0\n",
    "table.json": "{}\n",
    "table.bin": "abc\n",
    "notes.md": "# Notes\n",
    "table.parquet": "read by compiled code alone\n",
    ".gitignore": "results/\n__pycache__/\n/trees/\n",
}
ALWAYS = {"starts", "spawns", "fails", "ends", "is-killed"}
#: Which strategies `compared` names by why they are measured, and those that it leaves out.
Compared = Callable[..., GatePlan]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """Return a function that changes files of the candidate and leaves out what is unchanged.

    The base lies within the candidate's tree, as the cache does in CI.
    """
    here = tmp_path / "project"
    there = here / "trees" / "base"
    for folder in (here, there):
        folder.mkdir(parents=True)
        for name, text in FILES.items():
            (folder / name).write_text(text)
        (folder / "table.db").touch()
    git(here, "init", "--initial-branch=main")
    git(here, "add", ".")
    git(here, "commit", "--message=one")
    commit = git(here, "rev-parse", "HEAD")

    def leave_out(changes: dict[str, str], *strategies: str, **variables: str) -> GatePlan:
        for name, text in changes.items():
            (here / name).write_text(text)
        library = str(Path(harness.__file__).parents[1])
        base, candidate = (
            SideEnvironment(
                Side(name, commit), Path(sys.executable), folder, {"PYTHONPATH": f"{folder}:{library}", **more}
            )
            for name, folder, more in (("base", there, {}), ("candidate", here, variables))
        )
        sides: dict[SideName, SideEnvironment] = {"base": base, "candidate": candidate}
        plan = plan_cases(Selection(profile="quick", tasks=("small",), strategies=strategies, blocks=2), sides)
        trees = Trees.of(sides, here / "results")
        assert equal(sides, trees) == (not changes and not variables)
        return leave_out_unchanged(plan, sides, trees, 60, lambda _: None)

    return leave_out


def measured(plan: GatePlan) -> set[str]:
    assert all(
        case.unchanged and case.verdict == "pass" and "unchanged: what it runs" in case.reason for case in plan.settled
    )
    return {planned.case.strategy for planned in plan.cases}


def test_only_what_cannot_be_known_is_measured_where_nothing_changed(compared: Compared) -> None:
    plan = compared(
        {"notes.md": "# Other notes\n", "unused.py": "1\n", "bakeoff.toml": 'topics = ["small.py"]\n[gate]\n'}
    )
    assert measured(plan) == ALWAYS
    assert {case.strategy for case in plan.settled} == {
        *(
            "plain",
            "imports-late",
            "calls-in-a-thread",
            "stops-the-trace",
            "forgets",
            "reads-json",
            "reads-a-data-base",
            "maps-a-file",
        )
    }
    silent = "the base did not say what it loads"
    assert plan.remarks[-4:] == [
        "measured because it starts processes: small/copy/spawns/numbers/clean, small/copy/starts/numbers/clean",
        f"measured because {silent} (RuntimeError: planted): small/copy/fails/numbers/clean",
        f"measured because {silent} (ended without an answer, exit code 3: it printed nothing): "
        "small/copy/ends/numbers/clean",
        f"measured because {silent} (killed by SIGKILL): small/copy/is-killed/numbers/clean",
    ]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the tasks of the processes that start to say what is loaded."""
    tasks: list[str] = []

    class Counted(SideProcess):
        def __init__(self, side: SideEnvironment, task: str, *, seed: int = 0) -> None:
            tasks.append(task)
            super().__init__(side, task, seed=seed)

    monkeypatch.setattr(unchanged, "SideProcess", Counted)
    return tasks


def test_what_is_imported_or_read_within_a_function_is_seen(compared: Compared, started: list[str]) -> None:
    changes = {
        "helper.py": HELPER.replace("return 1", "return 3"),
        "table.json": "[]\n",
        "table.db": "SQLite",
        "table.bin": "abd\n",
    }
    reading = {"imports-late", "forgets", "reads-json", "reads-a-data-base", "maps-a-file"}
    plan = compared(changes, "plain", *reading)
    assert measured(plan) == reading
    assert started == ["loads"] * 2  # one process of each side for all cases
    assert plan.remarks[-1].startswith("measured because table.json differs: ")
    assert any(remark.startswith("measured because helper.py differs: ") for remark in plan.remarks)


@pytest.mark.parametrize(("name", "text"), [("rules.py", "ERROR = 0.5\n"), ("small.py", f"{TOPIC}\nWIDTH = 2\n")])
def test_the_judge_and_the_topic_are_part_of_every_case(compared: Compared, name: str, text: str) -> None:
    assert measured(compared({name: text}, "plain")) == {"plain"}


def test_of_a_module_only_what_ran_counts(compared: Compared) -> None:
    strategies = ("plain", "imports-late", "calls-in-a-thread", "stops-the-trace", "forgets")
    changed = {"small.py": TOPIC.replace("def plain():\n    pass", "def plain():\n    # More.\n    sum([1])")}
    # After the trace was stopped nobody knows what ran, and what is forgotten counts whole.
    assert measured(compared(changed, *strategies)) == {"plain", "stops-the-trace"}
    uncalled = {"small.py": TOPIC + "# The end.\n", "helper.py": HELPER.replace("return 2", "return 3")}
    assert measured(compared(uncalled, *strategies)) == {"stops-the-trace", "forgets"}
    called = {"small.py": TOPIC, "helper.py": HELPER.replace("return 1", "return 3")}
    assert measured(compared(called, *strategies)) == {*strategies} - {"plain"}


ADDED = """
@task.strategy("added")
def added(problem, phase):
    with phase("fit"):
        return problem.data
"""


@pytest.mark.parametrize(
    ("changes", "matters"),
    [
        ({"small.py": TOPIC + ADDED}, False),
        ({"small.py": TOPIC + ADDED + "\nuse = added\n"}, True),
        ({"more.py": f"from small import task\n\nWIDTH = 2\n{ADDED}"}, False),
        ({"more.py": f"from small import task\n\ntask.title.lower()\n{ADDED}"}, True),
    ],
    ids=["in the file of others", "that others use", "in a file of its own", "in a file that does more"],
)
def test_a_strategy_that_is_added_changes_no_other(
    compared: Compared, changes: dict[str, str], *, matters: bool
) -> None:
    if "more.py" in changes:
        changes["bakeoff.toml"] = 'topics = ["small.py", "more.py"]\n'
    assert measured(compared(changes, "plain", "imports-late")) == ({"plain", "imports-late"} if matters else set())


def test_a_topic_whose_import_starts_a_thread_is_imported_for_each_case(
    compared: Compared, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREADED", "1")
    changes = {"helper.py": HELPER.replace("return 1", "return 3")}
    assert measured(compared(changes, "plain", "imports-late")) == {"imports-late"}
    assert started == ["loads"] * 4


WATCH = """
import os, sys
from multiprocessing.util import spawnv_passfds
from harness.measure.loaded import Watch

def spawn():
    os.waitpid(spawnv_passfds(os.fsencode(sys.executable), [sys.executable, "-c", ""], []), 0)

watch = Watch()
spawn() if "before" in sys.argv else None
for name in ("first", "second"):
    if child := watch.fork([]):
        os.waitpid(child, 0)
    else:
        spawn() if name in sys.argv else None
        print(name, watch.loaded([]).unsure or "sure", flush=True)
        os._exit(0)
"""


@pytest.mark.parametrize(("when", "unsure"), [("before", {"first", "second"}), ("first", {"first"}), ("never", set())])
def test_only_forks_of_the_watch_are_no_doubt(when: str, unsure: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", WATCH, when], check=True, capture_output=True, text=True)
    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert said == {name: "it starts processes" if name in unsure else "sure" for name in ("first", "second")}


def test_a_module_that_may_be_called_unseen_counts_whole(compared: Compared) -> None:
    helper = HELPER.replace("return 2", "import ctypes")
    assert measured(compared({"helper.py": helper}, "plain", "imports-late")) == {"imports-late"}


def test_a_changed_file_that_compiled_code_may_read_is_a_doubt(compared: Compared) -> None:
    plan = compared({"table.parquet": "other\n"}, "plain")
    assert measured(plan) == {"plain"}
    assert (
        "measured because table.parquet changed, which compiled code may read unseen: small/copy/" in plan.remarks[-1]
    )


def test_variables_that_differ_are_a_doubt(compared: Compared) -> None:
    plan = compared({}, "plain", WORK="2")
    assert measured(plan) == {"plain"}
    assert plan.remarks == ["measured because variable WORK differs: small/copy/plain/numbers/clean"]


def test_all_cases_are_settled_where_both_sides_are_the_same(compared: Compared) -> None:
    plan = compared({}, "starts")
    (case,) = settle_all(plan).settled
    assert (case.strategy, case.unchanged, case.reason) == (
        *("starts", True),
        "unchanged: both sides have the same files and packages",
    )


def test_packages_that_differ_are_not_equal(tmp_path: Path) -> None:
    base = SideEnvironment(Side("x==1", packages={"x": "1"}), Path(sys.executable), tmp_path, {})
    candidate = SideEnvironment(Side("here", packages={"x": "2"}), Path(sys.executable), tmp_path, {})
    sides: dict[SideName, SideEnvironment] = {"base": base, "candidate": candidate}
    assert not equal(sides, Trees.of(sides, tmp_path))
    same = msgspec.structs.replace(base.side, packages={})
    both = SideEnvironment(same, Path(sys.executable), tmp_path, {})
    alike: dict[SideName, SideEnvironment] = {"base": both, "candidate": both}
    assert equal(alike, Trees.of(alike, tmp_path))
