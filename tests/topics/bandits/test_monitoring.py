"""Monitors against brute force, scipy and published run lengths; streams and judge against what was planted."""

import inspect
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import kolmogorov
from unmeasured import unmeasured

from harness.declare import Problem
from harness.errors import InvalidOutputError
from harness.topics.bandits import claims_safety, monitoring, monitors
from harness.topics.bandits.engine import calibration
from harness.topics.bandits.engine import monitors as kernels
from harness.topics.bandits.engine.streams import Streams, Watched, judge
from harness.topics.bandits.engine.world import uniforms

TASK = monitoring.monitoring
DATASETS: Any = {dataset.name: dataset for dataset in TASK.datasets if not isinstance(dataset, str)}
SCENARIOS = {scenario.name: scenario for scenario in TASK.scenarios}
DEFAULTS: Any = {name: param.default for name, param in TASK.params.items()}
SMALL: Any = {"horizon": 200, "replications": 40, "reference": 100}
KEY = np.uint64(7)
ON_REWARDS = [name for name in TASK.strategies if name not in ("silent", "ks-contexts", "conformal-contexts")]


def made(name: str = "mean-shift", scenario: str = "clean", seed: int = 0, **changes: Any) -> Streams:
    data = DATASETS[name].load(DEFAULTS | changes, np.random.default_rng(seed))
    streams: Streams = SCENARIOS[scenario].apply(data, np.random.default_rng(seed))
    return streams


def run(name: str, data: Streams, *, level: float = 0.05, **options: Any) -> Any:
    problem = Problem(TASK.view(data), DEFAULTS | {"level": level}, 0)
    return TASK.strategies[name].run(problem, unmeasured, **options)


def figures(name: str, data: Streams, **options: Any) -> Any:
    return TASK.judge(data, run(name, data, **options)).metrics


def noise(rows: int, steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, steps))


def shifted(rows: int = 12, steps: int = 300) -> np.ndarray:
    """Return streams of which some change at step 150, by amounts of their own."""
    moved = np.linspace(-1.5, 1.5, rows)[:, None] * (np.arange(steps) >= 150)
    return noise(rows, steps) + moved


def first(flags: list[bool]) -> int:
    return flags.index(True) if True in flags else len(flags)


def test_planted_changes() -> None:
    sizes: Any = {"replications": 2_000, "reference": 20, "horizon": 40, "shift": 2.0}
    for name, mean, scale, context in [
        ("mean-shift", -2, 1, 0),
        ("variance-shift", 0, 3, 0),
        ("context-shift", 0, 1, 2),
        ("no-shift", 0, 1, 0),
    ]:
        data = made(name, **sizes)
        seen = data.watched()
        before, after = seen.rewards[:, :40], seen.rewards[:, 40:]
        assert [before.mean(), before.std()] == pytest.approx([0, 1], abs=0.02)
        assert [after.mean(), after.std()] == pytest.approx([mean, scale], abs=0.05)
        assert seen.contexts[:, :40].mean() == pytest.approx(0, abs=0.02)
        assert seen.contexts[:, 40:].mean() == pytest.approx(context, abs=0.02)
        assert data.change == (40 if name == "no-shift" else 20)


def test_gradual_change_is_whole_after_a_fifth_of_the_horizon() -> None:
    data = made("gradual-shift", **SMALL)
    mean = data.reward_mean[100:]
    assert mean[[99, 100, 119, 139, 199]] == pytest.approx([0, -0.0125, -0.25, -0.5, -0.5])


def test_scenarios_keep_mean_and_variance() -> None:
    sizes: Any = {"replications": 300, "reference": 500, "horizon": 500}
    for scenario in SCENARIOS:
        data = made("no-shift", scenario, **sizes)
        for one in (data.reward_noise, data.context_noise):
            assert one.mean() == pytest.approx(0, abs=0.01)
            assert one.std() == pytest.approx(1, abs=0.05)
    heavy, linked = (made("no-shift", name, **sizes) for name in ("heavy_tails(3)", "autocorrelation(0.3)"))
    x = linked.reward_noise
    assert (x[:, 1:] * x[:, :-1]).mean() == pytest.approx(0.3, abs=0.01)
    scaled = heavy.reward_noise.ravel()[:20_000] * math.sqrt(3)
    assert stats.kstest(scaled, stats.t(3).cdf).pvalue > 0.01


def test_judge_of_known_alarms() -> None:
    data = made(replications=5, horizon=100, reference=20)
    judged = judge(data, np.array([10, 50, 59, 100, 49]))
    # Two false; of the others the delays are 1, 10 and 50, which is one missed.
    assert judged.metrics == pytest.approx({"errors": 0.6, "false_alarms": 0.4, "missed": 1 / 3, "delay": 10})
    assert judged.curves["alarmed"].y[-1] == pytest.approx(0.8)
    assert judged.examples["false_alarms"].values.tolist() == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("name", "alarm", "expected"),
    [
        ("no-shift", 200, (0, 0, 0, 0)),
        ("no-shift", 199, (1, 1, 0, 0)),
        ("mean-shift", 0, (1, 1, 0, 100)),
        ("mean-shift", 200, (1, 0, 1, 100)),
        ("mean-shift", 100, (0, 0, 0, 1)),
    ],
)
def test_every_metric_has_a_number(name: str, alarm: int, expected: tuple[float, ...]) -> None:
    metrics = judge(made(name, **SMALL), np.full(40, alarm)).metrics
    assert tuple(metrics[metric.name] for metric in TASK.metrics) == expected


@pytest.mark.parametrize(
    ("alarms", "reason"),
    [
        (np.zeros(39, dtype=int), "shape"),
        (np.zeros(40), "integers"),
        (np.full(40, 201), "0 to 200"),
        (np.full(40, -1), "0 to 200"),
        (None, "shape"),
        ([[0], [0, 1]], "array of steps"),
    ],
)
def test_judge_refuses_what_are_no_steps(alarms: Any, reason: str) -> None:
    with pytest.raises(InvalidOutputError, match=reason):
        TASK.judge(made(**SMALL), alarms)


def test_monitors_do_not_see_the_change() -> None:
    assert set(vars(TASK.view(made(**SMALL)))) == {"rewards", "contexts", "reference"}


def test_standardised_by_the_reference() -> None:
    z = kernels.standardised(5 + 3 * noise(3, 400), 200)
    assert z[:, :200].mean(axis=1) == pytest.approx(np.zeros(3), abs=1e-12)
    assert z[:, :200].std(axis=1, ddof=1) == pytest.approx(np.ones(3))


def test_self_starting_numbers_follow_their_definition() -> None:
    stream = 5 + 3 * noise(2, 40)
    expected = [
        [
            stats.norm.ppf(stats.t.cdf((row[n] - row[:n].mean()) / (row[:n].std(ddof=1) * math.sqrt(1 + 1 / n)), n - 1))
            for n in range(10, 40)
        ]
        for row in stream
    ]
    assert kernels.self_starting(stream, 10) == pytest.approx(np.array(expected))


def test_self_starting_numbers_are_standard_normal_and_independent_after_a_short_reference() -> None:
    z = kernels.self_starting(7 + 2 * noise(20_000, 10), 4)
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert np.cov(z.T) == pytest.approx(np.eye(6), abs=0.04)
    assert np.isfinite(kernels.self_starting(np.r_[noise(1, 50)[0], 1e6, -1e9][None], 50)).all()


@pytest.mark.parametrize("name", ["cusum", "e-detector"])
@pytest.mark.parametrize("reference", [50, 1_000])
def test_an_estimated_mean_raises_no_false_alarms(name: str, reference: int) -> None:
    """Standardised by the reference alone, a reference of 50 has false alarms on half of the streams."""
    data = made("no-shift", replications=1_500, reference=reference)
    assert figures(name, data)["false_alarms"] <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1_500)


def test_every_monitor_that_declares_the_level_has_a_claim_on_it() -> None:
    claimed = inspect.getsource(claims_safety)
    exempt = {"silent"}
    for name in TASK.strategies:
        assert name in exempt or f'"{name}"' in claimed, name
    assert next(metric for metric in TASK.metrics if metric.name == "false_alarms").limit == 0.06


def test_cusum_follows_its_definition() -> None:
    z = shifted()
    expected = []
    for row in z:
        up, down = (
            [max(total[n + 1] - total[: n + 1]) for n in range(len(row))]
            for total in (np.cumsum([0, *(sign * row - 0.25)]) for sign in (1, -1))
        )
        expected.append(first([max(one, other) > 6 for one, other in zip(up, down, strict=True)]))
    assert kernels.cusum(z, 0.25, 6.0).tolist() == expected


@pytest.mark.parametrize(("threshold", "run_length"), [(4.0, 168), (5.0, 465)])
def test_run_lengths_of_siegmund_are_the_published_ones(threshold: float, run_length: float) -> None:
    """Those of Montgomery, "Introduction to statistical quality control", for an allowance of 1/2."""
    assert kernels.average_run(threshold, 0.5) == pytest.approx(run_length, rel=0.02)
    assert kernels.threshold_of(run_length, 0.5) == pytest.approx(threshold, abs=0.03)


def test_simulated_run_length_is_siegmunds() -> None:
    alarms = kernels.cusum(noise(2_000, 2_500), 0.5, 4.0)
    assert alarms.max() < 2_500
    assert alarms.mean() + 1 == pytest.approx(kernels.average_run(4.0, 0.5), rel=0.07)


def test_page_hinkley_follows_its_definition() -> None:
    z, reference = shifted(), 50
    expected = []
    for row in z:
        after, flags = [], []
        up, down = [0.0], [0.0]
        for step in range(reference, len(row)):
            after.append(row[step] - row[: step + 1].mean())
            up.append(sum(after) - 0.1 * len(after))
            down.append(sum(after) + 0.1 * len(after))
            flags.append(max(up[-1] - min(up), max(down) - down[-1]) > 15)
        expected.append(first(flags))
    assert calibration.page_hinkley(z, reference, 0.1, np.full(len(z), 15.0)).tolist() == expected
    assert len(set(expected)) > 3


def test_batches_follow_their_definition() -> None:
    z = shifted()
    means = z.reshape(12, 30, 10).mean(axis=2)
    over = np.abs(means) > 2.5 / math.sqrt(10)
    expected = [10 * first(row.tolist()) + 9 if row.any() else 300 for row in over]
    assert kernels.batches(z, 10, 2.5).tolist() == expected


def test_adwin_tries_all_cuts() -> None:
    z, reference, level = shifted(), 40, 0.05
    expected = []
    for row in z:
        flags = []
        for step in range(260):
            seen = row[: reference + step + 1]
            spent = math.log(2 * math.log(len(seen)) / level)
            cuts = range(calibration.CUT, len(seen) - calibration.CUT + 1) if step % 20 == 19 else ()
            shares = [1 / cut + 1 / (len(seen) - cut) for cut in cuts]
            apart = [abs(seen[:cut].mean() - seen[cut:].mean()) for cut in cuts]
            bounds = [math.sqrt(2 * share * seen.var() * spent) + 2 / 3 * share * spent for share in shares]
            flags.append(any(one > bound for one, bound in zip(apart, bounds, strict=True)))
        expected.append(first(flags))
    assert calibration.adwin(z, reference, np.full(len(z), level), 20).tolist() == expected
    assert len(set(expected)) > 3


@pytest.mark.parametrize("row", range(0, 12, 3))
@pytest.mark.parametrize(("name", "option"), [("page_hinkley_until", 0.005), ("adwin_spent", 20)])
def test_an_alarm_is_raised_just_below_the_peak(name: str, option: float, row: int) -> None:
    until, z = getattr(calibration, name), shifted()[row]
    _, peak = until(z, 40, option, np.inf)
    assert until(z, 40, option, peak - 1e-9)[0] < 260
    assert until(z, 40, option, peak + 1e-9)[0] == 260


def test_quantile_is_the_place_that_another_number_exceeds_at_the_level() -> None:
    for level, times in ((0.05, 1), (0.05, 10), (0.3, 2), (0.01, 1)):
        count = calibration.simulations(level, times)
        numbers = np.random.default_rng(0).random((20_000, count + 1))
        exceeds = numbers[:, 0] > calibration.quantile(numbers[:, 1:], level)
        # Of count + 1 numbers without order a place is exceeded by so many of them, one in `level` where that divides.
        assert exceeds.mean() == pytest.approx(math.floor(level * (count + 1) + 1e-9) / (count + 1), abs=0.012)


def test_resampled_streams_have_the_distribution_of_the_reference_alone() -> None:
    z = np.concatenate([np.random.default_rng(0).exponential(size=(2, 500)), np.full((2, 700), 99.0)], axis=1)
    drawn = np.empty(1_200)
    for row in range(2):
        own = np.concatenate([_resampled(z, row, simulation, drawn) for simulation in range(20)])
        assert stats.ks_2samp(own, kernels.standardised(z, 500)[row, :500]).statistic < 0.05
        assert drawn[:500].mean() == pytest.approx(0, abs=1e-12)
        assert drawn[:500].std(ddof=1) == pytest.approx(1)


def _resampled(z: np.ndarray, row: int, simulation: int, drawn: np.ndarray) -> np.ndarray:
    calibration.resample(z, 500, row, simulation, KEY, drawn)
    return drawn.copy()


@pytest.mark.parametrize("name", ["page-hinkley", "adwin"])
def test_calibration_sees_the_reference_alone(name: str) -> None:
    found = []
    for data in (made("no-shift", **SMALL), made("mean-shift", shift=9.0, **SMALL)):
        z = kernels.standardised(data.watched().rewards, 100)
        if name == "adwin":
            found.append(calibration.adwin_levels(z, 100, 32, 0.2, KEY))
        else:
            found.append(calibration.page_hinkley_thresholds(z, 100, 0.005, 0.2, KEY))
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("name", "scenario"), [("page-hinkley", "clean"), ("page-hinkley", "heavy_tails(3)"), ("adwin", "clean")]
)
def test_calibrated_monitors_hold_the_level(name: str, scenario: str) -> None:
    data = made("no-shift", scenario, replications=500, horizon=400, reference=300)
    level = 0.1
    error = 4 * math.sqrt(level * (1 - level) / 500)
    problem = Problem(TASK.view(data), DEFAULTS | {"level": level}, 0)
    alarms = TASK.strategies[name].run(problem, unmeasured)
    assert (alarms < 400).mean() == pytest.approx(level, abs=error)


def test_published_thresholds_do_not_hold_the_level() -> None:
    data = made("no-shift", replications=200)
    assert figures("page-hinkley", data, threshold=50.0)["false_alarms"] > 0.5
    assert figures("page-hinkley", data, threshold=100.0)["false_alarms"] < 0.2
    assert figures("adwin", data, calibrated=False)["false_alarms"] > 0.07


def test_distances_are_those_of_scipy() -> None:
    stream = np.round(shifted(), 1)  # with ties
    apart = kernels.distances(stream, 80, 60, 40)
    assert apart.shape == (12, 5)
    for row, look in np.ndindex(apart.shape):
        window = stream[row, 80 + 40 * look : 140 + 40 * look]
        assert apart[row, look] == pytest.approx(stats.ks_2samp(stream[row, :80], window).statistic)


def test_windows_alarm_at_their_last_step() -> None:
    data = made(horizon=400, replications=5, reference=200, shift=5.0)
    alarms = run("ks-rewards", data, window=50, every=25)
    # The first window with a change in it has half of its numbers from after it.
    assert set(alarms) == {199 + 25}
    apart = kernels.distances(data.watched().rewards, 200, 50, 25)
    assert kolmogorov(math.sqrt(200 * 50 / 250) * apart[:, 7]).max() < 0.05 / 15


def test_a_window_longer_than_the_watch_sees_nothing() -> None:
    data = made(**SMALL)
    assert (run("ks-rewards", data, window=201) == 200).all()


def test_ranks_follow_their_definition() -> None:
    stream = np.round(shifted(4), 1)
    shares = kernels.ranks(stream, 30, KEY)
    for row, step in np.ndindex(shares.shape):
        past, value = stream[row, : 30 + step], stream[row, 30 + step]
        chance = float(uniforms(KEY, step, row, 0))
        expected = ((past > value).sum() + chance * (1 + (past == value).sum())) / (31 + step)
        assert shares[row, step] == pytest.approx(expected)


def test_ranks_of_what_has_no_order_are_uniform() -> None:
    stream = np.random.default_rng(1).standard_cauchy((50, 300))
    shares = kernels.ranks(stream, 100, KEY)
    assert stats.kstest(shares.ravel(), "uniform").pvalue > 0.01
    assert abs(np.corrcoef(shares[:, 1:].ravel(), shares[:, :-1].ravel())[0, 1]) < 0.03


def test_conformal_capital_follows_its_definition() -> None:
    """The mean over all sequences of jumps is the sum over the three bets, step by step."""
    shares = kernels.ranks(shifted(), 100, KEY)
    jump, expected = 0.01, []
    move = (1 - jump) * np.eye(3) + jump / 3
    for row in shares:
        flags, capital = [], {"side": np.full(3, 1 / 3), "spread": np.full(3, 1 / 3)}
        for p in row:
            for kind, value in (("side", p - 0.5), ("spread", abs(2 * p - 1) - 0.5)):
                capital[kind] = (move @ capital[kind]) * (1 + np.array([-1, 0, 1]) * value)
            flags.append(bool((capital["side"].sum() + capital["spread"].sum()) / 2 >= 20))
        expected.append(first(flags))
    assert kernels.conformal(shares, jump, 20.0).tolist() == expected
    assert len(set(expected)) > 3


def test_e_detector_sums_over_all_starts() -> None:
    z, drifts = shifted(), np.array([-1.0, 0.5])
    expected = []
    for row in z:
        steps = np.exp(drifts[:, None] * row - drifts[:, None] ** 2 / 2)
        sums = [np.cumprod(steps[:, n::-1], axis=1).sum(axis=1) for n in range(len(row))]
        expected.append(first([bool(np.mean(own) >= 2_000) for own in sums]))
    assert kernels.e_detector(z, drifts, 2_000.0).tolist() == expected
    assert len(set(expected)) > 3


def test_e_detector_holds_its_bound() -> None:
    """At most n / bar of the streams by step n, where mean and variance are known."""
    alarms = kernels.e_detector(noise(4_000, 400), np.array(monitors.DRIFTS), 400 / 0.05)
    assert (alarms < 400).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4_000)


@pytest.mark.parametrize("name", list(TASK.strategies))
def test_strategies_return_what_the_judge_takes(name: str) -> None:
    data = made(**SMALL)
    alarms = run(name, data)
    assert (alarms == run(name, data)).all()
    assert all(math.isfinite(value) for value in judge(data, alarms).metrics.values())


@pytest.mark.parametrize("name", ON_REWARDS)
def test_a_large_shift_is_found_at_once(name: str) -> None:
    found = figures(name, made(replications=50, shift=3.0))
    assert found["missed"] == 0
    assert found["delay"] <= 60


@pytest.mark.parametrize("name", ["ks-contexts", "conformal-contexts"])
def test_contexts_are_watched_apart_from_rewards(name: str) -> None:
    sizes: Any = {"replications": 50, "shift": 2.0}
    assert figures(name, made("context-shift", **sizes))["missed"] == 0
    assert figures(name, made("mean-shift", **sizes))["missed"] > 0.8
    assert figures(name.replace("contexts", "rewards"), made("context-shift", **sizes))["missed"] > 0.8


@pytest.mark.parametrize("scenario", ["clean", "heavy_tails(3)"])
def test_ranks_hold_the_level_whatever_the_distribution(scenario: str) -> None:
    data = made("no-shift", scenario, replications=1_000, horizon=500, reference=200)
    most = 0.05 + 3.7 * math.sqrt(0.05 * 0.95 / 1_000)
    assert figures("conformal-rewards", data)["false_alarms"] <= most
    assert figures("ks-rewards", data, window=100)["false_alarms"] <= most


def test_cusum_holds_the_level_where_its_threshold_is_made_for() -> None:
    data = made("no-shift", replications=1_000, horizon=1_000, reference=2_000)
    assert figures("cusum", data)["false_alarms"] == pytest.approx(0.05, abs=0.03)
    assert figures("cusum", made("no-shift", "heavy_tails(3)", replications=500))["false_alarms"] > 0.2


def test_uncorrected_windows_cry_wolf() -> None:
    data = made("no-shift", replications=500)
    assert figures("ks-rewards", data, corrected=False)["false_alarms"] > 0.3


def test_constant_streams_are_no_alarm_of_ranks() -> None:
    data = Watched(np.zeros((3, 300)), np.zeros((3, 300)), 100)
    shares = kernels.ranks(data.rewards, 100, KEY)
    assert stats.kstest(shares.ravel(), "uniform").pvalue > 0.001
