"""The first page."""

from tests.e2e.processes import TEXT_MODEL, Person, Process
from tests.web.browsing import Browser
from tests.web.conftest import NewApp
from tests.web.test_profile import bea, bea_id

__all__ = ["bea", "bea_id"]


def test_an_empty_one_says_what_to_do_first(bea: Browser) -> None:
    page = bea.open("/")
    assert "Nothing made yet." in page.text
    for path in ("/text", "/image", "/video"):
        assert f'href="{path}"' in page.html


def test_recent_and_unfinished_work_is_shown(ann: Browser, ann_at_api: Person) -> None:
    ann_at_api.post("/generate/text", {"model": TEXT_MODEL, "prompt": "A text of today"})
    image = {"model": "black-forest-labs/flux.2-pro", "prompt": "A picture of today"}
    picture = ann_at_api.post("/generate/image", image)
    done = ann_at_api.video("A film of today")
    ann_at_api.wait(done)
    waiting = ann_at_api.video("A film of tomorrow sim:forever")
    page = ann.open("/")
    assert "A text of today" in page.text
    assert "A picture of today" in page.text
    assert picture["images"][0]["url"].partition("?")[0] in page.html
    assert f'href="/video/{done}"' in page.html
    assert page.text.index("In the making") < page.text.index("A film of tomorrow")
    assert page.text.index("A film of tomorrow") < page.text.index("Images and videos")
    ann_at_api.post(f"/generate/video/{waiting}/cancel")
    assert "In the making" not in ann.open("/").text


def test_what_the_api_says_of_the_installation_is_public(house: Process, new_app: NewApp) -> None:
    about = new_app().extensions["aigen"].api.ask("GET", "/about")
    assert about.pop("version")
    assert about == {
        "demo": False,
        "registration": "closed",
        "media_origin": house.url,
        "max_body": 16 * 2**20,
        "retention_days": None,
        "retention_bytes_per_user": None,
    }
