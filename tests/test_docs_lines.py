"""Markdown pages: no line is too long for a review, and every link between files works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 124
NAMES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "datasets/README.md", "results/README.md")
PAGES = [*(ROOT / name for name in NAMES), *sorted((ROOT / "docs").rglob("*.md"))]
# What a program printed is shown as it is: fences without a language, and those of data.
OUTPUT = ("", "json", "text")


def lines(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Go through a page's lines with their numbers and the language of the fence around them, `None` outside of one."""
    language: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = re.match(r"\s*```(\w*)", line)
        if fence and language is None:
            language = fence.group(1)
        elif fence:
            language = None
        else:
            yield number, line, language


def too_long(text: str) -> list[int]:
    """Return the numbers of the lines that are too long, those of a program's output left out."""
    return [number for number, line, language in lines(text) if language not in OUTPUT and len(line) > LONGEST]


def headings(text: str) -> set[str]:
    """Return the anchors that a page's headings have."""
    titles = [
        line.lstrip("#").strip() for _, line, language in lines(text) if language is None and line.startswith("#")
    ]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path, text: str) -> list[str]:
    """Return a page's relative links that lead to no file, or to no heading of a page."""
    prose = "\n".join(line for _, line, language in lines(text) if language is None)
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in headings(target.read_text(encoding="utf-8"))):
            found.append(link)
    return found


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_lines_fit(page: Path) -> None:
    assert too_long(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    long = "x" * 125
    text = f"# Two words\n{long}\n```\n{long}\n```\n```sh\n{long}\n```\n[a](gone.md) [b](#two-words) [c](#one)\n"
    page.write_text(text, encoding="utf-8")
    assert too_long(text) == [2, 7]
    assert broken(page, text) == ["gone.md", "#one"]
