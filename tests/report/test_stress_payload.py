"""Figures of altered test sets and trials that diverged, from records to charts, tables and Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from report import samples
from report.test_payload import header, record, run_set, shown

from harness.analysis.recommendation import recommend
from harness.records import Record
from harness.report.run.markdown import markdown
from harness.report.run.page import render
from harness.report.run.payload import build
from harness.report.run.views import task as about
from harness.stats.paired import mean
from harness.store.header import JudgedMetric

AUC = JudgedMetric("t/task", "auc", "higher", "1", margin=0.01)
LOSS = JudgedMetric("t/task", "loss", "lower", "nat")
DIVERGED = JudgedMetric("t/task", "diverged", "lower", "1")


def altered(of: str, level: float) -> JudgedMetric:
    name = f"{of}_at_missing_{level:g}"
    return JudgedMetric("t/task", name, "higher", "1", of=of, stress="missing", level=level, axis="missing, %")


# Levels are drawn in their order, whatever the order of declaration.
LEVELS = (altered("auc", 50), altered("loss", 50), altered("auc", 0), altered("loss", 0))
# A figure that sums up the levels is in no chart of them.
OVER = JudgedMetric(
    "t/task", "auc_over_missing", "higher", "1", of="auc", stress="missing", level=None, axis="missing, %"
)
METRICS = (AUC, DIVERGED, OVER, *LEVELS)


def trial(label: str, block: int, auc: float = 0.8, **changes: Any) -> Record:
    metrics = {"auc": auc, "diverged": 0.0, "auc_over_missing": auc - 0.25} | {
        f"{of}_at_missing_{level}": auc - level / 100 for of in ("auc", "loss") for level in (50, 0)
    }
    return record(label, block, **({"metrics": metrics} | changes))


def diverged(label: str, block: int, step: float) -> Record:
    return record(label, block, metrics={"auc": 0.5, "diverged": 1.0}, diverged=step, curves={})


def payload(records: list[Record]) -> dict[str, Any]:
    return build(run_set((header(metrics=METRICS), records)), title="T")


def test_every_stress_has_a_chart_of_each_metric_over_the_levels() -> None:
    records = [trial(label, block, 0.8 + block / 50) for block in range(3) for label in "ab"]
    first, second, *others = shown(payload(records))["curves"]
    assert [own["curve"] for own in (first, second)] == ["auc_at_missing", "loss_at_missing"]
    assert [own["curve"] for own in others] == ["loss"]
    assert (first["x"], first["y"], first["title"]) == ("missing, %", "AUC", "AUC over missing, %")
    assert [line["strategy"] for line in first["lines"]] == [0, 1]
    (curve,) = first["lines"][0]["repeats"]
    plain, stressed = (mean(np.array([level, level + 0.02, level + 0.04])) for level in (0.8, 0.3))
    assert curve["x"] == [0.0, 50.0]
    # A page has four digits of a curve.
    assert curve["y"] == pytest.approx([plain.estimate, stressed.estimate], rel=5e-4)
    assert curve["low"] == pytest.approx([plain.low, stressed.low], rel=5e-4)
    assert curve["high"] == pytest.approx([plain.high, stressed.high], rel=5e-4)


def test_one_block_has_no_band() -> None:
    (curve,) = shown(payload([trial("a", 0)]))["curves"][0]["lines"][0]["repeats"]
    assert sorted(curve) == ["x", "y"]


def test_figures_under_stress_are_in_no_table() -> None:
    task = shown(payload([trial(label, block) for block in range(3) for label in "ab"]))
    assert [measure["name"] for measure in task["measures"] if not measure["cost"]] == ["auc"]


def test_what_diverged_is_told_with_its_step_and_blocks() -> None:
    records = [trial("a", block) for block in range(5)]
    records += [diverged("b", block, 12) if block < 2 else trial("b", block) for block in range(5)]
    own = payload(records)
    task = shown(own)
    assert [measure["name"] for measure in task["measures"] if not measure["cost"]] == ["auc", "diverged"]
    said = "diverged at step 12 in 2 of 5 blocks"
    assert [row["diverged"] for row in task["cells"][0]["rows"]] == [said, ""]
    assert about(task, "/t/task")["diverged"] == [("b", said, "data, clean (rows=10)")]
    assert f"- b {said} of data, clean (rows=10): its metrics there are a guess's" in markdown(own)
    assert task["cells"][0]["rows"][0]["values"]["cpu_s"] == [None, None, 1.0, 1.0, 1.0]


def test_what_always_diverged_is_on_no_front_and_not_recommended() -> None:
    records = [trial("a", block, 0.4) for block in range(3)] + [diverged("b", block, 3 + block) for block in range(3)]
    runs = run_set((header(metrics=METRICS), records))
    row = next(row for row in shown(payload(records))["cells"][0]["rows"] if row["diverged"])
    assert (row["diverged"], row["front"]) == ("diverged at steps 3 to 5 in 3 of 3 blocks", {})
    # Its guess is better, and has no time.
    assert recommend(runs.task("t/task"), runs.aggregates, runs).take == "a"


def test_a_page_draws_the_metrics_of_a_stress_and_says_what_diverged(show_text: Callable[..., Any]) -> None:
    records = [trial("a", block, 0.8 + block / 50) for block in range(3)]
    records += [diverged("b", block, 12) if block < 2 else trial("b", block) for block in range(3)]
    page = show_text(render(payload(records)), "#/t")
    samples.draw_all(page)
    figure = page.locator('figure[data-chart="curves"]')
    assert figure.locator("select").first.locator("option").all_inner_texts() == [
        *("AUC over missing, %", "loss over missing, %", "Loss")
    ]
    assert "missing, %" in figure.locator("svg").first.text_content()
    said = "diverged at step 12 in 2 of 3 blocks"
    assert page.locator("td small", has_text=said).count() == 1
    assert page.locator("table.troubles td", has_text=said).count() == 1
