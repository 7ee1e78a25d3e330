"""Interactions in the formats in which data sets are published, and what can be wrong with such files."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import write_card

from harness.data.cards import dataset, read_card
from harness.data.files import check
from harness.data.readers.interactions import Interactions
from harness.errors import UsageError

#: MovieLens 1M: users, films, stars and seconds between two colons; titles are in Latin-1.
RATINGS_1M = "".join(f"{1 + row // 4}::{1 + row % 4}::{1 + row % 5}::{978300760 + row}\n" for row in range(12))
FILMS_1M = (
    "1::Toy Story (1995)::Animation|Children's|Comedy\n"
    "2::Cit\xe9 des enfants perdus, La (1995)::Adventure|Sci-Fi\n"
    '3::Les "quotes", (1990)::Drama\n'
    "4::Star Wars: Episode IV - A New Hope (1977)::Drama|Drama\n"
    "5::Never Rated (1977)::Drama\n"
)
LAYOUT_1M = """rows = 12
columns = ["user", "film", "stars", "second"]
separator = "::"
user = "user"
item = "film"
weight = "stars"
time = "second"
"""
ITEMS_1M = (
    'columns = ["film", "title", "genres"]\nseparator = "::"\nquotes = false\nitem = "film"\nfeatures = {genres = "|"}'
)

#: MovieLens 20M and 25M: CSV with headers; titles with commas stand in quotes.
RATINGS_20M = "userId,movieId,rating,timestamp\n" + "".join(
    f"{1 + row // 4},{100 * (1 + row % 4)},{(1 + row % 10) / 2},{1112486027 + row}\n" for row in range(12)
)
FILMS_20M = (
    'movieId,title,genres\n100,"American President, The (1995)",Comedy|Romance\n200,GoldenEye (1995),Action\n'
    '300,"""Great Performances"" Cats (1998)",Musical\n400,Unknown,(no genres listed)\n'
)

#: Last.fm 360K: hashes of users, identities and names of artists, plays. Quotes and null are parts of names.
ARTISTS = ["betty blowtorch", '"weird al" yankovic', "null", 'NA"', "sigur r\xf3s", "12 stones"]
PLAYS_360K = "".join(f"a{row % 2:039x}\t{'' if row % 3 else 'mbid'}\t{ARTISTS[row // 2]}\t{row}\n" for row in range(12))
LAYOUT_360K = """rows = 12
columns = ["user", "mbid", "artist", "plays"]
quotes = false
user = "user"
item = "artist"
weight = "plays"
weight_kind = "count"
"""


def with_items(file: Path, content: bytes, layout: str) -> str:
    """Write a file of items, and return its table of the card."""
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return f'[file.items]\npath = "{file.name}"\nsha256 = "{digest}"\nbytes = {len(content)}\n{layout}\n'


def interactions(file: Path, content: bytes, layout: str) -> Path:
    file.write_bytes(content)
    return write_card(file, layout, kind="interactions")


def load(card: Path) -> Any:
    check(read_card(card))
    return dataset(read_card(card)).load({}, np.random.default_rng(0))


def test_movielens_1m(tmp_path: Path) -> None:
    items = with_items(tmp_path / "movies.dat", FILMS_1M.encode("latin-1"), f"rows = 5\n{ITEMS_1M}")
    made = load(interactions(tmp_path / "ratings.dat", RATINGS_1M.encode(), LAYOUT_1M + items))
    assert isinstance(made, Interactions)
    assert (made.user_names, made.item_names) == ((1, 2, 3), (1, 2, 3, 4))
    assert made.weights is not None
    assert made.weights.tolist() == [1 + row % 5 for row in range(12)]
    assert made.time is not None
    assert made.time.tolist() == list(range(978300760, 978300772))
    # A value that comes twice is one feature; films that nobody rated are left out.
    assert made.item_features == (
        ("genres=Animation", "genres=Children's", "genres=Comedy"),
        ("genres=Adventure", "genres=Sci-Fi"),
        ("genres=Drama",),
        ("genres=Drama",),
    )


@pytest.mark.parametrize("packed", [False, True])
def test_movielens_20m_and_25m(tmp_path: Path, packed: bool) -> None:
    layout = 'rows = 12\nuser = "userId"\nitem = "movieId"\nweight = "rating"\ntime = "timestamp"\n'
    items = with_items(
        tmp_path / "movies.csv", FILMS_20M.encode(), 'rows = 4\nitem = "movieId"\nfeatures = {genres = "|", title = ""}'
    )
    content = gzip.compress(RATINGS_20M.encode()) if packed else RATINGS_20M.encode()
    made = load(interactions(tmp_path / ("ratings.csv.gz" if packed else "ratings.csv"), content, layout + items))
    assert made.item_names == (100, 200, 300, 400)
    assert made.weights.tolist() == [(1 + row % 10) / 2 for row in range(12)]
    assert made.item_features[0] == ("genres=Comedy", "genres=Romance", "title=American President, The (1995)")
    assert made.item_features[2] == ("genres=Musical", 'title="Great Performances" Cats (1998)')
    assert made.item_features[3][0] == "genres=(no genres listed)"


def test_last_fm_360k(tmp_path: Path) -> None:
    made = load(interactions(tmp_path / "plays.tsv", PLAYS_360K.encode(), LAYOUT_360K))
    assert made.user_names == (f"a{0:039x}", f"a{1:039x}")
    assert [made.item_names[item] for item in made.items] == [ARTISTS[row // 2] for row in range(12)]
    assert made.weights.tolist() == list(range(12))
    assert (made.time, made.item_features) == (None, None)


def test_long_separators_of_compressed_files(tmp_path: Path) -> None:
    made = load(interactions(tmp_path / "ratings.dat.gz", gzip.compress(RATINGS_1M.encode()), LAYOUT_1M))
    assert made.items.tolist() == [row % 4 for row in range(12)]


def plays(value: str) -> str:
    return PLAYS_360K.replace("\t7\n", f"\t{value}\n")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-7", r"weight 'plays' of .* is -7 in row 8: a count is a whole number from 0"),
        ("7.5", r"weight 'plays' of .* is 7.5 in row 8: .* say weight_kind = \"real\" in the card"),
        ("", "weight 'plays' of .* misses 1 values"),
        ("many", "weight 'plays' of .* is of type string; it must contain numbers"),
    ],
)
def test_counts_that_are_none(tmp_path: Path, value: str, message: str) -> None:
    card = interactions(tmp_path / "plays.tsv", plays(value).encode(), LAYOUT_360K)
    with pytest.raises(UsageError, match=message):
        check(read_card(card))
    if value in ("-7", "7.5"):
        card.write_text(card.read_text().replace('"count"', '"real"'))
        assert load(card).weights[7] == float(value)


def test_pairs_that_come_twice(tmp_path: Path) -> None:
    again = RATINGS_1M.replace("3::3::", "3::1::").replace("2::4::", "2::3::")
    card = interactions(tmp_path / "ratings.dat", again.encode(), LAYOUT_1M)
    message = r"ratings.dat has user 2 with item 3 in rows 7 and 8 \(2 such rows\); .*repeats = true"
    with pytest.raises(UsageError, match=message):
        check(read_card(card))
    card.write_text(card.read_text().replace("rows = 12", "rows = 12\nrepeats = true"))
    assert len(load(card)) == 12


@pytest.mark.parametrize(
    ("separator", "columns", "message"),
    [
        (",", True, r"cannot be read as dat: CSV parse error: .*Expected 4 columns, got 1: .*; is ',' what separates"),
        (";;", True, r"Expected 4 columns, got 1: .*; is ';;' what separates its columns\? If not, say separator = "),
        (",", False, r"has no column 'user', only '1::1::1::978300760'; is ',' what separates its columns"),
    ],
)
def test_wrong_separators(tmp_path: Path, separator: str, columns: bool, message: str) -> None:
    layout = LAYOUT_1M.replace('"::"', f'"{separator}"')
    if not columns:
        layout = re.sub("columns = .*\n", "", layout).replace("rows = 12", "rows = 11")
    card = interactions(tmp_path / "ratings.dat", RATINGS_1M.encode(), layout)
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


def test_files_of_another_format(tmp_path: Path) -> None:
    card = interactions(tmp_path / "ratings.csv", b"PK\x03\x04" + bytes(range(256)), LAYOUT_1M)
    with pytest.raises(UsageError, match=r"ratings.csv (cannot be read as csv|contains the byte)"):
        check(read_card(card))
    card = interactions(tmp_path / "ratings.dat.gz", RATINGS_1M.encode(), LAYOUT_1M)
    with pytest.raises(UsageError, match=r"ratings.dat.gz cannot be read as dat: Not a gzipped file"):
        check(read_card(card))
    damaged = bytearray(gzip.compress(RATINGS_1M.encode()))
    damaged[12:20] = b"\xff" * 8
    card = interactions(tmp_path / "ratings.dat.gz", bytes(damaged), LAYOUT_1M)
    with pytest.raises(UsageError, match=r"ratings.dat.gz cannot be read as dat: "):
        check(read_card(card))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2001-13-01", r"time 'second' of .* is of type string \('2001-13-01'\); it must contain integers, dates or"),
        ("yesterday", r"is of type string \('yesterday'\); it must contain"),
        ("2001-01-01", r"is of type string \('978300760'\); it must contain"),
        ("978300766.5", r"time 'second' of .* is of type double; it must contain integers"),
        ("", r"time 'second' of .* misses 1 values"),
    ],
)
def test_times_that_do_not_parse(tmp_path: Path, value: str, message: str) -> None:
    card = interactions(tmp_path / "ratings.dat", RATINGS_1M.replace("978300766", value).encode(), LAYOUT_1M)
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


@pytest.mark.parametrize(
    ("films", "message"),
    [
        (FILMS_1M.replace("3::", "30::"), r"item 'film' of .*movies.dat lacks 1 items of item 'film' of .*such as 3"),
        (FILMS_1M.replace("5::N", "1::N"), r"item 'film' of .*movies.dat has 1 twice; a file of items has a row for"),
        (FILMS_1M.replace("5::", "five::"), r"movies.dat lacks 4 items of .*such as 1"),
        (FILMS_1M.removesuffix("5::Never Rated (1977)::Drama\n"), "movies.dat has 4 rows, but its card says 5"),
    ],
)
def test_wrong_files_of_items(tmp_path: Path, films: str, message: str) -> None:
    items = with_items(tmp_path / "movies.dat", films.encode("latin-1"), f"rows = 5\n{ITEMS_1M}")
    card = interactions(tmp_path / "ratings.dat", RATINGS_1M.encode(), LAYOUT_1M + items)
    with pytest.raises(UsageError, match=message):
        check(read_card(card))


def test_the_file_of_items_is_checked_with_the_other(tmp_path: Path) -> None:
    items = with_items(tmp_path / "movies.dat", FILMS_1M.encode("latin-1"), f"rows = 5\n{ITEMS_1M}")
    card = interactions(tmp_path / "ratings.dat", RATINGS_1M.encode(), LAYOUT_1M + items)
    first = dataset(read_card(card))
    assert first.provides == ("time", "weight", "items")
    changed = FILMS_1M.replace("Sci-Fi", "Horror").encode("latin-1")
    (tmp_path / "movies.dat").write_bytes(changed)
    with pytest.raises(UsageError, match=r"movies.dat is not the file that the card of data set mine describes"):
        first.load({}, np.random.default_rng(0))
    items = with_items(tmp_path / "movies.dat", changed, f"rows = 5\n{ITEMS_1M}")
    card = interactions(tmp_path / "ratings.dat", RATINGS_1M.encode(), LAYOUT_1M + items)
    assert dataset(read_card(card)).version != first.version
    card.write_text(card.read_text().replace("rows = 5", "rowz = 5"))
    with pytest.raises(UsageError, match=r"unknown field `rowz` - at `\$.file.items`"):
        read_card(card)
