"""Which way the claims on penalties fall in small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("sklearn")

from harness.data.scenarios import label_noise
from harness.topics.logistic import claims_regularisation as declared
from harness.topics.logistic import topic
from harness.topics.logistic.engine import selection
from harness.topics.logistic.engine.world import World, draw


def world(rows: int, columns: int) -> World:
    return draw(
        np.random.default_rng(0),
        rows=rows,
        test_rows=2_000,
        columns=columns,
        support=5,
        correlation=0.0,
        signal=2.0,
        event_rate=0.5,
    )


def judged(made: World, fit: selection.Fitter) -> dict[str, float]:
    found = selection.fitted(made.split.train, fit)
    output = selection.Fitted(found.predict(made.split.test.X), found.coefficients)
    return dict(selection.judge(made, output).metrics)


def test_l1_recovers_the_support_and_stability_selection_has_fewer_false_discoveries() -> None:
    made = world(300, 100)
    budget = {"count": 10, "folds": 3, "seed": 0}
    l1, l2 = (judged(made, selection.penalised(ratio, one_se=False, **budget)) for ratio in (1.0, 0.0))
    stable = judged(made, selection.stable(subsamples=30, threshold=0.9, false=1.0, **budget))
    assert l1["support_f1"] > l2["support_f1"] + 0.1
    assert l1["support_recall"] == 1
    assert l2["false_discoveries"] == 95
    assert stable["false_discoveries"] + 3 < l1["false_discoveries"]
    assert stable["support_recall"] >= 0.6


def test_symmetric_noise_shrinks_coefficients_and_hardly_moves_auc() -> None:
    made = world(3_000, 10)
    noisy = replace(made, split=label_noise(0.2).apply(made.split, np.random.default_rng(0)))
    clean, changed = judged(made, selection.unpenalised_fit), judged(noisy, selection.unpenalised_fit)
    assert clean["coefficient_scale"] == pytest.approx(1, abs=0.15)
    assert changed["coefficient_scale"] < 0.6 * clean["coefficient_scale"]
    assert changed["auc"] > clean["auc"] - 0.01


def test_each_claim_has_its_source() -> None:
    mine = [claim for claim in topic.claims if claim.check.__module__ == declared.__name__]
    assert len(mine) >= 8
    assert all(claim.source for claim in mine)
