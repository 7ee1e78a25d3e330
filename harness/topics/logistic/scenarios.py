"""Scenarios beside those of `harness.data.scenarios`, and how scenarios apply to data with known coefficients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from harness import Generator, Scenario, UsageError
from harness.data.tabular import Split, Table
from harness.declare.names import wrong


def on_world(scenario: Scenario) -> Scenario:
    """Apply a scenario of tables to data with known coefficients: to their split, as to any other.

    Data that are a split themselves are changed as before.
    """

    def apply(data: Any, rng: Generator) -> Any:
        if isinstance(data, Split):
            return scenario.apply(data, rng)
        return replace(data, split=scenario.apply(data.split, rng))

    return replace(scenario, apply=apply)


def class_noise(share: float) -> Scenario:
    """Record each event of the training rows as none with probability `share`; the test rows stay as they are.

    Noise at random, NAR in the taxonomy of Frénay & Verleysen 2014 ("Classification in the presence of label noise: a
    survey"): it depends on the true class. A disease that is not diagnosed is an example.

    Raises
    ------
    DeclarationError
        Unless 0 < share < 1.
    """
    if not 0 < share < 1:
        raise wrong(f"class_noise({share:g}): the share of missed events must lie between 0 and 1, both excluded")

    def apply(data: Split, rng: Generator) -> Split:
        train = data.train
        if train.target != "binary":
            raise UsageError(f"scenario class_noise({share:g}) needs a binary target, and this one is {train.target}")
        missed = (train.y == 1) & (rng.random(len(train)) < share)
        return replace(data, train=Table(train.X, train.y ^ missed.astype(np.int8), train.time))

    summary = f"{100 * share:g} % of the events of the training rows are recorded as none."
    return Scenario(f"class_noise({share:g})", apply, summary)


def prior_shift(factor: float) -> Scenario:
    """Multiply the odds of class 1 in the test rows by `factor`, by dropping rows; the training rows stay as they are.

    Rows of a class are dropped by chance, so P(x | y) is unchanged: prior probability shift (Moreno-Torres et al. 2012,
    "A unifying view on dataset shift in classification").

    Raises
    ------
    DeclarationError
        Unless `factor` is positive and not 1.
    """
    if not factor > 0 or factor == 1:
        raise wrong(f"prior_shift({factor:g}): the factor of the odds must be positive, and not 1")

    def apply(data: Split, rng: Generator) -> Split:
        labels = data.test.y
        keep = np.where(labels == 1, min(1.0, factor), min(1.0, 1 / factor))
        kept = np.flatnonzero(rng.random(len(labels)) < keep)
        return replace(data, test=data.test.take(kept))

    return Scenario(f"prior_shift({factor:g})", apply, f"In the test rows the odds of an event are {factor:g} times.")
