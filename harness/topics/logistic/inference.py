"""The task inference: odds ratios with intervals, on many small data sets whose odds ratio is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from harness import CLEAN, Chart, Judgement, Metric, PhaseClock, Problem, Profile, Work
from harness.topics.logistic import topic
from harness.topics.logistic.odds_ratios import (
    BINARY,
    CONTINUOUS,
    PARAMS,
    SEVERAL,
    case_control,
    label_noise,
    missed_events,
)
from harness.topics.logistic.worlds import ENGINE

if TYPE_CHECKING:
    from harness.topics.logistic.engine.inference import Fit
    from harness.topics.logistic.engine.likelihoods import Floats
    from harness.topics.logistic.engine.replications import Replications, Samples


def _judge(data: Replications, output: Any) -> Judgement:
    from harness.topics.logistic.engine import coverage

    return coverage.judge(data, output)


def _rate(name: str, summary: str, direction: Literal["higher", "lower"] = "lower") -> Metric:
    return Metric(name, direction=direction, unit="1", margin=0.01, summary=summary, rate=True)


task = topic.task(
    "inference",
    title="Odds ratios with intervals, with a nominal coverage of 0.95",
    datasets=[BINARY, CONTINUOUS, SEVERAL],
    scenarios=[CLEAN, label_noise(0.1), missed_events(0.2), case_control(0.5)],
    phases=["fit", "interval"],
    metrics=[
        Metric(
            "miscoverage",
            direction="lower",
            unit="1",
            margin=0.01,
            summary="Distance of the coverage from 0.95, in either direction; of n data sets chance alone makes about "
            "0.17 / sqrt(n).",
        ),
        _rate(
            "coverage",
            "Share of the data sets whose interval contains the true value; nominal is 0.95. An interval may have an "
            "infinite end; a data set without an interval (separation, one outcome only) does not count.",
            "higher",
        ),
        _rate("finite_coverage", "Coverage among the data sets with a finite interval; 0 if there is none.", "higher"),
        _rate("too_high", "Share of the data sets whose interval lies above the true value; nominal is 0.025."),
        _rate("too_low", "Share of the data sets whose interval lies below the true value; nominal is 0.025."),
        _rate("unbounded", "Share of the data sets with an infinite end or no interval: separation."),
        _rate("no_interval", "Share of the data sets without an interval."),
        Metric(
            "median_width",
            direction="lower",
            unit="log odds",
            margin=0.05,
            summary="Median width of the intervals of the log odds ratio; no interval counts as infinitely wide.",
        ),
        Metric(
            "bias",
            direction="lower",
            unit="log odds",
            margin=0.02,
            summary="Absolute value of the mean error of the log odds ratio, over data sets with a finite estimate.",
        ),
        Metric(
            "median_bias",
            direction="lower",
            unit="log odds",
            margin=0.02,
            summary="Absolute value of the median error of the log odds ratio, which infinite estimates enter.",
        ),
    ],
    judge=_judge,
    view=lambda data: data.samples,
    params=PARAMS,
    sweep={"rows": [30, 100, 300], "event_rate": [0.1, 0.5], "odds_ratio": [1.0, 16.0], "correlation": [0.7]},
    reference="wald",
    charts=[
        Chart(
            "coverage",
            title="Coverage by true odds ratio",
            x="true odds ratio",
            y="share of intervals that contain it",
            log_x=True,
            reading="95 % intervals should lie at 0.95. Below it they promise too much, above it they are too wide.",
        )
    ],
    work={"fit": Work("sample", of=("replications",)), "interval": Work("data_set", of=("replications",))},
    quick=Profile(
        3,
        {"replications": 100},
        datasets=("binary-exposure",),
        scenarios=("clean",),
        strategies=("wald", "profile", "firth-wald", "firth-profile", "unadjusted"),
    ),
    full=Profile(blocks=8, sweeps=True),
)

NEEDS = (f"{ENGINE}.inference",)
RESAMPLED = (f"{ENGINE}.resampling",)
NO_MAXIMUM = "No interval where the outcomes are separated: the likelihood has no maximum."


def _run(
    problem: Problem,
    phase: PhaseClock,
    interval: Callable[[Fit], Floats],
    *,
    firth: bool = False,
    covariates: bool = True,
) -> tuple[Floats, Floats]:
    from harness.topics.logistic.engine.inference import design, fit
    from harness.topics.logistic.engine.likelihoods import Likelihood

    with phase("fit"):
        X, y = design(problem.data, covariates=covariates)
        fitted = fit(Likelihood(X, y, firth))
        estimates = fitted.estimates
    with phase("interval"):
        intervals = interval(fitted)
    return estimates, intervals


@task.strategy("wald", needs=NEEDS, note=NO_MAXIMUM)
def wald(problem: Problem, phase: PhaseClock) -> Any:
    """Maximise the likelihood; use 1.96 standard errors around the estimate."""
    from harness.topics.logistic.engine import inference

    return _run(problem, phase, inference.wald)


@task.strategy("profile", needs=NEEDS, note="One end is infinite where the outcomes are separated.")
def profile(problem: Problem, phase: PhaseClock) -> Any:
    """Maximise the likelihood; use the odds ratios that a likelihood-ratio test does not reject."""
    from harness.topics.logistic.engine import inference

    return _run(problem, phase, inference.profile)


@task.strategy("firth-wald", needs=NEEDS)
def firth_wald(problem: Problem, phase: PhaseClock) -> Any:
    """Maximise Firth's penalised likelihood; use 1.96 standard errors around the estimate."""
    from harness.topics.logistic.engine import inference

    return _run(problem, phase, inference.wald, firth=True)


@task.strategy("firth-profile", needs=NEEDS)
def firth_profile(problem: Problem, phase: PhaseClock) -> Any:
    """Maximise Firth's penalised likelihood; use the odds ratios that a test of its ratio does not reject."""
    from harness.topics.logistic.engine import inference

    return _run(problem, phase, inference.profile, firth=True)


@task.strategy("bootstrap-percentile", needs=RESAMPLED, quick=False, note=NO_MAXIMUM)
def bootstrap_percentile(problem: Problem, phase: PhaseClock, draws: int = 500) -> Any:
    """Maximise the likelihood; use percentiles of the estimates from resamples of the rows."""
    import numpy as np

    from harness.topics.logistic.engine import resampling

    rng = np.random.default_rng(problem.seed)
    return _run(problem, phase, lambda fitted: resampling.percentile(fitted, rng, draws))


@task.strategy("bootstrap-bca", needs=RESAMPLED, quick=False, note=NO_MAXIMUM)
def bootstrap_bca(problem: Problem, phase: PhaseClock, draws: int = 500) -> Any:
    """Maximise the likelihood; use bias-corrected and accelerated percentiles of the estimates from resamples."""
    import numpy as np

    from harness.topics.logistic.engine import resampling

    rng = np.random.default_rng(problem.seed)
    return _run(problem, phase, lambda fitted: resampling.bca(fitted, rng, draws))


@task.strategy(
    "unadjusted", needs=NEEDS, note="For a binary exposure this is Woolf's interval of a table of two by two."
)
def unadjusted(problem: Problem, phase: PhaseClock) -> Any:
    """Leave out the covariates, as a baseline: maximise the likelihood and use 1.96 standard errors."""
    from harness.topics.logistic.engine import inference

    return _run(problem, phase, inference.wald, covariates=False)


@task.strategy(
    "statsmodels-wald",
    needs=("statsmodels.discrete.discrete_model", *NEEDS),
    quick=False,
    note="No estimate and no interval where statsmodels warns of separation or does not converge.",
)
def statsmodels_wald(problem: Problem, phase: PhaseClock) -> Any:
    """Fit one data set after the other with Logit of statsmodels; use its intervals."""
    from harness.topics.logistic.engine.statsmodels_fits import wald_intervals

    samples: Samples = problem.data
    with phase("fit"):
        return wald_intervals(samples)
