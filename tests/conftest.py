"""Projects in which the harness runs as a user would run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import Project, make_project

# Readline, which pytest imports, tells the workers of xdist a terminal's size; commands print as wide as it says.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the tests of a file that only read what one run left."""
    return make_project(tmp_path_factory.mktemp("shared") / "project")
