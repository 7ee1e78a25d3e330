"""The task losses: what each loss does to a fitted network, and its claims."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from topics.fusion.two_modalities import arrays
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics.fusion import claims_alignment, claims_losses, losses, topic
from harness.topics.fusion.examples import Divided, prepare, visible
from harness.topics.fusion.scenarios import long_tail


@cache
def _data() -> Divided:
    whole = prepare(arrays(600, noise=0.6), {"rows": 400, "tested": 400}, np.random.default_rng(1))
    made: Divided = long_tail(8).apply(whole, np.random.default_rng(2))
    return made


@cache
def _output(name: str, **options: Any) -> Any:
    problem = Problem(visible(_data()), {"threads": 1, "epochs": 6}, seed=0)
    return losses.task.strategies[name].run(problem, unmeasured, **options)


def test_all_are_judged_and_seeded() -> None:
    for name in losses.task.strategies:
        assert losses.task.judge(_data(), _output(name)).metrics["accuracy"] > 0.5
    np.testing.assert_array_equal(_output.__wrapped__("focal"), _output("focal"))


def test_neutral_values_fit_the_same_network() -> None:
    plain = _output("cross-entropy")
    for name, options in [("focal", {"gamma": 0.0}), ("label-smoothing", {"smoothing": 0.0})]:
        np.testing.assert_allclose(_output(name, **options), plain, atol=1e-4)
    np.testing.assert_allclose(_output("logit-adjusted", strength=0.0), plain, atol=1e-4)


def test_weights_and_adjustment_predict_the_rarest_class_more_often() -> None:
    rarest = int(np.bincount(_data().train.labels).argmin())
    plain, weighted, adjusted = (
        _output(name)[:, rarest].mean() for name in ("cross-entropy", "class-weighted", "logit-adjusted")
    )
    assert min(weighted, adjusted) > 1.2 * plain


def test_focal_loss_and_smoothing_are_less_sure() -> None:
    plain, focal, smoothed = (
        _output(name).max(axis=1).mean() for name in ("cross-entropy", "focal", "label-smoothing")
    )
    assert max(focal, smoothed) < plain - 0.02


def test_the_claims_name_their_sources() -> None:
    modules = {claims_alignment.__name__, claims_losses.__name__}
    mine = [claim for claim in topic.claims if claim.check.__module__ in modules]
    assert len(mine) >= 12
    assert all(claim.source and claim.blocks for claim in mine)
