"""Images, videos and the gallery in a real browser."""

import re
from collections.abc import Iterator
from hashlib import sha256
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Dialog, FilePayload, Locator, Page, expect

from tests.e2e.processes import VIDEO_MODEL, Person
from tests.web.conftest import log_in
from tests.web.pictures import png
from tests.web.test_gallery import bea_at_api, image
from tests.web.test_images import MODEL
from tests.web.test_profile import BEA, bea_id

__all__ = ["bea_at_api", "bea_id"]

_PROBE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_PLAYED = "() => document.querySelector('video').currentTime > 0.5"
_SEEN = "image => image.complete && image.naturalWidth > 0"


@pytest.fixture
def ann(page: Page) -> Iterator[Page]:
    """A tab in which ann is logged in. Questions are answered with yes; alerts are a failure."""
    alerts: list[str] = []

    def answer(dialog: Dialog) -> None:
        if dialog.type != "confirm":
            alerts.append(dialog.message)
        dialog.accept()

    page.on("dialog", answer)
    log_in(page)
    yield page
    assert not alerts


@pytest.fixture
def bea(page: Page, bea_id: str) -> Page:
    """A tab in which bea is, who has made nothing so far."""
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, **BEA)
    return page


def fill_in(page: Page, path: str, prompt: str) -> None:
    page.goto(path)
    page.get_by_label("Prompt", exact=True).fill(prompt)


def film(page: Page, prompt: str) -> str:
    """Order a video; its id."""
    fill_in(page, f"/video?model={VIDEO_MODEL}", prompt)
    page.get_by_role("button", name="Film").click()
    page.wait_for_url(re.compile("/video/[0-9a-f-]{36}$"))
    return page.url.rpartition("/")[2]


def look_again(page: Page) -> None:
    """Let the time pass after which a page asks how it is."""
    page.clock.run_for(6000)


def expect_seen(picture: Locator) -> None:
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")
    assert picture.evaluate(_SEEN)


# --- images ---------------------------------------------------------------------------------


def test_a_picture_is_drawn_edited_and_deleted(ann: Page) -> None:
    fill_in(ann, f"/image?model={MODEL}", "A barn owl")
    ann.get_by_label("Aspect ratio").select_option("16:9")
    ann.keyboard.press("Control+Enter")
    result = ann.locator("#results article.result")
    expect_seen(result.locator("img"))
    expect(ann.locator(".being-drawn")).to_have_count(0)
    expect(ann.get_by_label("Prompt", exact=True)).to_have_value("A barn owl")

    result.get_by_role("link", name="Edit this").click()
    expect_seen(ann.locator(".own-picture img"))
    ann.get_by_label("Prompt", exact=True).fill("The owl at night")
    ann.get_by_role("button", name="Draw").click()
    expect(result.locator(".prompt")).to_have_text("The owl at night")

    result.get_by_role("button", name="Delete").click()
    expect(ann.locator(".note.success")).to_contain_text("The image has been deleted.")


def test_its_place_is_held_in_its_shape_until_it_is_there(ann: Page) -> None:
    fill_in(ann, f"/image?model={MODEL}", "A slow owl sim:hang")
    ann.get_by_label("Aspect ratio").select_option("21:9")
    ann.route("**/image/make", lambda route: None)
    ann.get_by_role("button", name="Draw").click()
    held = ann.locator(".being-drawn")
    expect(held.locator("svg.shape")).to_have_attribute("viewBox", "0 0 21 9")
    expect(held.locator("[data-elapsed]")).to_have_text("0:01")


def test_a_connection_that_breaks_is_made_again_and_nothing_bought_twice(
    ann: Page, ann_at_api: Person
) -> None:
    ann.clock.install()
    fill_in(ann, f"/image?model={MODEL}", "An owl through a tunnel")
    ann.route("**/image/make", lambda route: route.fetch() and route.abort(), times=1)
    with ann.expect_event("requestfailed"):
        ann.get_by_role("button", name="Draw").click()
    ann.clock.run_for(4000)
    expect_seen(ann.locator("#results article.result img"))
    assert len(ann_at_api.get("/generate/image?q=through+a+tunnel")["items"]) == 1


def test_only_what_the_model_offers_is_shown_and_the_rest_reset_visibly(ann: Page) -> None:
    fill_in(ann, f"/image?model={MODEL}", "An owl")
    ann.get_by_label("Aspect ratio").select_option("21:9")
    expect(ann.get_by_label("Size in pixels")).to_be_hidden()
    expect(ann.get_by_role("button", name="Draw · about $0.08")).to_be_visible()
    ann.get_by_label("Model").select_option("openai/dall-e-3")
    expect(ann.get_by_label("Aspect ratio")).to_be_hidden()
    expect(ann.locator("[data-reset]")).to_contain_text("no aspect ratio 21:9")
    expect(ann.get_by_label("Size in pixels")).to_be_visible()
    ann.get_by_label("How many").fill("2")
    expect(ann.get_by_role("button", name="Draw · about $0.08")).to_be_visible()
    ann.get_by_text("Begin with a picture").click()
    expect(ann.get_by_text("This model works from words alone.")).to_be_visible()


def test_a_refused_prompt_can_be_changed(ann: Page) -> None:
    fill_in(ann, f"/image?model={MODEL}", "A bad owl sim:refuse")
    ann.get_by_role("button", name="Draw").click()
    expect(ann.get_by_role("alert")).to_contain_text("content policy")
    ann.get_by_label("Prompt", exact=True).fill("A good owl")
    ann.get_by_role("button", name="Draw").click()
    expect_seen(ann.locator("#results article.result img"))
    expect(ann.get_by_role("alert")).to_have_count(0)


# --- videos ---------------------------------------------------------------------------------


def test_a_video_is_ordered_and_played(ann: Page, ann_at_api: Person) -> None:
    ann.clock.install()
    job_id = film(ann, "An owl takes off sim:sleep=1")
    expect(ann.locator(".pending [data-elapsed]")).to_be_visible()
    ann_at_api.wait(job_id)
    look_again(ann)
    shown = ann.locator(".screen video")
    expect(shown).to_be_visible()
    ann.clock.resume()
    shown.evaluate("async video => { video.muted = true; await video.play(); }")
    ann.wait_for_function(_PLAYED)
    expect(ann).to_have_title(re.compile("^Video"))


def test_a_video_begins_with_an_uploaded_picture_and_another_with_its_end(
    ann: Page, ann_at_api: Person
) -> None:
    fill_in(ann, "/video", "The owl turns its head")
    ann.get_by_role("link", name="From image").click()
    expect(ann.get_by_label("Prompt", exact=True)).to_have_value("The owl turns its head")
    picture: FilePayload = {"name": "owl.png", "mimeType": "image/png", "buffer": png(64, 64)}
    ann.get_by_label("First picture").set_input_files(picture)
    expect_seen(ann.locator("img.preview").first)
    ann.get_by_role("button", name="Film").click()
    expect_seen(ann.get_by_alt_text("The picture it begins with"))
    ann_at_api.wait(ann.url.rpartition("/")[2])
    ann.reload()
    ann.get_by_role("link", name="Go on from its end").click()
    expect(ann.get_by_text("Begins where your video ends.")).to_be_visible()
    expect_seen(ann.locator("img.preview").first)


def test_cancelled_and_tried_again(ann: Page) -> None:
    job_id = film(ann, "An endless owl sim:forever")
    ann.get_by_role("button", name="Cancel").click()
    expect(ann.get_by_role("status").last).to_contain_text("You have cancelled it")
    ann.get_by_role("button", name="Retry").click()
    expect(ann).not_to_have_url(re.compile(job_id))
    expect(ann.locator(".pending")).to_be_visible()
    ann.get_by_role("button", name="Cancel").click()
    expect(ann.get_by_role("button", name="Retry")).to_be_visible()


def test_a_failure_appears_by_itself(ann: Page, ann_at_api: Person) -> None:
    ann.clock.install()
    job_id = film(ann, "A fallen owl sim:fail=Gravity_won")
    ann_at_api.wait(job_id)
    look_again(ann)
    expect(ann.get_by_role("alert")).to_contain_text("Gravity won. Try it again")
    expect(ann.get_by_role("button", name="Retry")).to_be_visible()


def test_a_session_that_ends_meanwhile_is_said(ann: Page, ann_at_api: Person) -> None:
    ann.clock.install()
    job_id = film(ann, "An owl that outlives a session sim:forever")
    ann.context.clear_cookies()
    look_again(ann)
    link = ann.get_by_role("link", name="Your session has ended. Log in again.")
    expect(link).to_have_attribute("href", f"/login?next=/video/{job_id}")
    ann_at_api.post(f"/generate/video/{job_id}/cancel")


def test_a_server_that_is_away_is_said_and_asked_again(ann: Page, ann_at_api: Person) -> None:
    ann.clock.install()
    job_id = film(ann, "An owl behind a wall sim:forever")
    ann.route("**/status", lambda route: route.abort())
    look_again(ann)
    away = ann.get_by_text("The server cannot be reached; still trying.")
    expect(away).to_be_visible()
    ann.unroute("**/status")
    ann_at_api.post(f"/generate/video/{job_id}/cancel")
    ann.clock.run_for(11_000)
    expect(ann.get_by_role("button", name="Retry")).to_be_visible()


# --- the gallery ----------------------------------------------------------------------------


def test_the_lightbox_goes_by_keys(bea: Page, bea_at_api: Person) -> None:
    image(bea_at_api, "The first owl")
    bea_at_api.wait(bea_at_api.video("The owl that moves"))
    image(bea_at_api, "Two owls", n=2)
    bea.goto("/gallery")
    bea.locator("a[data-light]").first.focus()
    bea.keyboard.press("Enter")
    box = bea.locator("#lightbox")
    expect(box).to_contain_text("1 of 4")
    expect_seen(box.locator(".stage img"))
    bea.keyboard.press("ArrowRight")
    expect(box).to_contain_text("2 of 4")
    bea.keyboard.press("ArrowRight")
    expect(box.locator(".stage video")).to_be_visible()
    expect(box.locator(".caption p")).to_have_text("The owl that moves")
    for _ in range(3):
        bea.keyboard.press("ArrowRight")
    expect(box).to_contain_text("4 of 4")
    bea.keyboard.press("ArrowLeft")
    expect(box).to_contain_text("3 of 4")
    for _ in range(12):
        bea.keyboard.press("Tab")
        inside = "() => ['BODY', null].includes(document.activeElement?.tagName ?? null) || "
        assert bea.evaluate(inside + "document.activeElement.closest('#lightbox') !== null")
    bea.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(bea.locator("a[data-light=video]")).to_be_focused()


def test_many_are_ticked_and_deleted(bea: Page, bea_at_api: Person) -> None:
    for number in range(3):
        image(bea_at_api, f"Owl number {number}")
    bea.goto("/gallery")
    expect(bea.get_by_role("button", name="Delete", exact=True)).to_have_count(3)
    for number in (0, 2):
        bea.get_by_label(f"Select: Owl number {number}").check()
    bea.get_by_role("button", name="Delete 2").click()
    expect(bea.locator(".note.success")).to_contain_text("2 items have been deleted.")
    expect(bea.locator("article.item .prompt")).to_have_text(["Owl number 1"])


def test_many_are_ticked_and_come_as_one_zip(bea: Page, bea_at_api: Person) -> None:
    film = bea_at_api.wait(bea_at_api.video("Owl in flight"))
    made = image(bea_at_api, "Two owls", n=2)
    image(bea_at_api, "An owl that stays")
    bea.goto("/gallery")
    expect(bea.get_by_role("button", name=re.compile("Download \\d"))).to_have_count(0)
    for prompt in ("Owl in flight", "Two owls"):
        bea.get_by_label(f"Select: {prompt}").check()
    with bea.expect_download() as download:
        bea.get_by_role("button", name="Download 2").click()
    assert re.fullmatch(r"aigen-\d{4}-\d\d-\d\d\.zip", download.value.suggested_filename)
    packed = ZipFile(download.value.path())
    assert packed.testzip() is None
    *names, manifest = packed.namelist()
    urls = [*(picture["url"] for picture in made["images"]), film["video_url"]]
    sent = [sha256(bea_at_api.client.get(url).content).hexdigest() for url in urls]
    assert [sha256(packed.read(name)).hexdigest() for name in names] == sent
    assert [name[11:].partition(" (")[0] for name in names] == ["Two owls"] * 2 + ["Owl in flight"]
    assert manifest == "manifest.json"
    expect(bea.get_by_label("Select: Two owls")).to_be_checked()


def test_keys_that_send_a_form_delete_nothing_unasked(bea: Page, bea_at_api: Person) -> None:
    image(bea_at_api, "An owl to be kept")
    bea.goto("/gallery")
    tick = bea.get_by_label("Select: An owl to be kept")
    tick.check()
    for keys in ("Control+Enter", "Enter"):
        with bea.expect_download():
            tick.press(keys)
    bea.reload()
    expect(bea.locator("article.item .prompt")).to_have_text(["An owl to be kept"])


def test_pending_cards_look_after_themselves_and_older_ones_are_added(
    bea: Page, bea_at_api: Person
) -> None:
    for number in range(25):
        image(bea_at_api, f"Owl number {number}")
    job_id = bea_at_api.video("An owl in the making sim:forever")
    bea.clock.install()
    bea.goto("/gallery")
    card = bea.locator(f"#video-{job_id}")
    expect(card.get_by_role("button", name="Cancel")).to_be_visible()
    bea_at_api.post(f"/generate/video/{job_id}/cancel")
    look_again(bea)
    expect(card).to_contain_text("Cancelled before it was made.")
    expect(bea.locator("article.item")).to_have_count(24)
    bea.get_by_role("button", name="Load more").click()
    expect(bea.locator("article.item")).to_have_count(26)
    expect(bea.get_by_role("button", name="Load more")).to_have_count(0)


def test_links_that_have_expired_are_renewed(ann: Page, ann_at_api: Person) -> None:
    made = image(ann_at_api, "An old owl")
    ann.route("**/media/**signature=*", lambda route: route.fulfill(status=403), times=1)
    ann.goto(f"/image/{made['id']}")
    picture = ann.locator("figure img")
    expect(picture).to_have_attribute("src", f"/gallery/image/{made['id']}/file")
    expect_seen(picture)


def test_scripts_in_prompts_are_inert_everywhere(ann: Page, ann_at_api: Person) -> None:
    made = image(ann_at_api, _PROBE)
    fill_in(ann, f"/image?model={MODEL}", _PROBE)
    ann.get_by_role("button", name="Draw").click()
    expect(ann.locator("#results article.result .prompt")).to_have_text(_PROBE)
    job_id = film(ann, _PROBE + " sim:forever")
    expect(ann.locator(".film .prompt")).to_contain_text(_PROBE)
    ann.get_by_role("button", name="Cancel").click()
    for path in ("/gallery", f"/image/{made['id']}", f"/video?reuse={job_id}", "/"):
        ann.goto(path)
        expect(ann.locator("img[src=x]")).to_have_count(0)
    ann.goto("/gallery?kind=image")
    ann.locator("a[data-light]").first.click()
    expect(ann.locator("#lightbox .caption p")).to_have_text(_PROBE)


def test_everything_works_without_scripts(
    chromium: Chromium, site: str, ann_at_api: Person
) -> None:
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    log_in(page)
    fill_in(page, f"/image?model={MODEL}", "A plain owl")
    page.get_by_role("button", name="Draw").click()
    expect(page.locator("#results article.result img")).to_be_visible()
    job_id = film(page, "A plain owl flies")
    ann_at_api.wait(job_id)
    page.goto(f"/video/{job_id}")
    expect(page.locator(".screen video")).to_be_visible()
    page.goto("/gallery?q=plain+owl")
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    page.get_by_role("button", name="Delete what is ticked").click()
    expect(page.locator(".note.success")).to_contain_text("2 items have been deleted.")
    context.close()
