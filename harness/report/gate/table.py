"""A decision in the terminal: a line for each case and for each finding that does not simply pass; the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.markup import escape

from harness.gate.decision import Decision, Verdict
from harness.report.gate import cases, words
from harness.report.terminal import Column, Styled, fit, print_table

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS: dict[Verdict, str] = {
    "pass": "green",
    "improved": "bold green",
    "inconclusive": "yellow",
    "not measured": "magenta",
    "failed": "bold red",
    "regressed": "bold red",
}
_INDENT = "    "


def print_decision(out: Console, decision: Decision) -> None:
    """Print a decision; the last line is its verdict and what to do."""
    out.print(escape(_sides(decision)), soft_wrap=True)
    rows = cases.rows(decision)
    columns = _columns(rows) if rows else []
    if columns and not fit(columns, out.width).left_out:
        print_table(out, columns, notes=["candidate over base, metrics as candidate minus base, with 95 % intervals"])
    else:
        for row in rows:
            _print_case(out, row)
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


def _columns(rows: list[cases.CaseRow]) -> list[Column]:
    """Return a column for the verdict, the case and each figure; the rank plays no part, as all are shown or none."""
    verdicts = [Styled(row.case.verdict, _COLOURS[row.case.verdict]) for row in rows]
    columns = [Column("verdict", verdicts, 0, "label"), Column("case", [row.name for row in rows], 1, "name")]
    for rank, texts in enumerate(zip(*(row.texts() for row in rows), strict=True), start=2):
        columns.append(Column(texts[0][0], [text for _, text in texts], rank))
    return columns


def _print_case(out: Console, row: cases.CaseRow) -> None:
    """Print a case where a table has no room: its name, and its figures below it."""
    out.print(f"{_coloured(row.case.verdict)} {escape(row.name)}", soft_wrap=True)
    lines: list[str] = []
    for figure in (f"{name} {text}" for name, text in row.texts() if text != words.NONE):
        if lines and cell_len(f"{_INDENT}{lines[-1]}, {figure}") <= out.width:
            lines[-1] += f", {figure}"
        else:
            lines.append(figure)
    for line in lines:
        out.print(escape(f"{_INDENT}{line}"), soft_wrap=True)


def _coloured(verdict: Verdict, word: str = "") -> str:
    return f"[{_COLOURS[verdict]}]{word or verdict}[/]"
