"""The sample of the Open Bandit Dataset: read as obp reads it, and the figures that obp's examples publish."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("numba")

from harness.data import cards
from harness.data.cards import builtin_card, builtin_folder, read_card, verify
from harness.data.readers.log import LogFile, read
from harness.errors import UsageError
from harness.topics._shared import open_bandit as shared_open_bandit
from harness.topics.ope import worlds
from harness.topics.ope.engine import open_bandit
from harness.topics.ope.engine.check import check
from harness.topics.ope.engine.estimators import ESTIMATORS
from harness.topics.ope.engine.log import Log, taken
from harness.topics.ope.engine.models import fit_model
from harness.topics.ope.engine.tuning import tune
from harness.topics.ope.engine.worlds import Recorded

# Of examples/obd in Open Bandit Pipeline 0.5.2: random to bts, campaign all, logistic regression, 30 resamples.
PUBLISHED = {"ips": 0.311082, "snips": 0.311795, "dr": 0.292464, "dr_os": 0.159520, "dm": 0.156876}


@cache
def recorded(campaign: str = "all", policy: str = "random") -> Recorded:
    return open_bandit.read(campaign, policy)


def obp_log(campaign: str, policy: str) -> Any:
    """Load with obp, whose preparation of features stops with today's pandas, mended without touching its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pytest.importorskip("obp.dataset")

    class Mended(dataset.OpenBanditDataset):  # type: ignore[name-defined, misc]
        def pre_process(self) -> None:
            import pandas as pd
            from sklearn.preprocessing import LabelEncoder

            users = self.data.columns.str.contains("user_feature")
            self.context = pd.get_dummies(self.data.loc[:, users], drop_first=True).values
            kinds = self.item_context.drop(columns=["item_id", "item_feature_0"])
            self.action_context = kinds.apply(LabelEncoder().fit_transform).values

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Mended(behavior_policy=policy, campaign=campaign)


@pytest.mark.parametrize("policy", shared_open_bandit.POLICIES)
@pytest.mark.parametrize("campaign", shared_open_bandit.CAMPAIGNS)
def test_it_is_read_as_obp_reads_it(campaign: str, policy: str) -> None:
    theirs, log = obp_log(campaign, policy), recorded(campaign, policy).log
    np.testing.assert_array_equal(log.actions, theirs.action)
    np.testing.assert_array_equal(log.rewards, theirs.reward)
    np.testing.assert_array_equal(log.propensities, theirs.pscore)
    assert log.contexts is not None
    np.testing.assert_array_equal(log.contexts[:, :-2], theirs.context)
    np.testing.assert_array_equal(log.contexts[:, -2:].sum(axis=1) == 0, theirs.position == 0)
    np.testing.assert_array_equal(log.contexts[:, -1] == 1, theirs.position == 2)
    np.testing.assert_array_equal(log.embeddings, theirs.action_context)
    other = "bts" if policy == "random" else "random"
    assert recorded(campaign, policy).value == obp_log(campaign, other).reward.mean()


@pytest.mark.parametrize("policy", shared_open_bandit.POLICIES)
@pytest.mark.parametrize("campaign", shared_open_bandit.CAMPAIGNS)
def test_logs_can_be_used(campaign: str, policy: str) -> None:
    log = recorded(campaign, policy).log
    check(log)
    assert len(log.actions) == 10_000
    if policy == "bts":
        assert log.logging is None
        np.testing.assert_array_equal(log.target, 1 / log.target.shape[1])
    else:
        assert log.logging is not None
        np.testing.assert_allclose(log.logging[np.arange(10_000), log.actions], log.propensities, rtol=1e-12)


def test_the_target_is_a_policy_for_each_position() -> None:
    log = recorded().log
    assert len(np.unique(log.target.round(9), axis=0)) == 3


def resamples(count: int) -> list[Log]:
    """Resample as obp does: with the number of the resample as the seed of numpy's older generator."""
    log = recorded().log
    rows: list[npt.NDArray[np.int64]] = [
        np.random.RandomState(seed).choice(np.arange(10_000), size=10_000, replace=True) for seed in range(count)
    ]
    return [taken(log, each) for each in rows]


def relative(estimates: list[float]) -> float:
    return float(np.mean(np.abs(np.array(estimates) - recorded().value) / recorded().value))


@pytest.mark.parametrize("name", ["ips", "snips"])
def test_published_figures_of_weighting_are_met_exactly(name: str) -> None:
    errors = relative([ESTIMATORS[name](log).value for log in resamples(30)])
    assert errors == pytest.approx(PUBLISHED[name], abs=5e-7)


def test_published_figures_with_a_model_are_met_nearly() -> None:
    # Their model is fitted anew for each position on the items' features, which takes six times as long; it gives DM
    # 0.152 and DR 0.290 on these resamples.
    logs = resamples(30)
    models = [fit_model(log, "logistic-shared") for log in logs]
    for name in ("dm", "dr", "dr_os"):
        options: list[dict[str, float]] = [{} for _ in logs]
        if name == "dr_os":
            options = [tune(log, model, name) for log, model in zip(logs, models, strict=True)]
        estimates = [
            ESTIMATORS[name](log, model, **own).value for log, model, own in zip(logs, models, options, strict=True)
        ]
        assert relative(estimates) == pytest.approx(PUBLISHED[name], abs=0.03), name


def test_the_card_describes_the_file() -> None:
    import pandas as pd

    card = read_card(builtin_folder() / "open-bandit-sample.toml")
    verify(card)
    assert isinstance(card.file, LogFile)
    rows = pd.read_parquet(card.file.path)
    assert len(rows) == card.file.rows
    assert rows["click"].sum() == card.file.positives
    assert {"click", "time", *card.features} == set(rows.columns)


def test_the_log_is_read_as_the_file_has_it() -> None:
    import pandas as pd

    card = builtin_card("open-bandit-sample")
    verify(card)
    assert card.file is not None
    rounds, rows = read(card), pd.read_parquet(card.file.path)
    assert len(rounds) == len(rows) == 60_000
    assert rounds.propensities is not None
    np.testing.assert_array_equal(rounds.actions, rows["item"])
    np.testing.assert_array_equal(rounds.rewards, rows["click"])
    np.testing.assert_array_equal(rounds.propensities, rows["propensity"])
    assert set(rounds.others) == set(rows.columns) - {"item", "click", "propensity", "time"}
    for name, values in rounds.others.items():
        assert (values == rows[name].to_numpy(object)).all()
        assert not values.flags.writeable


def test_a_damaged_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("toml", "parquet"):
        content = (builtin_folder() / f"open-bandit-sample.{name}").read_bytes()
        (tmp_path / f"open-bandit-sample.{name}").write_bytes(content[:-1] if name == "parquet" else content)
    monkeypatch.setattr(cards, "builtin_folder", lambda: tmp_path)
    with pytest.raises(UsageError, match=r"open-bandit-sample\.parquet is not the file that the card"):
        worlds.verify_open_bandit()
