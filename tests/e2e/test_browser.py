"""A browser plays what the API serves, and explains its routes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.processes import Person, Process
from tests.web.chromium import chromium_if_any

PLAYED = """async () => {
    const film = document.querySelector('video');
    film.muted = true;
    await film.play();
    await new Promise(done => film.ontimeupdate = () => film.currentTime > 0.5 && done());
    return [film.videoWidth, film.videoHeight, film.duration, film.error];
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_if_any() as browser:
        yield browser.new_page()


def test_chromium_plays_a_generated_video_and_can_seek_in_it(
    root: Person, house: Process, page: Page
) -> None:
    job = root.wait(root.video("A film to be watched", aspect_ratio="16:9"))
    page.goto(f"{house.url}/healthz")
    page.set_content(f"<video src='{job['video_url']}'></video>")
    width, height, duration, error = page.evaluate(PLAYED)
    assert (width, height, error) == (320, 180, None)
    assert duration == pytest.approx(4, abs=0.1)
    page.evaluate("() => { document.querySelector('video').currentTime = 3 }")
    page.wait_for_function("() => document.querySelector('video').currentTime >= 3")
    assert page.evaluate("() => document.querySelector('video').seekable.length") == 1


def test_the_documentation_asks_no_stranger_and_keeps_its_policy(
    house: Process, page: Page
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{house.url}/docs")
    page.locator(".opblock-summary", has_text="/users/me").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").first.click()
    page.get_by_text('"unauthenticated"').first.wait_for()
    assert f"{house.url}/openapi.json" in asked
    assert [url for url in asked if not url.startswith((house.url, "data:"))] == []
    # What is refused to somebody who is not logged in is no complaint about the page.
    assert [text for text in complaints if "401" not in text] == []
