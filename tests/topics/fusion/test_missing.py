"""The task missing: altered test sets, what is put in place of a missing modality, and its strategies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from topics.fusion.three_modalities import CLASSES, made

pytest.importorskip("torch")

import torch

import harness.topics.fusion.robust  # noqa: F401 - it adds the strategies
from harness import Arrays, CannotRunError, Problem
from harness.declare.task import Outputs
from harness.topics.fusion.alterations import noisy, rendered, without
from harness.topics.fusion.engine.attention import CrossAttention
from harness.topics.fusion.engine.fitting import Budget, _dropped, fit, predict, tensors
from harness.topics.fusion.engine.imputation import Imputed
from harness.topics.fusion.engine.networks import Concatenation
from harness.topics.fusion.examples import MODALITIES, Divided, visible
from harness.topics.fusion.missing import task


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def values(data: Divided, name: str) -> Any:
    return data.test.modalities[name].values


@pytest.mark.parametrize(("percent", "absent"), [(0, 0), (25, 10), (50, 20), (100, 40)])
def test_a_share_of_the_examples_lacks_a_modality(percent: float, absent: int, rng: np.random.Generator) -> None:
    data = made()
    found = without("image", data, percent, rng)
    assert found is not None
    present = found.test.modalities["image"].present
    assert np.count_nonzero(~present) == absent
    assert not values(found, "image")[~present].any()
    assert (values(found, "image")[present] == values(data, "image")[present]).all()
    assert found.test.modalities["text"] is data.test.modalities["text"]
    assert found.train is data.train
    assert data.test.modalities["image"].present.all()


def test_noise_on_numbers_has_the_declared_spread(rng: np.random.Generator) -> None:
    data = made(train=4_000, test=4_000)
    scale = np.array([1.0, 50.0], np.float32)
    for part in (data.train, data.test):
        part.modalities["numbers"].values[:] *= scale
    found = noisy("numbers", data, 50, rng)
    assert found is not None
    added = values(found, "numbers") - values(data, "numbers")
    assert added.std(axis=0) == pytest.approx(scale / 2, rel=0.06)
    assert added.mean(axis=0) == pytest.approx(np.zeros(2), abs=1.5)


def test_noise_on_ids_draws_from_the_training_ids(rng: np.random.Generator) -> None:
    data = made(train=300, test=2_000)
    found = noisy("text", data, 50, rng)
    assert found is not None
    before, after = values(data, "text"), values(found, "text")
    assert ((after == 0) == (before == 0)).all()
    train = data.train.modalities["text"].values
    shares = np.bincount(train[train != 0], minlength=12) / np.count_nonzero(train)
    # Half of the ids are replaced, and a replacement is the same id as often as training has it.
    for word in (1, 6):
        of_it = before == word
        expected = 0.5 + 0.5 * shares[word]
        assert (after[of_it] == word).mean() == pytest.approx(expected, abs=4 * (0.25 / of_it.sum()) ** 0.5)


def test_noise_on_pixels_stays_within_their_range(rng: np.random.Generator) -> None:
    data = made()
    found = noisy("image", data, 100, rng)
    assert found is not None
    assert values(found, "image").dtype == np.uint8
    inside = (values(data, "image") > 100) & (values(data, "image") < 150)
    added = values(found, "image").astype(float) - values(data, "image")
    spread = data.train.modalities["image"].values.std()
    assert np.abs(added[inside]).mean() == pytest.approx(spread * (2 / np.pi) ** 0.5, rel=0.1)


@pytest.mark.parametrize("name", ["text", "image", "numbers"])
def test_no_noise_and_nothing_missing_leave_the_values(name: str, rng: np.random.Generator) -> None:
    data = made()
    for found in (noisy(name, data, 0, rng), without(name, data, 0, rng)):
        assert found is not None
        assert (values(found, name) == values(data, name)).all()


def test_the_second_rendering_replaces_the_images(rng: np.random.Generator) -> None:
    data = made()
    for percent, replaced in ((0, 0), (50, 20), (100, 40)):
        found = rendered("image", data, percent, rng)
        assert found is not None
        other = (values(found, "image") == data.shifted["image"]).all(axis=(1, 2, 3))
        assert other.sum() == replaced
        assert (values(found, "image")[~other] == values(data, "image")[~other]).all()


def test_what_the_data_lack_cannot_be_altered(rng: np.random.Generator) -> None:
    data = made()
    assert without("links", data, 50, rng) is None
    assert noisy("links", data, 50, rng) is None
    assert rendered("text", data, 50, rng) is None
    altered = {stress.name for stress in task.stress if stress.alter(data, stress.levels[-1], rng) is not None}
    assert altered == {"no_text", "no_image", "no_numbers", "noise_text", "noise_image", "noise_numbers"} | {
        "rendering",
        "emap",
    }


@pytest.mark.parametrize("modalities", [2, 3])
def test_modality_dropout_drops_each_with_its_probability_and_never_all(modalities: int) -> None:
    n, share = 20_000, 0.3
    present = {str(name): torch.ones(n, dtype=torch.bool) for name in range(modalities)}
    found = torch.stack(list(_dropped(present, share, np.random.default_rng(0)).values())).numpy()
    assert found.any(axis=0).all()
    # An example that would lose all of them keeps all.
    expected = share - share**modalities
    low, high = binom.ppf([1e-5, 1 - 1e-5], n, expected)
    for name in range(modalities):
        assert low <= np.count_nonzero(~found[name]) <= high


def test_a_missing_encoding_is_imputed_by_the_mean_of_the_training_examples() -> None:
    data = made()
    torch.manual_seed(0)
    fusion = Concatenation(data, 8)
    fit(fusion, data, Budget(epochs=1), 0)
    lacking = without("text", data, 100, np.random.default_rng(0))
    assert lacking is not None
    with torch.no_grad():
        trained = fusion.encode(*tensors(data.train))["text"]
        by_hand = np.stack(
            [tokens[mask].mean(dim=0).numpy() for tokens, mask in zip(trained.tokens, trained.mask, strict=True)]
        ).mean(axis=0)
        tested = fusion.encode(*tensors(data.test))
        mean = torch.tensor(by_hand).expand(len(data.test), -1)
        scores = fusion.head(torch.cat([mean, tested["image"].mean(), tested["numbers"].mean()], dim=1))
    expected = torch.softmax(scores.double(), dim=1).numpy()
    assert predict(Imputed(fusion, data), lacking.test) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", [Concatenation, CrossAttention])
def test_nothing_is_imputed_where_nothing_is_missing(kind: Any) -> None:
    data = made()
    torch.manual_seed(0)
    fusion = kind(data, 8).eval()
    assert predict(Imputed(fusion, data), data.test) == pytest.approx(predict(fusion, data.test), rel=1e-6)


def test_modality_dropout_prepares_for_a_missing_modality() -> None:
    """The text tells the class, the image less: a network that always saw both is too sure without the text."""
    data = made(train=300, test=300)
    lacking = without("text", data, 100, np.random.default_rng(0))
    assert lacking is not None
    judged = {}
    for dropped in (0.0, 0.3):
        torch.manual_seed(0)
        network = fit(Concatenation(data, 16), data, Budget(epochs=16, modality_dropout=dropped), 0)
        for name, part in (("complete", data), ("lacking", lacking)):
            judged[dropped, name] = task.judge(part, predict(network, part.test)).metrics
    assert min(judged[dropped, "complete"]["accuracy"] for dropped in (0.0, 0.3)) > 0.95
    assert judged[0.3, "lacking"]["log_loss"] < 0.9 * judged[0.0, "lacking"]["log_loss"]


class Clock:
    """Notes which phases were used."""

    def __init__(self) -> None:
        self.used: list[str] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.used.append(name)
        yield


def problem(data: Divided, *names: str) -> tuple[Problem, dict[str, Any]]:
    """Return a problem with the altered test sets of some stresses, and these as the judge has them."""
    rng = np.random.default_rng(0)
    altered = {
        stress.key(level): stress.alter(data, level, rng)
        for stress in task.stress
        if stress.name in names
        for level in (0.0, stress.levels[-1])
    }
    seen = {name: visible(part) for name, part in altered.items()}
    return Problem(visible(data), {"threads": 1}, 0, seen), altered


@pytest.mark.parametrize("name", list(task.strategies))
def test_every_strategy_predicts_all_altered_test_sets(name: str) -> None:
    data, clock = made(train=40, test=10), Clock()
    given, altered = problem(data, "no_text", "emap")
    run = task.strategies[name].run
    lacks = name.removesuffix("-only") in MODALITIES and name.removesuffix("-only") not in data.train.modalities
    if lacks:
        with pytest.raises(CannotRunError, match="these data have no modality"):
            run(given, clock)
        return
    output = run(given, clock)
    assert isinstance(output, Outputs)
    assert clock.used == ["fit", "predict", "stress"]
    assert output.altered["no_text_0"] == pytest.approx(output.plain, rel=1e-5)
    for key, made_ in output.altered.items():
        assert 0 <= task.judge(altered[key], made_).metrics["accuracy"] <= 1
    if name == "text-only":
        assert np.ptp(output.altered["no_text_100"], axis=0) == pytest.approx(np.zeros(CLASSES), abs=1e-6)
    if name == "image-only":
        assert output.altered["no_text_100"] == pytest.approx(output.plain)


def test_a_late_product_equals_its_projection() -> None:
    data = made(train=40, test=10)
    given, altered = problem(data, "emap")
    output = task.strategies["late-product"].run(given, Clock())
    plain, projection = (task.judge(altered[key], output.altered[key]) for key in ("emap_0", "emap_1"))
    assert projection.metrics["log_loss"] == pytest.approx(plain.metrics["log_loss"], rel=1e-6)


def test_test_examples_are_limited_and_their_renderings_are_their_own() -> None:
    n = 200
    image = np.arange(n, dtype=np.uint8)[:, None, None, None] + np.zeros((8, 8, 3), np.uint8)
    arrays = {"image": image, "image_shifted": image + 1, "text": np.ones((n, 2), int), "labels": np.arange(n) % 3}
    assert task.takes is not None
    params = {"rows": 50, "tested": 20}
    data = task.takes.prepare(Arrays(arrays), params, np.random.default_rng(0))
    assert (len(data.train), len(data.test)) == (50, 20)
    assert (data.shifted["image"] == data.test.modalities["image"].values + 1).all()
    assert not np.isin(data.test.groups, data.train.groups).any()
    assert (np.diff(data.test.groups) < 0).any()
