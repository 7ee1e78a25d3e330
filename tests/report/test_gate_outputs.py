"""The decision as text: known samples of every verdict, hostile names, many cases."""

import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from gate import samples
from rich.console import Console

from harness.config import GatePolicy
from harness.errors import Exit, UsageError
from harness.gate.decision import Case, Decision, Effect, Verdict
from harness.report.gate import cases, ci, words
from harness.report.gate import text as gate_text

ONE: dict[Verdict, Callable[[], Case]] = {
    "pass": samples.passing,
    "improved": samples.improved,
    "inconclusive": samples.inconclusive,
    "not measured": samples.unmeasured,
    "failed": samples.failed,
    "regressed": samples.regressed,
}
VERDICTS = pytest.mark.parametrize("verdict", ONE)


def terminal(decision: Decision, width: int = 180, *, colours: bool = False) -> list[str]:
    out = io.StringIO()
    gate_text.print_decision(Console(file=out, width=width, force_terminal=colours, highlight=False), decision)
    return out.getvalue().splitlines()


def read_tests(text: str) -> dict[str, ET.Element]:
    return {test.get("name", ""): test for test in ET.fromstring(text).iter("testcase")}


def lines_of_table(text: str) -> list[list[str]]:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in rows]


# Terminal


@VERDICTS
def test_a_case_has_a_line_with_its_verdict_and_the_last_line_sums_up(verdict: Verdict) -> None:
    decision = samples.decision(ONE[verdict](), samples.passing("other"))
    printed = terminal(decision)
    assert decision.verdict == verdict
    case = decision.cases[0].name
    assert any(line.split(case)[0].strip() == verdict for line in printed if case in line)
    assert any(line.split()[:1] == ["pass"] and "1.001x [0.981, 1.021]" in line for line in printed)
    assert printed[0] == cases.headline(decision)
    assert printed[0].startswith(f"{verdict}: ")
    assert printed[-1] == "; ".join(filter(None, (cases.headline(decision), cases.advice(decision))))


def test_what_is_no_pass_is_said_with_effect_reason_p_margin_and_need() -> None:
    printed = "\n".join(terminal(samples.decision(samples.inconclusive(), samples.improved())))
    assert (
        "inconclusive: planted/sums/approx/flights/clean is not decided: CPU time 1.030x [1.010, 1.051], 500 ms to "
        "515 ms; wall time 1.010x [0.990, 1.030] (pass). Reason: neither is excluded: needs about 24 pairs, had 16; "
        "p = 0.004; margin 5 %" in printed
    )
    assert "margin 0.002; needs about 9 seeds" in printed
    assert "planted/sums/quantile/flights/clean is faster: CPU time 0.800x [0.784, 0.816], 500 ms to 400 ms" in printed


def test_the_verdict_its_reasons_and_what_differs_come_before_the_cases() -> None:
    decision = samples.every()
    for printed in (terminal(decision), gate_text.markdown(decision).splitlines()):
        order = [
            next(at for at, line in enumerate(printed) if mark in line)
            for mark in ("regressed: 1 of 8", "exact/flights/clean is slower", "xgboost 3.0.0 to 3.1.0", "worst metric")
        ]
        assert order == sorted(order)


def test_the_last_line_says_what_to_do() -> None:
    open_cases = (samples.inconclusive("a"), samples.inconclusive("b"), samples.passing())
    said = terminal(samples.decision(*open_cases, policy=GatePolicy(budget_s=60.0)))[-1]
    assert said == "inconclusive: 2 of 3 cases; give more time with --budget, or raise [tool.bakeoff.gate] pairs"
    assert "side by side with --base" in terminal(samples.decision(*open_cases, live=False))[-1]
    assert "[[tool.bakeoff.gate.allowed]]" in terminal(samples.decision(samples.regressed()))[-1]
    assert terminal(samples.decision())[-1].startswith("nothing was compared")


def test_remarks_and_what_is_allowed_are_printed() -> None:
    printed = terminal(samples.every())
    assert "remark: 1 case is left out: it needs a CUDA device" in printed
    (allowed,) = (line for line in printed if "Allowed: " in line)
    assert allowed.startswith("regressed, allowed: planted/sums/slow[max_bin=64]/flights/clean is slower")
    assert allowed.endswith("Allowed: the new split finder is not tuned yet (#12) (allowed until 2026-12-31)")


def test_plain_text_and_colours_have_the_same_words() -> None:
    coloured = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in terminal(samples.every(), colours=True)]
    assert coloured == terminal(samples.every())


def test_a_narrow_terminal_shows_every_figure() -> None:
    decision = samples.every()
    printed = "\n".join(terminal(decision, 80))
    for row in cases.rows(decision):
        assert f"{row.case.verdict} {row.name}" in printed
        assert all(text in printed for _, text in row.texts() if text != words.NONE)


def test_terminals_obey_no_name() -> None:
    for width in (80, 180):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", "\n".join(terminal(samples.hostile(), width)))


# GatePolicy


@pytest.mark.parametrize(
    ("taken", "verdict", "code"),
    [("inconclusive", "inconclusive", 6), ("pass", "pass", 0), ("regressed", "regressed", 1)],
)
def test_what_the_policy_makes_of_inconclusive_is_said(taken: Any, verdict: Verdict, code: int) -> None:
    decision = samples.decision(samples.inconclusive(), policy=GatePolicy(inconclusive=taken))
    assert (decision.verdict, decision.exit_code) == (verdict, code)
    assert ("by policy" in cases.headline(decision)) is (taken != "inconclusive")
    test = read_tests(ci.junit(decision))["approx: cpu_s"]
    found = test.find("skipped" if taken == "pass" else "failure")
    assert found is not None
    assert found.get("type") == (None if taken == "pass" else "inconclusive")


def test_a_case_without_findings_is_told_after_the_policy_let_it_pass() -> None:
    case = samples.unmeasured(verdict="inconclusive", reason="the time was spent")
    decision = samples.decision(case, policy=GatePolicy(inconclusive="pass"))
    assert "1 inconclusive, taken as a pass by policy" in cases.headline(decision)
    assert any("the time was spent" in line for line in terminal(decision))
    assert read_tests(ci.junit(decision))["cluster: case"].find("skipped") is not None


# JSON


def test_the_document_holds_every_field_and_round_trips() -> None:
    decision = samples.every()
    found = json.loads(msgspec.json.encode(ci.document(decision)))
    assert set(Decision.__struct_fields__) | {"schema", "exit_code", "words"} == set(found)
    assert (found["exit_code"], found["verdict"]) == (Exit.NO, "regressed")
    assert found["words"]["headline"] == cases.headline(decision)
    assert all({*Case.__struct_fields__, "name"} == set(case) for case in found["cases"])
    assert msgspec.convert({key: found[key] for key in Decision.__struct_fields__}, Decision) == decision


def test_numbers_that_json_lacks_are_null() -> None:
    one_pair = samples.cost("cpu_s", 1.0, "inconclusive", effect=Effect(1.0, 0.0, math.inf, 0.5, 0.5), p=math.nan)
    found = ci.document(samples.decision(samples.case("hist", one_pair)))["cases"][0]["findings"][0]
    assert found["effect"]["high"] is None
    assert found["p"] is None
    assert ci.document(samples.decision(samples.case("\ud800")))["cases"][0]["strategy"] == "?"


# JUnit


@VERDICTS
def test_junit_fails_where_the_gate_does(verdict: Verdict) -> None:
    decision = samples.decision(ONE[verdict](), samples.passing("other"))
    root = ET.fromstring(ci.junit(decision))
    tags = {"regressed": "failure", "inconclusive": "failure", "failed": "error", "not measured": "error"}
    wrong = list(root.iter(tags.get(verdict, "failure")))
    assert bool(wrong) is (decision.exit_code != Exit.DONE)
    assert {found.get("type") for found in wrong} <= {verdict}


def test_junit_has_a_suite_a_task_and_a_test_a_figure() -> None:
    decision = samples.decision(samples.passing(), samples.regressed(task="products"), samples.failed())
    root = ET.fromstring(ci.junit(decision))
    assert [suite.get("name") for suite in root] == ["planted/sums", "planted/products"]
    tests = read_tests(ci.junit(decision))
    assert len(tests) == sum(max(1, len(case.findings)) for case in decision.cases)
    assert tests["hist: cpu_s"].get("classname") == "planted.sums.flights.clean"
    assert tests["exact: cpu_s"].get("classname") == "planted.products.flights.clean"
    seconds = sum(pair.elapsed_s for case in decision.cases for pair in case.pairs)
    assert float(root.get("time", "")) == pytest.approx(seconds, abs=0.01)
    properties = {found.get("name"): found.get("value") for found in root.iter("property")}
    assert properties["base"] == "origin/main (commit 4ed559bb12)"
    assert properties["margin cpu_s"] == "5 %"


def test_junit_names_differ_where_only_parameters_do() -> None:
    decision = samples.decision(samples.passing(), samples.passing(params={"rows": 10_000}))
    assert len(read_tests(ci.junit(decision))) == 10


#: Elements with their attributes and children, in order: jenkins-ci.xsd of Jenkins' xUnit plug-in.
SCHEMA: dict[str, tuple[set[str], list[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, ["testsuite"]),
    "testsuite": (
        {
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        },
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": (
        {"name", "assertions", "time", "classname", "status"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "skipped": ({"message", "type"}, []),
    "error": ({"message", "type"}, []),
    "failure": ({"message", "type"}, []),
    "system-out": (set(), []),
}


@pytest.mark.parametrize("made", [samples.every, samples.hostile, samples.decision], ids=["every", "hostile", "none"])
def test_junit_follows_the_schema(made: Callable[[], Decision]) -> None:
    text = ci.junit(made())
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert set(element.keys()) <= attributes
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", "")) or made is samples.hostile
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count, "")) == len(suite.findall(f"testcase/{tag}"))


# Markdown


def test_markdown_shows_the_worst_first_and_every_case() -> None:
    decision = samples.every()
    text = gate_text.markdown(decision)
    assert text.startswith("## Gate: regressed: 1 of 8 cases")
    verdicts = [row[0].strip("*▼✕○?▲= ") for row in lines_of_table(text) if row[0] not in ("verdict", "---")]
    assert verdicts == ["regressed", "failed", "not measured", "inconclusive", "improved", "pass", "pass", "pass"]
    assert "`bakeoff gate --base origin/main`" in text
    assert "the new split finder is not tuned yet" in text
    assert "1 case is left out: it needs a CUDA device" in text


def test_markdown_folds_many_passing_cases() -> None:
    text = gate_text.markdown(samples.large(40, rounds=2))
    assert "<details><summary>36 passing cases</summary>" in text
    assert text.count("<details>") == text.count("</details>")
    assert len(lines_of_table(text)) == 40 + 2 * 2


def test_hostile_names_break_no_markdown() -> None:
    text = gate_text.markdown(samples.hostile())
    outside = re.sub(r"`[^`\n]*`(?!c)", "", re.sub(r"\\.", "", text))
    assert "<script" not in outside
    assert "</details" not in outside
    assert {len(row) for row in lines_of_table(text)} == {7}
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)


def test_markdown_says_what_was_cut() -> None:
    decision = samples.large(200, rounds=2)
    whole = gate_text.markdown(decision)
    cut = gate_text.markdown(decision, limit=20_000)
    assert len(whole.encode()) > 20_000 >= len(cut.encode())
    assert re.search(r"\d+ cases? left out here", cut)
    assert "reasons left out here" not in cut
    assert re.search(r"\d+ reasons left out here", gate_text.markdown(decision, limit=12_000))
    assert cut.count("<details>") == cut.count("</details>")


def test_what_is_inconclusive_is_cut_before_the_reasons_of_what_regressed() -> None:
    open_cases = [samples.inconclusive(f"open-{at}", pairs=[]) for at in range(300)]
    text = gate_text.markdown(
        samples.decision(*open_cases, *(samples.regressed(f"slow-{at}", pairs=[]) for at in range(20))), limit=30_000
    )
    assert "left out here" in text
    assert all(f"slow-{at}/flights/clean is slower" in text for at in range(20))


def test_remarks_without_end_stay_below_githubs_limit() -> None:
    decision = samples.decision(samples.passing(), remarks=["x" * 1000] * 3000)
    assert len(gate_text.markdown(decision).encode()) <= gate_text.LIMIT


def test_the_summary_is_appended_where_github_names_a_file(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n", encoding="utf-8")
    gate_text.append_summary(samples.every(), {"GITHUB_STEP_SUMMARY": str(file)})
    assert file.read_text(encoding="utf-8") == f"before\n\n{gate_text.markdown(samples.every())}\n"
    gate_text.append_summary(samples.every(), {})
    assert gate_text.summary_file({"GITHUB_STEP_SUMMARY": ""}) is None


def test_a_full_summary_gets_no_more_than_github_takes(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_bytes(b"x" * (gate_text.LIMIT - 2000))
    gate_text.append_summary(samples.large(40, rounds=2), {"GITHUB_STEP_SUMMARY": str(file)})
    assert file.read_text(encoding="utf-8").rstrip().endswith("inconclusive")
    assert file.stat().st_size <= gate_text.LIMIT


def test_a_summary_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY names"):
        gate_text.append_summary(samples.every(), {"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "summary.md")})


# Annotations


def read_command(line: str) -> tuple[str, str, str]:
    """Read a workflow command as GitHub's runner does: ActionCommand.TryParseV2 and its unescaping."""
    found = re.fullmatch(r"::(error|warning|notice) title=([^,:]*)::(.*)", line)
    assert found, line
    level, title, message = found.groups()
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        title = title.replace(code, sign)
        message = message if code in ("%3A", "%2C") else message.replace(code, sign)
    return level, title, message


@VERDICTS
def test_annotations_have_the_verdicts_level(verdict: Verdict) -> None:
    decision = samples.decision(ONE[verdict]())
    levels = {"pass": "notice", "improved": "notice", "inconclusive": "warning"}
    found = [read_command(line) for line in ci.annotate(decision)]
    assert {level for level, _, _ in found} == {levels.get(verdict, "error")}
    assert found[0][1] == "Bakeoff gate"
    assert found[0][2].startswith(cases.headline(decision))
    assert len(found) == (1 if verdict == "pass" else 2)


def test_annotations_are_escaped() -> None:
    lines = ci.annotate(samples.hostile())
    for line in lines:
        _, title, message = read_command(line)
        assert "\n" not in line
        assert not re.search("[\x00-\x08\x1b\u202e]", title + message)
    assert any("%0A::error::," in message for _, _, message in map(read_command, lines))


def test_more_annotations_than_github_shows_are_summed_up() -> None:
    many = [samples.regressed(f"slow-{at}", pairs=[]) for at in range(30)]
    lines = ci.annotate(samples.decision(*many, *(samples.inconclusive(f"o-{at}", pairs=[]) for at in range(4))))
    found = [read_command(line) for line in lines]
    errors = [entry for entry in found if entry[0] == "error"]
    assert len(errors) == ci.MOST
    assert errors[-1][1] == "22 more"
    assert errors[-1][2].splitlines()[-1] == "regressed: planted/sums/slow-29/flights/clean"
    assert len([entry for entry in found if entry[0] == "warning"]) == 4


# Words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.000x"),
        (0.004, "<0.01x"),
        (1.01234, "1.012x"),
        (12.34, "12.3x"),
        (math.inf, "∞"),
        (math.nan, words.NONE),
    ],
)
def test_ratios(value: float, text: str) -> None:
    assert words.ratio(value) == text


def test_effects_without_bounds_have_no_interval() -> None:
    time = samples.cost("cpu_s", 1.1, effect=Effect(1.1, 0.0, math.inf, 1.0, 1.1))
    quality = samples.metric(0.0, effect=Effect(0.01, -math.inf, math.inf, 0.7, 0.71))
    assert words.effect(time) == "1.100x"
    assert words.effect(quality) == "+0.010"
    assert words.effect(samples.metric(0.0, effect=Effect(math.nan, 0, 0, math.nan, 0))) == words.NONE
    assert words.effect(samples.metric(0.0, effect=None)) == words.NONE


def test_memory_that_cannot_be_measured_has_no_ratio() -> None:
    findings = (samples.cost("peak_bytes", 2, effect=Effect(2, 2, 2, size, 2 * size)) for size in (12e3, 12e6))
    told = [words.effect(finding).replace("\xa0", " ") for finding in findings]
    assert told == ["<0.1 MB", "2.000x [2.000, 2.000]"]


def test_the_worst_metric_is_the_one_that_lost_most_margins() -> None:
    case = samples.case(
        "hist",
        samples.metric(0.01),
        samples.metric(-0.0015, name="recall"),
        msgspec.structs.replace(samples.metric(0.0011, name="log_loss"), better="lower", unit="nat"),
    )
    (row,) = cases.rows(samples.decision(case))
    assert row.quality is not None
    assert row.quality.figure == "recall"
    assert words.effect(case.findings[2]).endswith(" nat")
