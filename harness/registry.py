"""Finds topics and data sets: built in, of the user's project, and of plug-ins (entry points ``bakeoff.topics``)."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from harness.config import Config
from harness.data.cards import builtin_folder, cards, dataset
from harness.declare import Dataset, Task, Topic
from harness.errors import DeclarationError, UsageError, did_you_mean

BUILTIN = "harness.topics"
ENTRY_POINTS = "bakeoff.topics"


class Registry:
    """Everything that can be selected.

    Parameters
    ----------
    topics
        By name, in the order in which they were found.
    datasets
        By name: cards, and what tasks declare in code.
    joins
        For ``topic/task``, names of data sets that join the task from their cards.
    """

    def __init__(self, topics: dict[str, Topic], datasets: dict[str, Dataset], joins: dict[str, list[str]]) -> None:
        self.topics = topics
        self._datasets = dict(datasets)
        self._joins = joins
        for task in self.tasks():
            for made in (*task.datasets, *task.joined):
                if isinstance(made, Dataset) and self._datasets.setdefault(made.name, made) != made:
                    raise DeclarationError(f"task {task.full_name}: there is another data set {made.name!r}")
        known = [task.full_name for task in self.tasks()]
        for task in self.tasks():
            for role, name in (("reference", task.reference), ("baseline", task.baseline)):
                if name is not None and name not in task.strategies:
                    hint = did_you_mean(name, task.strategies)
                    raise DeclarationError(f"task {task.full_name}: its {role} {name!r} is no strategy{hint}")
        for name, members in joins.items():
            if name not in known:
                raise UsageError(f"the card of data set {members[0]} joins task {name!r}{did_you_mean(name, known)}")

    def tasks(self) -> Iterator[Task]:
        """Go through the tasks of all topics."""
        for topic in self.topics.values():
            yield from topic.tasks.values()

    def dataset(self, name: str) -> Dataset:
        """Return a data set by name.

        Raises
        ------
        UsageError
            When there is none of that name.
        """
        if name not in self._datasets:
            raise UsageError(f"there is no data set {name!r}{did_you_mean(name, self._datasets)}")
        return self._datasets[name]

    def dataset_names(self) -> list[str]:
        """Return the names of all data sets."""
        return list(self._datasets)

    def datasets_of(self, task: Task) -> list[Dataset]:
        """Return a task's data sets, with those of the user's project that join it."""
        names = [made if isinstance(made, str) else made.name for made in (*task.datasets, *task.joined)]
        joining = self._joins.get(task.full_name, [])
        return [self.dataset(name) for name in dict.fromkeys([*names, *joining])]


def load_registry(config: Config) -> Registry:
    """Import all topics and read all cards.

    Raises
    ------
    UsageError
        When a file of the project is missing, or a declaration in it is wrong.
    """
    topics: dict[str, Topic] = {}
    for module in (*_builtin(), *_plugins(), *(_project_module(name, config.folder) for name in config.topics)):
        topic = getattr(module, "topic", None)
        if not isinstance(topic, Topic):
            continue
        if topics.get(topic.name, topic) is not topic:
            raise DeclarationError(f"{module.__file__}: there is a topic {topic.name!r} already; choose another name")
        topics[topic.name] = topic
    found = cards(card_folders(config))
    joins: dict[str, list[str]] = {}
    for card in found.values():
        for task in card.tasks:
            joins.setdefault(task, []).append(card.name)
    return Registry(topics, {name: dataset(card) for name, card in found.items()}, joins)


def card_folders(config: Config) -> list[Path]:
    """Return the folders that hold cards: the harness's own and, where there is one, the project's."""
    own, builtin = config.datasets_folder, builtin_folder()
    return [builtin, own] if own.is_dir() and own.resolve() != builtin.resolve() else [builtin]


def _builtin() -> Iterator[ModuleType]:
    package = importlib.import_module(BUILTIN)
    for found in pkgutil.iter_modules(package.__path__):
        if found.ispkg and not found.name.startswith("_"):
            topic = importlib.import_module(f"{BUILTIN}.{found.name}")
            for part in pkgutil.iter_modules(topic.__path__):
                importlib.import_module(f"{topic.__name__}.{part.name}")
            yield topic


def _plugins() -> Iterator[ModuleType]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            yield importlib.import_module(point.module)
        except DeclarationError:
            raise
        except Exception as error:
            raise UsageError(f"plug-in {point.name} ({point.value}) cannot be imported: {error}") from error


def _project_module(name: str, folder: Path) -> ModuleType:
    try:
        if not name.endswith(".py"):
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
            return importlib.import_module(name)
        return _from_file(folder / name)
    except DeclarationError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"topic file {name} in {folder} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _from_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    name = f"bakeoff_project_{file.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(file):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
