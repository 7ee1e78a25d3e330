"""Canonical correlations: the linear baseline of the task alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.topics.fusion.alignment import Vectors, task

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.fusion.examples import Divided, Examples, Modality

Floats = npt.NDArray[np.float32]


def features(modality: Modality) -> Floats:
    """Describe examples by raw numbers, shape (n, columns): ids by how often each occurs, others by their values."""
    if modality.kind != "ids":
        return modality.values.reshape(len(modality.values), -1).astype(np.float32)
    counts = np.zeros((len(modality.values), modality.size), np.float32)
    np.add.at(counts, (np.arange(len(counts))[:, None], modality.values), 1)
    return counts[:, 1:]


@task.strategy(
    "canonical-correlation", needs="sklearn.decomposition", note="It has no encoders, and trains no network."
)
def canonical_correlation(problem: Problem, phase: PhaseClock, components: int = 32) -> Vectors:
    """Reduce both to their principal components, and project these to where they correlate most (Hotelling 1936).

    With both sides whitened, the directions of the largest correlation are the singular vectors of their
    cross-covariance, and the correlations its singular values; the latter weigh the projections. Components of small
    variance, which correlate by chance, are left out.
    """
    from sklearn.decomposition import PCA

    data: Divided = problem.data
    names = tuple(data.train.modalities)

    def reduced(examples: Examples) -> list[Floats]:
        return [side.transform(features(examples.modalities[name])) for name, side in sides.items()]

    sides = {}
    with phase("fit"):
        for name in names:
            train = features(data.train.modalities[name])
            kept = min(components, *train.shape)
            sides[name] = PCA(kept, whiten=True, svd_solver="randomized", random_state=problem.seed).fit(train)
        first, second = reduced(data.train)
        left, correlations, right = np.linalg.svd(first.T @ second / len(first), full_matrices=False)
    with phase("embed"):
        first, second = reduced(data.test)
        weights = np.sqrt(correlations)
        return first @ left * weights, second @ right.T * weights
