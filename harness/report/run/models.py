"""The fitted models of a task: each with the map of what it predicts, or with what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, TypeAlias

from harness.analysis.aggregates import CellAggregate, StrategyAggregate
from harness.declare import Measurement, Model, NotMeasuredError, Prediction, Task, Validation, WinnerMap
from harness.errors import BakeoffError

Plain: TypeAlias = dict[str, Any]


def models(task: Task, cells: Sequence[CellAggregate]) -> list[Plain]:
    """Fit the models of a task on what one machine measured.

    Parameters
    ----------
    cells
        Cells of the task on one machine.

    Returns
    -------
    list of dict
        ``title``, ``reason`` (why there is no map; empty where there is one), ``commands`` (what to run) and ``map``.
    """
    measured = [
        _measurement(task, cell, entry) for cell in cells for entry in cell.entries.values() if entry.statuses["ok"]
    ]
    return [_fitted(model, measured) for model in task.models]


def _measurement(task: Task, cell: CellAggregate, entry: StrategyAggregate) -> Measurement:
    strategy = task.strategies.get(entry.strategy)
    options = {**(strategy.options if strategy else {}), **entry.options}
    place = cell.cell
    return Measurement(entry.strategy, options, place.dataset, place.scenario, dict(place.params), entry.values)


def _fitted(model: Model, measured: Sequence[Measurement]) -> Plain:
    """Fit one model. A mistake in its function costs the page this model only, as a mistake in a claim does."""
    found: Plain = {"title": model.title, "reason": "", "commands": [], "map": None}
    try:
        made: Any = model.fit(measured)
    except NotMeasuredError as error:
        return {**found, "reason": str(error), "commands": list(error.commands)}
    except BakeoffError as error:
        return {**found, "reason": f"The model at {model.where} is wrong: {error}"}
    except Exception as error:
        reason = f"The model at {model.where} failed: {type(error).__name__}: {error}"
        return {**found, "reason": " ".join(reason.split())}
    if not isinstance(made, WinnerMap):
        return {**found, "reason": f"The model at {model.where} returns {made!r:.60}, which is not a WinnerMap."}
    return {**found, "map": _plain(made)}


def _plain(made: WinnerMap) -> Plain:
    panels: list[Plain] = [
        {"title": panel.title, "predictions": [_prediction(own) for own in panel.predictions]} for panel in made.panels
    ]
    return {
        **{name: getattr(made, name) for name in ("basis", "x", "y", "cost", "unit")},
        "strategies": list(dict.fromkeys(own.winner for panel in made.panels for own in panel.predictions)),
        "panels": panels,
        "constants": [constant._asdict() for constant in made.constants],
        "validations": [{**check._asdict(), "error": check.error} for check in made.validations],
        "errors": _errors(made.validations),
        "notes": list(made.notes),
    }


def _errors(validations: Sequence[Validation]) -> list[Plain]:
    """Sum up the absolute relative errors of each quantity, over the sizes at which it was measured."""
    errors: dict[str, list[float]] = {}
    for check in validations:
        errors.setdefault(check.what, []).append(abs(check.error))
    return [
        {"what": what, "sizes": len(own), "median": median(own), "largest": max(own)} for what, own in errors.items()
    ]


def _prediction(own: Prediction) -> Plain:
    """Return a prediction with all that makes its winner uncertain, in words."""
    tied = "the interval contains 1" if own.low <= 1 <= own.high else ""
    return {**own._asdict(), "doubt": "; ".join(filter(None, (tied, own.doubt)))}
