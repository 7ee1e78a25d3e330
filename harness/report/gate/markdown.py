"""A decision as Markdown: the summary of a CI job, or a comment on a pull request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.analysis import wording
from harness.errors import UsageError
from harness.gate.decision import Decision
from harness.report.gate import cases, words
from harness.report.run.markdown import escape_code, escape_text

#: Bytes that GitHub takes as the summary of a step.
LIMIT = 2**20
_TAIL = 8 * 2**10  # reserved for the closing tags and the sentences about what was cut
_OPEN = 12  # up to this many passing cases, their table is shown unfolded
_LONGEST = 600
_VARIABLE = "GITHUB_STEP_SUMMARY"
_HEAD = (
    "| verdict | case | CPU | wall | memory | worst metric | pairs |",
    "|---|---|--:|--:|--:|--:|--:|",
)


def markdown(decision: Decision, *, limit: int = LIMIT) -> str:
    """Write a decision as GitHub-flavoured Markdown of at most `limit` bytes; a sentence says what was cut."""
    text = _Text(limit - _TAIL)
    text.put(f"## Gate: {cases.headline(decision)}", "", *_head(decision))
    rows = cases.rows(decision)
    _table(text, [row for row in rows if row.case.verdict != "pass"], "")
    passing = [row for row in rows if row.case.verdict == "pass"]
    folded = wording.count(len(passing), "passing case") if len(passing) > _OPEN else ""
    _table(text, passing, folded)
    points = [_point(point) for point in cases.open_points(decision)]
    text.part("### Why", points[:_OPEN], "reason")
    with_more = points[_OPEN:]
    if with_more:
        text.folded(wording.count(len(with_more), "further reason"), with_more, "reason")
    text.part("### Allowed for a while", [_allowed(*entry) for entry in cases.allowed(decision)], "entry")
    text.part("### Remarks", [f"- {_cell(remark)}" for remark in decision.remarks], "remark")
    return text.whole()


def summary_file(environment: Mapping[str, str]) -> Path | None:
    """Return the file that GitHub Actions shows as the summary of a step; ``None`` elsewhere."""
    named = environment.get(_VARIABLE, "")
    return Path(named) if named else None


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
    try:
        room = LIMIT - (path.stat().st_size if path.exists() else 0) - 2
        text = markdown(decision, limit=room) if room > 2 * _TAIL else f"## Gate: {cases.headline(decision)}"
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
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


def _head(decision: Decision) -> Iterable[str]:
    advice = cases.advice(decision)
    yield cases.meaning(decision) + (f" To do: {escape_text(advice)}." if advice else "")
    yield ""
    how = "measured side by side" if decision.live else "stored runs compared"
    yield f"- base: {_cell(words.side(decision.base))}"
    yield f"- candidate: {_cell(words.side(decision.candidate))}"
    differing = words.packages(decision.base, decision.candidate)
    if differing:
        yield _cell("- packages: " + ", ".join(f"{name} {old} to {new}" for name, old, new in differing[:20]))
    clock, took = wording.clock(words.line(decision.started)), words.duration(decision.elapsed_s)
    yield f"- {how} on {_cell(decision.machine.name)}, {_cell(clock)}, {took}"
    if decision.command:
        yield f"- the same again: `{escape_code(words.line(decision.command))}`"
    yield ""


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


def _point(point: cases.ReportedFinding) -> str:
    return f"- **{point.word}** {_cell(f'{point.case} {point.figure}'.strip())}: {_cell(point.text)}"


def _allowed(case: str, figure: str, why: str) -> str:
    return f"- {_cell(f'{case} {figure}'.strip())}: {_cell(why)}"


def _cell(text: str) -> str:
    return escape_text(words.line(text, _LONGEST))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def _size(line: str) -> int:
    return len(line.encode()) + 1
