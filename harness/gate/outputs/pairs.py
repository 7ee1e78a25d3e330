"""The pairs of a case as its page plots them: rounds, middles, and the estimate after each pair with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.gate.decision import SIDES, Case, Decision, Pair
from harness.gate.outputs import cases, words
from harness.stats.cells import is_time
from harness.stats.paired import CONFIDENCE

Floats = npt.NDArray[np.float64]

#: Log-ratios are written as whole numbers of this part; a hundredth of a per cent is less than a pixel.
PART = 1e-4
#: Dots on a page; where there were more, every third, fifth ... round is drawn.
MOST_DOTS = 350_000
_LARGEST = 20.0  # of a log-ratio, beyond which nothing is told apart


def plotted(decision: Decision) -> dict[str, Any]:
    """Return what the page's scripts draw.

    Returns
    -------
    dict
        ``part`` and ``step`` (every ``step``-th round is there), and ``cases`` in the order of `cases.rows`: for each
        its pairs, and its figures with a value a pair: ``middles`` (the median log-ratio of the rounds, in parts),
        ``running`` (mean of the stage's middles so far with its 95 % interval) and ``rounds``.
    """
    ordered = [row.case for row in cases.rows(decision)]
    dots = sum(_dots(case) for case in ordered)
    step = max(1, math.ceil(dots / MOST_DOTS))
    # An odd step keeps rounds that the base began and rounds that the candidate began.
    step += step % 2 == 0
    return {"part": PART, "step": step, "cases": [_case(case, step) for case in ordered]}


def time_figures(case: Case) -> list[str]:
    """Return the times that pairs of a case hold on both sides, the judged ones where there are any; totals first."""
    judged = [finding.figure for finding in case.findings if finding.kind == "time"]
    held = dict.fromkeys(name for pair in case.pairs for name in pair.base if name in pair.candidate and is_time(name))
    names = [name for name in judged if name in held] or list(held)
    phases = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    return sorted(names, key=lambda name: ("." in name, phases.index(name.rpartition(".")[0]), name))


def middles(pairs: Sequence[Pair], name: str) -> list[float]:
    """Return for each pair the median over its rounds of the log of candidate over base; NaN where it has none."""
    return [float(np.median(found)) if len(found := _rounds(pair, name)) else math.nan for pair in pairs]


def running(values: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return the mean of the first 1, 2, ... values with its 95 % interval by Student's t; NaN are left out."""
    found, known = [], 0
    mean = squares = 0.0
    for value in values:
        if math.isfinite(value):
            known += 1
            step = value - mean
            mean += step / known
            squares += step * (value - mean)
        if known < 2:
            found.append((mean if known else math.nan, -math.inf, math.inf))
            continue
        half = float(stdtrit(known - 1, 0.5 + CONFIDENCE / 2)) * math.sqrt(squares / (known - 1) / known)
        found.append((mean, mean - half, mean + half))
    return found


def _case(case: Case, step: int) -> dict[str, Any]:
    own = [*(pair for pair in case.pairs if pair.stage == "screen"), *(p for p in case.pairs if p.stage == "confirm")]
    screened = sum(pair.stage == "screen" for pair in own)
    findings = {finding.figure: finding for finding in case.findings}
    figures = []
    for name in time_figures(case):
        values = middles(own, name)
        after = [*running(values[:screened]), *running(values[screened:])]
        finding = findings.get(name)
        figures.append(
            {
                "name": name,
                "title": words.title(name),
                "margin": _part(math.log1p(finding.margin)) if finding else None,
                "verdict": finding.verdict if finding else "",
                "effect": words.effect(finding) if finding else "",
                "middles": [_part(value) for value in values],
                "running": [[_part(value) for value in bounds] for bounds in after],
                "rounds": [[_part(float(value)) for value in _rounds(pair, name)[::step]] for pair in own],
            }
        )
    return {"screened": screened, "pairs": [_pair(pair) for pair in own], "figures": figures}


def _pair(pair: Pair) -> dict[str, Any]:
    failed = "; ".join(f"{side}: {words.line(reason, 200)}" for side, reason in pair.failed.items())
    told = {"block": pair.block, "first": pair.first, "cores": words.cores(pair)}
    return {**told, "identical": pair.identical, "failed": failed}


def _rounds(pair: Pair, name: str) -> Floats:
    """Return the log-ratios of a pair's rounds; where the sides differ in number, of their medians."""
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
