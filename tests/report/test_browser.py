"""The fixtures that open pages hear, see and stop what they should; the vendored scripts are those listed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import report

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from report.conftest import Heard

# Port 9 of this machine, where nothing listens: were a request let out, it would still reach nobody.
OUTSIDE = "http://127.0.0.1:9/"

BODY = """<header><h1>Title</h1></header><main><p id="text">as written</p></main>
<script>document.getElementById("text").textContent = "as scripted";</script>"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(body: str = BODY, head: str = "") -> Path:
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>{head}</head>'
            f"<body>{body}</body></html>",
            encoding="utf-8",
        )
        return file

    return written


def test_a_sound_page_passes(
    open_page: Callable[..., Page], write: Callable[..., Path], axe: Callable[[Page], list[dict[str, Any]]]
) -> None:
    page = open_page(write(), "#text")
    assert page.url.endswith("#text")
    assert page.locator("#text").inner_text() == "as scripted"
    assert axe(page) == []


@pytest.mark.parametrize(
    ("script", "event"),
    [
        ("console.error('planted')", "console"),
        ("throw new Error('planted')", "pageerror"),
        ("Promise.reject(new Error('planted'))", "pageerror"),
    ],
    ids=["console", "error", "rejection"],
)
def test_errors_are_heard(
    open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard, script: str, event: str
) -> None:
    page = open_page(write())
    with page.expect_event(event):
        page.goto(write(f"<script>{script}</script>").as_uri())
    assert len(heard.errors) == 1
    assert "planted" in heard.errors[0]
    heard.errors.clear()


def test_errors_of_a_page_that_a_page_opens_are_heard(
    open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard
) -> None:
    page = open_page(write())
    with page.expect_popup() as opening:
        page.evaluate("void window.open('about:blank')")
    with opening.value.expect_event("console"):
        opening.value.evaluate("console.error('planted')")
    assert heard.errors == ["planted"]
    heard.errors.clear()


def test_what_is_not_an_error_passes(open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard) -> None:
    open_page(write("<script>console.log('said'); console.warn('warned')</script>"))
    assert heard.errors == []


@pytest.mark.parametrize(
    "body",
    [
        f'<img alt="" src="{OUTSIDE}">',
        f'<link rel="stylesheet" href="{OUTSIDE}">',
        f'<script>fetch("{OUTSIDE}").catch(() => {{}})</script>',
        f'<script>navigator.sendBeacon("{OUTSIDE}")</script>',
    ],
    ids=["image", "style", "fetch", "beacon"],
)
def test_requests_are_heard_and_stopped(
    open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard, body: str
) -> None:
    page = open_page(write())
    with page.expect_event("requestfailed") as failing:
        page.goto(write(body).as_uri())
    assert heard.requests == [OUTSIDE]
    # A refused connection would be net::ERR_CONNECTION_REFUSED: the request was stopped before.
    assert failing.value.failure == "net::ERR_FAILED"
    page.close()  # so that its console, which tells of the failure a little later, is silent
    heard.requests.clear()
    heard.errors.clear()


def test_sockets_are_heard_and_stopped(
    open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard
) -> None:
    page = open_page(write())
    address = OUTSIDE.replace("http:", "ws:")
    page.evaluate("url => new Promise(done => { new WebSocket(url).onclose = () => done(); })", address)
    assert heard.requests == [address]
    page.close()
    heard.requests.clear()
    heard.errors.clear()


def test_files_and_what_a_page_made_are_no_requests(
    open_page: Callable[..., Page], write: Callable[..., Path], heard: Heard
) -> None:
    empty = "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    page = open_page(write(f'<img alt="" src="data:image/gif;base64,{empty}">'))
    page.evaluate("fetch(URL.createObjectURL(new Blob(['made']))).then(found => found.text())")
    page.goto(write().as_uri())
    assert heard.requests == []


def test_a_planted_fault_is_inaccessible(
    open_page: Callable[..., Page], write: Callable[..., Path], axe: Callable[[Page], list[dict[str, Any]]]
) -> None:
    page = open_page(write(BODY.replace("<p ", '<img src="data:image/gif;base64,"><p ')))
    assert [found["id"] for found in axe(page)] == ["image-alt"]


def test_scripts_can_be_switched_off(open_page: Callable[..., Page], write: Callable[..., Path]) -> None:
    assert open_page(write(), java_script_enabled=False).locator("#text").inner_text() == "as written"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scheme_is_seen(open_page: Callable[..., Page], write: Callable[..., Path], scheme: str) -> None:
    page = open_page(write(), color_scheme=scheme)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")


def test_the_viewport_is_seen(open_page: Callable[..., Page], write: Callable[..., Path]) -> None:
    page = open_page(
        write(head='<meta name="viewport" content="width=device-width">'), viewport={"width": 390, "height": 844}
    )
    assert page.evaluate("[innerWidth, innerHeight]") == [390, 844]


def test_files_are_saved(open_page: Callable[..., Page], write: Callable[..., Path]) -> None:
    page = open_page(write('<a href="data:text/plain,saved" download="name.txt">Save</a>'), accept_downloads=True)
    with page.expect_download() as saving:
        page.get_by_role("link").click()
    assert saving.value.suggested_filename == "name.txt"
    assert Path(saving.value.path()).read_text(encoding="utf-8") == "saved"


def test_the_vendored_scripts_are_those_that_their_readme_lists() -> None:
    folder = Path(report.__file__).parent / "vendor"
    row = r"^\| `(\S+)` \| `\S+` \| [\d.]+ \| ([\d,]+) \| `([0-9a-f]{64})` \|$"
    listed = {
        name: (int(size.replace(",", "")), digest)
        for name, size, digest in re.findall(row, (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    }
    contents = {path.name: path.read_bytes() for path in folder.glob("*.js")}
    assert listed == {name: (len(held), hashlib.sha256(held).hexdigest()) for name, held in contents.items()}
    assert set(listed) == {"d3.min.js", "plot.umd.min.js"}
