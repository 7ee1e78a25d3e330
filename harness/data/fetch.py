"""Fetches the file of a data set into the user's cache, from an address or from a package; only when asked to."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from harness.data import clients
from harness.data.archives import open_member
from harness.data.card import Card, File, Origin
from harness.data.files import path
from harness.errors import UsageError

_CHUNK = 1 << 20
_TIMEOUT_S = 60


def fetch(card: Card, say: Callable[[str], None]) -> bool:
    """Fetch the file of a card, unless it is there and undamaged; return whether it was fetched.

    The package and its member are compared with the card's sizes and checksums, then the file appears as a whole.

    Parameters
    ----------
    say
        Called with a sentence on what is fetched.

    Raises
    ------
    UsageError
        When it cannot be fetched, or is not what the card says.
    """
    place = path(card)
    if place is None or card.file is None or card.file.origin is None or _is_right(place, card.file):
        return False
    size = card.file.origin.bytes or card.file.bytes
    say(f"fetching {card.name} from {card.file.origin.text} ({size:,} bytes)")
    with _workshop(place) as folder:
        got = _get(card.file, card.file.origin, folder)
        got.chmod(0o644)
        got.replace(place)
    return True


def _is_right(place: Path, file: File) -> bool:
    return place.is_file() and (place.stat().st_size, _sha256(place)) == (file.bytes, file.sha256)


def _sha256(place: Path) -> str:
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _workshop(place: Path) -> Iterator[Path]:
    """Make a temporary folder beside a file of the cache, so that the finished file is moved and not copied."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".") as folder:
            yield Path(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write {place.parent} ({error.strerror}): free some space, or set BAKEOFF_CACHE to another folder"
        ) from None


def _get(file: File, origin: Origin, folder: Path) -> Path:
    downloads = folder / "download"
    downloads.mkdir()
    if origin.url is not None:
        package = downloads / (PurePosixPath(unquote(urlsplit(origin.url).path)).name or "download")
        whole = file if origin.member is None else origin
        with _opened(origin.url) as stream:
            _copy(stream, package, whole.bytes, whole.sha256, origin.text)
    else:
        package = clients.download(origin, downloads)
        what = f"{origin.text} ({package.name})"
        _compare(what, package.stat().st_size, origin.bytes, _sha256(package), origin.sha256)
    if origin.member is None:
        return package
    target = folder / "member"
    with open_member(package, origin.member) as stream:
        _copy(stream, target, file.bytes, file.sha256, f"{origin.member} of {origin.text}")
    return target


@contextmanager
def _opened(url: str) -> Iterator[IO[bytes]]:
    # The card was checked: its address is of https, http or a file.
    request = urllib.request.Request(url, headers={"User-Agent": "bakeoff"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as stream:  # noqa: S310
            yield stream
    except urllib.error.HTTPError as error:
        raise UsageError(f"{url} cannot be fetched: the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UsageError(f"{url} cannot be fetched: {error.reason}") from None
    except TimeoutError:
        raise UsageError(f"{url} cannot be fetched: no answer for {_TIMEOUT_S} s; try again") from None
    except (ConnectionError, http.client.HTTPException) as error:
        raise UsageError(f"{url} cannot be fetched: the connection broke off ({error}); try again") from None


def _copy(stream: IO[bytes], target: Path, size: int | None, sha256: str | None, what: str) -> None:
    """Copy a stream into a new file, and compare size and checksum; too long a stream is not read to its end."""
    digest, read = hashlib.sha256(), 0
    with target.open("wb") as file:
        while (size is None or read <= size) and (chunk := stream.read(_CHUNK)):
            read += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    _compare(what, read, size, digest.hexdigest(), sha256)


def _compare(what: str, read: int, size: int | None, digest: str, sha256: str | None) -> None:
    wrong = f"{what} is not what the card describes:"
    if size is not None and read != size:
        found = f"more than {size}" if read > size else f"{read}"
        raise UsageError(f"{wrong} it has {found} bytes, and the card says {size}")
    if sha256 is not None and digest != sha256:
        raise UsageError(
            f"{wrong} its sha256 begins {digest[:12]}, and the card says {sha256[:12]}; if the source has changed, "
            "look at the data before you correct the card"
        )
