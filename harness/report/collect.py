"""From names of runs to the value that a page is made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.claims import Judged, judge
from harness.config import Config
from harness.data import cards
from harness.errors import UsageError
from harness.registry import Registry, card_folders, load_registry
from harness.report.bench import Bench, read_bench
from harness.report.payload import build
from harness.report.task_payload import DataCard
from harness.store.noise import KeptNoise, noise_of
from harness.store.runs import find
from harness.store.runs import runs as runs_in


def collect(config: Config, names: Sequence[str] = (), *, history: bool = True) -> dict[str, Any]:
    """Read runs and build the value that a page is made from.

    Parameters
    ----------
    names
        Paths, file names or ids of runs; the latest when empty.
    history
        Whether the other runs of the results folder are read too, for the history of each figure.

    Raises
    ------
    UsageError
        When a run cannot be found or read, or the runs hold no trial.
    """
    folder = config.results_folder
    paths = list(dict.fromkeys(find(folder, name).resolve() for name in names or ("latest",)))
    bench = read_bench(paths)
    if not bench.standings:
        told = ", ".join(header.run for header in bench.headers)
        raise UsageError(f"no trial is on record in run {told}: finish it with 'bakeoff run --resume'")
    others = [path for path in runs_in(folder) if path.resolve() not in paths] if history else []
    registry = load_registry(config)
    noise = noise_of(folder, {header.machine.name for header in bench.headers})
    topics = list(dict.fromkeys(cell.cell.topic for cell in bench.standings))
    return build(
        bench,
        title=f"Bakeoff: {', '.join(topics)}",
        claims=_claims(topics, bench, registry, noise),
        noise=noise,
        cards=_cards(config),
        tracked=read_bench(others) if others else None,
    )


def _claims(topics: Sequence[str], bench: Bench, registry: Registry, noise: dict[str, KeptNoise]) -> list[Judged]:
    deviations = {name: kept.noise.sd for name, kept in noise.items()}
    return [
        judged
        for name in topics
        if name in registry.topics
        for judged in judge(
            registry.topics[name], [cell for cell in bench.standings if cell.cell.topic == name], deviations
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
