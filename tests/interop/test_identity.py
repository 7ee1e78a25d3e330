"""An identity depends on the case alone: what else is in a file changes no name, in the gate neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from interop.files import asv_benchmarks, asv_result, asv_row, benchmark, header, saved

from harness.config import GatePolicy
from harness.errors import NothingSelectedError, UsageError
from harness.gate.decision import Decision
from harness.gate.stored.gate import decide
from harness.interop.asv.files import result_files
from harness.interop.asv.imports import Importer
from harness.interop.imported_runs import asv_machine, pytest_benchmark_machine
from harness.interop.pytest_benchmark.imports import import_pytest_benchmark
from harness.interop.reading import utc_time
from harness.records import Phase, Record, Seeds, Trial
from harness.store.header import StrategyCard, TaskCard
from harness.store.imported_names import digest
from harness.store.read import encode, read

Case = tuple[str, float, dict[str, Any]]


def side(folder: Path, name: str, *cases: Case) -> list[Path]:
    """Import four files of the same cases, a day apart."""
    made = []
    for day in range(1, 5):
        own = [benchmark(test, [s + day * 1e-6] * 5, **fields) for test, s, fields in cases]
        file = saved(folder / f"{name}{day}.json", *own, datetime=f"2026-11-0{day}T12:00:00+00:00")
        made.append(import_pytest_benchmark(file, folder / name, command="import").path)
    return made


def gated(base: list[Path], candidate: list[Path]) -> Decision:
    return decide([read(path) for path in base], [read(path) for path in candidate], GatePolicy())


def parameter(value: Any, seconds: float) -> Case:
    return f"test_v[{value}]", seconds, {"params": {"sep": value}}


def in_module(module: str, seconds: float) -> Case:
    return "test_load", seconds, {"fullname": f"{module}.py::test_load", "group": "json"}


def on(dataset: str, seconds: float) -> Case:
    return f"test_d[{dataset}]", seconds, {"params": {"dataset": dataset}}


@pytest.mark.parametrize(
    ("old", "slow", "new"),
    [
        (parameter("a,b", 0.01), parameter("a,b", 0.03), parameter("a-b", 0.01)),
        (parameter("1", 0.01), parameter("1", 0.03), parameter(1, 0.01)),
        (in_module("a", 0.01), in_module("a", 0.03), in_module("b", 0.02)),
        (on("Flights", 0.01), on("Flights", 0.03), on("flights", 0.01)),
    ],
)
def test_a_case_written_alike_takes_no_name_over(tmp_path: Path, old: Case, slow: Case, new: Case) -> None:
    decision = gated(side(tmp_path, "base", old), side(tmp_path, "candidate", slow, new))
    (case,) = decision.cases
    assert case.verdict == "regressed"
    assert all(f.effect is not None and f.effect.estimate == pytest.approx(3, rel=0.01) for f in case.findings)
    assert any(remark.startswith("new in the candidate, with nothing to compare with") for remark in decision.remarks)


def test_an_innocent_case_is_not_called_regressed(tmp_path: Path) -> None:
    base = side(tmp_path, "base", parameter("a,b", 0.01))
    decision = gated(base, side(tmp_path, "candidate", parameter("a,b", 0.01), parameter("a-b", 0.03)))
    assert [case.verdict for case in decision.cases] == ["pass"]


def former(folder: Path, topic: str, task: TaskCard, strategy: StrategyCard, **trial: Any) -> Path:
    """Write a run as it was imported before schema 1.3."""
    own = header(schema="1.2", plan=f"{'0' * 12}-{'1' * 32}", tasks=(task,), strategies=(strategy,), metrics=())
    places = {"dataset": "none", "scenario": "clean", "params": {}, "options": {}} | trial
    one = Trial(topic, task.name.partition("/")[2], strategy.name, block=0, seeds=Seeds(0, 0, 0), **places)
    path = folder / "m" / f"{own.name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(own) + encode(Record(one, "ok", phases={"call": Phase([0.1], [])})))
    return path


@pytest.mark.parametrize(
    ("case", "group", "name", "summary"),
    [
        (benchmark("test_a", [1.0]), "tests-test-a", "test-a", "tests/test_a.py::test_a"),
        (benchmark("TestA::test_b", [1.0]), "tests-test-a", "testa-test-b", "tests/test_a.py::TestA::test_b"),
        (benchmark("test_a", [1.0], group="Load it"), "load-it", "test-a", "tests/test_a.py::test_a"),
        (
            benchmark("test_a", [1.0], group="Load it"),
            "load-it-" + digest("Load it", 3),
            "tests-test-a-py-test-a",
            "tests/test_a.py::test_a",
        ),
    ],
)
def test_old_series_go_on_under_new_names(
    tmp_path: Path, case: dict[str, Any], group: str, name: str, summary: str
) -> None:
    title = case["group"] or "tests/test_a"
    task = TaskCard(f"pytest-benchmark/{group}", title=title)
    old = former(tmp_path, "pytest-benchmark", task, StrategyCard(task.name, name, summary=summary))
    new = import_pytest_benchmark(saved(tmp_path / "f.json", case), tmp_path / "results", command="import").path
    runs = [read(path) for path in (old, new)]
    assert len({record.trial.variant for _, records in runs for record in records}) == 1
    assert len({(card.task, card.name) for own, _ in runs for card in own.strategies}) == 1
    assert len({card.name for own, _ in runs for card in own.tasks}) == 1


def test_old_series_of_asv_go_on_too(tmp_path: Path) -> None:
    task = TaskCard("asv/b-suite", title="b.Suite")
    card = StrategyCard(task.name, "read-csv", summary="b.Suite.time_read_csv")
    old = former(tmp_path, "asv", task, card, params={"n": 10, "python": "3.11"}, options={"how": "quick"})
    asv_result(tmp_path / "asv", {"b.Suite.time_read_csv": asv_row([0.1], [["10"], ["'quick'"]])})
    asv_benchmarks(tmp_path / "asv", b__Suite__time_read_csv=("seconds", ["n", "how"]))
    importer = Importer(tmp_path / "results", command="import")
    (new,) = (importer.add(path) for path in result_files(tmp_path / "asv"))
    assert read(old)[1][0].trial.variant == read(new.path)[1][0].trial.variant


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ({"options": {"sep": "a-b"}}, ("t-1[sep=a-b (former)]", "none")),
        ({"options": {"sep": "a-b-7547a4"}}, ("t-1[sep=a-b-7547a4 (former)]", "none")),
        ({"dataset": "flights"}, ("t-1", "flights (former)")),
        ({"options": {"n": 1, "on": True, "none": "None"}}, ("t-1[n=1,none=None,on=true]", "none")),
    ],
)
def test_what_may_come_from_several_texts_is_compared_with_nothing(
    tmp_path: Path, places: dict[str, Any], shown: tuple[str, str]
) -> None:
    task = TaskCard("pytest-benchmark/t", title="t")
    path = former(tmp_path, "pytest-benchmark", task, StrategyCard(task.name, "t-1", summary="t.py::t_1"), **places)
    ((_, (record,)),) = [read(path)]
    assert (record.trial.label, record.trial.dataset) == shown


def test_the_gate_says_why_former_names_are_compared_with_nothing(tmp_path: Path) -> None:
    task = TaskCard("pytest-benchmark/t", title="t")
    card = StrategyCard(task.name, "test-v", summary="t.py::test_v")
    old = former(tmp_path, "pytest-benchmark", task, card, options={"sep": "a-b"})
    new = side(tmp_path, "candidate", parameter("a,b", 0.03), parameter("a-b", 0.01))
    machine = read(new[0])[0].machine
    base = [(msgspec.structs.replace(head, machine=machine), own) for head, own in [read(old)]]
    with pytest.raises(
        NothingSelectedError, match=r"marked \(former\) may come from several texts, .* import its files"
    ):
        decide(base, [read(path) for path in new], GatePolicy())


def test_runs_of_ours_keep_their_names(tmp_path: Path) -> None:
    task = TaskCard("planted/choose", title="Choose")
    own = former(tmp_path, "planted", task, StrategyCard(task.name, "hist"), dataset="flights")
    (record,) = read(own)[1]
    assert (record.trial.task, record.trial.strategy, record.trial.dataset) == ("choose", "hist", "flights")


def test_importing_again_replaces_a_run_with_former_names(tmp_path: Path) -> None:
    file = saved(tmp_path / "f.json", benchmark("test_a", [1.0]))
    results = tmp_path / "results"
    first = import_pytest_benchmark(file, results, command="import").path
    lines = first.read_bytes().replace(b'"schema":"1.4"', b'"schema":"1.2"')
    first.unlink()
    old = results / "machine-12fd30" / first.name
    old.parent.mkdir()
    old.write_bytes(lines)
    again = import_pytest_benchmark(file, results, command="import")
    assert list(results.rglob("*.jsonl")) == [again.path] == [first]
    with pytest.raises(UsageError, match="is already imported"):
        import_pytest_benchmark(file, results, command="import")


def test_versions_and_calls_of_asv_and_iterations_of_pytest_benchmark(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"b.time_a": asv_row([1e-4]), "b.peakmem_a": asv_row([1e6]), "b.time_c": asv_row([1.0])}
    rows["b.time_a"][9], rows["b.peakmem_a"][2], rows["b.time_c"][9] = [250], "w", ["many"]
    done = Importer(tmp_path / "results", command="import").add(asv_result(tmp_path / "asv", rows))
    own, records = read(done.path)
    assert {card.name: card.versions for card in own.strategies} == {
        "a": {"wall_s": "v", "peak_bytes": "w"},
        "c": {"wall_s": "v"},
    }
    assert {record.trial.strategy: record.phases["call"].calls for record in records} == {"a": 250, "c": 1}
    case = benchmark("test_a", [], stats={"data": [1e-6], "iterations": 400})
    path = import_pytest_benchmark(saved(tmp_path / "f.json", case), tmp_path / "results", command="import").path
    assert read(path)[1][0].phases["call"].calls == 400


def test_parameters_that_are_sets_are_one_series(tmp_path: Path) -> None:
    def run(name: str, text: str) -> str:
        case = benchmark("test_s[keys0]", [1.0], params={"keys": f"UNSERIALIZABLE[{text}]"})
        done = import_pytest_benchmark(saved(tmp_path / name, case), tmp_path / name[0], command="import")
        return read(done.path)[1][0].trial.variant

    assert run("a.json", "{'x', 'y'}") == run("b.json", "{'y', 'x'}") != run("c.json", "{'x', 'z'}")


def test_a_machine_without_a_cpu_is_named_by_what_lasts(tmp_path: Path) -> None:
    names = set()
    for day in (1, 2):
        info = {"node": f"runner-{day}", "machine": "x86_64", "system": "Linux", "release": f"5.4.0-10{day}-azure"}
        file = saved(tmp_path / f"{day}.json", benchmark("test_a", [day]), machine_info=info)
        done = import_pytest_benchmark(file, tmp_path / "r", command="import")
        names.add(done.header.machine.name)
        assert done.header.machine.cores == 0
        assert "--machine NAME" in done.remarks[-1]
    packages: list[dict[str, Any]] = [{"numpy": ""}, {"numpy": "", "pip+setuptools": ""}]
    machines = [asv_machine({"machine": "runner", "os": f"Linux 5.{len(own)}", **own}, "3.11").name for own in packages]
    assert len(names) == len(set(machines)) == 1
    assert asv_machine({"machine": "other"}, "3.11").name not in machines
    assert pytest_benchmark_machine({"cpu": {"brand_raw": "AMD EPYC"}}).name == "amd-epyc"


@pytest.mark.parametrize(
    ("date", "at"),
    [
        (1_700_000_000_000, "2023-11-14T22:13:20+00:00"),
        (1_700_000_000, "2023-11-14T22:13:20+00:00"),
        (946_684_800_000, "2000-01-01T00:00:00+00:00"),
        (1_700_000_000.5, "2023-11-14T22:13:20+00:00"),
    ],
)
def test_dates_in_seconds_and_in_milliseconds(date: float, at: str) -> None:
    assert utc_time(date, Path("f.json")) == at
