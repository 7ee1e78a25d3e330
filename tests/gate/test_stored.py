"""The gate on stored runs: which cases it judges, and which runs it refuses."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gate.stored_runs import AUC, LOSS, MEMORY, Plant, both, finding, header, record, session

from harness.config import Allowed, GatePolicy
from harness.errors import Exit, NothingSelectedError, UsageError
from harness.gate.stored.gate import decide, runs_named
from harness.gate.stored.sides import StoredRun
from harness.measure.machine import Environment, Machine
from harness.records import Conditions
from harness.store.named_runs import set_baseline
from harness.store.runs import create


def test_removed_and_new_cases() -> None:
    base = header(1, 0), [record(b, strategy=s) for b in range(5) for s in ("hist", "old")]
    candidate = header(2, 1), [record(b, strategy=s) for b in range(5) for s in ("hist", "new")]
    decision = decide([base], [candidate], GatePolicy())
    assert (decision.verdict, decision.exit_code) == ("not measured", Exit.TRIAL_FAILED)
    assert [(case.strategy, case.verdict) for case in decision.cases] == [
        ("hist", "inconclusive"),
        ("old", "not measured"),
    ]
    assert "new in the candidate, with nothing to compare with: planted/choose/new/numbers/clean" in decision.remarks
    allowed = Allowed("planted/choose/old", datetime.date(2999, 1, 1), "replaced by new")
    accepted = decide([base], [candidate], GatePolicy(allowed=(allowed,))).cases[1]
    assert (accepted.verdict, accepted.allowed) == ("pass", "replaced by new (allowed until 2999-01-01)")


def test_options_and_parameters_are_cases_of_their_own() -> None:
    base = header(1, 0), [record(b, options={"max_bin": bins}) for b in range(5) for bins in (8, 64)]
    decision = decide([base], [(header(2, 1), base[1])], GatePolicy())
    assert [case.strategy for case in decision.cases] == ["hist[max_bin=8]", "hist[max_bin=64]"]


def some(status: str = "ok", reason: str = "", *blocks: int) -> Plant:
    return lambda block: {"status": status, "reason": reason} if block in blocks else {}


ALL = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("base", "candidate", "verdict", "reason"),
    [
        ((), ("memory", "over 1 GB", 1, 3), "failed", "2 of 5 trials .* did not finish: memory: over 1 GB"),
        (("failed", "flaky", 0), ("failed", "flaky", 1, 2), "failed", "2 of 5 .* not finish; in the base 1 of 5: .*"),
        ((), ("skipped", "no CUDA device", *ALL), "not measured", "the candidate cannot run it: .*no CUDA device"),
        (("failed", "boom", *ALL), ("failed", "bang", *ALL), "not measured", "failed on both sides: failed: bang"),
        (
            ("skipped", "no GPU", *ALL),
            ("timeout", "10 s", *ALL),
            "not measured",
            "skipped in the base .* timeout: 10 s",
        ),
    ],
)
def test_what_did_not_finish(base: Any, candidate: Any, verdict: str, reason: str) -> None:
    decision = both(some(*base), some(*candidate))
    (case,) = decision.cases
    assert (case.verdict, case.findings) == (verdict, [])
    assert re.fullmatch(f".*{reason}.*", case.reason), case.reason


def test_what_fails_on_both_sides_alike_is_judged_by_the_rest() -> None:
    decision = both(some("failed", "flaky", 0), some("failed", "flaky", 0))
    assert finding(decision, "auc").pairs == 4
    assert decision.remarks == ["some trials failed on both sides (failed: flaky): planted/choose/hist/numbers/clean"]


def test_what_nobody_finished_is_left_out() -> None:
    def mixed(number: int) -> StoredRun:
        gpu = [record(b, strategy="gpu", status="skipped", reason="no CUDA device") for b in range(5)]
        return header(number, number), [*gpu, *(record(b) for b in range(5))]

    decision = decide([mixed(1)], [mixed(2)], GatePolicy())
    assert [case.strategy for case in decision.cases] == ["hist"]
    assert decision.remarks == ["skipped on both sides (skipped: no CUDA device): planted/choose/gpu/numbers/clean"]
    with pytest.raises(NothingSelectedError, match="no case that both sides finished: skipped on both sides"):
        both(some("skipped", "no GPU", *ALL), some("skipped", "no GPU", *ALL))


def test_nothing_in_common() -> None:
    with pytest.raises(NothingSelectedError, match="no strategy, data, scenario and parameters in common"):
        both(lambda _: {}, lambda _: {"strategy": "other"})


def test_other_data_are_not_measured() -> None:
    names = ("numbers", "words")
    base = header(1, 0), [record(b, dataset=name) for b in range(5) for name in names]
    changed = header(2, 1, cards={"numbers": "ab" * 32, "words": "ef" * 32}), base[1]
    decision = decide([base], [changed], GatePolicy())
    assert [(case.dataset, case.verdict, case.reason) for case in decision.cases] == [
        ("numbers", "inconclusive", ""),
        ("words", "not measured", "data set words differs: cdcdcdcd in base, efefefef in candidate"),
    ]
    with pytest.raises(UsageError, match=r"no case can be compared: data set numbers differs: abab"):
        decide([session(1, 0)], [session(2, 1, cards={"numbers": "ef" * 32})], GatePolicy())


def test_other_machines_are_refused_unless_asked_for() -> None:
    elsewhere = Machine(name="elsewhere", cpu="Xeon", os="Debian")
    base, candidate = [session(1, 0)], [session(2, 1, lambda _: {"cpu": 9.0, "memory": 2 * MEMORY}, machine=elsewhere)]
    with pytest.raises(UsageError, match=r"base was measured on box and the candidate on elsewhere.*--across-machines"):
        decide(base, candidate, GatePolicy())
    decision = decide(base, candidate, GatePolicy(), across_machines=True)
    assert finding(decision, "cpu_s").verdict == "inconclusive"
    assert finding(decision, "cpu_s").reason == "times of two machines are not comparable"
    assert finding(decision, "peak_bytes").verdict == "inconclusive"
    assert "two machines of different kinds" in finding(decision, "peak_bytes").reason
    assert finding(decision, "auc").verdict == "pass"
    assert decision.remarks[0].startswith("different machines, box and elsewhere: times are not judged")
    twin = Machine(name="twin", cpu="EPYC", os="Debian")
    alike = decide(
        base, [session(2, 1, lambda _: {"memory": 2 * MEMORY}, machine=twin)], GatePolicy(), across_machines=True
    )
    assert finding(alike, "peak_bytes").verdict == "regressed"


def test_the_base_on_the_candidates_machine_is_taken() -> None:
    other = session(3, 0, machine=Machine(name="other"))
    decision = decide([session(1, 0), other], [session(2, 1)], GatePolicy())
    assert decision.machine.name == "box"
    assert "1 of 2 runs of the base are of other machines and left out" in decision.remarks
    with pytest.raises(UsageError, match="candidate's runs come from box and other"):
        decide([session(1, 0)], [session(2, 1), other], GatePolicy())


def test_the_same_run_on_both_sides_is_remarked() -> None:
    run = session(1, 0)
    decision = decide([run, run], [run], GatePolicy())
    assert "both sides have the same run, 000001, which cannot differ from itself" in decision.remarks
    assert decision.verdict == "pass"


def test_what_a_reader_must_know_of_the_runs() -> None:
    environment = Environment(packages={"numpy": "2.1.0"}, commit="fedcba9876543210", dirty=True)
    later = session(3, 2, trials=9, environment=environment, machine=Machine(name="box", cpu="EPYC", kernel="7"))
    busy = session(1, -48, lambda _: {"conditions": Conditions(load=3.0, stolen=0.5, foreign=0.0)})
    decision = decide([busy], [session(2, 1), later], GatePolicy())
    said = "\n".join(decision.remarks)
    for sentence in (
        "5 of 5 trials of the base lost over 5 % of their cores",
        "run 000003 has 5 of 9 planned trials; finish it with 'bakeoff run --resume 000003'",
        "the candidate's runs are of 2 commits: 01234567, fedcba98",
        "the machine changed between the sides: kernel  -> 7",
        "2 days are between the sides",
    ):
        assert sentence in said
    assert (decision.base.commit, decision.base.packages) == ("0123456789abcdef", {"numpy": "2.0.0"})
    assert (decision.candidate.commit, decision.candidate.dirty) == (None, True)
    assert decision.candidate.packages == {"numpy": "2.0.0 and 2.1.0"}


def test_a_changed_margin_is_remarked() -> None:
    loose = msgspec.structs.replace(AUC, margin=0.5)
    decision = decide([session(1, 0)], [session(2, 1, metrics=(loose, LOSS))], GatePolicy())
    assert decision.remarks == ["the margin of auc was 0.005 in the base; the candidate's 0.5 is taken"]


def test_runs_are_named_in_many_ways(tmp_path: Path) -> None:
    for number in (1, 2):
        create(tmp_path, header(number, number)).close()
    first, second = sorted((tmp_path / "box").glob("*.jsonl"))
    set_baseline(tmp_path, "release", {"box": ["000001", "000002"]})
    assert runs_named(tmp_path, "000001") == runs_named(tmp_path, str(first)) == [first]
    assert runs_named(tmp_path, "latest") == [second]
    assert runs_named(tmp_path, "@release") == runs_named(tmp_path, str(tmp_path / "box")) == [first, second]
    with pytest.raises(UsageError, match=r"there is no baseline @releas in .*; did you mean release\?; set it with"):
        runs_named(tmp_path, "@releas")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="contains no runs"):
        runs_named(tmp_path, str(tmp_path / "empty"))
