"""The page in a real browser: what a reader clicks, types, prints and saves."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from report import samples
from report.samples import HOSTILE, Plain
from report.test_page import EDGES
from scipy.stats import rankdata

from harness.analysis import wording
from harness.report.run.anchors import anchors
from harness.report.run.page import render

Page: TypeAlias = Any  # playwright.sync_api.Page
Show: TypeAlias = Callable[..., Page]

PAYLOAD = samples.payload(samples.task(), claims=[samples.claim(), samples.claim("refuted")])
TASK = PAYLOAD["tasks"][0]


@pytest.fixture
def show(show_text: Show) -> Show:
    """Return what opens the page of a payload, at the view of its first topic."""

    def shown(payload: Plain, fragment: str = "", **options: Any) -> Page:
        topics = [task["topic"] for task in payload["tasks"]]
        return show_text(render(payload), fragment or f"#{anchors(payload)[topics[0]] if topics else ''}", **options)

    return shown


def rows(page: Page, task: int = 0) -> dict[str, list[str]]:
    """Return the texts of the shown table's cells by strategy, in the order of the rows."""
    found: dict[str, list[str]] = page.evaluate(
        """index => {
          const lines = document.querySelectorAll(`.interactive[data-task="${index}"] tbody tr:not(.detail)`);
          const text = cell => cell.innerText.replace(/\\s+/g, " ").trim();
          return Object.fromEntries(
            [...lines].map(line => [line.cells[0].textContent, [...line.cells].slice(1).map(text)]));
        }""",
        task,
    )
    return found


def choose(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=text)


def effects(page: Page, task: int, cells: list[int], reference: str) -> dict[str, dict[str, Plain]]:
    """Return what the page computes for every measure and strategy over some cells."""
    found: dict[str, dict[str, Plain]] = page.evaluate(
        """([index, cells, reference]) => {
          const task = bakeoff.payload.tasks[index];
          const at = task.strategies.findIndex(s => s.label === reference);
          const found = bakeoff.compare(task, cells.map(i => task.cells[i]), at);
          const plain = own => Object.fromEntries([...own].map(([i, v]) => [task.strategies[i].label, v]));
          return Object.fromEntries([...found].map(([name, own]) => [name, plain(own)]));
        }""",
        [task, cells, reference],
    )
    return found


def assert_equal(found: Plain, expected: Plain) -> None:
    assert found["verdict"] == expected["verdict"]
    for key in ("estimate", "low", "high", "p"):
        assert found[key] == (None if expected[key] is None else pytest.approx(expected[key], rel=1e-9, abs=1e-12)), key


def test_effects_equal_those_of_harness_stats(show: Show) -> None:
    tasks = [samples.task(f"planted/{count}", runs=range(count), blocks=4 + count, seed=count) for count in (1, 2, 3)]
    payload = samples.payload(*tasks, runs=3)
    for session in (None, 0):
        payload["runs"][2]["session"] = session
        assert_effects_equal(show(payload), payload, tasks)


def assert_effects_equal(page: Page, payload: Plain, tasks: list[Plain]) -> None:
    compared = [(base, cells) for base in ("base", "flaky") for cells in ([0], [1, 3], [0, 1, 2, 3])]
    for (index, task), (base, cells) in itertools.product(enumerate(tasks), compared):
        expected = samples.compared(payload, task, [task["cells"][cell] for cell in cells], base)
        found = effects(page, index, cells, base)
        assert set(found) == set(expected)
        for name, own in expected.items():
            assert set(found[name]) == set(own)
            for label, comparison in own.items():
                assert_equal(found[name][label], samples.plain(comparison))


def test_students_distribution_equals_scipys(show: Show) -> None:
    from scipy import stats

    page = show(samples.payload())
    for df in (1, 2, 3.7, 30, 450.5, 5000):
        assert page.evaluate("df => bakeoff.student.quantile(df)", df) == pytest.approx(
            stats.t.ppf(0.975, df), rel=1e-9
        )
        for t in (0.0, 1e-9, 0.3, 2.0, 12.0, 300.0):
            found = page.evaluate("([t, df]) => bakeoff.student.pValue(t, df)", [t, df])
            assert found == pytest.approx(2 * stats.t.sf(t, df), rel=1e-8, abs=1e-300)


def test_the_table_shows_the_figures_that_python_computed(show: Show) -> None:
    found = rows(show(PAYLOAD))
    shown = [0, 1, 3, 4]
    for row in TASK["cells"][0]["table"]:
        label = TASK["strategies"][row["strategy"]]["label"]
        if label == "gpu":
            assert found[label][1] == "5 skipped: no CUDA device"
            continue
        for place, at in enumerate(shown, start=1):
            cell, measure = row["cells"][at], TASK["measures"][at]
            if label == "base":
                text = f"{wording.figure(cell['median'], measure['unit'])} reference"
            else:
                mark = wording.MARKS[cell["verdict"]].strip()
                cost = measure["cost"]
                text = f"{wording.effect(cell, cost=cost)}{mark} {wording.interval(cell, cost=cost)}"
            assert found[label][place].replace(" ", "") == text.replace("\xa0", "").replace(" ", "")


def test_rates_and_equal_blocks_are_told_as_python_tells_them(show: Show) -> None:
    """The rate of the reference has an exact interval; `fast` equals it in every block, `slow` is worse by the same."""
    task = samples.task()
    cell = task["cells"][0]
    base, fast, slow = (
        next(r for r in cell["rows"] if task["strategies"][r["strategy"]]["label"] == label)
        for label in ("base", "fast", "slow")
    )
    rate = {"estimate": 0.048, "low": 0.0389, "high": 0.0585, "blocks": 5, "same": False}
    base["rates"] = {"auc": rate}
    base["values"]["auc"] = [0.75] * 5
    fast["values"]["auc"] = [0.75] * 5
    slow["values"]["auc"] = [0.5] * 5
    found = rows(show(samples.payload(task)))
    at = 1 + [0, 1, 3, 4].index(next(i for i, m in enumerate(task["measures"]) if m["name"] == "auc"))
    level = wording.level({"median": None, "rate": rate}, "1")
    assert level == "0.0480 [0.0389, 0.0585]"
    assert found["base"][at].startswith(level)
    assert found["fast"][at] == "0.000 equal in all 5 blocks"
    assert found["slow"][at] == "\u22120.250 the same in all 5 blocks"


def test_figures_are_written_as_python_writes_them(show: Show) -> None:
    page = show(samples.payload())
    values = [0, 1, 9.994, 9.996, 99.94, 123456.7, 0.001, 4.2e-7, 3e-9, 1e9, 2.5e12, -0.5, -1e-7, 0.00049, 0.0006]
    values += [0.99949, 0.99951, 999_600]  # just below and above what rounds to the next unit
    for unit in ("s", "byte", "1", "nat"):
        written = page.evaluate("([values, unit]) => values.map(v => bakeoff.format.figure(v, unit))", [values, unit])
        assert written == [wording.figure(value, unit) for value in values]
    cases: list[Plain] = [
        {"estimate": 0.0123, "low": 0.0111, "high": 0.0135},
        {"estimate": 1.5, "low": None, "high": None},
        {"estimate": 0.004, "low": 0.001, "high": 0.02},
        {"estimate": -1500.0, "low": -2000.0, "high": 12.0},
        {"estimate": 12.0, "low": 11.0, "high": 1300.0},
    ]
    for found in cases:
        for cost in (False, True):
            if cost and found["estimate"] < 0:
                continue
            script = "([found, cost]) => bakeoff.format.effect(found, cost) + bakeoff.format.interval(found, cost)"
            expected = wording.effect(found, cost=cost) + wording.interval(found, cost=cost)
            assert page.evaluate(script, [found, cost]) == expected


def test_another_reference_another_view_and_phases(show: Show) -> None:
    page = show(PAYLOAD)
    choose(page, "Compared with", "slow")
    found = rows(page)
    expected = samples.plain(samples.compared(PAYLOAD, TASK, [TASK["cells"][0]], "slow")["cpu_s"]["fast"])
    assert found["fast"][1] == f"{wording.ratio(expected['estimate'])}▲ {wording.interval(expected, cost=True)}"
    assert found["slow"][1].endswith("reference")
    choose(page, "Show", "medians")
    median = TASK["cells"][0]["table"][1]["cells"][0]["median"]
    assert rows(page)["fast"][1] == f"{wording.figure(median, 's')}▲".replace("\xa0", " ")
    assert page.get_by_role("columnheader", name="CPU time of fit").count() == 0
    page.get_by_label("phases").check()
    assert page.get_by_role("columnheader", name="CPU time of fit").count() == 1


def test_headers_sort_by_mouse_and_keyboard(show: Show) -> None:
    page = show(PAYLOAD)
    header = page.get_by_role("columnheader", name="CPU time")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    order = list(rows(page))
    assert order == ["constant", "fast", "base", "small[bins=8]", "flaky", "slow", "gpu"]
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert list(rows(page)) == [*order[-2::-1], "gpu"]
    auc = page.get_by_role("columnheader", name="auc").filter(has_text="higher").get_by_role("button")
    auc.focus()
    page.keyboard.press("Space")
    assert next(iter(rows(page))) == "slow"
    assert page.locator("th[aria-sort=descending]").count() == 1


def test_filters_and_the_mean_over_cells(show: Show) -> None:
    page = show(PAYLOAD)
    choose(page, "rows", "10000")
    assert "rows=10000" in page.locator(".interactive caption").inner_text()
    choose(page, "rows", "all (mean)")
    choose(page, "Scenario", "all (mean)")
    assert "4 cells" in page.locator(".interactive caption").inner_text()
    expected = samples.plain(samples.compared(PAYLOAD, TASK, TASK["cells"], "base")["auc"]["slow"])
    assert rows(page)["slow"][3] == f"{wording.effect(expected, cost=False)}▲ {wording.interval(expected, cost=False)}"


def test_a_selection_that_was_not_run_leads_to_the_nearest(show: Show) -> None:
    task = samples.task()
    task["cells"] = task["cells"][:3]
    page = show(samples.payload(task))
    choose(page, "Scenario", "noisy")
    choose(page, "rows", "10000 (not run with the rest)")
    assert page.get_by_text("Nothing was run with this selection").is_visible()
    assert page.locator(".interactive table").is_hidden()
    page.get_by_role("button", name="Show the nearest").click()
    assert page.locator(".interactive table").is_visible()


def test_ranks_are_recomputed_and_missing_results_penalised_openly(show: Show) -> None:
    page = show(PAYLOAD)
    labels = [label for label in samples.LABELS if label != "gpu"]

    def ranked(name: str, cells: list[Plain], sign: int, *, stand: bool) -> np.ndarray:
        ranks = []
        for cell in cells:
            middles = []
            others = [sign * value if stand else np.inf for value in cell["rows"][-1]["values"][name]]
            for row in cell["rows"]:
                if row["values"]:
                    values = zip(row["values"][name], others, strict=True)
                    middles.append(np.median([other if v is None else sign * v for v, other in values]))
            ranks.append(rankdata(middles))
        mean: np.ndarray = np.mean(ranks, axis=0)
        return mean

    def shown() -> list[float]:
        found = rows(page)
        return [float(found[label][0].split()[0]) for label in labels]

    expected = ranked("auc", TASK["cells"][:1], -1, stand=True)
    assert shown() == pytest.approx(expected)
    assert "2 of 5 missing, baseline's value used" in rows(page)["flaky"][0]
    assert rows(page)["gpu"][0] == "\u2013"
    choose(page, "Scenario", "all (mean)")
    choose(page, "rows", "all (mean)")
    assert shown() == pytest.approx(ranked("auc", TASK["cells"], -1, stand=True), abs=0.005)
    choose(page, "Rank by", "CPU time")
    assert shown() == pytest.approx(ranked("cpu_s", TASK["cells"], 1, stand=False), abs=0.005)
    assert "8 of 20 missing, ranked last" in rows(page)["flaky"][0]


def test_a_link_shows_the_same(show: Show) -> None:
    page = show(PAYLOAD)
    choose(page, "Compared with", "small[bins=8]")
    choose(page, "Scenario", "noisy")
    choose(page, "rows", "all (mean)")
    page.get_by_label("phases").check()
    page.get_by_role("columnheader", name="log_loss").get_by_role("button").click()
    page.get_by_role("button", name="Theme").click()
    before = page.evaluate("bakeoff.state.get(0)"), rows(page)
    address = page.evaluate("location.hash")
    again = show(PAYLOAD, address)
    assert (again.evaluate("bakeoff.state.get(0)"), rows(again)) == before
    assert again.evaluate("document.documentElement.dataset.theme") == "light"
    again.evaluate("location.hash = ''")
    again.locator("html:not([data-theme])").wait_for()
    assert again.evaluate("bakeoff.state.get(0)") == again.evaluate("bakeoff.state.defaults(0)")


def test_only_what_differs_is_in_the_address(show: Show) -> None:
    page = show(PAYLOAD)
    assert page.evaluate("location.hash") == "#/planted"
    choose(page, "rows", "10000")
    assert page.evaluate("location.hash") == "#at=/planted&planted/choose:param:rows=10000"
    choose(page, "rows", "1000")
    assert page.evaluate("location.hash") == "#at=/planted"


def test_an_address_that_means_nothing_does_no_harm(show: Show) -> None:
    page = show(
        PAYLOAD, "#planted/choose:sort=%zz&planted/choose:reference=nobody&x&=&planted/choose:param:rows=7&theme=<b>"
    )
    assert page.evaluate("bakeoff.state.get(0)") == page.evaluate("bakeoff.state.defaults(0)")


def test_the_file_holds_what_is_shown(show: Show) -> None:
    task = samples.task(labels=("base", "fast", '=cmd("x")', "-dash,comma"))
    payload = samples.payload(task)
    page = show(payload)
    page.get_by_role("columnheader", name="CPU time").get_by_role("button").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as CSV").click()
    assert saving.value.suggested_filename == "planted-choose-planted-data-clean-rows=1000-threads=1.csv"
    header, *lines = csv.reader(io.StringIO(Path(saving.value.path()).read_text(encoding="utf-8")))
    assert [line[0].removeprefix("'") for line in lines] == list(rows(page))
    assert {line[0] for line in lines} == {"base", "fast", '\'=cmd("x")', "'-dash,comma"}
    assert not [name for name in header if name.startswith("fit.")]
    fast = dict(zip(header, next(line for line in lines if line[0] == "fast"), strict=True))
    expected = task["cells"][0]["table"][1]["cells"][3]
    assert float(fast["auc difference"]) == pytest.approx(expected["estimate"])
    assert float(fast["auc low"]) == pytest.approx(expected["low"])
    assert (fast["cpu_s verdict"], fast["compared with"]) == ("better", "base")


def test_a_row_opens_to_its_note_troubles_and_commands(show: Show) -> None:
    page = show(PAYLOAD)
    button = page.locator(".interactive").get_by_role("button", name="flaky")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    detail = page.locator("tr.detail").inner_text()
    for part in (
        "Departs from nothing.",
        "bins=256",
        "2 failed: ValueError: it broke",
        "fit: 2.00\u00a0µs of CPU time a row (1,000)",
        TASK["cells"][0]["rows"][5]["command"],
    ):
        assert part in detail
    button.click()
    assert page.locator("tr.detail").count() == 0


def test_themes(show: Show) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page = show(PAYLOAD, scheme="dark")
    dark = ground(page)
    button = page.get_by_role("button", name="Theme")
    button.click()
    light = ground(page)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    button.click()
    assert (ground(page), button.inner_text()) == (dark, "Theme: dark")
    page.emulate_media(media="print")
    assert ground(page) == light


def test_print_opens_all_details_and_hides_the_controls(show: Show) -> None:
    page = show(PAYLOAD)
    page.locator(".reading > summary").first.click()
    page.emulate_media(media="print")
    page.locator("details:not([open], .data)").first.wait_for(state="detached")
    assert page.locator("details:not([open], .data)").count() == 0
    for hidden in (".controls", ".static", ".contents", "#theme"):
        assert page.locator(hidden).first.is_hidden()
    assert page.locator(".interactive table").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(media="screen")
    page.locator("details[open]").nth(2).wait_for(state="detached")
    assert page.locator("details[open]").count() == 2, "the table, and what was opened"
    assert page.pdf().startswith(b"%PDF")


def test_paper_has_each_explanation_once_in_a_view(show: Show) -> None:
    page = show(samples.payload(samples.task("topic/one"), samples.task("topic/two"), samples.task("other/three")))
    page.emulate_media(media="print")
    page.locator("details:not([open], .data)").first.wait_for(state="detached")
    for name, tasks in (("topic", 2), ("other", 1)):
        readings = page.locator(f"[id='/{name}'] .reading")
        printed = readings.filter(visible=True).all_text_contents()
        assert len(printed) == len(set(printed))
        assert set(printed) == set(readings.all_text_contents())
        assert len(printed) * tasks == readings.count()


def test_without_scripts_the_tables_read(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(render(PAYLOAD), encoding="utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        assert page.locator(".static table").count() == 4
        assert page.locator(".static table").first.is_visible()
        assert page.locator(".interactive, #theme").filter(visible=True).count() == 0


def test_when_the_payload_cannot_be_read_the_tables_of_python_show(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(render(PAYLOAD).replace('id="payload">H4sI', 'id="payload">AAAA'), encoding="utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(file.as_uri())
        page.get_by_role("alert").wait_for()
        assert page.locator(".static table").first.is_visible()
        assert page.locator(".interactive").is_hidden()


def test_every_payload_works(show: Show) -> None:
    for name, payload in EDGES.items():
        page = show(payload, width=390)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_names_that_hold_anything_are_shown_as_they_are(show: Show) -> None:
    payload = samples.payload(
        samples.task(HOSTILE, labels=("base", HOSTILE), datasets=(HOSTILE, "b"), scenarios=(HOSTILE, "c")),
        claims=[samples.claim(text=HOSTILE, topic=HOSTILE)],
    )
    payload["runs"][0]["command"] = HOSTILE
    page = show(payload, width=390)
    assert HOSTILE in rows(page)
    page.locator("button.row").last.click()
    choose(page, "Compared with", HOSTILE)
    address = page.evaluate("location.hash")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    again = show(payload, address)
    assert again.evaluate("bakeoff.state.get(0).reference") == 1


def test_three_hundred_strategies(show: Show) -> None:
    labels = [*samples.LABELS, *(f"strategy-{index}" for index in range(293))]
    page = show(samples.payload(samples.task(labels=labels, scenarios=("clean",), params=({"rows": 1000},))))
    assert len(rows(page)) == 300
    page.get_by_role("columnheader", name="CPU time").get_by_role("button").click()
    assert next(iter(rows(page))) == "constant"


def test_two_machines_are_never_pooled(show: Show) -> None:
    page = show(EDGES["two machines"])
    options = page.get_by_label("Machine", exact=True).locator("option").all_inner_texts()
    assert options == ["machine-0", "machine-1"]
    choose(page, "Machine", "machine-1")
    assert page.evaluate("bakeoff.state.cells(0).every(cell => cell.machine === 1)")
    assert "machine=machine-1" in page.evaluate("location.hash")


@pytest.mark.parametrize("name", ["two machines", "models"])
def test_the_page_is_accessible(show: Show, axe: Callable[[Page], Any], name: str) -> None:
    claims = [samples.claim(verdict) for verdict in ("supported", "refuted", "inconclusive", "not measured")]
    page = show(EDGES[name] | {"claims": claims})
    page.locator("button.row").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = [(violation["id"], node["html"][:200]) for violation in axe(page) for node in violation["nodes"]]
        assert found == [], json.dumps(found, indent=1)


def test_memory_too_small_to_be_measured_has_no_ratio(show: Show) -> None:
    """Of cells of which one strategy took less than 0.1 MB in one, its ratios are left out wherever that one counts."""
    task = samples.task()
    slow = TASK["strategies"].index(next(own for own in TASK["strategies"] if own["label"] == "slow"))
    row = next(row for row in task["cells"][0]["rows"] if row["strategy"] == slow)
    row["values"]["peak_bytes"] = [value and value / 1000 for value in row["values"]["peak_bytes"]]
    payload = samples.payload(task)
    page = show(payload)
    for cells in ([0], [1], [0, 1]):
        expected = samples.compared(payload, task, [task["cells"][at] for at in cells], "base")["peak_bytes"]
        found = effects(page, 0, cells, "base")["peak_bytes"]
        for label, comparison in expected.items():
            assert_equal(found[label], samples.plain(comparison))
        assert (found["slow"]["estimate"] is None) == (0 in cells)
    at = [measure["name"] for measure in task["measures"]].index("peak_bytes")
    assert rows(page)["slow"][1 + at] == wording.NONE
    choose(page, "Show", "medians")
    assert rows(page)["slow"][1 + at] == "<0.1 MB"
