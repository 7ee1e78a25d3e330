"""asv: names and directions, versions, and what asv itself makes of the suites."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from interop.small_project import IMPORT, MISSING, RAISE, write

from harness.interop.asv.suites import LEAST_BLOCKS, classes
from harness.interop.figures import MappedFigure, figures_of
from harness.interop.suites import suites

ROOT = Path(__file__).parents[2]
VALID = {("plain", "clean"), ("dated", "clean"), ("dated", "aged")}


def _class(project: Path) -> Any:
    made = classes(project / "benchmarks" / "strategies.py", ("small",))
    assert list(made) == ["small_TwoWords"]
    return made["small_TwoWords"]


def _versions(project: Path) -> dict[str, str]:
    made = _class(project)
    return {name: getattr(made, name).version for name in dir(made) if name.startswith(("time_", "track_"))}


def test_names_and_units(project: Path) -> None:
    made = _class(project)
    units = {name: getattr(getattr(made, name), "unit", "seconds") for name in _versions(project)}
    assert units == {
        **{f"time_{clock}{phase}": "seconds" for clock in ("wall", "cpu") for phase in ("", "_fit", "_predict")},
        **{f"track_peak_bytes{phase}": "bytes" for phase in ("", "_fit", "_predict")},
        **{f"track_held_bytes{phase}": "bytes" for phase in ("_fit", "_predict")},
        "track_error": "nat",
        "track_one_minus_auc": "unit",
        "track_inverse_gain": "1/euro",
    }


def test_only_valid_combinations_are_run(project: Path) -> None:
    made = _class(project)
    assert made.param_names == ["strategy", "dataset", "scenario"]
    left = set(itertools.product(*made.params)) - set(made.skip_params)
    assert {case[1:] for case in left} == VALID
    assert len(left) == 4 * len(VALID)


def test_cases_without_their_data_are_not_available(tmp_path: Path) -> None:
    made = _class(write(tmp_path, IMPORT, RAISE, MISSING))
    cache = made().setup_cache()
    made.time_wall.setup(cache, "four", "plain", "clean")
    with pytest.raises(NotImplementedError, match=r"^bakeoff data get dated$"):
        made.time_wall.setup(cache, "four", "dated", "clean")


@pytest.mark.parametrize(
    ("conversion", "better", "worse", "without"), [("one_minus", 0.9, 0.8, 1.5), ("inverse", 5.0, 4.0, 0.0)]
)
def test_converted_figures_are_smaller_where_better(
    conversion: Any, better: float, worse: float, without: float
) -> None:
    figure = MappedFigure("track_x", "x", "1", "x", conversion)
    values = figure.converted(better), figure.converted(worse)
    assert values[0] is not None
    assert values[1] is not None
    assert 0 < values[0] < values[1]
    assert figure.converted(without) is None


def test_what_is_lower_anyway_stays(project: Path) -> None:
    (suite,) = suites(project, ("small",))
    (figure,) = (figure for figure in figures_of((), suite.task.metrics) if figure.measure == "error")
    assert (figure.name, figure.converted(0.25)) == ("track_error", 0.25)


@pytest.mark.parametrize(
    "change",
    [
        ('"plain", load, version="1"', '"plain", load, version="2"'),
        ('"rows": Param(100', '"rows": Param(200'),
        ("blocks=2", "blocks=9"),
        ('phases=["fit", "predict"]', 'phases=["fit", "predict", "more"]'),
    ],
    ids=["data", "parameter", "blocks", "phases"],
)
def test_version_changes_with_data_and_declaration(tmp_path: Path, change: tuple[str, str]) -> None:
    before, after = _versions(write(tmp_path / "before")), _versions(write(tmp_path / "after", change))
    assert all(before[name] != after[name] for name in before)


def test_version_of_a_metric_changes_with_it_alone(tmp_path: Path) -> None:
    change = ('direction="lower", unit="nat"', 'direction="lower", unit="bit"')
    before, after = _versions(write(tmp_path / "before")), _versions(write(tmp_path / "after", change))
    assert {name for name in before if before[name] != after[name]} == {"track_error"}


def test_version_of_totals_and_held_memory_alone_changes_with_set_up(tmp_path: Path) -> None:
    change = ('phases=["fit", "predict"]', 'phases=["fit", "predict"], setup=["fit"]')
    before, after = _versions(write(tmp_path / "before")), _versions(write(tmp_path / "after", change))
    assert {name for name in before if before[name] != after[name]} == {
        "time_wall",
        "time_cpu",
        "track_peak_bytes",
        "track_held_bytes_fit",
        "track_held_bytes_predict",
    }


def test_titles_say_what_is_set_up(tmp_path: Path) -> None:
    made = _class(write(tmp_path, ('phases=["fit", "predict"]', 'phases=["fit", "predict"], setup=["fit"]')))
    assert made.time_wall.pretty_name == "small/two-words: wall time of all phases but set-up"
    assert made.time_wall_fit.pretty_name == "small/two-words: wall time of phase fit (set-up)"


def test_the_phases_that_the_harness_adds_change_no_version(tmp_path: Path) -> None:
    changes = (
        ('phases=["fit", "predict"]', 'phases=["fit", "predict"], stress=[Stress("noise", None, (1,), "x")]'),
        ("import (CLEAN,", "import (Stress, CLEAN,"),
    )
    before, after = _versions(write(tmp_path / "before")), _versions(write(tmp_path / "after", *changes))
    assert after == before  # no altered test sets are handed out here, so nothing enters the phase stress


@pytest.mark.parametrize(
    "change",
    [("return 4.0", "return 5.0"), ('"loses"', '"other-name"'), ('"other", load, version="1"', '"other", load')],
    ids=["code", "strategies", "data of another profile"],
)
def test_version_stays(tmp_path: Path, change: tuple[str, str]) -> None:
    assert _versions(write(tmp_path / "before")) == _versions(write(tmp_path / "after", change))


def test_commits_go_by_the_list_of_the_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """asv tells every commit positions in the list of the first: another commit must not read its own list."""
    strategies, datasets, scenarios = ["'new'", "'four'"], ["'dated'"], ["'clean'"]
    listed = {"small.TwoWords.time_wall": {"params": [strategies, datasets, scenarios]}, "version": 2}
    (project / "results" / "asv").mkdir(parents=True)
    (project / "results" / "asv" / "benchmarks.json").write_text(json.dumps(listed))
    assert _class(project).params[0][0] == "four"
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "run"])
    made = _class(project)
    assert made.params == [["new", "four"], ["dated"], ["clean"]]
    assert made.skip_params == [("new", "dated", "clean")]
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "discover"])
    assert _class(project).params[0][0] == "four"


def test_asv_sees_a_difference_between_so_many_samples() -> None:
    from asv._stats import is_different
    from asv_runner.statistics import compute_stats

    low = [1 + index / 100 for index in range(LEAST_BLOCKS)]
    high = [2 * sample for sample in low]
    (_, before), (_, after) = compute_stats(low, 1), compute_stats(high, 1)
    assert is_different(low, high, before, after)


def test_caches_of_tasks_are_told_apart(tmp_path: Path) -> None:
    from asv_runner.benchmarks._base import get_setup_cache_key

    last = "    raise AssertionError\n"
    again = (
        'again = topic.task("again", title="Again", datasets=["plain"], phases=["fit"], judge=task.judge, '
        'metrics=[Metric("error", direction="lower", unit="1")])\n'
        'again.strategy("loses")(loses)\n'
    )
    module = write(tmp_path, (last, last + again)) / "benchmarks" / "strategies.py"
    made: dict[str, Any] = dict(classes(module, ("small",)))
    assert sorted(made) == ["small_Again", "small_TwoWords"]
    keys = {get_setup_cache_key(made[name].setup_cache) for name in made}
    assert len(keys) == 2
    assert {key.split(":")[0] for key in keys} == {"small.again", "small.two-words"}


def _asv(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "asv", *arguments],
        cwd=folder,
        # asv drops PYTHONPATH, and this tree need not be the one that is installed.
        env={**os.environ, "HOME": str(folder), "ASV_PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_suites_of_this_project_pass_asv_check() -> None:
    assert "No problems found" in _asv(ROOT, "check", "-E", "existing")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[tuple[str, ...], Any]], str]:
    """Run the suites of a small project in asv: the folder, the values by benchmark and case, and what asv said."""
    folder = write(tmp_path_factory.mktemp("asv"))
    (folder / "benchmarks" / "__init__.py").touch()
    (folder / "benchmarks" / "strategies.py").write_text((ROOT / "benchmarks" / "strategies.py").read_text())
    (folder / "asv.conf.json").write_text((ROOT / "asv.conf.json").read_text())
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "small.py"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, timeout=60)
    _asv(folder, "machine", "--yes")
    told = _asv(folder, "run", "-E", "existing", "-b", "^small", "--set-commit-hash", "HEAD", "--show-stderr", code=2)
    (file,) = (path for path in folder.glob("results/asv/*/*.json") if path.name != "machine.json")
    content = json.loads(file.read_text())
    columns = content["result_columns"]
    values = {}
    for name, row in content["results"].items():
        result = dict(zip(columns, row, strict=False))
        params = [[text.strip("'") for text in axis] for axis in result["params"]]
        values[name] = dict(zip(itertools.product(*params), result["result"], strict=True))
        values[f"{name} repeat"] = dict(
            zip(itertools.product(*params), result.get("stats_repeat") or [None] * 99, strict=False)
        )
    return folder, values, told


def test_one_trial_serves_all_figures(ran: tuple[Path, Any, str]) -> None:
    folder, values, _ = ran
    assert len([name for name in values if not name.endswith("repeat")]) == 14
    # Three cases in eight blocks, and the first once more for memory.
    assert (folder / "trials").read_text() == "x" * 3 * (8 + 1)


def test_asv_reads_what_was_judged(ran: tuple[Path, Any, str]) -> None:
    _, values, _ = ran
    case = ("four", "dated", "aged")
    assert [values[f"small.TwoWords.track_{name}"][case] for name in ("error", "one_minus_auc", "inverse_gain")] == [
        0.25,
        0.25,
        0.25,
    ]
    assert values["small.TwoWords.time_wall repeat"][case] == 8
    assert values["small.TwoWords.time_wall"][case] > 0


def test_what_has_no_figure_is_not_available_and_what_failed_is(ran: tuple[Path, Any, str]) -> None:
    _, values, told = ran
    wall, build, gain = (
        values[f"small.TwoWords.{name}"] for name in ("time_wall", "time_wall_predict", "track_inverse_gain")
    )
    assert wall["four", "plain", "aged"] != wall["four", "plain", "aged"]
    assert wall["elsewhere", "plain", "clean"] != wall["elsewhere", "plain", "clean"]
    assert build["loses", "plain", "clean"] != build["loses", "plain", "clean"]
    assert gain["loses", "plain", "clean"] != gain["loses", "plain", "clean"]
    assert wall["fails", "plain", "clean"] is None
    for reason in (
        "package no_such_package is not installed",
        "RuntimeError: planted",
        "no wall time of phase predict",
    ):
        assert reason in told
