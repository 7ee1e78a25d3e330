"""The charts in a real browser: their figures against Python's, by the files that a reader can save."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from report import samples
from report.samples import HOSTILE, Plain

from harness.report.run.page import render
from harness.stats.paired import mean, paired_difference, paired_ratio

Page: TypeAlias = Any  # playwright.sync_api.Page
Show: TypeAlias = Callable[..., Page]

NAMES = ("pareto", "forest", "blocks", "scaling", "tuning", "scenarios", "curves", "history", "map")


def planted(**other: Any) -> Plain:
    """Make a payload in which every chart has something to show."""
    task = samples.task(**other)
    place = {"machine": 0, "dataset": "planted-data", "scenario": "clean", "params": {"threads": 1}}
    slope = {"strategy": 1, "measure": "cpu_s", "estimate": 0.914, "low": 0.75, "high": 1.125, "blocks": 5}
    meeting = {"of": 1, "to": 0, "measure": "cpu_s", "estimate": 4100.0, "low": 2000.0, "high": 8000.0, "blocks": 5}
    task["scaling"] = [{"param": "rows", **place, "slopes": [slope], "crossovers": [meeting]}]
    lines = [{"cell": 0, "strategy": own, "repeats": [{"x": [0, 0.5, 1], "y": [0, own / 10, 1]}]} for own in range(3)]
    figure = {"title": "Reliability", "x": "predicted", "y": "observed", "diagonal": True, "log_x": False}
    limit = {"title": "Bayes limit", "lines": [{"cell": 0, "repeats": [{"x": [0, 0.5, 1], "y": [0, 0.4, 0.8]}]}]}
    figure |= {"log_y": False, "reading": "On the diagonal.", "limit": limit}
    task["curves"] = [{"curve": "reliability", **figure, "lines": lines}]
    sweep = {"cell": 0, "strategy": "fast", "option": "bins", "default": 256}
    task["tuning"] = [{**sweep, "members": [[8, 2], [64, 0], [256, 1]]}]
    points = [
        {
            "run": f"{at:06x}",
            "started": f"2026-11-{10 + at:02d}T04:21:21+00:00",
            "commit": "5f39a531",
            "machine": "machine-0",
            "mean": 1.0 + (at > 3),
            "low": 0.9 + (at > 3),
            "high": 1.1 + (at > 3),
            "blocks": 5,
        }
        for at in range(8)
    ]
    change = {"index": 4, "before": 1.0, "after": 2.0, "p": 0.001}
    series = {"strategy": 0, "measure": "cpu_s", "cell": "planted-data, clean", "searched": 6}
    task["history"] = [series | {"points": points, "changes": [change]}]
    task["models"] = [samples.model(), samples.unfitted()]
    return samples.payload(task)


PAYLOAD = planted()
TEXT = render(PAYLOAD)


@pytest.fixture(scope="module")
def drawn(kept_tab: tuple[Page, Any], tmp_path_factory: pytest.TempPathFactory) -> Page:
    """One page with all of its charts drawn, for every test that only reads it and saves its files."""
    file = tmp_path_factory.mktemp("drawn") / "page.html"
    file.write_text(TEXT, encoding="utf-8")
    page = kept_tab[0]
    page.goto(f"{file.as_uri()}#/planted")
    page.locator("html[data-ready]").wait_for(state="attached")
    samples.draw_all(page)
    return page


@pytest.fixture
def page(drawn: Page, kept_tab: tuple[Page, Any]) -> Iterator[Page]:
    """Return the drawn page; nothing may have been reported or requested in it."""
    yield drawn
    heard = kept_tab[1]
    assert (heard.errors, heard.requests) == ([], [])


@pytest.fixture
def fresh(show_text: Show) -> Page:
    """Return the page as loaded anew, for a test that chooses, points at or opens something on it."""
    return opened(show_text, TEXT)


def opened(show_text: Show, text: str, fragment: str = "#/planted", **options: Any) -> Page:
    """Open a page and draw all of its charts."""
    page = show_text(text, fragment, **options)
    samples.draw_all(page)
    return page


def figure(page: Page, name: str) -> Any:
    return page.locator(f'figure[data-chart="{name}"]')


def saved(page: Page, name: str, kind: str) -> bytes:
    with page.expect_download() as download:
        figure(page, name).locator(f'button[data-kind="{kind}"]').click()
    return Path(download.value.path()).read_bytes()


def table(page: Page, name: str) -> list[dict[str, str]]:
    """Return the rows of the data behind a figure, as the CSV file has them."""
    text = saved(page, name, "CSV").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def values(strategy: int, measure: str, cell: int = 0) -> np.ndarray:
    column = PAYLOAD["tasks"][0]["cells"][cell]["rows"][strategy]["values"][measure]
    return np.array([np.nan if value is None else value for value in column])


def numbers(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


def test_every_chart_is_drawn_and_described(page: Page) -> None:
    for name in NAMES:
        drawn = figure(page, name).locator(".canvas svg[role=img]")
        assert drawn.count() == 1, name
        label = drawn.get_attribute("aria-label")
        assert label is not None
        assert "The data behind this figure are in a table below it." in label
        assert figure(page, name).locator("details.reading p").count() > 0


def test_figures_are_drawn_when_they_are_opened_or_come_near(show_text: Show) -> None:
    page = show_text(TEXT, "#/planted", height=500)
    assert figure(page, "history").locator(".canvas svg").count() == 0
    page.locator(".part > summary", has_text="Over tracked runs").click()
    figure(page, "history").scroll_into_view_if_needed()
    figure(page, "history").locator(".canvas svg").wait_for()


def test_all_figures_are_drawn_before_print(show_text: Show) -> None:
    page = show_text(TEXT, height=500)  # at the overview
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    drawn = page.locator("figure .canvas svg[role=img]")
    assert drawn.count() == len(NAMES)
    # Those in closed details too, which have the width of their summary until they are opened.
    assert {own.get_attribute("width") for own in drawn.all()} == {"720"}


def test_captions_say_what_is_to_be_seen(show_text: Show) -> None:
    """Made from the figures: nearest and farthest, first and last, most and least."""
    page = show_text(TEXT)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    said = {name: figure(page, name).locator(".seen").text_content() for name in NAMES}
    assert said["curves"] == (
        "On average slow is nearest to the diagonal, 0.1 away, and base farthest, 0.167 away."
    )  # |0 - 0.5| / 3 and |0.2 - 0.5| / 3 by hand
    assert said["scaling"] == (
        "From rows 1000 to 10000, CPU time goes up most for flaky, 10.2x, and least for slow, 9.27x."
    )
    assert said["scenarios"].startswith("Under noisy, auc suffers most for constant (\N{MINUS SIGN}0.005 [")
    assert said["blocks"] == (
        "Better in each block than base on CPU time: constant and fast. Worse in each block: flaky and slow. "
        "Better in some blocks and worse in others: small[bins=8]."
    )


def test_lines_that_are_no_calibration_are_told_by_their_ends(show_text: Show) -> None:
    payload = planted()
    payload["tasks"][0]["curves"][0]["diagonal"] = False
    for own, line in enumerate(payload["tasks"][0]["curves"][0]["lines"]):
        line["repeats"][0]["y"][-1] = 3.0 - own
    page = opened(show_text, render(payload))
    figure(page, "curves").scroll_into_view_if_needed()
    figure(page, "curves").locator(".canvas svg[role=img]").wait_for()
    said = figure(page, "curves").locator(".seen").text_content()
    assert said == "Where the lines end, slow is lowest, at 1, and base highest, at 3."


def test_figures_are_as_wide_as_paper_for_print_only(show_text: Show) -> None:
    page = opened(show_text, TEXT, width=1440, height=900)
    drawn = figure(page, "pareto").locator(".canvas svg[role=img]")
    figure(page, "pareto").scroll_into_view_if_needed()
    wide = drawn.get_attribute("width")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert drawn.get_attribute("width") == "720"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.locator(f'figure[data-chart="pareto"] .canvas svg[role=img][width="{wide}"]').wait_for()


def test_what_is_far_off_is_told_below_the_chart(fresh: Page) -> None:
    text = figure(fresh, "pareto").locator(".canvas").text_content().replace("\xa0", " ")
    assert "constant: beyond the scale at" in text
    figure(fresh, "pareto").locator('select[data-name="scale"]').select_option("all")
    assert "beyond the scale" not in figure(fresh, "pareto").locator(".canvas").text_content()


def test_pointing_shows_figures_that_no_file_keeps(fresh: Page, axe: Callable[[Page], list[Plain]]) -> None:
    figure(fresh, "pareto").scroll_into_view_if_needed()
    figure(fresh, "pareto").locator("g[data-mark=dot] > *").last.hover(force=True)
    tip = figure(fresh, "pareto").locator("g.tip")
    tip.get_by_text("resamples").or_(tip.get_by_text("auc")).first.wait_for()
    assert axe(fresh) == []
    assert 'class="tip"' not in saved(fresh, "pareto", "SVG").decode()


@pytest.mark.parametrize(("fragment", "scheme"), [("#at=/planted&theme=dark", "light"), ("#/planted", "dark")])
def test_saved_pictures_have_the_colours_of_the_theme(show_text: Show, fragment: str, scheme: str) -> None:
    page = opened(show_text, TEXT, fragment, scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--page')").strip()
    assert f'fill="{ground}"' in saved(page, "scenarios", "SVG").decode()
    assert ground != "#ffffff"


def test_cost_and_quality_have_means_intervals_and_the_front(page: Page) -> None:
    rows = {row["strategy"]: row for row in table(page, "pareto")}
    cost, quality = mean(np.log(values(1, "cpu_s"))).exp(), mean(values(1, "auc"))
    assert float(rows["fast"]["CPU time"]) == pytest.approx(cost.estimate, rel=1e-9)
    assert float(rows["fast"]["auc"]) == pytest.approx(quality.estimate, rel=1e-9)
    beaten = {name for name, row in rows.items() if row["on the front"] == "no"}
    # base costs 2.5 times as much as fast at the same quality, small is as dear as base and worse.
    assert "small[bins=8]" in beaten
    assert "constant" not in beaten


def test_effects_are_those_of_python(fresh: Page) -> None:
    rows = {row["strategy"]: row for row in table(fresh, "forest")}
    expected = paired_ratio(values(2, "cpu_s"), values(0, "cpu_s"))
    assert numbers(rows["slow"], "ratio", "low", "high") == pytest.approx(
        [expected.estimate, expected.low, expected.high], rel=1e-6
    )
    figure(fresh, "forest").locator('select[data-name="measure"]').select_option(label="auc")
    rows = {row["strategy"]: row for row in table(fresh, "forest")}
    apart = paired_difference(values(2, "auc"), values(0, "auc"))
    assert numbers(rows["slow"], "difference", "low", "high") == pytest.approx(
        [apart.estimate, apart.low, apart.high], rel=1e-6
    )


@pytest.mark.parametrize(
    ("unit", "most", "texts"),
    [("byte", 2e6, ["0", "+500 kB", "+1 MB", "+1.5 MB", "+2 MB"]), ("nat", 0.1, ["0", "+0.05", "+0.1"])],
)
def test_the_axis_of_differences_has_their_unit(page: Page, unit: str, most: float, texts: list[str]) -> None:
    script = """([unit, most]) => {
        const scale = bakeoff.axes.effect([[most, null, null]], {cost: false, unit}, unit === "nat" ? 200 : 400);
        return scale.ticks.map(scale.tickFormat);
    }"""
    assert [text.replace("\xa0", " ") for text in page.evaluate(script, [unit, most])] == texts


def test_the_front_goes_by_both_means(page: Page) -> None:
    rows = {row["strategy"]: row for row in table(page, "pareto")}
    points = {name: (float(row["CPU time"]), float(row["auc"])) for name, row in rows.items()}
    front = {
        name
        for name, (cost, auc) in points.items()
        if not any(c <= cost and a >= auc and (c < cost or a > auc) for c, a in points.values())
    }
    assert {name for name, row in rows.items() if row["on the front"] == "yes"} == front


def test_options_of_strategies_are_sweeps_too(show_text: Show) -> None:
    payload = planted(labels=("small", "small[bins=8]", "slow"), baseline="")
    page = opened(show_text, render(payload))
    figure(page, "scaling").locator('select[data-name="sweep"]').select_option(label="bins (option)")
    # The strategy as declared has its default, 256; slow has no variant.
    assert [(row["strategy"], row["bins"]) for row in table(page, "scaling")] == [("small", "8"), ("small", "256")]


def test_blocks_are_ratios_to_the_reference(page: Page) -> None:
    found = [float(row["fast"]) for row in table(page, "blocks")]
    assert found == pytest.approx((values(1, "cpu_s") / values(0, "cpu_s")).tolist(), rel=1e-9)


def test_sweeps_have_a_row_a_size_with_the_slopes_of_python(page: Page) -> None:
    text = saved(page, "scaling", "CSV").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    fast = [row for row in rows if row and row[0] == "fast"]
    assert [float(row[1]) for row in fast[:2]] == [1000, 10000]
    large = mean(np.log(values(1, "cpu_s", 1))).exp()
    assert [float(value) for value in fast[1][2:5]] == pytest.approx([large.estimate, large.low, large.high], rel=1e-6)
    assert [float(value) for value in fast[2][1:4]] == [0.914, 0.75, 1.125]
    assert "fast and base change places at rows 4,100 [2,000, 8,000]." in figure(page, "scaling").inner_text()


def test_stress_is_a_paired_change_from_clean(page: Page) -> None:
    rows = {(row["strategy"], row["scenario"]): row for row in table(page, "scenarios")}
    clean, noisy = (
        next(
            np.array(cell["rows"][1]["values"]["auc"])
            for cell in PAYLOAD["tasks"][0]["cells"]
            if cell["scenario"] == scenario and cell["params"]["rows"] == 1000
        )
        for scenario in ("clean", "noisy")
    )
    # The blocks of the noisy data overlap, see samples.
    expected = mean(noisy - clean, overlap=0.5)
    assert numbers(rows["fast", "noisy"], "difference", "low", "high") == pytest.approx(
        [expected.estimate, expected.low, expected.high], rel=1e-6
    )


def test_curves_are_as_recorded(page: Page) -> None:
    rows = [row for row in table(page, "curves") if row["strategy"] == "slow"]
    assert [(float(row["predicted"]), float(row["observed"])) for row in rows] == [(0, 0), (0.5, 0.2), (1, 1)]
    assert "On the diagonal." in figure(page, "curves").locator("details.reading").text_content()


def test_a_limit_is_drawn_dashed_and_named(page: Page) -> None:
    own = figure(page, "curves")
    assert own.locator('.canvas [stroke-dasharray="10 5"]').count() == 1
    assert own.locator(".canvas .labels text").all_text_contents() == ["Bayes limit"]
    assert own.locator(".legend ul.limits li").all_text_contents() == ["Bayes limit"]
    assert "and Bayes limit" in (own.locator(".canvas svg[role=img]").get_attribute("aria-label") or "")
    rows = [row for row in table(page, "curves") if row["strategy"] == "Bayes limit"]
    assert [(float(row["predicted"]), float(row["observed"])) for row in rows] == [(0, 0), (0.5, 0.4), (1, 0.8)]
    root = ET.fromstring(saved(page, "curves", "SVG"))
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")].count("Bayes limit") == 2


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"limit": None}, ""),
        ({"limit": {"title": "Bayes limit", "lines": [{"cell": 1, "repeats": [{"x": [0], "y": [0]}]}]}}, ""),
        (
            {"limit": {"title": "Bayes limit", "lines": [{"cell": 0, "repeats": [{"x": [0, 1], "y": [2, 99]}]}]}},
            "2 to 99",
        ),
    ],
    ids=["none", "of another cell", "far off"],
)
def test_a_limit_that_is_not_there_or_far_off_is_not_drawn(show_text: Show, change: Plain, note: str) -> None:
    payload = planted()
    payload["tasks"][0]["curves"][0] |= {"diagonal": False, **change}
    own = figure(opened(show_text, render(payload)), "curves")
    assert own.locator('[stroke-dasharray="10 5"]').count() == 0
    assert note in own.locator(".notes").inner_text()


@pytest.mark.parametrize("places", [[0, 0.5, 1], [0, 0.6, 1]], ids=["the same places", "other places"])
def test_bands_of_blocks_are_averaged_or_those_of_the_first_block(show_text: Show, places: list[float]) -> None:
    payload = planted()
    first = {"x": [0, 0.5, 1], "y": [0, 0.5, 1], "low": [0, 0.4, 0.9], "high": [0.1, 0.6, 1]}
    (curve,) = payload["tasks"][0]["curves"]
    curve["lines"][0]["repeats"] = [first, {**first, "x": places}]
    own = figure(opened(show_text, render(payload)), "curves")
    assert own.locator('.canvas path[fill-opacity="0.12"], .canvas [fill-opacity="0.12"] path').count() == 1
    assert ("Bands are those of the first block." in own.locator(".notes").inner_text()) == (places[1] != 0.5)


def test_tuning_has_a_small_chart_a_measure_with_means_and_the_reference(page: Page) -> None:
    own = figure(page, "tuning")
    charts = own.locator(".canvas svg[role=img] > svg")
    assert charts.count() == 2
    assert charts.first.locator('line[stroke-dasharray="10 5"], g[stroke-dasharray="10 5"] line').count() == 1
    assert "default" in charts.first.locator(".labels text").all_text_contents()
    assert own.locator(".legend ul.limits li").all_text_contents() == ["base"]
    text = saved(page, "tuning", "CSV").decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text)) if len(row) > 1]
    assert [row[:3] for row in rows[1:4]] == [["fast", "bins", value] for value in ("8", "64", "256")]
    assert [row[7] for row in rows[1:5]] == ["no", "no", "yes", ""]
    for row, strategy in zip(rows[1:5], (2, 0, 1, 0), strict=True):
        found = mean(values(strategy, "auc"))
        assert [float(part) for part in row[3:6]] == pytest.approx([found.estimate, found.low, found.high], rel=1e-6)
    cost = mean(np.log(values(2, "cpu_s"))).exp()
    assert [float(part) for part in rows[6][3:6]] == pytest.approx([cost.estimate, cost.low, cost.high], rel=1e-6)


def test_tuning_follows_the_reference_and_the_cell(fresh: Page) -> None:
    fresh.evaluate("bakeoff.state.set(0, {reference: 2})")
    fresh.evaluate("bakeoff.figures.drawAll()")
    assert figure(fresh, "tuning").locator(".legend ul.limits li").all_text_contents() == ["slow"]
    fresh.evaluate("bakeoff.state.set(0, {scenario: 'noisy'})")
    fresh.evaluate("bakeoff.figures.drawAll()")
    assert "No option was measured at three values" in figure(fresh, "tuning").inner_text()


def test_values_of_an_option_far_apart_stand_on_a_logarithmic_axis(page: Page) -> None:
    types = "values => bakeoff.axes.swept(values, 300, 20).type"
    assert page.evaluate(types, [1, 4, 20]) == "log"
    assert page.evaluate(types, [1, 4, 19]) == "linear"
    assert page.evaluate(types, [0, 1, 100]) == "linear"
    assert page.evaluate("bakeoff.axes.swept([1, 2], 300).type") == "log"


def test_pointing_at_a_small_chart_shows_its_figures(fresh: Page) -> None:
    own = figure(fresh, "tuning")
    own.scroll_into_view_if_needed()
    own.locator(".canvas svg[role=img] > svg").last.locator("g[data-mark=dot] > *").last.hover(force=True)
    told = own.locator("g.tip").get_by_text("the default").first
    told.wait_for()
    assert told.is_visible()


def test_history_tells_its_changes(page: Page) -> None:
    assert "from 1.00 s to 2.00 s with run 000004" in figure(page, "history").inner_text().replace("\xa0", " ")
    reading = figure(page, "history").text_content() or ""
    assert "Change points are searched for in the last 6 runs of a series only." in reading
    text = saved(page, "history", "CSV").decode("utf-8-sig")
    assert text.count("machine-0") == 9


def test_a_choice_above_the_table_redraws(fresh: Page) -> None:
    before = table(fresh, "forest")
    fresh.evaluate("bakeoff.state.set(0, {reference: 2})")
    fresh.evaluate("bakeoff.figures.drawAll()")
    after = {row["strategy"]: row for row in table(fresh, "forest")}
    expected = paired_ratio(values(1, "cpu_s"), values(2, "cpu_s"))
    assert float(after["fast"]["ratio"]) == pytest.approx(expected.estimate, rel=1e-6)
    assert after["fast"]["ratio"] != {row["strategy"]: row for row in before}["fast"]["ratio"]


def test_choices_in_a_figure_are_in_the_address(fresh: Page, show_text: Show) -> None:
    figure(fresh, "forest").locator('select[data-name="measure"]').select_option(label="auc")
    figure(fresh, "curves").locator('.legend button[data-strategy="1"]').click()
    fragment = fresh.evaluate("location.hash")
    again = opened(show_text, TEXT, fragment)
    assert figure(again, "forest").locator("select").first.evaluate("own => own.selectedOptions[0].text") == "auc"
    pressed = figure(again, "curves").locator('.legend button[data-strategy="1"]').get_attribute("aria-pressed")
    assert pressed == "false"


def test_saved_pictures_stand_alone(page: Page) -> None:
    for name in NAMES:
        text = saved(page, name, "SVG").decode()
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in text
        assert "http" not in text.replace("http://www.w3.org/", "")
        assert "<script" not in text
        assert saved(page, name, "PNG").startswith(b"\x89PNG\r\n\x1a\n")


def test_the_data_table_is_built_when_opened(fresh: Page) -> None:
    box = figure(fresh, "pareto").locator("details.data")
    assert box.locator("table").count() == 0
    box.locator("summary").click()
    box.locator("table").wait_for()
    assert box.locator("tbody tr").count() == len(table(fresh, "pareto"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_accessible_at_every_width_in_both_themes(
    show_text: Show, axe: Callable[[Page], list[Plain]], scheme: str, width: int
) -> None:
    page = opened(show_text, TEXT, width=width, height=900, scheme=scheme)
    for own in page.locator("figure details > summary").all():
        own.click()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_hostile_names_are_only_text(show_text: Show) -> None:
    unseen = f"{HOSTILE} \x00\x07\x1b]52;c;aGk=\x07\x7f\x9b\u202e\ufffe"
    payload = planted(labels=(unseen, "fast", "slow"), baseline="")
    payload["tasks"][0]["models"] = [{**samples.model(basis=unseen, notes=[unseen], x=unseen), "title": unseen}]
    page = opened(show_text, render(payload))
    assert page.locator("figure script").count() == 0
    assert HOSTILE.split()[0] in saved(page, "forest", "CSV").decode("utf-8-sig")
    for name in ("forest", "pareto"):
        ET.fromstring(saved(page, name, "SVG"))
        assert saved(page, name, "PNG").startswith(b"\x89PNG\r\n\x1a\n")
    assert "\\x1b]52;c;aGk=\\x07\\x7f\\x9b\\u202e\\ufffe" in page.content()


def test_a_map_of_winners_has_every_place_and_shows_what_is_uncertain(page: Page) -> None:
    rows = table(page, "map")
    predicted = [own for panel in PAYLOAD["tasks"][0]["models"][0]["map"]["panels"] for own in panel["predictions"]]
    assert [(row["cheapest"], row["next"], row["uncertain because"]) for row in rows] == [
        (own["winner"], own["second"], own["doubt"]) for own in predicted
    ]
    drawn = figure(page, "map").locator("g[data-mark=cell] rect")
    assert drawn.count() == len(predicted)
    dashed = drawn.evaluate_all("all => all.filter(e => getComputedStyle(e).strokeDasharray !== 'none').length")
    assert dashed == sum(bool(own["doubt"]) for own in predicted) == 2
    assert figure(page, "map").get_by_text("A model, not a measurement").count() == 1
    assert "A model, not a measurement" in saved(page, "map", "SVG").decode()
    assert figure(page, "map").locator(".legend li").all_inner_texts() == ["base", "fast"]


def test_the_winners_of_a_map_look_as_in_other_charts_unless_two_would_share_a_colour(show_text: Show) -> None:
    page = opened(show_text, TEXT)
    looks = "figure[data-chart=map] .legend path"
    assert page.locator(looks).evaluate_all("all => all.map(e => e.getAttribute('fill'))") == [
        "var(--series-0)",
        "var(--series-1)",
    ]
    far = planted(labels=("base", *(f"s{number}" for number in range(7)), "fast"))
    page = opened(show_text, render(far))
    assert page.locator(looks).evaluate_all("all => all.map(e => e.getAttribute('fill'))") == [
        "var(--series-0)",
        "var(--series-1)",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"blocks": 1},
        {"labels": ("base",)},
        {"labels": ("gpu",)},
        {"labels": tuple(f"strategy-{number}" for number in range(300)), "params": ({"rows": 1000},)},
        {"machines": (0,), "scenarios": ("noisy",), "params": ({"rows": 1000, "threads": 1},)},
        {"blocks": 80},
    ],
    ids=["one block", "one strategy", "all skipped", "300 strategies", "one cell", "80 blocks"],
)
def test_odd_payloads_are_drawn_or_say_why_not(show_text: Show, other: Plain) -> None:
    payload = samples.payload(samples.task(**{"baseline": "", **other}))
    page = opened(show_text, render(payload))
    for own in page.locator("figure").all():
        empty = own.locator(".canvas p.empty")
        assert own.locator(".canvas svg").count() + empty.count() == 1
        assert "could not be drawn" not in own.inner_text()
