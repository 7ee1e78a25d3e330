"""A rate on its way from the judge to the record, the table and the claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import Project

from harness.stats.rates import exact
from harness.store.read import read

TOPIC = """
from harness import Dataset, Judgement, Metric, Topic

topic = Topic("misses", title="Misses")
task = topic.task(
    "task",
    title="Misses",
    datasets=[Dataset("data", lambda params, rng: None, overlap=lambda params: 0.25)],
    phases=["fit"],
    metrics=[Metric("missed", direction="lower", unit="1", rate=True), Metric("error", direction="lower", unit="1")],
    judge=lambda data, output: Judgement({"missed": output, "error": 0.5}, n={"missed": 200}),
)

@task.strategy("never")
def never(problem, phase):
    with phase("fit"):
        return 0.0

@task.strategy("always")
def always(problem, phase):
    with phase("fit"):
        return 1.0

@task.strategy("broken")
def broken(problem, phase):
    with phase("fit"):
        return 2.0

@topic.claim("it never misses", source="nobody")
def claim(evidence):
    return evidence.mean("missed", "never").at_most(0.05)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("rates")
    (folder / "misses.py").write_text(TOPIC)
    (folder / "bakeoff.toml").write_text('topics = ["misses.py"]\n')
    made = Project(folder)
    made.bakeoff("run", "--blocks", "3", code=4)
    return made


def run_of(project: Project) -> Path:
    (run,) = project.runs()
    return run


def test_the_record_has_the_cases_and_the_overlap(project: Project) -> None:
    _, records = read(run_of(project))
    finished = [record for record in records if record.status == "ok"]
    assert len(finished) == 6
    assert all((record.n, record.overlap) == ({"missed": 200}, 0.25) for record in finished)
    reasons = {record.reason for record in records if record.trial.strategy == "broken"}
    assert reasons == {"metric missed is 2; a rate lies between 0 and 1"}


def test_the_table_shows_the_exact_interval_and_what_is_equal(project: Project) -> None:
    low, high = exact(0, 600 / 1.75)
    said = project.bakeoff("show", COLUMNS="250").stdout
    assert f"{low:.4f} [{low:.4f}, {high:.4f}]" in said
    assert "missed: mean over blocks with its exact 95 % interval" in said
    rows: list[dict[str, Any]] = json.loads(project.bakeoff("show", "--json").stdout)["cells"]
    found = {row["strategy"]: row["measures"] for row in rows}
    assert found["never"]["missed"]["rate"]["high"] == pytest.approx(high)
    assert found["always"]["error"]["same"]
    assert found["always"]["error"]["rate"] is None


def test_a_claim_on_a_rate_needs_no_spread(project: Project) -> None:
    (claim,) = json.loads(project.bakeoff("claims", "misses", "--json").stdout)["claims"]
    assert (claim["verdict"], claim["blocks"], claim["same"]) == ("supported", 3, False)


def test_the_page_has_the_interval(project: Project) -> None:
    project.bakeoff("report")
    (page,) = project.folder.glob("*.html")
    assert "0.0000 [0.0000, 0.0107]" in page.read_text(encoding="utf-8")
