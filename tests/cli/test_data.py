"""``bakeoff data``: cards and files."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest
from support import Project, write_card, write_csv_card

from harness.data.draft import draft
from harness.errors import UsageError


@pytest.fixture(scope="module")
def churn(shared_project: Project) -> Path:
    return write_csv_card(shared_project.folder / "datasets", "churn", rows=50)


def test_list_has_the_cards_of_harness_and_project(shared_project: Project, churn: Path) -> None:
    headings, _rule, *words = shared_project.bakeoff("data", "list").stdout.splitlines()
    assert headings.split() == ["name", "title", "licence", "file"]
    assert words[0].startswith("acs-employment  ")
    assert words[-1].split() == ["churn", "T", "internal", "here"]
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


ROWS = "plan,since,on,grade,left\n" + "".join(
    f"{'ab'[row % 2]},2024-01-{row + 1:02},{row / 10},{row % 3},{row % 2}\n" for row in range(20)
)


def test_a_card_is_drafted_from_a_file(project: Project) -> None:
    """What can be counted is filled in, so that the card is read as it is."""
    file = project.folder / "datasets" / "leavers.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(ROWS)
    asked = ("data", "card", str(file), "--target", "left", "--task", "boosting/tabular-binary")
    said = project.bakeoff(*asked)
    card = file.with_suffix(".toml")
    assert said.stdout == f"wrote {card}; fill in what is empty, then: bakeoff data get leavers\n"
    read = json.loads(project.bakeoff("data", "get", "leavers", "--json").stdout)
    assert (read["tasks"], list(read["features"])) == (["boosting/tabular-binary"], ["plan", "on", "grade"])
    checked = {key: read["file"][key] for key in ("rows", "bytes", "target", "target_kind", "time")}
    assert checked == {"rows": 20, "bytes": len(ROWS), "target": "left", "target_kind": "binary", "time": "since"}
    assert read["file"]["sha256"] == hashlib.sha256(ROWS.encode()).hexdigest()


def test_a_card_that_exists_is_left_alone(project: Project) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", rows=50)
    before = file.with_suffix(".toml").read_text()
    file.write_text(file.read_text().replace("0", "1", 1))
    said = project.bakeoff("data", "card", str(file), "--target", "left", code=2).stderr
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    assert f'sha256 = "{checksum}", bytes = {file.stat().st_size}, rows = 50' in said
    assert file.with_suffix(".toml").read_text() == before


@pytest.mark.parametrize(
    ("column", "kind"), [("left", "binary"), ("grade", "multiclass"), ("plan", "multiclass"), ("on", "real")]
)
def test_the_kind_of_a_target_is_guessed(tmp_path: Path, column: str, kind: str) -> None:
    file = tmp_path / "leavers.csv"
    file.write_text(ROWS)
    drafted = tomllib.loads(draft(file, column, ()))
    assert drafted["file"]["target_kind"] == kind
    assert column not in drafted["features"]


@pytest.mark.parametrize(
    ("name", "target", "sentence"),
    [
        ("leavers.csv", "lft", "has no column 'lft'; did you mean left?"),
        ("Leavers.csv", "left", "a data set cannot be named 'Leavers'; rename"),
        ("leavers.xlsx", "left", "must be one of .parquet, .csv"),
        ("nosuch.csv", "left", "cannot read nosuch.csv: No such file"),
    ],
)
def test_what_cannot_have_a_card_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if name != "nosuch.csv":
        Path(name).write_text(ROWS)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        draft(Path(name), target, ())


def test_names_of_columns_are_kept_whatever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    odd = ('a "quoted" one', "with.dot", "é", "back\\slash")
    file.write_text(",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in (*odd, "y")) + "\n1,2,3,4,0\n" * 12)
    assert tuple(tomllib.loads(draft(file, "y", ()))["features"]) == odd


def test_damaged_file_is_refused(project: Project) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", rows=50)
    file.write_text(file.read_text().replace("0", "1", 1))
    done = project.bakeoff("data", "get", "churn", code=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {file} is not the file that the card of data set churn describes: ")


def test_a_file_is_fetched_and_read(project: Project, tmp_path: Path) -> None:
    """The columns of the fetched file are checked at once, not at the first trial."""
    folder, cache = project.folder / "datasets", str(tmp_path / "cache")
    file = write_csv_card(folder, "churn", tasks=["boosting/tabular-binary"], rows=100)
    card = file.with_suffix(".toml")
    card.write_text(card.read_text() + 'from = {url = "raw.csv"}\n')
    file.rename(folder / "raw.csv")
    done = project.bakeoff("data", "get", "churn", BAKEOFF_CACHE=cache)
    size = (folder / "raw.csv").stat().st_size
    assert done.stderr == f"fetching churn from {(folder / 'raw.csv').as_uri()} ({size} bytes)\n"
    assert f"from     {(folder / 'raw.csv').as_uri()}\n" in done.stdout
    where = Path(project.bakeoff("data", "path", "churn", BAKEOFF_CACHE=cache).stdout.strip())
    assert where.is_relative_to(cache)
    assert where.read_bytes() == (folder / "raw.csv").read_bytes()
    project.bakeoff(
        *("run", "boosting", "-d", "churn", "-s", "constant", "--scenario", "clean", "--blocks", "1"),
        BAKEOFF_CACHE=cache,
    )


def test_cells_without_their_data_are_skipped(project: Project, tmp_path: Path) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", tasks=["boosting/tabular-binary"], rows=200)
    file.unlink()
    chosen = ("boosting", "-s", "constant", "--scenario", "clean", "--blocks", "1", "--set", "rows=100")
    done = project.bakeoff("run", *chosen, "-d", "churn", "-d", "flights", "--tables", BAKEOFF_CACHE=str(tmp_path))
    assert "1 x skipped  constant: bakeoff data get churn" in done.stdout
    assert "2 trials: 1 ok, 1 skipped" in done.stdout
    said = project.bakeoff("data", "get", "churn", code=2).stderr
    assert said == f"error: {file}, the file of data set churn, is missing; get it again: the warehouse\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("age,left\n" + "1,yes\n2,no\n" * 50, "must contain 0 and 1 or true and false, not 'yes', 'no'"),
        ("age,gone\n" + "1,0\n2,1\n" * 50, "has no column 'left'"),
        ("age,left\n" + "1,0\ninf,1\n" * 50, "column 'age' of"),
        ("age,left\n" + "1,0\n1e300,1\n" * 50, "contains 1e+300"),
        ("age,left\n" + "1700000000000,0\n1700000000010,1\n" * 50, "2 different values become 1"),
        ("age,left\n" + "1,0\n" * 99 + "2,1\n", "rows of a block are of class 0"),
        ("version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
    ],
)
def test_wrong_data_end_a_run_before_it_begins(project: Project, tmp_path: Path, content: str, sentence: str) -> None:
    folder = project.folder / "datasets"
    folder.mkdir()
    (folder / "churn.csv").write_text(content)
    layout = 'rows = 100\ntarget = "left"'
    write_card(folder / "churn.csv", layout, name="churn", top='tasks = ["boosting/tabular-binary"]')
    done = project.bakeoff("run", "boosting", "-d", "churn", "-s", "constant", code=2, BAKEOFF_CACHE=str(tmp_path))
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not project.runs()


def test_wrong_size_on_a_card_is_one_sentence(project: Project) -> None:
    file = write_csv_card(project.folder / "datasets", "churn", rows=50)
    size, card = file.stat().st_size, file.with_suffix(".toml")
    card.write_text(card.read_text().replace(f"bytes = {size}", "bytes = 7"))
    assert project.bakeoff("data", "get", "churn", code=2).stderr == (
        f"error: {file} has {size} bytes, but the card of data set churn says bytes = 7: correct the card\n"
    )
