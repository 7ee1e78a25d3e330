"""What a built-in topic needs beside its folder: an extra that `all` includes, and a page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOPICS = sorted(
    folder.name
    for folder in (ROOT / "harness" / "topics").iterdir()
    if (folder / "__init__.py").is_file() and not folder.name.startswith("_")
)
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def _included(extra: str) -> set[str]:
    """Return the extras of Bakeoff that an extra names."""
    found = (re.fullmatch(r"bakeoff\[(.*)\]", requirement) for requirement in EXTRAS[extra])
    return {name.strip() for match in found if match for name in match[1].split(",")}


def test_there_are_topics() -> None:
    assert {"bandits", "boosting", "ope"} <= set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_has_an_extra_and_a_page(topic: str) -> None:
    name = topic.replace("_", "-")
    assert name in EXTRAS, f"add an extra {name} to pyproject.toml"
    assert name in _included("all"), f"add {name} to the extra all in pyproject.toml"
    assert (ROOT / "docs" / f"{name}.md").is_file(), f"write docs/{name}.md"


def test_all_includes_every_extra_but_those_of_developers_and_devices() -> None:
    assert _included("all") == set(EXTRAS) - {"all", "dev", "gpu"}


@pytest.mark.parametrize("file", ["Makefile", "asv.conf.json"])
def test_installations_go_by_all(file: str) -> None:
    lists = [found[1].split(",") for found in re.finditer(r"(?:'\.|\})\[([a-z,]+)\]", (ROOT / file).read_text())]
    assert lists
    assert all("all" in names and not set(names) & set(TOPICS) for names in lists)
