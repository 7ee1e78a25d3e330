"""The verdicts that come with the package are those of today's claims on the tracked runs."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from harness.claims import TrackedVerdict, judge, tracked_verdicts
from harness.claims.tracked import FILE
from harness.config import Config
from harness.registry import load_registry

ROOT = Path(__file__).parents[2]
RUNS: dict[str, list[str]] = json.loads((ROOT / "results" / "claims.json").read_text())
FIGURES = ("estimate", "low", "high", "p")
ANEW = "the verdicts changed: python docs/make_tracked.py harness/claims/tracked.json"


def read(file: Path) -> list[TrackedVerdict]:
    """Read verdicts, sorted: the order of claims is that in which the process has imported their modules."""
    found = msgspec.json.decode(file.read_bytes(), type=list[TrackedVerdict])
    return sorted(found, key=lambda verdict: (verdict.topic, verdict.declaration))


def figures(verdict: TrackedVerdict) -> dict[str, float]:
    return {name: value for name in FIGURES if (value := getattr(verdict, name)) is not None}


def without_figures(verdict: TrackedVerdict) -> TrackedVerdict:
    return msgspec.structs.replace(verdict, **dict.fromkeys(FIGURES))


def test_the_file_is_what_the_tracked_runs_give(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "docs" / "make_tracked.py"))["main"](tmp_path / "anew.json")
    anew, stored = read(tmp_path / "anew.json"), read(FILE)
    assert [without_figures(one) for one in anew] == [without_figures(one) for one in stored], ANEW
    for one, other in zip(anew, stored, strict=True):
        assert figures(one) == pytest.approx(figures(other), rel=1e-4), f"{one.text}: {ANEW}"


def test_a_tracked_verdict_is_found_for_the_claim_without_trials() -> None:
    topics = load_registry(Config(folder=ROOT)).topics
    claims = {claim.declaration: claim for name in RUNS for claim in judge(topics[name], [])}
    for known in tracked_verdicts().values():
        claim = claims[known.declaration]
        for name in ("topic", "text", "source", "asked", "expected", "at_least", "at_most", "cost"):
            assert getattr(known, name) == getattr(claim, name)


def test_a_verdict_names_tracked_runs_of_its_topic() -> None:
    files = {file.stem.rsplit("-", 1)[1]: file for file in (ROOT / "results").glob("*/*Z-*.jsonl")}
    for verdict in tracked_verdicts().values():
        assert verdict.verdict != "not measured"
        assert verdict.runs
        assert set(verdict.runs) <= set(RUNS[verdict.topic])
        for run, day, commit in zip(verdict.runs, verdict.days, verdict.commits, strict=True):
            assert files[run].parent.name == verdict.machine
            assert files[run].name.startswith(f"{day.replace('-', '')}T")
            assert files[run].name.split("-")[1] == commit[:8]


@pytest.mark.parametrize("topic", RUNS)
def test_the_page_of_a_topic_names_the_runs_and_counts_the_verdicts(topic: str) -> None:
    page = " ".join((ROOT / "docs" / f"{topic}.md").read_text(encoding="utf-8").split())
    assert [run for run in RUNS[topic] if run not in page] == []
    counts = Counter(claim.verdict for claim in tracked_verdicts().values() if claim.topic == topic)
    for verdict, count in counts.items():
        assert re.search(rf"\b{count} (?:claims )?(?:is |are )?{verdict}\b", page), f"{topic}: {count} {verdict}"
