"""The image page, without scripts and for them."""

from importlib import import_module
from typing import Any

import pytest

from tests.e2e.processes import Person
from tests.web.browsing import Browser, Page
from tests.web.pictures import upload
from tests.web.test_profile import bea, bea_id

__all__ = ["bea", "bea_id"]

MODEL = "black-forest-labs/flux.2-pro"
_PROBE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def drawn(browser: Browser, prompt: str, **fields: Any) -> Page:
    form = browser.open("/image").form("/image")
    return form.send(**{"prompt": prompt, "model": MODEL} | fields)


def newest(person: Person) -> Any:
    return person.get("/generate/image?limit=1")["items"][0]


def test_the_form_says_what_there_is_and_what_it_costs(ann: Browser) -> None:
    page = ann.open(f"/image?model={MODEL}")
    assert page.form("/image").fields["model"] == MODEL
    assert "FLUX.2 Pro · from $0.03 a picture" in page.text
    assert "Draw · about $0.08" in page.text
    for value in ("21:9", "4K", "1792x1024"):
        assert f'<option value="{value}">' in page.html


def test_nothing_made_yet_is_said_with_what_to_do(bea: Browser) -> None:
    assert "Your pictures appear here." in bea.open("/image").text


def test_one_plain_post_draws(ann: Browser, ann_at_api: Person) -> None:
    page = drawn(ann, "A heron at dawn", aspect_ratio="16:9", n="2")
    image = newest(ann_at_api)
    assert (page.status, len(image["images"])) == (200, 2)
    for picture in image["images"]:
        assert picture["url"].partition("?")[0] in page.html
    assert "flux.2-pro" in page.text
    assert page.form("/image").fields["prompt"] == "A heron at dawn"


def test_a_form_that_is_sent_twice_buys_once(ann: Browser, ann_at_api: Person) -> None:
    form = ann.open("/image").form("/image")
    for _ in range(2):
        assert form.send(prompt="One egret only", model=MODEL).status == 200
    assert len(ann_at_api.get("/generate/image?q=one+egret+only")["items"]) == 1


def test_scripts_get_the_picture_as_html_and_the_next_key(ann: Browser) -> None:
    form = ann.open("/image").form("/image")
    answer = ann.post("/image/make", form.fields | {"prompt": "A stork", "model": MODEL}).response
    assert answer.json is not None
    assert 'class="result"' in answer.json["result"]
    assert answer.json["idempotency_key"] != form.fields["idempotency_key"]


def test_a_refusal_is_said_and_everything_stays(ann: Browser) -> None:
    page = drawn(ann, "Something bad sim:refuse", aspect_ratio="4:3", image_size="2K", n="3")
    assert (page.status, "content policy" in page.text) == (422, True)
    kept = page.form("/image").fields
    assert kept["prompt"] == "Something bad sim:refuse"
    assert (kept["aspect_ratio"], kept["image_size"], kept["n"]) == ("4:3", "2K", "3")
    assert drawn(ann, "x", n="eleven").status == 422


def test_the_price_is_that_of_what_is_chosen(ann: Browser) -> None:
    def price(**fields: str) -> Any:
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        return (ann.open(f"/image/price?{query}").response.json or {})["price"]

    assert price(model=MODEL, image_size="1K") == "about $0.03"
    assert price(model=MODEL, image_size="2K", n="2") == "about $0.15"
    assert price(model=MODEL) == "about $0.08"
    assert price(model="no/such") == "price unknown"


def test_a_picture_can_be_uploaded_to_be_changed(ann: Browser, ann_at_api: Person) -> None:
    assert drawn(ann, "Make it blue, uploaded", image_file=upload()).status == 200
    assert newest(ann_at_api)["image_url"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("fox.gif", b"GIF89a", "Take a PNG, JPEG or WebP picture."),
        ("fox.png", b"", "This file is empty."),
        ("fox.png", b"<svg>", "Take a PNG, JPEG or WebP picture."),
    ],
)
def test_what_is_no_picture_is_refused_at_its_field(
    ann: Browser, name: str, content: bytes, sentence: str
) -> None:
    page = drawn(ann, "Make it blue", image_file=upload(name, content))
    assert (page.status, sentence in page.text) == (422, True)


def test_one_that_is_too_large_for_the_api_is_not_sent(
    ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.entrypoints.web.pictures.largest", lambda: 10)
    page = drawn(ann, "Make it blue", image_file=upload())
    assert (page.status, "This picture is too large" in page.text) == (422, True)


def test_ones_own_picture_is_edited(ann: Browser, ann_at_api: Person) -> None:
    drawn(ann, "A tern to be edited", n="2")
    image = newest(ann_at_api)
    page = ann.open(f"/image?picture=image/{image['id']}/2")
    assert "Begins with this picture of yours." in page.text
    assert image["images"][1]["url"].partition("?")[0] in page.html
    assert page.form("/image").send(prompt="The tern, painted red", model=MODEL).status == 200
    edited = newest(ann_at_api)
    assert edited["prompt"] == "The tern, painted red"
    original = ann_at_api.client.get(image["images"][1]["url"]).content
    assert ann_at_api.client.get(edited["image_url"]).content == original


def test_pictures_that_are_not_there_cannot_be_edited(
    ann: Browser, admin: Browser, root: Person
) -> None:
    drawn(admin, "The administrator's own")
    own = f"image/{newest(root)['id']}/1"
    assert ann.open(f"/image?picture={own}").status == 404
    form = ann.open("/image").form("/image")
    assert form.send(prompt="x", model=MODEL, picture=own).status == 404
    for odd in ("image/x/1", "image", "text/1", "../../users/me", f"{own}/../x"):
        assert ann.open(f"/image?picture={odd}").status == 200


def test_prompts_are_reused(ann: Browser, ann_at_api: Person) -> None:
    drawn(ann, "A grebe to be drawn again")
    fields = ann.open(f"/image?reuse={newest(ann_at_api)['id']}").form("/image").fields
    assert (fields["prompt"], fields["model"]) == ("A grebe to be drawn again", MODEL)
    assert ann.open("/image?reuse=x").status == 200


def test_pictures_that_could_not_be_stored_are_in_the_page(
    ann: Browser, ann_at_api: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(ann, "A bittern")
    image = newest(ann_at_api)
    lost = {"url": "data:image/png;base64,AAAA", "media_type": "image/png"}
    image["images"] = [lost | {"width": None, "height": None}]
    page_module = import_module("aigen.entrypoints.web.pages.images")
    monkeypatch.setattr(page_module, "generate", lambda *_: image)
    page = drawn(ann, "A bittern, unstored")
    assert '<img src="data:image/png;base64,AAAA"' in page.html
    assert 'download="picture-1.png"' in page.html
    assert "download it now" in page.text


def test_an_image_has_a_page_of_its_own(ann: Browser, admin: Browser, ann_at_api: Person) -> None:
    drawn(ann, "A curlew on its own")
    image = newest(ann_at_api)
    assert "A curlew on its own" in ann.open(f"/image/{image['id']}").text
    told = ann.open(f"/generate/image/{image['id']}").response.json or {}
    assert (told["status"], told["prompt"]) == ("completed", "A curlew on its own")
    assert admin.open(f"/image/{image['id']}").status == 404


def test_scripts_in_prompts_are_inert(ann: Browser, ann_at_api: Person) -> None:
    page = drawn(ann, _PROBE)
    others = [ann.open("/image"), ann.open(f"/image/{newest(ann_at_api)['id']}")]
    for html in (page.html, *(other.html for other in others)):
        assert "<script>alert" not in html
        assert "<img src=x" not in html
