"""Makes kjv.txt.gz, the King James Bible with a verse a line, from Debian's packages bible-kjv-text and bible-kjv.

The text is in a compressed format of its own, which the program ``bible`` reads. The script downloads both packages
with apt-get into a temporary folder and runs the program there; nothing is installed::

    apt-get update
    python make_kjv.py

It needs a Debian with these versions (12, bookworm), and the library libreadline8. The same version of zlib gives the
same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.data import clients
from harness.data.archives import open_member
from harness.data.card import Origin
from harness.errors import UsageError

PROGRAM, TEXT = "bible-kjv=4.38", "bible-kjv-text=4.38"
MEMBERS = {PROGRAM: ("usr/bin/bible",), TEXT: ("usr/lib/bible.data", "usr/lib/bible.data.conc")}
VERSES, CHAPTERS, BOOKS = 31_102, 1_189, 66
VERSE = re.compile(r"(?P<book>\d?[A-Za-z]+)(?P<chapter>\d+):\d+ (?P<text>.*)")


def unpack(folder: Path) -> None:
    """Download both packages, and put the program and its data into a folder."""
    for package, members in MEMBERS.items():
        place = folder / package.partition("=")[0]
        place.mkdir()
        downloaded = clients.download(Origin(apt=package), place)
        for member in members:
            with open_member(downloaded, member) as stream, (folder / Path(member).name).open("wb") as target:
                shutil.copyfileobj(stream, target)


def printed(folder: Path) -> str:
    """Run the program: all verses, each in a line and behind its reference."""
    program = folder / "bible"
    program.chmod(0o755)
    command = [str(program), "-f", "-p", str(folder), "Gen1:1-Rev22:21"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"the program of {PROGRAM} cannot run on this machine: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise UsageError(
            f"the program of {PROGRAM} failed: {said}; does it lack a library? apt-get install libreadline8"
        )
    return done.stdout.decode("ascii")


def verses(said: str) -> list[str]:
    """Take the references away from what the program printed; runs of spaces become one.

    Raises
    ------
    UsageError
        When a line is no verse, or they are not those of the 66 books.
    """
    found = [VERSE.fullmatch(line) for line in said.splitlines()]
    texts = [" ".join(match["text"].split()) for match in found if match]
    chapters = {match.group("book", "chapter") for match in found if match}
    counts = (len(found), len(texts), len(chapters), len({book for book, _ in chapters}))
    if counts != (VERSES, VERSES, CHAPTERS, BOOKS):
        raise UsageError(
            f"{counts[0]} lines with {counts[1]} verses of {counts[2]} chapters and {counts[3]} books are not the "
            f"{VERSES} verses of {CHAPTERS} chapters and {BOOKS} books"
        )
    return texts


def packed(lines: list[str]) -> bytes:
    """Compress lines without a time and a name, so that the same lines give the same bytes."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=stream, mtime=0) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return stream.getvalue()


def main() -> None:
    """Make the file beside this script, and print what its card must say."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            unpack(folder)
            lines = verses(printed(folder))
        except UsageError as error:
            sys.exit(str(error))
    content = packed(lines)
    Path(__file__).with_name("kjv.txt.gz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    sys.stdout.write(f'sha256 = "{digest}"\nbytes = {len(content)}\nrows = {len(lines)}\n')


if __name__ == "__main__":
    main()
