"""The report for a pull request."""

from __future__ import annotations

from report import samples

from harness.report.run.markdown import LIMIT, markdown


def rows(text: str, first: str) -> list[list[str]]:
    """Return the cells of the rows that follow the row beginning with a word."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"| {first} "))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")])
    return found


def test_tables_hold_every_strategy_and_measure() -> None:
    payload = samples.payload(samples.task())
    (task,) = payload["tasks"]
    text = markdown(payload)
    table = rows(text, "strategy")
    assert len(table) == len(task["cells"][0]["table"])
    totals = [measure for measure in task["measures"] if not ("." in measure["name"] and measure["cost"])]
    assert {len(row) for row in table} == {1 + len(totals)}
    assert text.count("| strategy |") == len(task["cells"])


def test_hostile_names_stay_text() -> None:
    payload = samples.payload(samples.task())
    hostile = "<script>alert(1)</script> | *bold* `code` [link](x) #1 @you https://a.b www.a.b a@b.c ~~$x$~~"
    payload["tasks"][0]["strategies"][0]["label"] = hostile
    payload["runs"][0]["command"] = "bakeoff run `evil` | <b>"
    text = markdown(payload)
    assert "<script" not in text
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; \\| \\*bold\\* \\`code\\` \\[link\\](x) \\#&#8203;1 \\@&#8203;you "
        in text
    )
    assert "https:&#8203;//a.b www&#8203;.a.b a\\@&#8203;b.c \\~\\~\\$x\\$\\~\\~" in text
    assert "`bakeoff run 'evil' \\| <b>`" in text
    assert {len(row) for row in rows(text, "strategy")} == {len(rows(text, "strategy")[0])}


def test_what_does_not_fit_in_a_comment_is_named() -> None:
    payload = samples.payload(samples.task())
    task = payload["tasks"][0]
    task["cells"] = task["cells"] * 200
    text = markdown(payload)
    assert len(text) < LIMIT + 5000
    assert "further cells left out here" in text


def test_no_tasks_and_no_claims_are_a_short_report() -> None:
    text = markdown(samples.payload())
    assert text.startswith("## Bakeoff: planted\n")
    assert "| strategy |" not in text
