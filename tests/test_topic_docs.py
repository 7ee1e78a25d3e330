"""docs/topic.md shows a complete project: its files run, and its claim is judged."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
from support import Project

PAGE = (Path(__file__).parents[1] / "docs" / "topic.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHORT, TOPIC = [text for kind, text in BLOCKS if kind == "python"][:2]


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The page's files in an empty folder, after the page's run."""
    folder = tmp_path_factory.mktemp("topic")
    (settings,) = (text for kind, text in BLOCKS if kind == "toml")
    (folder / "bakeoff.toml").write_text(settings, encoding="utf-8")
    (folder / "topk.py").write_text(TOPIC, encoding="utf-8")
    project = Project(folder)
    project.bakeoff("run", "--blocks", "5")
    return project


def test_the_short_topic_has_25_lines() -> None:
    assert len(SHORT.splitlines()) == 25


def test_the_topic_imports_from_the_public_package_alone() -> None:
    assert re.findall(r"^(?:from|import) (harness[\w.]*)", TOPIC, re.MULTILINE) == ["harness"]


def test_every_strategy_ran_and_exact_ones_find_all(pasted: Project) -> None:
    cells = json.loads(pasted.bakeoff("show", "--json").stdout)["cells"]
    recall = {cell["strategy"]: cell["measures"]["recall"]["median"] for cell in cells}
    assert all(cell["statuses"] == {"ok": 5} for cell in cells)
    assert recall["sort"] == recall["partition"] == 1
    assert 0.5 < recall["sampled-cutoff"] < 1


def test_the_claim_is_judged(pasted: Project) -> None:
    (claim,) = json.loads(pasted.bakeoff("claims", "--json").stdout)["claims"]
    assert claim["verdict"] in ("supported", "refuted", "inconclusive")
    assert claim["blocks"] == 5


def test_the_report_shows_the_chart(pasted: Project) -> None:
    pasted.bakeoff("report")
    page = (pasted.folder / "report.html").read_text(encoding="utf-8")
    # A page carries its data as base64 of gzip of JSON.
    packed = re.findall(r"H4sI[A-Za-z0-9+/=]+", page)
    assert any(b'"Recall by rank"' in gzip.decompress(base64.b64decode(text)) for text in packed)


def test_the_model_of_the_page_is_fitted_or_says_what_to_run(pasted: Project) -> None:
    (model,) = (text for kind, text in BLOCKS if kind == "python" and "@task.model" in text)
    file = pasted.folder / "topk.py"
    plain = file.read_text(encoding="utf-8")
    try:
        file.write_text(plain + model, encoding="utf-8")
        pasted.bakeoff("report")
        page = (pasted.folder / "report.html").read_text(encoding="utf-8")
        (command,) = re.findall(r"bakeoff (run topk -s sort .*?)<", page)
        assert "Sort and partition need 100,000 and 1,000,000 rows." in page
        pasted.bakeoff(*command.split(), "--blocks", "2")
        pasted.bakeoff("report")
        page = (pasted.folder / "report.html").read_text(encoding="utf-8")
        assert "Extrapolated from 100,000 rows to a billion." in page
        assert "1,000,000,000" in page
    finally:
        file.write_text(plain, encoding="utf-8")
