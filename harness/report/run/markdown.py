"""A report short enough for a pull request: advice, claims and one table for each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.analysis import wording
from harness.analysis.recommendation import ANSWERED
from harness.report.run import views
from harness.report.run.ledger import described
from harness.text import one_line, visible

Plain: TypeAlias = Mapping[str, Any]

#: GitHub refuses a comment of more than 65,536 characters.
LIMIT = 60_000
_MARKUP = "\\|*_`[]#@~$!"
# Mentions, references, addresses: they are found in the text that escapes leave, so a space of no width parts them.
_LINKED = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=mailto:)|(?<=xmpp:)", re.IGNORECASE)
_APART = "&#8203;"


def markdown(payload: Plain) -> str:
    """Write a payload as GitHub-flavoured Markdown; cells beyond the size limit are counted instead of shown."""
    lines = [f"## {escape_text(payload['title'])}", ""]
    lines += [
        f"- `{escape_code(run['command'])}` on {escape_text(run['machine'])}, {_run(run)}" for run in payload["runs"]
    ]
    lines += [f"- **Note:** {escape_text(remark)}" for remark in payload["remarks"]]
    lines += ["", *_claims([described(claim) for claim in payload["claims"]])]
    for task in payload["tasks"]:
        lines += [f"### {escape_text(task['id'])}", ""]
        if (advice := task["advice"]) and advice["state"] in ANSWERED:
            reasons = "; ".join(filter(None, (advice["why"], advice["as_good"])))
            lines += [f"**Take** {escape_text(advice['take'])}: {escape_text(reasons)}", ""]
        elif advice and advice["open"]:
            lines += [f"**Not settled**: {escape_text(advice['open'])}", ""]
        lines += [escape_text(views.setup(task)), ""] if task["setup"] else []
        left_out = 0
        for cell in task["cells"]:
            table = list(_table(task, cell))
            if sum(map(len, lines)) + sum(map(len, table)) > LIMIT:
                left_out += 1
                continue
            lines += table
        if left_out:
            lines += [
                f"{wording.count(left_out, 'further cell')} left out here; the page made by `bakeoff report` has all",
                "",
            ]
        lines += [escape_text(task["left_out"]), ""] if task["left_out"] else []
        lines += _troubles(task)
    return "\n".join(lines).rstrip() + "\n"


def _run(run: Plain) -> str:
    commit = f"commit {escape_text(run['commit'])}" if run["commit"] else "no commit"
    changes = " with changes" if run["dirty"] else ""
    return f"{commit}{changes}: {views.statuses(run['statuses'])}"


def _claims(claims: list[Plain]) -> Iterator[str]:
    if not claims:
        return
    yield from ("| claim | verdict | expected | measured | blocks |", "|---|---|---|---|--:|")
    for found in claims:
        measured = f"{found['measured']} {found['interval']}".strip()
        cells = (found["text"], found["verdict"], found["expected"], measured, found["blocks"])
        yield _row(str(cell) for cell in cells)
    yield ""


def _table(task: Plain, cell: Plain) -> Iterator[str]:
    """Write the costs over all phases and the metrics, each with its median and its effect."""
    places = [place for place, measure in enumerate(task["measures"]) if not views.is_phase(measure)]
    measures = [task["measures"][place] for place in places]
    blocks = wording.count(len(cell["units"]), "block")
    yield f"**{escape_text(wording.place(cell))}**, {blocks}, against {escape_text(task['reference'])}"
    yield ""
    yield _row(["strategy", *(measure["title"] for measure in measures)])
    yield "|---|" + "--:|" * len(measures)
    for row in cell["table"]:
        figures = [_cell(task["measures"][place], row["cells"][place]) for place in places]
        yield _row([task["strategies"][row["strategy"]]["label"], *figures])
    yield ""
    if cell["outliers"]:
        yield from (*(f"- {escape_text(remark)}" for remark in cell["outliers"]), "")


def _cell(measure: Plain, found: Plain) -> str:
    median = wording.level(found, measure["unit"])
    if found["verdict"] == "reference" or found["estimate"] is None:
        return median
    interval = wording.interval(found, cost=measure["cost"])
    effect = f"{wording.effect(found, cost=measure['cost'])} {interval}".strip()
    return f"{median}, {effect}{wording.MARKS[found['verdict']]}"


def _troubles(task: Plain) -> Iterator[str]:
    for trouble in views.troubles(task):
        strategy, reason = (escape_text(trouble[name]) for name in ("strategy", "reason"))
        yield f"- {trouble['count']} x {trouble['status']} {strategy}: {reason}"
    for strategy, said, place in views.diverged(task):
        yield f"- {escape_text(strategy)} {said} of {escape_text(place)}: its metrics there are a guess's"
    yield ""


def _row(cells: Any) -> str:
    return f"| {' | '.join(escape_text(cell) for cell in cells)} |"


def escape_text(text: str) -> str:
    """Escape what has a meaning in Markdown, HTML or a table, and what GitHub and GitLab turn into a link."""
    plain = visible(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKED.sub(_APART, "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in plain))


def escape_code(text: str) -> str:
    """Escape for a code span, which ends at the next backtick."""
    return one_line(text).replace("`", "'").replace("|", "\\|")
