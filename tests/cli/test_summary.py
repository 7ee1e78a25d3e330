"""What a run says at its end: few lines, what is planted, and each task by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

import pytest
from gate.stored_runs import header

from harness.analysis.aggregates import aggregate
from harness.analysis.run_set import RunSet, Tally
from harness.cli.summary import MOST_LINES, summary
from harness.cli.task_summary import MOST_TASK_LINES, wait
from harness.records import Conditions, Phase, Record, Seeds, Status, Trial
from harness.store.header import JudgedMetric, TaskCard

ORDERS = list(permutations(range(3)))
#: CPU seconds, AUC and memory in MB.
Planted = tuple[float, float, float]
SETTLED = {"exact": (6.0, 0.80, 50.0), "hist": (1.0, 0.80, 100.0)}
OPEN = {"left": (1.0, 0.80, 100.0), "right": (1.0, 0.80, 100.0)}
ENDED: dict[str, tuple[Status, str]] = {
    "gpu": ("skipped", "no CUDA device"),
    "cuda": ("skipped", "no CUDA device"),
    "raises": ("failed", "ValueError: planted"),
}


def records(
    task: str,
    strategies: dict[str, Planted],
    *,
    blocks: int = 3,
    spread: float = 0.001,
    noise: float = 1e-4,
    foreign: float = 0.0,
) -> Iterator[Record]:
    """Plant trials whose figures vary a little between blocks, for each strategy in another order."""
    for block in range(blocks):
        for place, (name, (cost, auc, size)) in enumerate(strategies.items()):
            index = ORDERS[place % len(ORDERS)][block % 3]
            own = cost * (1 + spread * (index - 1))
            yield Record(
                _trial(task, name, block),
                "ok",
                phases={"fit": Phase([own], [own], peak_bytes=int(size * 10**6 * (1 + index / 1e4)))},
                metrics={"auc": auc + index * noise},
                conditions=Conditions(load=0.0, stolen=0.0, foreign=foreign),
                elapsed_s=2.0,
            )


def unfinished(task: str, blocks: int = 3) -> Iterator[Record]:
    for block in range(blocks):
        for name, (status, reason) in ENDED.items():
            yield Record(_trial(task, name, block), status, reason)


def _trial(task: str, strategy: str, block: int) -> Trial:
    topic, _, name = task.partition("/")
    return Trial(topic, name, strategy, "numbers", "clean", {}, {}, block, Seeds(block, 1, 2))


def said(planted: Iterable[Record], width: int = 80, limit: float | None = None, **cards: TaskCard) -> list[str]:
    """Return the summary of a run with the planted records."""
    all_records = list(planted)
    tasks = list(dict.fromkeys(record.trial.cell.full_task for record in all_records))
    tally = Tally()
    for record in all_records:
        tally.add(record)
    metrics = tuple(JudgedMetric(task, "auc", "higher", "1", margin=0.01, limit=limit) for task in tasks)
    named = tuple(cards.get(task.replace("/", "_"), TaskCard(task, title="A title")) for task in tasks)
    head = header(1, 0, metrics=metrics, tasks=named, trials=len(all_records))
    runs = aggregate([(head.run, "box", all_records)])
    return [line.plain.rstrip() for line in summary(RunSet([head], [tally], runs), width, took_s=108)]


def task_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of the only task: those between the first and the last empty one."""
    first, last = lines.index(""), len(lines) - 1 - lines[::-1].index("")
    return list(lines[first + 1 : last])


def test_a_settled_task_says_what_to_take_and_why() -> None:
    lines = said(records("t/task", SETTLED), 120)
    assert lines == [
        "6 trials in 1.8 min; 1 of 1 task settled",
        "",
        "t/task  A title; numbers, 3 blocks",
        "  take      hist, the fastest (1.00\u00a0s CPU, 100\u00a0MB): 6x less CPU than exact [5.99, 6.01] at "
        "equal AUC (0.8001)",
        "  as good   exact, from 6.00x the CPU",
        "  smallest  exact: 0.50x the memory [0.50, 0.50], AUC 0.8001",
        "",
        "bakeoff show     tables with intervals",
        "bakeoff report   one page with charts, claims and failures",
    ]


def test_what_is_faster_or_better_than_the_strategy_to_take_is_named_with_its_price() -> None:
    strategies = {
        "take": (1.0, 0.80, 100.0),
        "quick": (0.1, 0.60, 100.0),
        "better": (9.0, 0.805, 100.0),
        "constant": (0.001, 0.5, 1.0),
    }
    card = TaskCard("t/task", baseline="constant")
    lines = task_lines(said(records("t/task", strategies), 120, t_task=card))
    assert "  fastest   quick: 0.10x the CPU [0.10, 0.10], AUC 0.6001" in lines
    assert not [line for line in lines if line.startswith("  smallest")]
    assert lines[1].startswith("  take      take (")


def test_what_is_not_distinguished_is_named_together() -> None:
    strategies = {"take": (1.0, 0.80, 100.0), "quick": (0.1, 0.6, 100.0), "fast": (0.1, 0.7, 100.0)}
    lines = task_lines(said(records("t/task", strategies, spread=0.1), 120))
    (line,) = (line for line in lines if line.startswith("  fastest"))
    assert line.startswith(("  fastest   quick or fast: 0.10x", "  fastest   fast or quick: 0.10x"))


def test_what_is_beyond_a_limit_is_named() -> None:
    strategies = {"poor": (0.5, 0.70, 100.0), "exact": (6.0, 0.80, 100.0), "hist": (1.0, 0.80, 100.0)}
    lines = task_lines(said(records("t/task", strategies), 120, limit=0.75))
    assert lines[1].startswith("  take      hist")
    assert "  limit     left out beyond AUC 0.75: poor" in lines


def test_a_baseline_is_taken_if_nothing_is_better_by_the_margin() -> None:
    card = TaskCard("t/task", baseline="hist")
    lines = task_lines(said(records("t/task", SETTLED), 180, t_task=card))
    assert lines[1].startswith("  take      hist, the fastest (")
    assert lines[1].endswith("): it is the baseline, and no strategy has a better AUC, by its margin of 0.01")


def test_what_is_open_says_how_long_it_takes_to_settle_it() -> None:
    lines = said(records("t/task", OPEN, spread=0.1, noise=0.01), 120)
    (line,) = (line for line in task_lines(lines) if line.startswith("  open"))
    assert "leads; 3 blocks do not tell it apart from" in line
    assert line.endswith("settle it")
    assert lines[0] == "6 trials in 1.8 min; 0 of 1 task settled"
    assert lines[-1].startswith("bakeoff settle   goes on with what is open, ")


def test_a_tie_names_both_strategies() -> None:
    lines = task_lines(said(records("t/task", OPEN, spread=0.1), 200))
    assert lines[1].startswith(("  take      left or right (", "  take      right or left ("))
    assert lines[1].endswith(
        "): equal AUC (0.8001, within 0.01), and no difference in CPU time is shown (1.00x [0.79, 1.27])"
    )
    assert not [line for line in lines if line.startswith("  as good")]


def test_what_no_number_of_blocks_settles_is_out_of_reach() -> None:
    lines = said(records("t/task", OPEN, spread=0.9, noise=0.1), 120)
    assert task_lines(lines)[1].endswith("; settling it is out of reach")
    assert not [line for line in lines if "bakeoff settle" in line]


def test_one_block_cannot_be_settled_by_going_on() -> None:
    lines = said(records("t/task", SETTLED, blocks=1))
    assert lines[-1] == "bakeoff run TASK --blocks 3  one block settles nothing"
    assert not [line for line in lines if "bakeoff settle" in line]


def test_each_reason_is_said_once() -> None:
    planted = [*records("t/task", SETTLED, foreign=0.5), *unfinished("t/task")]
    lines = said(planted, 180)
    assert lines[0] == "15 trials in 1.8 min (6 ok, 6 skipped, 3 failed); 1 of 1 task settled"
    assert task_lines(lines)[-1] == (
        "  trouble   raises failed in 3 trials: ValueError: planted; gpu, cuda skipped: no CUDA device; "
        "6 of 15 trials ran beside other work"
    ).replace("gpu, cuda", "gpu and cuda")


def test_what_the_quick_profile_leaves_out_is_counted() -> None:
    card = TaskCard("t/task", left_out=("a", "b"))
    lines = said(records("t/task", SETTLED), t_task=card)
    assert lines[-1] == "bakeoff run TASK -s '*'  also the 2 strategies that the quick profile leaves out"


@pytest.mark.parametrize("width", [80, 120])
def test_a_task_has_at_most_six_lines(width: int) -> None:
    long = {
        f"a-strategy-with-a-rather-long-name-{index}": (1.0 + index, 0.8 + index / 1e4, 50.0 - index)
        for index in range(6)
    }
    planted = [*records("t/task", long, foreign=0.5), *unfinished("t/task")]
    lines = task_lines(said(planted, width))
    assert len(lines) <= MOST_TASK_LINES
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("  take      a-strategy-with-a-rather-long-name-0")


def test_a_task_where_nothing_finished_says_so() -> None:
    lines = task_lines(said([*unfinished("t/task"), *records("t/other", SETTLED)]))
    assert lines[1] == "  take      nothing finished"
    assert lines[2].startswith("  trouble   raises failed in 3 trials")


def test_where_nothing_finished_at_all_each_reason_is_said_once_and_in_full() -> None:
    """Nothing else can be shown or settled; the command that installs a package can be copied."""
    reason = "package implicit is not installed (in a checkout of Bakeoff: pip install '.[recommendation]')"
    planted = [Record(_trial(task, "als", 0), "skipped", reason) for task in ("t/one", "t/two", "u/three")]
    head, empty, *lines = said(planted, 200)
    assert head.startswith("3 trials in 1.8 min (3 skipped)")
    assert empty == ""
    assert lines == [f"trouble     als of t/one and 2 more skipped: {reason}"]


def test_several_topics_have_a_line_a_task_the_settled_ones_first() -> None:
    planted = [
        *records("first/open", OPEN, spread=0.1, noise=0.01),
        *records("first/tied", OPEN, spread=0.1),
        *records("first/settled", SETTLED),
        *records("second/settled", SETTLED),
        *records("second/single", {"alone": (1.0, 0.8, 1.0)}),
        *unfinished("second/settled"),
    ]
    lines = said(planted, 180)
    body = task_lines(lines)
    assert [line.split()[0] for line in body] == [
        "settled", "first/tied", "first/settled", "second/settled", "open", "first/open", "no", "trouble"
    ]  # fmt: skip
    assert lines[0].endswith("; 3 of 4 tasks settled, 1 tie among them")
    assert body[1].split()[1:4] in (["left", "or", "right"], ["right", "or", "left"])
    assert body[2].split() == ["first/settled", "hist", "1.00", "s", "100", "MB", "AUC", "0.8001"]
    assert body[5].split()[1] in ("left", "right")
    assert body[6] == "no choice   second/single"
    assert "raises of second/settled failed in 3 trials" in body[7]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("settled", [0, 20, 41])
def test_a_run_of_everything_fits_on_a_screen_and_names_each_task(width: int, settled: int) -> None:
    names = [f"{topic * 13}/a-task-named-{index:02}" for index in range(6) for topic in "abcdefg"][:41]
    planted = [
        record
        for index, name in enumerate(names)
        for record in records(
            name,
            SETTLED if index < settled else OPEN,
            spread=0.001 if index < settled else 0.1,
            noise=1e-4 if index < settled else 0.01,
        )
    ]
    lines = said([*planted, *unfinished(names[0])], width)
    assert len(lines) < MOST_LINES  # one more line says where the run was written
    assert max(map(len, lines)) <= width
    assert f"; {settled} of 41 tasks settled" in lines[0]
    text = " ".join(lines)
    assert all(text.count(name) >= 1 for name in names)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(40, 40.2, "about 40 s"), (120, 180, "2 to 3 min"), (40, 180, "40 s to 3 min"), (5400, 9000, "1.5 to 2.5 h")],
)
def test_a_wait_is_said_with_its_unit_once(low: float, high: float, text: str) -> None:
    assert wait(low, high) == text
