"""Topics: a subject with its tasks, the strategies that serve several of them, and its claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Unpack

from harness.declare.checks import (
    check_charts,
    check_members,
    check_members_once,
    check_params,
    check_profile,
    check_setup,
    check_stress,
    check_tasks,
    check_work,
)
from harness.declare.evidence import Evidence, Verdict
from harness.declare.names import IDENTIFIER, NAME, caller, check_name, wrong
from harness.declare.task import Judgement, StrategySettings, Task
from harness.declare.values import (
    CLEAN,
    DIVERGED,
    FULL,
    STRESS,
    THREADS,
    TUNE,
    Chart,
    Claim,
    Dataset,
    Metric,
    Param,
    Profile,
    Scenario,
    StrategyFunction,
    Stress,
    Takes,
    Tuning,
    Work,
)
from harness.records import Scalar

_DIVERGED = Metric(DIVERGED, direction="lower", unit="1", summary="1 where training diverged, else 0", rate=True)


class Topic:
    """A subject: its tasks and its claims.

    Parameters
    ----------
    name
        Name on the command line.
    title
        One line on what the topic is about.
    needs
        Modules without which its judges cannot run; they are imported before any clock starts.
    """

    def __init__(self, name: str, *, title: str, needs: str | Sequence[str] = ()) -> None:
        check_name(name, "topic", NAME)
        self.name = name
        self.title = title
        self.needs = (needs,) if isinstance(needs, str) else tuple(needs)
        self.where = caller()
        self.tasks: dict[str, Task] = {}
        self.claims: list[Claim] = []

    def task(
        self,
        name: str,
        *,
        title: str,
        datasets: Sequence[str | Dataset],
        phases: Sequence[str],
        metrics: Sequence[Metric],
        judge: Callable[[Any, Any], Judgement],
        view: Callable[[Any], Any] = lambda data: data,
        scenarios: Sequence[Scenario] = (CLEAN,),
        params: Mapping[str, Param] = MappingProxyType({}),
        sweep: Mapping[str, Sequence[Scalar]] = MappingProxyType({}),
        reference: str | None = None,
        baseline: str | None = None,
        charts: Sequence[Chart] = (),
        work: Mapping[str, Work] = MappingProxyType({}),
        quick: Profile | None = None,
        full: Profile = FULL,
        defaults: Mapping[str, Scalar] = MappingProxyType({}),
        setup: Sequence[str] = (),
        tuning: Tuning | None = None,
        stress: Sequence[Stress] = (),
        guess: Callable[[Any], Mapping[str, float]] | None = None,
        sizes: Callable[[Any], Mapping[str, Scalar]] | None = None,
        takes: Takes | None = None,
    ) -> Task:
        """Declare a task.

        Parameters
        ----------
        datasets
            Names of cards, or data sets made in code.
        judge
            ``judge(data, output) -> Judgement`` on the whole data, after the last phase.
        view
            ``view(data)``: what strategies may see of the data; by default all of it.
        params
            Parameters common to all strategies: the size of the data and the budget. ``threads`` is always there.
        sweep
            Values to try for the parameters in the full profile.
        reference
            The strategy that tables compare the others with; by default the first.
        baseline
            The strategy whose quality replaces that of a failed result, as in AMLB (Gijsbers et al. 2024, JMLR 25);
            without one, a failed result ranks last.
        charts
            How pages draw the curves that the judge records.
        work
            By the name of a phase, the unit of work that it repeats; tables then show its time per unit.
        quick
            By default three blocks of the first scenario.
        defaults
            Defaults of strategies' options in this task, where they differ from those of the strategies' functions.
        setup
            Those of the phases that prepare what later ones need once for many uses, such as compiling. They are shown,
            and are in no total of time or memory.
        tuning
            How strategies with a ``search`` are tuned; this adds the phase ``tune``, which is set-up. By the first
            metric.
        stress
            Altered test sets that a fitted model predicts; this adds the phase ``stress``, which is in no total.
        guess
            ``guess(data)``: the metrics of a guess that looks at nothing, for trials that diverge. With it a trial that
            diverges is a result; it has the metric ``diverged`` 1, and its time and memory compare with nothing.
        sizes
            ``sizes(data)``: the values that parameters have in what strategies see of the data, where a scenario may
            change them, as one that drops rows does. Work is counted by these.
        takes
            Which data sets with cards can join; without it none can.
        """
        check_name(name, "task", NAME)
        if name in self.tasks:
            raise wrong(f"task {name} is declared twice in topic {self.name}")
        for what, members in (("dataset", datasets), ("phase", phases), ("metric", metrics), ("scenario", scenarios)):
            check_members(name, what, [str(getattr(member, "name", member)) for member in members])
        for phase in phases:
            check_name(phase, "phase", IDENTIFIER)
        check_setup(name, phases, setup)
        check_stress(name, metrics, stress)
        added = [*([TUNE] if tuning else []), *([STRESS] if stress else [])]
        if guess is not None:
            metrics = [*metrics, _DIVERGED]
            check_members_once(name, "metric", [metric.name for metric in metrics])
        check_charts(name, charts)
        known = {**params, THREADS: Param(1, low=1, summary="threads that a strategy may use")}
        check_params(name, known, sweep)
        check_work(name, work, phases, known)
        quick = quick or Profile(blocks=3, scenarios=(scenarios[0].name,))
        for profile in (quick, full):
            check_profile(name, profile, known, datasets, scenarios)
        if full.strategies is not None:
            raise wrong(f"the full profile of task {name} lists strategies, but it runs all; list them in quick=")
        made = Task(
            topic=self.name,
            name=name,
            title=title,
            datasets=tuple(datasets),
            scenarios=tuple(scenarios),
            phases=(*phases, *added),
            setup=(*setup, *added),
            metrics=tuple(metrics),
            judge=judge,
            view=view,
            params=known,
            sweep={parameter: tuple(values) for parameter, values in sweep.items()},
            reference=reference,
            baseline=baseline,
            charts=tuple(charts),
            work=dict(work),
            quick=quick,
            full=full,
            defaults=dict(defaults),
            tuning=tuning,
            stress=tuple(stress),
            guess=guess,
            sizes=sizes,
            takes=takes,
            where=caller(),
        )
        self.tasks[name] = made
        return made

    def strategy(
        self,
        name: str,
        *,
        tasks: Sequence[Task],
        **settings: Unpack[StrategySettings],
    ) -> Callable[[StrategyFunction], StrategyFunction]:
        """Register the decorated function as a strategy of several tasks; see `Task.strategy`.

        Where tasks differ in what they need to know, decorate the function once for each kind of task::

            @topic.strategy("ucb", tasks=[stationary, drifting])
            @topic.strategy("ucb", tasks=[contextual], note="Sees no context.")
            def ucb(problem, phase): ...

        Parameters
        ----------
        tasks
            Tasks of this topic.
        settings
            The keyword arguments of `Task.strategy`.
        """

        def register(function: StrategyFunction) -> StrategyFunction:
            check_tasks(f"strategy {name}", self.name, tasks)
            for task in tasks:
                task.strategy(name, **settings)(function)
            return function

        return register

    def claim(
        self, text: str, *, source: str, published: str = "", blocks: int | None = None
    ) -> Callable[[Callable[[Evidence], Verdict]], Callable[[Evidence], Verdict]]:
        """Declare a claim; the decorated function judges it on evidence.

        Parameters
        ----------
        published
            The figure that the source gives, with its setting.
        blocks
            How many blocks it needs; by default those of its task's full profile.
        """

        def register(check: Callable[[Evidence], Verdict]) -> Callable[[Evidence], Verdict]:
            if not text or not source:
                raise wrong(f"a claim of topic {self.name} needs both its sentence and its source")
            if blocks is not None and blocks < 2:
                raise wrong(f"a claim of topic {self.name} needs at least two blocks, not {blocks}")
            self.claims.append(
                Claim(text=text, source=source, check=check, where=caller(), published=published, blocks=blocks)
            )
            return check

        return register
