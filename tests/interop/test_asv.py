"""asv's results become runs and runs such results; asv itself reads what is written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interop.files import COMMIT, asv_benchmarks, asv_result, asv_row, header, record
from interop.test_pytest_benchmark import runs

from harness.config import Config
from harness.errors import UsageError
from harness.interop.asv.exports import export_asv
from harness.interop.asv.files import value_of
from harness.interop.asv.imports import Imported, Importer, import_asv
from harness.interop.asv.results import suite_tasks
from harness.interop.imported_runs import asv_memory
from harness.measure.machine import Environment
from harness.records import Phase, Record, figures
from harness.registry import load_registry
from harness.store.header import TaskCard
from harness.store.imported_names import Expression
from harness.store.read import read
from harness.store.runs import create

GRID = [["10", "100"], ["'quick'", "'heap'"]]


def imported(place: Path, results: Path, **options: Any) -> list[Imported]:
    done: list[Imported] = []
    refused: list[UsageError] = []
    import_asv(place, Importer(results, command="bakeoff import asv", **options), done.append, refused.append)
    if refused:
        raise refused[0]
    return done


def records_of(done: Imported) -> list[Record]:
    return read(done.path)[1]


def test_methods_compete_in_their_class_and_sizes_are_cells(tmp_path: Path) -> None:
    names = ["n", "kind"]
    asv_benchmarks(
        tmp_path,
        bench__Sort__time_sort=("seconds", names),
        bench__Sort__peakmem_sort=("bytes", names),
        bench__Sort__track_loss=("nat", names),
    )
    nan = float("nan")
    times = asv_row([1.0, nan, 3.0, None], GRID, [[0.5, 1.5], None, None, None])
    results = {
        "bench.Sort.time_sort": times,
        "bench.Sort.peakmem_sort": asv_row([10, nan, 30, 40], GRID),
        "bench.Sort.track_loss": asv_row([0.1, 0.2, 0.3, 0.4], GRID),
        "bench.time_plain": asv_row([0.25]),
        "bench.time_fails": asv_row(None),
    }
    file = asv_result(tmp_path, results)
    (done,) = imported(tmp_path, tmp_path / "results")
    found = done.header
    assert found is not None
    assert (found.machine.name, found.started) == ("amd-epyc-2c-24g", "2026-03-01T12:00:00+00:00")
    assert (found.environment.commit, found.machine.python) == (COMMIT, "3.11")
    assert done.source == file
    assert done.remarks == ("2 results are left out: asv did not measure them (n/a)",)
    own = {one.trial.label: one for one in records_of(done) if one.trial.params.get("n") == 10}
    assert own["sort[kind=quick]"].phases == {"call": Phase([0.5, 1.5], [], peak_bytes=10)}
    assert own["track-loss[kind=quick]"].metrics == {"loss": 0.1}
    assert (found.metrics[0].direction, found.metrics[0].unit) == ("lower", "nat")
    last = next(
        one for one in records_of(done) if one.trial.params.get("n") == 100 and one.trial.label.endswith("heap]")
    )
    assert (last.status, last.reason) == ("ok", "asv: time_sort failed")
    assert last.phases == {"call": Phase([], [], peak_bytes=40)}
    alone = {one.trial.strategy: one for one in records_of(done) if one.trial.task == "bench"}
    assert (alone["fails"].status, alone["fails"].reason) == ("failed", "asv: time_fails failed")
    assert alone["plain"].trial.params == {"python": "3.11"}
    assert "secret-host" not in done.path.read_text()


def test_every_commit_is_a_run_once(tmp_path: Path) -> None:
    commits = [f"{place}{COMMIT[1:]}" for place in range(3)]
    for place, commit in enumerate(commits):
        asv_result(tmp_path, {"b.time_a": asv_row([1.0])}, commit=commit, date=1_700_000_000_000 + place * 1000)
    results = tmp_path / "results"
    assert [one.header is not None for one in imported(tmp_path, results)] == [True] * 3
    asv_result(tmp_path, {"b.time_a": asv_row([2.0])}, commit="9" * 40)
    again = imported(tmp_path, results)
    assert [one.header is not None for one in again] == [False] * 3 + [True]
    assert again[0].remarks[0].startswith("already imported as ")
    started = [read(path)[0].started for path in sorted(results.rglob("*.jsonl"))]
    assert started == sorted(started)


def test_a_file_that_grew_says_so(tmp_path: Path) -> None:
    asv_result(tmp_path, {"b.time_a": asv_row([1.0])})
    (first,) = imported(tmp_path, tmp_path / "results")
    asv_result(tmp_path, {"b.time_a": asv_row([1.0]), "b.time_b": asv_row([1.0])})
    (second,) = imported(tmp_path, tmp_path / "results")
    sentence = f"an earlier state of this file is run {first.path}: delete that run if you need only one"
    assert second.remarks == (sentence,)


def test_environments_are_never_one_series(tmp_path: Path) -> None:
    for version in ("1.26", "2.0"):
        asv_result(
            tmp_path, {"b.time_a": asv_row([1.0])}, env_name=f"numpy{version}", requirements={"numpy": version, "x": ""}
        )
    cells = {tuple(records_of(one)[0].trial.params.items()) for one in imported(tmp_path, tmp_path / "results")}
    assert cells == {(("python", "3.11"), ("numpy", version)) for version in ("1.26", "2.0")}


def test_what_a_suite_of_ours_measured_is_what_it_is_there(tmp_path: Path) -> None:
    registry = load_registry(Config(folder=tmp_path))
    axes = [["'constant'", "'xgboost-hist'"], ["'flights'"], ["'label_noise(0.2)'"]]
    results = {
        "boosting.TabularBinary.time_wall": asv_row([9.0, 9.0], axes),
        "boosting.TabularBinary.time_wall_fit": asv_row([1.0, 2.0], axes, [[1.0], [2.0, 2.5]]),
        "boosting.TabularBinary.time_cpu_fit": asv_row([0.5, 1.0], axes, [[0.5], [1.0]]),
        "boosting.TabularBinary.track_one_minus_auc": asv_row([0.5, 0.25], axes),
        "boosting.TabularBinary.track_log_loss": asv_row([0.5, None], axes),
    }
    asv_result(tmp_path, results)
    (done,) = imported(tmp_path, tmp_path / "results", suites=suite_tasks(registry))
    first, second = records_of(done)
    trial = second.trial
    assert (trial.topic, trial.task, trial.strategy) == ("boosting", "tabular-binary", "xgboost-hist")
    assert (trial.dataset, trial.scenario, trial.params) == ("flights", "label_noise(0.2)", {})
    assert first.phases == {"fit": Phase([1.0], [0.5])}
    assert second.phases == {"fit": Phase([2.0], [1.0])}
    assert second.metrics == {"auc": 0.75}
    assert done.header is not None
    assert [m.direction for m in done.header.metrics if m.name == "auc"] == ["higher"]


def test_memory_that_a_suite_of_ours_measured_comes_back(tmp_path: Path) -> None:
    axes = [["'xgboost-hist'", "'xgboost-hist-gpu'"], ["'flights'"], ["'clean'"]]
    results = {
        "boosting.TabularBinary.track_peak_bytes": asv_row([70, 60], axes),
        "boosting.TabularBinary.track_peak_bytes_fit": asv_row([30, 20], axes),
        "boosting.TabularBinary.track_held_bytes_fit": asv_row([float("nan"), 40], axes),
        "boosting.TabularBinary.track_device_bytes": asv_row([float("nan"), 500], axes),
        "boosting.TabularBinary.track_device_bytes_fit": asv_row([float("nan"), 500], axes),
    }
    asv_result(tmp_path, results)
    (done,) = imported(tmp_path, tmp_path / "results", suites=suite_tasks(load_registry(Config(folder=tmp_path))))
    phases = {record.trial.strategy: record.phases for record in records_of(done)}
    assert phases == {
        "xgboost-hist": {"fit": Phase([], [], peak_bytes=30)},
        "xgboost-hist-gpu": {"fit": Phase([], [], peak_bytes=20, held_bytes=40, device_bytes=500)},
    }


@settings(max_examples=25, deadline=None)
@given(runs(), st.sets(st.integers(0, 7)))
def test_figures_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[Record], failing: set[int]) -> None:
    folder = tmp_path_factory.mktemp("asv")
    records = [
        record(
            one.trial.strategy, one.trial.block, options=one.trial.options, status="timeout", reason="slow", phases={}
        )
        if place in failing
        else one
        for place, one in enumerate(records)
    ]
    ok = [one for one in records if one.status == "ok"]
    if not ok:
        return
    export_asv(header(), records, folder, folder)
    (done,) = imported(folder, folder / "results")
    back = {one.trial.key: one for one in records_of(done)}
    assert set(back) == {one.trial.key for one in records}
    for one in records:
        other = back[one.trial.key]
        assert (other.status, other.reason) == (one.status, one.reason)
        assert other.metrics == pytest.approx(one.metrics, rel=1e-5)
        assert other.trial == one.trial
        for name, phase in one.phases.items():
            own = other.phases[name]
            middle = sorted(phase.wall_s)
            half = len(middle) // 2
            expected = middle[half] if len(middle) % 2 else (middle[half - 1] + middle[half]) / 2
            assert own.wall_s == pytest.approx([expected], rel=1e-5)
            assert (own.peak_bytes, own.held_bytes) == (phase.peak_bytes, phase.held_bytes)
            assert own.device_bytes == phase.device_bytes
    assert done.header is not None
    assert done.header.environment == header().environment


def test_set_up_comes_back_as_set_up_and_begins_a_new_series_of_totals(tmp_path: Path) -> None:
    phases = {"compile": Phase([8.0], [8.0], 900), "fit": Phase([1.0], [1.0], 100)}
    listed = {}
    setups: dict[str, tuple[str, ...]] = {"with": ("compile",), "without": ()}
    for name, setup in setups.items():
        parts = {part: msgspec.structs.replace(phase, in_total=part not in setup) for part, phase in phases.items()}
        own, one = header(tasks=(TaskCard("t/one", setup=setup),)), record(phases=parts)
        (tmp_path / name).mkdir()
        export_asv(own, [one], tmp_path / name, tmp_path / name)
        (done,) = imported(tmp_path / name, tmp_path / name / "results")
        (back,) = records_of(done)
        assert [phase.in_total for phase in back.phases.values()] == ["compile" not in setup, True]
        assert figures(back) == figures(one)
        benchmarks = json.loads((tmp_path / name / "benchmarks.json").read_text())
        listed[name] = {key: entry["version"] for key, entry in benchmarks.items() if key != "version"}
    assert {key.rpartition(".")[2] for key, version in listed["with"].items() if listed["without"][key] != version} == {
        "time_wall",
        "time_cpu",
        "track_peak_bytes",
    }


def test_set_up_that_a_suite_of_ours_measured_comes_back(tmp_path: Path) -> None:
    axes = [["'ucb1'"], ["'bernoulli'"], ["'clean'"]]
    results = {f"bandits.Stationary.time_wall_{phase}": asv_row([1.0], axes) for phase in ("compile", "play")}
    asv_result(tmp_path, results)
    (done,) = imported(tmp_path, tmp_path / "results", suites=suite_tasks(load_registry(Config(folder=tmp_path))))
    (back,) = records_of(done)
    assert {name: phase.in_total for name, phase in back.phases.items()} == {"compile": False, "play": True}
    assert done.header is not None
    assert done.header.setup("bandits/stationary") == {"compile"}


def test_a_number_that_asv_cannot_order_is_told(tmp_path: Path) -> None:
    exported = export_asv(header(), [record(metrics={"auc": 0.5, "gain": -1.0, "loss": 2.0})], tmp_path, tmp_path)
    assert exported.unfit == 1
    results = json.loads(exported.path.read_text())["results"]
    assert "t.OneRuns.track_inverse_gain" not in results
    assert results["t.OneRuns.track_one_minus_auc"][0] == [0.5]
    assert results["t.OneRuns.track_loss"][0] == [2.0]


def test_what_is_there_stays(tmp_path: Path) -> None:
    theirs = asv_result(tmp_path, {"b.time_a": asv_row([1.0])})
    asv_benchmarks(tmp_path, b__time_a="seconds")
    before = theirs.read_bytes()
    first = export_asv(header(), [record()], tmp_path, tmp_path)
    kept = first.path.read_bytes()
    other = msgspec.structs.replace(header(run="ffffff"), environment=Environment(commit="1" * 40))
    export_asv(other, [record("z", params={"rows": 5})], tmp_path, tmp_path)
    assert theirs.read_bytes() == before
    assert first.path.read_bytes() == kept
    listed = json.loads((tmp_path / "benchmarks.json").read_text())
    assert listed["b.time_a"]["unit"] == "seconds"
    assert listed["t.OneRuns.time_wall_fit"]["params"] == [
        ["'a'", "'z'"],
        ["'flights'"],
        ["'clean'"],
        ["'rows=5'", "'rows=10'"],
    ]
    again = export_asv(header(), [record()], tmp_path, tmp_path)
    values = json.loads(again.path.read_text())["results"]["t.OneRuns.time_wall_fit"][0]
    assert [value == value for value in values] == [False, True, False, False]


def test_runs_that_are_here_are_left_out(tmp_path: Path) -> None:
    export_asv(header(), [record()], tmp_path / "results" / "asv", tmp_path)
    with create(tmp_path / "results", header()) as run:
        run.write(record())
    (done,) = imported(tmp_path / "results" / "asv", tmp_path / "results")
    assert (done.header, done.remarks) == (None, ("exported from run a1b2c3, which is here",))


def test_a_run_without_a_commit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run a1b2c3 was measured outside of a repository"):
        export_asv(header(environment=Environment()), [record()], tmp_path, tmp_path)


def test_too_many_combinations_are_one_sentence(tmp_path: Path) -> None:
    records = [record(f"s{i}", dataset=f"d{i}", params={"rows": i}) for i in range(60)]
    with pytest.raises(UsageError, match=r"t/one has 216,000 combinations"):
        export_asv(header(), records, tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_date_is_the_commits(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    moment = {"GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00"}
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True, env=moment)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    exported = export_asv(header(environment=Environment(commit=head)), [record()], tmp_path / "asv", tmp_path)
    assert json.loads(exported.path.read_text())["date"] == 1_767_323_045_000


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"version": 3}, "has asv's format 3, and bakeoff reads 2: update bakeoff"),
        ({"version": 1}, "has asv's format 1, and bakeoff reads 2: bring it up to date with 'asv update'"),
        ({"version": None}, "is not a file of asv: it has no version of its format"),
        ({"commit_hash": "../../x"}, "has no commit"),
        ({"date": None}, "has no date that can be read"),
        ({"date": 1e300}, "has no date that can be read"),
        ({"results": {}}, "has no results"),
        ({"results": {"b.time_a": asv_row([1.0, 2.0])}}, "has 2 results for 1 combinations"),
        ({"results": {"b.time_a": asv_row([1.0], [["x"] * 9, ["y"] * 9])}}, "has 1 results for 81 combinations"),
        ({"results": {"b.time_a": asv_row(None, [["x"] * 99] * 9)}}, "failed; measure again"),
        ({"results": []}, "is not a file of asv"),
    ],
)
def test_bad_files_are_one_sentence_and_leave_nothing(tmp_path: Path, fields: dict[str, Any], sentence: str) -> None:
    path = asv_result(tmp_path, {"b.time_a": asv_row([1.0])})
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    with pytest.raises(UsageError, match=sentence):
        imported(tmp_path, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_no_results_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        imported(tmp_path / "asv", tmp_path / "results")
    with pytest.raises(UsageError, match="has no results of asv"):
        imported(tmp_path, tmp_path / "results")


def test_one_bad_file_keeps_no_other_out(tmp_path: Path) -> None:
    asv_result(tmp_path, {"b.time_a": asv_row([1.0])})
    (tmp_path / "secret-host" / "00000000-env.json").write_text("{")
    with pytest.raises(UsageError, match=r"00000000-env.json is not JSON"):
        imported(tmp_path, tmp_path / "results")
    assert len(list((tmp_path / "results").rglob("*.jsonl"))) == 1


def test_hostile_names_stay_in_the_results_folder(tmp_path: Path) -> None:
    params = {"machine": "../../h", "cpu": "../<b>", "num_cpu": "9" * 50, "ram": "9" * 50, "python": "../../p"}
    results = {"../../x.time_<script>": asv_row([float("inf")]), "<b>.track_y": asv_row([1.0], [["'[a=1,b]'"]])}
    asv_result(tmp_path, results, params=params, requirements={"../n": "../v"})
    (done,) = imported(tmp_path, tmp_path / "results")
    assert done.path.parent.parent == tmp_path / "results"
    (only,) = records_of(done)
    assert (only.trial.task, only.trial.label) == ("b-381c882d", "track-y[param1=-a-1-b-a2c303e9]")
    assert done.remarks == ("1 results are left out: they are not finite, or negative times or sizes",)


def test_5000_benchmarks(tmp_path: Path) -> None:
    asv_result(tmp_path, {f"b.time_{i}": asv_row([1.0]) for i in range(5000)})
    (done,) = imported(tmp_path, tmp_path / "results")
    assert done.header is not None
    assert done.header.trials == 5000


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("1e-3", 0.001), ("True", True), ("'a b'", "a b"), ('"it"', "it")]
    + [(text, Expression(text)) for text in ("None", "nan", "(1, 2)")],
)
def test_values_of_axes(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "amount"), [("25276510208", 25276510208), ("8055476", 8055476 * 1024), ("4GB", 2**32), ("", 0), ("x", 0)]
)
def test_memory_of_machines(text: str, amount: int) -> None:
    assert asv_memory(text) == amount


def test_asv_itself_reads_them(tmp_path: Path) -> None:
    results = pytest.importorskip("asv.results")
    statistics = pytest.importorskip("asv_runner.statistics")
    blocks = [record("a", block, phases={"fit": Phase([float(block)], [1.0])}) for block in range(1, 11)]
    exported = export_asv(header(), [*blocks, record("b", status="failed", phases={})], tmp_path, tmp_path)
    loaded = results.Results.load(str(exported.path), machine_name="epyc-2c-24g")
    name = "t.OneRuns.time_wall_fit"
    params = loaded.get_result_params(name)
    assert loaded.get_result_value(name, params) == [5.5, None]
    stats = loaded.get_result_stats(name, params)[0]
    expected = statistics.compute_stats([float(block) for block in range(1, 11)], 1)[1]
    assert {key: stats[key] for key in expected} == pytest.approx(expected)
    loaded.save(str(tmp_path / "again"))
