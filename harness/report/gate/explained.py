"""A live gate look by look, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.analysis import wording
from harness.gate.decision import Finding
from harness.gate.live.explain import ExplainedCase, ExplainedFigure, Explanation, Look
from harness.report.gate import words
from harness.report.gate.ci import SCHEMA, plain
from harness.report.terminal import joined
from harness.text import one_line

if TYPE_CHECKING:
    from rich.console import Console

_STATES = {
    "regressed": "worse: 'not worse' is rejected, and the estimate is above half of the margin",
    "pass": "pass: 'worse by the margin' is rejected",
    "improved": "improved: 'worse by the margin' and 'not better' are rejected",
    "undecided": "undecided",
}


def document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as the fields of `harness.gate.live.explain.Explanation`, with ``schema`` first."""
    return {"schema": SCHEMA, **plain(explanation)}


def print_explanation(out: Console, explanation: Explanation) -> None:
    """Print for each case and figure what each look saw, and what it decided or asked for."""

    def say(line: str) -> None:
        out.print(joined(line), soft_wrap=True)

    started = one_line(wording.clock(explanation.started))
    say(f"gate {one_line(explanation.gate)}, {started}: {one_line(explanation.command)}")
    say(
        "p is that of 'not worse', the smallest of the looks so far, each divided by its share of alpha; the estimate "
        "is candidate over base, or candidate minus base, with its 95 % interval"
    )
    for case in explanation.cases:
        say("")
        say(_case(case))
        for figure in case.figures:
            say(f"  {_figure(figure)}")
            for look in figure.looks:
                say(f"    {_look(look, figure)}")
    for remark in explanation.remarks:
        say(f"remark: {one_line(remark)}")
    if explanation.stopped:
        say(f"stopped: {one_line(explanation.stopped)}")


def _case(case: ExplainedCase) -> str:
    counts = [f"{count} pairs to {stage}" for stage, count in case.pairs.items() if count]
    told = "; ".join(filter(None, (", ".join(counts), one_line(case.reason))))
    return f"{one_line(case.name)}: {case.verdict}" + (f" ({told})" if told else "")


def _figure(figure: ExplainedFigure) -> str:
    of = words.margin(_finding(figure, None))
    return f"{one_line(figure.figure)}, margin {of}: {figure.verdict}, because {one_line(figure.reason)}"


def _look(look: Look, figure: ExplainedFigure) -> str:
    estimate = words.effect(_finding(figure, look)) if look.effect else look.reason or "no difference"
    against = f"p {look.p:.2g} against {look.alpha:.2g}, share {look.share:.3g} of alpha"
    state = look.state if look.reason else _STATES[look.state]
    if look.state == "undecided":
        state += f", asked for {look.asked} more" if look.asked else ", no more pairs"
    return f"{look.stage}, {look.pairs} pairs: {estimate}; {against}; {state}"


def _finding(figure: ExplainedFigure, look: Look | None) -> Finding:
    """Return a finding for the words that are written of one."""
    return Finding(
        figure=figure.figure,
        kind=figure.kind,
        unit=figure.unit,
        better="lower",
        margin=figure.margin,
        verdict="inconclusive",
        reason="",
        effect=look.effect if look else None,
    )
