"""From the names of runs to the value (the payload) that a page is made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from scipy.special import stdtrit

from harness.analysis import wording
from harness.analysis.run_set import RunSet, Tally, read_run_set
from harness.analysis.sessions import session_remarks
from harness.claims import Judged, judge, tracked_verdicts
from harness.config import Config
from harness.data.cards import cards
from harness.declare import Task
from harness.errors import UsageError
from harness.registry import Registry, card_folders, load_registry
from harness.report.run.task import DataCard, task_payload
from harness.stats.paired import CONFIDENCE
from harness.store.header import Header
from harness.store.runs import find_with_added
from harness.store.runs import runs as runs_in

_DEGREES = 200


def build(
    run_set: RunSet,
    *,
    title: str,
    claims: Sequence[Judged] = (),
    cards: Mapping[str, DataCard] | None = None,
    tracked: RunSet | None = None,
    tasks: Mapping[str, Task] | None = None,
    topics: Mapping[str, str] | None = None,
    known: Mapping[str, Judged] | None = None,
) -> dict[str, Any]:
    """Build the value that a page is made from.

    Parameters
    ----------
    claims
        Judged claims of the topics shown.
    cards
        Data set to its card.
    tracked
        Further runs, which are used for the history only.
    tasks
        ``topic/task`` to its declaration, for the models that it declares.
    topics
        Topic to its title.
    known
        Tracked verdicts by the declaration of their claim.
    """
    cards, tasks, known = cards or {}, tasks or {}, known or {}
    machines = list(dict.fromkeys(header.machine.name for header in run_set.headers))
    topics = {cell.cell.topic: cell.cell.topic for cell in run_set.aggregates} | dict(topics or {})
    value = {
        "t": [float(stdtrit(degrees, 0.5 + CONFIDENCE / 2)) for degrees in range(1, _DEGREES + 1)],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": metadata.version("bakeoff"),
        "title": title,
        "runs": [_run(header, tally, run_set) for header, tally in zip(run_set.headers, run_set.tallies, strict=True)],
        "machines": [_machine(name, run_set) for name in machines],
        "remarks": remarks(run_set),
        "topics": topics,
        "tasks": [
            task_payload(run_set.task(name), aggregates, run_set, cards, tracked, tasks.get(name))
            for name, aggregates in run_set.tasks().items()
        ],
        "claims": [_claim(claim, known.get(claim.declaration)) for claim in claims],
    }
    plain: dict[str, Any] = finite(value)
    return plain


def remarks(run_set: RunSet) -> list[str]:
    """Return the sentences that a reader must know before comparing figures of these runs."""
    said = []
    for what, values in (
        ("machines, whose times are never compared with each other", [h.machine.name for h in run_set.headers]),
        ("commits", [(h.environment.commit or "none")[:8] for h in run_set.headers]),
        ("versions of the format", [h.schema for h in run_set.headers]),
    ):
        different = sorted(set(values))
        if len(different) > 1:
            said.append(f"The runs are of {len(different)} {what}: {', '.join(different)}.")
    packages: dict[str, set[str]] = {}
    for header in run_set.headers:
        for name, version in header.environment.packages.items():
            packages.setdefault(name, set()).add(version)
    changed = [f"{name} ({', '.join(sorted(found))})" for name, found in sorted(packages.items()) if len(found) > 1]
    if changed:
        said.append(f"The runs differ in packages: {', '.join(changed)}.")
    said += run_set.incomparable
    said += session_remarks(run_set.headers, run_set.aggregates)
    missing = run_set.missing()
    for header, tally in zip(run_set.headers, run_set.tallies, strict=True):
        said += _remarks_on(header, missing.get(header.run, 0))
        if tally.crowded:
            said.append(f"Run {header.run}: {wording.crowded(tally.crowded)}.")
    checksums = {(name, version) for header in run_set.headers for name, version in header.cards.items()}
    for name in sorted({name for name, _ in checksums if sum(other == name for other, _ in checksums) > 1}):
        said.append(f"Data set {name} differs between the runs: neither metrics nor times can be compared.")
    return list(dict.fromkeys(said))  # the parts of one run say the same


def _remarks_on(header: Header, missing: int) -> Iterator[str]:
    if missing:
        yield f"Run {header.run} lacks {missing} of {header.trials} trials: bakeoff run --resume {header.run}"
    if header.environment.dirty:
        yield f"Run {header.run} was measured with uncommitted changes."
    if header.selection.jobs > 1:
        yield f"Run {header.run} ran {header.selection.jobs} trials at once, so their times are too long."


def finite(value: Any) -> Any:
    """Copy a plain value with ``None`` for NaN and infinity, which JSON cannot express."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return value


def _run(header: Header, tally: Tally, run_set: RunSet) -> dict[str, Any]:
    places = {(other.run, other.machine.name): place for place, other in enumerate(run_set.headers)}
    return {
        "run": header.run,
        "session": places.get((header.session, header.machine.name)),
        "machine": header.machine.name,
        "started": header.started,
        "commit": header.environment.commit and header.environment.commit[:8],
        "dirty": bool(header.environment.dirty),
        "command": header.command,
        "planned": header.trials or tally.statuses.total(),
        "recorded": tally.statuses.total(),
        "statuses": dict(tally.statuses),
        "contaminated": tally.contaminated,
        "packages": header.environment.packages,
        "schema": header.schema,
    }


def _machine(name: str, run_set: RunSet) -> dict[str, Any]:
    own = [
        (header, tally)
        for header, tally in zip(run_set.headers, run_set.tallies, strict=True)
        if header.machine.name == name
    ]
    machine = own[-1][0].machine
    with_conditions = sum(len(tally.load) for _, tally in own)

    def median_of(condition: str) -> float | None:
        values = [value for _, tally in own for value in getattr(tally, condition)]
        return median(values) if values else None

    stored = run_set.noise.get(name)
    return {
        "name": name,
        "cpu": machine.cpu,
        "cores": machine.cores,
        "memory_bytes": machine.memory_bytes,
        "kernel": machine.kernel,
        "os": machine.os,
        "python": machine.python,
        "virtual": machine.virtual,
        "devices": machine.devices,
        "load": median_of("load"),
        "stolen": median_of("stolen"),
        "foreign": median_of("foreign"),
        "contaminated": sum(tally.contaminated for _, tally in own) / with_conditions if with_conditions else None,
        "noise": stored
        and {
            "pairs": stored.noise.pairs,
            "within_core": stored.noise.within_core,
            "between_cores": stored.noise.between_cores,
            "sd": stored.noise.sd,
            "measured": stored.measured,
        },
    }


def _claim(claim: Judged, known: Judged | None) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(claim)
    return {**plain, "tracked": msgspec.to_builtins(known)}


#: Files of runs to what is called after each of them.
Reading: TypeAlias = Callable[[Sequence[Path]], AbstractContextManager[Callable[[], None]]]


def collect(
    config: Config,
    names: Sequence[str] = (),
    *,
    history: bool = True,
    reading: Reading = lambda _: nullcontext(lambda: None),
) -> dict[str, Any]:
    """Read runs and build the value that a page is made from.

    Parameters
    ----------
    names
        Paths, file names or ids of runs; the latest when empty.
    history
        Whether the other runs of the results folder are read too, for the history of each figure. Those that planned
        other tasks only are not read.
    reading
        Shows progress: it is given the files, and lasts until the value is built.

    Raises
    ------
    UsageError
        If a run cannot be found or read, or the runs have no trials.
    """
    folder = config.results_folder
    paths = find_with_added(folder, names or ("latest",))
    others = [path for path in runs_in(folder) if path.resolve() not in paths] if history else []
    registry = load_registry(config)
    with reading([*paths, *others]) as read:
        run_set = read_run_set(paths, read=read)
        if not run_set.aggregates:
            empty = ", ".join(header.run for header in run_set.headers)
            raise UsageError(f"run {empty} has no trials: finish it with 'bakeoff run --resume'")
        topics = list(dict.fromkeys(cell.cell.topic for cell in run_set.aggregates))
        shown = {cell.cell.full_task for cell in run_set.aggregates}
        # Runs before schema 1.1 do not name their tasks.
        tracked = read_run_set(others, lambda header: not header.tasks or any(map(header.has, shown)), read)
        return build(
            run_set,
            title=f"Bakeoff: {', '.join(topics)}",
            claims=_claims(topics, run_set, registry),
            known=tracked_verdicts(),
            cards=_cards(config),
            tracked=tracked,
            topics={name: registry.topics[name].title for name in topics if name in registry.topics},
            tasks={task.full_name: task for topic in registry.topics.values() for task in topic.tasks.values()},
        )


def _claims(topics: Sequence[str], run_set: RunSet, registry: Registry) -> list[Judged]:
    return [
        judged
        for name in topics
        if name in registry.topics
        for judged in judge(
            registry.topics[name], [cell for cell in run_set.comparable if cell.cell.topic == name], run_set.noise_sd
        )
    ]


def _cards(config: Config) -> dict[str, DataCard]:
    return {
        card.name: DataCard(
            name=card.name,
            title=card.title,
            summary=card.summary,
            licence=card.licence,
            source=card.source.text,
            url=card.source.url,
            description=card.description,
            features=card.features,
        )
        for card in cards(card_folders(config)).values()
    }
