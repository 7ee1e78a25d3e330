"""`bakeoff ci` prints the files of docs/ci."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Project

FILES = Path(__file__).parents[2] / "docs" / "ci"


@pytest.mark.parametrize(("name", "file"), [("github", "github.yml"), ("gitlab", "gitlab.yml"), ("script", "gate.sh")])
def test_the_files_are_printed_as_they_are(tmp_path: Path, name: str, file: str) -> None:
    assert Project(tmp_path).bakeoff("ci", name).stdout == (FILES / file).read_text(encoding="utf-8")


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    assert "'github'" in Project(tmp_path).bakeoff("ci", "jenkins", code=2).stderr
