"""A run that two machines measure has one file for each, and no block is divided between them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.config import Config
from harness.declare import Dataset, Judgement, Metric, Topic
from harness.errors import UsageError
from harness.execute.run import OpenRun, executor_for, reopen, run_plan, start
from harness.plan import make_plan
from harness.plan.selection import Selection
from harness.registry import Registry
from harness.store.read import encode, read
from harness.store.runs import resume, runs

SELECTION = Selection(blocks=4)


@pytest.fixture
def registry() -> Registry:
    """Two strategies that cannot run here: their trials are recorded as skipped at once."""
    topic = Topic("idle", title="Idle")
    task = topic.task(
        "idle",
        title="Do nothing",
        datasets=[Dataset("none", lambda _params, _rng: None)],
        phases=["work"],
        metrics=[Metric("zero", direction="lower", unit="1")],
        judge=lambda _data, _output: Judgement({"zero": 0.0}),
    )
    for name in ("one", "two"):

        @task.strategy(name, needs="no_such_package")
        def run(problem: Any, phase: Any) -> None: ...

    return Registry({"idle": topic}, {}, {})


class Lab:
    """A results folder that several machines share."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry

    def files(self) -> list[Path]:
        return runs(self.folder / "results")

    def begin(self, machine: str) -> None:
        plan = make_plan(SELECTION, self.registry)
        self._finish(start(SELECTION, plan, self._config(machine), self.registry, "bakeoff run"), machine)

    def resume(self, machine: str, name: str = "latest") -> OpenRun:
        return self._finish(reopen(name, self._config(machine), self.registry), machine)

    def _config(self, machine: str) -> Config:
        return Config(folder=self.folder, machine=machine)

    def _finish(self, run: OpenRun, machine: str) -> OpenRun:
        with run.file:
            executor = executor_for(SELECTION, self._config(machine), self.registry)
            run_plan(run, executor, lambda _record, _text: None, lambda _trial: None)
        return run


@pytest.fixture
def lab(tmp_path: Path, registry: Registry) -> Lab:
    """Machine ``a`` began a run of four blocks and was interrupted in the second block."""
    lab = Lab(tmp_path, registry)
    lab.begin("a")
    (path,) = lab.files()
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 9
    path.write_bytes(b"".join(lines[:4]))
    return lab


def blocks(path: Path) -> dict[int, int]:
    """Return block to the number of its records in a file."""
    return dict(Counter(record.trial.block for record in read(path)[1]))


def test_another_machine_takes_whole_blocks_only(lab: Lab) -> None:
    before = lab.files()[0].read_bytes()
    run = lab.resume("b")
    first, second = lab.files()
    assert (first.parent.name, second.parent.name, first.name) == ("a", "b", second.name)
    assert first.read_bytes() == before
    one, other = read(first)[0], read(second)[0]
    assert (one.machine.name, other.machine.name) == ("a", "b")
    for name in ("run", "started", "plan", "trials", "selection", "command", "cards", "tasks", "strategies"):
        assert getattr(one, name) == getattr(other, name)
    assert (blocks(first), blocks(second)) == ({0: 2, 1: 1}, {2: 2, 3: 2})
    assert (run.recorded, {block.machine: len(block.trials) for block in run.begun}) == (3, {"a": 1})
    assert [len(block.trials) for block in run.blocks] == [2, 2]


def test_the_first_machine_finishes_its_block(lab: Lab) -> None:
    lab.resume("b")
    run = lab.resume("a")
    assert (
        run.recorded,
        {block.machine: len(block.trials) for block in run.begun},
        [len(block.trials) for block in run.blocks],
    ) == (7, {}, [1])
    assert [blocks(path) for path in lab.files()] == [{0: 2, 1: 2}, {2: 2, 3: 2}]
    sizes = [path.stat().st_size for path in lab.files()]
    assert lab.resume("a").blocks == lab.resume("b").blocks == []
    assert [path.stat().st_size for path in lab.files()] == sizes


def test_trials_run_in_the_order_of_the_plan(lab: Lab) -> None:
    lab.resume("b")
    lab.resume("a")
    recorded = [record.trial for path in lab.files() for record in read(path)[1]]
    assert recorded == list(make_plan(SELECTION, lab.registry).trials)


def test_another_machine_resumes_its_own_file(lab: Lab) -> None:
    lab.resume("b")
    first, second = lab.files()
    lines = second.read_bytes().splitlines(keepends=True)
    second.write_bytes(b"".join(lines[:2]) + lines[2][:20])
    lab.resume("b", str(first))
    assert blocks(second) == {2: 2, 3: 2}
    assert lab.files() == [first, second]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [({"packages": {"numpy": "1.0.0"}}, "numpy 1.0.0"), ({"commit": "f" * 40}, "commit ffffffff")],
)
def test_other_software_is_refused_with_the_difference(lab: Lab, changes: dict[str, Any], difference: str) -> None:
    (path,) = lab.files()
    header, records = read(path)
    header = msgspec.structs.replace(header, environment=msgspec.structs.replace(header.environment, **changes))
    path.write_bytes(b"".join([encode(header), *map(encode, records)]))
    for machine in ("a", "b"):
        with pytest.raises(UsageError, match=f"^run {header.run} cannot be resumed: it began with {difference}, which"):
            lab.resume(machine)
    assert lab.files() == [path]


def test_a_file_outside_of_its_machines_folder_is_resumed_on_its_machine_only(lab: Lab) -> None:
    (path,) = lab.files()
    (lab.folder / "moved").mkdir()
    moved = path.rename(lab.folder / "moved" / path.name)
    with pytest.raises(UsageError, match=f"of machine a cannot be resumed here: put {moved} into a folder a of the"):
        lab.resume("b", str(moved))
    lab.resume("a", str(moved))
    assert sum(blocks(moved).values()) == 8


def test_a_run_that_another_machine_is_writing_is_refused(lab: Lab) -> None:
    with resume(lab.files()[0]), pytest.raises(UsageError, match="is being written by another process"):
        lab.resume("b")
    assert len(lab.files()) == 1
