"""One HTML file that opens anywhere, or a folder of such files, made from a payload, templates, styles and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.analysis import wording
from harness.report import assets
from harness.report.run import pictures, views
from harness.report.run.anchors import anchors, unique
from harness.store.atomic import write_atomically
from harness.text import one_line, visible

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parents[1] / "templates"
_INDEX = "index.html"
#: What the templates write and no script reads.
_WRITTEN = ("claims", "topics", "made", "version", "title")
_WRITTEN_OF_TASK = ("advice", "points", "rankings", "datasets")


class Link(NamedTuple):
    """A page of the same site: its topic and its file."""

    topic: str
    file: str


def render(
    payload: Mapping[str, Any],
    *,
    pages: tuple[Link, ...] = (),
    whole: bool = True,
    named: Mapping[str, str] | None = None,
) -> str:
    """Write a page.

    Parameters
    ----------
    payload
        The value that `harness.report.run.payload.build` returns.
    pages
        The pages of the site that this page belongs to; none for a single page.
    whole
        Whether the page has the tables and charts of its tasks; otherwise it links to the `pages` that do.
    named
        Anchors of the site's topics and tasks; by default they are made for this page.
    """
    template = environment().get_template("page.html.j2")
    return template.render(
        page=payload,
        pages=pages,
        files={} if whole else {link.topic: link.file for link in pages},
        whole=whole,
        view=views.page(payload, named or anchors(payload)),
        policy=assets.POLICY,
        styles=assets.styles(),
        first_scripts=assets.first_scripts(),
        scripts=assets.scripts(),
        packed_scripts=assets.packed_scripts() if whole else "",
        packed=assets.pack(_for_scripts(payload)) if whole else "",
    )


def write(path: Path, text: str) -> None:
    """Write a page, replacing an earlier one as a whole.

    Raises
    ------
    UsageError
        If the file cannot be written there.
    """
    write_atomically(path, text.encode("utf-8"))


def write_site(folder: Path, payload: Mapping[str, Any]) -> list[Path]:
    """Write a page with all recommendations and claims and one page for each topic, and return their files.

    Raises
    ------
    UsageError
        If a file cannot be written there.
    """
    pages = tuple(_links(payload))
    named = anchors(payload)
    write(folder / _INDEX, render(payload, pages=pages, whole=False, named=named))
    for link in pages:
        write(folder / link.file, render(_of_topic(payload, link.topic), pages=pages, named=named))
    return [folder / _INDEX, *(folder / link.file for link in pages)]


def _for_scripts(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the tables, which the scripts compute anew, and what the templates alone show."""
    tasks = [
        {name: value for name, value in task.items() if name not in _WRITTEN_OF_TASK}
        | {"cells": [{key: value for key, value in cell.items() if key != "table"} for cell in task["cells"]]}
        for task in payload["tasks"]
    ]
    return {name: value for name, value in payload.items() if name not in _WRITTEN} | {"tasks": tasks}


def _links(payload: Mapping[str, Any]) -> Iterator[Link]:
    """Name a file for every topic; a topic's name comes from a file, so it may have any characters."""
    taken = {_INDEX}
    for topic in dict.fromkeys(task["topic"] for task in payload["tasks"]):
        yield Link(topic, unique(topic, taken, "{}.html"))


def _of_topic(payload: Mapping[str, Any], topic: str) -> dict[str, Any]:
    tasks = [task for task in payload["tasks"] if task["topic"] == topic]
    claims = [claim for claim in payload["claims"] if claim["topic"] == topic]
    return {**payload, "title": f"Bakeoff: {topic}", "tasks": tasks, "claims": claims}


@cache
def environment() -> Environment:
    """Return the environment of the templates: all is visible and escaped, and a missing name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"marks": wording.MARKS, "size": {"width": pictures.WIDTH, "height": pictures.HEIGHT}}
    names = ("figure", "scaled", "ratio", "level", "effect", "interval", "share", "day", "clock", "count", "place")
    made.filters |= {name: getattr(wording, name) for name in (*names, "duration", "spoken")}
    made.filters |= {"one_line": one_line, "visible": visible}
    return made
