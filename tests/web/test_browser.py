"""The journeys through the first pages in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.web.browsing import ANN
from tests.web.conftest import log_in


def test_login_text_logout(page: Page) -> None:
    log_in(page)
    page.get_by_role("link", name=re.compile("^Text")).first.click()
    page.get_by_label("Prompt", exact=True).fill("Tell me of the **sea** sim:drip=0.02")
    page.keyboard.press("Control+Enter")
    live = page.locator(".turn.writing .prose")
    expect(live).to_contain_text("You wrote")
    answer = page.locator(".turn:not(.writing)")
    expect(answer).to_contain_text("no real model was asked")
    expect(answer.locator(".prose strong")).to_have_text("sea")
    expect(page).to_have_url(re.compile(r"/text\?turn="))
    expect(page.locator(".history li").first).to_contain_text("Tell me of the")

    page.get_by_label("Prompt", exact=True).fill("And of the land?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn:not(.writing)").nth(1)).to_contain_text("answer number 2")
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("status").last).to_contain_text("You are logged out.")
    page.goto("/text")
    expect(page).to_have_url(re.compile(r"/login\?next="))


def test_a_refusal_gives_the_prompt_back(page: Page) -> None:
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("Something bad sim:refuse")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Something bad sim:refuse")
    expect(page.locator(".turn")).to_have_count(0)


def test_who_stops_watching_can_send_the_next_prompt(page: Page) -> None:
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("Endless sim:drip=0.2")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn.writing .prose")).to_contain_text("wrote")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("kept among your texts")
    page.get_by_label("Prompt", exact=True).fill("Something short")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".history li").first).to_contain_text("Something short")


def test_a_session_that_ends_leads_to_the_login_and_back(page: Page) -> None:
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("A draft to be kept")
    page.context.clear_cookies()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("out of date")
    page.reload()
    page.get_by_label("E-mail").fill(ANN["email"])
    page.get_by_label("Password").fill(ANN["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/text$"))
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("A draft to be kept")


def test_drafts_do_not_outlive_the_login(page: Page) -> None:
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("Nobody's business")
    page.get_by_role("button", name="Log out").click()
    log_in(page)
    page.goto("/text")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")


def test_text_can_be_copied_as_it_was_written(page: Page) -> None:
    log_in(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("Copy **this**")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "Copy **this**" in page.evaluate("() => navigator.clipboard.readText()")


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.goto("/login")
    page.keyboard.type(ANN["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(ANN["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("/text")
    page.keyboard.type("Typed without a mouse")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn:not(.writing) .prose")).to_contain_text("without a mouse")


def test_the_core_works_without_scripts(chromium: Chromium, site: str) -> None:
    context = chromium.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("Plainly posted")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn")).to_contain_text("no real model was asked")
    page.reload()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.get_by_role("button", name="Copy", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login$"))
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(chromium: Chromium, site: str, width: int, scheme: str) -> None:
    context = chromium.new_context(
        base_url=site,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    for path in ("/login", "/reset/x"):
        page.goto(path)
        assert barriers(page) == []
    log_in(page)
    page.goto("/text")
    page.get_by_label("Prompt", exact=True).fill("# Heading\n\n- one `code`\n\n| a |\n|---|\n| b |")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn:not(.writing)")).to_be_visible()
    assert barriers(page) == []
    for path in ("/", "/users/profile", "/nothing", "/text?q=nowhere"):
        page.goto(path)
        assert barriers(page) == [], path
        width_of_content = page.evaluate("() => document.documentElement.scrollWidth")
        assert width_of_content <= width, f"{path} scrolls sideways"
    context.close()


def barriers(page: Page) -> list[tuple[str, str]]:
    """What axe finds, with the places."""
    found = Axe().run(page).response["violations"]
    return [(rule["id"], str([node["target"] for node in rule["nodes"]])) for rule in found]
