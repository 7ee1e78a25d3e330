"""Bad input ends in one sentence that says what, where and what to do, and in the exit code of its kind."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Project, make_project, write_csv_card

from harness.cli.main import main
from harness.store.runs import resume

Done = subprocess.CompletedProcess[str]

# Arguments, and the sentence on standard error.
SELECTIONS = {
    "unknown topic": ("run plantd", r"no topic matches 'plantd'; did you mean planted\?"),
    "unknown task": ("run planted/fault", r"no task matches 'planted/fault'; did you mean planted/faults\?"),
    "unknown strategy": ("run planted -s cop", r"no strategy matches 'cop'; did you mean copy\?"),
    "unknown data set": ("run planted -d numbrs", r"no data set matches 'numbrs'; did you mean numbers\?"),
    "unknown scenario": ("run planted --scenario claen", r"no scenario matches 'claen'; did you mean clean\?"),
    "unknown parameter": ("run planted --set rowz=1", r"--set rowz: there is no such parameter.*; did you mean rows\?"),
    "no rows": ("run planted --set rows=0", r"faults on numbers: rows=0 is too small: the least is 1; .*--set rows.*"),
    "negative rows": ("run planted --set rows=-5", r"faults on numbers: rows=-5 is too small: the least is 1; .*"),
    "rows in words": ("run planted --set rows=abc", r"--set rows=abc is not of type int"),
    "rows in parts": ("run planted --set rows=0.5", r"--set rows=0\.5 is not of type int"),
    "too many rows": (
        "run planted --set rows=1000000000000",
        r"faults on numbers: rows=1000000000000 is too large: .*",
    ),
    "parameter set twice": (
        "run planted --set rows=1 --set rows=2",
        r"--set names a parameter twice; give its values in one list, as in --set rows=1000,10000",
    ),
    "threads set twice": (
        "run planted --threads 1 --set threads=2",
        r"give either --threads or --set threads, not both",
    ),
    "no threads in a setting": ("run planted --set threads=0", r".*threads=0 is too small: the least is 1.*"),
    "option of a wrong type": ("run planted -s copy --set extra=x", r"--set extra=x is not of type int"),
    "no file for a page": ("report -o ''", r"Invalid value for '--output' / '-o': it is empty: name a file to write"),
    "no folder for a site": ("report --site ''", r"Invalid value for '--site': it is empty: name a folder to write"),
    "a folder for a page": ("gate a b --page .", r"Invalid value for '--page': File '\.' is a directory\."),
    "unknown run": ("show 123456", r"no run '123456': .*/results contains no runs; make one with 'bakeoff run'"),
    "no run to compare": ("compare a b", r"no run 'a': .*/results contains no runs; make one with 'bakeoff run'"),
    "no run to resume": ("run --resume latest", r"no run 'latest': .*/results contains no runs; make one with .*"),
    "a file that is no run": (
        "show planted.py",
        r".*planted\.py is not a run of bakeoff: .* is not a header.*",
    ),
    "resume and a topic": (
        "run planted --resume latest",
        r"--resume repeats the selection of the run; leave out TOPIC",
    ),
    "resume and options": (
        "run --resume latest --blocks 3 -s copy",
        r"--resume repeats the selection of the run; leave out --blocks, --strategy",
    ),
    "unknown topic to list": ("list plantd", r"there is no topic 'plantd'; did you mean planted\?"),
    "unknown data": ("data get flihgts", r"there is no data set 'flihgts'; did you mean flights or digits\?"),
    "data without a file": (
        "data path synthetic-tabular",
        r"data set synthetic-tabular is generated and has no file",
    ),
    "query without runs": ("query select", r"there is no run or results folder .*/results"),
}
# Errors of the command line's form; lines before the last may show how it is used.
FORMS = {
    "setting without value": ("run planted --set rows", r".*invalid setting 'rows': write name=value, as in rows=.*"),
    "setting with an empty value": ("run planted --set rows=", r".*invalid setting 'rows=': write name=value.*"),
    "a number beyond 64 bits": ("run planted --set rows=9223372036854775808", r".*rows=92.*beyond 64 bits.*"),
    "a number of too many digits": (f"run planted --set rows={'9' * 5000}", r"--set rows=inf is not of type int"),
    "underscores at the end": ("run planted --set rows=1_", r"--set rows=1_ is not of type int"),
    "no threads": ("run planted --threads 0", r".*--threads.*: 0 is not in the range x>=1\."),
    "no blocks": ("run planted --blocks 0", r".*--blocks.*: 0 is not in the range x>=1\."),
    "no time": ("run planted --timeout 0", r".*--timeout.*: 0\.0 is not in the range .*"),
    "endless time": ("run planted --timeout inf", r".*--timeout.*: inf is not in the range .*"),
    "time that is no number": ("run planted --timeout nan", r".*--timeout.*: 'nan' is not a number of seconds"),
    "memory below a byte": ("run planted --memory-limit 0.5", r".*invalid size '0\.5': .*"),
    "no jobs": ("run planted --jobs 0", r".*--jobs.*: 0 is not in the range x>=1\."),
    "negative seed": ("run planted --seed -1", r".*--seed.*: -1 is not in the range x>=0\."),
    "no memory": ("run planted --memory-limit 5XB", r".*invalid size '5XB': write for example 500MB or 2GiB"),
    "unknown profile": ("run planted --profile slow", r".*'slow' is not one of 'quick', 'full', 'claims'\."),
    "unknown command": ("runs", r".*No such command 'runs'\..*"),
    "unknown option": ("run planted --block 3", r".*No such option:? .*--block.*"),
    "missing argument": ("compare latest", r".*Missing argument 'CANDIDATE'\."),
}


@pytest.fixture
def answer(
    shared_project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Done]:
    """Run the command line in this process, where starting it costs nothing."""

    def run(command: str) -> Done:
        monkeypatch.chdir(shared_project.folder)
        monkeypatch.setattr(sys, "argv", ["bakeoff", *shlex.split(command)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(sys.argv, int(ended.value.code or 0), said.out, said.err)

    return run


def check(done: Done, sentence: str) -> None:
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(f"error: {sentence}", line), line


@pytest.mark.parametrize("case", SELECTIONS)
def test_bad_selection_is_one_sentence(answer: Callable[[str], Done], case: str) -> None:
    command, sentence = SELECTIONS[case]
    done = answer(command)
    assert done.returncode == 2
    check(done, sentence)


@pytest.mark.parametrize("case", FORMS)
def test_bad_form_is_one_sentence(answer: Callable[[str], Done], case: str) -> None:
    command, sentence = FORMS[case]
    done = answer(command)
    assert done.returncode == 2
    check(done, sentence)


def test_bad_input_writes_nothing(answer: Callable[[str], Done], shared_project: Project) -> None:
    for command, _ in (*SELECTIONS.values(), *FORMS.values()):
        answer(command)
    assert shared_project.files() == ["bakeoff.toml", "planted.py"]


def test_bad_input_from_a_shell(shared_project: Project) -> None:
    done = shared_project.bakeoff("run", "planted", "-s", "cop", code=2)
    check(done, r"no strategy matches 'cop'; did you mean copy\?")


def test_valid_selection_that_matches_nothing(answer: Callable[[str], Done]) -> None:
    done = answer("run planted -d flights")
    assert done.returncode == 5
    check(done, r"nothing matches this selection; `bakeoff list` shows what there is")


def test_debug_shows_the_traceback(shared_project: Project) -> None:
    command = shared_project.command("--debug", "run", "plantd")
    done = subprocess.run(command, cwd=shared_project.folder, capture_output=True, text=True, check=False)
    assert done.returncode > 0
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert "UsageError: no topic matches 'plantd'" in done.stderr


def test_results_folder_that_is_a_file(shared_project: Project) -> None:
    done = shared_project.bakeoff("run", "planted", "-s", "copy", code=2, BAKEOFF_RESULTS="planted.py")
    check(done, r"cannot create .*/planted\.py/.*\.jsonl \(.*\): give a folder that can be written")


BROKEN_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "syntax error": (
        "list",
        lambda folder: (folder / "planted.py").write_text("x = 1\ndef (:\n"),
        r"topic file planted\.py in .* cannot be imported: SyntaxError: invalid syntax \(planted\.py, line 2\)",
    ),
    "missing topic file": (
        "list",
        lambda folder: (folder / "planted.py").unlink(),
        r"there is no file .*planted\.py, which topics in the configuration lists",
    ),
    "wrong declaration": (
        "run planted",
        lambda folder: append(folder / "planted.py", 'Metric("auc", unit="1")\n'),
        r".*/planted\.py:245: metric auc needs direction='higher' or direction='lower'",
    ),
    "unknown key": (
        "list",
        lambda folder: append(folder / "bakeoff.toml", "memory_limit = 5\n"),
        r".*/bakeoff\.toml: unknown key 'memory_limit'; did you mean memory_limit_mb\?",
    ),
    "invalid TOML": (
        "list",
        lambda folder: append(folder / "bakeoff.toml", "results =\n"),
        r".*/bakeoff\.toml is not valid TOML: Invalid value \(at line 2, column 10\)",
    ),
    "damaged data": (
        "run boosting -d churn",
        lambda folder: append(own_data(folder), "1,2,0\n"),
        r".*/churn\.csv is not the file that the card of data set churn describes: its sha256 begins .*",
    ),
    "missing data": (
        "run boosting -d churn",
        lambda folder: own_data(folder).unlink(),
        r"no data of this selection are on this machine; get them with: bakeoff data get churn",
    ),
    "card with an unknown key": (
        "data list",
        lambda folder: append(own_data(folder).with_suffix(".toml"), 'colour = "red"\n'),
        r".*/churn\.toml: unknown key 'colour' in \[file\].*",
    ),
}


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def own_data(folder: Path) -> Path:
    return write_csv_card(folder / "datasets", "churn", tasks=["boosting/tabular-binary"])


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_broken_file_is_one_sentence(project: Project, case: str) -> None:
    command, harm, sentence = BROKEN_FILES[case]
    harm(project.folder)
    check(project.bakeoff(*shlex.split(command), code=2), sentence)
    assert not (project.folder / "results").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.bakeoff("run", "planted", "-s", "copy", "--blocks", "3")
    return project


@pytest.fixture
def run_file(finished: Project, tmp_path: Path) -> Path:
    """A copy of a run, to be damaged."""
    file = tmp_path / "copy.jsonl"
    file.write_bytes(finished.runs()[0].read_bytes())
    return file


def test_damaged_record_names_its_line(finished: Project, run_file: Path) -> None:
    lines = run_file.read_text().splitlines()
    lines[2] = lines[2][:100]
    run_file.write_text("\n".join(lines) + "\n")
    done = finished.bakeoff("show", str(run_file), code=2)
    check(done, rf"{run_file}, line 3 is damaged \(.*\): restore the file or delete the line")


def test_newer_schema_is_refused(finished: Project, run_file: Path) -> None:
    run_file.write_text(run_file.read_text().replace('"schema":"1.', '"schema":"2.', 1))
    done = finished.bakeoff("show", str(run_file), code=2)
    check(done, rf"{run_file} has schema 2\.\d, and this bakeoff reads up to 1\.\d: update bakeoff")


def test_empty_file_is_no_run(finished: Project, run_file: Path) -> None:
    run_file.write_text("")
    done = finished.bakeoff("show", str(run_file), code=2)
    check(done, rf"{run_file} has no complete header: .*delete the file")


def test_unknown_run_suggests_those_that_there_are(finished: Project) -> None:
    known = finished.runs()[0].stem.rsplit("-", 1)[1]
    check(finished.bakeoff("show", "nothing", code=2), rf"no run 'nothing' in .*/results; known: .*{known}.*")


def test_run_that_another_process_writes_is_not_resumed(finished: Project) -> None:
    with resume(finished.runs()[0]):
        done = finished.bakeoff("run", "--resume", "latest", code=2)
    check(done, r".*\.jsonl is being written by another process: wait for its end, or start a new one")


def test_run_of_changed_declarations_is_not_resumed(finished: Project) -> None:
    planted = finished.folder / "planted.py"
    before = planted.read_text()
    planted.write_text(before.replace('params={"rows": Param(1000, low=1)}', 'params={"rows": Param(999, low=1)}'))
    size = finished.runs()[0].stat().st_size
    try:
        done = finished.bakeoff("run", "--resume", "latest", code=2)
    finally:
        planted.write_text(before)
    check(done, r"run [0-9a-f]{6} cannot be resumed: the declarations changed since, .*start a new run, or go back .*")
    assert finished.runs()[0].stat().st_size == size
