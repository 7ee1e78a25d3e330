"""From measurements to the map of winners: which strategy trains a tree fastest on how many rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness import FittedConstant, Measurement, NotMeasuredError, Panel, Prediction, Scalar, Validation, WinnerMap
from harness.topics.boosting.cost.fit import UNIT_NAMES, Fit, Floats, Network, Observation, fit, spread, tree_seconds
from harness.topics.boosting.cost.formulas import ALONE, SCHEMES, Training, level_wise
from harness.topics.boosting.cost.published import CRITEO, criteo
from harness.topics.boosting.cost.sizes import BINS, BLOCKS, DEPTH, FIT, HELD_OUT, WORKERS, Size

#: The task that measures, and the data set that has any number of rows and columns.
TASK, DATA = "boosting/distributed", "synthetic-tabular"
#: 10 Gbit/s, and 50 microseconds a message.
NETWORK = Network(byte_s=8 / 10e9, message_s=50e-6)
MACHINES = (8, 64, 1024)
ROWS = tuple(10**power for power in range(4, 10))
COLUMNS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
#: Above this error at a size held out, a strategy's predictions are marked as uncertain.
LARGEST_ERROR = 0.3
_UNITS = {
    "additions": "s a value added to a histogram",
    "searches": "s a bin searched",
    "moves": "s a row moved",
    "trees": "s a tree",
    "sent": "s a byte sent between processes",
    "messages": "s a message between processes",
}


def winners(measured: Sequence[Measurement], network: Network = NETWORK) -> WinnerMap:
    """Fit the model and predict the fastest strategy over rows, columns and workers that a network joins.

    Raises
    ------
    NotMeasuredError
        When neither library has a single process and workers that were measured at all sizes.
    """
    found = list(_observations(measured))
    rng = np.random.default_rng(0)
    fits: dict[str, Fit] = {}
    held: list[Observation] = []
    lacking = []
    for library in dict.fromkeys(scheme.library for scheme in SCHEMES.values()):
        own = _complete([one for one in found if _library(one.strategy) == library])
        if {one.strategy in ALONE for one in own} == {True, False}:
            fits[library] = fit([one for one in own if _size(one) in FIT], rng)
            held += [one for one in own if _size(one) in HELD_OUT]
        else:
            lacking.append(library)
    if not fits:
        raise NotMeasuredError(
            f"The sizes of the fit and those held out were not all measured for {' or '.join(lacking)}.", commands()
        )
    return WinnerMap(
        basis=(
            f"Extrapolated from trainings by 1 and {WORKERS[-1]} processes of one machine to {MACHINES[0]} and more "
            f"machines of one thread each, joined by a network of {8e-9 / network.byte_s:g} Gbit/s and "
            f"{1e6 * network.message_s:g} µs a message."
        ),
        x="columns",
        y="rows",
        cost="time of a tree",
        unit="s",
        panels=[Panel(f"{count:,} workers", _predictions(fits, held, count, network)) for count in MACHINES],
        constants=[constant for library, own in fits.items() for constant in _constants(library, own)],
        validations=[*_validations(fits, held), *_published(fits)],
        notes=[
            *_notes(held),
            *(f"{library} was not measured at these sizes, so it is not on the map." for library in lacking),
        ],
    )


def commands() -> list[str]:
    """Return the commands that measure what the model is fitted and judged on."""
    return [
        f"bakeoff run {TASK} {' '.join(f'-s {name}' for name in names)} -d {DATA} --set rows={size.rows} "
        f"--set columns={size.columns} --set trees={size.trees} --set depth={DEPTH} --set threads={threads} "
        f"--blocks {BLOCKS}"
        for size in (*FIT, *HELD_OUT)
        for names, threads in ((ALONE, 1), (SCHEMES, WORKERS[-1]))
    ]


def _library(strategy: str) -> str:
    return {**SCHEMES, **ALONE}[strategy].library


def _size(own: Observation) -> Size:
    return Size(int(own.training.rows), int(own.training.columns), own.trees)


def _complete(observations: Sequence[Observation]) -> list[Observation]:
    """Return the observations of the strategies that have all sizes of the fit and all that are held out."""
    sizes: dict[str, set[Size]] = {}
    for own in observations:
        sizes.setdefault(own.strategy, set()).add(_size(own))
    return [own for own in observations if sizes[own.strategy] >= {*FIT, *HELD_OUT}]


def _observations(measured: Sequence[Measurement]) -> Iterator[Observation]:
    """Yield the measurements that the model knows: of full trees on made-up data, with one thread a worker."""
    for own in measured:
        values = {**own.params, **own.options}
        workers = 1 if own.strategy in ALONE else int(values.get("workers", 0))
        seconds = own.values.get("fit.wall_s", np.array([]))
        seconds = seconds[np.isfinite(seconds)]
        if (own.dataset, own.scenario) == (DATA, "clean") and _is_known(own.strategy, values, workers) and len(seconds):
            size = Size(*(int(values[name]) for name in Size._fields))
            # XGBoost's default is one bin more than LightGBM's; both are measured at their defaults.
            bins, top_k = int(values.get("max_bin", BINS)), int(values.get("top_k", 20))
            training = level_wise(size.rows, size.columns, workers, bins=bins, depth=DEPTH, top_k=top_k)
            sent = float(np.median(own.values.get("bytes_sent", np.array([np.nan]))))
            yield Observation(own.strategy, training, size.trees, seconds, sent)


def _is_known(strategy: str, values: Mapping[str, Scalar], workers: int) -> bool:
    known = strategy in SCHEMES or strategy in ALONE
    default = values.get("max_bin", BINS) in (BINS, BINS + 1) and values.get("top_k", 20) == 20
    return known and default and values["depth"] == DEPTH and workers in WORKERS and values["threads"] == workers


def _predictions(
    fits: Mapping[str, Fit], held: Sequence[Observation], workers: int, network: Network
) -> list[Prediction]:
    errors = {strategy: error for own in fits.values() for strategy, error in largest_errors(own, held).items()}
    residuals = _residuals(fits, held)
    found = []
    for rows in ROWS:
        for columns in COLUMNS:
            training = level_wise(rows, columns, workers, bins=BINS, depth=DEPTH)
            costs = {
                strategy: tree_seconds(fits[scheme.library], strategy, training, network)
                for strategy, scheme in SCHEMES.items()
                if scheme.library in fits
            }
            best, second = sorted(costs, key=lambda strategy: costs[strategy][0])[:2]
            ratios = costs[second][1] * residuals[second] / (costs[best][1] * residuals[best])
            low, high = np.percentile(ratios, [2.5, 97.5])
            ratio = costs[second][0] / costs[best][0]
            doubt = "; ".join(filter(None, (_doubt(strategy, errors) for strategy in (best, second))))
            found.append(Prediction(columns, rows, best, costs[best][0], second, ratio, float(low), float(high), doubt))
    return found


def largest_errors(made: Fit, held: Sequence[Observation]) -> dict[str, float]:
    """Return by strategy the largest relative error of its times at the sizes held out."""
    errors: dict[str, float] = {}
    for own in held:
        if own.strategy in made.once:
            error = abs(made.seconds(own) / float(np.median(own.seconds)) - 1)
            errors[own.strategy] = max(error, errors.get(own.strategy, 0.0))
    return errors


def _doubt(strategy: str, errors: Mapping[str, float]) -> str:
    if strategy not in errors:
        return f"{strategy} was not measured"
    return f"{strategy} is off by up to {errors[strategy]:.0%}" if errors[strategy] > LARGEST_ERROR else ""


def _residuals(fits: Mapping[str, Fit], held: Sequence[Observation]) -> dict[str, Floats]:
    """Draw factors by which predictions of each strategy may be off, as wide as its errors at the sizes held out.

    A strategy that was not measured has the largest errors of its library.
    """
    rng = np.random.default_rng(1)
    found = {}
    for library, made in fits.items():
        sizes = spread(made, [own for own in held if _library(own.strategy) == library])
        for strategy, scheme in SCHEMES.items():
            if scheme.library == library:
                size = sizes.get(strategy, max(sizes.values()))
                found[strategy] = np.exp(rng.normal(0, size, len(made.draws)))
    return found


def _constants(library: str, made: Fit) -> Iterator[FittedConstant]:
    low, high = np.percentile(made.draws, [2.5, 97.5], axis=0)
    for at, name in enumerate(UNIT_NAMES):
        yield FittedConstant(
            f"{library}: {name}", _UNITS[name], float(made.constants[at]), float(low[at]), float(high[at])
        )


def _validations(fits: Mapping[str, Fit], held: Sequence[Observation]) -> list[Validation]:
    """Return the time of every training at the sizes held out, then the bytes that were counted."""
    times, sent = [], []
    for own in held:
        where = "{:,} rows, {:,} columns, {} trees".format(*_size(own))
        seconds = fits[_library(own.strategy)].seconds(own)
        times.append(Validation(f"{own.strategy}, time", where, "s", seconds, float(np.median(own.seconds))))
        if own.strategy in SCHEMES and own.sent > 0:
            predicted = own.trees * total_bytes(own.strategy, own.training)
            sent.append(Validation(f"{own.strategy}, bytes", where, "byte", predicted, own.sent))
    return [*times, *sent]


def total_bytes(strategy: str, training: Training) -> float:
    """Return the bytes that all workers together send for one tree."""
    return training.workers * SCHEMES[strategy].units(training).sent


def _published(fits: Mapping[str, Fit]) -> Iterator[Validation]:
    if "lightgbm" in fits:
        for machines, seconds in criteo(fits["lightgbm"].constants).items():
            yield Validation("Criteo as published, a tree", f"{machines} machines", "s", seconds, CRITEO[machines])


def _notes(held: Sequence[Observation]) -> list[str]:
    measured = {own.strategy for own in held}
    missing = [strategy for strategy in SCHEMES if strategy not in measured]
    return [
        f"Full trees of {DEPTH} levels and {BINS} bins. Voting elects 20 columns for each child: its trees may differ.",
        "Feature-parallel workers of LightGBM hold all rows, which the map does not weigh.",
        f"The number of workers was varied from 1 to {WORKERS[-1]} only: what grows with it comes from the algorithms.",
        *(f"{strategy} was not measured; its prediction uses the constants of its library." for strategy in missing),
    ]
