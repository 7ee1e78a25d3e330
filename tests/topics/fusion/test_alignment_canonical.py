"""Canonical correlations against their definition, and what they retrieve."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from topics.fusion.two_modalities import arrays
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics.fusion import alignment, canonical
from harness.topics.fusion.examples import Divided, Examples, Modality


def test_ids_are_counted_without_their_order_and_padding() -> None:
    ids = Modality("ids", np.array([[2, 1, 2], [3, 0, 0]]), 4, np.ones(2, np.bool_))
    assert canonical.features(ids).tolist() == [[1, 2, 0], [0, 0, 1]]
    pixels = Modality("pixels", np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), 3, np.ones(2, np.bool_))
    assert canonical.features(pixels).tolist() == [list(range(12)), list(range(12, 24))]


def test_projections_have_the_canonical_correlations_of_scikit_learn() -> None:
    from sklearn.cross_decomposition import CCA

    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(500, 2))
    sides = [(hidden @ rng.normal(size=(2, 4)) + rng.normal(size=(500, 4))).astype(np.float32) for _ in range(2)]
    there = np.ones(500, np.bool_)
    part = Examples(
        {name: Modality("numbers", side, 4, there) for name, side in zip("ab", sides, strict=True)},
        np.zeros(500, np.int64),
        np.arange(500),
    )
    problem = Problem(Divided(part, part, 1), {"threads": 1}, seed=0)
    one, other = alignment.task.strategies["canonical-correlation"].run(problem, unmeasured)
    scores = CCA(n_components=2, max_iter=5_000).fit_transform(*(side.astype(np.float64) for side in sides))
    for column in range(2):
        expected = np.corrcoef(scores[0][:, column], scores[1][:, column])[0, 1]
        assert np.corrcoef(one[:, column], other[:, column])[0, 1] == pytest.approx(expected, abs=1e-3)


def test_it_retrieves_what_correlates() -> None:
    data = alignment.pairs(arrays(), {"rows": 300, "candidates": 40}, np.random.default_rng(1))
    run = alignment.task.strategies["canonical-correlation"].run
    output = run(Problem(alignment.view(data), {"threads": 1}, seed=0), unmeasured)
    assert alignment.judge(data, output).metrics["mrr"] > 0.3
