"""The task classification: its baselines, its judge, and what Transformers learn of planted words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unmeasured import unmeasured

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from harness import Problem, TextSplit
from harness.data.readers.text import Texts
from harness.errors import InvalidOutputError
from harness.topics.normalization.classification import NO_TRAINING, Classified, task
from harness.topics.normalization.recipes import RECIPES
from harness.topics.normalization.sentences import Described

PARAMS = {name: param.default for name, param in task.params.items()} | {
    "layers": 1,
    "examples": 640,
    "batch": 16,
    "warmup": 64,
}


def described(n: int = 160, seed: int = 0) -> Described:
    """Draw texts of two classes that are told apart by one of four words, among words that say nothing."""
    rng = np.random.default_rng(seed)

    def texts() -> Texts:
        labels = rng.integers(0, 2, n).astype(np.int8)
        noise = [" ".join(f"w{k}" for k in rng.integers(0, 5, 3)) for _ in labels]
        said = [f"{'ab'[label]}{rng.integers(2)} {rest}" for label, rest in zip(labels, noise, strict=True)]
        return Texts(tuple(said), labels)

    return Described(TextSplit(texts(), texts()), 100)


def output(name: str, data: Described, **params: Any) -> Classified:
    problem = Problem(task.view(data), {**PARAMS, **params}, 0)
    given = task.strategies[name].run(problem, unmeasured)
    assert isinstance(given, Classified)
    return given


def metrics(name: str, data: Described, **params: Any) -> dict[str, float]:
    return dict(task.judge(data, output(name, data, **params)).metrics)


def test_every_recipe_competes_beside_two_baselines() -> None:
    assert list(task.strategies) == ["class-rates", "logistic-words", *(recipe.name for recipe in RECIPES)]


@pytest.mark.parametrize("name", ["logistic-words", "pre-ln", "post-bn"])
def test_what_one_word_says_is_learned(name: str) -> None:
    found = metrics(name, described())
    assert found["accuracy"] > 0.95
    assert found["log_loss"] < 0.3


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_is_judged(recipe: Any) -> None:
    given = output(recipe.name, described(40), examples=48)
    found = task.judge(described(40), given)
    assert given.diverged is None
    assert given.parameters > 10_000
    assert given.saved_bytes > 16 * 4 * 64 * 4  # at least the activations after the embedding
    assert (found.metrics["mode_gap"] != 0) == recipe.name.endswith("-bn")
    assert found.curves["loss"].x == [1, 2, 3]


def test_logistic_regression_is_scikit_learns_on_counts_of_words() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    data = described()
    texts = data.texts
    count = CountVectorizer(token_pattern=r"\w+").fit(texts.train.strings)
    model = LogisticRegression(max_iter=1_000).fit(count.transform(texts.train.strings), texts.train.y)
    wanted = model.predict_proba(count.transform(texts.test.strings))
    np.testing.assert_allclose(output("logistic-words", data).probabilities, wanted, atol=1e-3)


def test_class_rates_are_those_of_the_training_texts() -> None:
    data = described()
    rate = data.labels.mean()
    assert output("class-rates", data).probabilities == pytest.approx(np.tile([1 - rate, rate], (160, 1)))


def test_a_class_without_training_texts_gets_no_probability() -> None:
    data = described(40)
    data = Described(TextSplit(data.texts.train, data.texts.test, ("a", "b", "c")), 100)
    for name in ("class-rates", "logistic-words"):
        given = output(name, data).probabilities
        assert given.shape == (40, 3)
        assert not given[:, 2].any()


def test_a_seed_gives_the_same_probabilities() -> None:
    first, second = (output("pre-bn", described(40), examples=48).probabilities for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_more_steps_at_a_smaller_batch_see_as_many_texts() -> None:
    few, many = (output("rezero", described(40), examples=48, batch=size) for size in (16, 4))
    assert (len(few.losses), len(many.losses)) == (3, 12)


def test_too_high_a_rate_diverges_as_a_result() -> None:
    data = described(40)
    given = output("none", data, rate=10.0, warmup=0, layers=16, examples=160)
    assert given.diverged is not None
    judged = task.judge(data, given)
    assert judged.diverged == given.diverged
    assert task.guess is not None
    guessed = task.guess(data)
    assert set(guessed) == {metric.name for metric in task.metrics if metric.name != "diverged"}
    assert {name: guessed[name] for name in NO_TRAINING} == NO_TRAINING


def test_the_gap_of_modes_is_evaluation_minus_training() -> None:
    data = described(40)
    right = np.eye(2)[data.test_labels]
    in_training = np.full((10, 2), 0.5)
    judged = task.judge(data, Classified(0.8 * right + 0.1, in_training))
    assert judged.metrics["mode_gap"] == pytest.approx(-np.log(0.9) + np.log(0.5))


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidOutputError, match=r"shape \(40, 2\)"):
        task.judge(described(40), Classified(np.zeros((40, 3))))
