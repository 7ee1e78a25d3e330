"""Generated data and scenarios of the task classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness import Dataset, Generator, Param, Scalar, Scenario, UsageError
from harness.topics.fusion import ENGINE
from harness.topics.fusion.examples import Divided, split_at_random

#: Test examples of generated data.
TESTED = 2_000


def load(params: Mapping[str, Scalar], rng: Generator) -> Divided:
    """Generate examples of two modalities.

    Raises
    ------
    UsageError
        When the kind of information is unknown.
    """
    from harness.topics.fusion.engine.interaction import DRAWS, generated

    information = str(params["information"])
    if information not in DRAWS:
        raise UsageError(f"information={information} is unknown; choose one of {', '.join(DRAWS)}")
    return generated(information, float(params["informative"]), int(params["rows"]), TESTED, rng)


def check(params: Mapping[str, Scalar], rng: Generator) -> None:
    """Refuse an unknown kind of information before any trial."""
    load({**params, "rows": 1}, rng)


INTERACTION = Dataset(
    "synthetic-interaction",
    load,
    "Two modalities, a and b, whose information about the class is redundant, unique, xor, lookup or reliability.",
    params={
        "rows": Param(4_000, low=20, high=4_000, summary="training examples"),
        "information": Param("xor", summary="redundant, unique, xor, lookup or reliability"),
        "informative": Param(1.0, low=0, high=1, summary="share of examples whose class is not random"),
    },
    check=check,
    needs=(f"{ENGINE}.interaction",),
)


def label_noise(share: float) -> Scenario:
    """Give a share of the training examples another class, drawn evenly."""

    def apply(data: Divided, rng: Generator) -> Divided:
        labels = data.train.labels
        wrong = rng.random(len(labels)) < share
        others = (labels + rng.integers(1, data.classes, len(labels))) % data.classes
        return replace(data, train=replace(data.train, labels=np.where(wrong, others, labels)))

    return Scenario(
        f"label_noise({share:g})",
        apply,
        f"{100 * share:g} % of the training examples have a wrong class, drawn evenly.",
    )


def imbalance(ratio: float) -> Scenario:
    """Thin out classes until the rarest has one training example for `ratio` of the most frequent.

    Class k of C, in order of frequency from 0 on, has n ratio^(-k / (C - 1)) training examples, where n is what the
    most frequent class has, or all that it has if they are fewer (the long-tailed sets of Cui et al. 2019, arXiv
    1901.05555). Test examples stay.
    """

    def apply(data: Divided, rng: Generator) -> Divided:
        counts = np.bincount(data.train.labels, minlength=data.classes)
        wanted = np.empty(data.classes)
        wanted[np.argsort(-counts, kind="stable")] = counts.max() * ratio ** -np.linspace(0, 1, data.classes)
        order = rng.permutation(len(data.train))
        labels = data.train.labels[order]
        # How many examples of the same class come before each one.
        before = np.empty(len(labels))
        for label in range(data.classes):
            before[labels == label] = np.arange(counts[label])
        return replace(data, train=data.train.take(np.sort(order[before < np.ceil(wanted[labels])])))

    return Scenario(
        f"imbalance({ratio:g})", apply, f"The rarest class has one training example for {ratio:g} of the most frequent."
    )


RANDOM_SPLIT = Scenario(
    "random_split", split_at_random, "Examples are divided at random, so that groups cross from training to test."
)
