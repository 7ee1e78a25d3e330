"""What the executor on Dask has its workers do: get ready for a run, and run blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
from distributed import get_worker

from harness.config import decode_config, read_config
from harness.errors import BakeoffError, UsageError, some
from harness.execute.executor import Block, Ended, EngineError, Limits, Place, Share
from harness.execute.local import Job, Obstacles
from harness.execute.slots import Slot
from harness.measure.machine import environment, fingerprint
from harness.records import Trial
from harness.registry import load_registry


@dataclass(frozen=True)
class Order:
    """What a worker is told of a run.

    Attributes
    ----------
    key
        Tells executions apart: fork servers of an earlier one may have imported older code.
    config
        The project's configuration, encoded; the project lies in the same folder on every machine.
    place
        Where the run is directed from, whose software all workers must have.
    trials
        A trial of each strategy and data set that can run there; all workers must be able to run them too.
    """

    key: str
    config: str
    limits: Limits
    place: Place
    trials: tuple[Trial, ...]


def enter(order: Order) -> Place:
    """Get ready for a run, and return where this worker is.

    Raises
    ------
    UsageError
        When the trials cannot run here as they would where the run is directed from.
    """
    try:
        return _post(order).place
    except BakeoffError as error:  # some errors cannot be sent
        raise UsageError(f"worker {get_worker().address} {error}") from None


def run_block(order: Order, block: Block) -> Ended:
    """Run the trials of a block one after the other; none of a block that another machine began.

    Once the run has ended nobody waits for them, and none are returned.

    Raises
    ------
    EngineError
        When this worker came after the run began, and cannot take part.
    """
    try:
        place = enter(order)
    except UsageError as error:
        raise EngineError(str(error)) from None
    if block.machine not in ("", place.machine.name):
        return Ended((), place)
    post = _post(order)
    part = _share()
    responses = []
    for trial in block.trials:
        responses.append(post.job.measure(trial, part))
        if post.left:
            return Ended((), place)
    return Ended(tuple(responses), place)


def leave(key: str) -> None:
    """End a run on this worker: its fork servers and the trial that they run."""
    post = _posts.pop(key, None)
    if post is not None:
        post.left = True
        post.job.close()


class _Post:
    """What a worker keeps for a run: where it is, and its fork servers."""

    def __init__(self, order: Order) -> None:
        config = decode_config(order.config)
        if not config.folder.is_dir():
            raise UsageError(f"has no folder {config.folder}: the project must lie in the same folder on every machine")
        self._config = msgspec.structs.replace(config, machine=read_config(config.folder).machine)
        self.place = Place(fingerprint(self._config.machine or None), environment(config.folder))
        _check_software(self.place, order.place)
        obstacles = Obstacles(load_registry(self._config))
        for trial in order.trials:
            _check_obstacle(trial, obstacles)
        self.job = Job(self._config, order.limits, obstacles)
        self.left = False


#: The runs that this worker takes part in.
_posts: dict[str, _Post] = {}


def _post(order: Order) -> _Post:
    if order.key not in _posts:
        # Servers of a run whose harness died are still here; those of a run that goes on start again when asked.
        for other in _posts.values():
            other.job.close()
        _slot()
        _posts[order.key] = _Post(order)
    return _posts[order.key]


def _check_software(there: Place, here: Place) -> None:
    found, wanted = there.environment.packages, here.environment.packages
    pairs = [(name, found.get(name), version) for name, version in wanted.items()]
    pairs.insert(0, ("commit", (there.environment.commit or "")[:8], (here.environment.commit or "none")[:8]))
    pairs.insert(0, ("Python", there.machine.python, here.machine.python))
    differences = [
        f"{name} {found} instead of {wanted}" if found else f"no {name} instead of {wanted}"
        for name, found, wanted in pairs
        if (found or "none") != wanted
    ]
    if differences:
        raise UsageError(f"has {some(differences)}: give it the same software, and start it again")


def _check_obstacle(trial: Trial, obstacles: Obstacles) -> None:
    remedy = obstacles.missing(trial.dataset)
    if remedy:
        raise UsageError(f"lacks data set {trial.dataset}: get it there with '{remedy}', or leave it out")
    reason = obstacles.reason(trial)
    if reason:
        raise UsageError(f"cannot run {trial.strategy}: {reason}; mend that there, or leave the strategy out")


#: The slot of this worker, held as long as it lives.
_slots: list[Slot] = []


def _slot() -> Slot:
    if not _slots:
        _slots.append(Slot())
    return _slots[0]


def _share() -> Share:
    """Return this worker's share of its machine; all who measure there divide its memory too."""
    part = _slot().share()
    return replace(part, jobs=1 + part.others, others=0)
