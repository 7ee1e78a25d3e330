"""Projects in which the harness runs as a user would run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from support import Project, make_project

# Readline, which pytest imports, tells the workers of xdist a terminal's size; commands print as wide as it says.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

#: Examples that hypothesis tries may take as long as the machine needs.
settings.register_profile("bakeoff", deadline=None)
settings.load_profile("bakeoff")

#: Files that take long with few tests. Workers of xdist take them first, so that none is left with one at the end.
LONG = (
    "docs/test_snippets.py",
    "test_example_project.py",
    "gate/live/test_older_base.py",
    "execute/test_machines.py",
    "topics/bandits/test_docs.py",
    "topics/ope/test_docs.py",
    "interop/test_asv_suites.py",
    "report/test_charts.py",
    "gate/environments/test_build.py",
    "interop/test_pytest_suites.py",
    "execute/test_faults.py",
    "execute/test_dask.py",
    "execute/test_dask_faults.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [Path(__file__).parent / name for name in LONG]
    items.sort(key=lambda item: places.index(item.path) if item.path in places else len(places))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the tests of a file that only read what one run left."""
    return make_project(tmp_path_factory.mktemp("shared") / "project")
