"""A user's log as a data set of the tasks value-real and interval-real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from harness import Dataset, Generator, Scalar
from harness.topics.ope import evaluation, intervals
from harness.topics.ope.worlds import ENGINE, REPLICATIONS

if TYPE_CHECKING:
    from harness.topics.ope.engine.log import Log
    from harness.topics.ope.engine.worlds import Replications

#: A function that returns a log, and the mean reward that its target policy earned when it ran.
Reader: TypeAlias = "Callable[[], tuple[Log, float]]"


def log_dataset(
    name: str, *, summary: str = "", needs: tuple[str, ...] = (), version: str = ""
) -> Callable[[Reader], Reader]:
    """Register the decorated function as a data set of value-real and interval-real.

    Each replication draws rounds of the log: as many as it has, with replacement, or for intervals a tenth of them,
    without. Estimates and intervals are compared with the value that the function returns with the log: what the target
    policy earned on average when it ran, in an A/B test for example.

    Parameters
    ----------
    name
        Name of the data set on the command line.
    summary
        One line that describes the log.
    needs
        Modules that the function uses; they are imported before any clock starts.
    version
        Version of the log, to be changed with it: runs with different versions are not compared.

    Raises
    ------
    DeclarationError
        A task already has a data set of that name.
    """

    def register(read: Reader) -> Reader:
        def load(params: Mapping[str, Scalar], rng: Generator) -> Replications:
            from harness.topics.ope.engine.user_log import recorded
            from harness.topics.ope.engine.worlds import Replications

            return Replications((recorded(name, read),), int(params["replications"]), int(rng.integers(2**62)))

        def verify() -> None:
            from harness.topics.ope.engine.user_log import recorded

            recorded(name, read)

        needed = (f"{ENGINE}.user_log", *needs)
        dataset = Dataset(name, load, summary, REPLICATIONS, needs=needed, verify=verify, version=version)
        for task in (evaluation.real, intervals.real):
            task.join(dataset)
        return read

    return register
