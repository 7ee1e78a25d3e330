"""``bakeoff claims`` as a user meets it: on a project whose truth is planted, and on the tracked run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from support import PLANTED, Project

from harness.declare.evidence import Verdict

ROOT = Path(__file__).parents[2]
TRACKED = "2be81a"
CLAIMS = """

@topic.claim("an extra of 1 adds 1 to the error", source="Nobody 2026, <script> [bold]", published="1")
def adds(evidence):
    return evidence.difference("error", "copy[extra=1]", "copy").within(0.01, of=1)


@topic.claim("a child takes at most a tenth of a copy", source="Nobody 2026")
def cheap(evidence):
    return evidence.ratio("fit.cpu_s", "child", "copy").at_most(0.1)


@topic.claim("what needs a package is cheap", source="Nobody 2026")
def absent(evidence):
    return evidence.ratio("fit.cpu_s", "needs-package", "copy").at_most(1)


@topic.claim("what is misspelt is said", source="Nobody 2026")
def misspelt(evidence):
    return evidence.ratio("fit.cpu_s", "copi", "copy").at_most(1)
"""


def add_claims(project: Project) -> Project:
    (project.folder / "planted.py").write_text(PLANTED.read_text() + CLAIMS)
    return project


@pytest.fixture(scope="module")
def claimed(shared_project: Project) -> Project:
    """A project with claims, and one run that measures the first two."""
    add_claims(shared_project).bakeoff(
        "run", "planted", "-s", "copy", "-s", "child", "--set", "extra=0,1", "--blocks", "3"
    )
    return shared_project


def verdicts(project: Project, *arguments: str) -> dict[str, dict[str, Any]]:
    said = json.loads(project.bakeoff("claims", *arguments, "--json").stdout)
    return {claim["text"]: claim for claim in said["claims"]}


def test_claims_are_judged_on_all_runs(claimed: Project) -> None:
    found = list(verdicts(claimed, "planted").values())
    assert [claim["verdict"] for claim in found] == ["inconclusive", "refuted", "not measured", "not measured"]
    adds, cheap, absent, misspelt = found
    assert (adds["estimate"], adds["blocks"], adds["published"]) == (1.0, 3, "1")
    assert adds["reason"] == "the same in all 3 blocks, so that its spread is not known: more blocks may decide"
    assert cheap["cost"]
    assert cheap["estimate"] > 1
    assert absent["reason"] == "needs-package was not run there"
    assert misspelt["reason"].endswith("planted has no strategy 'copi'; did you mean copy?")
    assert all(claim["topic"] == "planted" for claim in found)


def test_claims_print_the_verdict_first_and_everything_behind_it(claimed: Project) -> None:
    done = claimed.bakeoff("claims", "planted")
    assert done.stderr == ""
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0] == "planted  Planted faults"
    assert lines[1].startswith("1 refuted, 1 inconclusive, 2 not measured; judged on run ")
    start = lines.index("inconclusive  an extra of 1 adds 1 to the error")
    body = [line.strip() for line in lines[start + 1 : start + 8]]
    assert body[:2] == [
        "asked     difference in error, copy[extra=1] minus copy: between 0.99 and 1.01",
        "measured  +1.000 the same in all 3 blocks",
    ]
    assert body[2].startswith("because   the same in all 3 blocks, so that its spread is not known")
    del body[: body.index("published 1")]
    assert body[:2] == [
        "published 1",
        "source    Nobody 2026, <script> [bold]",
    ]
    assert body[2].startswith("scope     numbers, clean (rows=1000 threads=1), on ")
    assert body[2].endswith(" (cpu)")
    assert [line for line in lines if "bakeoff run" in line] == [lines[2]]
    assert lines[2] == "bakeoff run planted --profile claims measures what was not measured"
    absent = lines.index("what needs a package is cheap")
    assert lines[absent + 1] == "  not measured: needs-package was not run there"
    assert absent > start, "what was measured comes first"


def test_a_narrow_terminal_cuts_nothing(claimed: Project) -> None:
    said = claimed.bakeoff("claims", "planted", COLUMNS="50").stdout
    assert all(len(line) <= 50 for line in said.splitlines()[3:])
    whole = "".join(line[14:].strip() for line in said.splitlines())
    assert "Nobody2026,<script>[bold]" in whole.replace(" ", "")


def test_commands_measure_the_evidence(claimed: Project) -> None:
    said = claimed.bakeoff("claims", "planted", "--commands").stdout
    found = verdicts(claimed, "planted")
    adds, cheap, absent = (claim["commands"][0] for claim in list(found.values())[:3])
    assert f"\n{adds}\n" in said
    assert adds == "bakeoff run planted/faults -s copy -d numbers --scenario clean --set extra=1,0 --blocks 3"
    for command, labels in ((adds, {"copy", "copy[extra=1]"}), (cheap, {"child", "copy"})):
        plan = json.loads(claimed.bakeoff(*shlex.split(command)[1:], "--dry-run", "--json").stdout)
        blocks = {(t["strategy"], json.dumps(t.get("options", {})), t["block"]) for t in plan["trials"]}
        assert len(blocks) == len(plan["trials"]) == 3 * len(labels)
    assert absent.endswith("--blocks 3"), "the full profile's own number"


def test_a_run_can_be_named(claimed: Project) -> None:
    latest = verdicts(claimed, "--run", "latest")
    assert latest["an extra of 1 adds 1 to the error"]["verdict"] == "inconclusive"
    done = claimed.bakeoff("claims", "--run", "nosuch", code=2)
    assert "no run 'nosuch'" in done.stderr


def test_topics_of_the_project_are_judged_unless_some_are_named(claimed: Project) -> None:
    said = json.loads(claimed.bakeoff("claims", "--json").stdout)
    assert {claim["topic"] for claim in said["claims"]} == {"planted"}
    assert len(said["runs"]) == 1
    named = json.loads(claimed.bakeoff("claims", "boosting", "ope", "--json").stdout)
    assert {claim["topic"] for claim in named["claims"]} == {"boosting", "ope"}


def test_unknown_topic(claimed: Project) -> None:
    done = claimed.bakeoff("claims", "bosting", code=2)
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["error: there is no topic 'bosting'; did you mean boosting?"]


def test_without_runs_nothing_is_measured_and_it_is_said(project: Project) -> None:
    add_claims(project)
    done = project.bakeoff("claims", "planted", "--commands")
    assert done.stderr.startswith("note: ")
    assert "has no runs" in done.stderr
    assert "4 not measured; judged on no runs" in done.stdout
    assert "there are no trials of planted" in done.stdout
    assert "bakeoff run planted/faults -s child -s copy --scenario clean --blocks 3" in done.stdout


def test_without_runs_the_tracked_verdicts_are_shown(tmp_path: Path) -> None:
    project = Project(tmp_path)
    lines = project.bakeoff("claims", "boosting").stdout.splitlines()
    assert lines[1:3] == [
        "46 not measured; judged on no runs",
        "bakeoff run boosting --profile claims measures what was not measured",
    ]
    text = "exact costs at least 3 times the CPU time of hist at 100,000 rows"
    assert lines[lines.index(text) + 1].startswith("  tracked: supported, 6.84x [")
    assert lines[lines.index(text) + 1].endswith("] on amd-epyc-2c-24g, run 7fc0b0")
    assert sum(line.startswith("  tracked: ") for line in lines) == 46
    exact = verdicts(project, "boosting")[text]
    assert (exact["verdict"], exact["estimate"]) == ("not measured", None)
    assert (exact["tracked"]["verdict"], exact["tracked"]["at_least"]) == ("supported", 3)
    assert exact["tracked"]["runs"] == ["7fc0b0"]


def test_a_run_comes_before_the_tracked_verdicts(tmp_path: Path) -> None:
    (run,) = (ROOT / "results").glob(f"*/*-{TRACKED}.jsonl")
    said = Project(tmp_path).bakeoff("claims", "boosting", "--run", str(run)).stdout
    measured, _, rest = said.partition("\n  tracked: ")
    exact = "exact costs at least 3 times the CPU time of hist at 100,000 rows"
    assert f"supported     {exact}" in measured
    assert exact not in rest
    assert "a second thread makes hist at least 1.5 times as fast at 1,000,000 rows\n  tracked: " in rest


def test_the_tracked_run_is_judged(tmp_path: Path) -> None:
    (run,) = (ROOT / "results").glob(f"*/*-{TRACKED}.jsonl")
    found = verdicts(Project(tmp_path), "boosting", "--run", str(run))
    expected: dict[str, Verdict] = {
        "exact costs at least 3 times the CPU time of hist at 100,000 rows": "supported",
        "hist with 256 bins is within 0.005 AUC of exact at 100,000 rows": "supported",
        "hist needs at least 1.5 times the memory of exact at 100,000 rows": "refuted",
        "a second thread makes hist at least 1.5 times as fast at 1,000,000 rows": "not measured",
    }
    assert {text: found[text]["verdict"] for text in expected} == expected
    exact = found["exact costs at least 3 times the CPU time of hist at 100,000 rows"]
    assert exact["low"] < 6.5 < exact["high"]
    budget = "depth=8 learning_rate=0.1 rows=100000 threads=1 trees=50"
    assert exact["scope"].startswith(f"tabular-binary, flights, clean ({budget}), on ")
