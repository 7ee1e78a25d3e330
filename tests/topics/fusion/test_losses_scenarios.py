"""Label noise and long tails of data with several modalities and classes."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import DeclarationError
from harness.topics.fusion.examples import Divided, Examples, Modality
from harness.topics.fusion.scenarios import label_noise, long_tail

CLASSES = 5


def _part(counts: list[int]) -> Examples:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(CLASSES), counts))
    numbers = np.arange(len(labels), dtype=np.float32)[:, None]
    modality = Modality("numbers", numbers, 1, np.ones(len(labels), np.bool_))
    return Examples({"numbers": modality}, labels, np.arange(len(labels)))


def _divided() -> Divided:
    test = _part([40, 200, 100, 100, 60])
    return Divided(
        _part([400, 2_000, 1_000, 1_000, 600]), test, CLASSES, {"numbers": test.modalities["numbers"].values}
    )


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_label_noise_moves_that_share_to_all_other_classes_alike(share: float) -> None:
    data = _divided()
    before = data.train.labels.copy()
    noisy = label_noise(share).apply(data, np.random.default_rng(1))
    moved = noisy.train.labels != before
    # Four standard deviations of a binomial share of 5,000.
    assert moved.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / 5_000) ** 0.5)
    offsets = np.bincount((noisy.train.labels - before)[moved] % CLASSES, minlength=CLASSES)
    assert offsets[0] == 0
    assert offsets[1:] / moved.sum() == pytest.approx(np.full(CLASSES - 1, 1 / (CLASSES - 1)), abs=0.05)
    np.testing.assert_array_equal(data.train.labels, before)
    assert noisy.test is data.test


def test_a_long_tail_has_the_published_sizes_in_training_and_test() -> None:
    tailed = long_tail(16).apply(_divided(), np.random.default_rng(1))
    # By size: classes 1, 2, 3, 4, 0 keep at most 2,000 / 1, 2, 4, 8, 16.
    assert np.bincount(tailed.train.labels).tolist() == [125, 2_000, 1_000, 500, 250]
    assert np.bincount(tailed.test.labels).tolist() == [12, 200, 100, 50, 25]
    np.testing.assert_array_equal(tailed.shifted["numbers"], tailed.test.modalities["numbers"].values)
    assert (np.diff(tailed.train.groups) > 0).all()


def test_a_long_tail_leaves_classes_that_are_rarer_already_and_one_of_each() -> None:
    data = Divided(_part([1, 2_000, 3, 2, 900]), _part([1, 9, 1, 1, 1]), CLASSES)
    tailed = long_tail(10_000).apply(data, np.random.default_rng(1))
    assert np.bincount(tailed.train.labels).tolist() == [1, 2_000, 3, 2, 200]
    assert np.bincount(tailed.test.labels).tolist() == [1, 9, 1, 1, 1]


@pytest.mark.parametrize(("make", "value"), [(label_noise, 0), (label_noise, 1), (long_tail, 1)])
def test_values_without_meaning_are_refused(make: object, value: float) -> None:
    with pytest.raises(DeclarationError, match=f"\\({value:g}\\): the"):
        make(value)  # type: ignore[operator]
