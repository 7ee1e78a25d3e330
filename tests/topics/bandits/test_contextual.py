"""Contextual worlds, and models of rewards against those of scikit-learn and scipy."""

import dataclasses
import pkgutil
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize, stats

from harness.declare import Problem
from harness.errors import UsageError
from harness.topics import bandits
from harness.topics.bandits import contextual_packages, linear
from harness.topics.bandits.contextual import judge
from harness.topics.bandits.engine import context
from harness.topics.bandits.engine import linear as engine
from harness.topics.bandits.engine.kernels import index, thompson
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.world import World

KEY = np.uint64(11)
PARAMS: dict[str, Any] = {"arms": 6, "horizon": 400, "replications": 5, "features": 4}
MAKERS = (context.linear, context.logistic, context.digits, context.flights)
Floats = npt.NDArray[np.float64]


def make(maker: Any, **changes: Any) -> World:
    world: World = maker(PARAMS | changes, np.random.default_rng(7))
    return world


def best(world: World) -> Any:
    steps = np.arange(world.horizon)[:, None]
    return world.means.argmax(axis=2)[world.stage[:, None], world.rows(steps)]


class Clock:
    """A phase that is not measured."""

    def __call__(self, _name: str) -> "Clock":
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Any:
        yield


@pytest.mark.parametrize("maker", MAKERS)
def test_contexts_have_a_constant_and_means_are_probabilities(maker: Any) -> None:
    world = make(maker)
    assert world.features is not None
    assert world.features.shape[0] == world.means.shape[1]
    assert np.isfinite(world.features).all()
    np.testing.assert_array_equal(world.features[:, 0], 1)
    assert 0 <= world.means.min() <= world.means.max() <= 1


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("drifting", [False, True])
def test_the_best_policy_loses_nothing(maker: Any, drifting: bool) -> None:
    world = make(maker)
    if drifting:
        world = context.swapped(world, np.random.default_rng(0))
    assert judge(world, best(world)).metrics == {"regret": 0, "regret_q90": 0, "best_arm": 1}


def test_linear_means_are_linear_and_logistic_ones_are_in_the_logit() -> None:
    for maker in (context.linear, context.logistic):
        world = make(maker)
        assert world.features is not None
        means = world.means[0]
        values = means if maker is context.linear else np.log(means / (1 - means))
        slopes = np.linalg.lstsq(world.features, values, rcond=None)[0]
        np.testing.assert_allclose(world.features @ slopes, values, atol=1e-9)


def test_supervised_data_pay_for_the_right_class_only() -> None:
    for maker, classes in ((context.digits, 10), (context.flights, 2)):
        means = make(maker).means[0]
        assert means.shape[1] == classes
        assert set(np.unique(means)) == {0, 1}
        assert (means.sum(axis=1) == 1).all()


def test_digits_keep_the_labels_of_their_images() -> None:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    world = make(context.digits, features=65)
    assert world.features is not None
    np.testing.assert_array_equal(world.means[0].argmax(axis=1), labels)
    # The components are a rotation of the pixels: distances stay, up to the common scale.
    ours, theirs = (np.linalg.norm(rows[:50] - rows[50:100], axis=1) for rows in (world.features, images))
    np.testing.assert_allclose(ours / ours[0], theirs / theirs[0], rtol=1e-6)


def test_after_the_drift_every_arm_means_another() -> None:
    world = make(context.linear)
    moved = context.swapped(world, np.random.default_rng(0))
    assert moved.changes == (200,)
    np.testing.assert_array_equal(moved.means[0], world.means[0])
    columns = [tuple(column) for column in world.means[0].T]
    after = [tuple(column) for column in moved.means[1].T]
    assert sorted(columns) == sorted(after)
    assert all(one != other for one, other in zip(columns, after, strict=True))
    np.testing.assert_array_equal(moved.stage, np.repeat([0, 1], 200))


def learnt(ridge: float, many: int = 50) -> tuple[Floats, Floats, Floats, Floats]:
    """Teach one of two arms, and return its inverse, its coefficients and what it was taught."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(many, 4)), rng.normal(size=many)
    inverse, theta, room = np.zeros((4, 4, 2)), np.zeros((4, 2)), np.empty(4)
    for arm in (0, 1):
        inverse[:, :, arm] = np.eye(4) / ridge
    for x, reward in zip(X, y, strict=True):
        engine.learn(inverse, theta, x, room, 1, reward)
    np.testing.assert_array_equal(theta[:, 0], 0)
    return inverse[:, :, 1], theta[:, 1], X, y


@pytest.mark.parametrize("ridge", [0.1, 1.0, 30.0])
def test_the_estimate_is_that_of_ridge_regression(ridge: float) -> None:
    from sklearn.linear_model import Ridge

    inverse, theta, X, y = learnt(ridge)
    np.testing.assert_allclose(theta, Ridge(alpha=ridge, fit_intercept=False).fit(X, y).coef_, rtol=1e-8)
    np.testing.assert_allclose(inverse, np.linalg.inv(X.T @ X + ridge * np.eye(4)), rtol=1e-8)


def test_scores_are_the_prediction_and_its_variance() -> None:
    inverse, theta, X, _ = learnt(1.0)
    value, width = np.empty(1), np.empty(1)
    engine.score(inverse[:, :, None].copy(), theta[:, None].copy(), X[0], value, width)
    assert value[0] == pytest.approx(X[0] @ theta)
    assert width[0] == pytest.approx(X[0] @ inverse @ X[0])


class BruteLinUCB:
    """Solves for the coefficients of each arm anew at each step."""

    def __init__(self, world: World, alpha: float, ridge: float) -> None:
        assert world.features is not None
        many = world.features.shape[1]
        self.A = np.tile(ridge * np.eye(many), (world.replications, world.arms, 1, 1))
        self.b = np.zeros((world.replications, world.arms, many))
        self.alpha = alpha

    def choose(self, _step: int, contexts: Any) -> Any:
        solved = np.linalg.solve(self.A, np.broadcast_to(contexts[:, None, :, None], (*self.b.shape, 1)))[..., 0]
        mean = (solved * self.b).sum(axis=2)
        width = np.sqrt((solved * contexts[:, None]).sum(axis=2))
        index = mean + self.alpha * width
        return (index >= index.max(axis=1, keepdims=True) - 1e-9).argmax(axis=1)

    def update(self, _step: int, arms: Any, rewards: Any, contexts: Any) -> None:
        places = np.arange(len(arms))
        self.A[places, arms] += contexts[:, :, None] * contexts[:, None]
        self.b[places, arms] += rewards[:, None] * contexts


@pytest.mark.parametrize("feedback", [{}, {"delay": 13}, {"batch": 20}])
def test_lin_ucb_equals_brute_force(feedback: Any) -> None:
    world = dataclasses.replace(make(context.linear), **feedback)
    expected = play(world, BruteLinUCB(world, 0.5, 2.0))
    # Rounding may break a tie another way, after which histories part.
    assert (engine.ucb(world, 0.5, 2.0) == expected).all(axis=0).mean() >= 0.8


@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_the_logistic_update_is_the_mode_of_chapelle_and_li(reward: float) -> None:
    rng = np.random.default_rng(1)
    m, q, x = rng.normal(size=(3, 2)), rng.uniform(0.5, 5, size=(3, 2)), rng.normal(size=3)
    before, precision, sign = m[:, 1].copy(), q[:, 1].copy(), 2 * reward - 1

    def loss(w: Floats) -> float:
        return float(0.5 * precision @ (w - before) ** 2 + np.logaddexp(0, -sign * w @ x))

    mode = optimize.minimize(loss, before, tol=1e-12).x
    engine.learn_logistic(m, q, x, 1, reward)
    np.testing.assert_allclose(m[:, 1], mode, atol=1e-6)
    p = 1 / (1 + np.exp(-mode @ x))
    np.testing.assert_allclose(q[:, 1], precision + x**2 * p * (1 - p), rtol=1e-6)


@pytest.mark.parametrize("logit", [-40.0, -1.0, 0.0, 30.0])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_the_step_to_the_mode_solves_its_equation(logit: float, spread: float, reward: float) -> None:
    c = engine.mode(logit, spread, reward)
    assert c == pytest.approx(reward - 1 / (1 + np.exp(-(logit + spread * c))), abs=1e-9)


def test_thompson_draws_scores_as_drawn_coefficients_would_have_them() -> None:
    """Without rewards every arm has the prior N(0, scale^2 / ridge), so the sum of many draws is normal around 0."""
    world = dataclasses.replace(make(context.linear, replications=200), delay=400)
    for kernel in (engine.thompson, engine.logistic_thompson):
        counts = np.bincount(kernel(world, 0.5, 1.0, KEY).ravel(), minlength=6)
        assert stats.chisquare(counts).pvalue > 1e-4


def test_greedy_explores_at_its_share() -> None:
    world = dataclasses.replace(make(context.linear, replications=200), delay=400)
    share = (engine.greedy(world, 0.3, 1.0, KEY) != 0).mean()
    assert share == pytest.approx(0.3 * 5 / 6, abs=4 * np.sqrt(0.25 * 0.75 / 80_000))


def test_models_beat_what_does_not_see_the_context() -> None:
    world = make(context.logistic, horizon=3_000, replications=20)
    free = min(
        judge(world, actions).metrics["regret"]
        for actions in (index.ucb1(world, 2.0), index.ucb1(world, 0.5), thompson.thompson_beta(world, KEY))
    )
    for actions in (
        engine.ucb(world, 0.5, 1.0),
        engine.thompson(world, 0.25, 1.0, KEY),
        engine.greedy(world, 0.05, 1.0, KEY),
        engine.logistic_thompson(world, 0.5, 1.0, KEY),
    ):
        assert judge(world, actions).metrics["regret"] < 0.5 * free


def test_a_context_that_says_nothing_gives_nothing() -> None:
    world = make(context.logistic, horizon=2_000, replications=20)
    assert world.features is not None
    blind = dataclasses.replace(world, features=np.ones_like(world.features[:, :1]))
    assert judge(blind, engine.ucb(blind, 0.5, 1.0)).metrics["best_arm"] == pytest.approx(1 / 6, abs=0.05)


@pytest.mark.parametrize("model", [engine.ucb, engine.logistic_thompson])
def test_bad_contexts_are_refused(model: Any) -> None:
    def kernel(world: World, scale: float, ridge: float) -> Any:
        return model(world, scale, ridge, *([KEY] if model is engine.logistic_thompson else []))

    world = make(context.linear)
    assert world.features is not None
    with pytest.raises(UsageError, match="needs a world with features"):
        kernel(dataclasses.replace(world, features=None), 0.5, 1.0)
    with pytest.raises(UsageError, match="must be finite"):
        kernel(dataclasses.replace(world, features=np.where(world.features > 1e9, 0, np.nan)), 0.5, 1.0)
    with pytest.raises(UsageError, match="ridge"):
        kernel(world, 0.5, 0.0)


def test_mabwiser_chooses_as_we_do() -> None:
    pytest.importorskip("mabwiser")
    problem = Problem(make(context.linear, horizon=60, replications=2), {}, 3)
    ours = linear.lin_ucb(problem, Clock(), alpha=0.5)
    theirs = contextual_packages.mabwiser_lin_ucb(problem, Clock(), alpha=0.5)
    np.testing.assert_array_equal(ours, theirs)


def test_obp_estimates_as_we_do() -> None:
    obp = pytest.importorskip("obp.policy")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4)), rng.normal(size=50)
    policy = obp.LinUCB(dim=4, n_actions=2, random_state=0)
    for x, reward in zip(X, y, strict=True):
        policy.update_params(1, reward, x[None])
    inverse, theta, _, _ = learnt(1.0)
    np.testing.assert_allclose(policy.A_inv[1], inverse, rtol=1e-8)
    np.testing.assert_allclose(policy.A_inv[1] @ policy.b[:, 1], theta, rtol=1e-8)


@pytest.mark.parametrize("name", ["obp_lin_ucb", "obp_logistic_ts", "mabwiser_lin_ts"])
def test_other_packages_play_our_worlds(name: str) -> None:
    pytest.importorskip(name.partition("_")[0])
    world = make(context.linear, horizon=30, replications=2)
    actions = getattr(contextual_packages, name)(Problem(world, {}, 3), Clock())
    assert judge(world, actions).metrics["regret"] > 0


def test_declaring_imports_no_library() -> None:
    names = [module.name for module in pkgutil.iter_modules(bandits.__path__) if not module.ispkg]
    assert len(names) > 10
    modules = ", ".join(f"harness.topics.bandits.{name}" for name in names)
    heavy = ("numba", "sklearn", "pandas", "pyarrow", "scipy", "obp", "mabwiser")
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
