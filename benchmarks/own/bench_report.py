"""What a report costs: its build, its size, and how soon a browser has drawn it. Run with ``make facts``.

The limits are times of a quiet machine. Each time is printed with that of a fixed loop of plain Python.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted import header
from playwright.sync_api import Browser, sync_playwright
from told import told

from harness.analysis.run_set import read_run_set
from harness.declare.values import Chart
from harness.records import Curve, Phase, Record, Seeds, Trial
from harness.report.run.page import render
from harness.report.run.payload import build
from harness.store.header import JudgedMetric, StrategyCard, TaskCard
from harness.store.lines import encode

TASK = "boosting/tabular-binary"
METRICS = (("auc", "higher"), ("log_loss", "lower"), ("brier", "lower"), ("calibration_error", "lower"))
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _write(folder: Path, strategies: int, sizes: int, scenarios: int, blocks: int) -> Path:
    """Write a run of that many trials, alike in shape to one of boosting."""
    planted = header(
        strategies * sizes * scenarios * blocks,
        metrics=tuple(JudgedMetric(TASK, name, direction, "1") for name, direction in METRICS),  # type: ignore[arg-type]
        strategies=tuple(StrategyCard(TASK, f"strategy-{number}") for number in range(strategies)),
        references={TASK: "strategy-0"},
        tasks=(TaskCard(TASK, "Planted", charts=(Chart("reliability", "Reliability", "x", "y", diagonal=True),)),),
    )
    path = folder / "20260101T000000Z-nocommit-abcdef.jsonl"
    with path.open("wb") as file:
        file.write(encode(planted))
        for block in range(blocks):
            for scenario in range(scenarios):
                for size in range(sizes):
                    for strategy in range(strategies):
                        file.write(encode(_record(strategy, size, scenario, block)))
    return path


def _record(strategy: int, size: int, scenario: int, block: int) -> Record:
    figure = (1 + strategy / 10) * 2.0**size * (1 + (block * 37 % 101) / 1000)
    quality = 0.6 + strategy / 100 - scenario / 50 + (block * 53 % 97) / 10_000
    trial = Trial(
        *("boosting", "tabular-binary", f"strategy-{strategy}", "flights"),
        scenario="clean" if scenario == 0 else f"label_noise(0.{scenario})",
        params={"rows": 1000 * 2**size, "trees": 50, "threads": 1},
        options={},
        block=block,
        seeds=Seeds(data=block, model=1, order=2),
    )
    x = [bin_ / 15 for bin_ in range(15)]
    return Record(
        trial,
        "ok",
        phases={
            name: Phase([figure, figure * 1.01], [figure, figure], peak_bytes=10**6) for name in ("fit", "predict")
        },
        metrics={name: quality for name, _ in METRICS},
        curves={"reliability": Curve(x, x)} if block < 3 else {},
        elapsed_s=figure,
    )


SHAPES = {"quick": (11, 1, 2, 3), "large": (20, 10, 5, 100)}


@pytest.fixture(scope="module", params=SHAPES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, float]:
    """Build the page of a quick run of 66 trials, and of one of 100,000, and time it."""
    folder = tmp_path_factory.mktemp(request.param)
    run = _write(folder, *SHAPES[request.param])
    start = time.perf_counter()
    page = folder / "report.html"
    page.write_text(render(build(read_run_set([run]), title="Planted")))
    return request.param, page, time.perf_counter() - start


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open the browser of this machine."""
    path = next(found for name in _BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield opened
        opened.close()


def test_build(built: tuple[str, Path, float]) -> None:
    """A quick run in under 2 s, 100,000 records in under 10 s."""
    shape, _, seconds = built
    told(f"page of the {shape} run built", seconds, {"quick": 2, "large": 10}[shape], "s")


def test_size(built: tuple[str, Path, float]) -> None:
    """A quick run in at most 1.5 MB, 100,000 records in at most 8 MB."""
    shape, page, _ = built
    told(f"page of the {shape} run", page.stat().st_size / 1e6, {"quick": 1.5, "large": 8}[shape], "MB")


def test_drawing(built: tuple[str, Path, float], browser: Browser) -> None:
    """The first screen in under 1 s, all charts in under 4 s."""
    shape, page, _ = built
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    tab.goto(page.as_uri())
    painted = tab.evaluate(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))"
        ".observe({type: 'paint', buffered: true}))"
    )
    tab.wait_for_function("window.bakeoff?.payload")
    tab.evaluate("bakeoff.figures.drawAll()")
    tab.wait_for_function("[...document.querySelectorAll('.figures figure')].every((one) => one.querySelector('svg'))")
    drawn = tab.evaluate("performance.now()")
    tab.close()
    told(f"first screen of the {shape} run", painted / 1e3, 1, "s")
    told(f"all charts of the {shape} run", drawn / 1e3, 4, "s")
