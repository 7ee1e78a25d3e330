"""``bakeoff history`` finds planted changes over runs, tells what came with them, and mixes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import Project

from harness.analysis.history import series, tracks
from harness.analysis.run_set import read_run_set
from harness.cli.history_text import remarks_on, sparkline
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Conditions, Phase, Record, Seeds, Trial
from harness.store.header import SCHEMA, Header, JudgedMetric
from harness.store.runs import create

BLOCKS = 3
STEP = (1.1, 1.11, 1.09, 1.1, 1.11, 1.65, 1.66, 1.64)  # slower from the sixth run on


def header(index: int, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "run": f"{index:06x}",
        "started": f"2026-11-{1 + index:02d}T02:15:00+00:00",
        "machine": Machine("box", kernel="6.1", python="CPython 3.11.7"),
        "environment": Environment(packages={"numpy": "2.0.0"}, commit=f"{index:x}" * 40, dirty=False),
        "selection": Selection(),
        "plan": "feed",
        "trials": BLOCKS,
        "command": "bakeoff run",
        "metrics": (
            JudgedMetric("boosting/binary", "auc", "higher", "1"),
            JudgedMetric("boosting/binary", "log_loss", "lower", "nat"),
        ),
        "cards": {"flights": "ab" * 32},
    }
    return Header(**(fields | changes))


def record(block: int, cost: float = 1.0, strategy: str = "hist", scenario: str = "clean", **changes: Any) -> Record:
    """A record whose blocks differ a little; memory goes with the square root of the cost, log_loss with the cost."""
    own = cost * (1 + block / 100)
    fields: dict[str, Any] = {
        "status": "ok",
        "phases": {"fit": Phase([own], [own], int(1e6 * own**0.5)), "predict": Phase([0.1], [0.1], 1000)},
        "metrics": {"auc": 1 - 0.2 * own, "log_loss": 0.2 * own},
        "conditions": Conditions(load=0.1, stolen=0.0, foreign=0.0),
    }
    options: dict[str, Any] = {"max_bin": 64} if strategy == "small" else {}
    trial = Trial(
        "boosting", "binary", strategy, "flights", scenario, {"rows": 1000}, options, block, Seeds(block, 1, 2)
    )
    return Record(trial, **(fields | changes))


def keep(project: Project, own: Header, records: Sequence[Record]) -> None:
    with create(project.folder / "results", own) as run:
        for one in records:
            run.write(one)


def keep_all(
    project: Project, costs: Sequence[float], *, first: int = 0, strategy: str = "hist", **changes: Any
) -> None:
    """Keep a run a cost, a day after the other."""
    for index, cost in enumerate(costs, start=first):
        keep(project, header(index, **changes), [record(block, cost, strategy) for block in range(BLOCKS)])


def history(project: Project, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.bakeoff("history", *arguments, "--json", code=code).stdout)[
        "series"
    ]
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder without topics: a history needs no code of what was measured."""
    (tmp_path / "bakeoff.toml").write_text("")
    return Project(tmp_path)


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three strategies: ``hist`` gets slower with run 5, ``small`` faster with run 3, ``noise`` neither.

    With run 5 numpy changed and the tree was dirty, with run 6 the kernel; a trial of run 2 met a busy machine.
    """
    project = Project(tmp_path_factory.mktemp("stepped"))
    (project.folder / "bakeoff.toml").write_text("")
    noise = [float(np.exp(0.02 * z)) for z in np.random.default_rng(1).normal(size=len(STEP))]
    for index, cost in enumerate(STEP):
        own = header(
            index,
            environment=Environment(
                packages={"numpy": "2.0.0" if index < 5 else "2.1.0"}, commit=f"{index:x}" * 40, dirty=index == 5
            ),
            machine=Machine("box", kernel="6.1" if index < 6 else "6.2", python="CPython 3.11.7"),
        )
        calm, busy = (Conditions(load=1.0, stolen=stolen, foreign=0.0) for stolen in (0.0, 0.2))
        records = [
            *(record(block, cost) for block in range(BLOCKS)),
            *(record(block, (1.0 if index < 3 else 0.1) * noise[index], "small") for block in range(BLOCKS)),
            *(record(block, noise[index], "noise") for block in range(BLOCKS - 1)),
            record(BLOCKS - 1, noise[index], "noise", conditions=busy if index == 2 else calm),
        ]
        keep(project, own, records)
    return project


def test_a_step_is_found_at_its_run(stepped: Project) -> None:
    rows = history(stepped, "fit.cpu_s")
    assert [row["strategy"] for row in rows] == ["small[max_bin=64]", "hist", "noise"]  # the largest change first
    faster, slower, none = rows
    (change,) = slower["changes"]
    assert (change["index"], change["run"], change["commit"]) == (5, "000005", "55555555")
    middle = np.exp(np.mean(np.log([1.0, 1.01, 1.02])))  # over the blocks, geometric
    level = np.exp(np.mean(np.log(STEP[:5])))
    assert change["before"] == pytest.approx(level * middle, rel=1e-5)
    assert change["estimate"] == pytest.approx(np.exp(np.mean(np.log(STEP[5:]))) / level, rel=1e-5)
    assert (change["effect"], change["verdict"]) == ("ratio", "worse")
    assert 0 < change["p"] < 0.01
    assert slower["regressed"]
    assert (faster["changes"][0]["run"], faster["changes"][0]["verdict"]) == ("000003", "better")
    assert (none["changes"], none["regressed"]) == ([], False)


def test_levels_of_a_series(stepped: Project) -> None:
    (row,) = history(stepped, "auc", "-s", "hist")
    means = [point["mean"] for point in row["points"]]
    assert means == pytest.approx([1 - 0.2 * cost * 1.01 for cost in STEP], rel=1e-5)
    assert (row["first"], row["last"], row["best"]) == (means[0], means[-1], max(means))
    (change,) = row["changes"]
    assert change["effect"] == "difference"
    assert change["estimate"] == pytest.approx(change["after"] - change["before"])
    assert (row["better"], change["verdict"]) == ("higher", "worse")


def test_what_changed_with_a_run_stands_at_its_point(stepped: Project) -> None:
    (row,) = history(stepped, "cpu_s", "-s", "hist")
    changed = {point["run"]: point["changed"] for point in row["points"] if point["changed"]}
    assert changed == {
        "000005": [{"kind": "package", "name": "numpy", "before": "2.0.0", "after": "2.1.0"}],
        "000006": [{"kind": "machine", "name": "kernel", "before": "6.1", "after": "6.2"}],
    }
    assert row["changes"][0]["changed"] == changed["000005"]
    assert [point["run"] for point in row["points"] if point["dirty"]] == ["000005"]
    (noise,) = history(stepped, "cpu_s", "-s", "noise")
    assert [point["contaminated"] for point in noise["points"]] == [0, 0, 1, 0, 0, 0, 0, 0]


def test_the_table_says_it_in_words(stepped: Project) -> None:
    done = stepped.bakeoff("history", "fit.cpu_s", PYTHONIOENCODING="utf-8")
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert lines[0] == "fit.cpu_s: 3 series of runs, 2 with a change of level; by chance alone 1 to 2 in 100 show one"
    assert "hist  boosting/binary on flights, clean (rows=1000), machine box" in lines
    assert "  ▁▁▁▁▁███  8 runs: first 1.11 s, last 1.66 s, best 1.10 s; 1 dirty" in lines
    assert (
        "  1.50x (slower)  2026-11-06 run 000005 commit 55555555, 1.11 s -> 1.67 s, p < 0.001, dirty; "
        "with numpy 2.0.0 -> 2.1.0"
    ) in lines
    assert any(line.split()[:2] == ["noise", "8"] and line.rstrip().endswith("1 contaminated") for line in lines)
    assert "  box, 2026-11-07 run 000006: kernel 6.1 -> 6.2" in lines


def test_a_terminal_without_bars_gets_plain_characters(stepped: Project) -> None:
    said = stepped.bakeoff("history", "peak_bytes", "-s", "hist", PYTHONIOENCODING="ascii").stdout
    assert "  _____###  8 runs: first 1.05 MB, last 1.29 MB, best 1.05 MB" in said
    assert "  1.22x (more memory)  2026-11-06 run 000005" in said


def test_words_of_a_metric_go_by_its_direction(stepped: Project) -> None:
    for metric, sign in (("auc", "-"), ("log_loss", "+")):
        assert f"  {sign}0.111 (worse)  2026-11-06" in stepped.bakeoff("history", metric, "-s", "hist").stdout


def test_check_is_news_for_three_runs(stepped: Project) -> None:
    said = stepped.bakeoff("history", "cpu_s", "--check", code=1).stderr
    assert said == "1 of 3 series got worse, detected in the last 3 runs: hist\n"
    assert history(stepped, "cpu_s", "-s", "hist", "--check", code=1)[0]["regressed"]
    stepped.bakeoff("history", "cpu_s", "--check", "-s", "small", "-s", "noise")


def test_old_news_passes_the_check(project: Project) -> None:
    keep_all(project, [*STEP, 1.65, 1.64, 1.66])
    (row,) = history(project, "cpu_s", "--check")
    assert [change["index"] for change in row["changes"]] == [5]
    assert not row["regressed"]


def test_a_slow_drift_fails_the_check(project: Project) -> None:
    drift = np.exp(0.03 * np.arange(11) + 0.005 * np.random.default_rng(0).normal(size=11))
    keep_all(project, [float(cost) for cost in drift])
    (row,) = history(project, "cpu_s", "--check", code=1)
    assert {change["verdict"] for change in row["changes"]} == {"worse"}


def test_white_noise_is_left_alone(project: Project) -> None:
    keep_all(project, [float(np.exp(0.05 * z)) for z in np.random.default_rng(7).normal(size=15)])
    (row,) = history(project, "cpu_s", "--check")
    assert (row["runs"], row["changes"]) == (15, [])


def test_two_machines_are_two_series(project: Project) -> None:
    """The other machine is twice as fast: mixed, the last runs would be a step."""
    keep_all(project, [1.0, 1.01, 0.99, 1.0])
    keep_all(project, [0.5, 0.51, 0.49, 0.5], first=4, machine=Machine("other"))
    done = project.bakeoff("history", "cpu_s", "--json")
    assert done.stderr == (
        "note: 1 figure measured on 2 machines (box, other): each machine is a series, "
        "and machines are never compared\n"
    )
    rows = json.loads(done.stdout)["series"]
    assert [(row["machine"], row["runs"], row["changes"]) for row in rows] == [("box", 4, []), ("other", 4, [])]
    assert all(point["changed"] == [] for row in rows for point in row["points"])
    assert [row["machine"] for row in history(project, "cpu_s", "--machine", "o*")] == ["other"]


def test_other_data_begin_another_series(project: Project) -> None:
    keep_all(project, [1.0, 1.01, 0.99, 1.0])
    keep_all(project, [2.0, 2.01, 1.99, 2.0], first=4, cards={"flights": "cd" * 32})
    done = project.bakeoff("history", "cpu_s")
    assert done.stderr == (
        "note: data set flights is not the same in all runs (abababab since run 000000, cdcdcdcd since run 000004): "
        "neither metrics nor times can be compared, so runs with other data are another series\n"
    )
    assert done.stdout.startswith("cpu_s: 2 series of runs, none changed\n")
    assert "flights, clean (rows=1000), data abababab, machine box: no change of level" in done.stdout


def test_runs_can_be_chosen(stepped: Project) -> None:
    only = ("cpu_s", "-s", "hist")
    files = stepped.runs()
    for arguments, runs in (
        (("000001", files[0].name, str(files[2])), [0, 1, 2]),
        ((str(files[0].parent),), list(range(8))),
        ((str(files[0].parent), "000001"), list(range(8))),
        (("--last", "2"), [6, 7]),
        (("--since", "2026-11-06"), [5, 6, 7]),
    ):
        (row,) = history(stepped, *only, *arguments)
        assert [point["run"] for point in row["points"]] == [f"{run:06x}" for run in runs]


def test_other_blocks_and_seeds_are_marked(project: Project) -> None:
    keep(project, header(0), [record(block) for block in range(3)])
    keep(project, header(1, selection=Selection(seed=7)), [record(0), record(1, status="failed", reason="no")])
    (row,) = history(project, "cpu_s")
    assert [(one["name"], one["before"], one["after"]) for one in row["points"][1]["changed"]] == [
        ("seed", 0, 7),
        ("blocks", 3, 1),
    ]
    assert row["points"][1]["unfinished"] == 1


def test_a_metric_whose_direction_nobody_wrote_down(project: Project) -> None:
    keep_all(project, STEP, metrics=())
    (row,) = history(project, "auc", "--check")
    assert (row["best"], row["better"], row["changes"][0]["verdict"]) == (None, None, None)
    assert "best -" in project.bakeoff("history", "auc").stdout


def test_the_part_of_a_very_long_series_is_remarked(stepped: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    read = read_run_set(stepped.runs())
    groups = tracks(read, read.aggregates, "cpu_s")
    assert not any("searched" in remark for remark in remarks_on(read, groups))
    monkeypatch.setattr("harness.analysis.history.MOST_POINTS", 6)
    remarks = [remark for remark in remarks_on(read, groups) if "searched" in remark]
    several = sum(len(track.points) > 6 for group in groups for track in group)
    shown = sum(len(track.points) > 1 for group in groups for track in group)
    assert remarks == [
        f"changes of level are searched for in the last 6 runs only: {several} of {shown} series have more"
    ]
    assert {row["searched"] for row in series(read, groups)} == {6}


def test_short_series_are_remarked_once(project: Project) -> None:
    keep_all(project, [1.0, 1.0, 1.0])
    keep(project, header(3), [record(0, strategy="other")])
    assert project.bakeoff("history", "cpu_s").stderr.splitlines() == [
        "note: 1 of 2 series have one run only and are left out",
        "note: 1 of 1 series have fewer than 4 runs, in which no change of level can be found",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("fit.cpu",), 2, "no run has the measure 'fit.cpu'; did you mean fit.cpu_s"),
        (("cpu_s", "-s", "hst"), 2, "no strategy on record matches 'hst'; did you mean hist?"),
        (("cpu_s", "--task", "ope"), 2, "no topic or task on record matches 'ope'; known: boosting, boosting/binary"),
        (("cpu_s", "--machine", "x*"), 2, "no machine on record matches 'x*'; known: box"),
        (("cpu_s", "000009"), 2, "no run '000009' in "),
        (("cpu_s", "--last", "1"), 2, "Invalid value for '--last': 1 is not in the range x>=2."),
        (("cpu_s", "--since", "soon"), 2, "Invalid value for '--since': 'soon' does not match the formats"),
        (("cpu_s", "--since", "2027-01-01"), 5, "no trial is on record in the runs chosen; give others, or an earlier"),
        (("cpu_s", "000001"), 5, "only one run has cpu_s here; a history needs at least two of the same cells on one"),
    ],
)
def test_bad_input_is_one_sentence(stepped: Project, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    done = stepped.bakeoff("history", *arguments, code=code)
    assert done.stderr.startswith(f"error: {sentence}")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_no_runs_at_all(project: Project) -> None:
    said = project.bakeoff("history", "cpu_s", code=2).stderr
    assert said.endswith("results contains no runs; make one with 'bakeoff run'\n")


def test_runs_that_share_nothing(project: Project) -> None:
    keep(project, header(0), [record(0)])
    keep(project, header(1), [record(0, strategy="other")])
    said = project.bakeoff("history", "cpu_s", code=5).stderr
    assert said.startswith("error: no strategy and cell has cpu_s in two runs on one machine and the same data")


def test_sparklines() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 0.0) == "▁▂▃▄▅▆▇█"
    assert sparkline([3.0, 3.0, 3.0], 0.0) == "▁▁▁"
    assert sparkline([0.0, 0.1], 1.0, "_.-=+*%#") == "__"
    assert sparkline(list(range(400)), 0.0) == sparkline(list(range(40)), 0.0)
