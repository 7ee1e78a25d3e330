"""A wrong declaration ends in one sentence that begins with the author's file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.declare import (
    CLEAN,
    THREADS,
    Judgement,
    Metric,
    Param,
    PhaseClock,
    Problem,
    Stress,
    Task,
    Topic,
    Tuning,
)
from harness.errors import DeclarationError

PRELUDE = """\
from harness import *
topic = Topic("t", title="T")
ERROR = Metric("error", direction="lower", unit="1")
GIVEN = dict(title="Task", datasets=["data"], phases=["fit"], metrics=[ERROR], judge=print)
task = topic.task("first", params={"rows": Param(10, low=1)}, **GIVEN)
@task.strategy("known")
def known(problem, phase, bins=4): ...
"""

# What the author writes (the line at fault carries the mark), and the sentence after the place.
WRONG = {
    "topic name": ('Topic("Two Words", title="T")  #!', "invalid topic name 'Two Words': use lower-case letters"),
    "task name": ('topic.task("Two_Words", **GIVEN)  #!', "invalid task name 'Two_Words'"),
    "task twice": ('topic.task("first", **GIVEN)  #!', "task first is declared twice in topic t"),
    "metric name": ('Metric("AUC", direction="higher", unit="1")  #!', "invalid metric name 'AUC'"),
    "no direction": (
        'worse = Metric("auc", unit="1")  #!',
        "metric auc needs direction='higher' or direction='lower'",
    ),
    "wrong direction": (
        'Metric("auc", direction="up", unit="1")  #!',
        "metric auc needs direction='higher' or direction='lower'",
    ),
    "no unit": (
        'Metric("auc", direction="higher")  #!',
        "metric auc needs a unit; write unit='1' for a dimensionless number",
    ),
    "empty unit": ('Metric("auc", direction="higher", unit="")  #!', "metric auc needs a unit"),
    "negative margin": (
        'Metric("auc", direction="higher", unit="1", margin=-0.1)  #!',
        "metric auc has margin=-0.1; give a finite number from 0 on, in its unit",
    ),
    "infinite margin": (
        'Metric("auc", direction="higher", unit="1", margin=float("inf"))  #!',
        "metric auc has margin=inf; give a finite number from 0 on, in its unit",
    ),
    "chart twice": (
        'topic.task("other", charts=[Chart("loss", "L", "x", "y")] * 2, **GIVEN)  #!',
        "task other lists a chart twice: loss, loss",
    ),
    "limit without a title": (
        'topic.task("other", charts=[Chart("loss", "L", "x", "y", limit="bayes")], **GIVEN)  #!',
        "chart loss of task other needs both limit and limit_title, or neither",
    ),
    "title without a limit": (
        'topic.task("other", charts=[Chart("loss", "L", "x", "y", limit_title="Bayes error")], **GIVEN)  #!',
        "chart loss of task other needs both limit and limit_title, or neither",
    ),
    "limit of itself": (
        'topic.task("other", charts=[Chart("loss", "L", "x", "y", limit="loss", limit_title="L")], **GIVEN)  #!',
        "chart loss of task other is its own limit; name another curve of the judgement",
    ),
    "work of no phase": (
        'topic.task("other", work={"fly": Work("mile", of=("rows",))}, **GIVEN)  #!',
        r"task other declares work for phase fly, which it does not have",
    ),
    "work counted by nothing": (
        'topic.task("other", work={"fit": Work("row", of=("rowz",))}, params={"rows": Param(10)}, **GIVEN)  #!',
        "the work of task other is counted by rowz, which is not among its params; did you mean rows?",
    ),
    "metric within a call": (
        'topic.task(\n "other",\n **{**GIVEN, "metrics": [\n  ERROR,\n  Metric("auc", unit="1"),  #!\n ]},\n)',
        "metric auc needs direction",
    ),
    "metric named like a cost": (
        'Metric("cpu_s", direction="lower", unit="s")  #!',
        "metric cpu_s has the name of a measured cost; rename it",
    ),
    "default out of its range": (
        'topic.task("other", params={"rows": Param(5, low=10)}, **GIVEN)  #!',
        "the default of task other: rows=5 is too small: the least is 10",
    ),
    "sweep out of the range": (
        'topic.task("other", params={"rows": Param(50, low=10)}, sweep={"rows": [20, 5]}, **GIVEN)  #!',
        "the sweep of task other: rows=5 is too small: the least is 10",
    ),
    "parameter name": (
        'topic.task("other", params={"Rows": Param(1)}, **GIVEN)  #!',
        "invalid parameter name 'Rows'",
    ),
    "default that is not finite": (
        'topic.task("other", params={"rate": Param(float("nan"))}, **GIVEN)  #!',
        "the default of task other: rate=nan is not finite",
    ),
    "no data set": ('topic.task("other", **{**GIVEN, "datasets": []})  #!', "task other needs at least one dataset"),
    "no phase": ('topic.task("other", **{**GIVEN, "phases": []})  #!', "task other needs at least one phase"),
    "no metric": ('topic.task("other", **{**GIVEN, "metrics": []})  #!', "task other needs at least one metric"),
    "no scenario": ('topic.task("other", scenarios=[], **GIVEN)  #!', "task other needs at least one scenario"),
    "data set twice": (
        'topic.task("other", **{**GIVEN, "datasets": ["data", Dataset("data", print)]})  #!',
        "task other lists a dataset twice: data, data",
    ),
    "phase twice": (
        'topic.task("other", **{**GIVEN, "phases": ["fit", "fit"]})  #!',
        "task other lists a phase twice: fit, fit",
    ),
    "metric twice": (
        'topic.task("other", **{**GIVEN, "metrics": [ERROR, ERROR]})  #!',
        "task other lists a metric twice: error, error",
    ),
    "scenario twice": (
        'topic.task("other", scenarios=[CLEAN, label_noise(0.1), label_noise(0.1)], **GIVEN)  #!',
        "task other lists a scenario twice: clean, label_noise(0.1), label_noise(0.1)",
    ),
    "phase name": ('topic.task("other", **{**GIVEN, "phases": ["fit it"]})  #!', "invalid phase name 'fit it'"),
    "data set name": ('Dataset("My data", print)  #!', "invalid dataset name 'My data'"),
    "scenario name": ('Scenario("With blanks", print)  #!', "invalid scenario name 'With blanks'"),
    "scenario function": ("noisy = label_noise(0.9)  #!", "label_noise(0.9): the share of flipped labels must lie"),
    "scenario within a call": (
        'topic.task(\n "other",\n scenarios=[\n  CLEAN,\n  imbalance(2),  #!\n ],\n **GIVEN,\n)',
        "imbalance(2): the share of positives must lie between 0 and 1",
    ),
    "scenario of the author's own function": (
        "def strong():\n return covariate_shift(-1)  #!\nstrong()",
        "covariate_shift(-1): the strength must be a positive finite number",
    ),
    "sweep of no parameter": (
        'topic.task("other", params={"rows": Param(1)}, sweep={"rowz": [1]}, **GIVEN)  #!',
        "task other sweeps rowz, which is not among its params; did you mean rows?",
    ),
    "sweep without values": (
        'topic.task("other", sweep={"threads": []}, **GIVEN)  #!',
        "task other sweeps threads over []; give a list of at least one value",
    ),
    "sweep over a string": (
        'topic.task("other", sweep={"threads": "12"}, **GIVEN)  #!',
        "task other sweeps threads over '12'; give a list of at least one value",
    ),
    "profile without blocks": ("Profile(blocks=0)  #!", "a profile needs at least one block, not 0"),
    "profile of no parameter": (
        'topic.task("other", quick=Profile(1, params={"thread": 1}), **GIVEN)  #!',
        "a profile of task other sets thread, which is not among its params; did you mean threads?",
    ),
    "profile of wrong type": (
        'topic.task("other", full=Profile(1, params={"threads": "two"}), **GIVEN)  #!',
        "a profile of task other: threads=two is not of type int",
    ),
    "profile out of range": (
        'topic.task("other", full=Profile(1, params={"threads": 0}), **GIVEN)  #!',
        "a profile of task other: threads=0 is too small: the least is 1",
    ),
    "profile of no scenario": (
        'topic.task("other", quick=Profile(1, scenarios=("claen",)), **GIVEN)  #!',
        "a profile of task other names scenario 'claen'; did you mean clean?",
    ),
    "profile of no data set": (
        'topic.task("other", quick=Profile(1, datasets=("date",)), **GIVEN)  #!',
        "a profile of task other names data set 'date'; did you mean data?",
    ),
    "set-up of no phase": (
        'topic.task("other", setup=["compile"], **GIVEN)  #!',
        "task other has set-up 'compile', which is not among its phases; known: fit",
    ),
    "nothing but set-up": (
        'topic.task("other", setup=["fit"], **GIVEN)  #!',
        "task other has set-up phases only; at least one phase must be measured",
    ),
    "a phase of the harness": (
        'topic.task("other", **{**GIVEN, "phases": ["fit", "tune"]})  #!',
        "task other declares phase tune, which the harness adds itself; rename the phase",
    ),
    "one try": ("Tuning(1, print)  #!", "tuning needs at least two tries, not 1: the first one is the defaults"),
    "search without tuning": (
        '@task.strategy("new", search={"bins": [1, 2]})  #!\ndef new(problem, phase, bins=4): ...',
        "strategy new has a search, but its task has no tuning: declare tuning=Tuning(...)",
    ),
    "tries without a search": (
        '@task.strategy("new", tries=3)  #!\ndef new(problem, phase, bins=4): ...',
        "strategy new has tries=3 and no search: name the options that tuning tries",
    ),
    "search of no option": (
        'tuned = topic.task("other", tuning=Tuning(4, print), **GIVEN)\n'
        '@tuned.strategy("new", search={"bin": [1]})  #!\ndef new(problem, phase, bins=4): ...',
        "strategy new searches bin, which is not an argument of its function; did you mean bins?",
    ),
    "search of a wrong type": (
        'tuned = topic.task("other", tuning=Tuning(4, print), **GIVEN)\n'
        '@tuned.strategy("new", search={"bins": ["few"]})  #!\ndef new(problem, phase, bins=4): ...',
        "the sweep of strategy new: bins=few is not of type int",
    ),
    "the name of a tuned strategy": (
        'tuned = topic.task("other", tuning=Tuning(4, print), **GIVEN)\n'
        '@tuned.strategy("new-tuned")\ndef taken(problem, phase): ...\n'
        '@tuned.strategy("new", search={"bins": [1]})  #!\ndef new(problem, phase, bins=4): ...',
        "strategy new-tuned is declared twice, first at",
    ),
    "stress without levels": ('Stress("missing", print, (), "%")  #!', "stress missing needs levels, finite numbers"),
    "a level twice": ('Stress("missing", print, (1, 1.0), "%")  #!', "stress missing lists a level twice: (1, 1.0)"),
    "one level summed up": (
        'Stress("missing", print, (50,), "%", summed=True)  #!',
        "stress missing has one level; a curve that is summed up needs two or more",
    ),
    "a figure that sums up a curve named like a metric": (
        'OVER = Metric("error_over_missing", direction="lower", unit="1")\n'
        'missing = Stress("missing", print, (0, 50), "%", summed=True)\n'
        'topic.task("other", stress=[missing], **{**GIVEN, "metrics": [ERROR, OVER]})  #!',
        "task other has a metric error_over_missing, which is the name of a figure under stress; rename it",
    ),
    "a figure under stress named like a metric": (
        'AT = Metric("error_at_missing_50", direction="lower", unit="1")\n'
        'topic.task("other", stress=[Stress("missing", print, (50,), "%")], **{**GIVEN, "metrics": [ERROR, AT]})  #!',
        "task other has a metric error_at_missing_50, which is the name of a figure under stress; rename it",
    ),
    "a metric named like that of divergence": (
        'AT = Metric("diverged", direction="lower", unit="1")\n'
        'topic.task("other", guess=print, **{**GIVEN, "metrics": [ERROR, AT]})  #!',
        "task other lists a metric twice: error, diverged, diverged",
    ),
    "a rate with a unit": (
        'Metric("found", direction="higher", unit="row", rate=True)  #!',
        "metric found is a rate, so its unit must be '1', not 'row'",
    ),
    "a claim of one block": (
        'topic.claim("so", source="s", blocks=1)(print)  #!',
        "a claim of topic t needs at least two blocks, not 1",
    ),
    "strategy name": (
        '@task.strategy("Bad")  #!\ndef bad(problem, phase): ...',
        "invalid strategy name 'Bad': use lower-case letters and digits, as in two-words",
    ),
    "strategy twice": (
        '@task.strategy("known")  #!\ndef again(problem, phase): ...',
        "strategy known is declared twice, first at {file}:6",
    ),
    "strategy's arguments": (
        '@task.strategy("new")  #!\ndef new(phase, problem): ...',
        "strategy new: its function must begin with the arguments (problem, phase)",
    ),
    "strategy without arguments": (
        'task.strategy("new")(lambda: None)  #!',
        "strategy new: its function must begin with the arguments (problem, phase)",
    ),
    "option without default": (
        '@task.strategy("new")  #!\ndef new(problem, phase, depth): ...',
        "strategy new: argument depth needs a number, a string or a bool as default",
    ),
    "options in a dictionary": (
        '@task.strategy("new")  #!\ndef new(problem, phase, **options): ...',
        "strategy new: argument options needs a number, a string or a bool as default",
    ),
    "option named like a parameter": (
        '@task.strategy("new")  #!\ndef new(problem, phase, rows=3): ...',
        "strategy new: argument rows has the name of a task parameter; rename it",
    ),
    "option named threads": (
        '@task.strategy("new")  #!\ndef new(problem, phase, threads=3): ...',
        "strategy new: argument threads has the name of a task parameter; rename it",
    ),
    "sweep of no option": (
        '@task.strategy("new", sweep={"bin": [1]})  #!\ndef new(problem, phase, bins=3): ...',
        "strategy new sweeps bin, which is not an argument of its function; did you mean bins?",
    ),
    "option's sweep without values": (
        '@task.strategy("new", sweep={"bins": []})  #!\ndef new(problem, phase, bins=3): ...',
        "strategy new sweeps bins over []; give a list of at least one value",
    ),
    "strategy of no task": (
        'topic.strategy("new", tasks=[])(known)  #!',
        "strategy new needs at least one task: tasks=[...]",
    ),
    "strategy of a task without brackets": (
        'topic.strategy("new", tasks=task)(known)  #!',
        "strategy new needs at least one task: tasks=[...]",
    ),
    "strategy of one task twice": (
        'topic.strategy("new", tasks=[task, task])(known)  #!',
        "strategy new lists a task twice: t/first, t/first",
    ),
    "strategy of another topic's task": (
        'Topic("other", title="O").strategy("new", tasks=[task])(known)  #!',
        "strategy new of topic other lists task t/first, which belongs to another topic",
    ),
    "default of another type": (
        'topic.task("other", defaults={"bins": "x"}, **GIVEN).strategy("new")(known)  #!',
        "task other, strategy new: bins=x is not of type int",
    ),
    "claim without source": (
        '@topic.claim("It is so", source="")  #!\ndef so(evidence): ...',
        "a claim of topic t needs both its sentence and its source",
    ),
}


def write(file: Path, source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    file.write_text(source)
    exec(compile(source, str(file), "exec"), names)
    return names


@pytest.mark.parametrize("case", WRONG)
def test_wrong_declaration_names_its_place(tmp_path: Path, case: str) -> None:
    file = tmp_path / "mine.py"
    written, sentence = WRONG[case]
    source = PRELUDE + written
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith("#!"))
    with pytest.raises(DeclarationError) as caught:
        write(file, source)
    said = str(caught.value)
    assert said.startswith(f"{file}:{line}: {sentence.replace('{file}', str(file))}")
    assert "\n" not in said


def test_strategy_keeps_what_was_declared(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    source = PRELUDE + (
        '@task.strategy("new", needs=["a", "b.c"], device="cuda", sweep={"bins": [1, 2]}, note="More rounds.")\n'
        'def new(problem, phase, bins=3, rate=0.5, kind="x", exact=True):\n    """First line.\n\n    More.\n    """\n'
    )
    task: Task = write(file, source)["task"]
    made = task.strategies["new"]
    assert (made.needs, made.device, made.sweep, made.note) == (("a", "b.c"), "cuda", {"bins": (1, 2)}, "More rounds.")
    assert made.options == {"bins": 3, "rate": 0.5, "kind": "x", "exact": True}
    assert made.summary == "First line."
    assert made.where == f"{file}:{len(PRELUDE.splitlines()) + 1}"
    assert list(task.strategies) == ["known", "new"]


def test_a_strategy_serves_several_tasks(tmp_path: Path) -> None:
    """Each task has the strategy with its own default of an option; the function is called with that default."""
    file = tmp_path / "mine.py"
    source = PRELUDE + (
        'other = topic.task("other", defaults={"bins": 9, "unused": 1}, **GIVEN)\n'
        '@topic.strategy("new", tasks=[task, other], needs="a", sweep={"bins": [1, 2]}, note="More rounds.")\n'
        'def new(problem, phase, bins=3):\n    """First line."""\n    return bins\n'
    )
    names = write(file, source)
    first, other = (names[task].strategies["new"] for task in ("task", "other"))
    assert (first.options, other.options) == ({"bins": 3}, {"bins": 9})
    assert (first.run(None, None), other.run(None, None), other.run(None, None, bins=2)) == (3, 9, 2)
    for made in (first, other):
        assert (made.needs, made.sweep, made.note, made.summary) == (
            ("a",),
            {"bins": (1, 2)},
            "More rounds.",
            "First line.",
        )
        assert made.where == f"{file}:{len(PRELUDE.splitlines()) + 2}"
    assert names["new"](None, None) == 3


def test_places_are_where_a_task_and_what_joins_it_are_declared(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    task: Task = write(file, PRELUDE + 'task.join(Dataset("more", print))\n')["task"]
    assert list(task.places()) == [f"{file}:5", f"{file}:6", f"{file}:8"]


def test_threads_is_always_a_parameter(tmp_path: Path) -> None:
    task: Task = write(tmp_path / "mine.py", PRELUDE)["task"]
    assert set(task.params) == {"rows", THREADS}
    assert task.params[THREADS].default == 1
    assert task.scenarios == (CLEAN,)


def test_tasks_do_not_share_strategies(tmp_path: Path) -> None:
    names = write(tmp_path / "mine.py", PRELUDE + 'other = topic.task("other", **GIVEN)')
    topic: Topic = names["topic"]
    assert {name: list(task.strategies) for name, task in topic.tasks.items()} == {"first": ["known"], "other": []}


@pytest.mark.parametrize(
    ("param", "given", "value"),
    [
        (Param(1), 5, 5),
        (Param(1.0), 5, 5.0),
        (Param("a"), "b", "b"),
        (Param(default=True), False, False),
        (Param(1, low=1, high=3), 1, 1),
        (Param(1, low=1, high=3), 3, 3),
    ],
)
def test_param_accepts(param: Param, given: Any, value: Any) -> None:
    checked = param.check("name", given)
    assert checked == value
    assert type(checked) is type(value)


@pytest.mark.parametrize(
    ("param", "given", "sentence"),
    [
        (Param(1), 1.5, "name=1.5 is not of type int"),
        (Param(1), True, "name=True is not of type int"),
        (Param(1), "1", "name=1 is not of type int"),
        (Param(1.0), "x", "name=x is not of type float"),
        (Param(default=True), 1, "name=1 is not of type bool"),
        (Param("a"), 1, "name=1 is not of type str"),
        (Param(2, low=1), 0, "name=0 is too small: the least is 1"),
        (Param(8, multiple=4), 10, "name=10 is not a multiple of 4"),
        (Param(0.5, low=0, high=1), 1.01, "name=1.01 is too large: the most is 1"),
        (Param("l2", choices=("l1", "l2")), "l3", "name=l3 is none of l1, l2"),
        (Param(1, high=277_346), 277_347, "name=277347 is too large: the most is 277346"),
    ],
)
def test_param_refuses(param: Param, given: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^name=") as caught:
        param.check("name", given)
    assert str(caught.value) == sentence


def test_a_search_makes_a_tuned_strategy_beside_the_plain_one() -> None:
    topic = Topic("t", title="T")
    task = topic.task(
        "one",
        title="T",
        datasets=["data"],
        phases=["compile", "fit"],
        setup=["compile"],
        metrics=[Metric("auc", direction="higher", unit="1")],
        judge=lambda _data, _output: Judgement({}),
        tuning=Tuning(4, lambda data, _rng: data),
        stress=[Stress("missing", lambda data, _level, _rng: data, (0, 12.5), "missing values, %")],
        guess=lambda _data: {"auc": 0.5},
    )

    @task.strategy("plain", sweep={"bins": [8]}, search={"bins": [4, 16, 32, 32, 64, 128, 256]}, tries=6)
    def plain(problem: Problem, phase: PhaseClock, bins: int = 4) -> None: ...

    assert list(task.strategies) == ["plain", "plain-tuned"]
    assert task.strategies["plain"].tries == 0
    tuned = task.strategies["plain-tuned"]
    assert (tuned.tries, tuned.search, tuned.sweep, tuned.options) == (6, {"bins": (4, 16, 32, 64, 128, 256)}, {}, {})
    assert tuned.summary == "Like plain, with the best of 6 tries of bins."
    assert (tuned.plain, task.strategies["plain"].plain) == ("plain", "plain")
    assert task.phases == ("compile", "fit", "tune", "stress")
    assert task.setup == ("compile", "tune", "stress")
    assert [metric.name for metric in task.metrics] == ["auc", "diverged"]
    assert list(task.altered_metrics) == ["auc_at_missing_0", "auc_at_missing_12_5"]
