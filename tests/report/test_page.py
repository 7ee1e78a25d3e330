"""The page as text: complete without scripts, harmless whatever names hold, and the same for the same payload."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report import samples
from report.samples import HOSTILE, Plain

from harness.analysis import wording
from harness.errors import UsageError
from harness.report.run.page import render, write, write_site


class Reader(HTMLParser):
    """Collects what a browser would make of a page: elements, their attributes, and the text outside of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._raw = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data


def edge_payloads() -> dict[str, Plain]:
    empty = samples.task(labels=("base", "gpu"))
    unmeasured = samples.task(labels=("base", "fast"))
    for cell in unmeasured["cells"]:
        for row in cell["rows"]:
            row["values"] = {"cpu_s": row["values"]["cpu_s"], "auc": [None] * len(cell["units"])}
    failed = samples.task(labels=("gpu",))
    failed["advice"] = None
    bare = samples.payload(samples.task())
    bare["runs"] = [{**run, "commit": None, "dirty": True} for run in bare["runs"]]
    bare["machines"] = [{**m, "load": None, "stolen": None, "contaminated": None} for m in bare["machines"]]
    return {
        "no tasks": samples.payload(),
        "no cells": samples.payload({**samples.task(), "cells": [], "advice": None}),
        "no strategies": samples.payload(samples.task(labels=())),
        "one block": samples.payload(samples.task(blocks=1)),
        "one strategy": samples.payload(samples.task(labels=("base",))),
        "all failed": samples.payload(failed),
        "some skipped": samples.payload(empty),
        "metric never measured": samples.payload(unmeasured),
        "no metrics": samples.payload({**samples.task(), "measures": samples.task()["measures"][:2], "points": []}),
        "two machines": samples.payload(samples.task(machines=(0, 1)), machines=2, runs=2),
        "two runs": samples.payload(samples.task(runs=(0, 1)), runs=2),
        "two tasks": samples.payload(samples.task(), samples.task("other/choose"), claims=[samples.claim("refuted")]),
        "little known": bare,
        "models": samples.payload({**samples.task(), "models": [samples.model(), samples.unfitted(samples.HOSTILE)]}),
    }


EDGES = edge_payloads()


def test_equal_payloads_give_equal_pages() -> None:
    assert render(samples.payload(samples.task())) == render(samples.payload(samples.task()))


@pytest.mark.parametrize("name", EDGES)
def test_every_payload_gives_a_page(name: str) -> None:
    read = Reader(render(EDGES[name]))
    assert read.tags.count("h1") == 1
    assert "None" not in read.text
    assert "nan" not in read.text.lower().split()


def test_a_model_is_marked_as_one_with_its_errors_and_what_it_lacks_is_said() -> None:
    page = render(EDGES["models"])
    text = " ".join(Reader(page).text.split())
    for part in (
        "Model: Many workers",
        "A model, not a measurement. Extrapolated from two rows to all others.",
        "fast, time110.0 %10.0 %",
        "1,000,000,00010fast",
        "the interval contains 1",
        "Model: Other workers, not fitted",
        "bakeoff run planted/choose",
    ):
        assert part in text.replace("\xa0", " ")
    assert samples.HOSTILE not in page


def test_the_page_says_what_was_run_and_how_fit_the_machine_was() -> None:
    text = Reader(render(samples.payload(samples.task()))).text
    for part in ("1 run, 35 trials", "28 ok, 5 skipped, 2 failed", "commit 5f39a531", "AMD EPYC, 2 cores", "3.0\xa0%"):
        assert part in text
    assert "two equal trials differ by 1.0\xa0%" in text
    assert "noise floor not measured: bakeoff doctor --keep" in Reader(render(EDGES["two machines"])).text


def test_without_scripts_the_figures_claims_troubles_and_commands_are_there() -> None:
    payload = samples.payload(samples.task(), claims=[samples.claim("refuted", reason="fast is not fast")])
    text = Reader(render(payload)).text
    cell = payload["tasks"][0]["cells"][0]
    found = cell["table"][1]["cells"][0]
    for part in (
        wording.figure(found["median"], "s"),
        wording.effect(found, cost=True),
        wording.interval(found, cost=True),
        cell["rows"][1]["command"],
        "refuted",
        "Nobody 2026, section 1",
        "fast is not fast",
        "0.40x",
        "[0.38, 0.42]",
        "no CUDA device",
        "ValueError: it broke",
        "CC0-1.0",
    ):
        assert part in text


def test_no_name_becomes_markup() -> None:
    page = samples.payload(
        samples.task(HOSTILE, labels=("base", HOSTILE), datasets=(HOSTILE,), scenarios=(HOSTILE,)),
        claims=[samples.claim(text=HOSTILE, source=HOSTILE, commands=[HOSTILE], topic=HOSTILE, reason=HOSTILE)],
    )
    page["remarks"] = [HOSTILE]
    page["title"] = HOSTILE
    page["runs"][0]["command"] = HOSTILE
    page["tasks"][0]["datasets"][0]["url"] = "javascript:alert(1)"
    hostile = Reader(render(page))
    plain = Reader(render(samples.payload(samples.task(labels=("base", "fast"), scenarios=("clean",)))))
    assert hostile.tags.count("script") == plain.tags.count("script")
    assert HOSTILE in hostile.text
    assert not [value for _, name, value in hostile.attributes if name == "href" and "javascript" in value]


def test_nothing_is_loaded_from_elsewhere() -> None:
    read = Reader(render(samples.payload(samples.task(), claims=[samples.claim()])))
    assert not {"img", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert not [a for a in read.attributes if a[1] == "src" or a[1].startswith("on")]
    assert {value for tag, name, value in read.attributes if tag == "link" and name == "href"} == {"data:,"}
    policy = next(value for _, name, value in read.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline';")


def test_a_site_has_a_page_a_topic_and_its_links_hold(tmp_path: Path) -> None:
    tasks = [samples.task(name) for name in ("one/a", "one/b", "index/a", "<b>/a", "[b]/a")]
    files = write_site(tmp_path / "site", samples.payload(*tasks, claims=[samples.claim(topic="one")]))
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == sorted(path.name for path in files)
    assert files[0].name == "index.html"
    assert len(files) == 5
    index = Reader(files[0].read_text())
    targets = [value for _, name, value in index.attributes if name == "href" and ".html" in value]
    assert len(set(targets)) == 4 + 5, "topics and tasks"
    for target in targets:
        file, _, anchor = target.partition("#")
        assert f'id="{anchor}"' in (tmp_path / "site" / file).read_text()
    assert "fast takes at most half" in index.text
    assert len(files[0].read_text()) < 100_000


def test_a_page_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        write(tmp_path / "file" / "page.html", "<p>")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5.284, "s", "5.28 s"),
        (0.9111, "s", "911 ms"),
        (0.99949, "s", "999 ms"),
        (0.99951, "s", "1.00 s"),
        (0.00099951, "s", "1.00 ms"),
        (999_600, "byte", "1.00 MB"),
        (123456.0, "s", "123,456 s"),
        (0.000097, "s", "97.0 µs"),
        (0.0, "s", "0.00 s"),
        (36_600_000, "byte", "36.6 MB"),
        (250_000, "byte", "250 kB"),
        (100_000, "byte", "100 kB"),
        (99_999, "byte", "<0.1 MB"),
        (0, "byte", "<0.1 MB"),
        (0.77839, "1", "0.7784"),
        (-0.00001234, "1", "-1.23e-5"),
        (12.345, "nat", "12.35 nat"),
        (None, "s", "\u2013"),
    ],
)
def test_figures_have_three_digits_and_their_unit(value: float | None, unit: str, text: str) -> None:
    assert wording.figure(value, unit).replace("\xa0", " ").replace("\u2212", "-") == text


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        (0.0126, 0.0121, 0.0131, "+0.0126 [+0.0121, +0.0131]"),
        (-0.2794, -0.2817, -0.2771, "-0.279 [-0.282, -0.277]"),
        (-0.00001, -0.002, 0.002, "0.000 [-0.002, +0.002]"),
        (0.0, 0.0, 0.0, "0.000 [0.000, 0.000]"),
        (1234.6, 1000.0, 1500.0, "+1,235 [+1,000, +1,500]"),
        (0.00012, None, None, "+0.00012 "),
    ],
)
def test_differences_are_as_fine_as_their_interval(
    estimate: float, low: float | None, high: float | None, text: str
) -> None:
    found: dict[str, Any] = {"estimate": estimate, "low": low, "high": high}
    written = f"{wording.effect(found, cost=False)} {wording.interval(found, cost=False)}"
    assert written.replace("\u2212", "-") == text


def test_scripts_do_not_hold_what_would_end_them() -> None:
    page = render(samples.payload(samples.task()))
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == Reader(page).tags.count("script")
    assert not [script for script in scripts if "<!--" in script]
