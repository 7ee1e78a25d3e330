"""The cards in docs/data.md are read, with files that fit them."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import Project, write_card

from harness import Arrays, Dataset, Interactions, LoggedRounds, TextSplit
from harness.data.card import ColumnsFile, File
from harness.data.cards import dataset, read_card
from harness.data.readers import kinds, reader_of
from harness.declare import Takes

PAGE = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


CARDS = blocks("toml")


def test_the_first_example_is_a_data_set_of_boosting(project: Project) -> None:
    folder = project.folder / "datasets"
    folder.mkdir()
    (folder / "churn.csv").write_text(blocks("text")[0])
    (folder / "churn.toml").write_text(CARDS[0])
    assert "checksum verified" in project.bakeoff("data", "get", "churn").stdout
    split = dataset(read_card(folder / "churn.toml")).load({"rows": 16}, np.random.default_rng(0))
    assert split.features == ("plan", "age")
    assert (len(split.train), len(split.test)) == (16, 4)
    assert np.isnan(np.concatenate([split.train.X, split.test.X])).sum() == 1
    assert "data set   churn" in project.bakeoff("list", "boosting").stdout


def table(separator: str, header: str, row: Callable[[int], tuple[object, ...]]) -> bytes:
    lines = [separator.join(map(str, row(number))) for number in range(12)]
    return "\n".join([*([header] if header else []), *lines, ""]).encode()


FILES = {
    "interactions": table("\t", "", lambda row: (f"u{row % 3}", f"film {row % 4}", row % 5, 1_700_000_000 + row)),
    "log": table(",", "item,paid,probability,city", lambda row: (row % 3, row / 2, 1 / 3, "Rome")),
    "text": table(",", "message,queue", lambda row: (f"ticket {row}", ("billing", "sales")[row % 2])),
}
VALUES = {"interactions": Interactions, "log": LoggedRounds, "text": TextSplit, "arrays": Arrays}


@pytest.mark.parametrize("card", [CARDS[1], *CARDS[5:8]])
def test_every_kind_is_read(tmp_path: Path, card: str) -> None:
    said: dict[str, Any] = tomllib.loads(card)
    file = tmp_path / said["file"]["path"]
    if said["kind"] == "arrays":
        np.savez(file, X=np.zeros((12, 8, 8)), y=np.zeros(12), not_named=np.zeros(3))
    else:
        file.write_bytes(FILES[said["kind"]])
    keys = [line for line in card.partition("[file]\n")[2].splitlines() if not line.startswith("path =")]
    made: Dataset = dataset(read_card(write_card(file, "\n".join(keys), kind=said["kind"])))
    made.verify()
    params = {name: param.default for name, param in made.params.items()}
    assert isinstance(made.load(params, np.random.default_rng(0)), VALUES[said["kind"]])


RATINGS = [f"{row // 4},{row % 4},{row % 5},{1_700_000_000 + row}" for row in range(12)]
FILMS = ["0,Heat,Crime|Drama", "1,Cats,Musical", "2,Up,", "3,Twice,Crime"]
PUBLISHED = {
    "ratings.dat": "\n".join(RATINGS).replace(",", "::"),
    "movies.dat": "\n".join(FILMS).replace(",", "::"),
    "ratings.csv": "\n".join(["userId,movieId,rating,timestamp", *RATINGS]),
    "movies.csv": "\n".join(["movieId,title,genres", *FILMS]),
    "usersha1-artmbid-artname-plays.tsv": "\n".join(f'u{row % 3}\t\t"a{row % 4}\t{row}' for row in range(12)),
}


@pytest.mark.parametrize("card", CARDS[2:5])
def test_published_interactions_are_read(tmp_path: Path, card: str) -> None:
    said: dict[str, Any] = tomllib.loads(card)["file"]
    for file in filter(None, (said, said.get("items"))):
        (tmp_path / file["path"]).write_text(PUBLISHED[file["path"]])
    main, table, items = card.partition("[file]\n")[2].partition("[file.items]\n")
    if items:
        content = PUBLISHED[said["items"]["path"]].encode()
        items = items.replace("0" * 64, hashlib.sha256(content).hexdigest())
        items = re.sub(r"(?m)^rows = \d+", "rows = 4", re.sub(r"(?m)^bytes = \d+", f"bytes = {len(content)}", items))
    layout = re.sub(r"(?m)^rows = \d+", "rows = 12", re.sub("path = .*\n", "", main)) + table + items
    made = dataset(read_card(write_card(tmp_path / said["path"], layout, kind="interactions")))
    made.verify()
    data = made.load({}, np.random.default_rng(0))
    assert (len(data), len(data.user_names), len(data.item_names)) == (12, 3, 4)
    if items:
        assert data.item_features == (("genres=Crime", "genres=Drama"), ("genres=Musical",), (), ("genres=Crime",))


def test_the_fetched_example_is_a_card(tmp_path: Path) -> None:
    (tmp_path / "penguins.toml").write_text(CARDS[8])
    card = read_card(tmp_path / "penguins.toml")
    assert card.file is not None
    assert card.file.origin is not None
    assert card.file.origin.text == "pip package palmerpenguins==0.1.6"
    assert len(CARDS) == 9


def test_every_kind_has_its_keys_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\|([^|]*)\|", PAGE, re.MULTILINE)
    listed = {kind: set(re.findall(r"`(\w+)`", keys)) for kind, keys in rows if kind in kinds()}
    assert listed == {
        kind: set(reader_of(kind).file.__struct_fields__) - set(ColumnsFile.__struct_fields__) - {"positives"}
        for kind in kinds()
    }
    keys = set(re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\|$", PAGE, re.MULTILINE))
    assert keys >= set(ColumnsFile.__struct_fields__) - set(File.__struct_fields__)


def test_the_example_of_a_task_runs() -> None:
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["takes"] == Takes("table", targets=("multiclass", "real"))


def test_checksums_of_the_page_are_of_its_file() -> None:
    assert hashlib.sha256(blocks("text")[0].encode()).hexdigest() in CARDS[0]
