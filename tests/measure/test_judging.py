"""Outputs of altered test sets and of training that diverged: what their trials are judged by."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from harness.declare import Dataset, Judgement, Metric, Outputs, PhaseClock, Problem, Stress, Task, Topic
from harness.errors import DivergedError, InvalidOutputError
from harness.measure import clock
from harness.measure.device import Cpu
from harness.measure.job import Job
from harness.measure.judging import Diverged, judge, thinned
from harness.records import Curve, Seeds, Trial
from harness.registry import Registry

SHIFT = Stress("shift", lambda data, level, rng: data + level, (0, 2.5), "shift, m")
RANDOM = Stress("random", lambda data, level, rng: data + level * rng.random(3), (1,), "noise, m")
ALTERED = {"shift_0": np.zeros(3), "shift_2_5": np.full(3, 2.5)}


def error(data: Any, output: Any) -> Judgement:
    """Judge the distance from the data."""
    return Judgement({"error": float(np.abs(data - output).mean())})


def task(*stress: Stress, guess: Any = None, judged: Any = error) -> Task:
    return Topic("topic", title="T").task(
        "task",
        title="T",
        datasets=[Dataset("data", lambda params, rng: np.zeros(3))],
        phases=["fit"],
        metrics=[Metric("error", direction="lower", unit="1")],
        judge=judged,
        view=lambda data: ("view", data),
        stress=stress,
        guess=guess,
    )


def job(own: Task, strategy: Any, data_seed: int = 0) -> Job:
    own.strategy("only")(strategy)
    topic = Topic("topic", title="T")
    topic.tasks["task"] = own
    trial = Trial("topic", "task", "only", "data", "clean", {"threads": 1}, {}, 0, Seeds(data_seed, 1, 2))
    return Job.of(trial, Registry({"topic": topic}, {}, {}), [])


def call(own: Job, altered: dict[str, Any]) -> Any:
    data = own.prepare()
    timer = clock.PhaseClock(own.task.phases, Cpu(), lambda *_: None)
    return own.call(own.problem(data, altered), timer)


def predicting(problem: Problem, phase: PhaseClock) -> Any:
    with phase("fit"):
        fitted = 1.0
    return problem.with_altered(np.full(3, fitted), phase, lambda view: np.full(3, fitted))


def test_each_altered_output_is_judged_with_its_altered_data() -> None:
    own = job(task(SHIFT), predicting)
    altered = own.alter(own.prepare())
    judged = own.judge(own.prepare(), call(own, altered), altered)
    assert judged.metrics == {"error": 1.0, "error_at_shift_0": 1.0, "error_at_shift_2_5": 1.5}


def test_a_rate_of_altered_data_has_its_own_number_of_cases() -> None:
    def share(data: Any, output: Any) -> Judgement:
        return Judgement({"error": float((data != output).mean())}, n={"error": len(data)})

    own = task(SHIFT, judged=share)
    own = dataclasses.replace(own, metrics=(Metric("error", direction="lower", unit="1", rate=True),))
    altered = {"shift_0": np.zeros(4), "shift_2_5": np.full(5, 2.5)}
    judged = judge(own, np.zeros(3), Outputs(np.zeros(3), {"shift_0": np.zeros(4), "shift_2_5": np.zeros(5)}), altered)
    assert judged.metrics == {"error": 0.0, "error_at_shift_0": 0.0, "error_at_shift_2_5": 1.0}
    assert judged.n == {"error": 3, "error_at_shift_0": 4, "error_at_shift_2_5": 5}


def test_altered_data_are_read_only_views_that_follow_from_the_seed_of_the_data() -> None:
    first, again, other = (job(task(RANDOM), predicting, seed) for seed in (0, 0, 1))
    made = [own.alter(own.prepare())["random_1"] for own in (first, again, other)]
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()
    (view,) = first.problem(None, {"random_1": made[0]}).altered.values()
    assert view == ("view", made[0])
    with pytest.raises(ValueError, match="read-only"):
        made[0][0] = 1.0


def test_without_altered_data_the_output_is_the_plain_one() -> None:
    assert (call(job(task(SHIFT), predicting), {}) == 1.0).all()

    def always(problem: Problem, phase: PhaseClock) -> Outputs:
        with phase("fit"):
            return Outputs(7.0, {})

    assert call(job(task(SHIFT), always), {}) == 7.0


def test_a_strategy_need_not_predict_altered_data() -> None:
    assert judge(task(SHIFT), np.zeros(3), np.zeros(3), ALTERED).metrics == {"error": 0.0}


def test_altered_data_are_predicted_in_their_own_phase() -> None:
    def early(problem: Problem, phase: PhaseClock) -> Outputs:
        with phase("fit"):
            return Outputs(0.0, dict.fromkeys(problem.altered, 0.0))

    with pytest.raises(InvalidOutputError, match=r"^it predicted altered test sets outside of the phase stress$"):
        call(job(task(SHIFT), early), ALTERED)


@pytest.mark.parametrize(
    ("altered", "sentence"),
    [
        ({"shift_0": 0.0}, "Outputs.altered lacks shift_2_5; predict all of problem.altered, or none"),
        (dict.fromkeys([*ALTERED, "x"], 0.0), "Outputs.altered has x, which problem.altered does not have"),
        ([0.0], "Outputs.altered is a list; it must map each name to an output"),
        ({"shift_0": 0.0, "shift_2_5": math.inf}, "altered test set shift_2_5: metric error is inf"),
    ],
)
def test_altered_outputs_that_do_not_fit_are_told_in_a_sentence(altered: Any, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=f"^{sentence}$"):
        judge(task(SHIFT), np.zeros(3), Outputs(np.zeros(3), altered), ALTERED)


def test_what_diverged_has_the_metrics_of_the_guess_on_altered_data_too() -> None:
    guessing = task(SHIFT, guess=lambda data: {"error": float(data.mean()) + 9.0})
    judged = judge(guessing, np.zeros(3), Diverged(12), ALTERED)
    assert judged.metrics == {
        "error": 9.0,
        "diverged": 1.0,
        "error_at_shift_0": 9.0,
        "error_at_shift_2_5": 11.5,
    }
    assert judged.diverged == 12.0
    assert judged.n == {"diverged": 1}  # one trial is one case


def test_a_metric_that_the_judge_knows_in_spite_of_divergence_replaces_that_of_the_guess() -> None:
    own = task(guess=lambda data: {"error": 9.0}, judged=lambda data, output: Judgement({"error": 7.0}, diverged=3))
    assert judge(own, np.zeros(3), None).metrics == {"error": 7.0, "diverged": 1.0}


def test_what_did_not_diverge_says_so() -> None:
    guessing = task(guess=lambda data: {"error": 9.0})
    fine = judge(guessing, np.zeros(3), np.ones(3))
    assert fine.metrics == {"error": 1.0, "diverged": 0.0}
    assert fine.n == {"diverged": 1}


def test_a_strategy_that_raises_diverged_is_judged_by_the_guess() -> None:
    def diverging(problem: Problem, phase: PhaseClock) -> None:
        with phase("fit"):
            raise DivergedError(3)

    assert call(job(task(guess=lambda data: {"error": 9.0}), diverging), {}) == Diverged(3)


def test_a_curve_ends_where_training_diverged() -> None:
    curves = {
        "loss": Curve([1, 2, 3, 4], [3.0, math.inf, 2.0, 1.0]),
        "banded": Curve([1, 2, 3], [1, 1, 1], [0, -math.inf, 0], [2, 2, 2]),
        "late": Curve([9], [1]),
    }
    own = task(guess=lambda data: {"error": 9.0}, judged=lambda data, output: Judgement({}, curves, diverged=3))
    judged = judge(own, np.zeros(3), None)
    assert judged.curves == {"loss": Curve([1, 3], [3.0, 2.0]), "banded": Curve([1, 3], [1, 1], [0, 0], [2, 2])}
    assert judged.metrics == {"error": 9.0, "diverged": 1.0}


@pytest.mark.parametrize(
    ("guess", "step", "sentence"),
    [
        (None, 3, r"training diverged at step 3, and task topic/task has no guess .* declare guess= in topic.task"),
        (lambda data: {}, 3, "the guess's metric error is missing"),
        (lambda data: {"error": math.nan}, 3, "the guess's metric error is nan"),
        (lambda data: {"error": 1.0}, math.nan, "training diverged at step nan: the step must be a finite number"),
    ],
)
def test_divergence_without_a_sound_guess_fails_in_a_sentence(guess: Any, step: float, sentence: str) -> None:
    with pytest.raises(InvalidOutputError, match=f"^{sentence}$"):
        judge(task(guess=guess), np.zeros(3), Diverged(step))


def test_a_metric_that_is_not_finite_still_fails_where_there_is_a_guess() -> None:
    with pytest.raises(InvalidOutputError, match=r"^metric error is inf$"):
        judge(task(guess=lambda data: {"error": 9.0}), np.zeros(3), np.full(3, math.inf))


SOUND = {"error": 1.0}
CURVE = "curve loss"
NONSENSE = {
    "the judge returned NoneType; it must return a Judgement": None,
    "the judge returned str; it must return a Judgement": "good",
    "the judge's metrics are None, which is not a mapping by name": Judgement(None),  # type: ignore[arg-type]
    "metric error is 'low', which is not a number": Judgement({"error": "low"}),  # type: ignore[dict-item]
    "metric error is None, which is not a number": Judgement({"error": None}),  # type: ignore[dict-item]
    "metric error is array([1., 1.]), which is not a number": Judgement({"error": np.ones(2)}),  # type: ignore[dict-item]
    "metric error is missing; there is eror": Judgement({"eror": 1.0}),
    "the judge's curves are [1], which is not a mapping by name": Judgement(SOUND, [1]),  # type: ignore[arg-type]
    f"{CURVE} is 'x', which is not a Curve": Judgement(SOUND, {"loss": "x"}),  # type: ignore[dict-item]
    f"{CURVE} has ['a'] for a line, which is not a list of numbers": Judgement(
        SOUND,
        {"loss": Curve(["a"], [1.0])},  # type: ignore[list-item]
    ),
    f"{CURVE} has [[1], [2, 3]] for a line, which is not a list of numbers": Judgement(
        SOUND,
        {"loss": Curve([[1], [2, 3]], [1.0])},  # type: ignore[list-item]
    ),
    f"{CURVE}: x, y, low and high have 3, 2, 0, 0 points; all must have as many": Judgement(
        SOUND, {"loss": Curve([1, 2, 3], [1, 2])}
    ),
    f"{CURVE}: x, y, low and high have 2, 2, 2, 0 points; all must have as many": Judgement(
        SOUND, {"loss": Curve([1, 2], [1, 2], [1, 2])}
    ),
    f"{CURVE} has 2, nan as point 2": Judgement(SOUND, {"loss": Curve([1, 2], [1, math.nan])}),
    f"{CURVE} has 2, 1, 0, inf as point 2": Judgement(SOUND, {"loss": Curve([1, 2], [1, 1], [0, 0], [2, math.inf])}),
    "the step at which training diverged is 'x', which is not a number": Judgement(SOUND, diverged="x"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("sentence", NONSENSE)
def test_a_judge_that_returns_nonsense_fails_in_a_sentence(sentence: str) -> None:
    with pytest.raises(InvalidOutputError) as caught:
        judge(task(judged=lambda data, output: NONSENSE[sentence]), None, None)
    assert str(caught.value) == sentence


def test_numbers_of_numpy_become_pythons() -> None:
    judged_as: Any = Judgement
    of: Any = Curve  # with other numbers than it declares
    curve = of(np.arange(2), [np.float32(0.5), np.int64(3)], (1, 2), np.ones(2, np.float32))
    made = judged_as({"error": np.float32(0.25)}, {"loss": curve})
    judged = judge(task(judged=lambda data, output: made), None, None)
    assert judged.metrics == {"error": 0.25}
    assert judged.curves == {"loss": Curve([0.0, 1.0], [0.5, 3.0], [1.0, 2.0], [1.0, 1.0])}
    numbers = [
        judged.metrics["error"],
        *(value for line in ("x", "y") for value in getattr(judged.curves["loss"], line)),
    ]
    assert {type(number) for number in numbers} == {float}
    diverged = judged_as({"error": np.float32(7.0)}, {"loss": curve}, diverged=np.int64(0))
    guessing = task(guess=lambda data: {"error": 9.0}, judged=lambda data, output: diverged)
    assert judge(guessing, None, None).curves == {"loss": Curve([0.0], [0.5], [1.0], [1.0])}
    assert msgspec.json.decode(msgspec.json.encode(judge(guessing, None, None).metrics))["error"] == 7.0


def test_a_judge_may_give_metrics_that_the_task_does_not_declare() -> None:
    made = Judgement({"error": 1.0, "speed": 3.0})
    assert judge(task(judged=lambda data, output: made), None, None).metrics == {"error": 1.0}


def test_long_curves_are_thinned_with_their_ends_and_a_remark() -> None:
    x = [float(place) for place in range(1_000_001)]
    curves = {"long": Curve(x, x, x, x), "short": Curve(x[:1000], x[:1000])}
    made, remark = thinned(curves)
    assert remark == "curve long has 1,000,001 points, of which 1,000 are recorded"
    assert made["short"] == curves["short"]
    long = made["long"]
    assert long.x == long.y == long.low == long.high
    assert (len(long.x), long.x[0], long.x[-1]) == (1000, 0.0, 1_000_000.0)
    assert {round(after - before) for before, after in pairwise(long.x)} == {1001, 1002}


def test_a_metric_whose_square_is_infinite_fails_since_no_run_with_it_could_be_read() -> None:
    with pytest.raises(InvalidOutputError, match=r"^metric error is 1e\+200$"):
        judge(task(), np.zeros(3), np.full(3, 1e200))
