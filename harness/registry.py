"""Finds topics and data sets: built in, of the user's project, and of plug-ins (entry points ``bakeoff.topics``)."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import pkgutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from harness.config import Config
from harness.data.cards import builtin_folder, cards, dataset
from harness.declare import Dataset, Strategy, Takes, Task, Topic
from harness.errors import DeclarationError, UsageError, did_you_mean
from harness.project_modules import project_modules

BUILTIN = "harness.topics"
ENTRY_POINTS = "bakeoff.topics"
_ENGINE = "engine"  # what the tasks of a topic compute with: it declares nothing, and may import any library
#: Variable with a module whose function ``registry(config)`` makes the registry instead, as for another tool's suite.
REGISTRY = "BAKEOFF_REGISTRY"


class Registry:
    """Everything that can be selected.

    Parameters
    ----------
    topics
        By name: first the built-in ones, then those of plug-ins and of the project.
    datasets
        By name: cards, and what tasks declare in code.
    joins
        For ``topic/task``, names of data sets that join the task from their cards.
    default_tasks
        What commands mean without a selection, as ``topic`` or ``topic/task``: what the project declares or adds to;
        empty for everything.
    """

    def __init__(
        self,
        topics: dict[str, Topic],
        datasets: dict[str, Dataset],
        joins: dict[str, list[str]],
        default_tasks: tuple[str, ...] = (),
    ) -> None:
        self.topics = topics
        self.default_tasks = default_tasks
        self._datasets = dict(datasets)
        self._joins = joins
        for task in self.tasks():
            for made in (*task.datasets, *task.joined):
                if isinstance(made, Dataset) and self._datasets.setdefault(made.name, made) != made:
                    raise DeclarationError(
                        f"task {task.full_name}: there is another data set {made.name!r}; rename one, or use the same "
                        "Dataset in both tasks"
                    )
            _check_names(task)
        known = {task.full_name: task for task in self.tasks()}
        for name, members in joins.items():
            if name not in known:
                raise UsageError(f"the card of data set {members[0]} joins task {name!r}{did_you_mean(name, known)}")
            for member in members:
                _check_joins(known[name], self.dataset(member))
        for task in known.values():
            for named in task.datasets:
                if isinstance(named, str) and task.takes is not None:
                    _check_takes(task, task.takes, self.dataset(named))

    def tasks(self) -> Iterator[Task]:
        """Go through the tasks of all topics."""
        for topic in self.topics.values():
            yield from topic.tasks.values()

    def default_topics(self) -> list[Topic]:
        """Return the topics that a command without a selection is about."""
        names = [name.partition("/")[0] for name in self.default_tasks]
        return [topic for name, topic in self.topics.items() if not names or name in names]

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

    def needs(self, task: Task, strategies: Iterable[Strategy]) -> set[str]:
        """Return the modules that some strategies of a task need, with those of its topic and of its data sets."""
        needing: list[Topic | Strategy | Dataset] = [self.topics[task.topic], *strategies, *self.datasets_of(task)]
        return {need for one in needing for need in one.needs}


def _check_takes(task: Task, takes: Takes, dataset: Dataset) -> None:
    """Refuse a data set that a task names and cannot take."""
    if not takes.accepts(dataset):
        raise DeclarationError(
            f"{task.where}: task {task.name} takes data of the kind '{takes}', and its data set {dataset.name} is "
            f"'{dataset.description}'; correct takes, or leave the data set out"
        )


def _check_joins(task: Task, dataset: Dataset) -> None:
    """Refuse a data set that joins a task by its card, and that the task cannot take."""
    if task.takes is not None and task.takes.accepts(dataset):
        return
    reason = (
        f"which takes data of the kind '{task.takes}', not '{dataset.description}'"
        if task.takes is not None
        else "which takes no data sets of cards (a task that does says so: takes=Takes(...))"
    )
    raise UsageError(f"the card of data set {dataset.name} joins task {task.full_name}, {reason}; correct its `tasks`")


def _check_names(task: Task) -> None:
    """Refuse strategies and options that a task names and does not have; they are declared after the task."""
    for role, name in (("reference", task.reference), ("baseline", task.baseline)):
        if name is not None and name not in task.strategies:
            hint = did_you_mean(name, task.strategies)
            raise DeclarationError(f"task {task.full_name}: there is no strategy {name!r} for its {role}{hint}")
    for name in task.quick.strategies or ():
        if name not in task.strategies:
            raise DeclarationError(
                f"{task.where}: the quick profile of task {task.full_name} names strategy "
                f"{name!r}{did_you_mean(name, task.strategies)}"
            )
    if not task.only_named:
        _check_left_out(task)
    options = {option for strategy in task.strategies.values() for option in strategy.options}
    for name in task.defaults:
        if name not in options:
            hint = did_you_mean(name, options)
            raise DeclarationError(f"task {task.full_name}: no strategy has the option {name!r} of its defaults{hint}")


def _check_left_out(task: Task) -> None:
    """Refuse a quick profile without the reference or the baseline of its task, or without any strategy."""
    left_out = task.not_quick
    for role, name in (("reference", task.reference), ("baseline", task.baseline)):
        if name in left_out:
            raise DeclarationError(
                f"{task.where}: the quick profile of task {task.full_name} leaves out its {role} {name!r}; "
                "the others are judged against it, so include it"
            )
    if task.strategies and len(left_out) == len(task.strategies):
        raise DeclarationError(
            f"{task.where}: the quick profile of task {task.full_name} leaves out all its strategies"
        )


def load_registry(config: Config) -> Registry:
    """Import all topics and read all cards.

    Raises
    ------
    UsageError
        When a file of the project is missing, or a declaration in it is wrong.
    """
    if other := os.environ.get(REGISTRY):
        made: Registry = importlib.import_module(other).registry(config)
        return made
    topics: dict[str, Topic] = {}
    # In this order: strategies of a project come after those of the task that they join.
    builtin, plugins = list(_builtin()), list(_plugins())
    modules = project_modules(config)
    for module in (*builtin, *plugins, *modules):
        _collect(module, topics)
    for module in modules:
        _check_tasks(module, topics)
    folders = card_folders(config)
    known = cards(folders)
    joins: dict[str, list[str]] = {}
    for card in known.values():
        for task in card.tasks:
            joins.setdefault(task, []).append(card.name)
    installed = [Path(__file__).parent]
    installed += [folder for module in plugins if module not in modules for folder in _folders(module)]
    added = cards(folders[1:])
    joined = {task for card in added.values() for task in card.tasks}
    project = tuple(_project_tasks(topics, installed, joined))
    if not project and not all(_lies_in(str(module.__file__), installed) for module in modules):
        raise UsageError(
            f"topics in the configuration of {config.folder} lists {', '.join(config.topics)}, where no topic is "
            "declared and nothing is added to a task"
        )
    default = () if config.builtin else project
    return Registry(topics, {name: dataset(card) for name, card in known.items()}, joins, default)


def card_folders(config: Config) -> list[Path]:
    """Return the folders that contain cards: the built-in one and, if it exists, the project's."""
    project, builtin = config.datasets_folder, builtin_folder()
    return [builtin, project] if project.is_dir() and project.resolve() != builtin.resolve() else [builtin]


def _collect(module: ModuleType, topics: dict[str, Topic]) -> None:
    """Add the topics of a module, whatever the names of its variables."""
    for topic in vars(module).values():
        if isinstance(topic, Topic) and topics.setdefault(topic.name, topic) is not topic:
            raise DeclarationError(f"{topic.where}: there is a topic {topic.name!r} already; choose another name")


def _check_tasks(module: ModuleType, topics: dict[str, Topic]) -> None:
    """Refuse a task that a listed file imports from one that is not listed: its topic would be missing."""
    for task in vars(module).values():
        if isinstance(task, Task) and task.topic not in topics:
            raise UsageError(
                f"{module.__file__} uses task {task.full_name}, but topics in the configuration does not list the "
                f"file that declares its topic, {task.where.rpartition(':')[0]}"
            )


def _project_tasks(topics: Mapping[str, Topic], installed: Sequence[Path], joined: Collection[str]) -> Iterator[str]:
    """Go through the topics that the project declares or adds claims to, and the tasks to which it adds something.

    Parameters
    ----------
    installed
        Folders and files whose declarations are not the project's.
    joined
        Full names of the tasks that the project's cards join.
    """

    def is_installed(place: str) -> bool:
        return _lies_in(place.rpartition(":")[0], installed)

    for topic in topics.values():
        if not all(map(is_installed, (topic.where, *(claim.where for claim in topic.claims)))):
            yield topic.name
            continue
        for task in topic.tasks.values():
            if task.full_name in joined or not all(map(is_installed, task.places())):
                yield task.full_name


def _lies_in(file: str, folders: Sequence[Path]) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in folders)


def _builtin() -> Iterator[ModuleType]:
    package = importlib.import_module(BUILTIN)
    for found in pkgutil.iter_modules(package.__path__):
        if found.ispkg and not found.name.startswith("_"):
            topic = importlib.import_module(f"{BUILTIN}.{found.name}")
            for part in pkgutil.iter_modules(topic.__path__):
                if part.name != _ENGINE:
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


def _folders(module: ModuleType) -> list[Path]:
    """Return where the package of a module lies: its folders, or its file."""
    top = sys.modules[module.__name__.partition(".")[0]]
    return [Path(place) for place in getattr(top, "__path__", [top.__file__])]
