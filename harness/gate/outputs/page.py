"""A decision as one HTML file that opens anywhere, with all pairs plotted."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from harness.gate.decision import Decision, Finding, Verdict
from harness.gate.outputs import cases, headline, words
from harness.gate.outputs.pairs import plotted, time_figures
from harness.gate.policy import Policy
from harness.report import assets
from harness.report import page as report_page

_TINTS: dict[Verdict, str] = {"pass": "good", "improved": "good", "regressed": "bad", "failed": "bad"}
_CLASSES: dict[Verdict, str] = {"improved": "better", "regressed": "worse"}
_OPEN: tuple[Verdict, ...] = ("regressed", "failed", "not measured", "inconclusive")
_SCRIPTS = (
    "../vendor/d3.min.js",
    "../vendor/plot.umd.min.js",
    "format.js",
    "rank.js",
    "charts/look.js",
    "charts/axes.js",
    "charts/plot.js",
    "charts/datatable.js",
    "lazy.js",
    "gate/sort.js",
    "gate/chart.js",
    "gate/cards.js",
    "gate/start.js",
)


def page(decision: Decision) -> str:
    """Write a decision as a page of its own, which loads nothing and sends nothing."""
    template = report_page.environment().get_template("gate.html.j2")
    (gate_styles,) = assets.read(("gate/gate.css",))
    return template.render(
        version=metadata.version("bakeoff"),
        decision=decision,
        said={name: getattr(headline, name)(decision) for name in ("headline", "meaning", "advice")},
        tint=_TINTS.get(decision.verdict, "open"),
        counts=cases.counts(decision),
        rows=[_row(place, row, live=decision.live) for place, row in enumerate(cases.rows(decision))],
        packages=words.packages(decision.base, decision.candidate),
        allowed=list(cases.allowed(decision)),
        demands=_demands(decision.policy),
        words=words,
        content_policy=assets.POLICY,
        styles=f"{assets.styles()}\n{gate_styles}",
        first_scripts=assets.first_scripts(),
        # The report's own start leaves the rest to the gate's, as there is no payload of a report.
        scripts=(*assets.scripts(figures=False), *assets.read(_SCRIPTS)),
        packed=assets.pack(plotted(decision)),
    )


def _row(place: int, row: cases.Row, *, live: bool) -> dict[str, Any]:
    """Return what the table and the card of a case show; headings and figures in the order of `Row.texts`."""
    case = row.case
    found = (row.cpu, row.wall, row.memory, row.quality)
    place_of = ", ".join((f"{case.topic}/{case.task}", case.dataset, case.scenario))
    params = words.params(case.params)
    return {
        "anchor": f"case-{place + 1}",
        "strategy": words.line(case.strategy),
        "place": words.line(place_of) + (f" ({params})" if params else ""),
        "verdict": case.verdict,
        "class": _class(case.verdict),
        "open": case.verdict in _OPEN,
        "cells": [_cell(heading, text, finding) for (heading, text), finding in zip(row.texts(), found, strict=False)],
        "pairs": row.pairs,
        "findings": [_finding(finding, live=live) for finding in cases.by_verdict(case.findings)],
        "reason": words.clean(case.reason),
        "allowed": words.line(case.allowed),
        "plotted": bool(time_figures(case)),
        "failures": _failures(row),
    }


def _cell(heading: str, text: str, finding: Finding | None) -> dict[str, Any]:
    known = finding is not None and finding.effect is not None and finding.effect.estimate == finding.effect.estimate
    return {
        "heading": heading,
        "text": text,
        "class": _CLASSES.get(finding.verdict, "") if finding and not finding.allowed else "",
        "mark": words.MARKS[finding.verdict] if finding else "",
        "word": finding.verdict if finding else "",
        "value": repr(finding.effect.estimate) if known and finding and finding.effect else "",
    }


def _finding(finding: Finding, *, live: bool) -> dict[str, Any]:
    return {
        "title": words.line(words.title(finding.figure)),
        "figure": words.line(finding.figure),
        "verdict": finding.verdict,
        "class": _class(finding.verdict),
        "effect": words.effect(finding),
        "middles": words.middles(finding) or words.NONE,
        "margin": words.margin(finding),
        "rests": _rests(finding, live=live),
        "why": "; ".join(filter(None, (words.line(finding.reason), words.p_value(finding), words.needs(finding)))),
        "allowed": words.line(finding.allowed),
    }


def _rests(finding: Finding, *, live: bool) -> str:
    nouns = ("pair", "reading", "seed") if live else ("run", "block", "seed")
    noun = dict(zip(("time", "memory", "quality"), nouns, strict=True))[finding.kind]
    return f"{finding.pairs:,} {noun}{'' if finding.pairs == 1 else 's'}"


def _failures(row: cases.Row) -> list[str]:
    """List what ended pairs of processes, each reason once, as far as the case's own reason does not say it."""
    found = dict.fromkeys((side, reason) for pair in row.case.pairs for side, reason in pair.failed.items())
    return [f"{side}: {words.line(reason)}" for side, reason in found if reason not in row.case.reason]


def _class(verdict: Verdict) -> str:
    return verdict.replace(" ", "-")


def _demands(policy: Policy) -> list[tuple[str, str]]:
    """Return the policy's numbers, by the names of its keys."""
    budget = "none" if policy.budget_s is None else words.duration(policy.budget_s)
    margins = ", ".join(f"{words.line(name)} {value:g}" for name, value in policy.margins.items())
    return [
        ("margins", margins or "as declared, and 5 % of CPU time, 10 % of wall time, 1 % of memory"),
        ("memory_floor_bytes", f"{policy.memory_floor_bytes:,}"),
        ("alpha", f"{policy.alpha:g}"),
        ("inconclusive", policy.inconclusive),
        ("budget_s", budget),
        ("pairs", f"at most {policy.pairs}"),
        ("rounds", f"at least {policy.rounds}"),
    ]
