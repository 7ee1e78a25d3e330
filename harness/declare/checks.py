"""Checks of declarations, each ending in one sentence that names the author's file and line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, get_args

from harness.declare.names import IDENTIFIER, NAME, check_name, wrong
from harness.declare.values import (
    STRESS,
    TUNE,
    Chart,
    Dataset,
    DeviceName,
    Metric,
    Param,
    Profile,
    Scenario,
    Strategy,
    Stress,
    Work,
)
from harness.errors import did_you_mean
from harness.records import Scalar


class Named(Protocol):
    """A task, as far as checks look at it."""

    @property
    def full_name(self) -> str:
        """The task with its topic."""


def check_members(task: str, what: str, names: Sequence[str]) -> None:
    """Refuse a task without any member of a kind, or with one listed twice."""
    if not names:
        raise wrong(f"task {task} needs at least one {what}")
    check_members_once(task, what, names)


def check_members_once(task: str, what: str, names: Sequence[str]) -> None:
    """Refuse a task with a member of a kind listed twice."""
    if len(set(names)) < len(names):
        raise wrong(f"task {task} lists a {what} twice: {', '.join(names)}")


def check_params(task: str, params: Mapping[str, Param], sweep: Mapping[str, Sequence[Scalar]]) -> None:
    """Refuse parameters of wrong names, defaults out of their range, and sweeps over unknown parameters."""
    for name, param in params.items():
        check_name(name, "parameter", IDENTIFIER)
        check_value(f"the default of task {task}", name, param.default, param)
    for name, values in sweep.items():
        check_known(f"task {task} sweeps", name, params)
        check_sweep(f"task {task}", name, values, params[name])


def check_known(sentence: str, name: str, known: Mapping[str, Param]) -> None:
    """Refuse a parameter that the task does not have."""
    if name not in known:
        raise wrong(f"{sentence} {name}, which is not among its params{did_you_mean(name, known)}")


def check_sweep(owner: str, name: str, values: Sequence[Scalar], param: Param) -> None:
    """Refuse a sweep without values, or over values that the parameter cannot take."""
    if isinstance(values, str) or not values:
        raise wrong(f"{owner} sweeps {name} over {values!r}; give a list of at least one value")
    for value in values:
        check_value(f"the sweep of {owner}", name, value, param)


def check_value(owner: str, name: str, value: Scalar, param: Param) -> None:
    """Refuse a declared value that the parameter cannot take."""
    try:
        param.check(name, value)
    except ValueError as error:
        raise wrong(f"{owner}: {error}") from None


def check_strategy(name: str, device: str, known: Mapping[str, Strategy]) -> None:
    """Refuse a strategy with an invalid name, an unknown device, or the name of another one of its task."""
    check_name(name, "strategy", NAME)
    devices = get_args(DeviceName)
    if device not in devices:
        raise wrong(f"strategy {name}: no device is called {device!r}{did_you_mean(device, devices)}")
    if name in known:
        raise wrong(f"strategy {name} is declared twice, first at {known[name].where}")


def check_sweeps(strategy: str, sweep: Mapping[str, Sequence[Scalar]], options: Mapping[str, Scalar]) -> None:
    """Refuse sweeps over unknown options, and over values that an option cannot take."""
    for option, values in sweep.items():
        if option not in options:
            hint = did_you_mean(option, options)
            raise wrong(f"strategy {strategy} sweeps {option}, which is not an argument of its function{hint}")
        check_sweep(f"strategy {strategy}", option, values, Param(options[option]))


def check_search(
    strategy: str,
    search: Mapping[str, Sequence[Scalar]],
    tries: int | None,
    options: Mapping[str, Scalar],
    *,
    tunable: bool,
) -> None:
    """Refuse a search over unknown options or unfit values, one without a task that tunes, and tries without one."""
    if not search and tries is None:
        return
    if not search:
        raise wrong(f"strategy {strategy} has tries={tries} and no search: name the options that tuning tries")
    if not tunable:
        raise wrong(f"strategy {strategy} has a search, but its task has no tuning: declare tuning=Tuning(...)")
    if tries is not None and tries < 2:
        raise wrong(f"strategy {strategy} has tries={tries}; tuning needs at least two, as the first is the defaults")
    for option, values in search.items():
        if option not in options:
            hint = did_you_mean(option, options)
            raise wrong(f"strategy {strategy} searches {option}, which is not an argument of its function{hint}")
        check_sweep(f"strategy {strategy}", option, values, Param(options[option]))


def check_setup(task: str, phases: Sequence[str], setup: Sequence[str]) -> None:
    """Refuse set-up that is not among the phases or leaves no phase to measure, and phases that the harness adds."""
    for phase in phases:
        if phase in (TUNE, STRESS):
            raise wrong(f"task {task} declares phase {phase}, which the harness adds itself; rename the phase")
    for phase in setup:
        if phase not in phases:
            raise wrong(f"task {task} has set-up {phase!r}, which is not among its phases{did_you_mean(phase, phases)}")
    if set(phases) <= set(setup):
        raise wrong(f"task {task} has set-up phases only; at least one phase must be measured")


def check_stress(task: str, metrics: Sequence[Metric], stress: Sequence[Stress]) -> None:
    """Refuse altered test sets of the same name, or with a figure that has the name of a metric."""
    keys = [one.key(level) for one in stress for level in one.levels]
    check_members_once(task, "altered test set", keys)
    names = [metric.name for metric in metrics]
    for name in (name for metric in names for one in stress for name in one.figures(metric)):
        if name in names:
            raise wrong(f"task {task} has a metric {name}, which is the name of a figure under stress; rename it")


def check_tasks(owner: str, topic: str, tasks: Sequence[Named]) -> None:
    """Refuse an empty list of tasks, a task listed twice, and a task of another topic."""
    if not isinstance(tasks, list | tuple) or not tasks:
        raise wrong(f"{owner} needs at least one task: tasks=[...]")
    names = [task.full_name for task in tasks]
    if len(set(names)) < len(names):
        raise wrong(f"{owner} lists a task twice: {', '.join(names)}")
    for name in names:
        if name.partition("/")[0] != topic:
            raise wrong(f"{owner} of topic {topic} lists task {name}, which belongs to another topic")


def check_profile(
    task: str,
    profile: Profile,
    params: Mapping[str, Param],
    datasets: Sequence[str | Dataset],
    scenarios: Sequence[Scenario],
) -> None:
    """Refuse a profile that sets unknown parameters or names unknown data sets or scenarios."""
    for name, value in profile.params.items():
        check_known(f"a profile of task {task} sets", name, params)
        check_value(f"a profile of task {task}", name, value, params[name])
    for what, chosen, members in (
        ("data set", profile.datasets, datasets),
        ("scenario", profile.scenarios, scenarios),
    ):
        names = [member if isinstance(member, str) else member.name for member in members]
        for name in chosen or ():
            if name not in names:
                raise wrong(f"a profile of task {task} names {what} {name!r}{did_you_mean(name, names)}")


def check_charts(task: str, charts: Sequence[Chart]) -> None:
    """Refuse a curve drawn twice, and a limit without a title or of itself."""
    check_members_once(task, "chart", [chart.curve for chart in charts])
    for chart in charts:
        if bool(chart.limit) != bool(chart.limit_title):
            raise wrong(f"chart {chart.curve} of task {task} needs both limit and limit_title, or neither")
        if chart.limit == chart.curve:
            raise wrong(f"chart {chart.curve} of task {task} is its own limit; name another curve of the judgement")


def check_work(task: str, work: Mapping[str, Work], phases: Sequence[str], params: Mapping[str, Param]) -> None:
    """Refuse work of an unknown phase, and work counted by something that is not a number among the parameters."""
    for phase, unit in work.items():
        if phase not in phases:
            raise wrong(
                f"task {task} declares work for phase {phase}, which it does not have{did_you_mean(phase, phases)}"
            )
        check_name(unit.unit, "unit of work", IDENTIFIER)
        for name in unit.of:
            check_known(f"the work of task {task} is counted by", name, params)
            if isinstance(params[name].default, str | bool):
                raise wrong(f"the work of task {task} is counted by {name}, which is not a number")


def options_of(strategy: str, function: Callable[..., Any], params: Mapping[str, Param]) -> dict[str, Scalar]:
    """Read a strategy's options and their defaults from its function's arguments."""
    arguments = list(inspect.signature(function).parameters.values())
    if [argument.name for argument in arguments[:2]] != ["problem", "phase"]:
        raise wrong(f"strategy {strategy}: its function must begin with the arguments (problem, phase)")
    options: dict[str, Scalar] = {}
    for argument in arguments[2:]:
        if not isinstance(argument.default, bool | int | float | str):
            raise wrong(f"strategy {strategy}: argument {argument.name} needs a number, a string or a bool as default")
        if argument.name in params:
            raise wrong(f"strategy {strategy}: argument {argument.name} has the name of a task parameter; rename it")
        options[argument.name] = argument.default
    return options
