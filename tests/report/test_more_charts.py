"""The charts of sweeps, scenarios, curves and history, drawn in a real browser from payloads with known figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any, TypeAlias

import pytest
from report import samples
from report.samples import HOSTILE, Plain

from harness.report.page import render

Page: TypeAlias = Any  # playwright.sync_api.Page
Show: TypeAlias = Callable[..., Page]

MACHINE = "machine-0"

#: Draws a chart as the frame does, and returns what it says and the texts and shapes it drew.
DRAW = """([id, choices, patch, width, strategies]) => {
  const task = bakeoff.payload.tasks[0];
  const chart = Object.values(bakeoff.charts).find(chart => chart.id === id);
  const context = {
    task, index: 0, state: bakeoff.state.get(0), cells: bakeoff.state.cells(0, patch), width, height: 340,
    reference: 0, strategies: strategies ?? task.strategies.map((_, at) => at), theme: "light",
    colour: at => `var(--series-${at})`, symbol: () => "circle",
    label: at => [...task.strategies[at].label].slice(0, 40).join(""),
  };
  const controls = chart.controls(context);
  context.choices = { ...Object.fromEntries(controls.map(own => [own.name, own.value])), ...choices };
  const { node, ...found } = chart.draw(context) ?? { node: null, left: true };
  if (node) document.body.append(node);
  const lines = node ? [...node.querySelectorAll('[aria-label="line"] path')] : [];
  return {
    ...found, controls, drawn: node !== null,
    wide: node ? node.scrollWidth <= width + 1 : true,
    texts: node ? [...node.querySelectorAll("text")].map(text => text.textContent) : [],
    lines: lines.map(line => (line.getAttribute("d").match(/[ML]/g) ?? []).length),
    dashed: node ? node.querySelectorAll('[aria-label="rule"][stroke-dasharray] line').length : 0,
    scripts: node ? node.querySelectorAll("script").length : 0,
  };
}"""


@pytest.fixture
def draw(open_page: Callable[..., Page], tmp_path: Path) -> Callable[..., Plain]:
    """Open a payload's page and draw one chart of its first task."""
    opened: list[tuple[Plain, Page]] = []

    def drawn(
        payload: Plain,
        chart: str,
        choices: Plain | None = None,
        patch: Plain | None = None,
        width: int = 900,
        strategies: list[int] | None = None,
    ) -> Plain:
        if not opened or opened[-1][0] is not payload:
            file = tmp_path / f"page{len(opened)}.html"
            file.write_text(render(payload), encoding="utf-8")
            opened.append((payload, open_page(file)))
        found: Plain = opened[-1][1].evaluate(DRAW, [chart, choices or {}, patch or {}, width, strategies])
        if found["drawn"]:
            assert all(len(row) == len(found["table"]["columns"]) for row in found["table"]["rows"])
            assert found["label"]
        assert found["wide"]
        assert found["scripts"] == 0
        return found

    return drawn


Draw: TypeAlias = Callable[..., Plain]


def planted(**other: Any) -> Plain:
    """Make a payload of two strategies, with as many blocks as its values have."""
    return samples.payload(samples.task(labels=("base", "fast"), baseline="", **other))


def put(payload: Plain, scenario: str, rows: int, strategy: int, name: str, values: list[float | None]) -> None:
    for cell in payload["tasks"][0]["cells"]:
        if cell["scenario"] == scenario and cell["params"]["rows"] == rows:
            cell["rows"][strategy]["values"][name] = values


def interval(values: list[float], t: float) -> tuple[float, float, float]:
    middle = mean(values)
    half = t * math.sqrt(sum((v - middle) ** 2 for v in values) / (len(values) - 1) / len(values))
    return middle, middle - half, middle + half


# --- Scaling


def test_a_sweep_shows_geometric_means_and_the_slopes_of_python(draw: Draw) -> None:
    payload = planted(blocks=3)
    put(payload, "clean", 1000, 1, "cpu_s", [1.0, 2.0, 4.0])
    put(payload, "clean", 10000, 1, "cpu_s", [10.0, None, 40.0])
    place = {"param": "rows", "machine": 0, "dataset": "planted-data", "scenario": "clean", "params": {"threads": 1}}
    slope = {"strategy": 1, "measure": "cpu_s", "estimate": 0.914, "low": 0.75, "high": 1.125, "blocks": 3}
    meeting = {"of": 1, "to": 0, "measure": "cpu_s", "estimate": 41000.0, "low": None, "high": None, "blocks": 3}
    elsewhere = {**place, "scenario": "noisy", "slopes": [{**slope, "estimate": 9.0}], "crossovers": []}
    payload["tasks"][0]["scaling"] = [elsewhere, {**place, "slopes": [slope], "crossovers": [meeting]}]
    found = draw(payload, "scaling")
    assert found["table"]["columns"] == [
        *("strategy", "rows", "cpu_s", "low", "high", "blocks", "slope", "equal to base at")
    ]
    small, large = (row for row in found["table"]["rows"] if row[0] == "fast")
    expected = [math.exp(v) for v in interval([0.0, math.log(2), math.log(4)], 4.302652730)]
    assert small[1] == 1000
    assert small[2:5] == pytest.approx(expected, rel=1e-5)
    assert small[5:] == [3, "0.91 [0.75, 1.13]", "41,000"]
    assert large[1:3] == [10000, pytest.approx(20)]
    assert large[5] == 2
    assert "fast, 0.91" in found["texts"]
    assert f"planted-data, clean (threads=1), on {MACHINE}" in found["label"]
    assert found["lines"] == [2, 2]


def test_a_metric_is_averaged_plainly_and_has_no_slope(draw: Draw) -> None:
    payload = planted(blocks=2)
    put(payload, "clean", 1000, 0, "auc", [0.7, 0.8])
    found = draw(payload, "scaling", {"measure": "auc"})
    row = found["table"]["rows"][0]
    assert found["table"]["columns"][2:] == ["auc", "low", "high", "blocks"]
    assert row[2:] == [pytest.approx(v) for v in (*interval([0.7, 0.8], 12.706204736), 2)]


def test_pooled_cells_take_the_first_and_say_so(draw: Draw) -> None:
    payload = planted()
    found = draw(payload, "scaling", patch={"scenario": "*"})
    assert "the first of the selected cells" in found["reading"]
    assert len(found["table"]["rows"]) == 4


def test_an_option_is_swept_with_the_plain_strategy_at_its_default(draw: Draw) -> None:
    labels = ("base", "base[bins=8]", "base[bins=64]", "other")
    payload = samples.payload(samples.task(labels=labels, params=({"rows": 1000},), scenarios=("clean",)))
    payload["tasks"][0]["strategies"][2]["options"] = {"bins": 64}
    found = draw(payload, "scaling")
    assert [option["label"] for option in found["controls"][1]["options"]] == ["option bins"]
    assert [row[:2] for row in found["table"]["rows"]] == [["base", 8], ["base", 64], ["base", 256]]
    assert found["lines"] == [3]
    toggled = draw(payload, "scaling", strategies=[1, 2])
    assert [row[:2] for row in toggled["table"]["rows"]] == [["base", 8], ["base", 64]]
    assert draw(payload, "scaling", strategies=[1])["empty"]


def test_without_a_sweep_the_chart_is_left_out(draw: Draw) -> None:
    payload = planted(params=({"rows": 1000},))
    assert draw(payload, "scaling")["left"]
    texts = planted(params=({"size": "small"}, {"size": "large"}))
    assert draw(texts, "scaling")["left"]


def test_a_strategy_far_off_is_told_instead_of_drawn(draw: Draw) -> None:
    payload = samples.payload(samples.task(labels=("base", "fast", "slow", "constant")))
    put(payload, "clean", 1000, 3, "cpu_s", [1e-6] * 5)
    put(payload, "clean", 10000, 3, "cpu_s", [1e-6] * 5)
    found = draw(payload, "scaling")
    assert "Not drawn, because far from the others: constant (1.00\u00a0µs)." in found["reading"]
    assert len(found["lines"]) == 3
    assert len(found["table"]["rows"]) == 8
    assert len(draw(payload, "scaling", strategies=[0, 3])["lines"]) == 2


def test_a_parameter_that_can_be_zero_is_drawn_too(draw: Draw) -> None:
    found = draw(planted(params=({"rows": 0}, {"rows": 5})), "scaling", {"measure": "auc"})
    assert [row[1] for row in found["table"]["rows"]] == [0, 5, 0, 5]


# --- Scenarios


def test_changes_are_paired_with_the_clean_blocks(draw: Draw) -> None:
    payload = planted(blocks=3, params=({"rows": 1000},))
    put(payload, "clean", 1000, 1, "auc", [0.8, 0.9, 0.7])
    put(payload, "noisy", 1000, 1, "auc", [0.7, 0.75, None])
    put(payload, "clean", 1000, 1, "cpu_s", [1.0, 2.0, 3.0])
    put(payload, "noisy", 1000, 1, "cpu_s", [2.0, 2.0, 6.0])
    found = draw(payload, "scenarios")
    row = next(row for row in found["table"]["rows"] if row[0] == "fast")
    assert found["table"]["columns"] == ["strategy", "scenario", "auc difference", "low", "high", "blocks", "cells"]
    assert row == ["fast", "noisy", *(pytest.approx(v) for v in (*interval([-0.1, -0.15], 12.706204736), 2, 1))]
    row = draw(payload, "scenarios", {"measure": "cpu_s"})["table"]["rows"][1]
    assert row[2:5] == [
        pytest.approx(math.exp(v), rel=1e-5) for v in interval([math.log(2), 0.0, math.log(2)], 4.302652730)
    ]
    assert {"noisy", "base", "fast"} <= set(found["texts"])


def test_changes_are_averaged_over_the_selected_cells_whatever_the_scenario(draw: Draw) -> None:
    payload = planted(blocks=2)
    for rows, change in ((1000, 0.1), (10000, 0.3)):
        put(payload, "clean", rows, 0, "auc", [0.5, 0.6])
        put(payload, "noisy", rows, 0, "auc", [0.5 + change, 0.6 + change])
    own = draw(payload, "scenarios", patch={"scenario": "noisy", "params": {"rows": 1000}})
    assert own["table"]["rows"][0][2] == pytest.approx(0.1)
    pooled = draw(payload, "scenarios", patch={"params": {"rows": "*"}})
    assert pooled["table"]["rows"][0][2] == pytest.approx(0.2)
    assert pooled["table"]["rows"][0][-1] == 2


def test_one_block_has_no_interval_and_one_scenario_no_chart(draw: Draw) -> None:
    single = draw(planted(blocks=1), "scenarios")
    assert single["table"]["rows"][0][3:] == [None, None, 1, 1]
    assert draw(planted(scenarios=("clean",)), "scenarios")["left"]
    assert "clean" in draw(planted(scenarios=("noisy", "late")), "scenarios")["empty"]


# --- Curves


def curve(name: str = "reliability", **other: Any) -> Plain:
    lines = [
        {"cell": cell, "strategy": strategy, "repeats": [{"x": [0.1, 0.5, 0.9], "y": [0.2, None, 0.8]}] * 2}
        for cell in (0, 1)
        for strategy in (0, 1)
    ]
    words = {"title": "Reliability", "x": "predicted", "y": "observed", "reading": "Good models lie on the diagonal."}
    return {"curve": name, **words, "diagonal": True, "log_x": False, "log_y": False, "lines": lines, **other}


def test_a_curve_is_drawn_for_the_first_selected_cell(draw: Draw) -> None:
    payload = planted()
    payload["tasks"][0]["curves"] = [curve(), curve("loss", title="Loss", diagonal=False)]
    found = draw(payload, "curves", patch={"params": {"rows": "*"}})
    assert found["table"]["columns"] == ["strategy", "repeat", "predicted", "observed"]
    assert found["table"]["rows"][:4] == [["base", repeat, *p] for repeat in (1, 2) for p in ((0.1, 0.2), (0.9, 0.8))]
    assert len(found["table"]["rows"]) == 8
    assert "Good models lie on the diagonal." in found["reading"]
    assert f"planted-data, clean (rows=1000 threads=1), on {MACHINE}, the first" in found["reading"]
    assert {"predicted", "observed"} <= set(found["texts"])
    assert len(found["lines"]) == 5
    assert [option["label"] for option in found["controls"][0]["options"]] == ["Reliability", "Loss"]
    assert len(draw(payload, "curves", {"curve": "loss"}, strategies=[1])["lines"]) == 2
    assert draw(payload, "curves", patch={"scenario": "noisy"})["empty"]


def test_curves_of_one_point_and_on_logarithmic_axes(draw: Draw) -> None:
    payload = planted()
    lines = [{"cell": 0, "strategy": 0, "repeats": [{"x": [0.0, 10.0, 1000.0], "y": [1.0, 0.0, 0.1]}]}]
    payload["tasks"][0]["curves"] = [curve(log_x=True, log_y=True, lines=lines)]
    assert draw(payload, "curves")["table"]["rows"] == [["base", 1, 1000, 0.1]]
    long = {"x": list(range(1, 5001)), "y": [1.0] * 5000}
    payload = planted()
    payload["tasks"][0]["curves"] = [curve(lines=[{"cell": 0, "strategy": 0, "repeats": [long]}])]
    rows = draw(payload, "curves")["table"]["rows"]
    assert (len(rows), rows[0][2], rows[-1][2]) == (200, 1, 5000)
    assert draw(planted(), "curves")["left"]


# --- History


def series(strategy: int = 0, machine: str = MACHINE, values: tuple[float | None, ...] = (1.0, 1.0, 2.0)) -> Plain:
    points = [
        {
            "run": f"{machine[-1]}{at}",
            "started": f"2026-11-{10 + at}T10:00:00+00:00",
            "commit": f"c{at}" if at else None,
            "machine": machine,
            "middle": value,
            "low": value and value * 0.9,
            "high": value and value * 1.1,
            "blocks": 5,
        }
        for at, value in enumerate(values)
    ]
    cell = "planted-data, clean (rows=1000 threads=1)"
    return {"strategy": strategy, "measure": "cpu_s", "cell": cell, "machine": machine, "points": points, "changes": []}


def test_history_joins_the_runs_of_a_machine_and_marks_changes(draw: Draw) -> None:
    payload = samples.payload(samples.task(labels=("base",), machines=(0, 1)), machines=2)
    change = {"index": 2, "before": 1.0, "after": 2.0, "p": 0.004}
    payload["tasks"][0]["history"] = [{**series(), "changes": [change]}, series(machine="machine-1")]
    found = draw(payload, "history")
    assert found["table"]["columns"] == [
        *("strategy", "run", "commit", "started", "machine", "cpu_s", "low", "high", "blocks", "change")
    ]
    rows = found["table"]["rows"]
    assert rows[0] == ["base", "00", "", "2026-11-10T10:00:00+00:00", MACHINE, 1, 0.9, 1.1, 5, ""]
    assert rows[2][-1] == "1.00\u00a0s -> 2.00\u00a0s, p = 0.004"
    assert found["lines"] == [3, 3]
    assert found["dashed"] == 1
    assert {MACHINE, "machine-1"} <= set(found["texts"])


def test_nothing_is_drawn_across_machines_even_within_a_series(draw: Draw) -> None:
    payload = planted()
    mixed = series(values=(1.0, 2.0, 3.0, 4.0))
    for at in (1, 3):
        mixed["points"][at]["machine"] = "machine-1"
    payload["tasks"][0]["history"] = [mixed]
    assert draw(payload, "history")["lines"] == [2, 2]


def test_history_shows_the_selected_cell_and_takes_gaps(draw: Draw) -> None:
    payload = planted()
    other = {**series(values=(1.0, None, 3.0)), "cell": "planted-data, clean (rows=10000 threads=1)"}
    payload["tasks"][0]["history"] = [series(), other]
    found = draw(payload, "history", patch={"params": {"rows": 10000}})
    assert found["controls"][1]["value"] == other["cell"]
    assert [row[5] for row in found["table"]["rows"]] == [1, None, 3]
    assert draw(payload, "history", strategies=[1])["empty"]
    assert draw(planted(), "history")["left"]


# --- All


def test_hostile_names_are_text_and_narrow_pages_hold_the_charts(draw: Draw) -> None:
    labels = ("base", HOSTILE)
    payload = samples.payload(samples.task(labels=labels, scenarios=("clean", HOSTILE), baseline=""))
    task = payload["tasks"][0]
    task["curves"] = [curve(title=HOSTILE, x=HOSTILE[:60], reading=HOSTILE)]
    task["history"] = [series(), series(1), series(machine=HOSTILE)]
    for width in (358, 900):
        for chart in ("scaling", "scenarios", "curves", "history"):
            found = draw(payload, chart, width=width)
            assert found["drawn"], chart
            assert any("<script>" in text for text in found["texts"]) or chart == "curves" or width < 640


def test_nothing_measured_gives_a_sentence(draw: Draw) -> None:
    payload = planted()
    for cell in payload["tasks"][0]["cells"]:
        for row in cell["rows"]:
            row["values"] = {"cpu_s": [None] * 5, "auc": [None] * 5}
    payload["tasks"][0]["curves"] = [curve(lines=[])]
    payload["tasks"][0]["history"] = [series(values=(None, None))]
    for chart in ("scaling", "scenarios", "curves", "history"):
        assert draw(payload, chart)["empty"].endswith(".")
