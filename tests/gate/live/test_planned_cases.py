"""What both sides can run is matched; what only one can is said."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness import UsageError
from harness.errors import NothingSelectedError
from harness.gate.live.planned_cases import plan_cases
from harness.plan.selection import Selection

if TYPE_CHECKING:
    from gate.live.conftest import Sides

    from harness.gate.decision import SideName
    from harness.gate.environments.build import SideEnvironment

QUICK = Selection(profile="quick", tasks=("small",), blocks=4)


def test_cases_have_a_trial_a_block_and_what_nobody_can_run_is_a_remark(sides: Sides) -> None:
    found = plan_cases(QUICK, sides())
    assert {planned.case.name for planned in found.cases} == {
        f"small/copy/{name}/numbers/clean" for name in ("copy", "tiny", "tiny-once", "gone", "crash", "grows")
    }
    assert all([trial.block for trial in planned.trials] == [0, 1, 2, 3] for planned in found.cases)
    assert found.cases[-1].metrics["error"].margin == 0.01
    assert found.settled == []
    assert found.remarks == ["not run on the base: needy (package a_module_that_nobody_has is not installed)"]


def test_what_is_gone_from_the_candidate_is_not_measured(sides: Sides) -> None:
    found = plan_cases(QUICK, sides(GONE=1))
    (gone,) = found.settled
    assert (gone.strategy, gone.verdict) == ("gone", "not measured")
    assert "gone from the candidate" in gone.reason


def test_what_is_new_in_the_candidate_is_a_remark(sides: Sides) -> None:
    found = plan_cases(QUICK, sides(base_GONE=1))
    assert found.settled == []
    assert "new in the candidate, with nothing to compare with: small/copy/gone/numbers/clean" in found.remarks


def test_data_that_are_on_neither_side_are_not_measured(sides: Sides) -> None:
    with pytest.raises(NothingSelectedError, match=r"not run on the base: .* \(bakeoff data get numbers\)"):
        plan_cases(QUICK, sides(MISSING=1, base_MISSING=1))


def test_data_that_only_the_candidate_lacks_are_not_measured(sides: Sides) -> None:
    found = plan_cases(QUICK, sides(MISSING=1, base_MISSING=0))
    assert found.cases == []
    assert {case.reason for case in found.settled} == {"the candidate cannot run it: bakeoff data get numbers"}


def test_wrong_data_are_one_sentence(sides: Sides) -> None:
    with pytest.raises(UsageError, match=r"^column 'x' contains inf$"):
        plan_cases(QUICK, sides(WRONG=1, base_WRONG=1))


def test_other_data_are_not_compared(sides: Sides) -> None:
    found = plan_cases(QUICK, sides(DATA_VERSION=2))
    assert found.cases == []
    assert {case.reason for case in found.settled} == {
        "data set numbers differs: version 1 in the base, 2 in the candidate"
    }


def test_a_strategy_that_neither_side_knows_is_refused(sides: Sides) -> None:
    with pytest.raises(UsageError, match="no strategy matches 'coppy'; did you mean copy"):
        plan_cases(msgspec.structs.replace(QUICK, strategies=("coppy",)), sides())


def test_a_strategy_that_only_the_candidate_knows_leaves_nothing_to_compare(sides: Sides) -> None:
    with pytest.raises(NothingSelectedError, match="the base has nothing to run: no strategy matches 'gone'"):
        plan_cases(msgspec.structs.replace(QUICK, strategies=("gone",)), sides(base_GONE=1))


def other_harness(made: dict[SideName, SideEnvironment], folder: Path, program: str) -> None:
    """Give the base a harness in which only the side's program exists; an empty text leaves even that out."""
    package = folder / "other" / "harness" / "gate" / "live"
    package.mkdir(parents=True)
    for part in (package.parents[1], package.parent, package):
        (part / "__init__.py").touch()
    if program:
        (package / "side.py").write_text(program)
    made["base"].variables["PYTHONPATH"] = str(folder / "other")


def test_a_base_without_the_program_of_a_side_is_refused_with_both_versions(sides: Sides, tmp_path: Path) -> None:
    made, version = sides(), re.escape(metadata.version("bakeoff"))
    other_harness(made, tmp_path, "")
    with pytest.raises(
        UsageError,
        match=rf"the base, base \(bakeoff {version}\), cannot list its cases \(ended without an answer.*side.*"
        rf"this gate is of bakeoff {version} and speaks protocols 1 and 2",
    ):
        plan_cases(QUICK, made)


def test_a_base_that_speaks_an_unknown_protocol_is_refused(sides: Sides, tmp_path: Path) -> None:
    made = sides()
    other_harness(made, tmp_path, "print('{\"protocol\": 99}')\nprint('{\"trials\": []}')\n")
    with pytest.raises(UsageError, match=r"cannot list its cases \(it speaks protocol 99 of the gate\)"):
        plan_cases(QUICK, made)


def test_a_base_that_names_no_protocol_speaks_the_first(sides: Sides, tmp_path: Path) -> None:
    made = sides()
    nothing: dict[str, object] = {"trials": [], "variants": [], "missing": [], "metrics": [], "data": {}}
    other_harness(made, tmp_path, f"import json\nprint(json.dumps({nothing!r}))\n")
    with pytest.raises(
        NothingSelectedError, match="new in the candidate, with nothing to compare with: small/copy/copy"
    ):
        plan_cases(msgspec.structs.replace(QUICK, strategies=("copy",)), made)
