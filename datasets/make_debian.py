"""Makes three files from an index of Debian's archive: what packages depend on, what those are, and descriptions.

Get the index of a suite, main and amd64, such as ``dists/bookworm/main/binary-amd64/Packages.xz`` of a mirror; or, on a
Debian system with that suite, what apt has of it::

    /usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_bookworm_main_binary-amd64_Packages* > Packages
    python make_debian.py Packages

The index may be plain or end in ``.gz`` or ``.xz``. Its sha256, that of the plain file, is printed, and stands in the
suite's file ``Release``, which is signed. The same index and version of pyarrow give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import lzma
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
from pyarrow import parquet

Package: TypeAlias = Mapping[str, str]
Pair: TypeAlias = tuple[str, str]

FIELDS = ("Depends", "Pre-Depends", "Recommends")
CORE = 5  # least number of pairs of a package and of what it depends on
SECTIONS = 24
FORMS = {"libs", "libdevel", "doc"}  # sections that say in what form a package comes, and not what it is about
WORD = re.compile(r"[a-z][a-z0-9+]+")
NAME = re.compile(r"[^\s(:\[]+")
DICTIONARY = ["needs", "section"]  # columns whose values come often, but not in a row


def packages(index: str) -> dict[str, Package]:
    """Read the stanzas of an index by package; the first of a name, of which there may be several versions."""
    known: dict[str, Package] = {}
    for stanza in index.split("\n\n"):
        lines = re.sub(r"\n[ \t]+", " ", stanza).splitlines()
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if fields:
            known.setdefault(fields["Package"], fields)
    return known


def names(relation: str) -> list[str]:
    """List the names in a relation such as ``a (>= 1), b:any | c``, without versions and architectures."""
    return [match.group() for part in re.split("[,|]", relation) if (match := NAME.search(part))]


def dependencies(known: Mapping[str, Package]) -> set[Pair]:
    """List what every package depends on; each alternative counts, and virtual packages stand for themselves."""
    return {
        (name, needed)
        for name, package in known.items()
        for field in FIELDS
        for needed in names(package.get(field, ""))
    }


def core(pairs: set[Pair], least: int) -> list[Pair]:
    """Remove packages and dependencies with fewer pairs than `least` until there are none."""
    while True:
        sides = [Counter(side) for side in zip(*pairs, strict=True)]
        left = {pair for pair in pairs if all(count[name] >= least for count, name in zip(sides, pair, strict=True))}
        if len(left) == len(pairs):
            return sorted(pairs)
        pairs = left


def words(text: str) -> list[str]:
    """List the different words of a description, in lower case."""
    return list(dict.fromkeys(WORD.findall(text.lower())))


def items(known: Mapping[str, Package], wanted: Iterable[str]) -> pa.Table:
    """Describe what packages depend on; a virtual package by the first package, by name, that provides it."""
    providers: dict[str, str] = {}
    for name in sorted(known):
        for virtual in names(known[name].get("Provides", "")):
            providers.setdefault(virtual, name)
    rows = {name: known.get(name) or known.get(providers.get(name, ""), {}) for name in sorted(set(wanted))}
    said = {name: words(package.get("Description", "")) for name, package in rows.items()}
    common = Counter(word for of_one in said.values() for word in of_one)
    return pa.table(
        {
            "item": list(rows),
            "section": [package.get("Section", "") for package in rows.values()],
            "words": [" ".join(word for word in of_one if common[word] > 1) for of_one in said.values()],
        }
    )


def descriptions(known: Mapping[str, Package]) -> pa.Table:
    """List the short descriptions of the packages in the largest sections that say what a package is about."""
    sizes = Counter(package["Section"] for package in known.values() if package["Section"] not in FORMS)
    largest = {section for section, _ in sizes.most_common(SECTIONS)}
    rows = [(name, package) for name, package in sorted(known.items()) if package["Section"] in largest]
    return pa.table(
        {
            "package": [name for name, _ in rows],
            "source": [package.get("Source", name).partition(" ")[0] for name, package in rows],
            "description": [package["Description"] for _, package in rows],
            "section": [package["Section"] for _, package in rows],
        }
    )


def write(table: pa.Table, target: Path) -> None:
    """Write a parquet file in place of the old one, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        parquet.write_table(table, made, compression="zstd", compression_level=19, use_dictionary=DICTIONARY)
        made.replace(target)


def read(place: Path) -> bytes:
    """Read an index, decompressed."""
    content = place.read_bytes()
    decompress = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(place.suffix)
    return content if decompress is None else decompress(content)


def main() -> None:
    """Make the files beside this script, and print what their cards must say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="the file Packages of a suite, plain or ending in .gz or .xz")
    index = read(parser.parse_args().index)
    sys.stdout.write(f"sha256 of the index: {hashlib.sha256(index).hexdigest()}\n")
    known = packages(index.decode())
    pairs = core(dependencies(known), CORE)
    made = {
        "debian-dependencies": pa.table({"package": [pair[0] for pair in pairs], "needs": [pair[1] for pair in pairs]}),
        "debian-dependencies-items": items(known, (needed for _, needed in pairs)),
        "debian-descriptions": descriptions(known),
    }
    for name, table in made.items():
        target = Path(__file__).with_name(f"{name}.parquet")
        write(table, target)
        content = target.read_bytes()
        sys.stdout.write(
            f'{name}: sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\nrows = {len(table)}\n'
        )


if __name__ == "__main__":
    main()
