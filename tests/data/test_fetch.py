"""Files are fetched when asked for, from an address or a package; what is not as the card says never appears."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support import write_card

from harness.data.archives import open_member
from harness.data.cards import dataset, path, read_card
from harness.data.fetch import fetch
from harness.data.files import check
from harness.errors import MissingDataError, UsageError

CSV = b"x,y\n" + b"1,0\n2,1\n" * 10
MEMBER = "some_data/table.csv"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def remote_card(folder: Path, origin: str, content: bytes = CSV) -> Path:
    layout = f'rows = 20\ntarget = "y"\n[file.from]\n{origin}'
    return write_card(folder / "mine.csv", layout, content=content)


def pinned(package: Path) -> str:
    content = package.read_bytes()
    return f'member = "{MEMBER}"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n'


def get(card: Path) -> list[str]:
    said: list[str] = []
    fetch(read_card(card), said.append)
    check(read_card(card))
    return said


def of(card: Path) -> Path:
    place = path(read_card(card))
    assert place is not None
    return place


def zipped(place: Path, name: str = MEMBER, mode: int = 0o100644, content: bytes = CSV) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return place


def tarred(place: Path, name: str = MEMBER, kind: bytes = tarfile.REGTYPE, content: bytes = CSV) -> Path:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    with tarfile.open(place, "w:gz") as archive:
        archive.addfile(info, io.BytesIO(content))
    return place


def test_a_file_at_an_address(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "raw table.csv").write_bytes(CSV)
    address = (tmp_path / "raw table.csv").as_uri()
    card = remote_card(tmp_path, f'url = "{address}"')
    # Nothing is fetched unasked.
    made = dataset(read_card(card))
    with pytest.raises(MissingDataError, match="is missing; fetch it with: bakeoff data get mine") as caught:
        made.verify()
    assert caught.value.remedy == "bakeoff data get mine"
    assert not of(card).exists()
    assert get(card) == [f"fetching mine from {address} (84 bytes)"]
    assert of(card).read_bytes() == CSV
    assert of(card).is_relative_to(cache / "data")
    assert stat.S_IMODE(of(card).stat().st_mode) == 0o644
    assert [entry.name for entry in of(card).parent.iterdir()] == ["mine.csv"]
    made.verify()
    # It is there now, and not fetched again.
    (tmp_path / "raw table.csv").unlink()
    assert get(card) == []


def test_a_path_relative_to_the_card(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    zipped(tmp_path / "raw" / "all.zip")
    card = remote_card(tmp_path, 'url = "raw/all.zip"\n' + pinned(tmp_path / "raw" / "all.zip"))
    get(card)
    assert of(card).read_bytes() == CSV


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_bytes(CSV)
    card = remote_card(tmp_path, 'url = "raw.csv"')
    get(card)
    of(card).write_bytes(CSV[:-1])
    assert len(get(card)) == 1
    assert of(card).read_bytes() == CSV


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CSV[:-1], r"it has 83 bytes, and the card says 84"),
        (CSV + b"3,0\n", r"it has more than 84 bytes, and the card says 84"),
        (CSV.replace(b"2,1", b"3,1"), r"its sha256 begins [0-9a-f]{12}, and the card says [0-9a-f]{12}"),
    ],
)
def test_another_file_at_the_address(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "raw.csv").write_bytes(content)
    card = remote_card(tmp_path, 'url = "raw.csv"')
    with pytest.raises(UsageError, match=message):
        get(card)
    assert list(of(card).parent.iterdir()) == []


@pytest.mark.parametrize("make", [zipped, tarred])
def test_members_are_compared_too(tmp_path: Path, make: Callable[..., Path]) -> None:
    """An archive with the card's checksum whose member is larger than the card says is not read to its end."""
    package = make(tmp_path / ("all.zip" if make is zipped else "all.tar.gz"), content=CSV + b"0" * 10**7)
    card = remote_card(tmp_path, f'url = "{package.name}"\n' + pinned(package))
    with pytest.raises(UsageError, match=f"{MEMBER} of .* it has more than 84 bytes"):
        get(card)
    assert not of(card).exists()


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (lambda folder: zipped(folder / "all.zip", mode=0o120777), "member .* of all.zip is not a file"),
        (lambda folder: zipped(folder / "all.zip", name=f"{MEMBER}/"), "has no member"),
        (lambda folder: tarred(folder / "all.tgz", kind=tarfile.SYMTYPE), "member .* of all.tgz is not a file"),
        (lambda folder: tarred(folder / "all.tgz", kind=tarfile.LNKTYPE), "member .* of all.tgz is not a file"),
        (lambda folder: tarred(folder / "all.tgz", kind=tarfile.CHRTYPE), "member .* of all.tgz is not a file"),
        (lambda folder: tarred(folder / "all.tgz", name=f"../{MEMBER}"), "all.tgz has no member"),
        (lambda folder: shutil.copy(zipped(folder / "all.zip"), folder / "all.rar"), "all.rar is none of .zip"),
        (lambda folder: shutil.copy(zipped(folder / "all.zip"), folder / "all.tgz"), "cannot be read as an archive"),
        (lambda folder: shutil.copy(tarred(folder / "all.tgz"), folder / "all.zip"), "cannot be read as an archive"),
    ],
)
def test_what_is_no_file_in_an_archive(tmp_path: Path, package: Callable[[Path], Path], message: str) -> None:
    made = package(tmp_path)
    with pytest.raises(UsageError, match=message), open_member(made, MEMBER):
        pass


def test_a_member_that_leads_out_lands_in_the_cache(tmp_path: Path) -> None:
    """The name in the archive chooses what is read, never where it is written."""
    package = tarred(tmp_path / "all.tgz", name="../../escaped.csv")
    origin = pinned(package).replace(MEMBER, "../../escaped.csv")
    card = remote_card(tmp_path, f'url = "all.tgz"\n{origin}')
    get(card)
    assert of(card).read_bytes() == CSV
    assert not list(tmp_path.parent.glob("escaped.csv"))


def wheel(folder: Path) -> Path:
    """Make a wheel by hand; whoever installs or imports it fails."""
    place = folder / "some_data-1.2-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(MEMBER, CSV)
        archive.writestr("some_data/__init__.py", "raise SystemExit('imported')")
        archive.writestr("some_data-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-data\nVersion: 1.2\n")
        archive.writestr("some_data-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("some_data-1.2.dist-info/RECORD", "")
    return place


def test_a_member_of_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    package = wheel(tmp_path / "index")
    card = remote_card(tmp_path, 'pip = "some-data==1.2"\n' + pinned(package))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    assert get(card) == [f"fetching mine from pip package some-data==1.2 ({package.stat().st_size:,} bytes)"]
    assert of(card).read_bytes() == CSV
    shown = subprocess.run([sys.executable, "-m", "pip", "show", "-q", "some-data"], capture_output=True, check=False)
    assert shown.returncode == 1
    card.write_text(card.read_text().replace("1.2", "1.3").replace(hashlib.sha256(CSV).hexdigest()[:6], "abcdef"))
    with pytest.raises(UsageError, match=r"pip cannot fetch some-data==1.3: No matching distribution found"):
        get(card)


def client(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a client on the path that notes its arguments and runs a script."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "$0" "$@" >> "{folder}/calls"\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_member_of_an_npm_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tarred(tmp_path / "some-data-1.2.0.tgz")
    client(tmp_path / "bin", "npm", f'cp "{package}" .; echo some-data-1.2.0.tgz', monkeypatch)
    card = remote_card(tmp_path, 'npm = "@some/data@1.2.0"\n' + pinned(package))
    get(card)
    assert of(card).read_bytes() == CSV
    calls = (tmp_path / "bin" / "calls").read_text()
    assert calls.endswith("npm pack --ignore-scripts --loglevel error @some/data@1.2.0\n")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
def test_a_member_of_a_debian_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: some-data\nVersion: 1.2-3\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: data\n"
    )
    (tree / MEMBER).parent.mkdir()
    (tree / MEMBER).write_bytes(CSV)
    package = tmp_path / "some-data_1.2-3_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, package], check=True, capture_output=True)
    client(tmp_path / "bin", "apt-get", f'cp "{package}" .', monkeypatch)
    card = remote_card(tmp_path, 'apt = "some-data=1.2-3"\n' + pinned(package))
    get(card)
    assert of(card).read_bytes() == CSV
    assert (tmp_path / "bin" / "calls").read_text().endswith("apt-get download --quiet some-data=1.2-3\n")
    package.write_bytes(package.read_bytes()[:-100])
    with pytest.raises(UsageError), open_member(package, MEMBER) as stream:
        stream.read()


def test_a_package_that_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tarred(tmp_path / "some-data-1.2.0.tgz")
    client(tmp_path / "bin", "npm", f'cp "{package}" .', monkeypatch)
    card = remote_card(tmp_path, 'npm = "some-data@1.2.0"\n' + pinned(package))
    tarred(package, content=CSV.replace(b"2", b"3"))
    with pytest.raises(UsageError, match=r"npm package some-data@1.2.0 \(some-data-1.2.0.tgz\) is not what the card"):
        get(card)


FAILURES = {
    "no npm": ("npm", None, r"npm is not installed, so its packages cannot be fetched"),
    "no apt": ("apt", None, r"apt-get is not installed"),
    "no lists": (
        "apt",
        'echo "Reading package lists..."; echo "E: Unable to locate package some-data" >&2; exit 100',
        r"apt-get cannot fetch some-data=1.2: Unable to locate package some-data; apt-get update renews apt's lists",
    ),
    "no network": (
        "npm",
        'echo "npm error code ECONNREFUSED"; echo "npm error request failed, reason: connect"; echo "npm error log: x";'
        "exit 1",
        r"npm cannot fetch some-data@1.2: request failed, reason: connect; is there a network",
    ),
    "no package": ("npm", "true", r"npm package some-data@1.2: its client left 0 files instead of one package"),
}


@pytest.mark.parametrize(("kind", "script", "message"), FAILURES.values(), ids=FAILURES)
def test_clients_that_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, script: str | None, message: str
) -> None:
    name = {"apt": "apt-get", "npm": "npm"}[kind]
    if script is None:
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    else:
        client(tmp_path / "bin", name, script, monkeypatch)
    package = f"some-data{'=' if kind == 'apt' else '@'}1.2"
    card = remote_card(tmp_path, f'{kind} = "{package}"\n' + pinned(zipped(tmp_path / "all.zip")))
    with pytest.raises(UsageError, match=message):
        get(card)
    assert not of(card).exists()


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ('url = "file:///nowhere/raw.csv"', "file:///nowhere/raw.csv cannot be fetched: .*No such file"),
        ('url = "http://127.0.0.1:9/raw.csv"', "http://127.0.0.1:9/raw.csv cannot be fetched: .*refused"),
    ],
)
def test_addresses_that_do_not_answer(tmp_path: Path, origin: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        get(remote_card(tmp_path, origin))


SUM = "0" * 64


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ('url = "ftp://a/b.csv"', "ftp://a/b.csv must begin with https, http or file"),
        ('member = "a"', "needs exactly one of url, pip, apt and npm"),
        ('url = "b.csv"\npip = "a==1"', "needs exactly one of url, pip, apt and npm"),
        ('pip = "a==1"', "from of .file. needs member: of the package"),
        ('pip = "a==1"\nmember = "b"\nbytes = 3', "needs sha256: of the package"),
        ('url = "b.zip"\nmember = "b"', "needs sha256: of the archive"),
        (f'pip = "a"\nmember = "b"\nbytes = 3\nsha256 = "{SUM}"', "'a' must be a package in one version"),
        (f'pip = "--index-url=b==1"\nmember = "b"\nbytes = 3\nsha256 = "{SUM}"', "must be a package in one version"),
        (f'npm = "git+ssh://a@1"\nmember = "b"\nbytes = 3\nsha256 = "{SUM}"', "must be a package in one version"),
        (f'apt = "../a=1"\nmember = "b"\nbytes = 3\nsha256 = "{SUM}"', "must be a package in one version"),
        ('url = "b.csv"\nbytes = -1', r"`int` >= 1 - at `\$.file.from.bytes`"),
        ('uri = "b.csv"', r"unknown field `uri` - at `\$.file.from`"),
    ],
)
def test_wrong_origins(tmp_path: Path, origin: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_card(remote_card(tmp_path, origin))


def test_the_name_in_the_cache_has_no_folder(tmp_path: Path) -> None:
    card = remote_card(tmp_path, 'url = "b.csv"')
    card.write_text(card.read_text().replace('path = "mine.csv"', 'path = "../mine.csv"'))
    with pytest.raises(UsageError, match=r"path = '../mine.csv' must be a plain name"):
        read_card(card)


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raw.csv").write_bytes(CSV)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"cannot write .* or set BAKEOFF_CACHE to another folder"):
        get(remote_card(tmp_path, 'url = "raw.csv"'))


def test_two_files_of_one_package_are_fetched_at_once(tmp_path: Path, cache: Path) -> None:
    films = b"film,genre\n0,Drama\n1,Crime\n"
    ratings = b"user,film\n" + b"".join(b"%d,%d\n" % (row, row % 2) for row in range(20))
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("r.csv", ratings)
        archive.writestr("f.csv", films)
    package = (tmp_path / "both.zip").read_bytes()
    digest = hashlib.sha256(package).hexdigest()
    source = f'url = "both.zip"\nsha256 = "{digest}"\nbytes = {len(package)}\n'
    layout = (
        f'rows = 20\nuser = "user"\nitem = "film"\n[file.from]\nmember = "r.csv"\n{source}'
        f'[file.items]\npath = "films.csv"\nsha256 = "{hashlib.sha256(films).hexdigest()}"\nbytes = {len(films)}\n'
        f'rows = 2\nitem = "film"\nfeatures = {{genre = ""}}\n[file.items.from]\nmember = "f.csv"\n{source}'
    )
    card = write_card(tmp_path / "mine.csv", layout, kind="interactions", content=ratings)
    assert [sentence.startswith("fetching mine from ") for sentence in get(card)] == [True]
    assert sorted(file.name for file in (cache / "data").glob("*/*.csv")) == ["films.csv", "mine.csv"]
    # What is there is not fetched again; what is damaged is.
    assert get(card) == []
    next((cache / "data").glob("*/films.csv")).write_bytes(b"")
    assert len(get(card)) == 1
    assert not list((cache / "data").glob("*/.*"))
    missing = read_card(card)
    next((cache / "data").glob("*/films.csv")).unlink()
    with pytest.raises(MissingDataError, match=r"films.csv, the file of data set mine, is missing; fetch it with"):
        check(missing)
