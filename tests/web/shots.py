"""`python -m tests.web.shots FOLDER`: a picture of every page, light and dark, wide and narrow."""

import logging
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.sync_api import Page, ViewportSize

from tests.web.chromium import a_chromium
from tests.web.furnished import furnished
from tests.web.pages import NARROW, VIEWS, WIDE

_HEIGHT = "document.querySelector('dialog[open]') ? innerHeight : document.body.scrollHeight"


def take(page: Page, folder: Path, name: str) -> None:
    page.wait_for_load_state("networkidle")
    for size_name, size in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(size)
        # As high as the page, so that what sticks to the window's edge is at the picture's.
        height = page.evaluate(_HEIGHT)
        page.set_viewport_size(ViewportSize(width=size["width"], height=height))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{name}-{size_name}-{scheme}.png", full_page=True)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        furnished(Path(data)) as house,
        a_chromium() as chromium,
    ):
        for view in VIEWS:
            with view.opened(chromium, house) as page:
                take(page, folder, view.name)


if __name__ == "__main__":
    main()
