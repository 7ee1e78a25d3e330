"""How well one modality retrieves the other: recall at k and reciprocal rank, with ties counted fairly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Similarities that differ by less are ties: what single precision makes of equal inputs in different batches.
TOLERANCE = 1e-6


def similarities(queries: npt.ArrayLike, candidates: npt.ArrayLike) -> Floats:
    """Return the cosines of all pairs, shape (queries, candidates); the cosine with a vector of zeros is 0."""
    one, other = (_normalised(np.asarray(vectors, dtype=np.float64)) for vectors in (queries, candidates))
    return one @ other.T


def _normalised(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def places(scores: Floats, tolerance: float = TOLERANCE) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Count for each query the candidates before its own, and those that tie with it.

    Parameters
    ----------
    scores
        Shape (n, n); the own candidate of query i is candidate i.

    Returns
    -------
    before, tied
        Numbers of other candidates, shape (n,). If ties are broken by chance, the own candidate is at each of the
        ranks before + 1 to before + tied + 1 with the same probability.
    """
    gap = scores - np.diag(scores)[:, None]
    before = (gap > tolerance).sum(axis=1)
    return before, (np.abs(gap) <= tolerance).sum(axis=1) - 1


def recall(before: npt.NDArray[np.intp], tied: npt.NDArray[np.intp], k: int) -> Floats:
    """Return for each query the probability that its own candidate is among the first k."""
    return np.clip((k - before) / (tied + 1), 0, 1)


def reciprocal_rank(before: npt.NDArray[np.intp], tied: npt.NDArray[np.intp]) -> Floats:
    """Return for each query the expected 1 / rank of its own candidate."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, (before + tied).max() + 2))])
    found: Floats = (harmonic[before + tied + 1] - harmonic[before]) / (tied + 1)
    return found
