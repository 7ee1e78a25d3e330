"""``bakeoff data``: cards and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Project, write_csv_card


@pytest.fixture(scope="module")
def churn(shared_project: Project) -> Path:
    return write_csv_card(shared_project.folder / "datasets", "churn", rows=50)


def test_list_has_the_cards_of_harness_and_project(shared_project: Project, churn: Path) -> None:
    headings, _rule, *words = shared_project.bakeoff("data", "list").stdout.splitlines()
    assert headings.split() == ["name", "title", "licence"]
    assert words[0].startswith("flights  ")
    assert words[-1].split() == ["churn", "T", "internal"]
    cards = json.loads(shared_project.bakeoff("data", "list", "--json").stdout)
    assert [line.split()[0] for line in words] == [card["name"] for card in cards]
    assert cards[-1]["file"]["rows"] == 50


def test_get_verifies(shared_project: Project, churn: Path) -> None:
    said = shared_project.bakeoff("data", "get", "churn").stdout
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[:4] == ["churn: T", "source the warehouse", "licence internal", "file checksum verified"]
    card = json.loads(shared_project.bakeoff("data", "get", "churn", "--json").stdout)
    assert card["source"] == {"text": "the warehouse", "url": None}


def test_get_of_generated_data(shared_project: Project) -> None:
    said = shared_project.bakeoff("data", "get", "synthetic-tabular").stdout
    assert "generated, nothing to verify\n" in said
    assert "AUC 1 - e: at the default e = 0.1 these are 0.1" in said


def test_path_is_where_the_file_lies(shared_project: Project, churn: Path) -> None:
    assert shared_project.bakeoff("data", "path", "churn").stdout == f"{churn}\n"


def test_damaged_file_is_refused(project: Project) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", rows=50)
    file.write_text(file.read_text().replace("0", "1", 1))
    done = project.bakeoff("data", "get", "churn", code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {file} is not the file that the card of data set churn describes: ")


def test_wrong_size_on_a_card_is_one_sentence(project: Project) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", rows=50)
    size, card = file.stat().st_size, file.with_suffix(".toml")
    card.write_text(card.read_text().replace(f"bytes = {size}", "bytes = 7"))
    assert project.bakeoff("data", "get", "churn", code=2).stderr == (
        f"error: {file} has {size} bytes, but the card of data set churn says bytes = 7: correct the card\n"
    )
