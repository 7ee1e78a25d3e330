"""What the overview of a page shows: a row for each task, what was refuted, what did not finish, what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.analysis import wording
from harness.report.run import pictures

Plain: TypeAlias = Mapping[str, Any]

_MOST_CARDS = 3
_MOST_NAMES = 3
_NO_CHOICE = "No strategy finished every block of every clean cell."
_STATES = {"settled": "settled", "tied": "tied", "open": "not settled", "none": ""}


def overview(payload: Plain, tasks: Sequence[Plain], claims: Sequence[Plain]) -> dict[str, Any]:
    """Return what the overview shows.

    Parameters
    ----------
    tasks
        What the templates show of each task of the payload.
    claims
        The ledger of the page: the claims of each topic.
    """
    topics = dict.fromkeys(task["topic"] for task in payload["tasks"])
    rows = [_row(task, about) for task, about in zip(payload["tasks"], tasks, strict=True)]
    states = Counter(row["state"] for row in rows)
    return {
        "topics": [(topic, [row for row in rows if row["topic"] == topic]) for topic in topics],
        "headline": wording.settled(states) or "Tasks",
        "legend": any(row["picture"] for row in rows),
        "fitness": _fitness(payload["machines"]),
        "refuted": _refuted(claims),
        "stopped": _stopped(tasks),
        "open": states["open"],
        "wait": wait(payload["tasks"]),
    }


def _row(task: Plain, about: Plain) -> dict[str, Any]:
    advice = task["advice"] or {"state": "none", "take": "", "why": "", "open": ""}
    points = task["points"]
    if advice["state"] == "none":
        points = [{**point, "role": "other"} for point in points]
    return {
        "topic": task["topic"],
        "anchor": about["anchor"],
        "title": about["title"],
        "id": task["id"],
        "state": advice["state"],
        "word": _STATES[advice["state"]],
        "take": advice["take"] if advice["state"] != "open" else "",
        "said": advice["why"] or advice["open"] or _NO_CHOICE,
        "stopped": _counted(about),
        "picture": pictures.scatter({**task, "points": points}),
    }


def _refuted(claims: Sequence[Plain]) -> list[Plain]:
    """Return a refuted claim of each of a few topics: first those measured here, then those with a published figure."""
    refuted = [[row for row in group["rows"] if row["verdict"] == "refuted"] for group in claims]
    first = [min(rows, key=_surprise) for rows in refuted if rows]
    return sorted(first, key=_surprise)[:_MOST_CARDS]


def _surprise(claim: Plain) -> tuple[bool, bool]:
    return claim["tracked"], not claim["published"]


def _fitness(machines: Sequence[Plain]) -> str:
    """Say in a sentence or two how fit the machines were to measure times."""
    if len(machines) != 1:
        return ""
    disturbed, noise = machines[0]["contaminated"], machines[0]["noise"]
    work = "" if disturbed is None else f"Other work disturbed {wording.share(disturbed)} of the trials. "
    if not noise:
        return f"{work}The noise floor of its times was not measured: bakeoff doctor --keep."
    return f"{work}The times of two equal trials differ by {wording.share(noise['sd'])}."


def _counted(about: Plain) -> str:
    """Count the strategies that did not finish somewhere: ``2 skipped, 1 failed``."""
    ended = {(trouble["status"], trouble["strategy"]) for trouble in about["troubles"] if trouble["status"] != "ok"}
    ended |= {("diverged", strategy) for strategy, _, _ in about["diverged"]}
    counts = Counter(status for status, _ in ended)
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))


def _stopped(tasks: Sequence[Plain]) -> list[dict[str, str]]:
    """Say what did not finish for which reason, the reason of most strategies first."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for about in tasks:
        for trouble in about["troubles"]:
            if trouble["status"] != "ok":
                reasons.setdefault((trouble["status"], trouble["reason"]), {})[trouble["strategy"]] = None
    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    found = []
    for (status, reason), names in ordered[:_MOST_CARDS]:
        more = len(names) - _MOST_NAMES
        named = ", ".join(list(names)[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        found.append({"what": f"{wording.count(len(names), 'strategy')} {status}: {reason}", "names": named})
    return found


def wait(tasks: Sequence[Plain]) -> str:
    """Forecast the time that settles the open tasks, where that is known: ``about 4 min to 12 min``."""
    known = [task["advice"]["seconds"] for task in tasks if task["advice"] and task["advice"]["seconds"]]
    if not known:
        return ""
    least, most = (wording.duration(sum(seconds[end] for seconds in known)) for end in (0, 1))
    return f"about {least}" if least == most else f"about {least} to {most}"
