"""Configuration: where it is found, what overrides it, and what is refused."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from harness.config import Config, decode_config, encode_config, ignored_file, read_config
from harness.errors import UsageError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BAKEOFF_")]:
        monkeypatch.delenv(name)


def bakeoff_toml(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bakeoff.toml").write_text(text)


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    assert read_config(tmp_path) == Config(folder=tmp_path)


def test_file_of_its_own_comes_before_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.bakeoff]\nresults = "b"\ntimeout_s = 5\n')
    assert read_config(tmp_path) == Config(folder=tmp_path, results="b", timeout_s=5.0)
    assert ignored_file(tmp_path) is None
    bakeoff_toml(tmp_path, 'results = "a"')
    assert read_config(tmp_path) == Config(folder=tmp_path, results="a")
    assert ignored_file(tmp_path) == tmp_path / "pyproject.toml"


def test_nearest_parent_is_taken(tmp_path: Path) -> None:
    bakeoff_toml(tmp_path, 'machine = "far"')
    bakeoff_toml(tmp_path / "a", 'machine = "near"')
    found = read_config(tmp_path / "a" / "b" / "c")
    assert (found.machine, found.folder) == ("near", tmp_path / "a")
    assert found.results_folder == tmp_path / "a" / "results"
    assert found.datasets_folder == tmp_path / "a" / "datasets"


@pytest.mark.parametrize("pyproject", ["[tool.bakeoff", "[project]\nname = 'x'\n"])
def test_a_second_file_without_our_table_is_not_worth_a_note(tmp_path: Path, pyproject: str) -> None:
    bakeoff_toml(tmp_path, 'results = "a"')
    (tmp_path / "pyproject.toml").write_text(pyproject)
    assert ignored_file(tmp_path) is None


@pytest.mark.parametrize("pyproject", ["", "[project]\nname = 'x'\n", "[tool.other]\nkey = 1\n"])
def test_pyproject_without_our_table_is_passed_over(tmp_path: Path, pyproject: str) -> None:
    bakeoff_toml(tmp_path, 'machine = "far"')
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "pyproject.toml").write_text(pyproject)
    assert read_config(tmp_path / "a").machine == "far"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    bakeoff_toml(tmp_path / "a", f'results = "{tmp_path / "elsewhere"}"')
    assert read_config(tmp_path / "a").results_folder == tmp_path / "elsewhere"


def test_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bakeoff_toml(tmp_path, 'results = "a"\ntimeout_s = 5\ntopics = ["one.py"]\nmachine = "here"')
    monkeypatch.setenv("BAKEOFF_RESULTS", "b")
    monkeypatch.setenv("BAKEOFF_TIMEOUT_S", "7.5")
    monkeypatch.setenv("BAKEOFF_MEMORY_LIMIT_MB", "512")
    monkeypatch.setenv("BAKEOFF_BUILTIN", "true")
    monkeypatch.setenv("BAKEOFF_TOPICS", os.pathsep.join(["two.py", "three"]))
    assert read_config(tmp_path) == Config(
        folder=tmp_path,
        results="b",
        timeout_s=7.5,
        memory_limit_mb=512,
        topics=("two.py", "three"),
        builtin=True,
        machine="here",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('result = "a"', "unknown key 'result'; did you mean results?"),
        ('folder = "a"', "unknown key 'folder'"),
        ("results = 5", "Expected `str`, got `int` - at `$.results`"),
        ('topics = "one.py"', "Expected `array`, got `str` - at `$.topics`"),
        ("topics = [1]", "Expected `str`, got `int` - at `$.topics[0]`"),
        ('timeout_s = "soon"', "Expected `float`, got `str` - at `$.timeout_s`"),
        ("memory_limit_mb = 1.5", "Expected `int`, got `float` - at `$.memory_limit_mb`"),
    ],
)
def test_wrong_key_or_type_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    bakeoff_toml(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_config(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'bakeoff.toml'}: {sentence}")


@pytest.mark.parametrize("content", [b"results = ", b"\xff\xfe", b"a = 1\na = 2\n"])
@pytest.mark.parametrize("name", ["bakeoff.toml", "pyproject.toml"])
def test_invalid_toml_names_the_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_config(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / name} is not valid TOML: ")
    assert "\n" not in str(caught.value)


def test_configuration_reaches_another_process_whole(tmp_path: Path) -> None:
    config = Config(folder=tmp_path, topics=("a.py", "b"), builtin=True, machine="m", timeout_s=1.5, memory_limit_mb=7)
    assert decode_config(encode_config(config)) == config


def test_the_gate_has_a_table_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "bakeoff.toml").write_text(
        '[gate]\nbudget_s = 60\nmargins = {"cpu_s" = 0.03, "boosting:fit.cpu_s" = 0.02, "auc" = 0.001}\n'
        '[[gate.allowed]]\ncase = "boosting/*/xgboost-*"\nfigure = "*.cpu_s"\nuntil = 2026-12-31\nreason = "rewrite"\n'
        "params = { rows = 100000 }\n"
    )
    config = read_config(tmp_path)
    policy = config.gate
    assert decode_config(encode_config(config)) == config
    assert policy.margin("boosting", "fit.cpu_s", {}) == 0.02
    assert policy.margin("boosting", "predict.cpu_s", {}) == policy.margin("ope", "fit.cpu_s", {}) == 0.03
    assert policy.margin("boosting", "auc", {"auc": 0.005}) == 0.001
    assert policy.margin("boosting", "brier", {"brier": 0.002}) == 0.002
    assert policy.margin("boosting", "fit.wall_s", {}) == 0.1
    case, rows = "boosting/tabular-binary/xgboost-hist/flights/clean", {"rows": 100_000, "threads": 1}
    assert policy.allows(case, {"rows": 10_000}, "fit.cpu_s", date(2026, 12, 31)) == ""
    assert policy.allows(case, {}, "fit.cpu_s", date(2026, 12, 31)) == ""
    assert policy.allows(case, rows, "fit.cpu_s", date(2026, 12, 31)) == "rewrite (allowed until 2026-12-31)"
    assert policy.allows(case, rows, "fit.cpu_s", date(2027, 1, 1)) == ""
    assert policy.allows(case, rows, "peak_bytes", date(2026, 12, 31)) == ""
    assert policy.allows("boosting/tabular-binary/lightgbm/flights/clean", rows, "fit.cpu_s", date(2026, 12, 31)) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate]\nmargin = 3\n", r"bakeoff\.toml, table gate: unknown key 'margin'; did you mean margins\?"),
        ("[gate]\nmargins = {cpu_s = -1}\n", "Expected `float` >= 0"),
        ("[gate]\npairs = 1\n", "Expected `int` >= 2"),
        ('[gate]\ninconclusive = "maybe"\n', "Invalid enum value 'maybe'"),
        ('[[gate.allowed]]\ncase = "x"\nreason = "y"\n', "missing required field `until`"),
    ],
)
def test_a_wrong_gate_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bakeoff.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_config(tmp_path)


@pytest.mark.parametrize("path", ["a\\u0000b", "a\\nb", "x" * 300])
@pytest.mark.parametrize("key", ["results", "datasets"])
def test_paths_that_none_can_be_are_one_sentence(tmp_path: Path, key: str, path: str) -> None:
    bakeoff_toml(tmp_path, f'{key} = "{path}"')
    with pytest.raises(UsageError, match=rf"bakeoff\.toml: Expected `str` matching regex .* at `\$\.{key}`"):
        read_config(tmp_path)
