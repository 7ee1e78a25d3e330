"""Files of pytest-benchmark become runs, runs become such files, and hostile files one clear sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interop.files import COMMIT, benchmark, header, record, saved

from harness.errors import UsageError
from harness.interop.pytest_benchmark.exports import export_pytest_benchmark
from harness.interop.pytest_benchmark.imports import Imported, import_pytest_benchmark
from harness.records import Phase, Record
from harness.store.load import load, samples
from harness.store.read import read


def imported(path: Path, **options: Any) -> tuple[Imported, list[Record]]:
    done = import_pytest_benchmark(path, path.parent / "results", command="bakeoff import x", **options)
    return done, read(done.path)[1]


def test_a_benchmark_is_a_trial(tmp_path: Path) -> None:
    sized = benchmark("TestA::test_b[uniform-10]", [2.0], params={"dataset": "uniform", "n": 10, "how": [1, 2]})
    file = saved(
        tmp_path / "f.json",
        benchmark("test_a", [1.0, 3.0], extra_info={"peak_bytes": 100, "score": 0.5}),
        sized,
        benchmark("test_c", [0.5], group="sums"),
    )
    done, records = imported(file)
    first, second, third = (one.trial for one in records)
    assert (first.topic, first.task, first.strategy) == ("pytest-benchmark", "tests-test-a-7a665c39", "test-a")
    assert (first.dataset, first.scenario, first.params, first.options) == ("none", "clean", {}, {})
    assert records[0].phases == {"call": Phase([1.0, 3.0], [], peak_bytes=100)}
    assert (second.strategy, second.dataset) == ("testa-test-b-6bc7a9bf", "uniform")
    assert second.options == {"n": 10, "how": "-1- 2-20317b73"}
    assert (third.task, third.strategy) == ("sums", "tests-test-a-py-test-c-e06ab6af")
    found = done.header
    assert (found.machine.name, found.started) == ("amd-epyc-2c", "2026-03-01T12:00:00+00:00")
    assert (found.environment.commit, found.environment.dirty) == (COMMIT, True)
    assert found.environment.packages == {"pytest-benchmark": "5.1.0"}
    assert "secret-host" not in done.path.read_text()
    (remark,) = done.remarks
    assert remark.startswith("1 numbers of extra_info are left out")


def test_metrics_come_with_their_direction(tmp_path: Path) -> None:
    told = {"metrics": {"auc": 0.75, "odd": 1.0}, "directions": {"auc": "higher"}, "units": {"auc": "1"}}
    done, (only,) = imported(saved(tmp_path / "f.json", benchmark("test_a", [1.0], extra_info=told)))
    assert only.metrics == {"auc": 0.75}
    assert [(m.task, m.name, m.direction) for m in done.header.metrics] == [
        ("pytest-benchmark/tests-test-a-7a665c39", "auc", "higher")
    ]


def test_a_case_of_our_suites_is_what_it_is_there(tmp_path: Path) -> None:
    params = {"task": "boosting/tabular", "strategy": "hist", "dataset": "flights", "scenario": "label_noise(0.2)"}
    extra = {"directions": {"auc": "higher"}, "metrics": {"auc": 0.5}, "params": {"rows": 10}, "cpu_s": 1.0}
    extra |= {"peak_bytes": 70, "device_bytes": 500}
    file = saved(tmp_path / "f.json", benchmark("test_strategy[x]", [1.0], params=params, extra_info=extra))
    done, (only,) = imported(file)
    trial = only.trial
    assert (trial.topic, trial.task, trial.strategy) == ("boosting", "tabular", "hist")
    assert (trial.dataset, trial.scenario, trial.params) == ("flights", "label_noise(0.2)", {"rows": 10})
    assert only.phases == {"call": Phase([1.0], [], peak_bytes=70, device_bytes=500)}
    assert done.header.metrics[0].task == "boosting/tabular"
    assert done.remarks == ()


def test_without_rounds_the_median_stands_for_them(tmp_path: Path) -> None:
    done, (only,) = imported(saved(tmp_path / "f.json", benchmark("test_a", [], stats={"median": 0.25, "mean": 9})))
    assert only.phases["call"].wall_s == [0.25]
    assert done.remarks[0].startswith("1 of 1 benchmarks have no rounds")


def test_what_is_no_time_is_no_time(tmp_path: Path) -> None:
    odd = [float("nan"), float("inf"), -1.0, None, "x", True, 2.0]
    nothing = benchmark("test_b", [float("nan")], stats={"data": [float("nan")], "median": float("inf")})
    done, (first, second) = imported(saved(tmp_path / "f.json", benchmark("test_a", odd), nothing))
    assert first.phases["call"].wall_s == [2.0]
    assert (second.status, second.reason) == ("failed", "the file has no finite time")
    assert done.header.trials == 2


def test_the_same_test_again_is_a_further_block(tmp_path: Path) -> None:
    _, records = imported(saved(tmp_path / "f.json", benchmark("test_a", [1.0]), benchmark("test_a", [2.0])))
    assert [one.trial.block for one in records] == [0, 1]


def test_groups_of_several_modules_and_odd_parameters_mix_nothing_up(tmp_path: Path) -> None:
    one = benchmark("test_a", [1.0], group="g")
    other = benchmark("test_a", [2.0], group="g", fullname="tests/test_b.py::test_a")
    same = [benchmark(f"test_c[{i}]", [1.0], group="g", params={"x": value}) for i, value in enumerate((1, "1", 1.0))]
    objects = [benchmark(f"test_d[o{i}]", [1.0], group="g", params={"f": f"<function f at 0x7f{i}>"}) for i in range(2)]
    _, records = imported(saved(tmp_path / "f.json", one, other, *same, *objects))
    assert len({record.trial.label for record in records}) == 7
    assert {record.trial.block for record in records} == {0}
    assert records[-1].trial.options == {"case": "o1"}


def test_a_file_is_imported_once(tmp_path: Path) -> None:
    file = saved(tmp_path / "f.json", benchmark("test_a", [1.0]))
    done, _ = imported(file)
    before = done.path.read_bytes()
    with pytest.raises(UsageError, match=rf"f.json is already imported as {done.header.run} "):
        imported(file, machine="other")
    assert [path.read_bytes() for path in (tmp_path / "results").rglob("*.jsonl")] == [before]


def test_the_machine_can_be_named_and_names_no_other_folder(tmp_path: Path) -> None:
    file = saved(tmp_path / "f.json", benchmark("test_a", [1.0]))
    with pytest.raises(UsageError, match="cannot name a folder"):
        imported(file, machine="../../x")
    done, _ = imported(file, machine="ci-runner")
    assert done.path.parent == tmp_path / "results" / "ci-runner"


def test_hostile_names_stay_in_the_results_folder(tmp_path: Path) -> None:
    file = saved(
        tmp_path / "f.json",
        benchmark("<script>alert(1)</script>", [1.0], fullname="../../x.py::<script>[../../y]", group="../../../etc"),
        machine_info={"node": "../../h", "cpu": {"brand_raw": "../../<b>", "count": 10**30}},
        commit_info={"id": "../../../x", "dirty": "no"},
        version="\x00<b>",
    )
    done, (only,) = imported(file)
    assert done.path.parent.parent == tmp_path / "results"
    assert done.header.environment.commit is None
    assert only.trial.task == "etc-47178b61"
    assert "<" not in only.trial.label


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"f.json is not JSON"),
        (b"\xff\xfe\xfa", r"f.json is not JSON"),
        (b"[" * 100_000, r"f.json is not JSON"),
        (b'{"benchmarks": [], "machine_info": {}, "datetime": "\\ud800"}', r"f.json is not JSON"),
        (b"[]", r"f.json is not a file of pytest-benchmark: Expected `object`"),
        (b'{"context": {}, "benchmarks": [{"name": "BM_x"}]}', r"f.json is not a file of pytest-benchmark: .*missing"),
        (b'{"benchmarks": [], "machine_info": {}, "datetime": "x"}', r"f.json has no benchmarks"),
        (
            b'{"benchmarks": [{"name": "a", "stats": {}}], "machine_info": {}, "datetime": "soon"}',
            r"f.json has no date that can be read \('soon'\)",
        ),
        (
            b'{"benchmarks": [{"name": "a", "stats": {}}], "machine_info": {}, "datetime": "0001-01-01T00:00:00"}',
            r"f.json is dated 1:",
        ),
    ],
)
def test_bad_files_are_one_sentence_and_leave_nothing(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        imported(file)
    assert not (tmp_path / "results").exists()


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*f.json: No such file"):
        imported(tmp_path / "f.json")


def test_5000_benchmarks(tmp_path: Path) -> None:
    file = saved(tmp_path / "f.json", *(benchmark(f"test_{i}", [1.0, 2.0]) for i in range(5000)))
    done, records = imported(file)
    assert done.header.trials == len(records) == 5000
    assert len({record.trial.key for record in records}) == 5000


def test_frames_hold_wall_times_alone(tmp_path: Path) -> None:
    done, _ = imported(saved(tmp_path / "f.json", benchmark("test_a", [1.0, 3.0])))
    table, rows = load(done.path), samples(done.path)
    assert table["call.wall_s"].tolist() == [2.0]
    assert table["call.cpu_s"].isna().all()
    assert rows["wall_s"].tolist() == [1.0, 3.0]
    assert rows["cpu_s"].isna().all()


def test_frames_refuse_what_does_not_match_still(tmp_path: Path) -> None:
    run = tmp_path / "m" / "20261123T021500Z-nocommit-a1b2c3.jsonl"
    run.parent.mkdir()
    from harness.store.read import encode

    run.write_bytes(encode(header()) + encode(record(phases={"fit": Phase([1.0], [1.0, 2.0])})))
    with pytest.raises(UsageError, match="1 wall but 2 CPU samples"):
        load(run)


times = st.floats(1e-6, 1e3).map(lambda value: float(f"{value:.6g}"))
numbers = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.6g}"))


@st.composite
def phases(draw: st.DrawFn) -> dict[str, Phase]:
    names = draw(st.sets(st.sampled_from(["build", "fit", "predict"]), min_size=1))
    found = {}
    for name in sorted(names):
        wall = draw(st.lists(times, min_size=1, max_size=3))
        cpu = [draw(times) for _ in wall]
        memory = [draw(st.integers(0, 2**40)) for _ in range(3)]
        found[name] = Phase(wall, cpu, memory[0], memory[1], draw(st.none() | st.just(memory[2])))
    return found


@st.composite
def runs(draw: st.DrawFn) -> list[Record]:
    found = []
    for strategy in draw(st.lists(st.sampled_from(["a", "b-c"]), min_size=1, unique=True)):
        for block in draw(st.lists(st.integers(0, 3), min_size=1, unique=True)):
            metrics = {"auc": draw(st.floats(0, 0.999).map(lambda v: float(f"{v:.6g}"))), "loss": draw(numbers)}
            options = {"max_bin": 64} if strategy == "a" else {}
            own = record(strategy, block, phases=draw(phases()), metrics=metrics, options=options)
            found.append(own)
    return found


@settings(max_examples=25, deadline=None)
@given(runs())
def test_a_run_comes_back_as_it_went(tmp_path_factory: pytest.TempPathFactory, records: list[Record]) -> None:
    folder = tmp_path_factory.mktemp("back")
    file = folder / "f.json"
    file.write_text(export_pytest_benchmark(header(trials=len(records)), records).text)
    done, back = imported(file)
    assert {one.trial.key: one for one in back} == {one.trial.key: one for one in records}
    assert done.header.metrics == header().metrics
    assert done.header.selection == header().selection
    assert done.path.parent.name == "epyc-2c-24g"


def test_stats_are_those_of_pytest_benchmark() -> None:
    exported = export_pytest_benchmark(header(), [record("a", 0), record("a", 1), record("b", 0, status="timeout")])
    value = json.loads(exported.text)
    (only,) = value["benchmarks"]
    assert only["stats"]["data"] == [1.5, 2.5, 1.5, 2.5]
    assert (only["stats"]["median"], only["stats"]["iqr"], only["stats"]["ops"]) == (2.0, 1.0, 0.5)
    assert only["extra_info"]["cpu_s"] == 1.5
    assert only["group"] == "t/one on flights, clean (rows=10): fit"
    assert exported.unfinished == 1
    assert value["machine_info"]["node"] == "epyc-2c-24g"


def test_a_run_that_is_here_does_not_come_twice(tmp_path: Path) -> None:
    from harness.store.runs import create

    with create(tmp_path / "results", header()) as run:
        run.write(record())
    file = tmp_path / "f.json"
    file.write_text(export_pytest_benchmark(header(), [record()]).text)
    with pytest.raises(UsageError, match="was exported from run a1b2c3, which is in"):
        imported(file)


@pytest.mark.parametrize("machine", ["../../x", "/x", "A B"])
def test_a_carried_header_cannot_leave_the_folder(tmp_path: Path, machine: str) -> None:
    value = json.loads(export_pytest_benchmark(header(), [record()]).text)
    value["bakeoff"]["machine"]["name"] = machine
    (tmp_path / "f.json").write_text(json.dumps(value))
    done, _ = imported(tmp_path / "f.json")
    assert done.path.parent == tmp_path / "results" / "amd-epyc-2c"
    assert done.header.machine.cpu == "AMD EPYC"


def test_a_run_without_a_wall_time_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="run a1b2c3 has no wall times"):
        export_pytest_benchmark(header(), [record(status="failed")])


def test_pytest_benchmark_itself_reads_and_writes_them(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_a(benchmark):\n    benchmark.pedantic(sum, args=([1],), rounds=3)\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_a.py", "--benchmark-json=f.json"]
    # In a worker of xdist the plug-in would measure nothing.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60, env=variables)
    done, (only,) = imported(tmp_path / "f.json")
    assert len(only.phases["call"].wall_s) == 3
    (tmp_path / "back.json").write_text(export_pytest_benchmark(*read(done.path)).text)
    compare = [sys.executable, "-c", "from pytest_benchmark.cli import main; main()", "compare", "f.json", "back.json"]
    shown = subprocess.run(compare, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "call[test-a-none-clean] (back)" in shown
    assert "test_a (f)" in shown


def test_times_of_a_trial_that_diverged_are_not_exported() -> None:
    diverged = msgspec.structs.replace(record("a", 1), diverged=3.0)
    exported = export_pytest_benchmark(header(), [record("a", 0), diverged])
    assert (exported.unfinished, exported.diverged) == (0, 1)
    (first, *_) = json.loads(exported.text)["benchmarks"]
    assert len(first["extra_info"]["bakeoff"]["records"]) == 1
