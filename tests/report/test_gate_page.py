"""The page of a gate: complete without scripts, and in a browser sorted, opened and plotted."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from gate import samples
from report.test_page import Reader

from harness.gate.decision import Decision
from harness.report.gate.page import page as render

Page: TypeAlias = Any  # playwright.sync_api.Page
Show: TypeAlias = Callable[..., Page]


@pytest.fixture
def show(show_text: Show) -> Show:
    """Return what opens the page of a decision."""
    return lambda decision, fragment="", **options: show_text(render(decision), fragment, **options)


def names(page: Page) -> list[str]:
    found: list[str] = page.locator("table.sortable tbody th a").all_inner_texts()
    return found


def test_the_page_without_scripts_holds_every_finding() -> None:
    decision = samples.every()
    reader = Reader(render(decision))
    text = " ".join(reader.text.split())
    assert "regressed: 1 of 8 cases" in text
    assert "The candidate must not be merged as it is." in text
    for case in decision.cases:
        for finding in case.findings:
            assert finding.reason in text
    assert "exact is slower: CPU time 1.080x [1.059, 1.102]" in text
    for case in decision.cases:
        assert case.reason in text
    for told in ("xgboost 3.0.0 to 3.1.0", "1 case is left out", "not tuned yet (#12) (allowed until 2026-12-31)"):
        assert told in text
    assert "Planted CPU" in text


def test_every_verdict_that_is_open_is_opened() -> None:
    reader = Reader(render(samples.every()))
    flags = [name for tag, name, _ in reader.attributes if tag == "details"]
    shown = [after == "open" for name, after in pairwise([*flags, ""]) if name == "data-case"]
    assert shown == [True] * 4 + [False] * 4


@pytest.mark.parametrize("make", [samples.hostile, samples.decision], ids=["hostile", "no case"])
def test_hostile_names_stay_text(make: Callable[[], Decision]) -> None:
    text = render(make())
    reader = Reader(text)
    usual = Reader(render(samples.every()))
    assert reader.tags.count("script") == usual.tags.count("script")
    assert {name for _, name, _ in reader.attributes} <= {name for _, name, _ in usual.attributes}
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_equal_decisions_give_equal_pages() -> None:
    assert render(samples.every()) == render(samples.every())


def test_of_many_open_cases_the_first_are_opened_and_explained() -> None:
    text = render(samples.decision(*(samples.regressed(f"slow-{at}", pairs=[]) for at in range(30))))
    assert len(re.findall(r'data-case="\d+" open', text)) == 12
    assert "18 further cases with a reason" in text


def test_two_hundred_cases_make_less_than_three_megabytes() -> None:
    assert len(render(samples.large()).encode()) < 3e6


def test_cases_are_sorted_by_every_column(show: Show) -> None:
    page = show(samples.every())
    worst_first = names(page)
    assert worst_first[:2] == ["exact", "gpu"]
    header = page.locator("thead button", has_text="CPU")
    header.click()
    assert names(page)[0] == "quantile"
    assert page.locator("th[aria-sort=ascending]").inner_text().split() == ["CPU"]
    assert set(names(page)[-2:]) == {"gpu", "cluster"}
    header.click()
    assert names(page)[0] in ("exact", "slow[max_bin=64]")
    assert set(names(page)[-2:]) == {"gpu", "cluster"}
    page.locator("thead button", has_text="Case").click()
    assert names(page) == sorted(worst_first)
    page.locator("thead button", has_text="Verdict").click()
    assert names(page) == worst_first


def test_the_pairs_of_an_open_case_are_plotted(show: Show) -> None:
    decision = samples.decision(samples.regressed())
    page = show(decision, "#case-1")
    page.locator("#case-1 figure svg").nth(1).wait_for()
    captions = page.locator("#case-1 figcaption").all_inner_texts()
    assert captions[0].startswith("CPU time 1.080x [1.059, 1.102], regressed")
    assert captions[1].startswith("wall time 1.070x")
    medians = page.locator("#case-1 figure").first.locator("g[data-mark=dot]").nth(1).locator("circle")
    assert medians.count() == len(decision.cases[0].pairs) == 12
    chart = page.locator("#case-1 figure svg").first
    assert "screen" in chart.text_content()
    assert "margin" in chart.text_content()


def test_a_plot_stands_where_the_pairs_are(show: Show) -> None:
    page = show(samples.decision(samples.regressed()), "#case-1")
    page.locator("#case-1 figure svg").nth(1).wait_for()
    places = page.evaluate(
        """() => {
          const chart = document.querySelector("#case-1 figure svg");
          const rule = [...chart.querySelectorAll("[data-mark=rule] line")].map(l => l.getBoundingClientRect().top);
          const dots = [...chart.querySelectorAll("[data-mark=dot]")][1].querySelectorAll("circle");
          return { rule, dots: [...dots].map(d => d.getBoundingClientRect().bottom) };
        }"""
    )
    none, margin = places["rule"][:2]
    # 8 % lies above no change, and above the margin of 5 %.
    assert none > margin > max(places["dots"])


def test_a_closed_case_is_drawn_when_it_is_opened(show: Show) -> None:
    page = show(samples.decision(samples.passing(), samples.regressed()))
    assert page.locator("#case-2 svg").count() == 0
    page.locator("table.sortable").get_by_role("link", name="hist").click()
    page.locator("#case-2[open] figure svg").first.wait_for()
    page.locator("#case-2").get_by_label("Times of").select_option(label="fit")
    assert page.locator("#case-2 figcaption b").all_inner_texts() == ["CPU time of fit"]
    page.locator("#case-2").get_by_text("Pairs as a table").click()
    rows = page.locator("#case-2 .data tbody tr")
    rows.nth(3).wait_for()
    assert rows.count() == 4
    assert rows.first.locator("td").first.inner_text() == "screen"


def test_the_keyboard_opens_a_case(show: Show) -> None:
    page = show(samples.decision(samples.passing()))
    page.locator("#case-1 > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#case-1[open] .plots").scroll_into_view_if_needed()
    page.locator("#case-1 figure svg").first.wait_for()
    assert page.locator("#case-1[open]").count() == 1


def test_failed_and_stored_cases_have_no_plot(show: Show) -> None:
    page = show(samples.decision(samples.failed(), samples.regressed(pairs=[]), live=False))
    assert page.locator(".plots").count() == 0
    assert "stored runs" in page.locator(".facts").inner_text()


def test_hostile_names_run_nothing(show: Show) -> None:
    page = show(samples.hostile())
    page.evaluate("bakeoff.figures.drawAll()")
    assert page.locator("#case-1 figure svg").count() > 0
    assert "<script>alert(1)</script>" in page.locator("#case-1 summary b").inner_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_is_accessible(
    show: Show, axe: Callable[[Page], list[dict[str, Any]]], scheme: str, width: int
) -> None:
    page = show(samples.every(), scheme=scheme, width=width)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate("bakeoff.figures.drawAll()")
    assert page.locator(".case svg").count() >= 10
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_paper_shows_what_was_open(show: Show) -> None:
    page = show(samples.decision(samples.regressed()))
    page.emulate_media(media="print")
    page.locator("#case-1 figure svg").nth(1).wait_for()
    assert page.locator(".controls:visible").count() == 0


def test_many_cases_are_ready_and_drawn_as_the_reader_comes_near(show: Show) -> None:
    page = show(samples.large(60, rounds=4))
    assert page.locator(".case").count() == 60
    assert page.locator(".case svg").count() < 12
    page.locator("#case-6").scroll_into_view_if_needed()
    page.locator("#case-6 figure svg").first.wait_for()


MANY = samples.decision(
    *(
        samples.passing(f"strategy-{at}", pairs=samples.pairs(count=2, rounds=2) if at == 249 else [])
        for at in range(250)
    )
)


def test_of_thousands_of_cases_all_can_be_sorted_opened_and_shown(show: Show) -> None:
    page = show(MANY)
    assert len(names(page)) == page.locator(".case").count() == 200
    page.locator("thead button", has_text="Pairs").click()
    assert len(names(page)) == 200
    assert names(page)[0] == "strategy-249"
    page.get_by_role("button", name="Show all 250 cases").click()
    assert len(set(names(page))) == 250
    page.get_by_role("link", name="strategy-249", exact=True).click()
    page.locator("#case-250[open] figure svg").first.wait_for()
    assert page.locator("#case-250 .findings tbody tr").count() == 5
    assert page.locator(".case").count() == 201


def test_an_address_opens_a_case_beyond_those_shown(show: Show) -> None:
    page = show(MANY, "#case-240")
    assert page.locator("#case-240[open] .findings").is_visible()


def test_paper_has_every_one_of_many_cases(show: Show) -> None:
    page = show(MANY)
    page.emulate_media(media="print")
    assert len(names(page)) == 250
    assert page.locator(".case[open] .findings:visible").count() == 250
    assert page.locator("#evidence noscript").count() == 0


def test_without_scripts_every_one_of_many_cases_is_there(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "gate.html"
    file.write_text(render(MANY), encoding="utf-8")
    page = open_page(file, java_script_enabled=False)
    assert page.locator("table.cases tbody tr").count() == page.locator(".case").count() == 250
    page.locator("#case-250 summary").click()
    assert page.locator("#case-250 .findings").is_visible()
    assert not page.locator("#all-cases").is_visible()


def test_the_static_page_needs_no_scripts(open_page: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "gate.html"
    file.write_text(render(samples.every()), encoding="utf-8")
    page = open_page(file, java_script_enabled=False)
    assert page.locator("table.sortable tbody tr").count() == 8
    assert page.locator("#case-1 .findings").is_visible()
    assert not page.locator("#case-1 .plots").is_visible()
    assert not page.locator("#theme").is_visible()
