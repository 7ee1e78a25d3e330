"""Tasks: what is to be done and how it is judged, with the strategies and data sets that join."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from harness.declare.checks import (
    check_strategy,
    check_sweeps,
    check_value,
    options_of,
)
from harness.declare.names import caller, importer, wrong
from harness.declare.problem import Judgement
from harness.declare.values import (
    Chart,
    Dataset,
    DeviceName,
    Metric,
    Param,
    Profile,
    Scenario,
    Strategy,
    StrategyFunction,
    Work,
)
from harness.records import Scalar


@dataclass(frozen=True)
class Task:
    """What is to be done and how it is judged. Made by `Topic.task`.

    Attributes
    ----------
    where
        File and line of the declaration.
    joined
        Data sets that a project has added, and in `joined_at` the file and line of each.
    """

    topic: str
    name: str
    title: str
    datasets: tuple[str | Dataset, ...]
    scenarios: tuple[Scenario, ...]
    phases: tuple[str, ...]
    metrics: tuple[Metric, ...]
    judge: Callable[[Any, Any], Judgement]
    view: Callable[[Any], Any]
    params: Mapping[str, Param]
    sweep: Mapping[str, tuple[Scalar, ...]]
    reference: str | None
    baseline: str | None
    charts: tuple[Chart, ...]
    work: Mapping[str, Work]
    quick: Profile
    full: Profile
    defaults: Mapping[str, Scalar]
    where: str
    strategies: dict[str, Strategy] = field(default_factory=dict)
    joined: list[Dataset] = field(default_factory=list)
    joined_at: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """The task with its topic, as in ``boosting/tabular-binary``."""
        return f"{self.topic}/{self.name}"

    def places(self) -> Iterator[str]:
        """Go through the places, file and line, that the task, its strategies and its joined data come from."""
        yield self.where
        yield from (strategy.where for strategy in self.strategies.values())
        yield from self.joined_at

    def join(self, dataset: Dataset) -> None:
        """Add a data set made in code, from a project; like one that joins by its card, it always runs."""
        if any(dataset.name == getattr(known, "name", known) for known in (*self.datasets, *self.joined)):
            raise wrong(f"task {self.name} has a data set {dataset.name!r} already; choose another name")
        self.joined.append(dataset)
        self.joined_at.append(importer())

    def strategy(
        self,
        name: str,
        *,
        needs: str | Sequence[str] = (),
        device: DeviceName = "cpu",
        sweep: Mapping[str, Sequence[Scalar]] = MappingProxyType({}),
        note: str = "",
    ) -> Callable[[StrategyFunction], StrategyFunction]:
        """Register the decorated function as a strategy.

        The function is called as ``function(problem, phase, **options)`` and returns what the task's judge takes. Its
        keyword arguments with defaults are its options.

        Parameters
        ----------
        needs
            Modules without which it cannot run; they are imported before any clock starts.
        sweep
            Values to try for its options in the full profile.
        note
            Where it departs from the task's common budget.
        """

        def register(function: StrategyFunction) -> StrategyFunction:
            check_strategy(name, device, self.strategies)
            options = options_of(name, function, self.params)
            changed = {option: value for option, value in self.defaults.items() if option in options}
            for option, value in changed.items():
                check_value(f"task {self.name}, strategy {name}", option, value, Param(options[option]))
            options |= changed
            check_sweeps(name, sweep, options)
            self.strategies[name] = Strategy(
                name=name,
                run=partial(function, **changed) if changed else function,
                summary=(inspect.getdoc(function) or "").split("\n", 1)[0],
                needs=(needs,) if isinstance(needs, str) else tuple(needs),
                device=device,
                sweep={option: tuple(values) for option, values in sweep.items()},
                options=options,
                note=note,
                where=caller(),
            )
            return function

        return register
