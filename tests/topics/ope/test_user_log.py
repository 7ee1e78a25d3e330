"""A user's log: an invalid one is refused with one sentence before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from support import Project, write_csv_card
from topics.ope.logs import tiny

from harness.errors import DeclarationError, UsageError
from harness.topics.ope import topic
from harness.topics.ope.engine import judge
from harness.topics.ope.engine.log import Log
from harness.topics.ope.engine.user_log import recorded
from harness.topics.ope.engine.worlds import Recorded, Replications, view
from harness.topics.ope.user_log import log_dataset

FILE = """
import numpy as np
from harness.topics.ope.user_log import log_dataset

@log_dataset("mine", summary="a log of our own", version="2026-05")
def mine():
    from harness.topics.ope.engine.log import Log
    logging = np.tile([0.5, 0.5, 0.0], (40, 1))
    log = dict(actions=np.arange(40) % 2, rewards=np.arange(40) % 5 == 0, propensities=np.full(40, 0.5),
               target=np.tile([0.25, 0.5, 0.25], (40, 1)), reward_range=(0, 1), logging=logging)
    {change}
    return Log(**log), 0.25
"""


def changed(**changes: Any) -> Callable[[], Any]:
    fields = {name: getattr(tiny(), name) for name in Log.__dataclass_fields__} | changes
    return lambda: (Log(**fields), 0.5)


def fails() -> Any:
    return dict[str, Any]()["clicks"]


def missing() -> Any:
    raise FileNotFoundError("no clicks.parquet\nanywhere")


BAD: list[tuple[Callable[[], Any], str]] = [
    (changed(propensities=None), "the log has no propensities"),
    (changed(propensities=[0.5, None, 0.5, 0.5]), "propensity of round 1 is missing"),
    (changed(propensities=[0.5, 0.0, 0.5, 0.5]), "propensity of round 1 is 0"),
    (changed(target=[[0.5, 0.5, 0.5]] * 4), r"target policy in round 0 sum to 1\.5"),
    (changed(actions=[0, 1, 2, 3]), "round 3 took action 3, but the target policy knows 0 to 2"),
    (changed(actions=["a", "b", "c", "a"]), "actions must be whole numbers from 0 on"),
    (changed(rewards=[0, 1, 7, 1]), "reward of round 2 is 7, outside of the declared range 0 to 1"),
    (changed(rewards=[0, 1, None, 1]), "reward of round 2 is missing"),
    (changed(rewards=["no", "no", "yes", "no"]), "rewards must be numbers"),
    (changed(target=[[1.0], [0.5, 0.5], [1.0], [1.0]]), "target must be numbers in rows of equal length"),
    (changed(contexts=[[0.0], [1.0], [float("nan")], [0.0]]), "context of round 2 contains NaN"),
    (changed(embeddings=[[0.5], [0.1], [0.2]]), "embeddings must be whole numbers"),
    (changed(actions=[], rewards=[], propensities=[], target=np.zeros((0, 3))), "the log is empty"),
    (changed(actions=[0] * 4, target=np.ones((4, 1)), logging=None, embeddings=None), "the log has one action"),
    (changed(reward_range=1), "reward_range must be the smallest and the largest possible reward"),
    (tiny, "must return a Log and the value of the target policy"),
    (lambda: (tiny(), "much"), "value of the target policy must be a number, not 'much'"),
    (changed(propensities=[1.0] * 4), "propensity of round 0 is 1, but the logging policy takes its action with prob"),
    (changed(propensities=[0.5, 1e-300, 0.5, 0.5]), "propensity of round 1 is 1e-300, but it must be at least 1e-100"),
    (changed(target=[[0.333, 0.333, 0.333]] * 4), r"target policy in round 0 sum to 0\.999 instead of 1"),
    (changed(target=[[0.33334, 0.33334, 0.33334]] * 4), r"sum to 1\.00002 instead of 1 \(more than 1e-05 off\)"),
    (lambda: (tiny(), float("nan")), "value of the target policy is nan, outside of the declared range"),
    (fails, "its log cannot be read: KeyError: 'clicks'"),
    (missing, "its log cannot be read: FileNotFoundError: no clicks.parquet anywhere"),
]


@pytest.mark.parametrize(("read", "said"), BAD)
def test_says_in_one_sentence_what_is_wrong(read: Callable[[], Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        recorded("mine", read)
    assert str(error.value).startswith("data set mine: ")
    assert "\n" not in str(error.value)


def test_any_sequences_make_a_log() -> None:
    log = recorded("mine", changed(rewards=[True, True, False, True], target=tiny().target.tolist())).log
    np.testing.assert_array_equal(log.rewards, [1, 1, 0, 1])
    np.testing.assert_array_equal(log.target, tiny().target)


def test_rewards_that_float32_rounded_beyond_their_range_are_moved_back_to_it() -> None:
    log = replace(tiny(), reward_range=(0.0, 0.1))
    log = recorded("x", lambda: (replace(log, rewards=np.full(4, 0.1, np.float32)), 0.05)).log
    np.testing.assert_array_equal(log.rewards, np.full(4, 0.1))


def test_without_a_value_to_divide_by_there_is_no_relative_error() -> None:
    made = recorded("x", lambda: (replace(tiny(), reward_range=(-1.0, 1.0)), 0.0))
    judged = judge.value(Replications((made,), 3, 0), np.array([0.1, -0.1, 0.3]))
    assert judged.metrics["bias"] == pytest.approx(0.1)
    assert set(judged.undefined) == {"relative_error", "relative_error_tail"}
    assert not set(judged.undefined) & set(judged.metrics)


def test_a_propensity_of_one_leaves_nothing_to_other_actions() -> None:
    """Half of the target is on the action not taken, whether or not the log states the policy."""
    actions, target = np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)
    log = Log(actions, np.ones(4), np.ones(4), target, (0, 1))
    assert Recorded(log, 0.5).overlap() == (1.0, 0.5)
    assert Recorded(replace(log, logging=np.eye(2)[actions]), 0.5).overlap() == (1.0, 0.5)


def test_the_share_of_unsupported_actions_is_computed() -> None:
    """From the logging probabilities if they are known, else from the actions that occur in no round."""
    known = recorded("mine", changed())
    assert known.overlap()[1] == 0
    actions = np.array([0, 1, 1, 1])
    unseen = recorded("mine", changed(actions=actions, logging=None))
    assert unseen.overlap()[1] == pytest.approx(tiny().target[:, 2].mean())


def test_a_table_is_no_log() -> None:
    with pytest.raises(UsageError, match="needs a log, not a table: declare it with log_dataset"):
        view({"age": [1, 2]})  # type: ignore[arg-type]
    assert view(Replications((recorded("mine", changed()),), 2, 0)).replications == 2


def test_a_name_is_taken_once() -> None:
    before = topic.tasks["value-real"]
    with pytest.raises(DeclarationError, match="has a data set 'digits-bandit' already"):
        log_dataset("digits-bandit")(lambda: (tiny(), 0.5))
    assert topic.tasks["value-real"] is before


def project(folder: Path, change: str = "") -> Project:
    (folder / "my_log.py").write_text(FILE.format(change=change))
    (folder / "bakeoff.toml").write_text('topics = ["my_log.py"]\n')
    return Project(folder)


def test_a_bad_log_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    made = project(tmp_path, 'log["propensities"][3] = 0')
    done = made.bakeoff("run", "ope/value-real", "-d", "mine", code=2)
    said = "error: data set mine: the propensity of round 3 is 0, but it must be above 0 and at most 1 (so in 1 rounds)"
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not made.runs()


def test_a_table_that_joins_by_its_card_is_refused(tmp_path: Path) -> None:
    made = project(tmp_path)
    write_csv_card(tmp_path / "datasets", "table", tasks=["ope/value-real"])
    done = made.bakeoff("run", "ope/value-real", "-d", "mine", code=2)
    assert done.stderr == (
        "error: the card of data set table joins task ope/value-real, which takes no data sets of cards (a task that "
        "does says so: takes=Takes(...)); correct its `tasks`\n"
    )


def test_a_log_is_measured(tmp_path: Path) -> None:
    """The record has the target's probability of actions that the log cannot contain."""
    made = project(tmp_path)
    made.bakeoff("run", "ope/value-real", "-d", "mine", "-s", "ips", "--blocks", "1")
    (file,) = made.runs()
    header, *records = [json.loads(line) for line in file.read_text().splitlines()]
    assert header["cards"]["mine"] == "2026-05"
    (support,) = (record["metrics"]["support_violations"] for record in records if record["status"] == "ok")
    assert support == pytest.approx(0.25)
