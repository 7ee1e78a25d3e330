"""The one mapping of figures: its names stay, and it covers everything that a record has."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Config
from harness.interop.asv.suites import classes
from harness.interop.figures import (
    EXTRA_FIGURES,
    MappedFigure,
    extra_figures,
    figures_of,
    module_name,
    original,
    set_phase_figure,
)
from harness.records import Phase, Record, Seeds, Trial, figures
from harness.registry import load_registry

ROOT = Path(__file__).parents[2]
#: Names of asv benchmarks with stored histories; a name that is missing ends its history.
STORED_NAMES = (Path(__file__).parent / "asv_names.txt").read_text().split()


def _record() -> Record:
    trial = Trial("t", "one", "a", "d", "clean", {}, {}, 0, Seeds(0, 0, 0))
    return Record(trial, "ok", phases={"fit": Phase([1.0], [0.5], peak_bytes=7, held_bytes=3, device_bytes=9)})


def test_every_built_in_topic_is_in_asvs_module_and_no_name_is_lost() -> None:
    made = classes(ROOT / "benchmarks" / "strategies.py")
    names = {getattr(method, "benchmark_name", "") for one in made.values() for method in vars(one).values()} - {""}
    assert set(STORED_NAMES) <= names
    topics = load_registry(Config(folder=ROOT)).topics
    assert {name.partition(".")[0] for name in names} == {module_name(topic) for topic in topics}


def test_every_figure_of_a_record_has_a_name() -> None:
    mapped = {figure.measure for figure in figures_of(["fit"], [])}
    assert mapped == set(figures(_record()))


def test_a_phase_comes_back_from_its_figures() -> None:
    record = _record()
    phase = Phase([], [])
    for name, number in figures(record).items():
        owner, dot, measure = name.partition(".")
        if dot:
            assert owner == "fit"
            set_phase_figure(phase, measure, [number])
    assert phase == record.phases["fit"]


def test_extra_info_has_all_but_the_wall_time() -> None:
    samples = {name: [number, number] for name, number in figures(_record()).items()}
    assert extra_figures(samples, "fit") == {"cpu_s": 0.5, "peak_bytes": 7, "device_bytes": 9, "held_bytes": 3}
    # `held_bytes` is the memory before a phase, and there is none before all phases.
    assert set(extra_figures(samples)) == {*EXTRA_FIGURES} - {"held_bytes"}


@pytest.mark.parametrize(("conversion", "number"), [("", -2.0), ("one_minus", 0.75), ("inverse", 4.0)])
def test_conversions_are_undone(conversion: str, number: float) -> None:
    (figure,) = (
        MappedFigure("track_x", "x", "1", "x", known) for known in ("", "one_minus", "inverse") if known == conversion
    )
    converted = figure.converted(number)
    assert converted is not None
    assert original(converted, figure.conversion) == number


def test_memory_before_a_phase_is_reported_only_where_there_is_some() -> None:
    held = MappedFigure("track_held_bytes_fit", "fit.held_bytes", "bytes", "memory in use before phase fit")
    peak = MappedFigure("track_peak_bytes_fit", "fit.peak_bytes", "bytes", "peak memory of phase fit")
    assert not held.is_reported([0, 0])
    assert held.is_reported([0, 1])
    assert peak.is_reported([0, 0])
