"""Texts as numbers, scenarios and batches: what was planted comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import Scenario, TextSplit
from harness.data.readers.text import Texts
from harness.errors import DeclarationError
from harness.topics._shared.labels import tail
from harness.topics.normalization.scenarios import covariate_shift, label_noise, long_tail
from harness.topics.normalization.sentences import (
    FIRST,
    LENGTH,
    PADDING,
    UNKNOWN,
    Described,
    encode,
    prepare,
    visible,
    vocabulary,
    words,
)


def described(train: list[str], test: list[str], classes: int = 2, most: int = 100) -> Described:
    def texts(strings: list[str]) -> Texts:
        return Texts(tuple(strings), (np.arange(len(strings)) % classes).astype(np.int32))

    names = tuple(f"class {number}" for number in range(classes))
    return prepare(
        TextSplit(texts(train), texts(test), names), {"vocabulary": most, "test_rows": 10}, np.random.default_rng(0)
    )


def many(counts: list[int], words_each: int = 3) -> Described:
    """Texts with so many of each class in training and test."""
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    texts = Texts(tuple(f"text {row} " + "word " * (row % words_each) for row in range(len(labels))), labels)
    return Described(TextSplit(texts, texts, tuple(map(str, counts))), 100)


def apply(scenario: Scenario, data: Described, seed: int = 0) -> Described:
    changed = scenario.apply(data, np.random.default_rng(seed))
    assert isinstance(changed, Described)
    return changed


def test_words_are_runs_of_letters_and_digits_in_lower_case() -> None:
    assert words("GNU R's 2to3: an É-map") == ["gnu", "r", "s", "2to3", "an", "é", "map"]


def test_words_are_numbered_by_frequency_then_alphabet() -> None:
    texts = [["b", "a", "c"], ["b", "a"], ["c", "b"], ["once"]]
    assert vocabulary(texts, 10) == {"b": FIRST, "a": FIRST + 1, "c": FIRST + 2}
    assert vocabulary(texts, 2) == {"b": FIRST, "a": FIRST + 1}


def test_texts_become_numbers_with_padding_behind() -> None:
    ids = encode([["a", "new", "b"], [], ["a"] * (LENGTH + 3)], {"a": 2, "b": 3})
    assert ids[0].tolist() == [2, UNKNOWN, 3] + [PADDING] * (LENGTH - 3)
    assert ids[1].tolist() == [UNKNOWN] + [PADDING] * (LENGTH - 1)
    assert ids[2].tolist() == [2] * LENGTH


def test_words_are_learned_from_training_texts_alone() -> None:
    seen = visible(described(["a b", "a b"], ["a c", "c c"]))
    assert seen.size == FIRST + 2
    assert seen.test[:, :2].tolist() == [[FIRST, UNKNOWN], [UNKNOWN, UNKNOWN]]


def test_strategies_do_not_see_the_classes_of_test_texts() -> None:
    first, second = described(["a b", "b a"], ["a", "b"]), described(["a b", "b a"], ["a", "b"])
    second = Described(TextSplit(second.texts.train, Texts(("a", "b"), np.array([1, 0], np.int32)), ("x", "y")), 100)
    one, other = visible(first), visible(second)
    assert vars(one).keys() == vars(other).keys()
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, vars(other)[name])


def test_a_binary_target_has_two_classes() -> None:
    texts = Texts(("a", "a b"), np.array([0, 1], np.int8))
    seen = visible(Described(TextSplit(texts, texts), 10))
    assert (seen.classes, seen.labels.tolist()) == (2, [0, 1])


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_noise_moves_a_share_of_labels_evenly_to_the_other_classes(share: float) -> None:
    data = many([4_000, 2_000, 2_000])
    noisy = apply(label_noise(share), data)
    moved = noisy.labels != data.labels
    assert moved.mean() == pytest.approx(share, abs=0.02)
    ends = np.bincount(noisy.labels[moved & (data.labels == 0)], minlength=3) / 4_000
    assert ends == pytest.approx([0, share / 2, share / 2], abs=0.02)
    assert noisy.texts.test is data.texts.test
    assert np.array_equal(data.labels, many([4_000, 2_000, 2_000]).labels)


def test_a_long_tail_has_the_profile_of_the_paper() -> None:
    data = many([1_000] * 5)
    thin = apply(long_tail(16), data)
    for labels in (thin.labels, thin.test_labels):
        assert np.bincount(labels).tolist() == [1_000, 500, 250, 125, 62]
    assert list(thin.texts.train.strings) == sorted(thin.texts.train.strings, key=lambda text: int(text.split()[1]))


def test_classes_that_are_rarer_already_stay_whole() -> None:
    assert tail(np.array([100, 3, 400]), 16) == pytest.approx([1, 1, 1])
    assert tail(np.array([400, 400, 400]), 4) == pytest.approx([1, 0.5, 0.25])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.floats(1.1, 1_000), st.integers(0, 99))
def test_a_long_tail_keeps_every_class(counts: list[int], ratio: float, seed: int) -> None:
    thin = apply(long_tail(float(f"{ratio:g}")), many(counts), seed)
    assert len(np.unique(thin.labels)) == len(np.unique(thin.test_labels)) == len(counts)


@pytest.mark.parametrize(("strength", "sign"), [(1.0, 1), (-1.0, -1)])
def test_a_shift_moves_lengths_of_test_texts_alone(strength: float, sign: int) -> None:
    data = many([500, 500], words_each=6)
    moved = apply(covariate_shift(strength), data)
    assert len(moved.texts.test) == 500
    assert moved.texts.train is data.texts.train
    before, after = (np.mean([len(words(text)) for text in part.texts.test.strings]) for part in (data, moved))
    assert sign * (after - before) > 0.5


def test_a_shift_looks_at_texts_alone() -> None:
    data = many([500, 500], words_each=6)
    flipped = Texts(data.texts.test.strings, (1 - data.test_labels).astype(np.int32))
    other = Described(TextSplit(data.texts.train, flipped, data.texts.classes), 100)
    first, second = (apply(covariate_shift(2), part).texts.test for part in (data, other))
    assert first.strings == second.strings


@pytest.mark.parametrize(
    "make",
    [
        lambda: label_noise(0),
        lambda: label_noise(1),
        lambda: long_tail(1),
        lambda: long_tail(float("inf")),
        lambda: covariate_shift(0),
        lambda: covariate_shift(float("nan")),
    ],
)
def test_senseless_scenarios_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(DeclarationError, match="must"):
        make()
