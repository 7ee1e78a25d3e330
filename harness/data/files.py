"""The files of data sets on this machine: where they lie, and whether they are what their cards say."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from io import BufferedReader
from pathlib import Path

import msgspec

from harness.config import cache_folder
from harness.data.card import Card, File
from harness.data.readers import reader_of
from harness.errors import MissingDataError, UsageError
from harness.inputs import open_regular

_POINTER = b"version https://git-lfs"


def data_cache() -> Path:
    """Return the folder of fetched files; one for temporary files where a container's user has no home."""
    try:
        return cache_folder() / "data"
    except UsageError:
        return Path(tempfile.gettempdir()) / f"bakeoff-{os.getuid()}" / "data"


def fetched_path(file: File) -> Path:
    """Return where a file that is fetched lies: in the user's cache, in a folder named by its checksum."""
    return data_cache() / file.sha256[:16] / file.path


def path(card: Card) -> Path | None:
    """Return the card's file, or ``None`` for generated data."""
    return None if card.file is None else Path(card.file.path)


def verify(card: Card) -> None:
    """Check that the card's files are there and have the card's sizes and checksums.

    Raises
    ------
    MissingDataError
        When one is missing.
    UsageError
        When one differs.
    """
    for file in card.files:
        _verify(card, file)


def _verify(card: Card, file: File) -> None:
    place, again = Path(file.path), again_from(card)
    with _opened(card, place) as stream:
        if stream.read(len(_POINTER)) == _POINTER:
            raise UsageError(f"{place} is a pointer of Git LFS, not the file that it stands for; run: git lfs pull")
        stream.seek(0)
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


def _opened(card: Card, place: Path) -> BufferedReader:
    try:
        return open_regular(place)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingDataError(
            f"{place}, the file of data set {card.name}, is missing; {again_from(card)}", card.name
        ) from None
    except OSError as error:
        raise UsageError(f"cannot read {place}, the file of data set {card.name}: {error.strerror}") from None


def again_from(card: Card) -> str:
    """Say how to get the file of a card again."""
    if any(file.origin is not None for file in card.files):
        return f"fetch it with: bakeoff data get {card.name}"
    return f"get it again: {card.source.text}" + (f" ({card.source.url})" if card.source.url else "")


def check(card: Card) -> None:
    """Verify the card's file, and read it once, so that what is wrong in it is said before the first trial.

    That a file could be read is remembered in the user's cache, so that not every command reads it.

    Raises
    ------
    UsageError
        When the file is missing or differs from the card in size, checksum or content.
    """
    verify(card)
    if card.file is None:
        return
    mark = data_cache() / "read" / _digest(card)
    if mark.exists():
        return
    reader_of(card.kind).check(card)
    # Without a cache that can be written, the next command reads the file again.
    with contextlib.suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _digest(card: Card) -> str:
    """Return a digest of what the result of reading depends on: the card, which has the checksum, and the readers."""
    digest = hashlib.blake2b(_code(), digest_size=16)
    digest.update(msgspec.json.encode((card.kind, card.file, card.features)))
    return digest.hexdigest()


@cache
def _code() -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for module in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.digest()
