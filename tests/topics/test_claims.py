"""Every claim of every built-in topic asks for what exists: a misspelt name would leave it unmeasured for ever."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.claims import judge
from harness.config import Config
from harness.declare import Dataset, Param, Task, Topic
from harness.declare.evidence import Evidence, Sizes, TwoValues, Verdict
from harness.records import Scalar
from harness.registry import Registry, load_registry

FIGURES = ("wall_s", "cpu_s", "peak_bytes", "device_bytes")
VERDICTS = ("supported", "refuted", "inconclusive", "not measured")


class Recorder:
    """Notes what a claim asks for; every estimate is inconclusive."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def _note(self, measure: str, strategies: tuple[str, ...], over: Sizes | None, where: Any) -> Any:
        self.asked.append({"measure": measure, "strategies": strategies, "over": over, "where": where})
        return self

    def ratio(self, measure: str, of: str, to: str, **where: Scalar) -> Any:
        return self._note(measure, (of, to), None, where)

    def difference(self, measure: str, of: str, to: str, **where: Scalar) -> Any:
        return self._note(measure, (of, to), None, where)

    def mean(self, measure: str, of: str, **where: Scalar) -> Any:
        return self._note(measure, (of,), None, where)

    def tied(self, measure: str, of: str, to: str, margin: float, **where: Scalar) -> Verdict:
        self._note(measure, (of, to), None, where)
        return self.within(margin)

    def slope(self, measure: str, of: str, to: str | None = None, /, *, over: Sizes = "rows", **where: Scalar) -> Any:
        return self._note(measure, (of,) if to is None else (of, to), over, where)

    def crossover(self, measure: str, of: str, to: str, *, over: Sizes = "rows", **where: Scalar) -> Any:
        return self._note(measure, (of, to), over, where)

    def growth(self, measure: str, of: str, to: str, over: TwoValues, **where: Scalar) -> Any:
        return self._note(measure, (of, to), over, where)

    def speedup(self, measure: str, of: str, over: TwoValues, **where: Scalar) -> Any:
        return self._note(measure, (of,), over, where)

    def order(self, measure: str, over: TwoValues, **where: Scalar) -> Any:
        return self._note(measure, (), over, where)

    def at_least(self, bound: float) -> Verdict:
        return "inconclusive"

    at_most = at_least

    def within(self, margin: float, of: float | None = None) -> Verdict:
        return "inconclusive"


def faults(registry: Registry, task: Task, asked: dict[str, Any]) -> list[str]:
    """Say what a question asks for that the task does not have."""
    wrong = [] if _is_measure(task, asked["measure"]) else [f"measure {asked['measure']}"]
    wrong += [f"strategy {label}" for label in asked["strategies"] if not _is_label(task, label)]
    wheres = [asked["where"]]
    if asked["over"] is not None:
        name, *values = (asked["over"],) if isinstance(asked["over"], str) else asked["over"]
        # Without values, all that are measured count: there must be such a parameter, and it must be swept.
        wheres = [asked["where"] | {name: value} for value in values or task.sweep.get(name, ())]
        if name in asked["where"] or len(set(values)) < len(values) or len(wheres) < 2:
            wrong.append(f"over {asked['over']}")
    for where in wheres:
        chosen = [d for d in registry.datasets_of(task) if d.name == where.get("dataset", d.name)]
        if not any(_fits(task, dataset, where) for dataset in chosen):
            wrong.append(f"where {where}")
    return wrong


def _is_measure(task: Task, measure: str) -> bool:
    phase, _, figure = measure.rpartition(".")
    if phase:
        return phase in task.phases and figure in FIGURES
    return measure in FIGURES or measure in {*(metric.name for metric in task.metrics), *task.altered_metrics}


def _is_label(task: Task, label: str) -> bool:
    match = re.fullmatch(r"([a-z0-9-]+)(?:\[(.+)\])?", label)
    if match is None or match[1] not in task.strategies:
        return False
    options = task.strategies[match[1]].options
    pairs = [pair.partition("=") for pair in match[2].split(",")] if match[2] else []
    # An option at its default is not part of a label.
    return all(name in options and value != str(options[name]) for name, _, value in pairs)


def _fits(task: Task, dataset: Dataset, where: dict[str, Scalar]) -> bool:
    for name, value in where.items():
        if name == "task":
            if value != task.name:
                return False
        elif name == "scenario":
            known = {s.name for s in task.scenarios if set(s.requires) <= set(dataset.provides)}
            if value not in known:
                return False
        elif name != "dataset" and not _allows((task.params.get(name), dataset.params.get(name)), name, value):
            return False
    return True


def _allows(params: tuple[Param | None, ...], name: str, value: Scalar) -> bool:
    known = [param for param in params if param is not None]
    try:
        return bool(known) and all(param.check(name, value) is not None for param in known)
    except ValueError:
        return False


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(Config(folder=Path(__file__).parents[2]))


def check(registry: Registry, topic: Topic, claim: Callable[[Evidence], Verdict]) -> None:
    recorder = Recorder()
    assert claim(recorder) in VERDICTS
    assert recorder.asked, "it asks for no evidence"
    for asked in recorder.asked:
        found = [faults(registry, task, asked) for task in topic.tasks.values()]
        assert [] in found, f"no task has {found[0]}"


def test_claims_ask_for_what_exists(registry: Registry) -> None:
    claims = [(topic, claim) for topic in registry.topics.values() for claim in topic.claims]
    assert claims
    for topic, claim in claims:
        try:
            check(registry, topic, claim.check)
        except AssertionError as error:
            pytest.fail(f"{claim.where}: {claim.text!r}: {error}")


def test_claims_are_told_apart_by_their_sentences(registry: Registry) -> None:
    sentences = [(topic.name, claim.text) for topic in registry.topics.values() for claim in topic.claims]
    assert len(set(sentences)) == len(sentences)


#: Bounds of no effect, which the direction of a claim says; the level of promised errors, 5 %; and 7 % less time, which
#: the article on RMS norm says.
NEUTRAL = {"at least 0", "at most 0", "at least 1", "at most 1", "at most 0.05", "at most 0.93"}


def test_a_bound_that_is_not_of_the_source_is_marked(registry: Registry) -> None:
    judged = [claim for topic in registry.topics.values() for claim in judge(topic, [])]
    unmarked = [claim.text for claim in judged if claim.expected not in NEUTRAL and "project" not in claim.source]
    assert not unmarked


def test_a_mean_can_exceed_its_upper_bound(registry: Registry) -> None:
    """All rates end at 1; a claim that an interval covers 95 % within 0.05 would be true of one that covers 100 %."""
    judged = [claim for topic in registry.topics.values() for claim in judge(topic, [])]
    ranges = [claim for claim in judged if claim.asked.startswith("mean of ") and claim.expected.startswith("between ")]
    assert ranges
    assert not [claim.text for claim in ranges if float(claim.expected.split()[-1].replace("\u2212", "-")) >= 1]


HIST, EXACT = "xgboost-hist", "xgboost-exact"


OVER = ("rows", 1_000, 10_000)
PLANTED: dict[str, Callable[[Evidence], Verdict]] = {
    "no evidence": lambda evidence: "supported",
    "strategy": lambda evidence: evidence.ratio("fit.cpu_s", HIST, "xgboost-exakt").at_least(1),
    "option": lambda evidence: evidence.ratio("fit.cpu_s", HIST, f"{HIST}[max_bins=8]").at_least(1),
    "option at its default": lambda evidence: evidence.ratio("fit.cpu_s", HIST, f"{HIST}[max_bin=256]").at_least(1),
    "phase": lambda evidence: evidence.ratio("train.cpu_s", HIST, EXACT).at_least(1),
    "figure": lambda evidence: evidence.ratio("fit.cpu", HIST, EXACT).at_least(1),
    "metric": lambda evidence: evidence.difference("accuracy", HIST, EXACT).within(1),
    "data set": lambda evidence: evidence.ratio("fit.cpu_s", HIST, EXACT, dataset="higgs").at_least(1),
    "parameter": lambda evidence: evidence.ratio("fit.cpu_s", HIST, EXACT, row=1_000).at_least(1),
    "value": lambda evidence: evidence.ratio("fit.cpu_s", HIST, EXACT, rows="many").at_least(1),
    "too many rows": lambda evidence: evidence.ratio("auc", HIST, EXACT, dataset="flights", rows=10**9).at_least(1),
    "scenario": lambda evidence: evidence.order("auc", ("scenario", "clean", "label_noise(0.3)")).at_least(1),
    "no time": lambda evidence: evidence.order(
        "auc", ("scenario", "clean", "temporal"), dataset="synthetic-tabular"
    ).at_least(1),
    "over one value": lambda evidence: evidence.speedup("fit.wall_s", HIST, ("threads", 1, 1)).at_least(1),
    "over one size": lambda evidence: evidence.slope("fit.cpu_s", HIST, over=("rows", 1_000)).at_least(1),
    "over what is not swept": lambda evidence: evidence.slope("fit.cpu_s", HIST, over="depth").at_least(1),
    "size": lambda evidence: evidence.crossover("fit.cpu_s", HIST, EXACT, over=("rows", 1, 1_000)).at_least(1),
    "tied": lambda evidence: evidence.tied("accuracy", HIST, EXACT, 0.1),
    "task": lambda evidence: evidence.ratio("fit.cpu_s", HIST, EXACT, task="tabular").at_least(1),
    "over and where": lambda evidence: evidence.growth("fit.cpu_s", HIST, EXACT, OVER, rows=1_000).at_least(1),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(registry: Registry, fault: str) -> None:
    with pytest.raises(AssertionError, match="no evidence" if fault == "no evidence" else "no task has"):
        check(registry, registry.topics["boosting"], PLANTED[fault])
