"""Rankings: the best items of each user by their scores, without those that the user has already."""

from __future__ import annotations

import numpy as np

from harness.topics.recommendation.engine.feedback import Ranking, Score, Visible

BATCH = 1_024


def rank(data: Visible, score: Score, batch: int = BATCH) -> Ranking:
    """Rank the items that each test user does not have yet, or the candidates where there are some.

    Of equal scores, the item of the smaller number comes first.

    Parameters
    ----------
    score
        See `Score`; it is called for `batch` users at a time, so that memory is bounded.

    Returns
    -------
    numpy.ndarray
        Items from the best on, int32, shape (test users, k); -1 where fewer items are left.
    """
    best = np.full((data.users, data.k), -1, dtype=np.int32)
    for start in range(0, data.users, batch):
        stop = min(start + batch, data.users)
        scores = np.asarray(score(start, stop), dtype=np.float32)
        known = data.history[start:stop].tocoo()
        scores[known.row, known.col] = -np.inf
        items = np.broadcast_to(np.arange(data.items, dtype=np.int32), scores.shape)
        if data.candidates is not None:
            items = data.candidates[start:stop]
            scores = np.take_along_axis(scores, items, axis=1)
        order = np.lexsort((items, -scores), axis=1)[:, : data.k]
        chosen = np.take_along_axis(items, order, axis=1)
        chosen = np.where(np.isneginf(np.take_along_axis(scores, order, axis=1)), -1, chosen)
        best[start:stop, : chosen.shape[1]] = chosen
    return best
