"""Counts, groups and sentences that the templates show beside the payload and that are made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from harness.analysis import wording

Plain: TypeAlias = Mapping[str, Any]

#: Verdicts of claims, in the order in which they are counted.
NOT_MEASURED = "not measured"
VERDICTS = ("supported", "refuted", "inconclusive", NOT_MEASURED)
_STATUSES = {"ok": "ok", "skipped": "skipped", "failed": "failed", "timeout": "out of time", "memory": "out of memory"}


def page(payload: Plain) -> dict[str, Any]:
    """Return what the templates show of a payload."""
    runs, claims = payload["runs"], payload["claims"]
    return {
        "days": span([wording.day(run["started"]) for run in sorted(runs, key=lambda run: str(run["started"]))]),
        "commits": list(dict.fromkeys(_commit(run) for run in runs)),
        "recorded": sum(run["recorded"] for run in runs),
        "statuses": statuses(sum((Counter(run["statuses"]) for run in runs), Counter())),
        "counts": [(word, number) for word in VERDICTS if (number := _verdicts(claims)[word])],
        "run_statuses": [statuses(run["statuses"]) for run in runs],
        "ledger": ledger(claim for claim in claims if claim["verdict"] != NOT_MEASURED),
        "unmeasured": ledger(claim for claim in claims if claim["verdict"] == NOT_MEASURED),
        "tasks": [task(number, own) for number, own in enumerate(payload["tasks"], start=1)],
        "targets": _targets(payload["tasks"]),
    }


def task(number: int, payload: Plain) -> dict[str, Any]:
    """Return what the templates show of the `number`-th task of a page."""
    advice = payload["advice"]
    return {
        "anchor": f"task-{number}",
        "title": payload["title"] or payload["id"],
        "choice": advice["take"] if advice and advice["state"] != "open" else "",
        "reason": "; ".join(filter(None, (advice["why"], advice["as_good"], advice["open"], *advice["remarks"])))
        if advice
        else "",
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


def _targets(tasks: Sequence[Plain]) -> list[str]:
    """Name the anchor of every task on the page of its topic."""
    seen: Counter[str] = Counter()
    found = []
    for own in tasks:
        seen[own["topic"]] += 1
        found.append(f"task-{seen[own['topic']]}")
    return found


def _commit(run: Plain) -> str:
    commit = f"commit {run['commit']}" if run["commit"] else "of no commit"
    return f"{commit} with changes" if run["dirty"] else commit


def _verdicts(claims: Iterable[Plain]) -> Counter[str]:
    return Counter(claim["verdict"] for claim in claims)


def ledger(claims: Iterable[Plain]) -> dict[str, list[dict[str, Any]]]:
    """Group claims by topic, each with its estimate and its interval as text."""
    found: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        signed = not claim["asked"] or claim["asked"].startswith("difference")
        measured = wording.effect(claim, cost=claim["cost"], signed=signed)
        interval = wording.interval(claim, cost=claim["cost"], signed=signed)
        found.setdefault(claim["topic"], []).append({**claim, "measured": measured, "interval": interval})
    return found
