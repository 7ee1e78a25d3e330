"""Cards, which describe data sets, and the data sets made from them.

A card is a file ``<name>.toml``. It points at a file of data beside it, pinned by checksum, or names a generator.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from harness.data import files
from harness.data.card import Card, File, Origin, Recipe, Source
from harness.data.files import fetched_path, path, verify
from harness.data.readers import Reader, kinds, reader_of
from harness.data.synthetic import GENERATORS
from harness.declare import Dataset
from harness.declare.names import NAME
from harness.declare.values import Generator
from harness.errors import UsageError, did_you_mean
from harness.inputs import read_toml
from harness.records import Scalar

__all__ = ["builtin_card", "builtin_folder", "cards", "dataset", "path", "read_card", "verify"]


_TABLE = "table"
#: Packages in one version. The names begin with a letter or digit, so that no client takes them for an option.
PIP = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.+!-]+")
APT = re.compile(r"[a-z0-9][a-z0-9.+-]*=[\w.+~:-]+")
NPM = re.compile(r"(?:@[a-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*@\d[\w.+-]*")


def builtin_folder() -> Path:
    """Return the folder of the cards that come with the harness, installed or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def builtin_card(name: str) -> Card:
    """Read a card that comes with the harness."""
    return read_card(builtin_folder() / f"{name}.toml")


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
        When the card cannot be read or is not TOML, has an unknown key or kind, or misses a key.
    """
    content = read_toml(place)
    reader = _reader(place, content.get("kind", _TABLE))
    _check_keys(place, content, reader)
    section = content.pop("file", None)
    card: Card = _convert(place, content, Card, "$")
    if card.name != place.stem or not NAME.fullmatch(card.name):
        raise UsageError(f"{place}: the card's name is {card.name!r}; it must be the file's, in-lower-case")
    if (section is None) == (card.generator is None):
        raise UsageError(f"{place}: a card needs either a [file] or a [generator]")
    if card.generator is not None and card.generator.name not in GENERATORS:
        hint = did_you_mean(card.generator.name, GENERATORS)
        raise UsageError(f"{place}: there is no generator {card.generator.name!r}{hint}")
    if section is None:
        return card
    return msgspec.structs.replace(card, file=_file(place, section, reader))


def _reader(place: Path, kind: object) -> Reader:
    if kind not in kinds():
        raise UsageError(f"{place}: there is no kind of data {kind!r}{did_you_mean(str(kind), kinds())}")
    return reader_of(str(kind))


def _file(place: Path, section: object, reader: Reader) -> File:
    """Read the table ``[file]`` of a card, with the absolute path of the file."""
    file: File = _convert(place, section, reader.file, "$.file")
    parts = {name: _placed(place, part, reader, f"file.{name}") for name, part in file.parts.items()}
    return msgspec.structs.replace(_placed(place, file, reader, "file"), **parts)


def _placed(place: Path, file: File, reader: Reader, table: str) -> File:
    """Check the name of a file and where it is fetched from, and make its path absolute."""
    if not file.path.endswith(reader.formats):
        raise UsageError(f"{place}: {file.path} must be one of {', '.join(reader.formats)}")
    if file.origin is None:
        # Unlike Path.resolve, this raises no error for links that lead to each other.
        return msgspec.structs.replace(file, path=os.path.realpath(place.parent / file.path))
    origin = _origin(place, file.origin, file, table)
    return msgspec.structs.replace(file, path=str(fetched_path(file)), origin=origin)


def _origin(place: Path, origin: Origin, file: File, table: str) -> Origin:
    """Check where a file is fetched from; an address relative to the card becomes absolute."""
    where = f"{place}: from of [{table}]"
    if sum(given is not None for given in (origin.url, origin.pip, origin.apt, origin.npm)) != 1:
        raise UsageError(f"{where} needs exactly one of url, pip, apt and npm")
    if Path(file.path).name != file.path:
        raise UsageError(f"{where}: path = {file.path!r} must be a plain name, that of the file in the cache")
    if origin.url is None or origin.member is not None:
        for key in ("member", "sha256", "bytes"):
            if getattr(origin, key) is None:
                raise UsageError(f"{where} needs {key}: of the {'package' if origin.url is None else 'archive'}")
    for text, pattern, example in (
        (origin.pip, PIP, "name==1.2"),
        (origin.apt, APT, "name=1.2-3"),
        (origin.npm, NPM, "name@1.2.0"),
    ):
        if text is not None and not pattern.fullmatch(text):
            raise UsageError(f"{where}: {text!r} must be a package in one version, such as {example}")
    if origin.url is None:
        return origin
    return msgspec.structs.replace(origin, url=_address(place, origin.url, where))


def _address(place: Path, address: str, where: str) -> str:
    try:
        url = urljoin(f"{place.parent.resolve().as_uri()}/", address)
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise UsageError(f"{where}: {address} is not an address: {error}") from None
    if scheme not in ("https", "http", "file"):
        raise UsageError(f"{where}: {address} must begin with https, http or file, or be a path relative to the card")
    return url


def _convert(place: Path, content: object, kind: Any, at: str) -> Any:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        said = str(error).replace("`$", f"`{at}")
        raise UsageError(f"{place}: {said[0].lower()}{said[1:]}") from None


def _check_keys(place: Path, content: Mapping[str, Any], reader: Reader) -> None:
    sections: dict[str, type[msgspec.Struct]] = {"": Card, "source": Source, "file": reader.file, "generator": Recipe}
    for section, struct in sections.items():
        given = content.get(section, {}) if section else content
        known = struct.__struct_encode_fields__
        for key in given if isinstance(given, dict) else ():
            if key not in known:
                within = f" in [{section}]" if section else ""
                raise UsageError(f"{place}: unknown key {key!r}{within}{did_you_mean(key, known)}")


def dataset(card: Card) -> Dataset:
    """Make the data set that a card describes. Its file is verified at every load."""
    if card.generator is not None:
        return replace(
            GENERATORS[card.generator.name], name=card.name, summary=card.summary, version=card.generator.name
        )
    assert card.file is not None
    reader = reader_of(card.kind)
    made = reader.dataset(card)
    return replace(
        made,
        load=partial(_load, card, made),
        summary=card.summary,
        needs=reader.needs,
        verify=partial(files.check, card),
        version=card.file.version,
        kind=card.kind,
    )


def _load(card: Card, made: Dataset, params: Mapping[str, Scalar], rng: Generator) -> Any:
    verify(card)
    return made.load(params, rng)
