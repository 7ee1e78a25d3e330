"""Makes four files from an index of Debian's archive: dependencies, what those are, descriptions, and arrays.

The arrays, debian-packages.npz, contain descriptions, dependencies and sizes of the same packages as the descriptions.

Get the index of a suite, main and amd64, such as ``dists/bookworm/main/binary-amd64/Packages.xz`` of a mirror; or, on a
Debian system with that suite, what apt has of it::

    /usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_bookworm_main_binary-amd64_Packages* > Packages
    python make_debian.py Packages

The index may be plain or end in ``.gz`` or ``.xz``. Its sha256, that of the plain file, is printed, and stands in the
suite's file ``Release``, which is signed. The same index and versions of pyarrow, numpy
and zlib give the same bytes.
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
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

Package: TypeAlias = Mapping[str, str]
Pair: TypeAlias = tuple[str, str]
Ids: TypeAlias = npt.NDArray[np.uint16]
Strings: TypeAlias = npt.NDArray[np.str_]

FIELDS = ("Depends", "Pre-Depends", "Recommends")
CORE = 5  # least number of pairs of a package and of what it depends on
SECTIONS = 24
FORMS = {"libs", "libdevel", "doc"}  # sections that say in what form a package comes, and not what it is about
WORD = re.compile(r"[a-z][a-z0-9+]+")
NAME = re.compile(r"[^\s(:\[]+")
LEAST = 3  # packages in which a word or a dependency of the arrays comes
LENGTHS = {"text": 16, "links": 32}  # most words and dependencies of a package
COUNTED = ("Depends", "Recommends", "Suggests")
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


def in_largest_sections(known: Mapping[str, Package]) -> dict[str, Package]:
    """List the packages, by name, in the largest sections that say what a package is about."""
    sizes = Counter(package["Section"] for package in known.values() if package["Section"] not in FORMS)
    largest = {section for section, _ in sizes.most_common(SECTIONS)}
    return {name: package for name, package in sorted(known.items()) if package["Section"] in largest}


def source(name: str, package: Package) -> str:
    """Return the source package that a package is built from."""
    return package.get("Source", name).partition(" ")[0]


def descriptions(rows: Mapping[str, Package]) -> pa.Table:
    """List the short descriptions of packages."""
    return pa.table(
        {
            "package": list(rows),
            "source": [source(name, package) for name, package in rows.items()],
            "description": [package["Description"] for package in rows.values()],
            "section": [package["Section"] for package in rows.values()],
        }
    )


def numbered(lists: Iterable[list[str]], most: int) -> tuple[Ids, Strings]:
    """Turn lists of different strings into the numbers of those that come in `LEAST` lists, and list these by number.

    Returns
    -------
    ids
        Shape (n, most): the first strings of each list, from the left; 0 is padding.
    known
        The string of each number, the frequent ones first; the empty string is number 0.
    """
    rows = list(lists)
    counts = Counter(string for row in rows for string in row)
    known = ["", *sorted((string for string in counts if counts[string] >= LEAST), key=lambda it: (-counts[it], it))]
    if len(known) > np.iinfo(np.uint16).max + 1:
        raise ValueError(f"{len(known)} different strings are too many for 16 bits")
    number = {string: at for at, string in enumerate(known)}
    ids = np.zeros((len(rows), most), dtype=np.uint16)
    for at, row in enumerate(rows):
        found = [number[string] for string in row if string in number][:most]
        ids[at, : len(found)] = found
    return ids, np.array(known)


def required(package: Package) -> list[str]:
    """List what a package cannot do without; each alternative counts."""
    return list(dict.fromkeys(name for field in ("Depends", "Pre-Depends") for name in names(package.get(field, ""))))


def sizes(name: str, package: Package) -> dict[str, int]:
    """Measure a package by nothing that says what it is about."""
    counts = {field.lower(): len(package[field].split(",")) if field in package else 0 for field in COUNTED}
    return {
        "size": int(package["Size"]),
        "installed_size": int(package.get("Installed-Size", 0)),
        **counts,
        "name_length": len(name),
        "description_length": len(package["Description"]),
    }


def arrays(rows: Mapping[str, Package]) -> dict[str, npt.NDArray[Any]]:
    """Make the arrays of debian-packages.npz, a row a package."""
    text, known_words = numbered((words(package["Description"]) for package in rows.values()), LENGTHS["text"])
    links, known_links = numbered((required(package) for package in rows.values()), LENGTHS["links"])
    measured = [sizes(name, package) for name, package in rows.items()]
    classes, labels = np.unique([package["Section"] for package in rows.values()], return_inverse=True)
    _, groups = np.unique([source(name, package) for name, package in rows.items()], return_inverse=True)
    return {
        "text": text,
        "words": known_words,
        "links": links,
        "link_names": known_links,
        "numbers": np.log1p([list(values.values()) for values in measured]).astype(np.float32),
        "number_names": np.array(list(measured[0])),
        "labels": labels.astype(np.uint8),
        "classes": classes,
        "groups": groups.astype(np.int32),
    }


def write(made: pa.Table | dict[str, npt.NDArray[Any]], target: Path) -> None:
    """Write a table as parquet, or arrays as npz, in place of the old file, or leave the old one."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        place = Path(folder) / target.name
        if isinstance(made, dict):
            np.savez_compressed(place, **made)
        else:
            parquet.write_table(made, place, compression="zstd", compression_level=19, use_dictionary=DICTIONARY)
        place.replace(target)


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
    pairs, rows = core(dependencies(known), CORE), in_largest_sections(known)
    made = {
        "debian-dependencies.parquet": pa.table(
            {"package": [pair[0] for pair in pairs], "needs": [pair[1] for pair in pairs]}
        ),
        "debian-dependencies-items.parquet": items(known, (needed for _, needed in pairs)),
        "debian-descriptions.parquet": descriptions(rows),
        "debian-packages.npz": arrays(rows),
    }
    for name, content in made.items():
        target = Path(__file__).with_name(name)
        write(content, target)
        written = target.read_bytes()
        sys.stdout.write(f'{name}: sha256 = "{hashlib.sha256(written).hexdigest()}"\nbytes = {len(written)}\n')
        if isinstance(content, dict):
            shapes = ", ".join(f"{key} = {list(array.shape)}" for key, array in content.items())
            sys.stdout.write(f"shapes = {{{shapes}}}\n")
        else:
            sys.stdout.write(f"rows = {len(content)}\n")


if __name__ == "__main__":
    main()
