"""No page has a barrier that axe knows of, and none scrolls sideways: light, dark, wide, narrow."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from tests.web.furnished import Furnished
from tests.web.pages import NARROW, VIEWS, WIDE, View

_RUN = """async (rules) => {
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
  const { violations } = await axe.run(options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}"""


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_nobody_is_kept_out(chromium: Chromium, furnished_house: Furnished, view: View) -> None:
    with view.opened(chromium, furnished_house) as page:
        page.evaluate(AXE_SCRIPT)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme="light")
            assert barriers(page) == [], size
            # In the dark other colours are all that is different.
            page.emulate_media(color_scheme="dark")
            assert barriers(page, "color-contrast", "link-in-text-block") == [], size
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def barriers(page: Page, *rules: str) -> list[str]:
    """What axe finds, by its usual rules or by these, and where."""
    found: list[str] = page.evaluate(_RUN, list(rules) or None)
    return found
