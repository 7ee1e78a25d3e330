"""The generated interactions: what each modality tells, and the accuracy of one who knows how they are made."""

from __future__ import annotations

import numpy as np
import pytest

from harness.topics.fusion.engine.interaction import CLASSES, DRAWS, KEY, RELIABLE, WRONG, generated
from harness.topics.fusion.examples import Divided
from harness.topics.fusion.worlds import INTERACTION

N = 20_000
#: Three standard errors of a share of N examples.
MARGIN = 3 * 0.5 / N**0.5
#: The accuracy that no predictor exceeds, and that one who knows how the data are made reaches.
BEST = {
    "redundant": 1 - WRONG,
    "unique": 1 - WRONG,
    "xor": 1.0,
    "lookup": 1.0,
    "reliability": 1 - (1 - RELIABLE) ** 2 / 2,
}


def made(information: str, informative: float = 1.0) -> Divided:
    return generated(information, informative, 10, N, np.random.default_rng(0))


def oracle(information: str, data: Divided) -> np.ndarray:
    """Predict as one who knows how the data are made."""
    a, b = (data.test.modalities[name].values for name in "ab")
    if information == "lookup":
        found = np.einsum("npk,nk->np", a[:, :, :KEY], b[:, 0]).argmax(axis=1)
        return np.asarray(a[np.arange(N), found, KEY] > 0).astype(int)
    first, second = ((part[:, 0] > 0).astype(int) for part in (a, b))
    if information == "reliability":
        return np.where(a[:, -1] > 0, first, second)
    bits: dict[str, np.ndarray] = {"redundant": first, "unique": 2 * first + second, "xor": first ^ second}
    return bits[information]


@pytest.mark.parametrize("information", DRAWS)
def test_the_best_accuracy_is_reached(information: str) -> None:
    data = made(information)
    assert abs(np.mean(oracle(information, data) == data.test.labels) - BEST[information]) < MARGIN


@pytest.mark.parametrize("information", DRAWS)
def test_less_information_lowers_the_best_accuracy(information: str) -> None:
    data = made(information, 0.6)
    expected = 0.6 * BEST[information] + 0.4 / CLASSES.get(information, 2)
    assert abs(np.mean(oracle(information, data) == data.test.labels) - expected) < MARGIN


def test_each_modality_alone_tells_nothing_of_xor() -> None:
    data = made("xor")
    for name in "ab":
        bit = data.test.modalities[name].values[:, 0] > 0
        rates = [data.test.labels[bit == value].mean() for value in (False, True)]
        assert abs(rates[0] - rates[1]) < 2 * MARGIN


def test_neither_the_table_nor_the_key_alone_tells_a_value() -> None:
    from sklearn.linear_model import LogisticRegression

    data = made("lookup")
    assert (data.test.modalities["a"].values[:, :, KEY].sum(axis=1) == 0).all()
    for name in "ab":
        flat = data.test.modalities[name].values.reshape(N, -1)
        model = LogisticRegression().fit(flat[: N // 2], data.test.labels[: N // 2])
        assert abs(model.score(flat[N // 2 :], data.test.labels[N // 2 :]) - 0.5) < 2 * MARGIN


def test_the_test_examples_do_not_depend_on_the_number_of_training_examples() -> None:
    few, many = (generated("xor", 1.0, rows, 50, np.random.default_rng(1)) for rows in (10, 100))
    np.testing.assert_array_equal(few.test.modalities["a"].values, many.test.modalities["a"].values)


def test_every_kind_can_be_chosen_and_an_unknown_one_is_refused() -> None:
    kinds = INTERACTION.params["information"]
    assert tuple(DRAWS) == kinds.choices
    with pytest.raises(ValueError, match="information=xnor is none of redundant, unique, xor"):
        kinds.check("information", "xnor")


@pytest.mark.parametrize(("name", "low", "high"), [("LateProduct", 0.4, 0.6), ("LowRank", 0.97, 1.0)])
def test_xor_is_learnt_by_a_joint_fusion_and_not_by_a_late_one(name: str, low: float, high: float) -> None:
    from harness.topics._shared.deep import seeded
    from harness.topics.fusion.engine import networks, products
    from harness.topics.fusion.engine.fitting import Budget, fit, predict

    data = generated("xor", 1.0, 2_000, 500, np.random.default_rng(0))
    seeded(0)
    kind = getattr(networks, name, None) or getattr(products, name)
    output = predict(fit(kind(data, 32), data, Budget(epochs=4, rate=1e-2), 0), data.test)
    assert low <= np.mean(output.argmax(axis=1) == data.test.labels) <= high
