"""A decision as annotations of GitHub Actions: workflow commands, one a line, on the output of a step."""

from typing import Literal, TypeAlias

from harness.gate.decision import Decision, Verdict
from harness.gate.outputs import cases, headline, words

Level: TypeAlias = Literal["error", "warning", "notice"]

#: GitHub shows so many annotations of a level a step.
MOST = 10
_LONGEST = 2000
_LEVELS: dict[Verdict, Level | None] = {
    "pass": None,
    "improved": "notice",
    "inconclusive": "warning",
    "not measured": "error",
    "failed": "error",
    "regressed": "error",
}


def annotations(decision: Decision) -> list[str]:
    """Write an annotation for every case that is no plain pass, and one for the whole decision.

    Regressed, failed and not measured are errors, inconclusive is a warning, the rest notices. Of each level GitHub
    shows the first ten of a step: where there are more, the tenth sums up the rest.
    """
    made: dict[Level, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    said = "; ".join(filter(None, (headline.headline(decision), headline.advice(decision))))
    whole = _LEVELS[decision.verdict] or "notice"
    made[whole].append(("Bakeoff gate", said))
    for row in cases.rows(decision):
        points = list(cases.points_of(row))
        level = _LEVELS[row.case.verdict] or ("notice" if points else None)
        if level:
            made[level].append((f"{row.case.verdict}: {row.name}", _message(points)))
    return [_command(level, *one) for level, own in made.items() for one in _limited(own)]


def _message(points: list[cases.Told]) -> str:
    text = "\n".join(f"{told.figure or 'case'} {told.word}: {told.text}{_allowed(told)}" for told in points)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _allowed(told: cases.Told) -> str:
    return f"; allowed: {words.line(told.allowed)}" if told.allowed else ""


def _limited(own: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(own) <= MOST:
        return own
    rest = [title for title, _ in own[MOST - 1 :]]
    named = "\n".join(rest)
    text = named if len(named) <= _LONGEST else f"{named[: _LONGEST - 1]}…"
    return [*own[: MOST - 1], (f"{len(rest)} more", text)]


def _command(level: Level, title: str, message: str) -> str:
    """Write a workflow command, escaped as GitHub's toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    return f"::{level} title={_property(words.line(title, 200))}::{_data(words.clean(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
