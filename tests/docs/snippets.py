"""The snippets of the pages: fenced blocks and commands in the text, with where a reader would put and run them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
NAMES = ("README.md", "CONTRIBUTING.md", "datasets/README.md", "results/README.md")
PAGES = (*NAMES, *sorted(file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md")))


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    intro
        The paragraph above the block. If it names a file last, as in "`bakeoff.toml`:", the block is its content; if it
        says "append", the block is added to that file. If it says "checkout", the block belongs in a checkout.
    """

    page: str
    line: int
    language: str
    text: str
    intro: str

    @property
    def file(self) -> str | None:
        """The file that the block is, named by the paragraph above or by a comment in the first line."""
        comment = re.match(r"# (\S+\.(?:py|toml|yml|sh))\b", self.text)
        named = re.search(r"`([\w./-]+\.\w+)`:$", self.intro)
        found = comment or named
        return found.group(1) if found else None

    @property
    def appended(self) -> bool:
        """Whether the block is added to what the file has."""
        return "append" in self.intro.lower()

    @property
    def in_checkout(self) -> bool:
        """Whether the block needs a checkout of Bakeoff, as its paragraph, its file or the command make says."""
        return "checkout" in self.intro or (self.file or "").startswith("harness/") or self.text.startswith("make ")

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """Go through the fenced blocks of a page."""
    intro = ""
    for token in MarkdownIt().parse(text):
        if token.type == "inline":
            intro = token.content
        elif token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            yield Block(page, line, token.info.strip(), token.content, intro)
            intro = ""


def commands(text: str) -> Iterator[str]:
    """Go through the commands of Bakeoff that the text of a page quotes."""
    for token in MarkdownIt().parse(text):
        for part in token.children or ():
            if part.type == "code_inline" and part.content.startswith("bakeoff "):
                yield part.content


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")
