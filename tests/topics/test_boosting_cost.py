"""The cost model of distributed boosting: closed forms of what is sent, planted constants, published figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Measurement, NotMeasuredError
from harness.config import Config
from harness.registry import load_registry
from harness.topics.boosting.cost.fit import UNIT_NAMES, Fit, Network, Observation, fit, over, spread, tree_seconds
from harness.topics.boosting.cost.formulas import ALONE, SCHEMES, Training, leaf_wise, level_wise, lightgbm_data
from harness.topics.boosting.cost.model import DATA, MACHINES, TASK, commands, largest_errors, total_bytes, winners
from harness.topics.boosting.cost.published import CRITEO, criteo
from harness.topics.boosting.cost.sizes import BINS, DEPTH, FIT, HELD_OUT, Size

#: Seconds for one of each unit, of the size that a core needs.
TRUE = np.array([1e-9, 3e-9, 4e-9, 1e-3, 4e-10, 3e-5])
#: Seconds of a training, and of each value that a worker has.
ONCE = {name: np.array([0.02, 0.0] if name in ALONE else [0.3, 2e-8]) for name in (*ALONE, *SCHEMES)}
NETWORK = Network(byte_s=8e-10, message_s=5e-5)
workers_of = st.sampled_from([2, 4, 8, 64, 1024])
trainings = st.builds(
    lambda rows, columns, workers, bins: level_wise(rows, columns, workers, bins=bins, depth=6),
    st.integers(10**3, 10**9),
    st.integers(1, 10**4),
    workers_of,
    st.integers(2, 256),
)


def training(rows: int = 10_000, columns: int = 300, workers: int = 2, top_k: int = 20, depth: int = 6) -> Training:
    return level_wise(rows, columns, workers, bins=255, depth=depth, top_k=top_k)


@pytest.mark.parametrize("strategy", [*SCHEMES, *ALONE])
def test_one_worker_sends_nothing(strategy: str) -> None:
    units = {**SCHEMES, **ALONE}[strategy].units(training(workers=1))
    assert (units.sent, units.messages) == (0, 0)


def test_two_workers_of_lightgbm_send_all_histograms_but_the_last_trees_leaves() -> None:
    """10 trees of 31 leaves on 300 columns with 255 bins: 30 histograms of 16 bytes a bin each, and the best splits."""
    sent = 10 * total_bytes("lightgbm-data", leaf_wise(10_000, 300, 2, bins=255, leaves=31))
    histograms = 10 * 30 * 300 * 255 * 16
    assert sent == histograms + 10 * 30 * 2 * 2 * 222
    assert sent == pytest.approx(histograms, rel=1e-3)


@pytest.mark.parametrize(("workers", "factor"), [(2, 3), (8, 15 / 7)])
def test_an_all_reduce_sends_all_sums_again_after_the_reduce_scatter(workers: int, factor: float) -> None:
    own = training(workers=workers)
    reduced = own.histogram_bytes * (workers - 1) / workers
    assert SCHEMES["xgboost-hist-data"].units(own).sent == pytest.approx(factor * reduced)
    assert SCHEMES["lightgbm-data"].units(own).sent == pytest.approx(reduced, rel=0.01)


@given(trainings)
def test_histograms_sent_by_all_workers_grow_by_one_set_for_every_further_worker(own: Training) -> None:
    splits = own.workers * (own.workers - 1) * own.histograms * 2 * 222
    assert total_bytes("lightgbm-data", own) - splits == pytest.approx((own.workers - 1) * own.histogram_bytes)


@pytest.mark.parametrize("workers", [2, 64])
def test_voting_for_half_of_the_columns_sends_as_much_as_data_parallel_but_for_the_root(workers: int) -> None:
    """Both children's histograms of half of the columns, against one child's of all; the root is no child."""
    own = training(workers=workers, top_k=150)
    votes = own.histograms * (workers - 1) * 2 * 150 * 24
    voted, whole = (SCHEMES[f"lightgbm-{kind}"].units(own).sent for kind in ("voting", "data"))
    half_a_root = own.histogram_bytes / own.histograms / 2 * (workers - 1) / workers
    assert voted - votes == pytest.approx(whole - half_a_root)


def test_voting_sends_about_two_top_k_of_the_columns() -> None:
    own = training(top_k=5)
    assert SCHEMES["lightgbm-voting"].units(own).sent == pytest.approx(own.histogram_bytes / 2 * 10 / 300, rel=0.05)


def test_the_formulas_give_the_bytes_that_were_counted_once() -> None:
    """5 trees of 3,000 rows and 20 columns by two workers, counted at their sockets; sketches are not counted here."""
    counted = {
        "lightgbm-data": 13_025_100,
        "lightgbm-voting": 23_857_000,
        "xgboost-hist-data": 41_958_900,
        "xgboost-hist-feature": 230_819,
    }
    for strategy, sent in counted.items():
        bins = 256 if strategy.startswith("xgboost") else 255
        predicted = 5 * total_bytes(strategy, level_wise(3_000, 20, 2, bins=bins, depth=6))
        assert predicted == pytest.approx(sent, rel=0.15)


def test_what_voting_sends_does_not_grow_with_columns_nor_feature_parallel_with_rows() -> None:
    few, many = (SCHEMES["lightgbm-voting"].units(training(columns=count)).sent for count in (100, 10_000))
    assert few == many
    short, long = (SCHEMES["lightgbm-feature"].units(training(rows=count)).sent for count in (100, 10**9))
    assert short == long


def test_xgboosts_columns_send_two_bits_for_every_row_and_level() -> None:
    short, long = (SCHEMES["xgboost-hist-feature"].units(training(rows=count)).sent for count in (0, 8_000_000))
    assert long - short == pytest.approx(2 * 1_000_000 * 6 * 3 / 2)


@given(trainings, st.sampled_from(list(SCHEMES)))
def test_more_rows_or_columns_never_cost_less(own: Training, strategy: str) -> None:
    costs = np.array(SCHEMES[strategy].units(own))
    for larger in (
        own._replace(rows=2 * own.rows),
        own._replace(columns=2 * own.columns),
        own._replace(bins=2 * own.bins),
    ):
        assert (np.array(SCHEMES[strategy].units(larger)) >= costs).all()


@given(trainings, st.sampled_from(list(SCHEMES)))
def test_more_workers_never_do_more_work_each_and_never_send_fewer_messages(own: Training, strategy: str) -> None:
    less, more = (SCHEMES[strategy].units(own._replace(workers=own.workers * factor)) for factor in (1, 2))
    assert more.additions <= less.additions * (1 + 1e-12)
    assert more.messages > less.messages


@given(trainings)
def test_dividing_rows_or_columns_evenly_adds_as_much_to_histograms(own: Training) -> None:
    even = own._replace(columns=own.columns * own.workers)
    assert SCHEMES["lightgbm-data"].units(even).additions == pytest.approx(
        SCHEMES["lightgbm-feature"].units(even).additions
    )


def seconds(strategy: str, own: Training, trees: int) -> float:
    units = {**SCHEMES, **ALONE}[strategy].units(own)
    return float(trees * np.array(units) @ TRUE + [1.0, units.additions / 3.5] @ ONCE[strategy])


def observations(
    library: str, noise: float, sizes: Sequence[tuple[int, int, int]] = FIT, seed: int = 0
) -> list[Observation]:
    rng = np.random.default_rng(seed)
    found = []
    for rows, columns, trees in sizes:
        for strategy, scheme in {**SCHEMES, **ALONE}.items():
            if scheme.library == library:
                own = level_wise(rows, columns, 1 if strategy in ALONE else 2, bins=BINS, depth=DEPTH)
                times = seconds(strategy, own, trees) * np.exp(rng.normal(0, noise, 3))
                found.append(Observation(strategy, own, trees, times))
    return found


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_planted_constants_come_back_exactly_without_noise(library: str) -> None:
    made = fit(observations(library, 0.0), np.random.default_rng(1))
    np.testing.assert_allclose(made.constants, TRUE, rtol=1e-4)
    for strategy, once in made.once.items():
        np.testing.assert_allclose(once, ONCE[strategy], rtol=1e-3, atol=1e-10)
    assert max(spread(made, observations(library, 0.0)).values()) < 1e-6
    assert max(largest_errors(made, observations(library, 0.0, HELD_OUT)).values()) < 1e-4


def test_planted_constants_are_within_their_intervals_with_noise() -> None:
    inside = []
    for seed in range(8):
        made = fit(observations("lightgbm", 0.03, seed=seed), np.random.default_rng(seed))
        low, high = np.percentile(made.draws, [2.5, 97.5], axis=0)
        inside.append((low <= TRUE) & (high >= TRUE))
    # 48 intervals of nominally 95 %, six of each fit on the same noise.
    assert np.mean(inside) >= 0.85


def test_a_cost_that_the_formula_lacks_shows_in_the_errors_held_out() -> None:
    made = fit(observations("lightgbm", 0.0), np.random.default_rng(1))
    grown = [
        own._replace(seconds=own.seconds * (2 if own.training.rows > 100_000 else 1))
        for own in observations("lightgbm", 0.0, HELD_OUT)
    ]
    assert largest_errors(made, grown)["lightgbm-data"] == pytest.approx(0.5, rel=1e-3)


def planted() -> Fit:
    return Fit(TRUE, {}, TRUE[None, :])


def fastest(library: str, rows: int, columns: int, workers: int) -> str:
    own = level_wise(rows, columns, workers, bins=BINS, depth=DEPTH)
    names = [name for name, scheme in SCHEMES.items() if scheme.library == library]
    return min(names, key=lambda name: tree_seconds(planted(), name, own, NETWORK)[0])


@pytest.mark.parametrize("workers", MACHINES)
def test_many_rows_of_few_columns_are_divided_by_rows_and_few_rows_of_many_columns_are_not(workers: int) -> None:
    assert fastest("lightgbm", 10**9, 10, workers) in ("lightgbm-data", "lightgbm-voting")
    assert fastest("lightgbm", 10**4, 10**4, workers) == "lightgbm-feature"
    assert fastest("xgboost", 10**9, 10, workers) == "xgboost-hist-data"
    assert fastest("xgboost", 10**4, 10**4, workers) == "xgboost-hist-feature"


def test_a_slower_network_never_makes_a_tree_faster() -> None:
    own = training(workers=64)
    for strategy in SCHEMES:
        costs = [tree_seconds(planted(), strategy, own, Network(byte, 5e-5))[0] for byte in (0.0, 1e-10, 1e-9, 1e-8)]
        assert all(less <= more for less, more in pairwise(costs))
    assert over(TRUE, Network(0.0, 0.0)) == pytest.approx(TRUE)


def test_the_published_times_on_criteo_are_predicted_within_ten_per_cent() -> None:
    predicted = criteo(TRUE)
    assert predicted.keys() == CRITEO.keys() - {1}
    errors = {machines: own / CRITEO[machines] - 1 for machines, own in predicted.items()}
    assert max(map(abs, errors.values())) < 0.1
    # What the source calls linear is 6.5 % less than linear at 16 machines, of which the model explains little.
    assert errors[16] < -0.05
    assert predicted[16] > CRITEO[1] / 16


def test_criteo_sends_far_less_than_it_adds_up() -> None:
    units = lightgbm_data(leaf_wise(1.7e9, 67, 16, bins=255, leaves=255))
    assert units.sent == pytest.approx(254 * 67 * 255 * 16 * 15 / 16, rel=0.03)
    assert units.additions == pytest.approx(1.7e9 / 16 * 67 * (1 + (math.log2(255) - 1) / 2))


def measured(
    sizes: Sequence[tuple[int, int, int]] = (*FIT, *HELD_OUT), leave: Sequence[str] = ()
) -> Iterator[Measurement]:
    """Yield what a run of the task would have measured, were the formulas exact."""
    for library in ("xgboost", "lightgbm"):
        for own in observations(library, 0.02, sizes):
            workers = own.training.workers
            if own.strategy in leave:
                continue
            params = {"rows": int(own.training.rows), "columns": int(own.training.columns), "trees": own.trees}
            sent = 0.0 if own.strategy in ALONE else own.trees * total_bytes(own.strategy, own.training)
            yield Measurement(
                own.strategy,
                {} if own.strategy in ALONE else {"workers": workers},
                DATA,
                "clean",
                {**params, "depth": DEPTH, "threads": workers},
                {"fit.wall_s": own.seconds, "bytes_sent": np.full(3, sent)},
            )


def test_the_map_has_every_place_and_the_errors_of_every_strategy() -> None:
    found = winners(list(measured()))
    assert [panel.title for panel in found.panels] == ["8 workers", "64 workers", "1,024 workers"]
    assert all(len(panel.predictions) == 42 for panel in found.panels)
    whats = {check.what for check in found.validations}
    assert {f"{name}, time" for name in (*SCHEMES, *ALONE)} <= whats
    assert {f"{name}, bytes" for name in SCHEMES} <= whats
    for check in found.validations:
        if check.what.endswith("bytes"):
            assert check.error == pytest.approx(0, abs=1e-9)
        elif check.what.endswith("time"):
            assert abs(check.error) < 0.3
    assert len(found.constants) == 2 * len(UNIT_NAMES)
    assert not any(own.doubt for panel in found.panels for own in panel.predictions)
    assert all(
        own.low <= own.ratio * 1.2 and own.high >= own.ratio / 1.2 for p in found.panels for own in p.predictions
    )


def test_a_slower_network_is_named_and_makes_voting_or_columns_win_more_often() -> None:
    known = list(measured())
    slow = winners(known, Network(byte_s=8e-9, message_s=5e-5))
    assert "1 Gbit/s and 50 µs" in slow.basis
    assert "10 Gbit/s and 50 µs" in winners(known).basis
    sums = [
        sum(own.winner.endswith("-data") for panel in found.panels for own in panel.predictions)
        for found in (winners(known), slow)
    ]
    assert sums[1] < sums[0]


def test_a_strategy_that_was_not_measured_or_errs_is_in_doubt_wherever_it_leads() -> None:
    without = winners(list(measured(leave=["lightgbm-feature"])))
    for panel in without.panels:
        for own in panel.predictions:
            assert ("lightgbm-feature was not measured" in own.doubt) == (
                "lightgbm-feature" in (own.winner, own.second)
            )
    wrong = [
        own._replace(values={**own.values, "fit.wall_s": own.values["fit.wall_s"] * 3})
        if own.strategy == "lightgbm-data" and own.params["rows"] == 160_000
        else own
        for own in measured()
    ]
    doubts = [
        own.doubt for panel in winners(wrong).panels for own in panel.predictions if own.winner == "lightgbm-data"
    ]
    assert doubts
    assert all("lightgbm-data is off by up to 6" in doubt for doubt in doubts)


@pytest.mark.parametrize("sizes", [(), FIT, HELD_OUT, (*FIT[:-1], *HELD_OUT)])
def test_without_all_sizes_the_model_says_what_to_run(sizes: Sequence[tuple[int, int, int]]) -> None:
    with pytest.raises(NotMeasuredError, match="were not all measured for xgboost or lightgbm") as caught:
        winners(list(measured(sizes)))
    assert caught.value.commands == tuple(commands())
    assert len(commands()) == 2 * (len(FIT) + len(HELD_OUT))
    assert all(command.startswith(f"bakeoff run {TASK} ") for command in commands())


def test_a_library_that_was_not_measured_is_left_out_and_named() -> None:
    found = winners([own for own in measured() if "xgboost" not in own.strategy])
    names = {own.winner for panel in found.panels for own in panel.predictions}
    assert all("lightgbm" in name for name in names)
    assert any("xgboost was not measured" in note for note in found.notes)


def test_other_trainings_are_ignored() -> None:
    known = list(measured())
    other: list[Mapping[str, object]] = [{"depth": 8}, {"threads": 4}, {"rows": 123}]
    more = [own._replace(params={**own.params, **change}) for own in known for change in other]  # type: ignore[dict-item]
    assert winners(known) == winners([*known, *more, *(own._replace(dataset="flights") for own in known)])


def test_the_task_has_the_strategies_of_the_model_and_no_option_with_the_name_of_a_size(tmp_path: Path) -> None:
    task = load_registry(Config(tmp_path)).topics["boosting"].tasks["distributed"]
    for name in (*SCHEMES, *ALONE):
        assert not set(task.strategies[name].options) & set(Size._fields)
    assert len(task.models) == 1


def test_the_sizes_held_out_are_not_those_of_the_fit_and_reach_beyond_them() -> None:
    assert not set(FIT) & set(HELD_OUT)
    assert max(size.rows for size in HELD_OUT) >= 2 * max(size.rows for size in FIT)
    assert max(size.columns for size in HELD_OUT) >= 2 * max(size.columns for size in FIT)
