"""Policies on arms with constant means: compiled ones against numpy and scipy, all against theory."""

import importlib
import math
import pkgutil
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from unmeasured import unmeasured

from harness.declare import Problem
from harness.topics import bandits
from harness.topics.bandits import stationary
from harness.topics.bandits.engine.judge import judge, lai_robbins, regret
from harness.topics.bandits.engine.kernels import draws as fast
from harness.topics.bandits.engine.kernels import greedy, index, kl, thompson, tuned
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.world import World, bits, key_of, uniforms

PARAMS: Any = {"horizon": 400, "replications": 12, "arms": 5, "spread": 0.4, "threads": 1}
KEY = np.uint64(99)
FEEDBACK: list[dict[str, Any]] = [{}, {"delay": 30}, {"batch": 20}, {"delay": 7, "batch": 5}]
for part in pkgutil.iter_modules(bandits.__path__):
    importlib.import_module(f"{bandits.__name__}.{part.name}")
STRATEGIES = list(stationary.task.strategies)


@pytest.fixture(scope="module")
def task() -> Any:
    return stationary.task


def world(kind: str = "bernoulli", **changes: Any) -> World:
    fields = {name: changes.pop(name) for name in ("delay", "batch") if name in changes}
    made: World = getattr(stationary, kind)(PARAMS | changes, np.random.default_rng(0))
    return replace(made, **fields)


def chosen(task: Any, name: str, data: World, seed: int = 0, **options: Any) -> np.ndarray:
    problem = Problem(data, PARAMS, seed)
    return np.asarray(task.strategies[name].run(problem, unmeasured, **options))


class Tally:
    """What each arm has paid in each replication so far."""

    def __init__(self, replications: int, arms: int) -> None:
        self.pulls, self.sums, self.squares = np.zeros((3, replications, arms))
        self._places = np.arange(replications)

    def add(self, arms: Any, rewards: Any) -> None:
        self.pulls[self._places, arms] += 1
        self.sums[self._places, arms] += rewards
        self.squares[self._places, arms] += rewards**2

    def or_untried(self, step: int, values: Any) -> Any:
        """Return the first arm with the largest value, or the arms in turn until all have a reward."""
        untried = self.pulls.min(axis=1) == 0
        return np.where(untried, step % self.pulls.shape[1], values.argmax(axis=1))


class Index:
    """UCB1 and MOSS in numpy."""

    def __init__(self, made: World, bound: Any) -> None:
        self.tally = Tally(made.replications, made.arms)
        self.bound = bound

    def choose(self, step: int, _: Any) -> Any:
        pulls = np.maximum(self.tally.pulls, 1)
        return self.tally.or_untried(step, self.bound(max(step, 1), self.tally.sums / pulls, pulls))

    def update(self, _step: int, arms: Any, rewards: Any, _: Any) -> None:
        self.tally.add(arms, rewards)


class Tuned(Index):
    """UCB-tuned in numpy."""

    def __init__(self, made: World) -> None:
        super().__init__(made, self.index)

    def index(self, step: int, means: Any, pulls: Any) -> Any:
        share = np.log(step) / pulls
        variances = self.tally.squares / pulls - means**2
        return means + np.sqrt(share * np.minimum(0.25, variances + np.sqrt(2 * share)))


class Greedy(Index):
    """Epsilon-greedy in numpy, with the coins of the kernel."""

    def __init__(self, made: World, shares: Any) -> None:
        super().__init__(made, lambda _step, means, _pulls: means)
        self.shares = shares
        self.places = np.arange(made.replications)

    def choose(self, step: int, _: Any) -> Any:
        explored = (uniforms(KEY, step, self.places, 1) * self.tally.pulls.shape[1]).astype(int)
        by_chance = uniforms(KEY, step, self.places, 0) < self.shares[step]
        return np.where(by_chance, explored, super().choose(step, None))


class Gaussian(Index):
    """Thompson sampling in numpy, with the draws of the kernel."""

    def __init__(self, made: World, sigma: float) -> None:
        super().__init__(made, None)
        self.sigma = sigma

    def choose(self, step: int, _: Any) -> Any:
        pulls = self.tally.pulls + 1
        words = [np.uint64(bits(KEY, step, place, arm)) for place, arm in np.ndindex(pulls.shape)]
        draws = np.array([fast.gaussian(word) for word in words]).reshape(pulls.shape)
        return (self.tally.sums / pulls + self.sigma / np.sqrt(pulls) * draws).argmax(axis=1)


class Beta(Index):
    """Thompson sampling in numpy; the kernel's draw of every place."""

    def __init__(self, made: World) -> None:
        super().__init__(made, None)

    def choose(self, step: int, _: Any) -> Any:
        a, b = 1 + self.tally.sums, 1 + self.tally.pulls - self.tally.sums
        draws = np.empty_like(a)
        for (place, arm), _ in np.ndenumerate(a):
            one, other = float(a[place, arm]), float(b[place, arm])
            first, second = fast.constants(one, other)
            draws[place, arm] = fast.beta(one, other, first, second, np.uint64(bits(KEY, step, place, arm)))
        return draws.argmax(axis=1)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("xi", [2.0, 0.5])
def test_ucb1_is_ucb1(feedback: dict[str, Any], kind: str, xi: float) -> None:
    made = world(kind=kind, **feedback)
    own = play(made, Index(made, lambda step, means, n: means + np.sqrt(xi * np.log(step)) * (1 / np.sqrt(n))))
    np.testing.assert_array_equal(index.ucb1(made, xi), own)


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_moss_is_moss(feedback: dict[str, Any]) -> None:
    made = world(**feedback)
    own = play(made, Index(made, lambda _, means, n: means + np.sqrt(np.maximum(np.log(400 / (5 * n)), 0) / n)))
    np.testing.assert_array_equal(index.moss(made, 400), own)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_ucb_tuned_is_ucb_tuned(feedback: dict[str, Any], kind: str) -> None:
    made = world(kind=kind, **feedback)
    np.testing.assert_array_equal(tuned.ucb_tuned(made), play(made, Tuned(made)))


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_epsilon_greedy_is_epsilon_greedy(feedback: dict[str, Any], kind: str) -> None:
    made = world(kind=kind, **feedback)
    shares = np.minimum(1, 20 / np.arange(1, 401))
    np.testing.assert_array_equal(greedy.epsilon_greedy(made, shares, KEY), play(made, Greedy(made, shares)))


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_gaussian_thompson_is_gaussian_thompson(feedback: dict[str, Any]) -> None:
    made = world(kind="gaussian", **feedback)
    np.testing.assert_array_equal(thompson.thompson_gaussian(made, 0.5, KEY), play(made, Gaussian(made, 0.5)))


@pytest.mark.parametrize("feedback", FEEDBACK[:3])
def test_beta_thompson_is_beta_thompson(feedback: dict[str, Any]) -> None:
    made = world(**feedback, horizon=150, replications=4)
    np.testing.assert_array_equal(thompson.thompson_beta(made, KEY), play(made, Beta(made)))


def divergence(p: float, q: float) -> float:
    def term(a: float, b: float) -> float:
        return 0.0 if a == 0 else a * math.log(a / b)

    return term(p, q) + term(1 - p, 1 - q)


def largest_mean(p: float, n: float, level: float) -> float:
    """KL-UCB's index by a library's root finding."""
    if p == 1:
        return 1.0
    edge = 1 - 1e-15
    if n * divergence(p, edge) <= level:
        return edge
    return float(optimize.brentq(lambda q: n * divergence(p, q) - level, p, edge, xtol=1e-14, rtol=1e-14))


@pytest.mark.parametrize("start", [0.0, 0.3, 0.999999, 1.0])
def test_index_of_kl_ucb_is_the_root(start: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(1, 5_000))
        successes = int(rng.integers(0, n)) if rng.random() < 0.8 else int(rng.choice([0, n - 1]))
        p, level = successes / n, float(rng.uniform(0, 12))
        found, slope = kl.solve(p, p * math.log(p) + (1 - p) * math.log(1 - p) if p else 0.0, n, level, start)
        exact = largest_mean(p, n, level)
        assert found == pytest.approx(exact, abs=1e-6)
        # The tangent in the level is an upper bound later on.
        assert found + slope >= largest_mean(p, n, level + 1) - 1e-6


@pytest.mark.parametrize("level", [0.0, 1e-12, 1e-6])
def test_index_of_kl_ucb_at_hardly_any_level_is_the_mean(level: float) -> None:
    p = 0.3
    found, _ = kl.solve(p, p * math.log(p) + 0.7 * math.log(0.7), 10, level, 0.5)
    assert found == pytest.approx(largest_mean(p, 10, level), abs=1e-6)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("c", [0.0, 3.0])
def test_kl_ucb_chooses_the_largest_index_at_every_step(feedback: dict[str, Any], c: float) -> None:
    made = world(**feedback, replications=2, horizon=200)
    actions = kl.kl_ucb(made, c)
    for place in range(2):
        pulls, sums, learned = np.zeros(5), np.zeros(5), 0
        for step in range(200):
            while learned < made.seen(step):
                arm = int(actions[learned, place])
                pulls[arm] += 1
                sums[arm] += made.rewards(learned, np.asarray(actions[learned], dtype=np.int64))[place]
                learned += 1
            if pulls.min() == 0:
                assert actions[step, place] == step % 5
                continue
            level = math.log(step) + c * math.log(max(math.log(step), 1))
            bounds = [largest_mean(sums[arm] / pulls[arm], pulls[arm], level) for arm in range(5)]
            assert bounds[actions[step, place]] >= max(bounds) - 1e-6


def test_kl_ucb_survives_means_outside_of_its_range() -> None:
    actions = kl.kl_ucb(world(kind="gaussian", spread=0.6, horizon=300), 0.0)
    assert set(np.unique(actions)) <= set(range(5))


@pytest.mark.parametrize(
    ("a", "b"), [(1, 1), (1, 7), (5, 1), (1.5, 2.25), (2, 9), (30, 4), (40, 40), (2, 3_000), (5_000, 4_000)]
)
def test_draws_from_beta_follow_scipy(a: float, b: float) -> None:
    draws, normals = np.empty((2, 40_000))
    fast.fill(float(a), float(b), KEY, draws, normals)
    assert stats.kstest(draws, stats.beta(a, b).cdf).pvalue > 1e-3
    assert draws.mean() == pytest.approx(a / (a + b), abs=5 * stats.beta(a, b).std() / 200)
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / 200


def test_draws_by_the_ziggurat_are_normal_out_to_the_tail() -> None:
    draws, normals = np.empty((2, 1_000_000))
    fast.fill(1.0, 1.0, KEY, draws, normals)
    edges = np.array([-5, -4, -3.654, -3, -2, -1, -0.3, 0, 0.3, 1, 2, 3, 3.654, 4, 5])
    counts, _ = np.histogram(normals, np.concatenate([[-np.inf], edges, [np.inf]]))
    shares = np.diff(stats.norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]])))
    many = shares * len(normals) > 5
    expected = shares[many] / shares[many].sum() * counts[many].sum()
    assert stats.chisquare(counts[many], expected).pvalue > 1e-3
    assert stats.kstest(normals[::4], "norm").pvalue > 1e-3


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("feedback", FEEDBACK)
def test_strategies_return_arms_and_repeat_themselves(task: Any, name: str, feedback: dict[str, Any]) -> None:
    made = world(kind="gaussian", **feedback, horizon=120)
    for array in (made.means, made.stage):
        array.flags.writeable = False
    first = chosen(task, name, made)
    assert first.shape == (120, 12)
    judge(made, first)
    np.testing.assert_array_equal(first, chosen(task, name, made))


@pytest.mark.parametrize("name", ["random", "epsilon-greedy", "thompson-beta", "thompson-gaussian", "exp3"])
def test_the_seed_matters_where_chance_chooses(task: Any, name: str) -> None:
    made = world(horizon=100)
    assert (chosen(task, name, made, seed=0) != chosen(task, name, made, seed=1)).any()


def test_random_chooses_every_arm_alike(task: Any) -> None:
    counts = np.bincount(chosen(task, "random", world(horizon=2_000)).ravel())
    assert stats.chisquare(counts).pvalue > 1e-3


def test_greedy_stays_with_what_is_best_so_far(task: Any) -> None:
    made = world(kind="gaussian")
    actions = chosen(task, "greedy", made)
    np.testing.assert_array_equal(actions[:5], np.tile(np.arange(5)[:, None], 12))
    np.testing.assert_array_equal(actions, play(made, Index(made, lambda _step, means, _n: means)))


def test_epsilon_explores_at_its_share_of_steps(task: Any) -> None:
    made = world(spread=0.6, arms=2, horizon=2_000)
    share = 1 - judge(made, chosen(task, "epsilon-greedy", made, epsilon=0.2)).metrics["best_arm"]
    assert share == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("name", ["epsilon-decayed", "ucb-tuned", "kl-ucb", "moss", "thompson-beta"])
def test_policies_come_near_the_limit_and_random_does_not(task: Any, name: str) -> None:
    made = world(horizon=3_000, replications=40)
    limit = float(lai_robbins(made)[0] * math.log(3_000))
    assert regret(made, chosen(task, name, made)).sum(axis=0).mean() < 2.5 * limit
    assert regret(made, chosen(task, "random", made)).sum(axis=0).mean() > 5 * limit


def test_ucb_tuned_narrows_where_rewards_vary_little(task: Any) -> None:
    sure = world(spread=0.6, horizon=1_000, replications=20)
    tuned, plain = (regret(sure, chosen(task, name, sure)).sum() for name in ("ucb-tuned", "ucb1"))
    assert tuned < plain / 2


@pytest.mark.parametrize("name", ["epsilon-greedy", "thompson-beta", "kl-ucb", "exp3"])
def test_two_arms_and_many_arms_are_played(task: Any, name: str) -> None:
    for arms in (2, 130):
        made = world(arms=arms, horizon=150)
        assert chosen(task, name, made).max() == arms - 1


def test_a_policy_of_twenty_lines_is_played(task: Any) -> None:
    made = world()
    judged = task.judge(made, play(made, Index(made, lambda _step, means, n: means + 1 / n)))
    assert 0 < judged.metrics["regret"] < 0.4 * 400


def test_keys_of_policies_differ_from_those_of_rewards() -> None:
    assert key_of(np.random.default_rng(0)) != world().key


def test_declaring_imports_no_library() -> None:
    modules = [part.name for part in pkgutil.iter_modules(bandits.__path__) if not part.ispkg]
    code = (
        f"import sys, {', '.join(f'harness.topics.bandits.{name}' for name in modules)}; "
        "print([name for name in sys.modules if name in ('numba', 'obp', 'mabwiser') or 'bandits.engine' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
