"""From the login to the film and back, in a real browser: as people go who have a mouse, only
keys, no scripts, little time, or bad intentions."""

import re
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, expect

from aigen.entrypoints.web.models import Offer
from tests.e2e.processes import ADMIN, TEXT_MODEL, Person, Process, api, until
from tests.web.browsing import ANN, Browser
from tests.web.conftest import NewApp, log_in
from tests.web.furnished import Furnished
from tests.web.pages import listen
from tests.web.serving import served
from tests.web.test_cookie import opened
from tests.web.test_renewal import is_expired

_LIGHTEST = 60_000


def prompt(page: Page) -> Locator:
    return page.get_by_label("Prompt", exact=True)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name).first


# --- a session that goes on -----------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty_house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An API whose access tokens live for a second."""
    process = api(tmp_path_factory.mktemp("hasty"), provider.url, AIGEN_ACCESS_TOKEN_TTL="1")
    process.start()
    yield process
    assert process.stop() == 0


def access_token(app: Flask, context: BrowserContext) -> str:
    """The one in the browser's cookie."""
    browser = Browser(app)
    browser.give_cookie(str(context.cookies()[0].get("value")))
    return str(opened(browser)["tokens"]["access_token"])


def test_who_watches_a_video_stays_logged_in(
    chromium: Chromium, new_app: NewApp, hasty_house: Process
) -> None:
    app = new_app(hasty_house)
    root = Person.log_in(hasty_house.url, ADMIN["email"], ADMIN["password"])
    job_id = root.video("A voyage sim:forever")
    root.close()
    with served(app) as site:
        context = chromium.new_context(base_url=site)
        page = context.new_page()
        log_in(page, ADMIN["email"], ADMIN["password"])
        page.clock.install()
        page.goto(f"/video/{job_id}")
        for _ in range(3):
            token = access_token(app, context)
            until(lambda token=token: is_expired(hasty_house, token), "the token to expire")
            with page.expect_response(re.compile("/status$")) as answer:
                page.clock.run_for(5_000)
            assert answer.value.status == 200
            assert access_token(app, context) != token
        token = access_token(app, context)
        until(lambda: is_expired(hasty_house, token), "the token to expire")
        ten = """path => Promise.all(
          Array.from({ length: 10 }, () => fetch(path).then((answer) => answer.status)))"""
        assert page.evaluate(ten, f"/generate/video/{job_id}/status") == [200] * 10
        page.goto("/")
        expect(page).to_have_url(f"{site}/")
        expect(page.get_by_text("A voyage")).to_be_visible()
        context.close()


# --- without a mouse ------------------------------------------------------------------------


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"no key leads to {target}")


def test_a_film_is_ordered_and_cancelled_by_keys_alone(page: Page) -> None:
    page.goto("/login")
    page.keyboard.type(ANN["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(ANN["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("/")
    tab_to(page, page.get_by_role("navigation").get_by_role("link", name="Video"))
    page.keyboard.press("Enter")
    page.wait_for_url("/video")
    page.keyboard.type("By keys alone sim:forever")
    tab_to(page, button(page, "Film"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/video/[\w-]{36}$"))
    tab_to(page, button(page, "Cancel"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="has been cancelled")).to_be_visible()
    expect(button(page, "Retry")).to_be_visible()


# --- without scripts ------------------------------------------------------------------------


def test_everything_is_made_without_scripts(
    chromium: Chromium, site: str, ann_at_api: Person
) -> None:
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    log_in(page)

    page.goto("/text")
    prompt(page).fill("Plain words")
    button(page, "Send").click()
    expect(page.locator(".turn")).to_contain_text("no real model was asked")

    page.goto("/image")
    prompt(page).fill("A plain picture")
    button(page, "Draw").click()
    expect(page.locator("#results img")).to_have_js_property("complete", value=True)
    expect(page.locator("#results")).to_contain_text("A plain picture")

    page.goto("/video")
    prompt(page).fill("A plain film")
    button(page, "Film").click()
    page.wait_for_url(re.compile(r"/video/[\w-]{36}$"))
    ann_at_api.wait(page.url.rpartition("/")[2])
    page.reload()
    expect(page.locator("video")).to_have_attribute("src", re.compile(r"/video-1\.mp4\?"))

    page.goto("/gallery")
    expect(page.locator(".item").first).to_contain_text("A plain film")
    page.get_by_label("Select: A plain film").check()
    with page.expect_download() as download:
        button(page, "Download what is ticked").click()
    assert [name[-4:] for name in ZipFile(download.value.path()).namelist()] == [".mp4", "json"]
    button(page, "Delete what is ticked").click()
    expect(page.locator(".note.success")).to_contain_text("1 item has been deleted.")
    button(page, "Log out").click()
    expect(page).to_have_url(re.compile("/login$"))
    context.close()


# --- administration -------------------------------------------------------------------------


def test_an_administrator_takes_somebody_in_and_out(
    chromium: Chromium, site: str, page: Page
) -> None:
    log_in(page, ADMIN["email"], ADMIN["password"])
    page.get_by_role("navigation").get_by_role("link", name="Admin").click()
    adding = page.locator(".adding")
    adding.get_by_label("E-mail").fill("hugo@example.org")
    button(page, "Add").click()
    password = page.locator(".source").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(page, "Copy").click()
    expect(button(page, "Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == password

    context = chromium.new_context(base_url=site)
    hugo = context.new_page()
    log_in(hugo, "hugo@example.org", password)
    hugo.goto("/admin")
    expect(hugo.get_by_role("heading", name="Not for you")).to_be_visible()

    row = page.locator(".people li", has_text="hugo@example.org")

    def manage(what: str) -> None:
        page.goto("/admin?q=hugo")
        row.locator("summary").click()
        row.get_by_role("button", name=what).click()

    manage("Make an administrator")
    expect(page.get_by_role("status")).to_contain_text("is an administrator now")
    hugo.reload()
    expect(hugo.get_by_role("heading", name="Administration")).to_be_visible()

    manage("Make a reset link")
    link = page.locator(".source").inner_text()
    hugo.goto("/reset/" + link.rpartition("/")[2])
    hugo.get_by_label("New password").fill("hugo's own long phrase")
    button(hugo, "Set the password").click()
    log_in(hugo, "hugo@example.org", "hugo's own long phrase")

    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    manage("Remove")
    assert asked == [
        "Remove hugo@example.org with everything that they have made? This cannot be undone."
    ]
    expect(row).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    manage("Remove")
    expect(page.get_by_role("status")).to_contain_text("has been removed")
    hugo.goto("/")
    expect(hugo).to_have_url(re.compile("/login"))
    context.close()


# --- bad intentions -------------------------------------------------------------------------

EVIL = (
    '<img src=x onerror="hacked=1"><script>hacked=1</script>\'"><svg onload=hacked=1>'
    "</textarea></title><script>hacked=1</script>[x](javascript:hacked=1)"
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>{{ 7*7 }}"
)
#: As a reason in a prompt, which has no spaces.
EVIL_REASON = "<img/src=x/onerror=hacked=1><script>hacked=1</script>"


def evil_model(output: str) -> dict[str, Any]:
    return {
        "id": f'evil/"><script>hacked=1</script>{output}',
        "name": f"{EVIL}: {EVIL}",
        "description": EVIL,
        "input": ["text", "image"],
        "output": [output],
        "image_input": True,
        "aspect_ratios": [EVIL, "16:9"],
        "resolutions": [EVIL],
        "sizes": [EVIL],
        "durations": [4],
        "pricing": [{"per": EVIL, "usd": 0.1}],
    }


def with_evil_models(app: Flask) -> Flask:
    for output, known in app.extensions["aigen"].catalogue._known.items():
        evil = evil_model(output)
        harmless = evil | {"id": TEXT_MODEL, "name": "Harmless"}
        known.get(lambda models=(evil, harmless): Offer.of(models))
    return app


@pytest.fixture
def evil_ids(ann_at_api: Person) -> dict[str, str]:
    """Texts, images and videos with script wherever somebody or the provider can put it."""
    models = {"text": TEXT_MODEL, "image": "black-forest-labs/flux.2-pro"}
    ids = {
        kind: ann_at_api.post(f"/generate/{kind}", {"model": model, "prompt": EVIL})["id"]
        for kind, model in models.items()
    }
    ids["completed"] = ann_at_api.video(EVIL)
    ids["failed"] = ann_at_api.video(f"{EVIL} sim:fail={EVIL_REASON}")
    ids["unknown_model"] = ann_at_api.video(EVIL, model=evil_model("video")["id"])
    for name in ("completed", "failed", "unknown_model"):
        ann_at_api.wait(ids[name])
    ids["processing"] = ann_at_api.video(f"{EVIL} sim:forever")
    return ids


@pytest.fixture
def defenceless(chromium: Chromium, new_app: NewApp) -> Iterator[Page]:
    """A browser that ignores our policy, so that escaping has to do; with evil models on offer.
    What runs in it fails the test."""
    with served(with_evil_models(new_app())) as site:
        context = chromium.new_context(base_url=site, bypass_csp=True)
        page = context.new_page()
        ran: list[str] = []
        page.on("dialog", lambda dialog: ran.append(dialog.message))
        context.expose_binding("hack", lambda _: ran.append("hacked"))
        context.add_init_script(
            "Object.defineProperty(window, 'hacked', { set() { window.hack(); } });"
        )
        page.goto("/login")
        page.evaluate("hacked = 1")
        assert ran.pop() == "hacked", "the trap works"
        yield page
        assert ran == []
        context.close()


def test_script_in_prompts_models_and_errors_is_inert(
    defenceless: Page, evil_ids: dict[str, str], ann_at_api: Person
) -> None:
    page = defenceless
    log_in(page)
    quoted = "%22%3E%3Cscript%3Ehacked=1%3C/script%3E"
    videos = [f"/video/{evil_ids[name]}" for name in ("completed", "failed", "unknown_model")]
    for path in (
        *("/", "/text", f"/text?turn={evil_ids['text']}", f"/text?reuse={evil_ids['text']}"),
        *("/image", f"/image/{evil_ids['image']}", f"/image?reuse={evil_ids['image']}"),
        *("/video", "/video?tab=image", f"/video?reuse={evil_ids['failed']}", *videos),
        *(f"/video/{evil_ids['processing']}", "/gallery", "/gallery?status=failed"),
        *(f"{place}?q={quoted}" for place in ("/text", "/gallery")),
        *(f"{place}?prompt={quoted}&model={quoted}" for place in ("/text", "/image", "/video")),
        *(f"/gallery?model={quoted}", f"/{quoted}"),
    ):
        page.goto(path)
        assert "hacked" in page.content() or path == f"/{quoted}", path
    page.goto("/gallery")
    page.locator("a[data-light]").first.click()
    expect(page.locator("#lightbox")).to_be_visible()

    page.goto("/text")
    prompt(page).fill(EVIL)
    button(page, "Send").click()
    expect(page.locator(".turn:not(.writing)")).to_contain_text("hacked=1")
    page.goto("/image")
    prompt(page).fill(f"{EVIL} sim:refuse")
    button(page, "Draw").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"/login?next=javascript:hacked=1//{quoted}")
    ann_at_api.post(f"/generate/video/{evil_ids['processing']}/cancel")


# --- little time ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/", "/text"])
def test_a_first_page_weighs_little(
    chromium: Chromium, furnished_house: Furnished, path: str
) -> None:
    """All that comes from us over the wire; pictures and films are the user's own."""
    site = furnished_house.sites["usual"]
    context = chromium.new_context(base_url=site)
    if path != "/login":
        cookie = {"name": "aigen", "value": furnished_house.cookies["ann"], "url": site}
        context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    complaints = listen(page, site, furnished_house.house.url)
    sizes: dict[str, int] = {}
    page.on(
        "requestfinished",
        lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}),
    )
    page.goto(path, wait_until="networkidle")
    context.close()
    assert not complaints
    ours = {url: size for url, size in sizes.items() if url.startswith(site)}
    assert len(ours) > 5
    assert sum(ours.values()) < _LIGHTEST, ours
