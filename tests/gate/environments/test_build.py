"""Environments of both sides: which source and which packages an import in each finds."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gate.environments.repositories import commit, git, isolate

from harness.config import Config, GatePolicy
from harness.errors import Exit, UsageError
from harness.gate.environments.build import EnvironmentBuildError, SideEnvironment, build

DRIVER = """
import json, sys
from pathlib import Path
import msgspec
from harness.config import Config
from harness.errors import BakeoffError
from harness.gate.environments.build import build
from harness.config import GatePolicy
folder, policy, revision, base, candidate = json.loads(sys.argv[1])
told = []
try:
    sides = build(Config(Path(folder)), msgspec.convert(policy, GatePolicy), revision, base, candidate, say=told.append)
except BakeoffError as error:
    answer = {"error": str(error), "code": error.exit_code, "tail": getattr(error, "tail", "")}
else:
    answer = {"remarks": sides[2], "told": told}
    for name, side in zip(("base", "candidate"), sides):
        answer[name] = {"python": str(side.python), "folder": str(side.folder), "variables": side.variables,
                        "packages": side.side.packages, "name": side.side.name}
print(json.dumps(answer))
"""
HOOK = """
import importlib.util, sys
class Hook:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, {!r}) if name == "mine" else None
sys.meta_path.insert(0, Hook)
"""
LOOK = (
    "import tinypkg, harness, numpy, json; print(json.dumps([tinypkg.__version__, harness.__file__, numpy.__file__]))"
)


def make_wheel(folder: Path, name: str, version: str, *, needs: Sequence[str] = ()) -> Path:
    """Write a wheel with one module that knows its version."""
    info = f"{name}-{version}.dist-info"
    required = "".join(f"Requires-Dist: {requirement}\n" for requirement in needs)
    files = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path / "cache")


@pytest.fixture
def shared_cache(surroundings: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One cache for the tests that need tinypkg 1.0 and do not ask who built it."""
    folder = tmp_path_factory.getbasetemp() / "shared-cache"
    monkeypatch.setenv("BAKEOFF_CACHE", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a repository with two commits, the first one tagged v1."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    write(folder, {"mine.py": "VALUE = 1\n", "src/inner.py": "VALUE = 1\n", "harness/__init__.py": "OLD = True\n"})
    commit(folder)
    git(folder, "tag", "v1")
    write(folder, {"mine.py": "VALUE = 2\n", "src/inner.py": "VALUE = 2\n"})
    (folder / "harness/__init__.py").unlink()
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        make_wheel(folder, "tinypkg", version)
    make_wheel(folder, "needy", "1.0", needs=["tinypkg==1.0"])
    make_wheel(folder, "fresh", "1.0", needs=["numpy"])
    return folder


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Path:
    """An interpreter that sees the harness's own needs, and in its own folder tinypkg 2.0 and two that need others."""
    folder = tmp_path_factory.mktemp("parent")
    python = make_interpreter(folder / "venv", needs_of_the_harness(folder / "needs", "pip"))
    made = [wheels / "tinypkg-2.0-py3-none-any.whl", make_wheel(folder, "user_pkg", "1.0", needs=["tinypkg>=1"])]
    made.append(make_wheel(folder, "strict_pkg", "1.0", needs=["needy>=2"]))
    for wheel in made:
        zipfile.ZipFile(wheel).extractall(next(folder.glob("venv/lib/*/site-packages")))
    return python


def needs_of_the_harness(folder: Path, *more: str) -> Path:
    """Make a folder as of site-packages with what the harness imports for this, itself installed as editable."""
    folder.mkdir()
    for place in Path(sysconfig.get_path("purelib")).iterdir():
        if place.name.startswith(("msgspec", "numpy", "packaging", "psutil", "scipy", *more)):
            (folder / place.name).symlink_to(place)
    (folder / "harness.pth").write_text(f"{Path(__file__).parents[3]}\n")
    return folder


def make_interpreter(folder: Path, site_packages: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    line = f"import site; site.addsitedir({str(site_packages)!r})\n"
    (next(folder.glob("lib/*/site-packages")) / "more.pth").write_text(line)
    return folder / "bin" / "python"


def built(
    python: Path,
    project: Path,
    revision: str | None,
    base: Sequence[str] = (),
    candidate: Sequence[str] = (),
    **policy: Any,
) -> Any:
    """Build both sides in another interpreter than this one."""
    question = json.dumps([str(project), policy, revision, base, candidate])
    done = subprocess.run([python, "-P", "-c", DRIVER, question], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def within(side: Any, script: str) -> Any:
    """Run a script in a side, an environment or what `built` told of one, and read what it prints."""
    told = side if isinstance(side, dict) else vars(side)
    done = subprocess.run(
        [told["python"], "-P", "-c", script],
        cwd=told["folder"],
        env={**os.environ, **told["variables"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sides(
    project: Path, revision: str | None, requirements: Sequence[str] = (), **policy: Any
) -> tuple[SideEnvironment, SideEnvironment, list[str]]:
    return build(Config(project), msgspec.convert(policy, GatePolicy), revision, requirements, say=lambda _: None)


VALUES = "import json, mine, inner; print(json.dumps([mine.VALUE, inner.VALUE]))"


def test_each_side_imports_its_own_source(project: Path) -> None:
    write(project, {"mine.py": "VALUE = 3\n"})
    base, candidate, remarks = sides(project, "v1")
    assert (within(base, VALUES), within(candidate, VALUES)) == ([1, 1], [3, 2])
    assert within(base, "import json, harness; print(json.dumps(harness.OLD))") is True
    assert base.side == msgspec.structs.replace(
        base.side, name="v1", commit=git(project, "rev-parse", "v1"), dirty=False
    )
    assert (candidate.side.name, candidate.side.dirty) == ("working tree", True)
    assert (base.python, base.side.packages) == (Path(sys.executable), {})
    assert remarks == ["the working tree has changes that are not committed"]


def test_the_same_on_both_sides_is_said(project: Path) -> None:
    base, candidate, remarks = sides(project, "main")
    assert (within(base, VALUES), within(candidate, VALUES)) == ([2, 2], [2, 2])
    assert base.folder != candidate.folder
    assert remarks == ["both sides are the same, source and packages: only noise can differ"]


def test_a_project_in_a_sub_folder_and_its_neighbour(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"sub/here.py": "VALUE = 'old'\n", "lib/beside.py": "VALUE = 'old'\n"})
    commit(project)
    git(project, "tag", "v2")
    write(project, {"sub/here.py": "VALUE = 'new'\n", "lib/beside.py": "VALUE = 'new'\n"})
    # As of an editable install of the neighbour: the base must not import the candidate's.
    monkeypatch.setenv("PYTHONPATH", str(project / "lib"))
    base, candidate, _ = sides(project / "sub", "v2")
    script = "import json, here, beside; print(json.dumps([here.VALUE, beside.VALUE]))"
    assert (within(base, script), within(candidate, script)) == (["old"] * 2, ["new"] * 2)
    with pytest.raises(UsageError, match="revision v1 has no folder sub"):
        sides(project / "sub", "v1")


def test_paths_of_the_policy_replace_the_default(project: Path) -> None:
    write(project, {"lib/mine.py": "VALUE = 'lib'\n"})
    base, candidate, remarks = sides(project, "v1", paths=["lib", "src"])
    assert candidate.variables["PYTHONPATH"] == os.pathsep.join([str(project / "lib"), str(project / "src")])
    assert base.variables["PYTHONPATH"] == str(base.folder / "src")
    assert "the base has no folder lib, which the gate's paths name" in remarks
    with pytest.raises(UsageError, match="there is no folder"):
        sides(project, "v1", paths=["none"])
    with pytest.raises(UsageError, match="lies outside of"):
        sides(project, "v1", paths=[".."])


def test_dependencies_that_no_lock_file_pins_are_said_to_be_shared(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy>=2"]\n')
    assert any("no lock file says which versions" in remark for remark in sides(project, "v1")[2])
    (project / "requirements.txt").write_text("nothing-installed==1\n")
    assert not any("no lock file" in remark for remark in sides(project, "v1")[2])


def test_a_gate_needs_a_base(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a base"):
        sides(project, None)
    (tmp_path / "bare").mkdir()
    with pytest.raises(UsageError, match="is in no git repository"):
        sides(tmp_path / "bare", "v1")
    with pytest.raises(UsageError, match=r"there is no folder .*wheels"):
        sides(project, None, ["tinypkg==1.0"], wheels="wheels")


def test_what_is_installed_anyway_needs_nothing(project: Path) -> None:
    base, candidate, remarks = sides(project, None, ["numpy>=1"])
    assert (base.python, base.folder, base.variables) == (candidate.python, candidate.folder, candidate.variables)
    assert remarks == [
        "the base needs no other numpy>=1: it is what is installed here",
        "both sides are the same, source and packages: only noise can differ",
    ]


@pytest.mark.usefixtures("shared_cache")
def test_other_packages_of_the_base_come_before_the_installed_ones(project: Path, parent: Path, wheels: Path) -> None:
    first, again = (built(parent, project, "v1", ["tinypkg==1.0"], wheels=str(wheels)) for _ in range(2))
    assert (again["told"], again["base"]) == ([], first["base"])
    assert first["base"]["name"] == "v1 with tinypkg==1.0"
    assert (first["base"]["packages"], first["candidate"]["packages"]) == ({"tinypkg": "1.0"}, {"tinypkg": "2.0"})
    base, candidate = within(first["base"], LOOK), within(first["candidate"], LOOK)
    assert (base[0], candidate[0]) == ("1.0", "2.0")
    # The tree's harness goes before the installed one, which the candidate finds; numpy is the parent's on both sides.
    assert base[1] == str(Path(first["base"]["folder"]) / "harness" / "__init__.py")
    assert candidate[1] == str(Path(__file__).parents[3] / "harness" / "__init__.py")
    assert base[2] == candidate[2]


def test_two_gates_at_once_build_a_half_built_environment_anew(
    project: Path, parent: Path, wheels: Path, shared_cache: Path
) -> None:
    built(parent, project, None, ["tinypkg==1.0"], wheels=str(wheels))
    (ready,) = shared_cache.glob("gate/packages/*/.ready")
    ready.unlink()
    for module in ready.parent.glob("lib/*/site-packages/tinypkg/__init__.py"):
        module.unlink()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: built(parent, project, "v1", ["tinypkg==1.0"], wheels=str(wheels)), range(2)))
    assert answers[0]["base"] == answers[1]["base"]
    assert within(answers[0]["base"], LOOK)[0] == "1.0"
    assert sum("building the base's packages: tinypkg==1.0" in answer["told"] for answer in answers) == 1


@pytest.mark.usefixtures("shared_cache")
def test_both_sides_may_have_packages_of_their_own_outside_of_git(tmp_path: Path, parent: Path, wheels: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    answer = built(parent, folder, None, ["tinypkg==1.0"], ["fresh"], wheels=str(wheels))
    assert answer["base"]["packages"] == {"tinypkg": "1.0"}
    assert answer["candidate"]["packages"] == {"tinypkg": "2.0", "fresh": "1.0"}
    assert [answer[side]["folder"] for side in ("base", "candidate")] == [str(folder)] * 2


@pytest.mark.usefixtures("shared_cache")
def test_a_lock_file_that_pins_other_versions_makes_the_base(project: Path, parent: Path, wheels: Path) -> None:
    (project / "constraints.txt").write_text("tinypkg==1.0\nnot-installed==1\ntool==1\n")
    commit(project)
    (project / "constraints.txt").write_text("tinypkg==2.0\ntool==2\nuser-pkg==3.0\n")
    answer = built(parent, project, "HEAD", wheels=str(wheels))
    assert answer["base"]["packages"] == {"tinypkg": "1.0"}
    assert within(answer["base"], LOOK)[0] == "1.0"
    assert "runs with what is installed, not with what is pinned: user-pkg 1.0 (3.0 is pinned)" in str(
        answer["remarks"]
    )
    assert "not installed, were left out: not-installed==1" in str(answer["remarks"])


def test_what_pip_cannot_do_is_said(project: Path, parent: Path, wheels: Path) -> None:
    unknown = built(parent, project, None, ["tinypkg==9"], wheels=str(wheels))
    assert unknown["code"] == Exit.TRIAL_FAILED
    assert unknown["error"] == "pip cannot install the base's tinypkg==9: No matching distribution found for tinypkg==9"
    assert "from versions: 1.0, 2.0" in unknown["tail"]
    conflict = built(parent, project, None, ["needy"], wheels=str(wheels))
    assert conflict["code"] == Exit.TRIAL_FAILED
    assert conflict["error"].endswith("installed is tinypkg==2.0; add tinypkg to --base-with in a version that fits")
    assert list((Path(os.environ["BAKEOFF_CACHE"]) / "gate/packages").glob("*/")) == []


def test_an_index_that_cannot_be_reached_is_said(project: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    answer = built(parent, project, None, ["tinypkg==1.0"])
    assert answer["code"] == Exit.TRIAL_FAILED
    assert "No matching distribution found for tinypkg==1.0" in answer["error"]
    assert "127.0.0.1" in answer["tail"]


def test_a_change_that_breaks_an_installed_package_is_refused(project: Path, parent: Path, tmp_path: Path) -> None:
    make_wheel(tmp_path / "old", "tinypkg", "0.5")
    answer = built(parent, project, None, ["tinypkg==0.5"], wheels=str(tmp_path / "old"))
    assert answer["code"] == Exit.TRIAL_FAILED
    # That strict-pkg lacks needy was so before.
    assert answer["error"] == (
        "the base's tinypkg==0.5 breaks what is installed: user-pkg 1.0 has requirement tinypkg>=1, "
        "but you have tinypkg 0.5; add user-pkg to --base-with in a version that fits"
    )


@pytest.mark.usefixtures("shared_cache")
def test_packages_that_the_own_source_hides_are_refused(project: Path, parent: Path, wheels: Path) -> None:
    write(project, {"tinypkg/__init__.py": "__version__ = 'own'\n"})
    answer = built(parent, project, None, ["tinypkg==1.0"], wheels=str(wheels))
    assert answer["code"] == Exit.TRIAL_FAILED
    assert f"tinypkg 1.0 has no effect on the base: it is imported from {project}" in answer["error"]


def test_an_import_hook_that_goes_before_the_base_is_refused(project: Path, parent: Path, tmp_path: Path) -> None:
    site = tmp_path / "hook"
    site.mkdir()
    (site / "hook.py").write_text(HOOK.format(str(project / "mine.py")))
    (site / "hook.pth").write_text("import hook\n")
    (site / "all.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    python = make_interpreter(tmp_path / "hooked", site)
    answer = built(python, project, "v1")
    assert answer["code"] == Exit.TRIAL_FAILED
    assert f"the base would import mine from {project / 'mine.py'}" in answer["error"]


def test_an_interpreter_without_pip_gets_it_from_ensurepip(tmp_path: Path, wheels: Path) -> None:
    needs = needs_of_the_harness(tmp_path / "needs")
    zipfile.ZipFile(wheels / "tinypkg-2.0-py3-none-any.whl").extractall(needs)
    python = make_interpreter(tmp_path / "no-pip", needs)
    (tmp_path / "bare").mkdir()
    answer = built(python, tmp_path / "bare", None, ["tinypkg==1.0"], wheels=str(wheels))
    assert answer["base"]["packages"] == {"tinypkg": "1.0"}
    assert within(answer["base"], LOOK)[0] == "1.0"


def test_an_interpreter_with_neither_pip_nor_ensurepip_is_said(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'Error: ensurepip is not available on this system'\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EnvironmentBuildError, match="has neither pip nor ensurepip") as caught:
        sides(project, None, ["tinypkg==1.0"])
    assert "not available" in caught.value.tail
