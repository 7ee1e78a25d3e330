"""The tables of tracked runs at every width, and the widths that a terminal may have."""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console
from support import Project

from harness.analysis.aggregates import aggregate
from harness.cli.output import console
from harness.cli.tables import ComparisonTable, print_run, rows
from harness.records import Try
from harness.report.terminal import Column, Styled, fit, print_table
from harness.store.header import StrategyCard, titled
from harness.store.read import read_all
from harness.store.runs import find

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"


def tables(run: str) -> list[tuple[str, ComparisonTable]]:
    ((header, records),) = read_all(find(RESULTS, run))
    cells = aggregate([(header.run, header.machine.name, records)])
    return [(cell.cell.title, ComparisonTable(header, cell)) for cell in cells]


def distinct(columns: list[Column]) -> list[int]:
    """One width for each way in which a table is laid out between 60 and 250 columns."""
    return list({tuple(fit(columns, width).widths.items()): width for width in range(250, 59, -1)}.values())


def plain(column: Column) -> list[str]:
    return [cell.text if isinstance(cell, Styled) else cell for cell in column.cells]


@pytest.mark.parametrize("run", ["2be81a", "d82c67", "51205a"])
def test_every_figure_is_whole_at_every_width(run: str) -> None:
    for title, table in tables(run):
        columns = table.columns()
        labels, *figures = [plain(column) for column in columns]
        whole = {text for cells in figures for text in cells} | {column.heading for column in columns}
        for width in distinct(columns):
            out = io.StringIO()
            print_table(Console(file=out, width=width), columns, title=title)
            lines = out.getvalue().splitlines()
            assert max(map(cell_len, lines)) <= width
            rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
            note = next((at for at, line in enumerate(lines) if line.startswith("--json or a wider")), None)
            texts = [re.split(" {3,}", line.strip()) for line in lines[rule + 1 : note]]
            assert [
                text for row in texts for text in row if text not in whole and not any(text in n for n in labels)
            ] == []
            headings = re.split(" {3,}", lines[rule - 1].strip())
            assert (note is not None) == (len(headings) < len(columns))
            if note is not None:
                said = " ".join(lines[note:]).removesuffix(" too").partition(" shows ")[2].split(", ")
                assert len(said) == len(columns) - len(headings)


def test_the_table_shows_all_columns_where_the_note_says_so() -> None:
    out = io.StringIO()
    (title, table), *_ = tables("d82c67")
    print_table(Console(file=out, width=100), table.columns(), title=title)
    found = re.search(r"COLUMNS=(\d+)", out.getvalue())
    assert found
    whole = io.StringIO()
    print_table(Console(file=whole, width=int(found[1])), table.columns(), title=title)
    assert "wider terminal" not in whole.getvalue()
    assert "16.3 ms" in whole.getvalue()
    assert "333 µs" in whole.getvalue()


def test_the_guide_shows_the_table_that_is_printed() -> None:
    out = io.StringIO()
    (title, table), *_ = tables("482269")
    print_table(Console(file=out, width=120), table.columns(), title=title, notes=[table.caption])
    assert f"```\n{out.getvalue()}```\n" in (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")


def test_the_readme_shows_an_excerpt_of_that_table() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (title, table), *_ = tables("482269")
    columns = table.columns()
    labels = plain(columns[0])
    rows = [at for at, label in enumerate(labels) if re.search(rf"^{label} ", readme, re.MULTILINE)]
    shown = [
        dataclasses.replace(column, cells=[column.cells[row] for row in rows])
        for column in columns
        if (column.name or column.heading) in ("strategy", "CPU", "ratio of CPU", "memory", "auc", "difference of auc")
    ]
    out = io.StringIO()
    print_table(Console(file=out, width=120), shown, title=title)
    assert f"```\n{out.getvalue()}```\n" in readme
    assert f"{len(rows)} of {len(labels)} strategies and {len(shown)} of {len(columns)} columns" in readme


def test_a_tuned_strategy_has_a_title_and_its_choice_below_the_table() -> None:
    ((header, records),) = read_all(find(RESULTS, "2be81a"))
    card = next(card for card in header.strategies if card.name == "lightgbm")
    tuned = replace(card, name="lightgbm-tuned", tries=8)
    renamed = [
        replace(one, trial=replace(one.trial, strategy=tuned.name), tries=[Try()], choice={"l2": 10.0})
        for one in records
        if one.trial.strategy == "lightgbm"
    ]
    out = io.StringIO()
    header = replace(header, strategies=(tuned, *header.strategies))
    print_run(Console(file=out, width=200), header, [*renamed, *records])
    assert "\nlightgbm (tuned, 8 tries) " in out.getvalue()
    assert "\nlightgbm (tuned, 8 tries) chose l2=10.0 in 5 blocks\n" in out.getvalue()
    assert "lightgbm-tuned" not in out.getvalue()
    row = next(row for row in rows(header, renamed) if row["strategy"] == "lightgbm-tuned")
    assert row["choices"] == [{"options": {"l2": 10.0}, "blocks": 5}]


def test_a_mean_that_one_block_moves_is_said_beside_the_median() -> None:
    ((header, records),) = read_all(find(RESULTS, "2be81a"))
    slow = next(one for one in records if one.trial.strategy == "lightgbm")
    phases = {name: replace(phase, cpu_s=[20 * spent for spent in phase.cpu_s]) for name, phase in slow.phases.items()}
    out = io.StringIO()
    disturbed = [replace(slow, phases=phases), *(r for r in records if r is not slow)]
    print_run(Console(file=out, width=200), header, disturbed)
    sentence = r"lightgbm: a few blocks, far from the others, move the mean ratio of cpu_s to .*x; the median"
    assert re.search(f"\n{sentence}", out.getvalue())
    said = [remark for row in rows(header, disturbed) if row["strategy"] == "lightgbm" for remark in row["outliers"]]
    assert any(re.match(sentence, remark) for remark in said)
    assert not any(row["outliers"] for row in rows(header, records) if row["strategy"] == "lightgbm")


def test_the_caption_names_no_rate_without_a_column() -> None:
    """`diverged` is a rate, and has a column only where something diverged."""
    ((_, table),) = tables("515e01")
    assert "diverged" not in table.caption


def test_a_strategy_whose_author_tuned_it_says_so_unless_it_has_options() -> None:
    card = StrategyCard("bandits/drifting", "sliding-ucb", hand_tuned=True)
    cards = {card.name: card}
    assert titled("sliding-ucb", cards) == "sliding-ucb (constants tuned)"
    assert titled("sliding-ucb[theory=true]", cards) == "sliding-ucb[theory=true]"


def test_memory_too_small_to_be_measured_has_no_ratio(project: Project) -> None:
    said = project.bakeoff("show", str(find(RESULTS, "d82c67")[0])).stdout
    assert "0.0 MB" not in said
    lines = {line.split()[0]: line for line in said.splitlines()[5:10]}
    assert re.search(r" 2\.0 MB +- ", lines["dm"])
    assert re.search(r" <0\.1 MB +- ", lines["ips"])
    (dm,) = (
        row["measures"]["peak_bytes"]
        for row in json.loads(project.bakeoff("show", str(find(RESULTS, "d82c67")[0]), "--json").stdout)["cells"][:1]
    )
    assert dm["estimate"] == pytest.approx(133.10, abs=0.01)


@pytest.mark.parametrize(("columns", "width"), [("0", 180), ("-1", 180), ("", 180), ("wide", 180), ("77", 77)])
def test_columns_that_are_not_a_width_are_unknown(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert console().width == width


def test_a_table_is_printed_where_columns_is_zero(project: Project) -> None:
    assert "16.3 ms" in project.bakeoff("show", str(find(RESULTS, "d82c67")[0]), COLUMNS="0").stdout


def test_the_width_is_that_of_the_terminal_where_columns_is_zero(project: Project) -> None:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 77, 0, 0))
    script = "from harness.cli.output import console; print(console().width)"
    environment = {**os.environ, "COLUMNS": "0", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", script], stdout=theirs, env=environment, check=True)
    assert os.read(ours, 100).decode().split() == ["77"]
    os.close(ours)
    os.close(theirs)
