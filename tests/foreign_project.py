"""A small project in a git repository, with a package of its own and benchmarks of asv and pytest-benchmark."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support import Project

PACKAGE = """
def total(n):
    for _ in range(WORK):
        out = 0
        for number in range(n):
            out += number
    return out


def size():
    return SIZE
"""
ASV = """
import small


class Sums:
    params = [[500, 20000], ["plain", "odd"]]
    param_names = ["n", "kind"]

    def setup(self, n, kind):
        if kind == "odd" and n == 500:
            raise NotImplementedError
        self.n = n

    def time_total(self, n, kind):
        small.total(self.n)

    def peakmem_total(self, n, kind):
        open("peak.txt", "w").close()


def make_cache():
    with open("made.txt", "w") as file:
        file.write("made")
    return {"n": 500}


def time_cached(cache):
    small.total(cache["n"])


time_cached.setup_cache = make_cache


def timeraw_total():
    return "small.total(500)", "import small"


def track_size():
    return small.size()


track_size.unit = "parts"


def mem_list():
    return [0]
"""
TESTS = """
import pytest

from small import total


@pytest.fixture(scope="module")
def wide():
    return []


@pytest.mark.parametrize("n", [500, 2000])
def test_total(benchmark, n, wide):
    wide.append(n)
    assert benchmark(total, n) == sum(range(n))


def test_pedantic(benchmark, tmp_path):
    torn = []
    benchmark.pedantic(total, setup=lambda: ((500,), {}), teardown=torn.append, rounds=3)
    assert torn == [500]


@pytest.mark.skip(reason="not today")
def test_skipped(benchmark):
    benchmark(total, 1)


@pytest.mark.benchmark(group="wrong")
def test_wrong(benchmark):
    assert benchmark(total, 3) == 4


def test_without_benchmark():
    raise AssertionError
"""


def git(folder: Path, *arguments: str) -> None:
    """Run git as some author."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def write_package(folder: Path, *, work: int = 1, size: int = 1000) -> None:
    """Write the package, which does its work several times."""
    (folder / "small").mkdir(exist_ok=True)
    text = PACKAGE.replace("WORK", str(work)).replace("SIZE", str(size))
    (folder / "small" / "__init__.py").write_text(text)


def make_repository(folder: Path) -> Project:
    """Make the project and commit it on the branch main."""
    suite, tests = folder / "asv_bench" / "benchmarks", folder / "bench"
    for made in (suite, tests):
        made.mkdir(parents=True)
    write_package(folder)
    (folder / "asv_bench" / "asv.conf.json").write_text(
        '{\n  // as asv writes it\n  "version": 1, "project": "small", "repo": "https://localhost/x", '
        '"benchmark_dir": "benchmarks",\n}\n'
    )
    (suite / "__init__.py").touch()
    (suite / "sums.py").write_text(ASV)
    (suite / "broken.py").write_text("import there_is_no_such_module\n")
    (tests / "test_sums.py").write_text(TESTS)
    (folder / "bakeoff.toml").write_text("[gate]\npairs = 4\nrounds = 4\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --cov=small -n 2\n")
    (folder / ".gitignore").write_text("results/\n__pycache__/\n")
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--message=one")
    return Project(folder)
