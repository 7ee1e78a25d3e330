"""Tables of the terminal: whole columns, the least important left out where the width is too small, nothing cut.

A figure is on one line, or its column is left out. Names wrap after a hyphen or before a bracket, texts between words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Literal, NamedTuple, TypeAlias

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from harness.text import inert, visible

_GAP = 3
_RULE, _ASCII_RULE = "─", "-"
_LEAST_NAME, _LEAST_TEXT = 16, 30
# A name breaks after a separator, but not between a sign or a comma and a digit, and before a bracket.
_BREAKS = re.compile(r"(?<=[-_/,])(?=\D)|(?<=\S)(?=\[)|(?<=\s)")
_WORDS = re.compile(r"(?<=\s)(?=\S)")


class Styled(NamedTuple):
    """A cell in a style of rich, such as ``bold`` or ``red``."""

    text: str
    style: str


CellText: TypeAlias = str | Styled


class Screen(Console):
    """A console that text cannot act on: a string has no markup and is one line, and what would act is only shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a string into one line of text."""
        return super().render_str(_line(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, and show what would act, also in a line that was wrapped."""
        begins = True
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
                continue
            text = inert(segment.text) if begins else visible(segment.text)
            yield Segment(text, segment.style)
            begins = text.endswith("\n") or (begins and not text.strip())


def joined(*parts: CellText) -> Text:
    """Join texts to one line, some of them in a style."""
    return Text.assemble(
        *((_line(part.text), part.style) if isinstance(part, Styled) else _line(part) for part in parts)
    )


def _line(text: str) -> str:
    return inert(text.replace("\n", "\\n"))


@dataclass(eq=False)
class Column:
    """A column of a table.

    Attributes
    ----------
    cells
        One for each row; an empty one prints nothing.
    rank
        Columns are left out from the largest rank on; the column with the smallest one is always shown.
    kind
        A ``figure`` (aligned on the right) and a ``label`` never wrap; a ``name`` and a ``text`` may wrap.
    name
        The column in the sentence that names the columns left out; by default its heading.
    """

    heading: str
    cells: Sequence[CellText]
    rank: int
    kind: Literal["figure", "label", "name", "text"] = "figure"
    name: str = ""

    @cached_property
    def natural(self) -> int:
        """The width with every cell on one line."""
        return max(
            map(cell_len, [inert(self.heading), *(line for cell in self.cells for line in _plain(cell).split("\n"))])
        )

    @cached_property
    def least(self) -> int:
        """The smallest width at which the table shows the column."""
        if self.kind in ("figure", "label"):
            return self.natural
        if self.kind == "text":
            return min(self.natural, _LEAST_TEXT)
        pieces = (piece for cell in [self.heading, *self.cells] for piece in _BREAKS.split(_plain(cell)))
        return max(*map(cell_len, pieces), min(self.natural, _LEAST_NAME))

    def lines(self, cell: CellText, width: int) -> list[str]:
        """Return the lines of a cell, padded to the width."""
        split = _BREAKS if self.kind == "name" else _WORDS
        # A line that was wrapped may begin with what a CI service runs.
        lines = [inert(line) for part in _plain(cell).split("\n") for line in _wrapped(part, width, split)]
        pads = [" " * (width - cell_len(line)) for line in lines]
        return [pad + line if self.kind == "figure" else line + pad for pad, line in zip(pads, lines, strict=True)]


@dataclass(frozen=True)
class Fitted:
    """The columns that a width has room for.

    Attributes
    ----------
    widths
        The width of each column shown, in the order of display.
    left_out
        The other columns, the most important first.
    needed
        The width that shows all columns.
    """

    widths: Mapping[Column, int]
    left_out: Sequence[Column]
    needed: int


def fit(columns: Sequence[Column], width: int) -> Fitted:
    """Choose whole columns by their rank; what room is left then goes to the names and texts that wrap."""
    ranked = sorted(columns, key=lambda column: column.rank)
    widths = {ranked[0]: min(ranked[0].least, width)}
    room = width - widths[ranked[0]]
    for column in ranked[1:]:
        if column.least + _GAP > room:
            break
        widths[column] = column.least
        room -= column.least + _GAP
    for column in ranked[: len(widths)]:
        wider = max(0, min(column.natural - widths[column], room))
        widths[column] += wider
        room -= wider
    needed = sum(column.least for column in columns) + _GAP * (len(columns) - 1)
    shown = {column: widths[column] for column in columns if column in widths}
    return Fitted(shown, ranked[len(widths) :], needed)


def print_table(
    out: Console,
    columns: Sequence[Column],
    *,
    title: str = "",
    notes: Sequence[str] = (),
    full: str = "--json",
    ruled: bool = True,
) -> None:
    """Print a table with what it says above and below.

    Parameters
    ----------
    notes
        Sentences below the table.
    full
        The option that shows the columns left out.
    ruled
        Whether there is a rule below the headings.
    """
    fitted = fit(columns, out.width)
    if title:
        print_wrapped(out, title, "bold")
    rule = _ASCII_RULE if out.options.ascii_only else _RULE
    out.print(Text("\n").join(table_lines(fitted, rule if ruled else "")), soft_wrap=True)
    for note in notes:
        print_wrapped(out, note)
    if fitted.left_out:
        print_wrapped(out, left_out_note(fitted, full))


def print_wrapped(out: Console, text: str, style: str = "") -> None:
    """Print a sentence, wrapped between words."""
    for line in _wrapped(_line(text), out.width):
        out.print(Text(inert(line), style), soft_wrap=True)


def hanging(label: CellText, text: str, width: int, *, indent: int) -> list[Text]:
    """Return the lines of a label and a text that is wrapped beside it; the text of every line begins at `indent`."""
    first = joined(label)
    first.pad_right(max(indent - first.cell_len, min(indent, 1)))
    lines = [Text(inert(line)) for line in _wrapped(_line(text), max(width - indent, _LEAST_NAME))]
    return [Text.assemble(first if line is lines[0] else " " * indent, line) for line in lines]


def left_out_note(fitted: Fitted, full: str = "--json") -> str:
    """Name the columns left out, and what shows them."""
    names = ", ".join(column.name or column.heading for column in fitted.left_out)
    return f"{full} or a wider terminal (COLUMNS={fitted.needed}) shows {names} too"


def table_lines(fitted: Fitted, rule: str = _RULE) -> Iterator[Text]:
    """Yield the lines of a table: its headings, where it has any, with a rule below them; then its rows."""
    widths = fitted.widths
    if any(column.heading for column in widths):
        yield from _row(widths, [column.heading for column in widths])
        if rule:
            yield Text(rule * (sum(widths.values()) + _GAP * (len(widths) - 1)))
    for cells in zip(*(column.cells for column in widths), strict=True):
        yield from _row(widths, cells)


def _row(widths: Mapping[Column, int], cells: Sequence[CellText]) -> Iterator[Text]:
    parts = [column.lines(cell, width) for (column, width), cell in zip(widths.items(), cells, strict=True)]
    styles = [cell.style if isinstance(cell, Styled) else "" for cell in cells]
    blanks = [" " * width for width in widths.values()]
    for line in zip_longest(*parts):
        text = Text(" " * _GAP).join(
            Text(part or blank, style) for part, blank, style in zip(line, blanks, styles, strict=True)
        )
        text.rstrip()
        yield text


def _plain(cell: CellText) -> str:
    return inert(cell.text if isinstance(cell, Styled) else cell)


def _wrapped(text: str, width: int, split: re.Pattern[str] = _WORDS) -> list[str]:
    """Break a text into lines: at the pattern, in longer words as in names, and anywhere where that is not enough."""
    lines = [""]
    for piece in split.split(text):
        if cell_len((lines[-1] + piece).rstrip()) <= width:
            lines[-1] += piece
        elif cell_len(piece.rstrip()) <= width:
            lines.append(piece)
        else:
            finer = chop_cells(piece, width) if split is _BREAKS else _wrapped(piece, width, _BREAKS)
            lines += finer
    return [line.rstrip() for line in lines if line.strip() or len(lines) == 1]
