"""A decision as text: a table in the terminal, and Markdown for a CI job's summary or a comment on a pull request."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len

from harness.analysis import wording
from harness.errors import UsageError
from harness.gate.decision import Decision, Verdict
from harness.report.gate import cases, words
from harness.report.gate.changes import Change, changes
from harness.report.run.markdown import escape_code, escape_text
from harness.report.terminal import Column, Styled, fit, joined, print_table
from harness.text import one_line

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
    """Print a decision: the verdict and why, what differs between the sides, and all cases.

    The last line is the verdict again, with what to do, because a long table leaves only that on the screen.
    """
    out.print(joined(_coloured(decision.verdict, cases.headline(decision))), soft_wrap=True)
    for change in changes(decision):
        out.print(joined(_coloured(change.verdict, change.word), f": {change.sentence}"), soft_wrap=True)
    out.print(joined(f"what differs: {'; '.join(cases.differences(decision))}"), soft_wrap=True)
    out.print(joined(_sides(decision)), soft_wrap=True)
    out.print()
    _print_cases(out, cases.rows(decision))
    for remark in decision.remarks:
        out.print(joined(f"remark: {one_line(remark)}"), soft_wrap=True)
    if decision.parts:
        out.print(joined(f"took: {cases.took(decision)}"), soft_wrap=True)
    summary = "; ".join(filter(None, (cases.headline(decision), cases.advice(decision))))
    out.print(joined(_coloured(decision.verdict, summary)), soft_wrap=True)


def _sides(decision: Decision) -> str:
    how = "measured side by side" if decision.live else "stored runs compared"
    sides = f"base {words.side(decision.base)}, candidate {words.side(decision.candidate)}"
    return f"{sides}; {how} on {one_line(decision.machine.name)}"


def _print_cases(out: Console, rows: list[cases.CaseRow]) -> None:
    columns = _columns(rows) if rows else []
    if columns and not fit(columns, out.width).left_out:
        print_table(out, columns, notes=["candidate over base, metrics as candidate minus base, with 95 % intervals"])
        return
    for row in rows:
        _print_case(out, row)
    out.print()


def _columns(rows: list[cases.CaseRow]) -> list[Column]:
    """Return a column for the verdict, the case and each figure; the rank plays no part, as all are shown or none."""
    verdicts = [_coloured(row.case.verdict) for row in rows]
    columns = [Column("verdict", verdicts, 0, "label"), Column("case", [row.name for row in rows], 1, "name")]
    for rank, texts in enumerate(zip(*(row.texts() for row in rows), strict=True), start=2):
        columns.append(Column(texts[0][0], [text for _, text in texts], rank))
    return columns


def _print_case(out: Console, row: cases.CaseRow) -> None:
    """Print a case where a table has no room: its name, and its figures below it."""
    out.print(joined(_coloured(row.case.verdict), f" {row.name}"), soft_wrap=True)
    lines: list[str] = []
    for figure in (f"{name} {text}" for name, text in row.texts() if text != words.NONE):
        if lines and cell_len(f"{_INDENT}{lines[-1]}, {figure}") <= out.width:
            lines[-1] += f", {figure}"
        else:
            lines.append(figure)
    for line in lines:
        out.print(joined(f"{_INDENT}{line}"), soft_wrap=True)


def _coloured(verdict: Verdict, text: str = "") -> Styled:
    return Styled(text or verdict, _COLOURS[verdict])


#: Bytes that GitHub takes as the summary of a step.
LIMIT = 2**20
_TAIL = 8 * 2**10  # reserved for the closing tags and the sentences about what was cut
_OPEN = 12  # up to this many passing cases and reasons are shown unfolded
_BAD: tuple[Verdict, ...] = ("regressed", "failed", "not measured")
_LONGEST = 600
_VARIABLE = "GITHUB_STEP_SUMMARY"
_HEAD = (
    "| verdict | case | CPU | wall | memory | worst metric | pairs |",
    "|---|---|--:|--:|--:|--:|--:|",
)


def markdown(decision: Decision, *, limit: int = LIMIT) -> str:
    """Write a decision as GitHub-flavoured Markdown of at most `limit` bytes; a sentence says what was cut.

    What makes the candidate unfit to be merged comes first, so that it is cut last.
    """
    text = _Text(limit - _TAIL)
    text.put(f"## Gate: {cases.headline(decision)}", "", *_meaning(decision))
    explained = list(changes(decision))
    first, rest = explained[:_OPEN], explained[_OPEN:]
    text.part("### Why", [_change(change) for change in first], "reason")
    _further(text, [change for change in rest if change.verdict in _BAD])
    text.part("### What differs", [f"- {_cell(one)}" for one in cases.differences(decision)], "entry")
    text.part("### How it was measured", list(_how(decision)), "entry")
    rows = cases.rows(decision)
    text.put("### Cases", "")
    _table(text, [row for row in rows if row.case.verdict != "pass"], "")
    _further(text, [change for change in rest if change.verdict not in _BAD])
    passing = [row for row in rows if row.case.verdict == "pass"]
    _table(text, passing, wording.count(len(passing), "passing case") if len(passing) > _OPEN else "")
    text.part("### Remarks", [f"- {_cell(remark)}" for remark in decision.remarks], "remark")
    return text.whole()


def _further(text: _Text, further: list[Change]) -> None:
    if further:
        text.folded(wording.count(len(further), "further reason"), [_change(change) for change in further], "reason")


def summary_file(environment: Mapping[str, str]) -> Path | None:
    """Return the file that GitHub Actions shows as the summary of a step; ``None`` elsewhere."""
    named = environment.get(_VARIABLE, "")
    return Path(named) if named else None


def check_summary(environment: Mapping[str, str] = os.environ) -> None:
    """Check that the summary of the step can be written, if the environment names one.

    Raises
    ------
    UsageError
        When it cannot.
    """
    path = summary_file(environment)
    if path is not None:
        with _summary_errors(path), path.open("a"):
            pass


def append_summary(decision: Decision, environment: Mapping[str, str] = os.environ) -> None:
    """Append a decision to the summary of the step, as far as GitHub's limit allows.

    Raises
    ------
    UsageError
        When the file that the environment names cannot be written.
    """
    path = summary_file(environment)
    if path is None:
        return
    with _summary_errors(path):
        room = LIMIT - (path.stat().st_size if path.exists() else 0) - 2
        text = markdown(decision, limit=room) if room > 2 * _TAIL else f"## Gate: {cases.headline(decision)}"
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")


@contextlib.contextmanager
def _summary_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write the summary {path} that {_VARIABLE} names: {error.strerror}") from None


class _Text:
    """Lines of text up to a limit in bytes."""

    def __init__(self, room: int) -> None:
        self._lines: list[str] = []
        self._room = room

    def put(self, *lines: str) -> None:
        """Add lines that are always there."""
        self._lines += lines
        self._room -= sum(map(_size, lines))

    def fill(self, lines: Iterable[str], noun: str) -> None:
        """Add lines while there is room, and say how many were left out."""
        left = 0
        for line in lines:
            if left or _size(line) > self._room:
                left += 1
            else:
                self.put(line)
        if left:
            self.put(
                "",
                f"{_plural(left, noun)} left out here because the summary is full; the page (`--page`) has all.",
            )

    def part(self, title: str, lines: list[str], noun: str) -> None:
        """Add a part with a title, unless it is empty."""
        if lines:
            self.put(title, "")
            self.fill(lines, noun)
            self.put("")

    def folded(self, title: str, lines: list[str], noun: str, head: tuple[str, ...] = ()) -> None:
        """Add lines that open on a click."""
        self.put(f"<details><summary>{title}</summary>", "", *head)
        self.fill(lines, noun)
        self.put("", "</details>", "")

    def whole(self) -> str:
        """Return the text."""
        return "\n".join(self._lines).rstrip() + "\n"


def _meaning(decision: Decision) -> Iterable[str]:
    advice = cases.advice(decision)
    yield cases.meaning(decision) + (f" To do: {escape_text(advice)}." if advice else "")
    yield ""


def _how(decision: Decision) -> Iterable[str]:
    how = "measured side by side" if decision.live else "stored runs compared"
    yield f"- base: {_cell(words.side(decision.base))}"
    yield f"- candidate: {_cell(words.side(decision.candidate))}"
    clock, took = wording.clock(one_line(decision.started)), wording.duration(decision.elapsed_s)
    yield f"- {how} on {_cell(decision.machine.name)}, {_cell(clock)}, {took}"
    if decision.parts:
        yield f"- parts of it: {_cell(cases.took(decision))}"
    if decision.command:
        yield f"- the same again: `{escape_code(one_line(decision.command))}`"


def _table(text: _Text, rows: list[cases.CaseRow], folded: str) -> None:
    lines = [_row(row) for row in rows]
    if folded:
        text.folded(folded, lines, "case", _HEAD)
    elif lines:
        text.put(*_HEAD)
        text.fill(lines, "case")
        text.put("")


def _row(row: cases.CaseRow) -> str:
    verdict = f"{words.MARKS[row.case.verdict]} {row.case.verdict}"
    if row.case.verdict not in ("pass", "improved"):
        verdict = f"**{verdict}**"
    cells = (row.name, *(text for _, text in row.texts()))
    return f"| {verdict} | {' | '.join(map(_cell, cells))} |"


def _change(change: Change) -> str:
    return f"- **{change.word}**: {_cell(change.sentence)}"


def _cell(text: str) -> str:
    return escape_text(one_line(text, _LONGEST))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def _size(line: str) -> int:
    return len(line.encode()) + 1
