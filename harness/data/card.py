"""What a data set's card says: its source, its file or generator, and where the file is fetched from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated

import msgspec

from harness.inputs import PathText

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Size = Annotated[int, msgspec.Meta(ge=1)]
Rows = Annotated[int, msgspec.Meta(ge=10)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the data come from, and how to get them again."""

    text: str
    url: str | None = None


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where ``bakeoff data get`` fetches a file; exactly one of `url`, `pip`, `apt` and `npm` is given.

    Attributes
    ----------
    url
        Address that begins with https, http or file, or a path relative to the card.
    pip, apt, npm
        A package in one version: ``name==1.2``, ``name=1.2-3``, ``name@1.2.0``.
    member
        The file within the package or archive, by its full name in it.
    sha256, bytes
        Checksum and size of the package or archive.
    """

    url: str | None = None
    pip: str | None = None
    apt: str | None = None
    npm: str | None = None
    member: str | None = None
    sha256: Sha256 | None = None
    bytes: Size | None = None

    @property
    def text(self) -> str:
        """The origin in words, such as ``pip package name==1.2``."""
        named = (("pip package ", self.pip), ("apt package ", self.apt), ("npm package ", self.npm), ("", self.url))
        return next(f"{kind}{name}" for kind, name in named if name)


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of data, pinned by its size and checksum; each kind of data adds keys of its own.

    Attributes
    ----------
    path
        In a card, a path relative to the card, or with `origin` the file's name in the cache; absolute once the card is
        read.
    origin
        The key ``from`` of a card: where the file can be fetched.
    """

    path: PathText
    sha256: Sha256
    bytes: Size
    origin: Origin | None = msgspec.field(default=None, name="from")

    @property
    def parts(self) -> dict[str, File]:
        """Further files that belong to this one, by the key that names them."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in values if isinstance(value, File)}

    @property
    def version(self) -> str:
        """The checksum; of several files, the checksum of theirs."""
        if not self.parts:
            return self.sha256
        return hashlib.sha256("".join(file.sha256 for file in (self, *self.parts.values())).encode()).hexdigest()


class ColumnsFile(File, frozen=True, kw_only=True):
    """A file of columns, Parquet or text; the attributes are for text, such as CSV.

    Attributes
    ----------
    columns
        Names of the columns of a file without a header.
    separator
        What stands between two columns, one or more characters; by default a tab in ``.tsv``, else a comma.
    quotes
        Whether a value may stand in quotation marks, as in CSV; if not, they are characters like any other.
    """

    columns: tuple[str, ...] = ()
    separator: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    quotes: bool = True


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A generator, by its name in `harness.data.synthetic.GENERATORS`."""

    name: str


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set's card.

    Attributes
    ----------
    summary, description
        One line; and what a reader must know before trusting a result.
    kind
        Kind of data, which names the reader of the file: a module of `harness.data.readers`.
    tasks
        Tasks that the data join without being named by them, as ``topic/task``.
    features
        The columns to use in their order, each with its meaning; when empty, all that have no other role.
    file, generator
        Exactly one of them; the file is of the reader's type.
    """

    name: str
    title: str
    summary: str
    source: Source
    licence: str
    description: str = ""
    kind: str = "table"
    tasks: tuple[str, ...] = ()
    features: dict[str, str] = {}
    file: File | None = None
    generator: Recipe | None = None

    @property
    def files(self) -> Iterator[File]:
        """The file, and those that belong to it; none of generated data."""
        if self.file is not None:
            yield self.file
            yield from self.file.parts.values()
