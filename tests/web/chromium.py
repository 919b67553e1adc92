"""A real browser: the system's Chromium, or Playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def a_chromium() -> Iterator[Browser]:
    """Raises playwright's Error if there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()


@contextmanager
def chromium_if_any() -> Iterator[Browser]:
    """Without one the test is skipped, or fails where CI is set."""
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(a_chromium())
        except Error:
            if os.environ.get("CI"):
                raise
            pytest.skip("there is no Chromium: ./dev test installs one")
        yield browser
