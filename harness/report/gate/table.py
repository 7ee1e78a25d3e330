"""A decision in the terminal: a line for each case and for each finding that does not simply pass; the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from harness.gate.decision import Decision, Verdict
from harness.report.gate import cases, words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_COLOURS: dict[Verdict, str] = {
    "pass": "green",
    "improved": "bold green",
    "inconclusive": "yellow",
    "not measured": "magenta",
    "failed": "bold red",
    "regressed": "bold red",
}
_WIDE = 140


def print_decision(out: Console, decision: Decision) -> None:
    """Print a decision; the last line is its verdict and what to do."""
    out.print(escape(_sides(decision)), soft_wrap=True)
    rows = cases.rows(decision)
    if rows and out.width >= _WIDE:
        out.print(_table(rows))
    else:
        for row in rows:
            out.print(_lines(row), soft_wrap=True)
        out.print()
    for point in cases.open_points(decision):
        of = f"{point.case} {point.figure}".strip()
        out.print(f"{_coloured(point.verdict, point.word)} {escape(f'{of}: {point.text}')}", soft_wrap=True)
    for case, figure, why in cases.allowed(decision):
        out.print(escape(f"allowed: {words.line(f'{case} {figure}')}: {words.line(why)}"), soft_wrap=True)
    for remark in decision.remarks:
        out.print(escape(f"remark: {words.line(remark)}"), soft_wrap=True)
    summary = "; ".join(filter(None, (cases.headline(decision), cases.advice(decision))))
    out.print(f"[{_COLOURS[decision.verdict]}]{escape(summary)}[/]", soft_wrap=True)


def _sides(decision: Decision) -> str:
    how = "measured side by side" if decision.live else "stored runs compared"
    differing = words.packages(decision.base, decision.candidate)
    packages = "".join(f"; {name} {old} to {new}" for name, old, new in differing)
    machine = words.line(decision.machine.name)
    return f"base {words.side(decision.base)}, candidate {words.side(decision.candidate)}{packages}; {how} on {machine}"


def _table(rows: list[cases.CaseRow]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("case", overflow="fold")
    for heading, _ in rows[0].texts():
        table.add_column(heading, justify="right", no_wrap=heading != "worst metric")
    for row in rows:
        figures = (escape(text) for _, text in row.texts())
        table.add_row(_coloured(row.case.verdict), escape(row.name), *figures)
    table.caption = "candidate over base, metrics as candidate minus base, with 95 % intervals"
    table.caption_justify = "left"
    return table


def _lines(row: cases.CaseRow) -> str:
    """Write a case if the terminal is too narrow for a table: its name, and its figures on the next line."""
    figures = ", ".join(f"{name} {text}" for name, text in row.texts() if text != words.NONE)
    return f"{_coloured(row.case.verdict)} {escape(row.name)}" + (f"\n    {escape(figures)}" if figures else "")


def _coloured(verdict: Verdict, word: str = "") -> str:
    return f"[{_COLOURS[verdict]}]{word or verdict}[/]"
