"""Comparisons in Python: the figures of the tables, in notebooks and in figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import harness
from harness.errors import UsageError
from harness.measure.machine import Environment, Machine
from harness.plan.selection import Selection
from harness.records import Phase, Record, Seeds, Trial, parse_label
from harness.stats.paired import paired_difference, paired_ratio
from harness.store.header import SCHEMA, Header, JudgedMetric, StrategyCard
from harness.store.runs import create

ODD = "odd[name=<b>odd</b>]"
COSTS = {"slow": [4.0, 4.4, 3.9], "quick": [1.0, 1.2, 0.9], ODD: [2.0, 2.1, 2.2]}
AUC = {"slow": [0.8, 0.82, 0.81], "quick": [0.79, 0.82, 0.8], ODD: [0.5, 0.5, 0.6]}


def run(
    results: Path, name: str, *, machine: str = "box", tasks: tuple[str, ...] = ("task",), factor: float = 1
) -> Path:
    header = Header(
        schema=SCHEMA,
        run=name,
        started="2026-01-01T00:00:00+00:00",
        machine=Machine(machine),
        environment=Environment(),
        selection=Selection(),
        plan="0",
        trials=1,
        command="bakeoff run",
        metrics=tuple(JudgedMetric(f"t/{task}", "auc", "higher", "1") for task in tasks),
        cards={},
        strategies=tuple(StrategyCard(f"t/{task}", parse_label(label)[0]) for task in tasks for label in COSTS),
        references={f"t/{task}": "quick" for task in tasks},
    )
    with create(results, header) as opened:
        for task in tasks:
            for rows in (10, 100):
                for label, costs in COSTS.items():
                    for block, cost in enumerate(costs):
                        seeds, (name, options) = Seeds(block, 1, 2), parse_label(label)
                        trial = Trial("t", task, name, "data", "clean", {"rows": rows}, options, block, seeds)
                        phases = {"fit": Phase([cost * rows * factor], [cost * rows * factor], peak_bytes=1000)}
                        opened.write(Record(trial, "ok", phases=phases, metrics={"auc": AUC[label][block]}))
        return opened.path


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    run(folder, "aaaaaa")
    return folder


def test_effects_are_those_of_the_blocks(results: Path) -> None:
    comparison = harness.Comparison(results, rows=10)
    assert (comparison.task, comparison.reference, comparison.machine) == ("t/task", "quick", "box")
    found, expected = comparison.effect("slow", "quick", "cpu_s"), paired_ratio(COSTS["slow"], COSTS["quick"])
    assert found is not None
    assert (found.low, found.estimate, found.high) == pytest.approx((expected.low, expected.estimate, expected.high))
    found, expected = comparison.effect("slow", "quick", "auc"), paired_difference(AUC["slow"], AUC["quick"])
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_table_has_a_row_a_strategy_and_medians_over_cells(results: Path) -> None:
    table = harness.Comparison(results).table()
    assert list(table.index) == list(COSTS)
    assert table.loc["slow", ("cpu_s", "median")] == pytest.approx((40 + 400) / 2)
    assert table.loc["slow", ("cpu_s", "verdict")] == "worse"
    assert table.loc["quick", ("cpu_s", "verdict")] == "reference"
    assert np.isnan(table["cpu_s", "estimate"]["quick"])


def test_reference_can_be_chosen(results: Path) -> None:
    comparison = harness.Comparison(results, reference="slow", rows=10)
    assert comparison.verdicts("cpu_s")["quick"].word == "better"


def test_notebook_shows_intervals_and_escapes_names(results: Path) -> None:
    shown = harness.Comparison(results, rows=10)._repr_html_()
    assert "<b>odd" not in shown
    assert "&lt;b&gt;odd&lt;/b&gt;" in shown
    assert shown.count("<tr>") == 1 + len(COSTS)
    expected = paired_ratio(COSTS["slow"], COSTS["quick"])
    assert f"▼ {expected.estimate:.3g} [{expected.low:.3g}, {expected.high:.3g}]" in shown


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"task": "t/tsk"}, "there is no task 't/tsk' in these runs; did you mean t/task?"),
        ({"machine": "other"}, "there is no machine 'other' in these runs; known: box"),
        ({"reference": "quik"}, "there is no strategy 'quik' here; did you mean quick?"),
        ({"rows": 11}, "no cell of t/task has rows=11; there are data, clean (rows=10); data, clean (rows=100)"),
        ({"colour": 1}, "no cell of t/task has colour=1; there are"),
    ],
)
def test_what_is_not_there_is_one_sentence(results: Path, choices: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        harness.Comparison(results, **choices)
    assert str(caught.value).startswith(sentence)


def test_unknown_measures_and_strategies(results: Path) -> None:
    comparison = harness.Comparison(results)
    with pytest.raises(UsageError, match="there is no measure 'acu' here; did you mean auc"):
        comparison.verdicts("acu")
    with pytest.raises(UsageError, match="there is no strategy 'slo' here; did you mean slow"):
        comparison.effect("slo", "quick", "auc")
    with pytest.raises(UsageError, match="there is no chart 'pie'; known: forest, pareto, scaling"):
        comparison.plot("pie")


def test_several_tasks_and_machines_must_be_named(tmp_path: Path) -> None:
    run(tmp_path, "aaaaaa", tasks=("one", "two"))
    with pytest.raises(UsageError, match="the runs hold 2 tasks; name one with task=: t/one, t/two"):
        harness.Comparison(tmp_path)
    run(tmp_path, "bbbbbb", machine="other", tasks=("one",))
    with pytest.raises(UsageError, match="the runs hold 2 machines; name one with machine=: box, other"):
        harness.Comparison(tmp_path, task="t/one")


def test_figures_draw_what_the_table_holds(results: Path) -> None:
    comparison = harness.Comparison(results, rows=10)
    forest = comparison.plot("forest", measure="cpu_s")
    expected = paired_ratio(COSTS["slow"], COSTS["quick"]).estimate
    drawn = [x[0] for line in forest.get_lines() if len(x := np.asarray(line.get_xdata())) == 1]
    assert max(drawn) == pytest.approx(expected)
    assert [tick.get_text() for tick in forest.get_yticklabels()] == [ODD, "slow"]
    pareto = comparison.plot("pareto")
    lines = [np.asarray(line.get_ydata()) for line in pareto.get_lines()]
    assert sum(len(line) == 1 for line in lines) == len(COSTS)
    assert next(line for line in lines if len(line) > 1).tolist() == pytest.approx([0.8, 0.81])


def test_scaling_figure_needs_two_sizes(results: Path) -> None:
    drawn = harness.Comparison(results).plot("scaling", over="rows")
    line = next(line for line in drawn.get_lines() if line.get_label() == "slow")
    assert np.asarray(line.get_xdata()).tolist() == [10, 100]
    assert np.asarray(line.get_ydata()).tolist() == pytest.approx([40, 400])
    with pytest.raises(UsageError, match="fewer than two values of rows: run with --set rows=A,B"):
        harness.Comparison(results, rows=10).plot("scaling", over="rows")


def test_ranks_over_cells(results: Path) -> None:
    found = harness.Comparison(results).ranking()
    assert found is not None
    assert (found.measure, found.cells, found.ranking.names) == ("auc", 2, tuple(COSTS))
    assert found.ranking.mean_rank.tolist() == [1, 2, 3]
    cost = harness.Comparison(results).ranking("cpu_s")
    assert cost is not None
    assert cost.ranking.mean_rank.tolist() == [3, 1, 2]
    assert harness.Comparison(results, rows=10).ranking() is None


def test_cost_to_a_target(results: Path) -> None:
    """Quality is that of the block at both sizes, so the target is met at the first or never."""
    found = harness.Comparison(results).to_target(0.8, "rows")
    assert found["share"].tolist() == pytest.approx([1.0, 2 / 3, 0.0])
    assert found["median"]["slow"] == pytest.approx(40.0)
    assert found["median"]["quick"] == pytest.approx(12.0)
    assert found["median"][ODD] == np.inf
    with pytest.raises(UsageError, match="no cell has the parameter trees"):
        harness.Comparison(results).to_target(0.8, "trees")


def test_header_of_an_older_minor_version_is_read(results: Path, tmp_path: Path) -> None:
    """What schema 1.0 did not have is missing, not wrong."""
    (file,) = results.glob("*/*.jsonl")
    first, *records = file.read_bytes().splitlines(keepends=True)
    header = msgspec.json.decode(first)
    for added in ("tasks",):
        header.pop(added, None)
    old = tmp_path / file.name
    old.write_bytes(msgspec.json.encode(header | {"schema": "1.0"}) + b"\n" + b"".join(records))
    assert harness.Comparison(old, rows=10).reference == "quick"
