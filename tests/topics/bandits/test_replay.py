"""The replay of a log: its world against Li et al.'s algorithm played literally, and against the log itself."""

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

pytest.importorskip("numba")

from harness.declare import Dataset
from harness.errors import InvalidOutputError, UsageError
from harness.topics._shared import open_bandit
from harness.topics.bandits.engine import linear
from harness.topics.bandits.engine.kernels import greedy, index, thompson
from harness.topics.bandits.engine.play import play
from harness.topics.bandits.engine.replay import Replay, halved, judge, read
from harness.topics.bandits.replay import replay

KEY = np.uint64(5)
SMALL: dict[str, Any] = {"arms": 3, "horizon": 40, "replications": 2_000}
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def toy(rounds: int = 400, **changes: Any) -> tuple[Replay, Ints, Floats, Floats]:
    """Make a log of three items in two contexts; what is clicked depends on both."""
    rng = np.random.default_rng(3)
    items, context = rng.integers(3, size=rounds), rng.integers(2, size=rounds)
    clicks = (rng.random(rounds) < np.array([[0.1, 0.3, 0.5], [0.6, 0.3, 0.0]])[context, items]).astype(float)
    features = np.column_stack([np.ones(rounds), context])
    return halved(items, features, clicks, SMALL | changes, np.random.default_rng(1)), items, features, clicks


class Memory:
    """Mostly chooses the item with the most clicks for each view, of its context or of all."""

    def __init__(self, replications: int, seed: int, *, sees: bool) -> None:
        self.views, self.clicks = np.zeros((2, replications, 2, 3))
        self._places, self._sees = np.arange(replications), sees
        self._chance = np.random.default_rng(seed)

    def _context(self, contexts: Any) -> Any:
        return contexts[:, 1].astype(int) if self._sees else np.zeros(len(contexts), dtype=int)

    def choose(self, _step: int, contexts: Any) -> Ints:
        at = self._places, self._context(contexts)
        best = ((self.clicks[at] + 1) / (self.views[at] + 2)).argmax(axis=1)
        chance = self._chance.random(len(best)) < 0.2
        return np.where(chance, self._chance.integers(3, size=len(best)), best)

    def update(self, _step: int, arms: Ints, rewards: Floats, contexts: Any) -> None:
        at = self._places, self._context(contexts), arms
        self.views[at] += 1
        self.clicks[at] += rewards


def replayed(world: Replay, policy: Memory, seed: int) -> tuple[Ints, Floats, float]:
    """Play algorithm 2 of Li et al. 2011: offer rounds, keep those whose item is chosen, until all have the horizon.

    Returns the items and clicks of the rounds kept, and the share of the offers that were.
    """
    rng, rates = np.random.default_rng(seed), world.means[0]
    assert world.features is not None
    count, offers = world.replications, 0
    items = np.empty((world.horizon, count), dtype=np.int64)
    clicks = np.empty((world.horizon, count))
    for step in range(world.horizon):
        waiting, rows = np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64)
        while waiting.any():
            offers += int(waiting.sum())
            rows = np.where(waiting, rng.integers(len(rates), size=count), rows)
            shown = rng.integers(3, size=count)
            clicked = rng.random(count) < rates[rows, shown]  # a round of the cell, drawn uniformly
            kept = waiting & (policy.choose(step, world.features[rows]) == shown)
            items[step, kept], clicks[step, kept] = shown[kept], clicked[kept]
            waiting &= ~kept
        policy.update(step, items[step], clicks[step], world.features[rows])
    return items, clicks, items.size / offers


@pytest.mark.parametrize("sees", [False, True])
def test_the_world_is_in_law_what_the_replay_meets(sees: bool) -> None:
    world = toy()[0]
    actions = play(world, Memory(world.replications, 1, sees=sees)).astype(np.int64)
    items, clicks, used = replayed(world, Memory(world.replications, 2, sees=sees), 3)
    paid = np.array([world.rewards(step, arms) for step, arms in enumerate(actions)])
    for ours, theirs in ((paid, clicks), *((actions == arm, items == arm) for arm in range(3))):
        totals = ours.sum(axis=0), theirs.sum(axis=0)
        assert stats.ttest_ind(*totals, equal_var=False).pvalue > 0.01
        assert stats.ks_2samp(*totals).pvalue > 0.01
    assert used == pytest.approx(1 / 3, abs=0.005)


def test_an_item_earns_its_own_click_rate_and_chance_that_of_the_log() -> None:
    items, features, clicks = toy()[1:]
    halves = [
        halved(items, features, clicks, SMALL | {"replications": 50}, np.random.default_rng(n)) for n in range(300)
    ]
    cells = [[clicks[(items == item) & (features[:, 1] == kind)].mean() for item in range(3)] for kind in (0, 1)]
    rates = np.bincount(features[:, 1].astype(int)) / len(items) @ np.array(cells)
    for item in range(3):
        earned = [judge(world, np.full((40, 50), item)).metrics for world in halves]
        for name in ("clicks", "clicks_learnt"):
            values = np.array([each[name] for each in earned]) / 1_000
            assert abs(values.mean() - rates[item]) < 4 * stats.sem(values)
    chance = np.random.default_rng(0).integers(3, size=(40, 50))
    lifts = [judge(world, chance).metrics["lift"] for world in halves]
    assert abs(np.mean(lifts) - 1) < 4 * stats.sem(lifts)
    assert halves[0].logged == pytest.approx(rates.mean())


def test_the_halves_are_the_log() -> None:
    world, items, features, clicks = toy()
    for item in range(3):
        for kind in (0, 1):
            cell = (items == item) & (features[:, 1] == kind)
            many, row = cell.sum(), np.flatnonzero(features[:, 1] == kind)[0]
            both = world.means[0, row, item], world.held_out[row, item]
            # Whichever half has the odd round, together they have all clicks.
            splits = {(many // 2, many - many // 2), (many - many // 2, many // 2)}
            assert any(
                one * both[0] + other * both[1] == pytest.approx(clicks[cell].sum())
                and one * both[0] == pytest.approx(round(one * both[0]))
                for one, other in splits
            )


def test_the_log_of_the_shop_is_read_as_it_is() -> None:
    for campaign in open_bandit.CAMPAIGNS:
        rows = open_bandit.logs(campaign)["random"]
        most = sorted(
            rows["item"].value_counts().reset_index().to_numpy().tolist(), key=lambda pair: (-pair[1], pair[0])
        )
        kept = rows[rows["item"].isin([item for item, _ in most[:10]])]
        world = read({"arms": 10, "horizon": 30, "replications": 2}, np.random.default_rng(0), campaign)
        assert world.features is not None
        assert world.features.shape == (len(kept), 5)
        # Means of cells weigh items alike: they differ from the plain rate by chance only.
        assert world.logged == pytest.approx(kept["click"].mean(), rel=0.25)
        np.testing.assert_array_equal(world.features[:, 3:].sum(axis=1) == 0, kept["position"] == 1)


@pytest.mark.parametrize("arms", ["fewest", "most"])
def test_every_number_of_items_can_be_replayed(arms: str) -> None:
    for dataset in replay.datasets:
        assert isinstance(dataset, Dataset)
        param = dataset.params["arms"]
        assert param.low is not None
        assert param.high is not None
        count = int(param.low if arms == "fewest" else param.high)
        world = dataset.load({"arms": count, "horizon": 10, "replications": 2}, np.random.default_rng(2))
        assert world.arms == count
        with pytest.raises(ValueError, match="too large"):
            param.check("arms", int(param.high) + 1)


def test_compiled_policies_play_it_and_learn_by_heart() -> None:
    world = read({"arms": 10, "horizon": 4_000, "replications": 20}, np.random.default_rng(0), "men")
    results = {
        "random": greedy.epsilon_greedy(world, np.ones(4_000), KEY),
        "ucb1": index.ucb1(world, 0.01),
        "thompson": thompson.thompson_beta(world, KEY),
        "lin-ucb": linear.ucb(world, 0.1, 1.0),
    }
    judged = {name: judge(world, actions).metrics for name, actions in results.items()}
    assert judged["random"]["lift"] == pytest.approx(world.held_out.mean() / world.logged, rel=0.03)
    for name in ("ucb1", "thompson", "lin-ucb"):
        assert judged[name]["clicks_learnt"] > judged["random"]["clicks_learnt"], name


def test_what_cannot_be_judged_or_halved_is_refused() -> None:
    world, items, features, clicks = toy()
    with pytest.raises(InvalidOutputError, match="expected arms of shape"):
        judge(world, np.zeros((3, 3), dtype=int))
    for few, none in ((slice(0, 8), clicks), (slice(None), 0 * clicks)):
        with pytest.raises(UsageError, match="set fewer arms"):
            halved(items[few], features[few], none[few], SMALL, np.random.default_rng(0))


def test_declaring_imports_no_library() -> None:
    heavy = ("numba", "pandas", "pyarrow", "scipy")
    code = f"import sys, harness.topics.bandits.replay; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
