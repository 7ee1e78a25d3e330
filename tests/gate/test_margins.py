"""Margins must name figures that there are."""

from __future__ import annotations

import pytest
from gate.stored_runs import record

from harness.config import GatePolicy
from harness.declare import Dataset, Judgement, Metric, Topic
from harness.errors import UsageError
from harness.gate.policy import check_margins


def topics() -> list[Topic]:
    made = []
    for name, metric in (("boosting", "auc"), ("bandits", "regret")):
        topic = Topic(name, title=name.title())
        topic.task(
            "work",
            title="Work",
            datasets=[Dataset("numbers", lambda params, rng: rng, params={})],
            phases=["fit"],
            metrics=[Metric(metric, direction="higher", unit="1")],
            judge=lambda _data, _output: Judgement({}),
        )
        made.append(topic)
    return made


@pytest.mark.parametrize(
    "name",
    [
        "cpu_s",
        "wall_s",
        "peak_bytes",
        "device_bytes",
        "fit.cpu_s",
        "auc",
        "regret",
        "boosting:auc",
        "bandits:fit.wall_s",
    ],
)
def test_figures_that_there_are_may_have_a_margin(name: str) -> None:
    check_margins(GatePolicy(margins={name: 0.1}), topics())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("acu", "margin acu of the gate's policy: no topic has a figure acu; did you mean auc?"),
        ("fit.cpu", "margin fit.cpu of the gate's policy: no topic has a figure fit.cpu; did you mean fit.cpu_s?"),
        ("boosting:regret", "margin boosting:regret of the gate's policy: topic boosting has no figure regret"),
        ("bosting:auc", "margin bosting:auc of the gate's policy: no topic is called bosting; did you mean boosting?"),
        ("fit.peak_bytes", "margin fit.peak_bytes of the gate's policy: no topic has a figure fit.peak_bytes"),
    ],
)
def test_any_other_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_margins(GatePolicy(margins={"cpu_s": 0.1, name: 0.1}), topics())
    assert str(caught.value).startswith(sentence)


def test_figures_of_runs_count_where_no_topic_declares_them() -> None:
    """Runs may be imported, or of another project."""
    trial = record(0)
    phase, metric = next(iter(trial.phases)), next(iter(trial.metrics))
    policy = GatePolicy(margins={f"{trial.trial.topic}:{phase}.cpu_s": 0.1, metric: 0.1})
    check_margins(policy, [], [trial])
    with pytest.raises(UsageError):
        check_margins(policy, [])
