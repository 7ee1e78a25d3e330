"""Many small data sets of one logistic model whose odds ratio is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from harness.data.tabular import read_only

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]

COVARIATE_EFFECT = 0.5  # log odds ratio of each covariate, with alternating signs
_BATCH = 200_000  # rows drawn at a time where most are thrown away


@dataclass(frozen=True)
class Population:
    """A logistic model of an outcome on one exposure and on covariates.

    Attributes
    ----------
    log_odds_ratio
        Coefficient of the exposure, given the covariates.
    columns
        Number of features: the exposure first, then columns - 1 standard normal covariates.
    correlation
        Correlation of neighbouring features before the exposure is cut in two; features i and j have
        ``correlation ** |i - j|``.
    exposed
        Share of the exposed; `None` for a standard normal exposure.
    event_rate
        Expected share of events, outcomes of 1.
    """

    log_odds_ratio: float
    columns: int
    correlation: float
    exposed: float | None
    event_rate: float

    @property
    def coefficients(self) -> Floats:
        """Log odds ratios of the features, shape (columns,)."""
        signs = np.where(np.arange(self.columns - 1) % 2 == 0, 1.0, -1.0)
        return np.concatenate([[self.log_odds_ratio], COVARIATE_EFFECT * signs])

    def intercept(self) -> float:
        """Solve for the log odds at the origin that give the expected share of events.

        Given the normal variable behind the exposure, the part of the covariates in the log odds is normal. The mean
        of the probabilities is a Gauss-Hermite sum over this part, and a midpoint sum over that variable.
        """
        grid = (np.arange(400) + 0.5) / 400
        cut = 0.0 if self.exposed is None else 1 - self.exposed
        below, above = ndtri(cut * grid), ndtri(cut + (1 - cut) * grid)
        latent = np.concatenate([below, above]) if cut else above
        mass = np.concatenate([np.full(400, cut), np.full(400, 1 - cut)]) / 400 if cut else np.full(400, 1 / 400)
        effects = self.coefficients[1:]
        powers = np.arange(1, self.columns)
        with_latent = self.correlation**powers  # correlation of each covariate with the exposure's variable
        apart = np.abs(powers[:, None] - powers[None, :])
        variance = effects @ (self.correlation**apart - np.outer(with_latent, with_latent)) @ effects
        nodes, weights = hermegauss(41)
        log_odds = self.log_odds_ratio * self._exposure(latent) + latent * (effects @ with_latent)
        log_odds = log_odds[:, None] + np.sqrt(max(variance, 0.0)) * nodes
        weights = np.outer(mass, weights / weights.sum())
        return float(brentq(lambda shift: (weights * expit(shift + log_odds)).sum() - self.event_rate, -60, 60))

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[Floats, Labels]:
        """Draw features, shape (rows, columns), and outcomes, shape (rows,)."""
        inputs, outcomes = rng.spawn(2)
        features = inputs.standard_normal((rows, self.columns))
        fresh = np.sqrt(1 - self.correlation**2)
        for column in range(1, self.columns):
            features[:, column] = self.correlation * features[:, column - 1] + fresh * features[:, column]
        features[:, 0] = self._exposure(features[:, 0])
        probability = expit(self.intercept() + features @ self.coefficients)
        return features, (outcomes.random(rows) < probability).astype(np.int8)

    def _exposure(self, latent: Floats) -> Floats:
        return latent if self.exposed is None else (latent > ndtri(1 - self.exposed)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Samples:
    """Data sets of equal size, one per replication. Arrays are read-only.

    Attributes
    ----------
    features
        Shape (replications, rows, columns); the exposure is column 0.
    outcomes
        0 or 1, shape (replications, rows).
    """

    features: Floats
    outcomes: Labels

    def __post_init__(self) -> None:
        read_only(self.features, self.outcomes)


@dataclass(frozen=True, eq=False)
class Replications:
    """Data sets with what only the judge knows.

    Attributes
    ----------
    samples
        What strategies see.
    truth
        Log odds ratio of the exposure in each data set, shape (replications,). Read-only.
    populations
        The model of each data set.
    """

    samples: Samples
    truth: Floats
    populations: tuple[Population, ...]

    def __post_init__(self) -> None:
        read_only(self.truth)


def replicate(
    populations: Sequence[Population], rng: np.random.Generator, *, replications: int, rows: int
) -> Replications:
    """Draw data sets whose rows are drawn at random from the populations, which take turns."""
    return _assemble(populations, rng, replications, rows, None)


def case_control(data: Replications, rng: np.random.Generator, share: float) -> Replications:
    """Draw the data sets anew, with a fixed share of events in each, as case-control studies do.

    Events and other rows are drawn at random from all events and all other rows of the population. The odds ratios stay
    as they are and only the intercept changes (Prentice & Pyke 1979, "Logistic disease incidence models and
    case-control studies").
    """
    replications, rows, _ = data.samples.features.shape
    distinct = tuple(dict.fromkeys(data.populations))
    return _assemble(distinct, rng, replications, rows, min(max(round(share * rows), 1), rows - 1))


def misclassify(data: Replications, rng: np.random.Generator, *, missed: float, false: float) -> Replications:
    """Turn events into other outcomes with probability `missed`, and other outcomes into events with `false`."""
    outcomes = data.samples.outcomes
    flipped = rng.random(outcomes.shape) < np.where(outcomes == 1, missed, false)
    return replace(data, samples=Samples(data.samples.features, outcomes ^ flipped.astype(np.int8)))


def _assemble(
    populations: Sequence[Population], rng: np.random.Generator, replications: int, rows: int, events: int | None
) -> Replications:
    turn = np.arange(replications) % len(populations)
    columns = populations[0].columns
    features = np.empty((replications, rows, columns))
    outcomes = np.empty((replications, rows), dtype=np.int8)
    for number, (population, stream) in enumerate(zip(populations, rng.spawn(len(populations)), strict=True)):
        sets = np.flatnonzero(turn == number)
        if events is None:
            X, y = population.draw(stream, len(sets) * rows)
        else:
            X, y = _by_outcome(population, stream, len(sets), rows - events, events)
        features[sets], outcomes[sets] = X.reshape(len(sets), rows, columns), y.reshape(len(sets), rows)
    drawn = tuple(populations[at] for at in turn.tolist())
    return Replications(Samples(features, outcomes), np.array([each.log_odds_ratio for each in drawn]), drawn)


def _by_outcome(
    population: Population, rng: np.random.Generator, sets: int, others: int, events: int
) -> tuple[Floats, Labels]:
    """Draw rows until there are enough of both outcomes: in each set first the others, then the events."""
    found: tuple[list[Floats], list[Floats]] = ([], [])
    wanted = (sets * others, sets * events)
    while any(sum(map(len, rows)) < count for rows, count in zip(found, wanted, strict=True)):
        (stream,) = rng.spawn(1)
        X, y = population.draw(stream, _BATCH)
        for outcome, rows in enumerate(found):
            rows.append(X[y == outcome])
    parts = [
        np.concatenate(rows)[: sets * count].reshape(sets, count, population.columns)
        for rows, count in zip(found, (others, events), strict=True)
    ]
    outcomes = np.broadcast_to(np.repeat([0, 1], [others, events]).astype(np.int8), (sets, others + events))
    return np.concatenate(parts, axis=1), outcomes.ravel()
