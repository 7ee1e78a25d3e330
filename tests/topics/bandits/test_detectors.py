"""Detectors of change against closed forms and brute force, and the policies that trust them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import rel_entr

from harness.errors import UsageError
from harness.topics.bandits.engine.detectors import cusum, glr, halves
from harness.topics.bandits.engine.kernels import kl
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.world import World, uniform

KEY = np.uint64(11)
EXPLORE, WHICH = 1_000_000, 1_000_001
Floats = npt.NDArray[np.float64]
STREAMS = 1_000


def streams(seed: int, steps: int, mean: float = 0.5, after: float | None = None, change: int = 0) -> Floats:
    """Draw streams of 0 and 1 whose mean changes at a step."""
    means = np.where(np.arange(steps) < change, mean, mean if after is None else after)
    return (np.random.default_rng(seed).random((STREAMS, steps)) < means).astype(float)


def divergence(p: float, q: float) -> float:
    return float(rel_entr(p, q) + rel_entr(1 - p, 1 - q))


def brute_glr(rewards: Floats, thin: int) -> float:
    n, mean = len(rewards), rewards.mean()
    return max(
        s * divergence(rewards[:s].mean(), mean) + (n - s) * divergence(rewards[s:].mean(), mean)
        for s in range(1, n, thin)
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=80), st.integers(1, 7))
def test_glr_equals_brute_force(rewards: list[float], thin: int) -> None:
    ones = np.concatenate([[0], np.cumsum(rewards)]).astype(np.int64)
    found = glr.ratio(ones, len(rewards), thin, glr.logs(len(rewards)))
    assert found == pytest.approx(brute_glr(np.array(rewards), thin), abs=1e-9)


def test_glr_of_a_constant_stream_is_nothing() -> None:
    ones = np.arange(51, dtype=np.int64)
    assert glr.ratio(ones, 50, 1, glr.logs(50)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("mean", [0.1, 0.5])
def test_glr_keeps_its_level_of_false_alarms(mean: float) -> None:
    """At most a share delta of endless stationary streams raises an alarm (Besson et al. 2022)."""
    alarms = np.array([glr.alarm(stream, 0.05, 1, 1) for stream in streams(1, 300, mean)[:500]])
    assert (alarms > 0).mean() <= 0.05


def test_glr_is_late_by_the_threshold_over_the_information() -> None:
    """A change from .2 to .8 at half of 400 rewards is detected when the ratio reaches log(n^1.5 / delta) = 13.5.

    With x rewards of the new kind after 200 the expected ratio is 200 KL(.2, m) + x KL(.8, m), m their mean.
    """
    waits = np.array([glr.alarm(stream, 0.01, 1, 1) for stream in streams(2, 400, 0.2, 0.8, 200)[:300]]) - 200

    def gap(x: float) -> float:
        mixed = (200 * 0.2 + x * 0.8) / (200 + x)
        return 200 * divergence(0.2, mixed) + x * divergence(0.8, mixed) - 1.5 * math.log(200 + x) - math.log(100)

    expected = optimize.brentq(gap, 1, 200)
    late = waits[waits > 0]
    assert len(late) > 290
    assert late.mean() == pytest.approx(expected, rel=0.25)


def run_length(mean: float, slack: float, threshold: float, grid: float) -> float:
    """Solve for the expected number of rewards to an alarm of a two-sided CUSUM around .5, a Markov chain on a grid."""
    many = math.floor(threshold / grid + 1e-9) + 1
    rise, fall = round((0.5 - slack) / grid), round((0.5 + slack) / grid)
    system, size = np.eye(many * many), many * many
    for up in range(many):
        for down in range(many):
            for chance, above, below in ((mean, rise, -fall), (1 - mean, -fall, rise)):
                u, d = max(up + above, 0), max(down + below, 0)
                if u < many and d < many:
                    system[up * many + down, u * many + d] -= chance
    return float(np.linalg.solve(system, np.ones(size))[0])


@pytest.mark.parametrize("mean", [0.5, 0.6, 0.8])
def test_cusum_runs_as_long_as_its_markov_chain(mean: float) -> None:
    """Without and with a change; the two warm rewards are made to have the mean .5."""
    warm = np.broadcast_to([0.0, 1.0], (STREAMS, 2))
    rewards = np.concatenate([warm, streams(3, 3_000, mean)], axis=1)
    runs = np.array([cusum.alarm(stream, 2, 0.1, 2.1) for stream in rewards]) - 2
    assert (runs > 0).all()
    error = runs.std() / math.sqrt(STREAMS)
    assert runs.mean() == pytest.approx(run_length(mean, 0.1, 2.1, 0.1), abs=4 * error)


def test_cusum_is_late_by_less_than_walds_bound() -> None:
    """After a rise by .4 the sum grows by .3 a reward on average, and overshoots 8 by less than 1."""
    warm = np.tile([0.0, 1.0], (STREAMS, 25))
    rewards = np.concatenate([warm, streams(4, 300, 0.9)], axis=1)
    waits = np.array([cusum.alarm(stream, 50, 0.1, 8) for stream in rewards]) - 50
    assert 8 / 0.3 * 0.9 < waits.mean() <= 9 / 0.3


def test_halves_raise_a_false_alarm_as_often_as_two_binomials_differ() -> None:
    """At the first full window the sums of its halves are independent and binomial."""
    window, threshold = 20, 5.0
    first = np.array([halves.alarm(stream[:window], window, threshold) for stream in streams(5, window)])
    counts = np.arange(window // 2 + 1)
    chances = stats.binom.pmf(counts, window // 2, 0.5)
    differ = np.abs(counts[:, None] - counts) > threshold
    expected = float(chances @ differ @ chances)
    assert (first == window).mean() == pytest.approx(expected, abs=4 * math.sqrt(expected / STREAMS))
    # Hoeffding's bound, which the threshold of the theory is made from (Cao et al. 2019).
    assert expected <= 2 * math.exp(-2 * threshold**2 / window)


@pytest.mark.parametrize("alarm", [cusum.alarm, halves.alarm])
def test_what_does_not_change_raises_no_alarm(alarm: Any) -> None:
    rewards = np.ones(500)
    arguments = (20, 0.1, 3.0) if alarm is cusum.alarm else (20, 3.0)
    assert alarm(rewards, *arguments) == 0


def world(seed: int, **fields: Any) -> World:
    rng = np.random.default_rng(seed)
    means = rng.random((3, 1, 3))
    return World(means, np.repeat(np.arange(3), 120), 3, np.uint64(seed), **fields)


class Brute:
    """Keeps what each arm paid since its last restart, and asks the detectors of streams."""

    def __init__(self) -> None:
        self.paid: list[list[list[float]]] = [[[] for _ in range(3)] for _ in range(3)]
        self.since, self.episode, self.learned = [0] * 3, [1] * 3, 0

    def update(self, _step: int, arms: Any, rewards: Any, _contexts: Any) -> None:
        self.learned += 1
        for replication, (arm, reward) in enumerate(zip(arms, rewards, strict=True)):
            stream = self.paid[replication][arm]
            stream.append(reward)
            if self.alarmed(np.array(stream), replication):
                self.restart(replication, arm)

    def restart(self, replication: int, _arm: int) -> None:
        self.paid[replication] = [[] for _ in range(3)]
        self.since[replication] = self.learned
        self.episode[replication] += 1

    def alarmed(self, stream: Floats, replication: int) -> bool:
        raise NotImplementedError

    def choose(self, step: int, _contexts: Any) -> Any:
        return np.array([self.one(step, replication) for replication in range(3)])

    def one(self, step: int, replication: int) -> int:
        raise NotImplementedError

    def first_untried(self, step: int, replication: int) -> int | None:
        turns = [(step + arm) % 3 for arm in range(3)]
        return next((arm for arm in turns if not self.paid[replication][arm]), None)

    def ucb(self, step: int, replication: int, steps: float, xi: float) -> int:
        untried = self.first_untried(step, replication)
        if untried is not None:
            return untried
        level = xi * math.log(max(steps, 1))
        streams = self.paid[replication]
        return int(np.argmax([sum(s) / len(s) + math.sqrt(level / len(s)) for s in streams]))


class Cusum(Brute):
    def __init__(self, everything: bool) -> None:
        super().__init__()
        self._everything = everything

    def alarmed(self, stream: Floats, replication: int) -> bool:
        return cusum.alarm(stream, 8, 0.1, 3.0) > 0

    def restart(self, replication: int, arm: int) -> None:
        if self._everything:
            super().restart(replication, arm)
        else:
            self.paid[replication][arm] = []

    def one(self, step: int, replication: int) -> int:
        if uniform(KEY, step, replication, EXPLORE) < 0.1:
            return int(uniform(KEY, step, replication, WHICH) * 3)
        return self.ucb(step, replication, sum(map(len, self.paid[replication])), 0.5)


class Halves(Brute):
    def alarmed(self, stream: Floats, replication: int) -> bool:
        return halves.alarm(stream, 20, 5.0) > 0

    def one(self, step: int, replication: int) -> int:
        turn = (step - self.since[replication]) % 30  # 3 arms, each at a thirtieth of the steps
        return turn if turn < 3 else self.ucb(step, replication, step - self.since[replication] + 1, 0.5)


class Glr(Brute):
    """Follows what was played, and checks that it was the largest index, or one that ties with it."""

    def __init__(self, played: Any) -> None:
        super().__init__()
        self.played = played

    def alarmed(self, stream: Floats, replication: int) -> bool:
        if (self.learned - self.since[replication]) % 5 or len(stream) < 2:
            return False
        return brute_glr(stream, 2) > 1.5 * math.log(len(stream)) + math.log(1 / 0.2)

    def one(self, step: int, replication: int) -> int:
        past = step - self.since[replication]
        turn = past % max(int(3 / (0.1 * math.sqrt(self.episode[replication]))), 3)
        if turn < 3:
            return turn
        untried = self.first_untried(step, replication)
        if untried is not None:
            return untried
        bounds = [self.bound(np.array(stream), math.log(past + 1)) for stream in self.paid[replication]]
        followed = int(self.played[step, replication])
        assert bounds[followed] >= max(bounds) - 1e-6
        return followed

    @staticmethod
    def bound(stream: Floats, level: float) -> float:
        mean = stream.mean()
        edge = 1 - 1e-12
        if mean >= 1 or len(stream) * divergence(mean, edge) <= level:
            return 1.0
        return float(optimize.brentq(lambda q: len(stream) * divergence(mean, q) - level, mean, edge, xtol=1e-12))


FEEDBACK: list[dict[str, int]] = [{}, {"delay": 7}, {"delay": 3, "batch": 10}]


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("everything", [False, True])
def test_cusum_ucb_equals_brute_force(feedback: Any, everything: bool) -> None:
    played = cusum.cusum_ucb(world(1, **feedback), 8, 0.1, 3.0, 0.1, 0.5, KEY, everything=everything)
    np.testing.assert_array_equal(played, play(world(1, **feedback), Cusum(everything)))


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_m_ucb_equals_brute_force(feedback: Any) -> None:
    brute = Halves()
    np.testing.assert_array_equal(
        halves.m_ucb(world(2, **feedback), 20, 5.0, 0.1, 0.5), play(world(2, **feedback), brute)
    )
    assert max(brute.episode) > 1


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_glr_kl_ucb_equals_brute_force(feedback: Any) -> None:
    played = glr.glr_kl_ucb(world(3, **feedback), 0.2, 0.1, 5, 2, KEY)
    brute = Glr(played)
    np.testing.assert_array_equal(played, play(world(3, **feedback), brute))
    assert max(brute.episode) > 1


def test_a_policy_that_restarts_follows_where_the_plain_one_stays() -> None:
    means = np.full((2, 1, 10), 0.2)
    means[:, 0, 3], means[1, 0, 1] = 0.6, 0.95
    moving = World(means, np.repeat(np.arange(2), 3_000), 30, np.uint64(5), changes=(3_000,))
    share = [
        (actions[-1_000:] == 1).mean()
        for actions in (
            glr.glr_kl_ucb(moving, 0.01, 0.1, 10, 5, KEY),
            halves.m_ucb(moving, 60, 12.0, 0.1, 0.5),
            cusum.cusum_ucb(moving, 20, 0.1, 5.0, 0.1, 0.5, KEY),
            kl.kl_ucb(moving, 0.0),
        )
    ]
    assert min(share[:3]) > 0.75 > share[3]


def test_bad_options_are_refused() -> None:
    with pytest.raises(UsageError, match="share of steps that explore"):
        halves.m_ucb(world(0), 20, 5.0, 1.5, 0.5)
    with pytest.raises(UsageError, match="probability of a false alarm"):
        glr.glr_kl_ucb(world(0), 0.0, 0.1, 5, 2, KEY)
    with pytest.raises(UsageError, match="at least one reward"):
        cusum.cusum_ucb(world(0), 0, 0.1, 3.0, 0.1, 0.5, KEY)
