"""A small project in which suites are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from interop.small_project import write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of the project."""
    return write(tmp_path)
