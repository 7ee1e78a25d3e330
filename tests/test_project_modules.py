"""The files of a project import each other, and each of them is one module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Project

from harness.config import Config, GatePolicy
from harness.errors import UsageError
from harness.project_modules import project_modules
from harness.registry import load_registry

TOPIC = """\
from harness import Dataset, Judgement, Metric, Topic
topic = Topic("topk", title="Mine")
task = topic.task("task", title="Task", datasets=[Dataset("numbers", lambda params, rng: rng.random(3))],
                  phases=["select"], metrics=[Metric("error", direction="lower", unit="1")],
                  judge=lambda data, output: Judgement({"error": 0.0}))

@task.strategy("sort")
def sort(problem, phase):
    with phase("select"):
        return sorted(problem.data)
"""
MORE = """\
from topk import task

@task.strategy("more")
def more(problem, phase):
    from helpers import half
    with phase("select"):
        return half(problem.data)
"""
HELPERS = "def half(data):\n    return data[: len(data) // 2]\n"


@pytest.fixture(autouse=True)
def forget_modules(tmp_path: Path) -> Iterator[None]:
    """Leave no module and no folder of a project behind."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        # Some modules of libraries answer any attribute with something else.
        folders = module.__dict__.get("__path__") or ()
        places = [module.__dict__.get("__file__") or "", *folders]
        if any(str(place).startswith(str(tmp_path)) for place in places):
            del sys.modules[name]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def strategies(folder: Path, *topics: str, paths: tuple[str, ...] = ()) -> list[str]:
    """Return the strategies of the project's topic."""
    registry = load_registry(Config(folder=folder, topics=topics, gate=GatePolicy(paths=paths)))
    return list(registry.topics["topk"].tasks["task"].strategies)


@pytest.mark.parametrize("topics", [("topk.py", "more.py"), ("more.py", "topk.py")])
def test_a_listed_file_imports_another_one(tmp_path: Path, topics: tuple[str, ...]) -> None:
    write(tmp_path, {"topk.py": TOPIC, "more.py": MORE, "helpers.py": HELPERS})
    assert strategies(tmp_path, *topics) == ["sort", "more"]
    assert sys.modules["topk"] is project_modules(Config(folder=tmp_path, topics=("topk.py",)))[0]


def test_files_import_each_other(tmp_path: Path) -> None:
    write(tmp_path, {"topk.py": f"{TOPIC}\nimport more\n", "more.py": MORE, "helpers.py": HELPERS})
    assert strategies(tmp_path, "topk.py", "more.py") == ["sort", "more"]


@pytest.mark.parametrize("imported", ["from topk import task", "from parts.topk import task"])
@pytest.mark.parametrize("topics", [("parts/topk.py", "parts/more.py"), ("parts/more.py", "parts/topk.py")])
def test_a_file_in_a_folder_is_one_module_under_both_names(
    tmp_path: Path, imported: str, topics: tuple[str, ...]
) -> None:
    write(tmp_path, {"parts/topk.py": TOPIC, "parts/more.py": MORE.replace("from topk import task", imported)})
    assert strategies(tmp_path, *topics) == ["sort", "more"]


def test_a_file_in_a_package_imports_relatively(tmp_path: Path) -> None:
    more = MORE.replace("from topk import task", "from .topk import task")
    write(tmp_path, {"parts/__init__.py": "", "parts/topk.py": TOPIC, "parts/more.py": more})
    assert strategies(tmp_path, "parts/more.py", "parts/topk.py") == ["sort", "more"]


def test_all_modules_of_a_package_are_imported(tmp_path: Path) -> None:
    more = MORE.replace("from topk import task", "from mine.topk import task")
    program = "raise SystemExit('a program')\n"
    write(
        tmp_path,
        {"mine/__init__.py": "", "mine/topk.py": TOPIC, "mine/deep/__init__.py": "", "mine/deep/more.py": more},
    )
    write(tmp_path, {"mine/__main__.py": program})
    assert strategies(tmp_path, "mine") == ["sort", "more"]


def test_a_broken_module_of_a_package_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, {"mine/__init__.py": "", "mine/broken.py": "import no_such_module\n"})
    with pytest.raises(
        UsageError, match=r"^topic module mine in .* cannot be imported: ModuleNotFoundError: No module"
    ):
        strategies(tmp_path, "mine")


def test_folders_of_source_are_on_the_import_path_as_in_a_gate(tmp_path: Path) -> None:
    write(tmp_path, {"topk.py": TOPIC, "more.py": MORE, "src/helpers.py": HELPERS, "lib/other.py": ""})
    strategies(tmp_path, "topk.py", "more.py")
    assert sys.path[:2] == [str(tmp_path / "src"), str(tmp_path)]
    strategies(tmp_path, "topk.py", "more.py", paths=("lib", "."))
    assert str(tmp_path / "lib") in sys.path


def test_a_folder_without_topics_is_not_on_the_import_path(tmp_path: Path) -> None:
    load_registry(Config(folder=tmp_path))
    assert str(tmp_path) not in sys.path


def test_a_file_named_like_a_module_that_is_loaded_stays_apart(tmp_path: Path) -> None:
    import queue

    write(tmp_path, {"queue.py": TOPIC})
    assert strategies(tmp_path, "queue.py") == ["sort"]
    assert sys.modules["queue"] is queue


def test_a_topic_may_have_any_variable(tmp_path: Path) -> None:
    write(tmp_path, {"topk.py": TOPIC.replace("topic", "selection")})
    assert strategies(tmp_path, "topk.py") == ["sort"]


def test_a_task_of_a_file_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"topk.py": TOPIC, "more.py": MORE})
    with pytest.raises(UsageError) as caught:
        strategies(tmp_path, "more.py")
    assert str(caught.value) == (
        f"{tmp_path / 'more.py'} uses task topk/task, but topics in the configuration does not list the file that "
        f"declares its topic, {tmp_path / 'topk.py'}"
    )


@pytest.mark.parametrize("name", [".", "parts/", "a-b", ""])
def test_a_name_that_is_neither_a_file_nor_a_module_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^topics in the configuration of .* lists .* neither a Python file"):
        strategies(tmp_path, name)


def test_files_that_declare_nothing_are_refused(tmp_path: Path) -> None:
    """Commands without a selection would mean all built-in topics."""
    write(tmp_path, {"helpers.py": HELPERS})
    with pytest.raises(UsageError) as caught:
        load_registry(Config(folder=tmp_path, topics=("helpers.py",)))
    assert str(caught.value) == (
        f"topics in the configuration of {tmp_path} lists helpers.py, where no topic is declared and nothing is added "
        "to a task"
    )


def test_run_and_list_import_what_lies_beside_a_file(tmp_path: Path) -> None:
    """Both the command line and the fork server that it starts import the helper."""
    write(tmp_path, {"parts/topk.py": TOPIC, "parts/more.py": MORE, "parts/helpers.py": HELPERS})
    (tmp_path / "bakeoff.toml").write_text('topics = ["parts/topk.py", "parts/more.py"]\n')
    project = Project(tmp_path)
    assert "more" in project.bakeoff("list").stdout
    project.bakeoff("run", "--blocks", "1")
