"""A decision as JUnit XML, which the test views of CI systems open: a suite a task, a test a figure of a case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from harness.gate.decision import Case, Decision, Finding, Verdict
from harness.gate.outputs import cases, headline, words

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
    for task, own in tasks.items():
        root.append(_suite(task, own, decision, shared))
    _count(root, root.iter("testcase"))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(task: str, own: list[Case], decision: Decision, shared: Counter[str]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": words.line(task)})
    # Schemas know no offset from UTC; `started` is UTC.
    suite.set("timestamp", words.line(decision.started)[:19])
    suite.set("hostname", words.line(decision.machine.name))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(own, decision):
        ET.SubElement(properties, "property", {"name": words.line(name), "value": words.line(value)})
    for case in own:
        label = words.line(case.strategy)
        if shared[case.name] > 1 and case.params:
            label += f" ({words.params(case.params)})"
        suite.extend(_tests(case, label, decision))
    _count(suite, suite.iter("testcase"))
    return suite


def _properties(own: Iterable[Case], decision: Decision) -> list[tuple[str, str]]:
    margins = {finding.figure: words.margin(finding) for case in own for finding in case.findings}
    return [
        ("base", words.side(decision.base)),
        ("candidate", words.side(decision.candidate)),
        *(
            (f"package {name}", f"{old} to {new}")
            for name, old, new in words.packages(decision.base, decision.candidate)
        ),
        ("verdict", headline.headline(decision)),
        ("command", decision.command),
        *((f"margin {figure}", margin) for figure, margin in margins.items()),
    ]


def _tests(case: Case, label: str, decision: Decision) -> Iterable[ET.Element]:
    time = f"{sum(pair.elapsed_s for pair in case.pairs) / max(1, len(case.findings)):.3f}"
    group = words.line(".".join((case.topic, case.task, case.dataset, case.scenario)))
    if not case.findings:
        test = ET.Element("testcase", {"classname": group, "name": f"{label}: case", "time": time})
        let_pass = case.allowed or (cases.let_pass(case) and "taken as a pass by policy")
        verdict: Verdict = "regressed" if case.verdict == "regressed" else case.verdict
        _outcome(test, verdict, words.line(case.reason), let_pass or "")
        yield test
    for finding in case.findings:
        name = f"{label}: {words.line(finding.figure)}"
        test = ET.Element("testcase", {"classname": group, "name": name, "time": time})
        _outcome(test, finding.verdict, words.told(finding), _let_pass(finding, decision))
        yield test


def _let_pass(finding: Finding, decision: Decision) -> str:
    """Return why the policy lets a finding pass; empty where it does not."""
    if finding.verdict == "inconclusive" and decision.policy.inconclusive == "pass":
        return "taken as a pass by policy"
    return finding.allowed


def _outcome(test: ET.Element, verdict: Verdict, text: str, let_pass: str) -> None:
    if let_pass:
        ET.SubElement(test, "skipped", {"message": words.line(f"{verdict}, allowed: {let_pass}; {text}")})
    elif verdict in _ERRORS:
        ET.SubElement(test, "error", {"type": verdict, "message": text}).text = text
    elif verdict in ("regressed", "inconclusive"):
        ET.SubElement(test, "failure", {"type": verdict, "message": text}).text = text
    else:
        ET.SubElement(test, "system-out").text = ": ".join(filter(None, (verdict, text)))


def _count(element: ET.Element, tests: Iterable[ET.Element]) -> None:
    found = list(tests)
    element.set("tests", str(len(found)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        if name == "skipped" and element.tag == "testsuites":
            continue
        element.set(name, str(sum(test.find(tag) is not None for test in found)))
    element.set("time", f"{sum(float(test.get('time', '0')) for test in found):.3f}")
