"""Takes the README's picture of a report: ``python docs/make_screenshot.py report.html docs/report.png``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1440, 1180


def main(page: Path, picture: Path) -> None:
    """Open a page and save what the first screen of its overview shows."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("error: no chromium is on PATH; install it with 'make chromium'")
    with sync_playwright() as playwright:
        # No sandbox: containers run as root.
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        tab = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.locator("html[data-ready]").wait_for(state="attached")
        tab.screenshot(path=picture)
        opened.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
