"""Each side of a gate of another tool's benchmarks runs the package of its own tree, or the gate says why not."""

from __future__ import annotations

import importlib.machinery
import json
import os
from pathlib import Path

import pytest
from foreign_project import ASV, TESTS, git, make_repository, write_package
from support import Project

from harness.config import GatePolicy
from harness.errors import UsageError
from harness.gate.decision import SIDES, Case, Pair, Side, SideName
from harness.gate.environments.build import SideEnvironment
from harness.gate.foreign.own import check_own
from harness.gate.foreign.suite import Suite
from harness.gate.live.measured_case import MeasuredCase
from harness.gate.live.planned_cases import PlannedCase, PlannedMetric

SUITE = Suite("asv", "bench", ("bench",))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose benchmarks are those of `foreign_project`."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return make_repository(tmp_path / "repository")


def told(project: Project, *arguments: str, code: int) -> dict[str, dict[str, object]]:
    done = project.bakeoff("gate", "--base", "main", "--json", *arguments, code=code)
    return {case["strategy"]: case for case in json.loads(done.stdout)["cases"]}


@pytest.mark.measured
@pytest.mark.parametrize(
    ("options", "strategy"),
    [
        (("--asv", "-b", "time_total.20000, 'plain'"), "total[kind=plain]"),
        (("--pytest", "bench/test_sums.py::test_total"), "test-total[n=500]"),
    ],
    ids=["asv", "pytest"],
)
def test_a_slowdown_planted_in_the_package_is_regressed(
    repository: Project, options: tuple[str, ...], strategy: str
) -> None:
    write_package(repository.folder, work=3)
    case = told(repository, *options, code=1)[strategy]
    assert case["verdict"] == "regressed"
    (cpu,) = (finding for finding in case["findings"] if finding["figure"] == "cpu_s")  # type: ignore[attr-defined]
    assert 2 < cpu["effect"]["estimate"] < 4


def test_both_sides_run_the_benchmarks_of_the_candidate(repository: Project) -> None:
    benchmarks = repository.folder / "asv_bench" / "benchmarks" / "sums.py"
    benchmarks.write_text(ASV + "\n\ndef track_new():\n    return 1\n")
    assert told(repository, "--asv", "-b", "track_new", code=4)["track-new"]["verdict"] == "pass"


def test_a_tracked_number_may_grow_by_one_per_cent_of_the_base() -> None:
    metric = PlannedMetric("lower", "1", 0.01, relative=True)
    case = Case("asv", "sums", "track-size", "none", "clean", {})
    planned = PlannedCase(case, (), {"size": metric}, measured=False)
    pair = Pair(0, base={"cpu_s": [1.0]}, candidate={"cpu_s": [1.0]})
    pair.metrics = {"base": {"size": 500.0}, "candidate": {"size": 501.0}}
    figures = MeasuredCase(planned, GatePolicy(), [pair]).figures()
    assert [(figure.name, figure.margin) for figure in figures] == [("size", 5.0)]
    policy = GatePolicy(margins={"size": 2.0})
    assert [figure.margin for figure in MeasuredCase(planned, policy, [pair]).figures()] == [2.0]


def test_what_cannot_be_gated_is_not_measured_and_counted(repository: Project) -> None:
    done = repository.bakeoff("gate", "--base", "main", "--asv", "-b", "mem_list", code=4)
    assert "a gate does not measure asv's benchmarks of type memory" in done.stdout
    assert "not measured: 2 of 2 cases" in done.stdout


@pytest.mark.parametrize("name", ["base", "candidate"])
def test_a_package_that_is_not_compiled_is_one_sentence(repository: Project, name: str) -> None:
    package = repository.folder / "small" / "__init__.py"
    package.write_text("from small import _compiled\n")
    if name == "base":
        git(repository.folder, "commit", "--all", "--message=two")
        write_package(repository.folder)
    for options in (("--asv",), ("--pytest", "bench")):
        done = repository.bakeoff("gate", "--base", "main", *options, code=2)
        assert f"the {name}: the project cannot be imported" in done.stderr
        assert "[tool.bakeoff.gate] build" in done.stderr


def test_the_command_of_the_policy_builds_both_sides_and_the_base_once(repository: Project) -> None:
    folder = repository.folder
    (folder / "small" / "__init__.py").write_text("from small.built import size\n")
    (folder / "build.py").write_text("open('small/built.py', 'w').write('def size(): return 7')\n")
    (folder / "asv_bench" / "benchmarks" / "sums.py").write_text(
        "import small\n\n\ndef track_size():\n    return small.size()\n"
    )
    (folder / "asv_bench" / "benchmarks" / "broken.py").unlink()
    (folder / ".gitignore").write_text("results/\n__pycache__/\nbuilt.py\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--message=two")
    with (folder / "bakeoff.toml").open("a") as file:
        file.write('build = "python build.py"\n')
    first, second = (repository.bakeoff("gate", "--base", "main", "--asv", code=0).stderr for _ in range(2))
    assert "building the base: python build.py" in first
    assert "building the base" not in second
    (folder / "build.py").write_text("raise SystemExit(3)")
    assert "ended with exit code 3" in repository.bakeoff("gate", "--base", "main", "--asv", code=4).stderr


def sides(tmp_path: Path) -> dict[SideName, SideEnvironment]:
    made: dict[SideName, SideEnvironment] = {}
    for name in SIDES:
        (tmp_path / name / "small").mkdir(parents=True)
        (tmp_path / name / "small" / "__init__.py").touch()
        made[name] = SideEnvironment(Side(name), Path("python"), tmp_path / name, {})
    return made


def files(tmp_path: Path, name: str, file: str = "small/__init__.py") -> dict[str, str]:
    return {"small": str(tmp_path / name / file), "os": "/usr/lib/os.py"}


def test_a_side_that_imports_the_package_of_the_other_is_refused(tmp_path: Path) -> None:
    made = sides(tmp_path)
    check_own(SUITE, made, {"base": files(tmp_path, "base"), "candidate": files(tmp_path, "candidate")})
    with pytest.raises(UsageError, match=r"the base imports small from .*candidate"):
        check_own(SUITE, made, {"base": files(tmp_path, "candidate"), "candidate": files(tmp_path, "candidate")})


def test_a_side_that_imports_nothing_but_benchmarks_of_its_tree_is_refused(tmp_path: Path) -> None:
    made = sides(tmp_path)
    with pytest.raises(UsageError, match="the candidate's benchmarks import nothing of its tree"):
        check_own(
            SUITE,
            made,
            {"base": files(tmp_path, "base"), "candidate": files(tmp_path, "candidate", "bench/small.py")},
        )


def test_the_project_s_package_from_elsewhere_is_refused_beside_other_modules_of_the_tree(tmp_path: Path) -> None:
    made = sides(tmp_path)
    (tmp_path / "base" / "pyproject.toml").write_text('[project]\nname = "Big-Thing"\n')
    found = {**files(tmp_path, "base"), "big_thing": "/usr/lib/big_thing/__init__.py"}
    with pytest.raises(UsageError, match="the base imports big_thing from /usr/lib"):
        check_own(SUITE, made, {"base": found, "candidate": files(tmp_path, "candidate")})


def test_a_package_that_one_side_alone_has_compiled_is_refused(tmp_path: Path) -> None:
    made = sides(tmp_path)
    (tmp_path / "candidate" / "small" / f"fast{importlib.machinery.EXTENSION_SUFFIXES[0]}").touch()
    with pytest.raises(UsageError, match="small is not compiled in the base's tree"):
        check_own(SUITE, made, {"base": files(tmp_path, "base"), "candidate": files(tmp_path, "candidate")})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--asv", "--pytest", "bench"), "not both"),
        (("--pytest", "bench", "-b", "x"), "-b chooses among asv's benchmarks"),
        (("--asv", "--set", "n=3"), "--set has no effect"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    repository: Project, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in repository.bakeoff("gate", "--base", "main", *options, code=2).stderr
    assert "measured now" in repository.bakeoff("gate", "--asv", code=2).stderr


def test_a_package_from_outside_of_the_tree_is_refused(repository: Project, tmp_path: Path) -> None:
    """The layout has a folder that nobody put on the path, and an installed package hides it."""
    folder, installed = repository.folder, tmp_path / "installed"
    (folder / "lib").mkdir()
    (folder / "small").rename(folder / "lib" / "small")
    (folder / "bench" / "test_sums.py").write_text(TESTS)
    git(folder, "add", "--all")
    git(folder, "commit", "--message=two")
    (installed / "small").mkdir(parents=True)
    (installed / "small" / "__init__.py").write_text("def total(n):\n    return n\n")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    done = repository.bakeoff("gate", "--base", "main", "--anyway", "--pytest", "bench", code=2, PYTHONPATH=path)
    assert "benchmarks import nothing of its tree" in done.stderr
    assert "paths" in done.stderr
