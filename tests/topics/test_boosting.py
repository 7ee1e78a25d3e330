"""Strategies of boosting on small problems with known answers."""

import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from unmeasured import Phase

from harness.config import Config
from harness.data.synthetic import GENERATORS
from harness.data.tabular import Split, Table
from harness.declare import Problem
from harness.errors import CannotRunError
from harness.measure.device import device_names
from harness.measure.job import why_not
from harness.registry import load_registry
from harness.topics import boosting
from harness.topics._shared.binary import judge
from harness.topics.boosting import baselines

PARAMS = {"rows": 2_000, "trees": 20, "depth": 5, "learning_rate": 0.3, "threads": 1}


@pytest.fixture(scope="module")
def task() -> Any:
    return boosting.task


@cache
def synthetic() -> Split:
    params = {"rows": 2_000, "columns": 5, "bayes_error": 0.05}
    data: Split = GENERATORS["tabular"].load(params, np.random.default_rng(0))
    return Split(data.train, data.test.take(np.arange(2_000)), data.features)


@cache
def coded() -> Split:
    """Make columns of 12 integer codes, so that every library can give each value a bin of its own."""
    rng = np.random.default_rng(0)
    X = rng.integers(12, size=(4_000, 5)).astype(np.float32)
    logit = np.where(X[:, 0] > 6, 1.5, -1) * np.where(X[:, 1] % 3 == 0, -1, 1) + X[:, 2] / 6 - 1
    y = (rng.random(4_000) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    table = Table(X, y)
    return Split(table.take(np.arange(3_000)), table.take(np.arange(3_000, 4_000)), tuple("abcde"))


def scores(task: Any, name: str, data: Split, **changes: Any) -> npt.NDArray[np.float64]:
    seed = changes.pop("seed", 0)
    options = {option: changes.pop(option) for option in task.strategies[name].options if option in changes}
    entered: list[str] = []
    problem = Problem(task.view(data), PARAMS | changes, seed)

    def phase(name: str) -> Phase:
        entered.append(name)
        return Phase()

    output = task.strategies[name].run(problem, phase, **options)
    assert set(entered) <= set(task.phases)
    assert {"fit", "predict"} <= set(entered)
    return np.asarray(output, dtype=np.float64)


def auc(data: Split, output: Any) -> float:
    return judge(data, output).metrics["auc"]


DECLARED = load_registry(Config(folder=Path(__file__).parent)).topics["boosting"].tasks["tabular-binary"].strategies
#: Every strategy that grows trees and needs no accelerator.
TREES = [
    name
    for name, strategy in DECLARED.items()
    if strategy.device == "cpu" and strategy.run.__module__ != baselines.__name__ and not strategy.search
]
#: Those that boost trees one after the other, within the budget of leaves.
BOOSTED = [name for name in TREES if name.startswith(("xgboost-", "lightgbm", "sklearn-hist"))]


def test_constant_predicts_the_rate(task: Any) -> None:
    data = synthetic()
    output = scores(task, "constant", data)
    np.testing.assert_array_equal(output, data.train.y.mean())
    assert auc(data, output) == 0.5


def test_logistic_regression_recovers_a_logistic_model(task: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2)).astype(np.float32) * np.array([1, 100], dtype=np.float32)
    truth = 1 / (1 + np.exp(-(X[:, 0] - 0.02 * X[:, 1] + 0.5)))
    table = Table(X, (rng.random(20_000) < truth).astype(np.int8))
    output = scores(task, "logistic-regression", Split(table, table, ("a", "b")))
    np.testing.assert_allclose(output, truth, atol=0.03)


@pytest.mark.parametrize("name", TREES)
def test_trees_learn_an_interaction_that_a_linear_model_cannot(task: Any, name: str) -> None:
    data = synthetic()
    output = scores(task, name, data)
    assert output.shape == (2_000,)
    # The best possible AUC is 0.95; the rule's first term has no main effect.
    assert auc(data, output) > 0.8 > auc(data, scores(task, "logistic-regression", data)) > 0.5


@pytest.mark.parametrize("name", TREES)
def test_predictions_are_repeatable(task: Any, name: str) -> None:
    first, second = (scores(task, name, coded(), seed=7) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["xgboost-approx", "xgboost-hist", "xgboost-hist-quantile", "sklearn-hist"])
def test_with_a_bin_for_every_value_binned_splits_are_the_exact_ones(task: Any, name: str) -> None:
    exact, binned = scores(task, "xgboost-exact", coded()), scores(task, name, coded())
    assert abs(auc(coded(), exact) - auc(coded(), binned)) < 0.02
    # Ties of gain may fall differently, which moves few rows.
    assert np.median(np.abs(exact - binned)) < 1e-3


def test_budget_of_lightgbm_is_that_of_the_others(task: Any) -> None:
    assert (
        abs(auc(coded(), scores(task, "xgboost-exact", coded())) - auc(coded(), scores(task, "lightgbm", coded())))
        < 0.02
    )


@pytest.mark.parametrize("name", ["xgboost-hist", "xgboost-hist-quantile", "lightgbm"])
def test_two_bins_lose_what_many_keep(task: Any, name: str) -> None:
    coarse, fine = (auc(coded(), scores(task, name, coded(), max_bin=bins)) for bins in (2, 64))
    assert coarse < fine - 0.02


class TrainedError(Exception):
    """Carries what a library was asked to train, in place of the training."""


def asked(task: Any, name: str, library: Any, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[Any, Any]:
    def train(config: Any, data: Any, **arguments: Any) -> None:
        raise TrainedError(config, arguments)

    monkeypatch.setattr(library, "train", train)
    with pytest.raises(TrainedError) as caught:
        scores(task, name, coded(), **changes)
    return caught.value.args[0], caught.value.args[1]


XGBOOST = [name for name, strategy in DECLARED.items() if name.startswith("xgboost-") and not strategy.search]


@pytest.mark.parametrize("name", XGBOOST)
def test_xgboost_gets_the_budget(task: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    xgboost = pytest.importorskip("xgboost")
    config, arguments = asked(task, name, xgboost, monkeypatch, threads=2, trees=3, depth=4, seed=9)
    assert arguments == {"num_boost_round": 3}
    assert config["nthread"] == 2
    assert config["seed"] == 9
    assert config["max_depth"] == (0 if name.endswith("-uncapped") else 4)
    assert config.get("max_leaves") == (16 if "leafwise" in name else None)
    assert config.get("device") == ("cuda" if name == "xgboost-hist-gpu" else None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("xgboost-hist-gpu", "XGBoost has no cuda device that it can use, and trained on cpu instead"),
        ("lightgbm-cuda", "this LightGBM is built without CUDA"),
    ],
)
@pytest.mark.skipif(bool(device_names()), reason="there is a CUDA device here")
def test_without_the_accelerator_a_trial_is_no_measurement(task: Any, name: str, reason: str) -> None:
    """XGBoost trains on the CPU instead and only warns; LightGBM as it is packaged lacks its CUDA learner."""
    with pytest.raises(CannotRunError, match=reason):
        scores(task, name, synthetic())


def test_without_an_opencl_device_the_reason_says_what_to_install(
    task: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder without drivers hides those that are installed."""
    pytest.importorskip("lightgbm")
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path))
    assert why_not(task.strategies["lightgbm-opencl"], boosting.topic) == (
        "no OpenCL device: install one's driver, or Debian's packages "
        "ocl-icd-libopencl1 and pocl-opencl-icd for the CPU"
    )
    with pytest.raises(CannotRunError, match="LightGBM finds no OpenCL device"):
        scores(task, "lightgbm-opencl", coded())


def test_a_lightgbm_without_opencl_is_no_measurement(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lightgbm = pytest.importorskip("lightgbm")

    def train(*_: Any, **__: Any) -> None:
        raise lightgbm.basic.LightGBMError("GPU Tree Learner was not enabled in this build.")

    monkeypatch.setattr(lightgbm.Dataset, "construct", lambda self: self)
    monkeypatch.setattr(lightgbm, "train", train)
    with pytest.raises(CannotRunError, match="this LightGBM is built without OpenCL"):
        scores(task, "lightgbm-opencl", coded())


@pytest.mark.parametrize(("name", "before"), [("lightgbm", []), ("lightgbm-opencl", ["train"])])
def test_kernels_are_compiled_before_the_first_phase(
    task: Any, name: str, before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    seen: list[str] = []

    def train(*_: Any, **__: Any) -> Any:
        seen.append("train")
        return SimpleNamespace(predict=lambda _test, num_threads: np.zeros(1_000))

    def phase(name: str) -> Phase:
        seen.append(name)
        return Phase()

    monkeypatch.setattr(lightgbm.Dataset, "construct", lambda self: self)
    monkeypatch.setattr(lightgbm, "train", train)
    task.strategies[name].run(Problem(task.view(coded()), PARAMS, 0), phase)
    assert seen == [*before, "build", "fit", "train", "predict"]


@pytest.mark.parametrize("name", ["lightgbm", "lightgbm-uncapped", "lightgbm-cuda", "lightgbm-opencl"])
def test_lightgbm_gets_the_budget(task: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    monkeypatch.setattr(lightgbm.Dataset, "construct", lambda self: self)  # a build without CUDA refuses the device
    config, arguments = asked(task, name, lightgbm, monkeypatch, threads=2, trees=3, depth=4, seed=9)
    assert arguments == {"num_boost_round": 3}
    assert [config[key] for key in ("num_threads", "num_leaves", "seed")] == [2, 16, 9]
    assert config["max_depth"] == (-1 if name == "lightgbm-uncapped" else 4)
    assert config.get("device_type") == {"lightgbm-cuda": "cuda", "lightgbm-opencl": "gpu"}.get(name)


@pytest.mark.parametrize("name", BOOSTED)
def test_no_tree_exceeds_the_budget_of_its_name(task: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All have the same budget of leaves; without a limit of depth are those, and only those, that are called so."""
    leaves, depths = _trees(task, name, monkeypatch)
    assert len(leaves) == 6
    assert 4 < max(leaves) <= 8
    assert max(depths) > 3 if name.endswith("-uncapped") else max(depths) == 3


def test_leaf_by_leaf_and_level_by_level_are_the_same_trees_at_equal_depth(task: Any) -> None:
    by_level, by_leaf = (scores(task, name, coded(), depth=3) for name in ("xgboost-hist", "xgboost-hist-leafwise"))
    np.testing.assert_allclose(by_level, by_leaf, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in DECLARED if f"{name}-tuned" in DECLARED])
def test_every_set_of_a_search_can_be_run(task: Any, name: str) -> None:
    """The extremes of each option, on data that are quick to train; the defaults are among the values."""
    tuned, options = DECLARED[f"{name}-tuned"], DECLARED[name].options
    plain = scores(task, name, coded(), trees=3)
    for option, values in tuned.search.items():
        assert options[option] in values
        for value in (values[0], values[-1]):
            output = scores(task, name, coded(), trees=3, **{option: value})
            assert np.array_equal(output, plain) == (value == options[option]), (option, value)


def test_a_row_is_a_row_that_was_given(task: Any) -> None:
    """Imbalance drops rows: time for each row is time by those that are there."""
    scenario = next(one for one in task.scenarios if one.name.startswith("imbalance"))
    data = scenario.apply(synthetic(), np.random.default_rng(0))
    assert len(data.train) < 1_200
    assert task.sizes(task.view(data)) == {"rows": len(data.train)}


def test_all_that_are_tuned_have_equal_tries() -> None:
    assert {strategy.tries for strategy in DECLARED.values() if strategy.search} == {8}


def _trees(task: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Train 6 trees of depth 3, and read their leaves and their depths in the library's own model."""
    module = {"sklearn": "sklearn.ensemble"}.get(name.partition("-")[0], name.partition("-")[0])
    library = pytest.importorskip(module)
    models: list[Any] = []
    owner = library.HistGradientBoostingClassifier if name.startswith("sklearn-hist") else library
    method = "fit" if name.startswith("sklearn-hist") else "train"
    original = getattr(owner, method)

    def keep(*args: Any, **kwargs: Any) -> Any:
        models.append(original(*args, **kwargs))
        return models[-1]

    monkeypatch.setattr(owner, method, keep)
    scores(task, name, coded(), trees=6, depth=3)
    if module == "xgboost":
        dumps = models[-1].get_dump()
        # Each line of a dump begins with a tab for each level.
        depths = [max(len(line) - len(line.lstrip("\t")) for line in dump.splitlines()) for dump in dumps]
        return [dump.count("leaf=") for dump in dumps], depths
    if module == "lightgbm":
        trees = models[-1].dump_model()["tree_info"]
        return [tree["num_leaves"] for tree in trees], [_depth(tree["tree_structure"]) for tree in trees]
    predictors = [predictor for (predictor,) in models[-1]._predictors]
    return [one.get_n_leaf_nodes() for one in predictors], [one.get_max_depth() for one in predictors]


def _depth(node: dict[str, Any]) -> int:
    """Return the depth of a node of LightGBM."""
    return 1 + max(_depth(node["left_child"]), _depth(node["right_child"])) if "left_child" in node else 0


def test_declaring_imports_no_library() -> None:
    modules = [f"{boosting.__name__}.{part.name}" for part in pkgutil.iter_modules(boosting.__path__)]
    heavy = ("xgboost", "lightgbm", "sklearn", "pandas", "pyarrow", "scipy")
    code = f"import sys, {', '.join(modules)}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
