"""The views of a page in a real browser: ways there and back, find, filters, print, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from report import samples
from report.samples import Plain

from harness.report.run.page import render, write_site

Page: TypeAlias = Any  # playwright.sync_api.Page
Show: TypeAlias = Callable[..., Page]

VIEWS = ("/", "/one", "/two", "/claims", "/runs")


def _payload() -> Plain:
    names = ("one/a", "one/b", "one/c", "two/a")
    tasks = [{**samples.task(name, scenarios=("clean",)), "title": f"Choose for {name}"} for name in names]
    claims = [
        samples.claim(verdict, text=f"sentence {place} of {topic}", topic=topic)
        for topic in ("one", "two")
        for place, verdict in enumerate(("supported", "refuted", "inconclusive", "not measured"))
    ]
    return samples.payload(*tasks, claims=claims)


PAYLOAD = _payload()
TEXT = render(PAYLOAD)


def shown(page: Page) -> list[str]:
    """Return the ids of the views that are to be seen."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.view')].filter((view) => view.checkVisibility()).map((view) => view.id)"
    )
    return found


def test_one_click_leads_to_a_view_and_back_leads_to_where_the_reader_was(show_text: Show) -> None:
    page = show_text(TEXT, height=400)
    assert shown(page) == ["/"]
    page.evaluate("scrollTo(0, 120)")
    page.locator(".answers a", has_text="Choose for two/a").click()
    assert shown(page) == ["/two"]
    assert page.evaluate("bakeoff.hash.read().get('at')") == "/two/a"
    page.go_back()
    page.locator('.view.shown[id="/"]').wait_for()
    assert (shown(page), page.evaluate("scrollY")) == (["/"], 120)
    page.go_forward()
    page.locator('.view.shown[id="/two"]').wait_for()


def test_a_link_to_a_task_opens_its_table_and_leaves_those_of_its_many_neighbours_closed(show_text: Show) -> None:
    page = show_text(TEXT, "#/one/b")
    assert shown(page) == ["/one"]
    tables = page.locator('.view.shown [data-part="table"]')
    assert [tables.nth(at).get_attribute("open") is not None for at in range(3)] == [False, True, False]
    assert page.locator('.view.shown [data-chart="pareto"]').count() == 3
    page.evaluate("location.hash = '#/two'")
    page.locator('.view.shown[id="/two"]').wait_for()
    assert page.locator('.view.shown [data-part="table"]').get_attribute("open") is not None


def test_skipping_to_the_content_keeps_the_view(show_text: Show) -> None:
    page = show_text(TEXT, "#/two")
    page.evaluate("document.querySelector('.skip').click()")
    assert page.evaluate("document.activeElement.id") == "main"
    assert (shown(page), page.evaluate("location.hash")) == (["/two"], "#/two")


@pytest.mark.parametrize("fragment", ["#/three", "#at=%zz", "#main"])
def test_an_address_of_no_view_leads_to_the_overview(show_text: Show, fragment: str) -> None:
    assert shown(show_text(TEXT, fragment)) == ["/"]


def test_find_by_keyboard(show_text: Show) -> None:
    page = show_text(TEXT)
    page.keyboard.press("/")
    page.keyboard.type("SENTENCE 1")
    options = page.locator("#found").get_by_role("option")
    assert [text.split("\n")[1] for text in options.all_inner_texts()] == ["sentence 1 of one", "sentence 1 of two"]
    page.keyboard.press("ArrowDown")
    assert options.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    claim = page.locator("details.claim[open]")
    assert claim.locator(".sentence").inner_text() == "sentence 1 of two"
    assert shown(page) == ["/claims"]
    page.keyboard.press("/")
    page.keyboard.type("small[bins")
    assert options.count() == 4, "the strategy of each task"
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden()
    assert page.locator("#find input").input_value() == ""
    page.locator("#find input").fill("nothing at all")
    assert options.all_inner_texts() == ["Nothing has all of these words."]


def test_the_ledger_filters_by_verdict_and_topic_and_a_link_shows_what_a_filter_hides(show_text: Show) -> None:
    page = show_text(TEXT, "#/claims")

    def sentences() -> list[str]:
        found: list[str] = page.locator(".claim:visible .sentence").all_inner_texts()
        return found

    assert len(sentences()) == 6
    page.get_by_role("combobox", name="Verdict", exact=True).select_option("refuted")
    assert sentences() == ["sentence 1 of one", "sentence 1 of two"]
    page.get_by_role("combobox", name="Topic", exact=True).select_option("two")
    assert sentences() == ["sentence 1 of two"]
    assert page.get_by_role("status").filter(has_text="1 of 6 claims").count() == 1
    address = page.evaluate("location.hash")
    page = show_text(TEXT, address)
    assert sentences() == ["sentence 1 of two"]
    page.evaluate("bakeoff.go('/claims/one/1')")
    assert len(sentences()) == 6
    assert page.locator('[id="/claims/one/1"]').get_attribute("open") is not None


def test_every_view_is_printed_with_its_charts(show_text: Show) -> None:
    page = show_text(TEXT)
    page.emulate_media(media="print")
    page.locator("details:not([open], .data)").first.wait_for(state="detached")
    assert shown(page) == list(VIEWS)
    assert page.locator("figure.waiting").count() == 0
    assert page.locator('figure[data-chart="pareto"] .canvas svg').count() == 4
    page.emulate_media(media="screen")
    page.locator("html:not(.all-views)").wait_for()
    assert shown(page) == ["/"]


def test_without_scripts_every_view_is_there_and_its_links_hold(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(TEXT, encoding="utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        links = page.locator('a[href^="#/"]')
        targets = {links.nth(at).get_attribute("href")[1:] for at in range(links.count())}
        assert set(VIEWS) < targets
        for target in targets:
            assert page.locator(f'[id="{target}"]').is_visible(), target
        assert page.locator(".static table").first.is_visible()
        assert page.locator("#find, #ledger-controls").filter(visible=True).count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_scrolls_sideways_on_a_phone(show_text: Show, view: str) -> None:
    page = show_text(TEXT, f"#{view}", width=390)
    page.evaluate("document.querySelectorAll('.view.shown details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_accessible(show_text: Show, axe: Callable[[Page], Any], view: str) -> None:
    page = show_text(TEXT, f"#{view}")
    page.keyboard.press("/")
    page.keyboard.type("base")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert [(found["id"], node["html"][:200]) for found in axe(page) for node in found["nodes"]] == []


def test_the_pages_of_a_site_lead_to_each_other(browser: Any, tmp_path: Path) -> None:
    index, *_ = write_site(tmp_path, PAYLOAD)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(index.as_uri())
        page.locator(".answers a", has_text="Choose for two/a").click()
        page.locator('.view.shown[id="/two"]').wait_for()
        assert page.url.endswith("two.html#/two/a")
        page.get_by_role("link", name="All topics").click()
        page.locator('.view.shown[id="/"]').wait_for()
        page.get_by_role("link", name="Claims").click()
        assert shown(page) == ["/claims"]
