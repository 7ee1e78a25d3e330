from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from harness.errors import UsageError
from harness.measure import memory
from harness.measure.fitness import MachineFinding, Noise, NoisePair, Readings, findings, read, summarise
from harness.measure.machine import Machine

GIB = 2**30
FIT = Readings(
    machine=Machine(
        "lab", cores=8, cores_total=8, memory_bytes=64 * GIB, governor="performance", smt=False, virtual=False,
        devices=["GPU"],
    ),
    load=0.1,
    stolen=0.0,
    foreign=0.0,
    throttled=0.0,
    budget_bytes=40 * GIB,
    peak_resettable=True,
    peak_to_the_page=True,
    aslr_optional=True,
    huge_pages="madvise",
)  # fmt: skip


def machine(**fields: Any) -> Readings:
    return replace(FIT, machine=msgspec.structs.replace(FIT.machine, **fields))


def test_a_fit_machine_needs_no_advice() -> None:
    seen = findings(FIT)
    assert {finding.level for finding in seen} == {"good"}
    assert {finding.advice for finding in seen} == {""}
    assert len({finding.check for finding in seen}) == len(seen) == 13


@pytest.mark.parametrize(
    ("readings", "check", "level", "figure"),
    [
        (machine(cores=1), "cores", "warn", "1 of 8"),
        (machine(governor="powersave"), "governor", "warn", "powersave"),
        (machine(smt=True), "multithreading", "warn", "yes"),
        (machine(virtual=True), "virtual machine", "warn", "yes"),
        (machine(devices=[]), "CUDA device", "warn", "none"),
        (replace(FIT, load=4.8), "load", "warn", "0.60 a core"),
        (replace(FIT, load=16.0), "load", "bad", "2.00 a core"),
        (replace(FIT, stolen=0.02), "stolen time", "warn", "2.0%"),
        (replace(FIT, stolen=0.06), "stolen time", "bad", "6.0%"),
        (replace(FIT, foreign=0.02), "other processes", "warn", "2.0%"),
        (replace(FIT, foreign=0.5), "other processes", "bad", "50.0%"),
        (replace(machine(cpu_quota=0.5), throttled=0.02), "CPU quota", "warn", "0.5 cores, 2.0% of the time stopped"),
        (replace(machine(cpu_quota=0.5), throttled=0.5), "CPU quota", "bad", "0.5 cores, 50.0% of the time stopped"),
        (replace(FIT, budget_bytes=2 * GIB), "memory", "warn", "2.0 GiB a trial, of 64.0"),
        (replace(FIT, budget_bytes=GIB // 2), "memory", "bad", "0.5 GiB a trial, of 64.0"),
        (replace(FIT, peak_resettable=False), "peak memory", "warn", "sampled"),
        (replace(FIT, aslr_optional=False), "address randomisation", "warn", "forced"),
        (replace(FIT, huge_pages="always"), "huge pages", "warn", "always"),
    ],
)
def test_each_fault_is_found_alone(readings: Readings, check: str, level: str, figure: str) -> None:
    faults = [finding for finding in findings(readings) if finding.level != "good"]
    assert [(fault.check, fault.level, fault.figure) for fault in faults] == [(check, level, figure)]
    assert faults[0].advice


def test_what_is_unknown_is_said_and_not_held_against_the_machine() -> None:
    unknown = replace(machine(governor="", smt=None, virtual=None), huge_pages="")
    figures = {finding.check: finding for finding in findings(unknown)}
    for check in ("governor", "multithreading", "virtual machine", "huge pages"):
        assert figures[check] == MachineFinding(check, "good", "unknown")


def test_a_memory_limit_is_shown() -> None:
    seen = {finding.check: finding.figure for finding in findings(machine(memory_limit_bytes=8 * GIB))}
    assert seen["memory"] == "40.0 GiB a trial, of 64.0 limited to 8.0"


def test_the_step_of_peaks_is_told() -> None:
    steps = [
        {finding.check: finding.figure for finding in findings(replace(FIT, peak_to_the_page=exact))}["peak memory"]
        for exact in (True, False)
    ]
    assert steps == ["to the page in the memory pass", "to 32 pages a core"]


def test_readings_of_this_machine_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.HighWater, "reset", lambda _self: None)
    page = tmp_path / "sys/kernel/mm/transparent_hugepage/enabled"
    page.parent.mkdir(parents=True)
    page.write_text("[always] madvise never\n")
    seen = read(0.01, root=tmp_path)
    assert (seen.huge_pages, seen.peak_resettable) == ("always", False)
    assert 0 <= seen.stolen <= 1
    assert 0 <= seen.foreign <= 1
    assert 0 <= seen.throttled <= 1
    assert len(findings(seen)) == 13


@pytest.mark.parametrize("answer", [0, -1])
def test_address_randomisation_is_tried_and_left_as_it_was(answer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def personality(persona: ctypes.c_ulong) -> int:
        asked.append(persona.value)
        return 8 if persona.value in (0xFFFFFFFF, 8) else answer

    library = type("C", (), {"personality": staticmethod(personality)})
    monkeypatch.setattr(memory, "_libc", lambda: library)
    assert memory.can_fix_addresses() is (answer == 0)
    assert asked == [0xFFFFFFFF, 8 | 0x40000, 8]


def simulate(
    moments: int, *, within: float, between: float = 0.0, second: float = 0.0, cores: int = 2
) -> list[NoisePair]:
    """Lognormal times: a core's speed at a moment, then a trial's own noise; B runs first in every other pair."""
    rng = np.random.default_rng(7)
    pairs = []
    for moment in range(moments):
        drift = rng.normal(0, 0.2)
        for core in range(cores):
            level = drift + rng.normal(0, between)
            a_first = (moment + core) % 2 == 0
            late = (0, second) if a_first else (second, 0)
            a, b = np.exp(level + rng.normal(0, within, 2) + late)
            pairs.append(NoisePair(core, moment, float(a), float(b), a_first))
    return pairs


@pytest.mark.parametrize("sigma", [0.005, 0.05])
def test_known_noise_gives_the_floor_of_the_t_interval(sigma: float) -> None:
    """The log-ratio of two trials has standard deviation sigma * sqrt 2, whatever the drift between moments."""
    noise = summarise(simulate(2000, within=sigma))
    assert noise.pairs == 4000
    assert noise.within_core == pytest.approx(sigma, rel=0.05)
    assert noise.sd == pytest.approx(sigma * np.sqrt(2), rel=0.05)
    for blocks in (5, 10, 20):
        half_width = stats.t.ppf(0.975, blocks - 1) * sigma * np.sqrt(2 / blocks)
        assert noise.floor[blocks] == pytest.approx(np.expm1(half_width), rel=0.05)


def test_floor_is_the_mean_half_width_that_another_library_computes() -> None:
    pairs = simulate(10, within=0.03, cores=1)
    ratio = [np.log(pair.b / pair.a) for pair in pairs]
    low, high = stats.ttest_1samp(ratio, 0.0).confidence_interval(0.95)
    assert summarise(pairs).floor[10] == pytest.approx(np.expm1((high - low) / 2))


def test_difference_between_cores_is_kept_from_the_noise_within() -> None:
    noise = summarise(simulate(2000, within=0.02, between=0.07))
    assert noise.within_core == pytest.approx(0.02, rel=0.05)
    assert noise.between_cores == pytest.approx(0.07, rel=0.08)


def test_equal_cores_show_little_difference() -> None:
    noise = summarise(simulate(2000, within=0.02))
    assert noise.between_cores is not None
    assert noise.between_cores < 0.006


def test_one_core_has_no_difference_between_cores() -> None:
    assert summarise(simulate(20, within=0.02, cores=1)).between_cores is None


def test_robust_spread_ignores_a_few_disturbed_trials_and_the_floor_does_not() -> None:
    calm = simulate(200, within=0.01)
    hit = [msgspec.structs.replace(pair, b=pair.b * 3) if pair.turn % 20 == 0 else pair for pair in calm]
    assert summarise(hit).within_core == pytest.approx(summarise(calm).within_core, rel=0.15)
    assert summarise(hit).floor[10] > 5 * summarise(calm).floor[10]


def test_effect_of_order_is_found() -> None:
    assert summarise(simulate(1000, within=0.01, second=0.03)).second == pytest.approx(np.expm1(0.03), rel=0.05)
    assert summarise(simulate(1000, within=0.01)).second == pytest.approx(0, abs=0.002)


def test_noise_is_plain_json() -> None:
    noise = summarise(simulate(5, within=0.01))
    assert msgspec.json.decode(msgspec.json.encode(noise), type=Noise) == noise


@pytest.mark.parametrize("times", [[(1, 1), (1, 1)], [(1, 1), (1, 1), (0, 1)], [(1, 1), (1, 1), (1, float("nan"))]])
def test_too_few_or_impossible_times_are_refused(times: list[tuple[float, float]]) -> None:
    with pytest.raises(UsageError, match="noise floor"):
        summarise([NoisePair(0, index, a, b, a_first=True) for index, (a, b) in enumerate(times)])
