"""Test sets in which a modality is missing, noisy, or rendered in another way; training examples stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import Generator
from harness.topics.fusion.examples import Divided, Modality


def without(name: str, data: Divided, percent: float, rng: Generator) -> Divided | None:
    """Take a modality from a share of the test examples, drawn completely at random (Rubin 1976).

    Returns
    -------
    Divided or None
        ``None`` where the data do not have the modality.
    """

    def take(modality: Modality) -> Modality:
        absent = _drawn(len(modality.present), percent, rng)
        values = np.where(_column(absent, modality.values), np.zeros((), modality.values.dtype), modality.values)
        return replace(modality, values=values, present=modality.present & ~absent)

    return _changed(name, data, take)


def noisy(name: str, data: Divided, percent: float, rng: Generator) -> Divided | None:
    """Add noise to a modality of all test examples.

    Numbers and pixels get Gaussian noise whose standard deviation is a percentage of that of the training values, for
    numbers column by column; pixels are rounded and stay between 0 and 255. Ids are replaced, with a probability in per
    cent, by ones that are drawn from the training examples, so that frequent ids replace more often; padding stays.

    Returns
    -------
    Divided or None
        ``None`` where the data do not have the modality.
    """

    def disturb(modality: Modality) -> Modality:
        train = data.train.modalities[name].values
        if modality.kind == "ids":
            drawn = rng.choice(train[train != 0], size=modality.values.shape)
            replaced = (rng.random(modality.values.shape) < percent / 100) & (modality.values != 0)
            return replace(modality, values=np.where(replaced, drawn, modality.values))
        spread = train.std() if modality.kind == "pixels" else train.std(axis=0)
        noise = rng.standard_normal(modality.values.shape, dtype=np.float32) * spread.astype(np.float32)
        values = modality.values + np.float32(percent / 100) * noise
        if modality.kind == "pixels":
            values = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return replace(modality, values=values)

    return _changed(name, data, disturb)


def rendered(name: str, data: Divided, percent: float, rng: Generator) -> Divided | None:
    """Put other values of a modality, such as a second rendering, in place of its own in a share of the test examples.

    Returns
    -------
    Divided or None
        ``None`` where the data have no other values of it.
    """
    if name not in data.shifted:
        return None

    def render(modality: Modality) -> Modality:
        drawn = _column(_drawn(len(modality.present), percent, rng), modality.values)
        return replace(modality, values=np.where(drawn, data.shifted[name], modality.values))

    return _changed(name, data, render)


def _changed(name: str, data: Divided, change: Callable[[Modality], Modality]) -> Divided | None:
    if name not in data.test.modalities:
        return None
    modalities = {**data.test.modalities, name: change(data.test.modalities[name])}
    return replace(data, test=replace(data.test, modalities=modalities))


def _drawn(count: int, percent: float, rng: Generator) -> npt.NDArray[np.bool_]:
    """Draw a share of the examples: exactly that share, but for rounding."""
    drawn = np.zeros(count, dtype=np.bool_)
    drawn[rng.permutation(count)[: round(count * percent / 100)]] = True
    return drawn


def _column(drawn: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Give the examples that are drawn as many axes as the values have."""
    return drawn.reshape(-1, *(1,) * (values.ndim - 1))
