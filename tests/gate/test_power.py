"""The drawn gates of benchmarks/power decide as the gate does."""

from __future__ import annotations

import numpy as np
import pytest
from power.resample import PASSED, REGRESSED, TODAY, UNDECIDED, decided, draw_gates, draw_suites

from harness.gate.live.gated import PASS_ALPHA
from harness.gate.sequential import decide

MARGINS = [float(np.log(1.05)), float(np.log(1.1))]
CODES = {"regressed": REGRESSED, "pass": PASSED, "improved": PASSED, "undecided": UNDECIDED}


@pytest.mark.parametrize(("effect", "spread"), [(0.0, 0.01), (0.03, 0.02), (0.05, 0.02), (0.04, 0.1)])
def test_gates_drawn_at_once_decide_as_the_gate_decides_one(effect: float, spread: float) -> None:
    rng = np.random.default_rng(3)
    ratios = effect + spread * rng.standard_t(3, size=(100, TODAY.cap))
    verdict, pairs = decided(ratios, MARGINS[0], TODAY, 0.01)
    for row, code, taken in zip(ratios, verdict, pairs, strict=True):
        found = decide(row, MARGINS[0], TODAY.cap, alpha=0.01, pass_alpha=PASS_ALPHA, gain_alpha=0.01)
        if taken != found.pairs:  # the gate waits longer to call a large gain an improvement
            assert found.estimate < 0
            assert taken < found.pairs
        assert code == (PASSED if found.excluded else CODES[found.state])


def test_a_drawn_gate_has_the_worst_verdict_of_its_figures_and_the_pairs_of_the_slowest() -> None:
    steady = np.linspace(-1e-4, 1e-4, TODAY.cap)
    slower = np.stack([steady + 0.08, steady], axis=1)[None]
    open_ = np.stack([steady, np.resize([0.4, -0.4], TODAY.cap)], axis=1)[None]
    left_open = np.stack([steady + 0.08, np.resize([0.4, -0.4], TODAY.cap)], axis=1)[None]
    for screen, confirm, verdict, pairs in (
        (slower, slower, REGRESSED, 6),
        (open_, open_, UNDECIDED, 24),
        (left_open, left_open, REGRESSED, 6),
        (left_open, open_, UNDECIDED, 27),
        (slower, slower - 0.08, PASSED, 6),
    ):
        found = draw_gates(screen, confirm, MARGINS, TODAY)
        assert (found.verdict.tolist(), found.pairs.tolist()) == ([verdict], [pairs])
    assert draw_suites(np.stack([slower, slower]), np.stack([slower, slower - 0.08]), MARGINS, TODAY).tolist() == [
        True,
        False,
    ]
