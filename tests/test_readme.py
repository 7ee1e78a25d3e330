"""The README is short, and what it says about tools and topics is what the tables and declarations say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.config import Config
from harness.registry import load_registry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 120


def rates(change: str, tool: str) -> tuple[float, float]:
    """Return the lowest and the highest share called slower by a tool's rule, in the table of docs/gate-power.md."""
    page = (ROOT / "docs" / "gate-power.md").read_text(encoding="utf-8")
    table = page.partition("### The rules of other tools")[2].strip().split("\n\n")[1]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    shares = [float(row[head.index(tool)].rstrip("%")) for row in rows if row[head.index("change")] == change]
    return min(shares), max(shares)


def test_it_is_short() -> None:
    assert len(README.splitlines()) < MOST_LINES


@pytest.mark.parametrize(
    ("page", "tool"),
    [
        ("README.md", "asv, factor 1.1"),
        ("README.md", "pytest-benchmark, mean:5%"),
        ("docs/gate.md", "asv, factor 1.1"),
        ("docs/gate.md", "pytest-benchmark, mean:5%"),
        ("docs/gate.md", "pyperf"),
    ],
)
@pytest.mark.parametrize("change", ["+0%", "+5%"])
def test_the_rates_of_other_tools_are_those_of_the_table(page: str, change: str, tool: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert "{:.1f} to {:.1f} %".format(*rates(change, tool)) in text


@pytest.mark.parametrize("page", ["README.md", "docs/gate.md"])
def test_the_rates_of_the_gate_are_those_of_the_table(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    for change in ("+0%", "+5%"):
        least, most = rates(change, "gate")
        assert least == most
        assert re.search(rf"the gate(, by CPU time,)? {least:.1f} %", text)


def test_tasks_and_claims_are_counted() -> None:
    topics = load_registry(Config(folder=ROOT)).topics.values()
    tasks, claims = sum(len(topic.tasks) for topic in topics), sum(len(topic.claims) for topic in topics)
    assert f"{tasks} tasks and {claims} claims" in " ".join(README.split())


def test_every_page_is_found_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([\w-]+\.md)\)", index))
