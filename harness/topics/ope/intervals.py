"""The tasks interval and interval-real: confidence intervals of the value of a policy, of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import CLEAN, Judgement, Metric, Param, Profile
from harness.topics.ope import topic
from harness.topics.ope.direct import MODELS, fitter
from harness.topics.ope.evaluation import MODEL, REAL_MODEL
from harness.topics.ope.worlds import (
    COMPILED,
    DIGITS,
    ENGINE,
    HEAVY,
    LINEAR,
    NONLINEAR,
    OPEN_BANDIT,
    REPLICATIONS,
    ROUNDS,
    SYNTHETIC,
    noisy_rewards,
    unobserved_features,
    view,
    wrong_propensities,
)

if TYPE_CHECKING:
    from harness import PhaseClock, Problem
    from harness.topics.ope.engine.worlds import Logs, Replications


METRICS = (
    Metric(
        "coverage_error",
        direction="lower",
        unit="1",
        margin=0.02,
        summary="How far the coverage falls short of the nominal 0.95; 0 if it does not.",
    ),
    Metric("width", direction="lower", unit="reward", margin=0.005, summary="Mean interval width over logs."),
    Metric(
        "interval_score",
        direction="lower",
        unit="reward",
        margin=0.005,
        summary="Width plus 40 times the distance of the true value from the interval; mean over logs.",
    ),
    Metric(
        "coverage",
        direction="higher",
        unit="1",
        margin=0.02,
        summary="Share of the logs whose interval contains the true value; nominal is 0.95.",
        rate=True,
    ),
)
# Share of the rounds of a recorded log in each replication, drawn without replacement: such a part is as good as a new,
# shorter log. In a bootstrap the error of the whole log adds to that of each draw, so that an exact 95 % interval would
# cover 83 % on average, P(|Z| < 1.96 / sqrt(2)).
SUBSAMPLE = 0.1


def _judge(data: Replications, output: Any) -> Judgement:
    from harness.topics.ope.engine import judge

    return judge.interval(data, output)


def _parts(data: Replications) -> Logs:
    from harness.topics.ope.engine import worlds

    return worlds.view(data, SUBSAMPLE)


task = topic.task(
    "interval",
    title="Confidence intervals of the value of a policy, with a nominal coverage of 0.95",
    datasets=[NONLINEAR, LINEAR],
    scenarios=[CLEAN, HEAVY, wrong_propensities(0.3), noisy_rewards(1.0), unobserved_features(2)],
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge,
    view=view,
    params={**SYNTHETIC, "replications": Param(200, low=2, summary=REPLICATIONS["replications"].summary)},
    work=ROUNDS,
    sweep={"rounds": [300, 10_000]},
    reference="normal-ips",
    quick=Profile(
        8,
        {"rounds": 500, "replications": 100},
        datasets=("nonlinear-rewards",),
        scenarios=("clean",),
        strategies=("normal-ips", "bootstrap-ips", "hoeffding-ips", "betting-ips"),
    ),
    full=Profile(blocks=10, sweeps=True),
)
real = topic.task(
    "interval-real",
    title="Confidence intervals of the value of a policy on real data, with a nominal coverage of 0.95",
    datasets=[DIGITS, *OPEN_BANDIT],
    scenarios=[CLEAN, HEAVY, wrong_propensities(0.3)],
    phases=["fit", "estimate"],
    metrics=METRICS,
    judge=_judge,
    view=_parts,
    params={"replications": Param(100, low=2, summary="logs; of a recorded log a tenth of its rounds each")},
    reference="normal-ips",
    # Two strategies that need no more of a user's log than its propensities.
    quick=Profile(
        4,
        {"replications": 300},
        datasets=("digits-bandit",),
        scenarios=("clean",),
        strategies=("normal-ips", "betting-ips"),
    ),
    full=Profile(blocks=6, datasets=("digits-bandit", "open-bandit-all"), scenarios=("clean",)),
    defaults={"model": REAL_MODEL},
)
TASKS = (task, real)


NEEDS = (f"{ENGINE}.intervals", f"{ENGINE}.replay", *COMPILED)
GUARANTEED = "Covers at any number of rounds, if the log states the true propensities and the range of rewards."
NO_DIRECT_EFFECT = (
    "Right only if rewards depend on an action through its features alone: no direct effect, assumption 3.2 of Saito & "
    "Joachims 2022 (arXiv 2202.06317). A log cannot show whether it holds."
)
DRAWS = 1_000  # number of resamples of a bootstrap


def _replayed(problem: Problem, phase: PhaseClock, kind: str, estimator: str, fit: Any = None) -> Any:
    from harness.topics.ope.engine.intervals import interval
    from harness.topics.ope.engine.replay import replay

    return replay(
        problem,
        phase,
        lambda log, model: interval(log, kind, estimator=estimator, model=model, seed=problem.seed, draws=DRAWS),
        fit=fit,
    )


@topic.strategy("normal-ips", tasks=TASKS, needs=NEEDS)
def normal_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Use 1.96 standard errors around the mean of weighted rewards."""
    return _replayed(problem, phase, "normal", "ips")


@topic.strategy("normal-snips", tasks=TASKS, needs=NEEDS)
def normal_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Use 1.96 standard errors around the self-normalised mean, by the delta method."""
    return _replayed(problem, phase, "normal", "snips")


@topic.strategy("normal-mips", tasks=TASKS, needs=NEEDS, note=NO_DIRECT_EFFECT)
def normal_mips(problem: Problem, phase: PhaseClock) -> Any:
    """Use 1.96 standard errors around the mean of rewards with weights of action embeddings."""
    return _replayed(problem, phase, "normal", "mips")


@topic.strategy("normal-dr", tasks=TASKS, needs=(*NEEDS, *MODELS))
def normal_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Use 1.96 standard errors around the doubly robust estimate, with a model fitted in two folds."""
    return _replayed(problem, phase, "normal", "dr", fitter(model))


@topic.strategy("bootstrap-ips", tasks=TASKS, needs=NEEDS)
def bootstrap_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Use percentiles of the mean of weighted rewards over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "ips")


@topic.strategy("bootstrap-snips", tasks=TASKS, needs=NEEDS)
def bootstrap_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Use percentiles of the self-normalised mean over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "snips")


@topic.strategy(
    "bootstrap-dr", tasks=TASKS, needs=(*NEEDS, *MODELS), note="The model is fitted once, not in every resample."
)
def bootstrap_dr(problem: Problem, phase: PhaseClock, model: str = MODEL) -> Any:
    """Use percentiles of the doubly robust estimate over 1,000 resamples of the rounds."""
    return _replayed(problem, phase, "bootstrap", "dr", fitter(model))


@topic.strategy("poisson-ips", tasks=TASKS, needs=NEEDS)
def poisson_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Use percentiles over 1,000 resamples in which each round counts a Poisson number of times."""
    return _replayed(problem, phase, "poisson", "ips")


@topic.strategy("poisson-snips", tasks=TASKS, needs=NEEDS)
def poisson_snips(problem: Problem, phase: PhaseClock) -> Any:
    """Use percentiles of the self-normalised mean over 1,000 resamples with Poisson counts of the rounds."""
    return _replayed(problem, phase, "poisson", "snips")


@topic.strategy("hoeffding-ips", tasks=TASKS, needs=NEEDS, note=GUARANTEED)
def hoeffding_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Bound the mean of weighted rewards by Hoeffding's inequality, from their possible range."""
    return _replayed(problem, phase, "hoeffding", "ips")


@topic.strategy("bernstein-ips", tasks=TASKS, needs=NEEDS, note=GUARANTEED)
def bernstein_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Bound the mean of weighted rewards by the empirical Bernstein inequality, from their range and variance."""
    return _replayed(problem, phase, "bernstein", "ips")


@topic.strategy("betting-ips", tasks=TASKS, needs=NEEDS, note=GUARANTEED)
def betting_ips(problem: Problem, phase: PhaseClock) -> Any:
    """Use the values against which bets have not multiplied their capital (Waudby-Smith & Ramdas 2024)."""
    return _replayed(problem, phase, "betting", "ips")


@topic.strategy("betting-mips", tasks=TASKS, needs=NEEDS, note=f"{GUARANTEED} {NO_DIRECT_EFFECT}")
def betting_mips(problem: Problem, phase: PhaseClock) -> Any:
    """Use the values against which bets have not multiplied their capital, with weights of action embeddings."""
    return _replayed(problem, phase, "betting", "mips")
