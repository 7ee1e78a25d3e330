"""Divisions of interactions: what is known, what is to be found, and what may not leak."""

from __future__ import annotations

import numpy as np
import pytest
from topics.recommendation.feedback_of import drawn, interactions

from harness import UsageError
from harness.data.readers.interactions import Interactions
from harness.topics.recommendation.engine import protocols
from harness.topics.recommendation.engine.feedback import Division, Feedback, Protocol

ALL: list[Protocol] = [
    protocols.random_holdout,
    protocols.temporal,
    protocols.user_holdout,
    protocols.cold_users,
    protocols.cold_items,
    protocols.leave_one_out,
    protocols.popularity_shift,
]


def _divide(data: Interactions, protocol: Protocol, seed: int = 0) -> Division:
    return protocol(data, np.random.default_rng(seed))


def _feedback(data: Interactions, protocol: Protocol, seed: int = 0) -> Feedback:
    return protocols.divide(data, protocol, np.random.default_rng(seed))


def _pairs(data: Interactions, chosen: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(data.users[chosen].tolist(), data.items[chosen].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("protocol", ALL)
def test_nothing_is_in_two_parts_and_matrices_hold_what_the_division_says(
    protocol: Protocol, timed: bool, seed: int
) -> None:
    data = drawn(seed, timed=timed)
    if protocol is protocols.temporal and not timed:
        with pytest.raises(UsageError, match="needs interactions with times"):
            _divide(data, protocol, seed)
        return
    feedback = _feedback(data, protocol, seed)
    division, visible = feedback.division, feedback.visible
    assert not set(division.past) & set(division.test)
    assert not set(division.history) & set(division.test)
    assert not (visible.history.multiply(feedback.test)).nnz
    assert visible.history.shape == feedback.test.shape == (len(feedback.users), 40)
    assert (np.diff(feedback.test.indptr) > 0).all()
    test = feedback.test.tocoo()
    assert _pairs(data, division.test) == set(zip(feedback.users[test.row].tolist(), test.col.tolist(), strict=True))
    trained = np.unique(data.users[division.past])
    for at, user in enumerate(feedback.users):
        row = visible.rows[at]
        assert (row >= 0) == (user in trained)
        if row >= 0:
            assert trained[row] == user
            expected = {item for owner, item in _pairs(data, division.past) if owner == user}
            assert set(visible.train[[row]].indices) == expected == set(visible.history[[at]].indices)
    assert (visible.times is not None) == timed


@pytest.mark.parametrize("protocol", ALL)
def test_the_order_of_the_file_matters_to_no_share(protocol: Protocol) -> None:
    feedback = _feedback(drawn(1), protocol)
    again = _feedback(drawn(1), protocol)
    assert (feedback.test != again.test).nnz == 0


def test_random_holdout_holds_a_fifth_out() -> None:
    data = drawn()
    division = _divide(data, protocols.random_holdout)
    assert len(division.test) == round(0.2 * len(data))
    np.testing.assert_array_equal(np.sort(np.concatenate([division.past, division.test])), np.arange(len(data)))


def test_no_training_interaction_happens_at_or_after_a_tested_one() -> None:
    data = drawn()
    assert data.time is not None
    division = _divide(data, protocols.temporal)
    assert data.time[division.past].max() < data.time[division.test].min()
    assert 0.7 < len(division.past) / len(data) <= 0.8


def test_interactions_of_the_same_time_stay_together() -> None:
    pairs = [(user, item) for user in range(4) for item in range(5)]
    times = [1] * 12 + [2] * 8  # the last fifth begins within the eight of time 2
    division = _divide(interactions(pairs, times), protocols.temporal)
    np.testing.assert_array_equal(division.past, np.arange(12))


def test_if_most_happen_at_the_first_time_the_second_is_the_first_to_be_tested() -> None:
    pairs = [(user, item) for user in range(5) for item in range(4)]
    times = [1] * 3 + [0] * 17
    division = _divide(interactions(pairs, times), protocols.temporal)
    np.testing.assert_array_equal(division.past, np.arange(3, 20))


def test_one_time_divides_nothing() -> None:
    with pytest.raises(UsageError, match="happened at the same time"):
        _divide(interactions([(0, 0), (0, 1)], [7, 7]), protocols.temporal)


def test_new_users_and_items_are_not_tested_in_time() -> None:
    past = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 2), (2, 0), (1, 2)]
    later = [(3, 0), (0, 3), (2, 1)]  # a new user, a new item, and neither
    division = _divide(interactions(past + later, [0, 1, 2, 3, 4, 5, 6, 7, 9, 9, 8]), protocols.temporal)
    assert set(division.past) == set(range(8))
    assert set(division.test) == {10}


def test_held_out_users_have_four_fifths_of_their_items_known() -> None:
    data = drawn()
    division = _divide(data, protocols.user_holdout)
    held = np.unique(data.users[division.test])
    assert len(held) == 12
    assert not np.isin(data.users[division.past], held).any()
    for user in held:
        count = int((data.users == user).sum())
        shown = int((data.users[division.history] == user).sum())
        assert shown == min(int(0.8 * count), count - 1)


def test_cold_users_are_known_by_at_most_three_items() -> None:
    data = drawn(users=400)
    feedback = _feedback(data, protocols.cold_users)
    assert (feedback.visible.rows == -1).all()
    known = np.diff(feedback.visible.history.indptr)
    counts = np.bincount(known, minlength=5)
    assert counts[4:].sum() == 0
    assert (counts[:4] > 5).all()
    assert data.time is not None
    for user in feedback.users:
        shown = data.time[feedback.division.history][data.users[feedback.division.history] == user]
        later = data.time[feedback.division.test][data.users[feedback.division.test] == user]
        assert not len(shown) or shown.max() <= later.min()


def test_cold_items_have_no_training_interactions_and_alone_are_candidates() -> None:
    feedback = _feedback(drawn(), protocols.cold_items)
    candidates = feedback.visible.candidates
    assert candidates is not None
    assert candidates.shape == (feedback.visible.users, 8)
    assert (candidates == candidates[0]).all()
    assert not np.isin(feedback.visible.train.indices, candidates[0]).any()
    assert np.isin(feedback.test.indices, candidates[0]).all()


def test_the_last_item_of_each_user_is_left_out() -> None:
    data = interactions([(0, 0), (0, 1), (0, 2), (1, 2), (1, 0), (2, 1)], [3, 9, 1, 5, 4, 2])
    division = _divide(data, protocols.leave_one_out)
    assert _pairs(data, division.test) == {(0, 1), (1, 2)}  # user 2 has one item alone


def test_without_times_any_item_is_left_out() -> None:
    data = interactions([(0, item) for item in range(4)])
    left = {int(data.items[_divide(data, protocols.leave_one_out, seed).test][0]) for seed in range(40)}
    assert left == {0, 1, 2, 3}


def test_of_equally_late_items_any_is_left_out() -> None:
    data = interactions([(0, 0), (0, 1), (0, 2)], [1, 2, 2])
    left = {int(data.items[_divide(data, protocols.leave_one_out, seed).test][0]) for seed in range(40)}
    assert left == {1, 2}


def test_a_popularity_shift_flattens_the_test_items_and_keeps_the_training() -> None:
    rng = np.random.default_rng(0)
    chance = 0.6 / np.arange(1, 41) ** 0.8
    pairs = np.argwhere(rng.random((500, 40)) < chance)
    data = interactions([(int(user), int(item)) for user, item in pairs])
    plain, shifted = _divide(data, protocols.random_holdout), _divide(data, protocols.popularity_shift)
    np.testing.assert_array_equal(plain.past, shifted.past)
    assert set(shifted.test) <= set(plain.test)
    assert len(shifted.test) == len(plain.test) // 2
    popularity = np.bincount(data.items[plain.past], minlength=40)
    before, after = (popularity[data.items[division.test]].mean() for division in (plain, shifted))
    assert after < 0.75 * before


def test_noise_adds_pairs_that_were_not_there_and_changes_nothing_to_find() -> None:
    data = _feedback(drawn(share=0.1), protocols.random_holdout)
    noisy = protocols.noise(data, 0.5, np.random.default_rng(1))
    added = noisy.visible.train.nnz - data.visible.train.nnz
    assert 0.3 * data.visible.train.nnz < added <= 0.5 * data.visible.train.nnz
    assert (noisy.test != data.test).nnz == 0
    old = _pairs(data.interactions, np.arange(len(data.interactions)))
    new = _pairs(noisy.interactions, np.arange(len(data.interactions), len(noisy.interactions)))
    assert not old & new
    assert len(new) == added
    assert noisy.visible.history.nnz > data.visible.history.nnz


@pytest.mark.parametrize("protocol", ALL)
def test_tuning_divides_the_training_interactions_alone_by_the_same_protocol(protocol: Protocol) -> None:
    data = _feedback(drawn(users=200), protocol)
    held = protocols.holdout(data, np.random.default_rng(3))
    outer = _pairs(data.interactions, data.division.past)
    inner = held.interactions
    assert _pairs(inner, np.arange(len(inner))) == outer
    assert held.protocol is protocol
    assert held.visible.items == data.visible.items
    if protocol is protocols.temporal:
        assert inner.time is not None
        assert inner.time[held.division.past].max() < inner.time[held.division.test].min()
    if held.visible.candidates is not None:
        assert data.visible.candidates is not None
        assert not np.isin(held.visible.candidates[0], data.visible.candidates[0]).any()


@pytest.mark.parametrize("negatives", [5, 1_000])
def test_sampled_candidates_are_one_item_to_find_and_others_never_taken(negatives: int) -> None:
    data = _feedback(drawn(), protocols.random_holdout)
    made = protocols.sampled(data, negatives, np.random.default_rng(0))
    candidates = made.visible.candidates
    assert candidates is not None
    taken = (data.test + data.visible.history).toarray() > 0
    most = 40 - taken.sum(axis=1).max()
    assert candidates.shape == (data.visible.users, min(negatives, most) + 1)
    assert (np.diff(candidates, axis=1) > 0).all()  # sorted and different: the place says nothing
    assert (np.diff(made.test.indptr) == 1).all()
    for user, among in enumerate(candidates):
        target = made.test[[user]].indices
        assert data.test[[user]].toarray()[0, target] == 1
        assert not taken[user, np.setdiff1d(among, target)].any()
        assert np.isin(target, among).all()


def test_sampled_items_are_uniform_among_those_never_taken() -> None:
    users = 2_000
    data = interactions([(user, item) for user in range(users) for item in (0, 1)] + [(users, 9)])
    made = protocols.sampled(_feedback(data, protocols.leave_one_out), 2, np.random.default_rng(0))
    assert made.visible.candidates is not None
    shares = np.bincount(made.visible.candidates.ravel(), minlength=10) / users
    assert shares[:2].sum() == 1  # each user's item to find; the other one is known
    np.testing.assert_allclose(shares[2:], 2 / 8, atol=4 * np.sqrt(3 / 16 / users))


def test_of_cold_items_only_cold_ones_are_sampled() -> None:
    data = _feedback(drawn(), protocols.cold_items)
    made = protocols.sampled(data, 2, np.random.default_rng(0))
    assert made.visible.candidates is not None
    assert data.visible.candidates is not None
    assert np.isin(made.visible.candidates, data.visible.candidates[0]).all()


def test_nothing_to_train_on_is_said() -> None:
    with pytest.raises(UsageError, match="leaves none to find"):
        _feedback(interactions([(0, 0), (1, 1)]), protocols.leave_one_out)


def test_a_user_who_took_all_items_leaves_none_to_sample() -> None:
    data = _feedback(interactions([(0, 0), (0, 1), (1, 0), (1, 1)]), protocols.leave_one_out)
    with pytest.raises(UsageError, match="took all items"):
        protocols.sampled(data, 5, np.random.default_rng(0))
