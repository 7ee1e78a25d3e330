"""Every way in which a strategy can fail becomes a record with its reason, and all others still run."""

from __future__ import annotations

import contextlib
import mmap
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support import Project

from harness.measure.releases import can_wait
from harness.records import Record
from harness.store.header import Header
from harness.store.read import read

EXPECTED = {
    "copy": ("ok", r""),
    "raises": ("failed", r"RuntimeError: planted in phase fit"),
    "sys-exit": ("failed", r"called sys.exit\(3\) in phase fit"),
    "os-exit": ("failed", r"ended without a result, exit code 0 in phase fit"),
    "segfault": ("failed", r"ended without a result, killed by SIGSEGV in phase fit"),
    "endless": ("timeout", r"not done after 3 s in phase fit; killed"),
    "hog": ("memory", r"over the limit of 800 MB in phase fit; killed"),
    "memory-error": ("memory", r"MemoryError in phase fit"),
    "nan-metric": ("failed", r"metric error is nan"),
    "missing-metric": ("failed", r"metric error is missing; there is other"),
    "wrong-shape": ("failed", r"ValueError: expected shape \(1000,\), got \(999,\)"),
    "wrong-phase": ("failed", r"ValueError: phase 'fitt' is not declared by the task; did you mean fit\?"),
    "no-phase": ("failed", r"it entered none of the task's phases: fit, predict"),
    "prints": ("ok", r""),
    "leaves-process": ("ok", r"left 1 process\(es\) running; killed"),
    "leaves-thread": ("ok", r"left 1 thread\(s\) running"),
    "closes-stdout": ("ok", r""),
    "closes-everything": ("failed", r"ended without a result, exit code 1 in phase fit"),
    "writes-on-data": ("failed", r"ValueError: assignment destination is read-only in phase fit"),
    "hangs-at-exit": ("ok", r"did not exit after its result and was killed"),
    "needs-package": ("skipped", r"package no_such_package is not installed"),
    "needs-gpu": ("skipped", r"no CUDA device"),
    "grows": ("ok", r""),
    "child": ("ok", r""),
    "child-for-a-moment": ("ok", r""),
    "shared-memory": ("ok", r""),
}


@pytest.fixture(scope="module")
def finished(shared_project: Project) -> tuple[Header, dict[str, Record], Path, subprocess.CompletedProcess[str]]:
    # Only what never ends has a short time limit: how long anything else takes depends on the machine.
    others = [argument for name in EXPECTED if name != "endless" for argument in ("-s", name)]
    run = ("run", "planted", "--blocks", "1", "--memory-limit", "800MB")
    done = shared_project.bakeoff(*run, *others, "--timeout", "250", "--tables", code=4)
    (path,) = shared_project.runs()
    shared_project.bakeoff(*run, "-s", "endless", "--timeout", "3", code=4)
    (second,) = set(shared_project.runs()) - {path}
    header, records = read(path)
    return header, {record.trial.strategy: record for record in (*records, *read(second)[1])}, path, done


Finished = tuple[Header, dict[str, Record], Path, subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("strategy", EXPECTED)
@pytest.mark.measured
def test_fault_becomes_a_record_with_its_reason(finished: Finished, strategy: str) -> None:
    record = finished[1][strategy]
    status, reason = EXPECTED[strategy]
    if strategy == "needs-gpu" and record.status != "skipped":
        pytest.skip("this machine has a CUDA device")
    assert record.status == status, record.reason
    assert re.fullmatch(reason, record.reason), record.reason


@pytest.mark.measured
def test_every_strategy_has_a_record(finished: Finished) -> None:
    header, records, _, _ = finished
    assert set(records) == set(EXPECTED)
    assert header.trials == len(EXPECTED) - 1  # without the one that never ends


@pytest.mark.measured
def test_summary_counts_what_did_not_finish(finished: Finished) -> None:
    output = finished[3].stdout
    assert re.search(r"25 trials: 10 ok, 2 skipped, 11 failed, 2 memory", output), output
    assert "RuntimeError: planted in phase fit" in output


@pytest.mark.measured
def test_long_text_lies_in_the_runs_folder(finished: Finished) -> None:
    _, records, path, _ = finished
    text = (path.with_suffix("") / f"{records['raises'].trial.key}.txt").read_text()
    assert "second line" in text
    assert 'raise RuntimeError("planted' in text
    segfault = (path.with_suffix("") / f"{records['segfault'].trial.key}.txt").read_text()
    assert "Segmentation fault" in segfault


@pytest.mark.measured
def test_flood_of_output_is_cut_in_the_middle(finished: Finished) -> None:
    _, records, path, _ = finished
    text = (path.with_suffix("") / f"{records['prints'].trial.key}.txt").read_text()
    assert text.startswith("the first line\n")
    assert text.endswith("the last line\n")
    assert len(text) < 200_000
    assert "bytes left out" in text


@pytest.mark.measured
def test_nothing_is_left_running(finished: Finished) -> None:
    folder = str(finished[2].parents[2])
    left = [p for p in psutil.process_iter(["cmdline"]) if folder in " ".join(p.info["cmdline"] or [])]
    assert left == []


@pytest.mark.measured
def test_memory_of_a_phase_is_its_growth(finished: Finished) -> None:
    phase = finished[1]["grows"].phases["fit"]
    assert phase.peak_bytes == pytest.approx(64e6, rel=0.03)
    assert finished[1]["grows"].memory_source == "exact"


@pytest.mark.measured
def test_cpu_and_memory_of_children_count(finished: Finished) -> None:
    phase = finished[1]["child"].phases["fit"]
    assert 0.3 <= phase.cpu_s[0] < 0.6
    assert phase.peak_bytes == pytest.approx(64e6, rel=0.05)
    assert finished[1]["child"].memory_source == "sampled"


@pytest.mark.measured
def test_shared_memory_that_is_not_mapped_counts(finished: Finished) -> None:
    assert finished[1]["shared-memory"].phases["fit"].peak_bytes == pytest.approx(65e6, rel=0.05)
    assert finished[1]["shared-memory"].memory_source == "sampled"


@pytest.mark.measured
@pytest.mark.skipif(not can_wait(), reason="the peaks of children are only sampled here")
def test_memory_pass_reads_the_peak_of_a_child_that_ends_at_once(project: Project) -> None:
    project.bakeoff("run", "planted", "-s", "child-for-a-moment", "--memory-pass", "--blocks", "3")
    _, records = read(project.runs()[0])
    assert [record.memory_source for record in records] == ["quiet"] * 3
    peaks = [record.phases["fit"].peak_bytes or 0 for record in records]
    assert min(peaks) == pytest.approx(64e6, rel=0.05)
    assert max(peaks) - min(peaks) < 100_000


@pytest.mark.measured
def test_short_phases_are_repeated_and_long_ones_are_not(finished: Finished) -> None:
    phases = finished[1]["copy"].phases
    assert len(phases["predict"].wall_s) == 50
    assert len(phases["fit"].wall_s) == 1


def test_killed_run_is_resumed_without_loss_or_repetition(project: Project) -> None:
    arguments = ("run", "planted", "-s", "copy", "-s", "endless", "-s", "raises", "--timeout", "4", "--blocks", "3")
    process = subprocess.Popen(
        project.command(*arguments), cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _wait_for(lambda: bool(project.runs()) and len(project.runs()[0].read_bytes().splitlines()) >= 4)
    (server,) = _servers(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    path = project.runs()[0]
    before = path.read_bytes()
    with path.open("ab") as stream:
        stream.write(b'{"trial":{"topic":"pla')
    project.bakeoff("run", "--resume", "latest", code=4)
    header, records = read(path)
    assert path.read_bytes().startswith(before)
    keys = [record.trial.key for record in records]
    assert len(keys) == len(set(keys)) == header.trials == 9
    assert {record.status for record in records} == {"ok", "failed", "timeout"}
    size = path.stat().st_size
    project.bakeoff("run", "--resume", header.run, code=4)
    assert path.stat().st_size == size


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_says_how_to_finish_it(project: Project, number: signal.Signals) -> None:
    arguments = ("run", "planted", "-s", "endless", "-s", "copy", "--timeout", "60", "--blocks", "2")
    # A shell starts what it puts into the background with the signal ignored, and so would run the tests themselves.
    command = ["env", "--default-signal=INT", *project.command(*arguments)]
    process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _wait_for(lambda: bool(project.runs()) and bool(_servers(process.pid)))
    (server,) = _servers(process.pid)
    _wait_for(lambda: bool(server.children()))
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    header, records = read(project.runs()[0])
    assert f"bakeoff run --resume {header.run}" in said
    assert all(record.trial.strategy == "copy" for record in records)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_jobs_run_every_trial_once_and_are_marked(project: Project) -> None:
    project.bakeoff("run", "planted", "-s", "copy", "-s", "raises", "--jobs", "2", "--blocks", "4", code=4)
    header, records = read(project.runs()[0])
    assert len({record.trial.key for record in records}) == len(records) == header.trials == 8
    assert all(record.conditions is not None and record.conditions.contaminated for record in records)


def test_closed_standard_output_loses_nothing(project: Project) -> None:
    command = project.command("run", "planted", "-s", "copy", "--blocks", "2")
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], cwd=project.folder, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(read(project.runs()[0])[1]) == 2


def test_broken_pipe_is_no_fault(project: Project) -> None:
    command = project.command("list")
    process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate()
    assert process.returncode == 0
    assert not {b"error", b"fault", b"Traceback"} & set(said.replace(b":", b" ").split())


@pytest.mark.measured
def test_memory_pass_replaces_only_memory(project: Project) -> None:
    for _ in range(3):
        project.bakeoff("run", "planted", "-s", "grows", "-s", "copy", "--memory-pass", "--blocks", "1")
    records = [record for run in project.runs() for record in read(run)[1] if record.trial.strategy == "grows"]
    assert [record.memory_source for record in records] == ["quiet"] * 3
    peaks = [peak for record in records if (peak := record.phases["fit"].peak_bytes) is not None]
    assert len(peaks) == 3
    assert max(peaks) - min(peaks) <= (4 if can_wait() else 64) * mmap.PAGESIZE


def test_memory_pass_bears_what_strategies_leave_running(project: Project) -> None:
    left = ("leaves-process", "leaves-thread", "child", "closes-everything")
    project.bakeoff("run", "planted", *(f"-s{name}" for name in left), "--memory-pass", "--blocks", "1", code=4)
    _, records = read(project.runs()[0])
    found = {record.trial.strategy: (record.status, record.memory_source) for record in records}
    assert found == dict.fromkeys(left, ("ok", "quiet")) | {"closes-everything": ("failed", None)}


def test_a_strategy_that_cannot_run_here_is_skipped_with_its_reason(project: Project) -> None:
    with (project.folder / "planted.py").open("a") as topic:
        topic.write(
            """

@task.strategy("unable")
def unable(problem: Any, phase: Any) -> Any:
    from harness import (CannotRunError)

    with phase("fit"):
        raise CannotRunError("this library is built without it")
"""
        )
    done = project.bakeoff("run", "planted", "-s", "unable", "-s", "copy", "--blocks", "1", "--tables")
    found = {record.trial.strategy: (record.status, record.reason) for record in read(project.runs()[0])[1]}
    assert found == {"copy": ("ok", ""), "unable": ("skipped", "this library is built without it")}
    assert "1 x skipped  unable: this library is built without it" in done.stdout


def test_dead_fork_server_fails_one_trial_and_is_replaced(project: Project) -> None:
    (project.folder / "planted.py").write_text(
        (project.folder / "planted.py").read_text()
        + f"""

@task.strategy("kills-server")
def kills_server(problem: Any, phase: Any) -> Any:
    with phase("fit"):
        os.kill(os.getppid(), {int(signal.SIGKILL)})
    return problem.data
"""
    )
    project.bakeoff("run", "planted", "-s", "kills-server", "-s", "copy", "--blocks", "2", code=4)
    _, records = read(project.runs()[0])
    found = {(record.trial.strategy, record.status) for record in records}
    assert found == {("copy", "ok"), ("kills-server", "failed")}
    assert len(records) == 4
    reasons = {record.reason for record in records if record.status == "failed"}
    assert reasons == {"the fork server of topic planted ended with exit code -9: it printed nothing"}


def _servers(pid: int) -> list[psutil.Process]:
    """Return the fork servers among a process's children; others, such as git, may end at any time."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):
            if "harness.measure.server" in child.cmdline():
                found.append(child)
    return found


def _wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.02)
