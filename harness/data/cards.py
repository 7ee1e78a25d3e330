"""Cards, which describe data sets, and the data sets made from them.

A card is a file ``<name>.toml``. It points at a file of data beside it, pinned by checksum, or names a generator.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from harness.data import columns
from harness.data.synthetic import GENERATORS
from harness.data.tabular import Split
from harness.declare import Dataset, Param
from harness.declare.names import NAME
from harness.declare.values import Generator
from harness.errors import UsageError, did_you_mean
from harness.records import Scalar

TEST_ROWS = 50_000


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the data come from, and how to get them again."""

    text: str
    url: str | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of data.

    Attributes
    ----------
    path
        Parquet or CSV file; in a card relative to the card, absolute once the card is read.
    sha256, bytes, rows
        What the file must be: its checksum in hexadecimal, its size, its rows without a header.
    target, time, categorical
        Columns, see `harness.data.columns.Layout`.
    positives
        Rows whose target is 1, for pages.
    """

    path: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    bytes: int
    rows: Annotated[int, msgspec.Meta(ge=10)]
    target: str
    time: str | None = None
    categorical: tuple[str, ...] = ()
    positives: int | None = None


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A generator, by its name in `harness.data.synthetic.GENERATORS`."""

    name: str


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set's card.

    Attributes
    ----------
    summary, description
        One line; and what a reader must know before trusting a result.
    tasks
        Tasks that the data join without being named by them, as ``topic/task``.
    features
        The features in their order, each with its meaning; when empty, all columns but target and time.
    file, generator
        Exactly one of them.
    """

    name: str
    title: str
    summary: str
    source: Source
    licence: str
    description: str = ""
    tasks: tuple[str, ...] = ()
    features: dict[str, str] = {}
    file: File | None = None
    generator: Recipe | None = None


def builtin_folder() -> Path:
    """Return the folder of the cards that come with the harness, installed or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def cards(folders: Sequence[Path]) -> dict[str, Card]:
    """Read the cards of some folders, by name.

    Raises
    ------
    UsageError
        When a folder is missing, a card is wrong, or two cards have the same name.
    """
    known: dict[str, Card] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder} to read data-set cards from")
        for place in sorted(folder.glob("*.toml")):
            if place.stem in known:
                raise UsageError(f"{place}: there is another data set named {place.stem}; rename the card")
            known[place.stem] = read_card(place)
    return known


def read_card(place: Path) -> Card:
    """Read one card.

    Raises
    ------
    UsageError
        When the card is not TOML, has an unknown key, or misses one.
    """
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{place} is not valid TOML: {error}") from None
    _check_keys(place, content)
    try:
        card = msgspec.convert(content, Card)
    except msgspec.ValidationError as error:
        raise UsageError(f"{place}: {str(error)[0].lower()}{str(error)[1:]}") from None
    if card.name != place.stem or not NAME.fullmatch(card.name):
        raise UsageError(f"{place}: the card's name is {card.name!r}; it must be the file's, in-lower-case")
    if (card.file is None) == (card.generator is None):
        raise UsageError(f"{place}: a card needs either a [file] or a [generator]")
    if card.generator is not None and card.generator.name not in GENERATORS:
        hint = did_you_mean(card.generator.name, GENERATORS)
        raise UsageError(f"{place}: there is no generator {card.generator.name!r}{hint}")
    if card.file is None:
        return card
    if Path(card.file.path).suffix not in columns.FORMATS:
        raise UsageError(f"{place}: {card.file.path} must be one of {', '.join(columns.FORMATS)}")
    where = str((place.parent / card.file.path).resolve())
    return msgspec.structs.replace(card, file=msgspec.structs.replace(card.file, path=where))


def _check_keys(place: Path, content: Mapping[str, Any]) -> None:
    sections = {"": Card, "source": Source, "file": File, "generator": Recipe}
    for section, struct in sections.items():
        given = content.get(section, {}) if section else content
        known = struct.__struct_fields__
        for key in given if isinstance(given, dict) else ():
            if key not in known:
                within = f" in [{section}]" if section else ""
                raise UsageError(f"{place}: unknown key {key!r}{within}{did_you_mean(key, known)}")


def path(card: Card) -> Path | None:
    """Return the card's file, or ``None`` for generated data."""
    return None if card.file is None else Path(card.file.path)


def verify(card: Card) -> None:
    """Check that the card's file is there and has the card's size and checksum.

    Raises
    ------
    UsageError
        When it is missing or differs.
    """
    if card.file is None:
        return
    file, place = card.file, Path(card.file.path)
    again = f"get it again: {card.source.text}" + (f" ({card.source.url})" if card.source.url else "")
    if not place.is_file():
        raise UsageError(f"{place}, the file of data set {card.name}, is missing; {again}")
    with place.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != file.sha256:
        raise UsageError(
            f"{place} is not the file that the card of data set {card.name} describes: its sha256 begins {actual[:12]} "
            f"({place.stat().st_size} bytes), the card's {file.sha256[:12]} ({file.bytes} bytes); correct the card if "
            f"you changed the file, else {again}"
        )
    size = place.stat().st_size
    if size != file.bytes:
        raise UsageError(
            f"{place} has {size} bytes, but the card of data set {card.name} says bytes = {file.bytes}: "
            "correct the card"
        )


def dataset(card: Card) -> Dataset:
    """Make the data set that a card describes.

    From a file, the data seed first draws the test rows: 50,000, or a fifth of a file with fewer than 250,000 rows.
    They are the same for every number of training rows, so that figures compare across sizes. The training rows are
    drawn from the rest, and a smaller training set is the beginning of a larger one. The file is verified at every
    load.
    """
    if card.generator is not None:
        return replace(
            GENERATORS[card.generator.name], name=card.name, summary=card.summary, version=card.generator.name
        )
    assert card.file is not None
    most = card.file.rows - _held_out(card.file)
    rows = Param(min(100_000, most), low=min(100, most), high=most, summary="training rows")
    return Dataset(
        card.name,
        load=partial(_load, card, card.file),
        summary=card.summary,
        params={"rows": rows},
        provides=("time",) if card.file.time else (),
        needs=columns.MODULES,
        verify=partial(verify, card),
        version=card.file.sha256,
        overlap=partial(_overlap, card.file),
    )


def _held_out(file: File) -> int:
    return min(TEST_ROWS, file.rows // 5)


def _overlap(file: File, _params: Mapping[str, Scalar]) -> float:
    """Return the test rows for each other row of the file: every block draws both sets from it."""
    return _held_out(file) / (file.rows - _held_out(file))


def _load(card: Card, file: File, params: Mapping[str, Scalar], rng: Generator) -> Split:
    verify(card)
    order = rng.permutation(file.rows)
    held_out = _held_out(file)
    layout = columns.Layout(file.target, file.time, tuple(card.features), file.categorical)
    train = order[held_out : held_out + int(params["rows"])]
    return columns.read(Path(file.path), file.rows, layout, train, order[:held_out])
