"""Videos: ordered, watched, cancelled, tried again."""

from typing import Any

import pytest

from tests.e2e.processes import VIDEO_MODEL, Person
from tests.web.browsing import Browser, Page
from tests.web.pictures import upload
from tests.web.test_images import MODEL as IMAGE_MODEL
from tests.web.test_profile import bea, bea_id

__all__ = ["bea", "bea_id"]

_PROBE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def filmed(browser: Browser, prompt: str, **fields: Any) -> Page:
    tab = "?tab=image" if fields.get("tab") else ""
    form = browser.open(f"/video{tab}").form("/video")
    return form.send(**{"prompt": prompt, "model": VIDEO_MODEL} | fields)


def id_of(page: Page) -> str:
    return page.path.rpartition("/")[2]


def newest(person: Person) -> Any:
    return person.get("/generate/video?limit=1")["items"][0]


# --- ordering -------------------------------------------------------------------------------


def test_the_form_says_what_there_is_and_what_it_costs(ann: Browser) -> None:
    page = ann.open(f"/video?model={VIDEO_MODEL}&duration=4&resolution=720p")
    assert page.form("/video").fields["model"] == VIDEO_MODEL
    assert "Film · about $0.20" in page.text
    assert "Veo 3.1 Lite · from $0.05 a second" in page.text
    for words in ("16:9", "1080p", "8 seconds", "With sound", "Seed"):
        assert words in page.text


def test_nothing_made_yet_is_said_with_what_to_do(bea: Browser) -> None:
    assert "Your videos appear here." in bea.open("/video").text


def test_what_was_chosen_is_ordered(ann: Browser, ann_at_api: Person) -> None:
    page = filmed(
        ann,
        "A kite in the wind",
        aspect_ratio="9:16",
        resolution="1080p",
        duration="6",
        generate_audio="false",
        seed="7",
    )
    job = ann_at_api.get(f"/generate/video/{id_of(page)}")
    assert page.status == 200
    assert (job["aspect_ratio"], job["resolution"], job["duration"]) == ("9:16", "1080p", 6)
    assert job["generation_type"] == "text_to_video"
    done = ann_at_api.wait(job["id"])
    assert done["video_url"].partition("?")[0] in ann.open(page.path).html


def test_a_form_that_is_sent_twice_orders_once(ann: Browser) -> None:
    form = ann.open("/video").form("/video")
    pages = [form.send(prompt="One kite only", model=VIDEO_MODEL) for _ in range(2)]
    assert id_of(pages[0]) == id_of(pages[1])


def test_a_refusal_is_said_and_everything_stays(ann: Browser) -> None:
    page = filmed(ann, "A kite", seed="-1", duration="6")
    assert page.status == 422
    kept = page.form("/video").fields
    assert (kept["prompt"], kept["seed"], kept["duration"]) == ("A kite", "-1", "6")
    assert 'id="seed-wrong"' in page.html


def test_a_video_begins_with_an_uploaded_picture(ann: Browser, ann_at_api: Person) -> None:
    page = filmed(ann, "It comes to life", tab="image", image_file=upload())
    job = ann_at_api.get(f"/generate/video/{id_of(page)}")
    assert job["generation_type"] == "image_to_video"
    assert "Begins with this picture" in page.text
    ann_at_api.wait(job["id"])
    again = ann.open(f"/video?reuse={job['id']}").form("/video")
    assert again.fields["picture"] == f"video/{job['id']}"
    second = again.send()
    assert ann_at_api.get(f"/generate/video/{id_of(second)}")["image_url"]


def test_a_video_begins_with_an_address(ann: Browser, ann_at_api: Person) -> None:
    address = "https://example.org/fox.png"
    page = filmed(ann, "The fox wakes up sim:forever", tab="image", image_url=address)
    job = ann_at_api.get(f"/generate/video/{id_of(page)}")
    assert job["image_url"] == address
    assert address in page.text
    ann_at_api.post(f"/generate/video/{job['id']}/cancel")
    reused = ann.open(f"/video?reuse={job['id']}").form("/video").fields
    assert (reused["image_url"], "picture" in reused) == (address, False)


def test_ones_own_picture_is_animated(ann: Browser, ann_at_api: Person) -> None:
    body = {"model": IMAGE_MODEL, "prompt": "A kite to be animated"}
    image = ann_at_api.post("/generate/image", body)
    page = ann.open(f"/video?tab=image&picture=image/{image['id']}/1")
    assert "Begins with this picture of yours." in page.text
    page = page.form("/video").send(prompt="It flies away", model=VIDEO_MODEL)
    job = ann_at_api.get(f"/generate/video/{id_of(page)}")
    original = ann_at_api.client.get(image["images"][0]["url"]).content
    assert ann_at_api.client.get(job["image_url"]).content == original


def test_without_a_picture_there_is_nothing_to_animate(ann: Browser) -> None:
    page = filmed(ann, "It comes to life", tab="image")
    assert (page.status, "Choose a picture to begin with" in page.text) == (422, True)
    page = filmed(ann, "x", tab="image", image_url="http://127.0.0.1/secret.png")
    assert (page.status, "note error" in page.html or "wrong" in page.html) == (422, True)


def test_a_video_goes_on_from_the_end_of_another(ann: Browser, ann_at_api: Person) -> None:
    job_id = ann_at_api.video("A kite, first part", resolution="1080p")
    page = ann.open(f"/video?after={job_id}")
    assert f'data-after="/gallery/video/{job_id}/download"' in page.html
    assert page.form("/video").fields["resolution"] == "1080p"
    assert "data-after" not in ann.open("/video?after=x").html


# --- watching -------------------------------------------------------------------------------


def test_the_status_is_as_the_api_says(ann: Browser, admin: Browser, ann_at_api: Person) -> None:
    job_id = ann_at_api.video("A kite to be watched")
    ann_at_api.wait(job_id)
    told = ann.open(f"/generate/video/{job_id}/status").response
    expected = ann_at_api.get(f"/generate/video/{job_id}/status")
    assert told.json is not None
    assert told.json.keys() == expected.keys()
    assert (told.json["status"], told.json["prompt"]) == ("completed", "A kite to be watched")
    foreign = admin.open(f"/generate/video/{job_id}/status").response
    assert (foreign.status_code, foreign.mimetype) == (404, "application/problem+json")
    assert admin.open(f"/video/{job_id}").status == 404


def test_an_unfinished_one_says_how_long_it_takes(ann: Browser, ann_at_api: Person) -> None:
    ann_at_api.wait(ann_at_api.video("A kite that shows how long it takes"))
    job_id = ann_at_api.video("A kite for ever sim:forever", aspect_ratio="9:16")
    page = ann.open(f"/video/{job_id}")
    assert 'viewBox="0 0 9 16"' in page.html
    assert f'data-watch="/generate/video/{job_id}/status"' in page.html
    assert "with this model." in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.html
    ann_at_api.post(f"/generate/video/{job_id}/cancel")
    assert "data-watch" not in ann.open(f"/video/{job_id}").html


def test_cancelled_is_cancelled_and_can_be_tried_again(ann: Browser, ann_at_api: Person) -> None:
    page = filmed(ann, "A kite to be cancelled sim:forever")
    job_id = id_of(page)
    page = page.form(f"/generate/video/{job_id}/cancel").send()
    assert "The video has been cancelled." in page.text
    assert ann_at_api.get(f"/generate/video/{job_id}")["status"] == "cancelled"
    form = page.form(f"/generate/video/{job_id}/retry")
    again = [form.send(), form.send()]
    assert id_of(again[0]) == id_of(again[1]) != job_id
    assert f'href="/video/{job_id}"' in again[0].html
    again[0].form(f"/generate/video/{id_of(again[0])}/cancel").send()


def test_what_is_finished_is_neither_cancelled_nor_tried_again(
    ann: Browser, ann_at_api: Person
) -> None:
    page = filmed(ann, "A kite that is quick")
    form = page.form(f"/generate/video/{id_of(page)}/cancel")
    ann_at_api.wait(id_of(page))
    assert "finished before it could be cancelled" in form.send().text
    retry = f"/generate/video/{id_of(page)}/retry"
    assert "Only what has failed" in ann.post(retry, form.fields).text


@pytest.mark.parametrize(
    ("words", "why", "next_step"),
    [
        ("sim:fail=The_sky_is_closed", "The sky is closed.", "with another model."),
        ("sim:refuse", "content policy", "Change the prompt"),
        ("sim:reset", "", "may mean to pay twice"),
    ],
)
def test_a_failure_is_said_in_words_with_the_next_step(
    ann: Browser, ann_at_api: Person, words: str, why: str, next_step: str
) -> None:
    job = ann_at_api.wait(ann_at_api.video(f"A kite in trouble {words}"))
    page = ann.open(f"/video/{job['id']}")
    assert why in page.text
    assert next_step in page.text
    charged = "The provider may have charged" if job["may_be_charged"] else "Nothing was charged."
    assert charged in page.text or "The provider has charged" in page.text
    assert page.form(f"/generate/video/{job['id']}/retry").fields["idempotency_key"]


def test_scripts_in_prompts_and_failures_are_inert(ann: Browser, ann_at_api: Person) -> None:
    job_id = ann_at_api.video(f"{_PROBE} sim:fail=<script>alert(3)</script>")
    ann_at_api.wait(job_id)
    for path in (f"/video/{job_id}", "/video", "/gallery", "/", f"/gallery/video/{job_id}/card"):
        html = ann.open(path).html
        assert "<script>alert" not in html
        assert "<img src=x" not in html
