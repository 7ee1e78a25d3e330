"""Quick profiles use only what lies in the package or is generated; nothing has to be fetched for them."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from harness.config import Config
from harness.data.cards import builtin_folder, cards
from harness.data.scenarios import TEMPORAL
from harness.data.tabular import Split, Table
from harness.declare import CLEAN, Dataset, Judgement, Metric, Param, Topic
from harness.errors import MissingDataError, UsageError
from harness.plan import make_plan
from harness.plan.data import check_data
from harness.plan.selection import Selection
from harness.records import Seeds, Trial
from harness.registry import Registry, load_registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_registry(Config(folder=tmp_path_factory.mktemp("empty")))


def to_be_fetched(plan_of: Selection, registry: Registry) -> set[str]:
    known = cards([builtin_folder()])
    used = {trial.dataset for trial in make_plan(plan_of, registry).trials} & set(known)
    return {name for name in used if (file := known[name].file) is not None and file.origin is not None}


def test_quick_profiles_fetch_nothing(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty cache, no data set of the quick profile is missing."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path_factory.mktemp("cache")))
    quick = Selection(profile="quick", blocks=1)
    assert to_be_fetched(quick, registry) == set()
    assert check_data(make_plan(quick, registry).trials, registry) == {}


def trial(dataset: str, data_seed: int, **params: int) -> Trial:
    return Trial("t", "t", "s", dataset, "clean", {**params}, {}, 0, Seeds(data_seed, 0, 0))


class _Known(Registry):
    def __init__(self, *datasets: Dataset) -> None:
        super().__init__({}, {dataset.name: dataset for dataset in datasets}, {})


def test_each_draw_is_checked_once() -> None:
    """Trials with the same data set, parameters of the data and seed draw the same rows."""
    drawn: list[tuple[object, float]] = []
    some = Dataset("some", load=print, params={}, check=lambda params, rng: drawn.append((params, rng.random())))
    sized = Dataset(
        "sized",
        load=print,
        params={"rows": Param(3, low=1)},
        check=lambda params, rng: drawn.append((dict(params), rng.random())),
    )
    trials = [
        trial(name, seed, rows=rows, trees=rows) for name in ("some", "sized") for seed in (1, 2) for rows in (3, 4)
    ]
    assert check_data([*trials, *trials], _Known(some, sized)) == {}
    first = {seed: np.random.default_rng([seed]).random() for seed in (1, 2)}
    assert drawn == [({}, first[1]), ({}, first[2])] + [
        ({"rows": rows}, first[seed]) for seed in (1, 2) for rows in (3, 4)
    ]


def test_missing_data_are_listed_and_wrong_data_raise() -> None:
    def missing() -> None:
        raise MissingDataError("gone", "gone")

    def wrong() -> None:
        raise UsageError("column 'x' contains inf")

    gone = Dataset("gone", load=print, verify=missing, check=lambda *_: pytest.fail("it is not here"))
    bad = Dataset("bad", load=print, verify=wrong)
    assert check_data([trial("gone", 1)], _Known(gone)) == {"gone": "bakeoff data get gone"}
    with pytest.raises(UsageError, match=r"^column 'x' contains inf$"):
        check_data([trial("gone", 1), trial("bad", 1)], _Known(gone, bad))


def test_a_scenario_that_leaves_one_class_is_refused_before_the_first_trial() -> None:
    """All events lie in the first rows, so that a division by time leaves none to test on."""
    time = np.arange(40)
    order = np.random.default_rng(0).permutation(40)

    def load(_params: object, _rng: object) -> Split:
        y = (time[order] < 12).astype(np.int8)
        X = np.zeros((40, 1), dtype=np.float32)
        return Split(Table(X[:30], y[:30], time[order][:30]), Table(X[30:], y[30:], time[order][30:]), ("a",))

    early = Dataset("early", load=load, provides=("time",), kind="table", target="binary")
    topic = Topic("t", title="T")
    topic.task(
        "t",
        title="T",
        datasets=[early],
        scenarios=[CLEAN, TEMPORAL],
        phases=["fit"],
        metrics=[Metric("m", direction="lower", unit="1")],
        judge=lambda *_: Judgement({"m": 0.0}),
    )
    registry = Registry({"t": topic}, {}, {})
    plain = trial("early", 1)
    assert check_data([plain], registry) == {}
    with pytest.raises(
        UsageError, match=r"^data set early: scenario temporal leaves 10 test rows, all of class 0; ask"
    ):
        check_data([plain, replace(plain, scenario="temporal")], registry)
