"""The cases of two stored sides: matched, and prepared for judgement or given the reason why they cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.analysis import wording
from harness.config import GatePolicy
from harness.errors import NothingSelectedError, UsageError
from harness.gate.decision import Case, Effect, Finding, Kind, Verdict
from harness.gate.stored.costs import memory_draft, time_draft, time_figures
from harness.gate.stored.findings import Draft, Sample, Samples, certain, sample
from harness.gate.stored.metrics import finding, gone, not_judged, quality_draft
from harness.gate.stored.sides import StoredRun, StoredSides, sessions
from harness.records import TOTALS
from harness.store.header import JudgedMetric, plain
from harness.store.imported_names import AMBIGUOUS, IMPORT_AGAIN

_MEMORY = ("peak_bytes", "device_bytes")
_NAMED = 4  # cases that a remark names
_GONE = "it is gone from the candidate, or was not selected there; acknowledge a removal in [tool.bakeoff.gate] allowed"
_SHORT = (
    "each sample of its time lasts under a millisecond, which tells no change from chance in so few runs: store 5 runs "
    "or more in all, each in a session of its own, or measure more calls a sample"
)
_FORMER = f"a name marked{AMBIGUOUS} may come from several texts, so that it is compared with nothing; {IMPORT_AGAIN}"
_NOTHING = "nothing of it was measured on both sides"
_SAME = "the same runs on both sides, which cannot differ"
_LEFT_OUT = "the quick profile of the candidate leaves it out: measure the candidate with -s '*'"


@dataclass
class Prepared:
    """Cases with the drafts of their findings, and remarks on the rest."""

    cases: list[tuple[Case, list[Draft]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    """The rules that every case is judged by.

    Attributes
    ----------
    metrics, before
        ``topic/task`` to the metrics that the candidate declares, and to those that the base declares.
    noise_sd
        Noise floor of the machine, if one is stored.
    """

    policy: GatePolicy
    metrics: Mapping[str, Sequence[JudgedMetric]]
    before: Mapping[str, Sequence[JudgedMetric]]
    noise_sd: float | None
    sides: StoredSides


def prepare_cases(sides: StoredSides, policy: GatePolicy, noise_sd: float | None) -> Prepared:
    """Match the cases of both sides by everything that identifies a trial, except block and seeds.

    Raises
    ------
    NothingSelectedError
        When the sides have no case in common, or finished none of their common cases.
    UsageError
        When all common cases were measured on different data.
    """
    old, new = _by_variant(sides)
    common = [variant for variant in old if variant in new]
    if not common:
        former = any(AMBIGUOUS in _case(side).name for side in (*old.values(), *new.values()))
        raise NothingSelectedError(
            "base and candidate have no strategy, data, scenario and parameters in common: "
            + (_FORMER if former else "name runs of the same cases")
        )
    differing = {name for variant in common if (name := _case(old[variant]).dataset) in sides.data}
    if differing == {_case(old[variant]).dataset for variant in common}:
        reasons = "; ".join(sides.data[name] for name in sorted(differing))
        raise UsageError(f"no case can be compared: {reasons}; measure both sides on the same data")
    rules = Rules(policy, _metrics(sides.candidate), _metrics(sides.base), noise_sd, sides)
    prepared = Prepared(remarks=_margins_changed(sides))
    remarks: dict[str, set[str]] = {}
    for variant, base in old.items():
        _add(prepared, remarks, _case(base), base, new.get(variant), rules)
    for variant, candidate in new.items():
        if variant not in old:
            remarks.setdefault("new in the candidate, with nothing to compare with", set()).add(_case(candidate).name)
    if absent := _left_out(sides.candidate) - {_strategy(side) for side in (*old.values(), *new.values())}:
        reason = "not judged, because the quick profile leaves it out; measure both sides with -s '*'"
        remarks[reason] = {"/".join(named) for named in absent}
    prepared.remarks += [f"{reason}: {_listed(names)}" for reason, names in remarks.items()]
    if all(case.reason in (_GONE, _LEFT_OUT, _FORMER) for case, _ in prepared.cases):
        raise NothingSelectedError(f"there is no case that both sides finished: {'; '.join(prepared.remarks)}")
    return prepared


def _add(
    prepared: Prepared, remarks: dict[str, set[str]], case: Case, base: Samples, candidate: Samples | None, rules: Rules
) -> None:
    verdict, reason = _obstacle(base, candidate, rules.sides.data.get(case.dataset, ""))
    if reason == _GONE and _strategy(base) in _left_out(rules.sides.candidate):
        reason = _LEFT_OUT
    if reason == _GONE and AMBIGUOUS in case.name:
        reason = _FORMER
    if reason and verdict == "pass":
        remarks.setdefault(reason, set()).add(case.name)
    elif reason:
        case.verdict, case.reason = verdict, reason
        prepared.cases.append((case, []))
    elif candidate is not None:
        if candidate.failed:
            remark = f"some trials failed on both sides ({candidate.reasons()})"
            remarks.setdefault(remark, set()).add(case.name)
        diverged = [
            f"the {name} {said}"
            for name, side in (("base", base), ("candidate", candidate))
            if (said := side.diverged())
        ]
        if diverged:
            remark = f"{' and '.join(diverged)}, whose times and memory are not compared"
            remarks.setdefault(remark, set()).add(case.name)
        drafts = list(_drafts(case, base, candidate, rules))
        if not drafts:
            case.verdict, case.reason = "not measured", _unjudged(base, candidate)
        elif not diverged and not rules.sides.same and not time_figures(base, candidate):
            remarks.setdefault(f"times are not judged, because {_SHORT}", set()).add(case.name)
        prepared.cases.append((case, drafts))


def _obstacle(base: Samples, candidate: Samples | None, data: str) -> tuple[Verdict, str]:
    """Return the verdict of a case without findings, and why it has none.

    The verdict is ``pass`` for a case that is left out. The reason is empty for a case that can be judged.
    """
    if candidate is None:
        return ("not measured", _GONE) if base.finished else ("pass", f"not run in the base ({base.reasons()})")
    if data:
        return "not measured", data
    if not base.finished:
        return _without_base(base, candidate)
    if not candidate.finished and not candidate.failed:
        return "not measured", f"the candidate cannot run it: {candidate.reasons()}"
    if _share_failed(candidate) > _share_failed(base):
        count = _started(candidate)
        before = f"; in the base {len(base.failed)} of {_started(base)}" if base.failed else ""
        trials = f"{len(candidate.failed)} of {count} trials of the candidate did not finish{before}"
        return "failed", f"{trials}: {candidate.reasons()}"
    return "pass", ""


def _without_base(base: Samples, candidate: Samples) -> tuple[Verdict, str]:
    if candidate.finished:
        return "pass", f"does not finish in the base, with nothing to compare with ({base.reasons()})"
    if base.failed and candidate.failed:
        return "not measured", f"failed on both sides: {candidate.reasons()}"
    if candidate.failed:
        return "not measured", f"skipped in the base ({base.reasons()}), failed in the candidate: {candidate.reasons()}"
    if base.failed:
        return "not measured", f"failed in the base ({base.reasons()}), skipped in the candidate: {candidate.reasons()}"
    return "pass", f"skipped on both sides ({candidate.reasons()})"


def _started(side: Samples) -> int:
    return len(side.finished) + len(side.failed)


def _share_failed(side: Samples) -> float:
    return len(side.failed) / _started(side)


def _drafts(case: Case, base: Samples, candidate: Samples, rules: Rules) -> Iterator[Draft]:
    metrics = rules.metrics.get(f"{case.topic}/{case.task}", ())
    declared = {metric.name: metric.margin for metric in metrics}
    if rules.sides.same:
        yield from _same(case, base, rules, declared)
        return
    yield from _cost_drafts(case, base, candidate, rules, declared)
    for metric in metrics:
        if metric.name not in base.names:
            continue
        margin = rules.policy.margin(case.topic, metric.name, declared)
        if reason := _other_version(metric.name, base, candidate):
            yield not_judged(metric, margin, reason)
        else:
            yield quality_draft(metric, base, candidate, margin)
    for metric in rules.before.get(f"{case.topic}/{case.task}", ()):
        if metric.name not in declared and metric.name in base.names:
            yield gone(metric, metric.margin)


def _same(case: Case, side: Samples, rules: Rules, declared: Mapping[str, float]) -> Iterator[Draft]:
    """Pass every figure of a case whose runs are the same on both sides."""
    metrics = {metric.name: metric for metric in rules.metrics.get(f"{case.topic}/{case.task}", ())}
    times = time_figures(side, side) or TOTALS
    for name in side.names:
        if name not in metrics and name not in times and name not in _MEMORY:
            continue
        margin, middle = rules.policy.margin(case.topic, name, declared), side.median(name)
        pairs = len(side.row(name))
        if name in metrics:
            effect = Effect(0.0, 0.0, 0.0, middle, middle)
            yield certain(finding(metrics[name], margin, "pass", _SAME, effect, pairs))
        else:
            kind: Kind = "memory" if name in _MEMORY else "time"
            unit = "byte" if name in _MEMORY else "s"
            effect = Effect(1.0, 1.0, 1.0, middle, middle)
            yield certain(Finding(name, kind, unit, "lower", margin, "pass", _SAME, effect, pairs))


def _unjudged(base: Samples, candidate: Samples) -> str:
    """Return why a case has nothing that can be judged."""
    changed = next((reason for name in base.names if (reason := _other_version(name, base, candidate))), "")
    timed = any(name in TOTALS and name in base.names for name in candidate.names)
    return changed or (_SHORT if timed else _NOTHING)


def _other_version(name: str, base: Samples, candidate: Samples) -> str:
    """Return why a figure of two versions of a benchmark is not compared; empty if both sides measured the same one."""
    old, new = base.versions(name), candidate.versions(name)
    if len(old | new) < 2 or not new:
        return ""
    if "" in old | new:
        side = "base" if "" in old else "candidate"
        return f"the {side} does not say which version of the benchmark it measured: {IMPORT_AGAIN}"
    versions = [" and ".join(sorted(version[:8] for version in side)) for side in (old, new)]
    return (
        f"the benchmark itself changed: version {versions[0]} in base, {versions[1]} in candidate; measure the base "
        "again with the benchmark of the candidate"
    )


def _cost_drafts(
    case: Case, base: Samples, candidate: Samples, rules: Rules, declared: Mapping[str, float]
) -> Iterator[Draft]:
    have, policy, sides = set(candidate.names), rules.policy, rules.sides
    other_totals = _other_totals(base, candidate)
    costs = base.has_costs and candidate.has_costs
    for name in time_figures(base, candidate) if costs else ():
        margin = policy.margin(case.topic, name, declared)
        if reason := _other_version(name, base, candidate):
            yield _missing(name, "time", "s", margin, reason)
        elif other_totals and name in TOTALS:
            yield _missing(name, "time", "s", margin, other_totals)
        elif name in have:
            yield time_draft(name, base, candidate, margin, rules.noise_sd, across=sides.across)
        else:
            yield _missing(name, "time", "s", margin, f"the candidate has no phase {name.partition('.')[0]}")
    for name in _MEMORY if costs else ():
        if name not in base.names:
            continue
        margin = policy.margin(case.topic, name, declared)
        if reason := _other_version(name, base, candidate):
            yield _missing(name, "memory", "byte", margin, reason)
        elif other_totals:
            yield _missing(name, "memory", "byte", margin, other_totals)
        elif name in have:
            yield memory_draft(name, base, candidate, policy, case.topic, alike=sides.alike)
        else:
            yield _missing(name, "memory", "byte", margin, "memory was not read in the candidate")


def _other_totals(base: Samples, candidate: Samples) -> str:
    """Return why totals of time and memory are not compared; empty if they mean the same in all runs."""
    setups = base.setups | candidate.setups
    if len(setups) < 2:
        return ""
    meanings = " and ".join(wording.setup(setup) for setup in setups)
    return f"the runs give it {meanings}: measure both sides now with 'bakeoff gate --base REV'"


def _missing(name: str, kind: Kind, unit: str, margin: float, reason: str) -> Draft:
    return certain(Finding(name, kind, unit, "lower", margin, "not measured", reason))


def _by_variant(sides: StoredSides) -> tuple[dict[str, Samples], dict[str, Samples]]:
    numbers = sessions(*([header for header, _ in side] for side in (sides.base, sides.candidate)))
    return _gather(sides.base, numbers[0]), _gather(sides.candidate, numbers[1])


def _gather(side: Sequence[StoredRun], numbers: Sequence[int]) -> dict[str, Samples]:
    by_variant: dict[str, list[Sample]] = {}
    for (header, records), session in zip(side, numbers, strict=True):
        versions = {(card.task, card.name): card.versions for card in header.strategies if card.versions}
        for record in records:
            task = record.trial.cell.full_task
            one = sample(session, record, header.setup(task), versions.get((task, record.trial.strategy)))
            by_variant.setdefault(record.trial.variant, []).append(one)
    return {variant: Samples(samples) for variant, samples in by_variant.items()}


def _listed(names: set[str]) -> str:
    first = sorted(names)[:_NAMED]
    more = f" and {len(names) - len(first)} more" if len(names) > len(first) else ""
    return f"{', '.join(first)}{more}"


def _left_out(side: Sequence[StoredRun]) -> set[tuple[str, str]]:
    """Return the strategies that the quick profile left out of the runs of a side, each with its task."""
    return {(card.name, strategy) for header, _ in side for card in header.tasks for strategy in card.left_out}


def _strategy(side: Samples) -> tuple[str, str]:
    trial = side.samples[0].record.trial
    return f"{trial.topic}/{trial.task}", trial.strategy


def _case(side: Samples) -> Case:
    trial = side.samples[0].record.trial
    return Case(trial.topic, trial.task, trial.label, trial.dataset, trial.scenario, dict(trial.params))


def _metrics(side: Sequence[StoredRun]) -> dict[str, list[JudgedMetric]]:
    """Return the metrics by task, as the latest run declares them."""
    latest = {(metric.task, metric.name): metric for header, _ in side for metric in plain(header.metrics)}
    by_task: dict[str, list[JudgedMetric]] = {}
    for metric in latest.values():
        by_task.setdefault(metric.task, []).append(metric)
    return by_task


def _margins_changed(sides: StoredSides) -> list[str]:
    old, new = (
        {m.name: m for metrics in _metrics(side).values() for m in metrics} for side in (sides.base, sides.candidate)
    )
    return [
        f"the margin of {name} was {old[name].margin:g} in the base; the candidate's {new[name].margin:g} is taken"
        for name in old
        if name in new and old[name].margin != new[name].margin
    ]
