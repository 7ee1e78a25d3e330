"""Tables of the terminal never cut a figure, whatever the width."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from harness.report.terminal import Column, Fitted, Styled, fit, print_table, table_lines

FIGURES = st.text("0123456789.x[], -+MBµs", min_size=1, max_size=32).map(lambda text: " ".join(text.split()) or "0")
NAMES = st.from_regex(r"[a-z]{1,9}(-[a-z]{1,9}){0,4}(\[[a-z_]{1,9}=[0-9]{1,4}\])?", fullmatch=True)


def planted(names: list[str], figures: list[list[str]]) -> list[Column]:
    columns = [Column(f"figure {rank}", cells, rank) for rank, cells in enumerate(figures, start=1)]
    return [Column("strategy", names, 0, "name"), *columns]


def printed(columns: list[Column], width: int) -> list[str]:
    out = io.StringIO()
    print_table(Console(file=out, width=width), columns)
    return out.getvalue().splitlines()


def slices(fitted: Fitted) -> dict[Column, list[str]]:
    """The texts below each heading, an entry a line."""
    lines = [line.plain for line in table_lines(fitted)]
    found: dict[Column, list[str]] = {}
    start = 0
    for column, width in fitted.widths.items():
        found[column] = [line[start : start + width].strip() for line in lines[2:]]
        start += width + 3
    return found


@given(st.data(), st.integers(60, 250))
def test_whole_columns_within_the_width(data: st.DataObject, width: int) -> None:
    names = data.draw(st.lists(NAMES, min_size=1, max_size=5))
    cells = st.lists(FIGURES, min_size=len(names), max_size=len(names))
    columns = planted(names, data.draw(st.lists(cells, min_size=1, max_size=12)))
    fitted = fit(columns, width)
    lines = printed(columns, width)
    assert max(map(cell_len, lines)) <= width
    left_out = [column.rank for column in fitted.left_out]
    assert left_out == list(range(len(columns)))[len(columns) - len(left_out) :]
    for column, texts in slices(fitted).items():
        if column.kind == "figure":
            assert [text for text in texts if text] == column.cells
        else:
            assert "".join(texts) == "".join(names)
    said = [line for line in lines if line.startswith("--json or a wider terminal")]
    assert len(said) == bool(left_out)
    assert not fit(columns, fitted.needed).left_out
    assert fit(columns, fitted.needed - 1).left_out


def test_columns_that_are_left_out_are_named_with_what_shows_them() -> None:
    columns = [
        Column("strategy", ["a", "b"], 0, "name"),
        Column("CPU", ["1.00 ms", "2.00 ms"], 1),
        Column("ratio", ["1.00x", "2.00x"], 2, name="ratio of CPU"),
        Column("wall", ["3.00 ms", "4.00 ms"], 3),
    ]
    assert printed(columns, 37) == [
        "strategy       CPU   ratio      wall",
        "─" * 36,
        "a          1.00 ms   1.00x   3.00 ms",
        "b          2.00 ms   2.00x   4.00 ms",
    ]
    assert printed(columns, 20) == [
        "strategy       CPU",
        "──────────────────",
        "a          1.00 ms",
        "b          2.00 ms",
        "--json or a wider",
        "terminal",
        "(COLUMNS=36) shows",
        "ratio of CPU, wall",
        "too",
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("xgboost-hist-lossguide", ["xgboost-hist-", "lossguide"]),
        ("xgboost-hist[max_bin=512]", ["xgboost-hist", "[max_bin=512]"]),
        ("flights/clean (rows=100000 threads=1)", ["flights/clean", "(rows=100000", "threads=1)"]),
        ("a[rate=1e-05]", ["a[rate=1e-05]"]),
    ],
)
def test_names_wrap_at_hyphens_and_brackets(name: str, lines: list[str]) -> None:
    column = Column("", [name], 0, "name")
    assert [line.strip() for line in column.lines(name, 13)] == lines


def test_texts_wrap_between_words_and_styles_do_not_count() -> None:
    columns = [Column("", [Styled("good", "green"), "bad"], 0, "label"), Column("", ["one two", "three"], 1, "text")]
    assert [line.plain for line in table_lines(fit(columns, 12))] == ["good", "bad"]
    assert [line.plain for line in table_lines(fit(columns, 14))] == ["good   one two", "bad    three"]
    assert Column("", [], 0, "text").lines("one two-three", 8) == ["one     ", "two-    ", "three   "]


def test_a_terminal_without_unicode_gets_a_rule_of_hyphens() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_table(Console(file=out, width=60), [Column("strategy", ["a"], 0, "name")])
    out.seek(0)
    assert re.split(r"\n", out.read()) == ["strategy", "--------", "a", ""]
