"""A decision as a page, with its pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.analysis import wording
from harness.config import GatePolicy
from harness.gate.decision import SIDES, Case, Decision, Finding, Pair, Verdict
from harness.records import is_time
from harness.report import assets
from harness.report.gate import cases, words
from harness.report.gate.changes import Change, changes_of
from harness.report.run import page as report_page
from harness.stats.paired import CONFIDENCE
from harness.text import inert, one_line

Floats = npt.NDArray[np.float64]

#: Log-ratios are written as whole numbers of this part; a hundredth of a per cent is less than a pixel.
PART = 1e-4
#: Most dots on a page; if there are more, only every third, fifth ... round is drawn.
MOST_DOTS = 350_000
_LARGEST = 20.0  # log-ratio beyond which a dot is not drawn


def plotted(decision: Decision) -> dict[str, Any]:
    """Return what the page's scripts draw.

    Returns
    -------
    dict
        ``part`` and ``step`` (every ``step``-th round is there), and ``cases`` in the order of `cases.rows`: for each
        its pairs, and its figures with a value a pair: ``medians`` (the median log-ratio of the rounds, in parts),
        ``running`` (mean of the stage's medians so far with its 95 % interval) and ``rounds``.
    """
    ordered = [row.case for row in cases.rows(decision)]
    dots = sum(_dots(case) for case in ordered)
    step = max(1, math.ceil(dots / MOST_DOTS))
    # An odd step keeps rounds that the base began and rounds that the candidate began.
    step += step % 2 == 0
    return {"part": PART, "step": step, "cases": [_case(case, step) for case in ordered]}


def time_figures(case: Case) -> list[str]:
    """Return the times that both sides of a case have in its pairs, only judged ones if there are any; totals first."""
    judged = [finding.figure for finding in case.findings if finding.kind == "time"]
    measured = dict.fromkeys(
        name for pair in case.pairs for name in pair.base if name in pair.candidate and is_time(name)
    )
    names = [name for name in judged if name in measured] or list(measured)
    phases = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    return sorted(names, key=lambda name: ("." in name, phases.index(name.rpartition(".")[0]), name))


def medians(pairs: Sequence[Pair], name: str) -> list[float]:
    """Return for each pair the median over its rounds of the log of candidate over base; NaN where it has none."""
    ratios = [_rounds(pair, name) for pair in pairs]
    return [float(np.median(of_pair)) if len(of_pair) else math.nan for of_pair in ratios]


def running(values: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return the mean of the first 1, 2, ... values with its 95 % interval by Student's t; NaN are left out."""
    means, known = [], 0
    mean = squares = 0.0
    for value in values:
        if math.isfinite(value):
            known += 1
            step = value - mean
            mean += step / known
            squares += step * (value - mean)
        if known < 2:
            means.append((mean if known else math.nan, -math.inf, math.inf))
            continue
        half = float(stdtrit(known - 1, 0.5 + CONFIDENCE / 2)) * math.sqrt(squares / (known - 1) / known)
        means.append((mean, mean - half, mean + half))
    return means


def _case(case: Case, step: int) -> dict[str, Any]:
    ordered = [
        *(pair for pair in case.pairs if pair.stage == "screen"),
        *(p for p in case.pairs if p.stage == "confirm"),
    ]
    screened = sum(pair.stage == "screen" for pair in ordered)
    findings = {finding.figure: finding for finding in case.findings}
    figures = []
    for name in time_figures(case):
        values = medians(ordered, name)
        after = [*running(values[:screened]), *running(values[screened:])]
        finding = findings.get(name)
        figures.append(
            {
                "name": name,
                "title": words.title(name),
                "margin": _part(math.log1p(finding.margin)) if finding else None,
                "verdict": finding.verdict if finding else "",
                "effect": words.effect(finding) if finding else "",
                "medians": [_part(value) for value in values],
                "running": [[_part(value) for value in bounds] for bounds in after],
                "rounds": [[_part(float(value)) for value in _rounds(pair, name)[::step]] for pair in ordered],
            }
        )
    return {"screened": screened, "pairs": [_pair(pair) for pair in ordered], "figures": figures}


def _pair(pair: Pair) -> dict[str, Any]:
    failed = "; ".join(f"{side}: {one_line(reason, 200)}" for side, reason in pair.failed.items())
    facts = {"block": pair.block, "first": pair.first, "cores": words.cores(pair)}
    return {**facts, "identical": pair.identical, "failed": failed}


def _rounds(pair: Pair, name: str) -> Floats:
    """Return the log-ratios of a pair's rounds, or of their medians if the sides have different numbers of rounds."""
    base, candidate = (np.asarray(getattr(pair, side).get(name, ()), dtype=np.float64) for side in SIDES)
    if not (base.size and candidate.size and (base > 0).all() and (candidate > 0).all()):
        return np.empty(0)
    if base.size != candidate.size:
        base, candidate = np.median(base, keepdims=True), np.median(candidate, keepdims=True)
    return np.log(candidate / base)


def _dots(case: Case) -> int:
    return sum(len(pair.base.get(name, ())) for name in time_figures(case) for pair in case.pairs)


def _part(value: float) -> int | None:
    return round(value / PART) if math.isfinite(value) and abs(value) <= _LARGEST else None


_TINTS: dict[Verdict, str] = {"pass": "good", "improved": "good", "regressed": "bad", "failed": "bad"}
_CLASSES: dict[Verdict, str] = {"improved": "better", "regressed": "worse"}
_OPEN: tuple[Verdict, ...] = ("regressed", "failed", "not measured", "inconclusive")
#: Most reasons, and most cases whose evidence is open, when the page is opened.
_MOST_OPEN = 12
#: Rows of the table of cases that the page has at first: a browser takes seconds to lay out thousands.
_SHOWN = 200
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
    """Write a decision as one self-contained page, which loads nothing and sends nothing."""
    template = report_page.environment().get_template("gate.html.j2")
    (gate_styles,) = assets.read(("gate/gate.css",))
    ordered = cases.rows(decision)
    rows = [_row(place, row, live=decision.live) for place, row in enumerate(ordered)]
    explained = [list(changes_of(row)) for row in ordered]
    reasons = [_reason(row, change) for row, own in zip(rows, explained, strict=True) for change in own]
    return template.render(
        version=metadata.version("bakeoff"),
        decision=decision,
        said={name: getattr(cases, name)(decision) for name in ("headline", "meaning", "advice")},
        tint=_TINTS.get(decision.verdict, "open"),
        counts=cases.counts(decision),
        reasons=reasons[:_MOST_OPEN],
        further=len({reason["anchor"] for reason in reasons[_MOST_OPEN:]}),
        differences=cases.differences(decision),
        rows=rows,
        shown=_SHOWN,
        demands=_demands(decision.policy),
        words=words,
        content_policy=assets.POLICY,
        styles=f"{assets.styles()}\n{gate_styles}",
        first_scripts=assets.first_scripts(),
        # The first script of a report does nothing here, because there is no payload of a report.
        scripts=(*assets.scripts(), *assets.read(_SCRIPTS)),
        packed=assets.pack(plotted(decision)),
    )


def _reason(row: dict[str, Any], change: Change) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("anchor", "strategy", "place")},
        **change._asdict(),
        "word": change.word,
        "class": _class(change.verdict),
    }


def _row(place: int, row: cases.CaseRow, *, live: bool) -> dict[str, Any]:
    """Return what the table and the card of a case show; headings and figures in the order of `CaseRow.texts`."""
    case = row.case
    shown = (row.cpu, row.wall, row.memory, row.quality)
    place_of = ", ".join((f"{case.topic}/{case.task}", case.dataset, case.scenario))
    params = words.params(case.params)
    return {
        "anchor": f"case-{place + 1}",
        "rank": place + 1,
        "strategy": one_line(case.strategy),
        "place": one_line(place_of) + (f" ({params})" if params else ""),
        "verdict": case.verdict,
        "class": _class(case.verdict),
        "open": case.verdict in _OPEN and place < _MOST_OPEN,
        "cells": [_cell(heading, text, finding) for (heading, text), finding in zip(row.texts(), shown, strict=False)],
        "pairs": row.pairs,
        "findings": [_finding(finding, live=live) for finding in cases.by_verdict(case.findings)],
        "reason": inert(case.reason),
        "allowed": one_line(case.allowed),
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
        "title": words.title(finding.figure),
        "figure": one_line(finding.figure),
        "verdict": finding.verdict,
        "class": _class(finding.verdict),
        "effect": words.effect(finding),
        "medians": words.medians(finding) or words.NONE,
        "margin": words.margin(finding),
        "rests": _rests(finding, live=live),
        "why": "; ".join(filter(None, (one_line(finding.reason), words.p_value(finding), words.needs(finding)))),
        "allowed": one_line(finding.allowed),
    }


def _rests(finding: Finding, *, live: bool) -> str:
    nouns = ("pair", "reading", "seed") if live else ("run", "block", "seed")
    noun = dict(zip(("time", "memory", "quality"), nouns, strict=True))[finding.kind]
    return f"{finding.pairs:,} {noun}{'' if finding.pairs == 1 else 's'}"


def _failures(row: cases.CaseRow) -> list[str]:
    """List why pairs of processes failed, each reason once, without those that the case's reason contains."""
    reasons = dict.fromkeys((side, reason) for pair in row.case.pairs for side, reason in pair.failed.items())
    return [f"{side}: {one_line(reason)}" for side, reason in reasons if reason not in row.case.reason]


def _class(verdict: Verdict) -> str:
    return verdict.replace(" ", "-")


def _demands(policy: GatePolicy) -> list[tuple[str, str]]:
    """Return the policy's numbers, by the names of its keys."""
    budget = "none" if policy.budget_s is None else wording.duration(policy.budget_s)
    margins = ", ".join(f"{one_line(name)} {value:g}" for name, value in policy.margins.items())
    return [
        ("margins", margins or "as declared, and 5 % of CPU time, 10 % of wall time, 1 % of memory"),
        ("memory_floor_bytes", f"{policy.memory_floor_bytes:,}"),
        ("alpha", f"{policy.alpha:g}"),
        ("inconclusive", policy.inconclusive),
        ("budget_s", budget),
        ("pairs", f"at most {policy.pairs}"),
        ("rounds", f"at least {policy.rounds}"),
    ]
