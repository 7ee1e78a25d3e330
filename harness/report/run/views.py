"""Counts, groups and sentences that the templates show beside the payload and that are made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.analysis import wording
from harness.analysis.recommendation import ANSWERED
from harness.report.run.ledger import ledger
from harness.report.run.overview import overview, wait

Plain: TypeAlias = Mapping[str, Any]

_STATUSES = {"ok": "ok", "skipped": "skipped", "failed": "failed", "timeout": "out of time", "memory": "out of memory"}


def page(payload: Plain, anchors: Mapping[str, str]) -> dict[str, Any]:
    """Return what the templates show of a payload.

    Parameters
    ----------
    anchors
        Anchor of every topic and task.
    """
    runs, claims = payload["runs"], ledger(payload, anchors)
    tasks = [task(own, anchors[own["id"]]) for own in payload["tasks"]]
    return {
        "days": span([wording.day(run["started"]) for run in sorted(runs, key=lambda run: str(run["started"]))]),
        "commits": list(dict.fromkeys(_commit(run) for run in runs)),
        "recorded": sum(run["recorded"] for run in runs),
        "statuses": statuses(sum((Counter(run["statuses"]) for run in runs), Counter())),
        "run_statuses": [statuses(run["statuses"]) for run in runs],
        "claims": claims,
        "tasks": tasks,
        "topics": [_topic(payload, anchors, name) for name in dict.fromkeys(own["topic"] for own in payload["tasks"])],
        "overview": overview(payload, tasks, claims),
    }


def _topic(payload: Plain, anchors: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return a topic with the places of its tasks; its title is ``name: what it is about``."""
    title, _, about = payload["topics"][name].partition(": ")
    places = [place for place, task in enumerate(payload["tasks"]) if task["topic"] == name]
    return {"name": name, "anchor": anchors[name], "title": title, "about": about, "places": places}


def task(payload: Plain, anchor: str) -> dict[str, Any]:
    """Return what the templates show of a task."""
    advice = payload["advice"]
    return {
        "anchor": anchor,
        "title": payload["title"] or payload["id"],
        "short": payload["id"].removeprefix(f"{payload['topic']}/"),
        "take": advice["take"] if advice and advice["state"] in ANSWERED else "",
        "wait": wait([payload]),
        "setup": setup(payload),
        "shown": [place for place, measure in enumerate(payload["measures"]) if not is_phase(measure)],
        "rates": list(
            dict.fromkeys(name for cell in payload["cells"] for row in cell["rows"] for name in row["rates"])
        ),
        "troubles": troubles(payload),
        "diverged": diverged(payload),
        "outliers": [(remark, wording.place(cell)) for cell in payload["cells"] for remark in cell["outliers"]],
    }


def setup(payload: Plain) -> str:
    """Say which phases are in no total; empty where all are: ``Times and memory are without compile (set-up).``."""
    phases = payload["setup"]
    named = [wording.phase(phase, phases) for phase in phases]
    return f"Times and memory are {wording.setup(named)}." if phases else ""


def is_phase(measure: Plain) -> bool:
    """Return whether a measure is the cost of one phase only."""
    return bool(measure["cost"]) and "." in measure["name"]


def statuses(counts: Mapping[str, int]) -> str:
    """Write how many trials ended how: ``90 ok, 20 skipped``."""
    names = [*_STATUSES, *sorted(set(counts) - set(_STATUSES))]
    return ", ".join(f"{counts[name]:,} {_STATUSES.get(name, name)}" for name in names if counts.get(name)) or "none"


def troubles(task: Plain) -> list[dict[str, Any]]:
    """Return what did not finish: each strategy, status and reason once, with its number of trials and its cells."""
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for cell in task["cells"]:
        for row in cell["rows"]:
            for status, reason, count in row["troubles"]:
                entry = found.setdefault(
                    (row["strategy"], status, reason),
                    {
                        "strategy": task["strategies"][row["strategy"]]["label"],
                        "status": _STATUSES.get(status, status),
                        "reason": reason or "no reason recorded",
                        "count": 0,
                        "cells": [],
                    },
                )
                entry["count"] += count
                entry["cells"].append(wording.place(cell))
    return [found[key] for key in sorted(found)]


def diverged(task: Plain) -> list[tuple[str, str, str]]:
    """Return the strategies whose training diverged: label, at which step in how many blocks, and the cell."""
    return [
        (task["strategies"][row["strategy"]]["label"], row["diverged"], wording.place(cell))
        for cell in task["cells"]
        for row in cell["rows"]
        if row["diverged"]
    ]


def span(days: Sequence[str]) -> str:
    """Write the first and the last of some days, which are in order."""
    if not days:
        return ""
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _commit(run: Plain) -> str:
    commit = f"commit {run['commit']}" if run["commit"] else "of no commit"
    return f"{commit} with changes" if run["dirty"] else commit
