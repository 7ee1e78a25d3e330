"""One member of a package or archive, by its full name; nothing else is read, and nothing is unpacked."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from harness.errors import UsageError

ZIPS = (".zip", ".whl")
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
PACKAGES = (".deb",)


@contextmanager
def open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open a member that is a file; links and folders are refused, since they could lead out of the archive.

    Raises
    ------
    UsageError
        When the archive cannot be read, or has no such file.
    """
    name = archive.name
    try:
        if name.endswith(ZIPS):
            with zipfile.ZipFile(archive) as opened, opened.open(_of_zip(opened, member)) as stream:
                yield stream
        elif name.endswith(TARS):
            with tarfile.open(archive) as tar:
                yield _of_tar(tar, member, name)
        elif name.endswith(PACKAGES):
            with _debian(archive) as tar:
                yield _of_tar(tar, member, name)
        else:
            raise UsageError(f"{name} is none of {', '.join((*ZIPS, *TARS, *PACKAGES))}, so no member can be read")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError) as error:
        raise UsageError(f"{name} cannot be read as an archive: {error}") from None


def _of_zip(opened: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    try:
        info = opened.getinfo(member)
    except KeyError:
        raise UsageError(f"{Path(str(opened.filename)).name} has no member {member!r}") from None
    # The upper half of this attribute is the mode that Unix gives a file; 0o120000 is a link.
    if info.is_dir() or (info.external_attr >> 16) & 0o170000 == 0o120000:
        raise UsageError(f"member {member!r} of {Path(str(opened.filename)).name} is not a file")
    return info


def _of_tar(tar: tarfile.TarFile, member: str, archive: str) -> IO[bytes]:
    # Members are gone through in order, because the content of a Debian package comes through a pipe.
    for info in tar:
        if info.name.removeprefix("./") != member.removeprefix("./"):
            continue
        stream = tar.extractfile(info) if info.isreg() else None
        if stream is None:
            raise UsageError(f"member {member!r} of {archive} is not a file")
        return stream
    raise UsageError(f"{archive} has no member {member!r}")


@contextmanager
def _debian(package: Path) -> Iterator[tarfile.TarFile]:
    """Open the content of a Debian package; ``dpkg-deb`` comes with apt and knows every compression."""
    if shutil.which("dpkg-deb") is None:
        raise UsageError(f"dpkg-deb, which reads {package.name}, is not installed: apt-get install dpkg")
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield tar
        finally:
            # The rest of the package is not read.
            process.stdout.close()
            process.kill()
