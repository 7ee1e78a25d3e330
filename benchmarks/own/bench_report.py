"""What pages cost: their build, their size, and how soon a browser has drawn them. Run with ``make facts``.

The page of the quick profile is that of a real run, which takes some minutes; other runs are planted. Limits of time
are ratios to what is timed in turn with it: an interpreter with the imports of the command, one reading of the run, and
a browser that shows the same charts as they are, without drawing them, or a plain table of as many cases.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted import header
from playwright.sync_api import Browser, sync_playwright
from yardstick import check_ratio, run_python, take_turns

from harness.analysis.run_set import read_run_set
from harness.declare.values import Chart
from harness.records import Curve, Phase, Record, Seeds, Trial
from harness.store.header import JudgedMetric, StrategyCard, TaskCard
from harness.store.read import encode

BAKEOFF = str(Path(sys.executable).with_name("bakeoff"))
TASK = "boosting/tabular-binary"
METRICS = (("auc", "higher"), ("log_loss", "lower"), ("brier", "lower"), ("calibration_rms", "lower"))
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _write(folder: Path, run: str, shape: tuple[int, int, int, int]) -> Path:
    """Write a run of that many strategies, sizes, scenarios and blocks, alike to one of boosting."""
    strategies, sizes, scenarios, blocks = shape
    planted = header(
        strategies * sizes * scenarios * blocks,
        run=run,
        metrics=tuple(JudgedMetric(TASK, name, direction, "1") for name, direction in METRICS),  # type: ignore[arg-type]
        strategies=tuple(StrategyCard(TASK, f"strategy-{number}") for number in range(strategies)),
        references={TASK: "strategy-0"},
        tasks=(TaskCard(TASK, "Planted", charts=(Chart("reliability", "Reliability", "x", "y", diagonal=True),)),),
    )
    path = folder / f"20260101T000000Z-nocommit-{run}.jsonl"
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


LARGE = (20, 10, 5, 100)
CASES = (20, 10, 40, 3)


@pytest.fixture(scope="module", params=["quick", "large"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Measure the quick profile, and write a run of 100,000 trials, each with its page."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "quick":
        command = [BAKEOFF, "run", "--profile", "quick"]
        subprocess.run(command, env=os.environ | {"BAKEOFF_RESULTS": str(folder)}, check=True, capture_output=True)
        (run,) = folder.glob("*/*.jsonl")
    else:
        run = _write(folder, "abcdef", LARGE)
    page = folder / "report.html"
    _build(run, page)
    return request.param, run, page


def _build(run: Path, page: Path) -> None:
    subprocess.run([BAKEOFF, "report", run, "-o", page], check=True, capture_output=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open the browser of this machine."""
    path = next(found for name in _BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield opened
        opened.close()


def test_build(made: tuple[str, Path, Path]) -> None:
    """The command takes a few times its imports for a quick run, and a few times one reading for 100,000 records."""
    shape, run, page = made
    if shape == "quick":
        imports = "import harness.analysis.run_set, harness.report.run.page, harness.report.run.payload"
        built, other = take_turns(lambda: _build(run, page), lambda: run_python(imports), clock=time.perf_counter)
        check_ratio("page of a quick run, wall time", built, "an interpreter with the same imports", other, 6)
    else:
        works = (lambda: _build(run, page), lambda: read_run_set([run]))
        built, other = take_turns(*works, turns=3, clock=time.perf_counter)
        check_ratio("page of 100,000 records", built, "one reading of them", other, 5)


def test_size(made: tuple[str, Path, Path]) -> None:
    """A quick run in at most 1.5 MB, 100,000 records in at most 8 MB."""
    shape, _, page = made
    megabytes = page.stat().st_size / 1e6
    limit = {"quick": 1.5, "large": 8}[shape]
    print(f"\npage of the {shape} run: {megabytes:.3g} MB (limit {limit} MB)")
    assert megabytes <= limit


PAINTED = """new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
    .observe({type: 'paint', buffered: true}))"""
READY = "() => document.documentElement.dataset.ready"
OPEN = "document.querySelectorAll('.part').forEach((part) => { part.open = true; })"
LED = "() => document.querySelector('.view.shown .figures.lead svg')"
DRAWN = "() => [...document.querySelectorAll('.figures figure')].every((one) => one.querySelector('svg'))"
NOW = "performance.now()"


def test_drawing(made: tuple[str, Path, Path], browser: Browser) -> None:
    """The overview, a topic's view and all charts take at most a few times a page of the same charts as they are."""
    shape, _, page = made
    still = page.with_name("still.html")
    names = ("overview", "view", "charts", "still painted", "still shown")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(3):
        tab = browser.new_page(viewport={"width": 1440, "height": 1000})
        tab.goto(page.as_uri())
        seconds["overview"].append(tab.evaluate(PAINTED) / 1e3)
        tab.wait_for_function(READY)
        clicked = tab.evaluate(f"bakeoff.go('/boosting') ?? {NOW}")
        tab.wait_for_function(LED)
        seconds["view"].append((tab.evaluate(NOW) - clicked) / 1e3)
        tab.evaluate(OPEN)
        started = tab.evaluate(NOW)
        tab.evaluate("bakeoff.figures.drawAll()")
        tab.wait_for_function(DRAWN)
        seconds["charts"].append((tab.evaluate(NOW) - started) / 1e3)
        if not still.exists():
            charts = tab.evaluate("[...document.querySelectorAll('svg')].map((one) => one.outerHTML).join('')")
            still.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>Charts</title><h1>Charts</h1>{charts}")
        tab.goto(still.as_uri())
        seconds["still painted"].append(tab.evaluate(PAINTED) / 1e3)
        seconds["still shown"].append(tab.evaluate(NOW) / 1e3)
        tab.close()
    check_ratio(f"overview of the {shape} run", seconds["overview"], "painting its charts", seconds["still painted"], 6)
    check_ratio(f"view of the {shape} run", seconds["view"], "showing its charts", seconds["still shown"], 12)
    check_ratio(f"all charts of the {shape} run", seconds["charts"], "showing its charts", seconds["still shown"], 12)


def test_a_gate_of_many_cases(browser: Browser, tmp_path: Path) -> None:
    """A gate's page of 8,000 cases opens sooner than twice a plain table of them."""
    sides = [_write(tmp_path, run, CASES) for run in ("aaaaaa", "bbbbbb")]
    page, plain = tmp_path / "gate.html", tmp_path / "plain.html"
    done = subprocess.run([BAKEOFF, "gate", *sides, "--page", page], check=False, capture_output=True)
    assert page.exists(), done.stderr
    rows = "".join(f"<tr><td>case {number}<td>1.000x<td>1.000x<td>pass" for number in range(8000))
    plain.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>Cases</title><table>{rows}</table>")
    seconds: dict[Path, list[float]] = {page: [], plain: []}
    for _ in range(3):
        for opened, times in seconds.items():
            tab = browser.new_page(viewport={"width": 1440, "height": 1000})
            tab.goto(opened.as_uri())
            times.append(tab.evaluate(NOW) / 1e3)  # loaded, with its scripts
            tab.close()
    check_ratio("gate of 8,000 cases", seconds[page], "a plain table of them", seconds[plain], 2)
