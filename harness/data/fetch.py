"""Fetches the file of a data set into the user's cache, from an address or from a package; only when asked to."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from msgspec import structs

from harness.data import clients
from harness.data.archives import open_member
from harness.data.card import Card, File, Origin
from harness.errors import UsageError

_CHUNK = 1 << 20
_TIMEOUT_S = 60


def fetch(card: Card, say: Callable[[str], None]) -> bool:
    """Fetch the files of a card that are missing or damaged; return whether there were any.

    The package and its member are compared with the card's sizes and checksums, then the file appears as a whole. A
    package that contains several files of a card is downloaded once.

    Parameters
    ----------
    say
        Called with a sentence on what is fetched.

    Raises
    ------
    UsageError
        When it cannot be fetched, or is not what the card says.
    """
    lacking = [
        (file, file.origin) for file in card.files if file.origin is not None and not _is_right(Path(file.path), file)
    ]
    if not lacking:
        return False
    packages: dict[Origin, Path] = {}
    with _workshop([Path(file.path) for file, _ in lacking]) as folder:
        for file, origin in lacking:
            package = structs.replace(origin, member=None)
            if package not in packages:
                say(f"fetching {card.name} from {origin.text} ({origin.bytes or file.bytes:,} bytes)")
                packages[package] = _download(file, origin, folder / f"download-{len(packages)}")
            got = packages[package] if origin.member is None else _member(file, origin, packages[package], folder)
            got.chmod(0o644)
            got.replace(file.path)
    return True


def _is_right(place: Path, file: File) -> bool:
    return place.is_file() and (place.stat().st_size, _sha256(place)) == (file.bytes, file.sha256)


def _sha256(place: Path) -> str:
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _workshop(places: Sequence[Path]) -> Iterator[Path]:
    """Make a temporary folder beside files of the cache, so that finished files are moved and not copied."""
    try:
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=places[0].parent, prefix=".") as folder:
            yield Path(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write {places[0].parent} ({error.strerror}): free some space, "
            "or set BAKEOFF_CACHE to another folder"
        ) from None


def _download(file: File, origin: Origin, folder: Path) -> Path:
    """Download a package, or the file itself, into a new folder."""
    folder.mkdir()
    if origin.url is not None:
        package = folder / (PurePosixPath(unquote(urlsplit(origin.url).path)).name or "download")
        whole = file if origin.member is None else origin
        with _opened(origin.url) as stream:
            _copy(stream, package, whole.bytes, whole.sha256, origin.text)
        return package
    package = clients.download(origin, folder)
    what = f"{origin.text} ({package.name})"
    _compare(what, package.stat().st_size, origin.bytes, _sha256(package), origin.sha256)
    return package


def _member(file: File, origin: Origin, package: Path, folder: Path) -> Path:
    target = folder / "member"
    with open_member(package, str(origin.member)) as stream:
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
