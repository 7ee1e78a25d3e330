"""A decision for other programs: JSON, JUnit, and annotations of a CI service."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeAlias
from xml.etree import ElementTree as ET

import msgspec

from harness.gate.decision import Case, Decision, Finding, Verdict
from harness.report.gate import cases, words
from harness.report.gate.changes import changes_of
from harness.text import inert, one_line

SCHEMA = 1


def document(decision: Decision) -> dict[str, Any]:
    """Return a decision with its exit code and its words.

    Returns
    -------
    dict
        The fields of `harness.gate.decision.Decision` by name, and those of the values in it; numbers that are not
        finite (the bounds of an interval on one pair) are ``None``. ``schema``, ``exit_code`` and ``words`` come first.
    """
    sentences = {
        "headline": cases.headline(decision),
        "meaning": cases.meaning(decision),
        "advice": cases.advice(decision),
    }
    fields_of_decision: dict[str, Any] = plain(decision)
    for made, case in zip(fields_of_decision["cases"], decision.cases, strict=True):
        made["name"] = case.name
    return {"schema": SCHEMA, "exit_code": int(decision.exit_code), "words": sentences, **fields_of_decision}


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: fields by name, ``None`` for numbers that are not finite."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date):
        return value.isoformat()
    # JSON is UTF-8, which cannot encode half of a surrogate pair.
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


_ERRORS: tuple[Verdict, ...] = ("failed", "not measured")


def junit(decision: Decision) -> str:
    """Write a decision as JUnit XML.

    A figure that is regressed, or inconclusive, is a failure; a case that failed or was not measured is an error; what
    the policy lets pass is skipped, with its reason. A test's time is its share of the time that the case's pairs took.
    The elements and attributes are those of Jenkins' schema (jenkins-junit.xsd), which GitLab reads as well.
    """
    root = ET.Element("testsuites", {"name": "bakeoff gate"})
    shared = Counter(case.name for case in decision.cases)
    tasks: dict[str, list[Case]] = {}
    for case in decision.cases:
        tasks.setdefault(f"{case.topic}/{case.task}", []).append(case)
    for task, task_cases in tasks.items():
        root.append(_suite(task, task_cases, decision, shared))
    _count(root, root.iter("testcase"))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(task: str, task_cases: list[Case], decision: Decision, shared: Counter[str]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": one_line(task)})
    # The schemas have no offset from UTC; `started` is UTC.
    suite.set("timestamp", one_line(decision.started)[:19])
    suite.set("hostname", one_line(decision.machine.name))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(task_cases, decision):
        ET.SubElement(properties, "property", {"name": one_line(name), "value": one_line(value)})
    for case in task_cases:
        label = one_line(case.strategy)
        if shared[case.name] > 1 and case.params:
            label += f" ({words.params(case.params)})"
        suite.extend(_tests(case, label, decision))
    _count(suite, suite.iter("testcase"))
    return suite


def _properties(task_cases: Iterable[Case], decision: Decision) -> list[tuple[str, str]]:
    margins = {finding.figure: words.margin(finding) for case in task_cases for finding in case.findings}
    return [
        ("base", words.side(decision.base)),
        ("candidate", words.side(decision.candidate)),
        *(
            (f"package {name}", f"{old} to {new}")
            for name, old, new in words.packages(decision.base, decision.candidate)
        ),
        ("verdict", cases.headline(decision)),
        ("command", decision.command),
        *((f"margin {figure}", margin) for figure, margin in margins.items()),
    ]


def _tests(case: Case, label: str, decision: Decision) -> Iterable[ET.Element]:
    time = f"{sum(pair.elapsed_s for pair in case.pairs) / max(1, len(case.findings)):.3f}"
    group = one_line(".".join((case.topic, case.task, case.dataset, case.scenario)))
    if not case.findings:
        test = ET.Element("testcase", {"classname": group, "name": f"{label}: case", "time": time})
        let_pass = case.allowed or (cases.let_pass(case) and "taken as a pass by policy")
        verdict: Verdict = "regressed" if case.verdict == "regressed" else case.verdict
        _outcome(test, verdict, one_line(case.reason), let_pass or "")
        yield test
    for finding in case.findings:
        name = f"{label}: {one_line(finding.figure)}"
        test = ET.Element("testcase", {"classname": group, "name": name, "time": time})
        _outcome(test, finding.verdict, words.details(finding), _let_pass(finding, decision))
        yield test


def _let_pass(finding: Finding, decision: Decision) -> str:
    """Return why the policy lets a finding pass; empty if it does not."""
    if finding.verdict == "inconclusive" and decision.policy.inconclusive == "pass":
        return "taken as a pass by policy"
    return finding.allowed


def _outcome(test: ET.Element, verdict: Verdict, text: str, let_pass: str) -> None:
    if let_pass:
        ET.SubElement(test, "skipped", {"message": one_line(f"{verdict}, allowed: {let_pass}; {text}")})
    elif verdict in _ERRORS:
        ET.SubElement(test, "error", {"type": verdict, "message": text}).text = text
    elif verdict in ("regressed", "inconclusive"):
        ET.SubElement(test, "failure", {"type": verdict, "message": text}).text = text
    else:
        ET.SubElement(test, "system-out").text = ": ".join(filter(None, (verdict, text)))


def _count(element: ET.Element, tests: Iterable[ET.Element]) -> None:
    counted = list(tests)
    element.set("tests", str(len(counted)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if name == "skipped" and element.tag == "testsuites":
            continue
        element.set(name, str(sum(test.find(tag) is not None for test in counted)))
    element.set("time", f"{sum(float(test.get('time', '0')) for test in counted):.3f}")


Level: TypeAlias = Literal["error", "warning", "notice"]

#: GitHub shows this many annotations of each level for a step.
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


def annotate(decision: Decision) -> list[str]:
    """Write an annotation for every case that does not simply pass, and one for the whole decision.

    Regressed, failed and not measured are errors, inconclusive is a warning, the rest notices. Of each level GitHub
    shows the first ten of a step; if there are more, the tenth sums up the rest.
    """
    made: dict[Level, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    summary = "; ".join(filter(None, (cases.headline(decision), cases.advice(decision))))
    whole = _LEVELS[decision.verdict] or "notice"
    made[whole].append(("Bakeoff gate", summary))
    for row in cases.rows(decision):
        told = "\n".join(change.told for change in changes_of(row))
        level = _LEVELS[row.case.verdict] or ("notice" if told else None)
        if level:
            made[level].append((f"{row.case.verdict}: {row.name}", _cut(told)))
    return [_command(level, *one) for level, annotations in made.items() for one in _limited(annotations)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _limited(annotations: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(annotations) <= MOST:
        return annotations
    rest = [title for title, _ in annotations[MOST - 1 :]]
    return [*annotations[: MOST - 1], (f"{len(rest)} more", _cut("\n".join(rest)))]


def _command(level: Level, title: str, message: str) -> str:
    """Write a workflow command, escaped as GitHub's toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    return f"::{level} title={_property(one_line(title, 200))}::{_data(inert(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
