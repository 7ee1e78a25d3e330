"""A browser that opens pages, and hears what they report and ask for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, WebSocketRoute, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# No sandbox: CI runs as root. The rest keeps the browser itself from using the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OUTSIDE = re.compile(r"^(?!file:|data:|blob:)")


@dataclass
class Heard:
    """What pages reported and asked for; empty at the end of a test."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        """Hear all pages of a context, also those that a page opens, and let no request out."""
        context.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda raised: self.errors.append(str(raised.error)))
        context.on("request", self._hear_request)
        context.route(OUTSIDE, self._abort)
        context.route_web_socket(re.compile(""), self._close)

    def _hear_request(self, request: Request) -> None:
        if OUTSIDE.match(request.url):
            self.requests.append(request.url)

    def _abort(self, route: Route) -> None:
        route.abort()

    def _close(self, socket: WebSocketRoute) -> None:
        self.requests.append(socket.url)
        socket.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium or Google's Chrome; playwright's own builds cannot be had from a package registry."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"NO BROWSER, so pages are NOT TESTED: none of {', '.join(NAMES)} is on PATH ('make chromium')"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def heard() -> Heard:
    """Return what the pages of this test reported and asked for, so far."""
    return Heard()


@pytest.fixture
def open_page(browser: Browser, heard: Heard) -> Iterator[Callable[..., Page]]:
    """Open a file in a context of its own; at the end no page may have reported an error or asked for anything.

    `options` are those of playwright's `Browser.new_context`: viewport, color_scheme, java_script_enabled,
    accept_downloads ...
    """
    contexts: list[BrowserContext] = []

    def opened(file: Path, fragment: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"service_workers": "block", **options})
        contexts.append(context)
        heard.listen(context)
        page = context.new_page()
        page.goto(file.as_uri() + fragment)
        # A report reads its payload after it has loaded.
        if options.get("java_script_enabled", True) and page.locator("#payload").count():
            page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert (heard.errors, heard.requests) == ([], [])


@contextmanager
def new_tab(browser: Browser) -> Iterator[tuple[Page, Heard]]:
    """Open a tab; with it comes what is heard in it."""
    heard = Heard()
    with browser.new_context() as context:
        heard.listen(context)
        yield context.new_page(), heard


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[tuple[Page, Heard]]:
    """One tab for all tests of a module that load a page, since a page keeps nothing that another could see."""
    with new_tab(browser) as made:
        yield made


@pytest.fixture(scope="module")
def kept_tab(browser: Browser) -> Iterator[tuple[Page, Heard]]:
    """Another tab of the module, for a page that several of its tests read."""
    with new_tab(browser) as made:
        yield made


@pytest.fixture
def show_text(tab: tuple[Page, Heard], tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a page and wait until its scripts have run; nothing may be reported or requested meanwhile."""
    page, heard = tab

    def shown(text: str, fragment: str = "", *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        file = tmp_path / f"page-{len(list(tmp_path.iterdir()))}.html"
        file.write_text(text, encoding="utf-8")
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="screen", color_scheme="dark" if scheme == "dark" else "light")
        page.goto(file.as_uri() + fragment)
        page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield shown
    said = heard.errors + heard.requests
    heard.errors.clear()
    heard.requests.clear()
    assert said == []


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[dict[str, Any]]]:
    """Return a function that returns the violations that axe-core finds on a page."""

    def violations(page: Page) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = Axe().run(page).response["violations"]
        return found

    return violations
