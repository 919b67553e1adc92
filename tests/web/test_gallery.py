"""The gallery: one list of two kinds."""

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from attrs import evolve
from flask import Flask, get_template_attribute

from tests.api.world import UNKNOWN_ID
from tests.e2e.processes import TEXT_MODEL, Person, Process
from tests.web.browsing import Browser
from tests.web.test_images import MODEL as IMAGE_MODEL
from tests.web.test_profile import BEA, bea, bea_id

__all__ = ["bea", "bea_id"]


@pytest.fixture
def bea_at_api(house: Process, bea_id: str) -> Iterator[Person]:
    person = Person.log_in(house.url, **BEA)
    yield person
    person.close()


def image(person: Person, prompt: str, **fields: Any) -> Any:
    body = {"model": IMAGE_MODEL, "prompt": prompt} | fields
    return person.post("/generate/image", body)


def prompts(browser: Browser, path: str) -> list[str]:
    """What the cards on the page show, in their order."""
    parts = browser.open(path).html.split('<p class="prompt clamp">')[1:]
    return [part.partition("</p>")[0] for part in parts]


def test_an_empty_one_says_what_to_do_first(bea: Browser) -> None:
    assert "Nothing made yet." in bea.open("/gallery").text
    assert "No videos yet." in bea.open("/gallery?kind=video").text
    assert "No images yet." in bea.open("/gallery?kind=image").text
    assert "Nothing matches." in bea.open("/gallery?q=giraffe").text


def test_both_kinds_stand_newest_first_and_can_be_narrowed(
    bea: Browser, bea_at_api: Person
) -> None:
    bea_at_api.post("/generate/text", {"model": TEXT_MODEL, "prompt": "no picture"})
    image(bea_at_api, "first picture")
    bea_at_api.wait(bea_at_api.video("second film"))
    image(bea_at_api, "third picture")
    failed = bea_at_api.video("fourth film sim:fail")
    bea_at_api.wait(failed)
    newest_first = ["fourth film sim:fail", "third picture", "second film", "first picture"]
    assert prompts(bea, "/gallery") == newest_first
    assert prompts(bea, "/gallery?kind=image") == ["third picture", "first picture"]
    assert prompts(bea, "/gallery?kind=video") == ["fourth film sim:fail", "second film"]
    assert prompts(bea, "/gallery?q=FILM&status=completed") == ["second film"]
    assert prompts(bea, "/gallery?status=failed") == ["fourth film sim:fail"]
    assert prompts(bea, "/gallery?status=queued") == []
    assert prompts(bea, "/gallery?status=nonsense") == []
    assert prompts(bea, "/gallery?kind=text") == []
    assert prompts(bea, f"/gallery?model={IMAGE_MODEL}") == ["third picture", "first picture"]
    today, tomorrow = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
    assert prompts(bea, f"/gallery?since={today}&until={tomorrow}&q=picture") == [
        "third picture",
        "first picture",
    ]
    assert prompts(bea, f"/gallery?since={tomorrow}") == []
    refused = bea.open(f"/gallery?since={tomorrow}&until={today}")
    assert "The second day must be a later one" in refused.text
    assert f'name="until" type="date" value="{today}"' in refused.html


def test_older_ones_are_a_page_away_and_none_is_missed(bea: Browser, bea_at_api: Person) -> None:
    made = []
    for number in range(14):
        made += [image(bea_at_api, f"picture {number}")["prompt"], f"film {number}"]
        bea_at_api.wait(bea_at_api.video(f"film {number}"))
    page = bea.open("/gallery")
    older = page.html.partition('href="/gallery?cursor=')[2].partition('"')[0]
    seen = prompts(bea, "/gallery") + prompts(bea, f"/gallery?cursor={older}")
    assert seen == made[::-1]
    assert 'id="older"' not in bea.open(f"/gallery?cursor={older}").html


def test_files_come_under_names_that_say_what_they_are(ann: Browser, ann_at_api: Person) -> None:
    made = image(ann_at_api, "Ein Wal, über den Wolken!", n=2)
    answer = ann.client.get(f"/gallery/image/{made['id']}/download/2")
    assert answer.mimetype == "image/png"
    assert answer.data == ann_at_api.client.get(made["images"][1]["url"]).content
    assert answer.headers["Content-Length"] == str(len(answer.data))
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert "filename=ein-wal-uber-den-wolken-2.png" in disposition
    assert "filename*=UTF-8''ein-wal-%C3%BCber-den-wolken-2.png" in disposition
    film = ann_at_api.wait(ann_at_api.video("A whale, filmed"))
    answer = ann.client.get(f"/gallery/video/{film['id']}/download")
    assert (answer.mimetype, answer.data[4:8]) == ("video/mp4", b"ftyp")
    assert "filename=a-whale-filmed.mp4" in answer.headers["Content-Disposition"]


def test_links_that_do_not_expire_lead_to_ones_that_do(
    ann: Browser, admin: Browser, ann_at_api: Person
) -> None:
    made = image(ann_at_api, "A whale to be linked")
    page = ann.open(f"/gallery/image/{made['id']}/file", follow=False)
    fresh = page.header("Location")
    assert fresh.partition("?")[0] == made["images"][0]["url"].partition("?")[0]
    for path in (f"/gallery/image/{made['id']}/file/2", f"/gallery/video/{made['id']}/file"):
        assert ann.open(path).status == 404
    for action in ("file", "download", "card"):
        assert admin.open(f"/gallery/image/{made['id']}/{action}").status == 404


def test_one_is_deleted(ann: Browser, ann_at_api: Person) -> None:
    made = image(ann_at_api, "A whale to be deleted")
    page = ann.open("/gallery")
    form = evolve(page.form("/gallery/delete"), action=f"/gallery/image/{made['id']}/delete")
    assert f'form="deletion" formaction="{form.action}"' in page.html
    page = form.send()
    assert (page.path, "The image has been deleted." in page.text) == ("/gallery", True)
    assert "A whale to be deleted" not in page.text
    ann_at_api.get(f"/generate/image/{made['id']}", 404)


def test_many_are_deleted_at_once_but_not_what_is_being_made(
    ann: Browser, ann_at_api: Person
) -> None:
    pictures = [image(ann_at_api, f"A whale among many {number}")["id"] for number in range(2)]
    unfinished = ann_at_api.video("A whale in the making sim:forever")
    page = ann.open("/gallery")
    form = evolve(page.form("/gallery/download"), action="/gallery/delete")
    assert f'formaction="{form.action}"' in page.html
    ticked = [*(f"image/{found}" for found in pictures), f"video/{unfinished}", "text/x", "x"]
    page = form.send(item=ticked)
    assert "2 items have been deleted." in page.text
    assert "1 video still in the making" in page.text
    assert "A whale among many" not in page.text
    assert "Nothing was ticked" in form.send(item=[]).text
    cancel = page.form(f"/generate/video/{unfinished}/cancel")
    assert cancel.send().path == "/gallery"
    assert "1 item has been deleted." in form.send(item=[f"video/{unfinished}"]).text


def test_many_are_downloaded_as_one_zip(ann: Browser, ann_at_api: Person) -> None:
    made = image(ann_at_api, "A whale to be packed", n=2)
    film = ann_at_api.wait(ann_at_api.video("A whale to be packed, too"))
    form = ann.open("/gallery").form("/gallery/download")
    page = form.send(item=[f"image/{made['id']}", f"video/{film['id']}", "x"])
    assert page.response.mimetype == "application/zip"
    assert page.header("Content-Disposition").endswith('.zip"')
    assert "Content-Length" not in page.response.headers
    found = ZipFile(io.BytesIO(page.response.data))
    sent = {url: ann_at_api.client.get(url).content for url in urls_of(made, film)}
    assert [found.read(name) for name in found.namelist()[:-1]] == list(sent.values())
    assert "packed" in json.loads(found.read("manifest.json"))["files"][0]["name"]


def urls_of(made: Any, film: Any) -> list[str]:
    return [film["video_url"], *(picture["url"] for picture in made["images"])]


def test_what_cannot_be_downloaded_is_told_in_the_gallery(ann: Browser, ann_at_api: Person) -> None:
    form = ann.open("/gallery").form("/gallery/download")
    assert "Tick from 1 to 200 items" in form.send(item=[]).text
    assert "Tick from 1 to 200 items" in form.send(item=[f"image/{UNKNOWN_ID}"] * 201).text
    page = form.send(item=[f"image/{UNKNOWN_ID}"], next="/gallery?kind=image")
    assert "There is no file among these" in page.text
    assert page.path == "/gallery?kind=image"


def test_somebody_elses_stay(ann: Browser, admin: Browser, ann_at_api: Person) -> None:
    made = image(ann_at_api, "A whale of ann's")
    fields = admin.open("/").form("/logout").fields
    assert admin.post(f"/gallery/image/{made['id']}/delete", fields).status == 404
    for action in ("delete", "download"):
        admin.post(f"/gallery/{action}", fields | {"item": f"image/{made['id']}"})
    ann_at_api.get(f"/generate/image/{made['id']}")


def test_a_card_on_its_own_is_as_in_the_gallery(ann: Browser, ann_at_api: Person) -> None:
    job_id = ann_at_api.video("A whale alone sim:forever", aspect_ratio="9:16")
    card = ann.open(f"/gallery/video/{job_id}/card")
    assert f'id="video-{job_id}"' in card.html
    assert 'viewBox="0 0 9 16"' in card.html
    assert card.form(f"/generate/video/{job_id}/cancel").send().path == "/gallery"


# --- retention ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "file_bytes", "said"),
    [
        (None, None, ""),
        (1, None, "What you make is kept for 1 day. Copy what you want to have for longer."),
        (90, 5 * 2**30, "kept for 90 days, and of your files at most the newest 5 GiB. Copy"),
        (None, 1536, "Of your files the newest 1.5 KiB are kept. Copy what you want"),
    ],
)
def test_how_long_things_are_kept_is_no_surprise(
    app: Flask, days: int | None, file_bytes: int | None, said: str
) -> None:
    with app.test_request_context():
        kept_for = get_template_attribute("parts/page.html", "kept_for")
        shown = " ".join(re.sub("<[^>]*>", "", kept_for("Copy", days, file_bytes)).split())
    assert said in shown
    assert bool(shown) is bool(said)


def test_an_installation_that_keeps_everything_promises_nothing(ann: Browser) -> None:
    for path in ("/gallery", "/text"):
        assert " kept for " not in ann.open(path).text
