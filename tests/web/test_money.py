"""Usage, keys, limits and prices."""

import re
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.processes import TEXT_MODEL, Person, Process
from tests.web.browsing import ANN, Browser
from tests.web.conftest import log_in

NO_LIMITS = {"usd_day": None, "usd_month": None}


def id_of(root: Person, email: str) -> str:
    found: str = root.get(f"/users?q={email}")["items"][0]["id"]
    return found


@pytest.fixture
def ann_id(root: Person) -> Any:
    """Ann's, whose limits are lifted afterwards."""
    ann_id = id_of(root, ANN["email"])
    yield ann_id
    root.put(f"/users/{ann_id}/limits", NO_LIMITS)


def write(person: Person) -> None:
    person.post("/generate/text", {"model": TEXT_MODEL, "prompt": "Say hello", "max_tokens": 9})


# --- one's own usage --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/usage", "/keys"])
def test_guests_log_in_first(guest: Browser, path: str) -> None:
    assert guest.open(path).path == f"/login?next={path}"


def test_one_sees_what_was_spent_and_what_is_left(
    ann: Browser, ann_at_api: Person, root: Person, ann_id: str
) -> None:
    write(ann_at_api)
    page = ann.open("/usage")
    assert (page.status, "Limit none" in page.text) == (200, True)
    root.put(f"/users/{ann_id}/limits", {"usd_day": 500, "usd_month": 9000})
    page = ann.open("/usage")
    assert "of $500.00" in page.text
    assert "of $9,000.00" in page.text
    assert re.search(r"Left \$(500|4\d\d)\.\d\d Renews \d+ \w+ \d{4}, 00:00 UTC", page.text)
    assert TEXT_MODEL in page.text
    assert "style=" not in page.html


def test_who_is_over_the_limit_is_told_and_led_to_the_usage(
    ann: Browser, root: Person, ann_id: str
) -> None:
    root.put(f"/users/{ann_id}/limits", {"usd_day": 0, "usd_month": None})
    form = ann.open("/text").form("/text")
    page = form.send(model=TEXT_MODEL, prompt="Say hello")
    assert page.status == 402
    assert "$0.00 of $0.00" in page.text
    assert "It renews at" in page.text
    assert 'href="/usage"' in page.html
    assert "Left $0.00" in ann.open("/usage").text


def test_scripts_show_the_way_to_the_usage_as_well(page: Tab, root: Person, ann_id: str) -> None:
    root.put(f"/users/{ann_id}/limits", {"usd_day": 0, "usd_month": None})
    log_in(page)
    for path, button in (("/text", "Send"), ("/image", "Draw")):
        page.goto(path)
        page.get_by_label("Prompt", exact=True).fill("A fox")
        page.get_by_role("button", name=button).click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("$0.00 of $0.00")
        expect(alert.get_by_role("link", name="See your usage")).to_be_visible()


# --- prices on buttons ------------------------------------------------------------------------


def test_a_text_has_a_price_before_it_is_asked_for(ann: Browser) -> None:
    fields = ann.open("/text").form("/text").fields
    for model, prompt, price in (
        (TEXT_MODEL, "Say hello", r"about \$0\.00\d+"),
        (TEXT_MODEL, "", r"about \$0\.00\d+"),
        ("nobody/has-this", "Say hello", "price unknown"),
        ("", "Say hello", ""),
    ):
        page = ann.post("/text/price", fields | {"model": model, "prompt": prompt})
        assert page.status == 200
        assert re.fullmatch(price, page.response.get_json()["price"])


def test_the_price_stands_on_the_button_and_follows_what_is_typed(
    page: Tab, house: Process
) -> None:
    log_in(page)
    page.goto("/text")
    button = page.get_by_role("button", name="Send")
    expect(button).to_contain_text("about $")
    before = button.inner_text()
    page.get_by_label("Prompt", exact=True).fill("word " * 30_000)
    expect(button).not_to_have_text(before)
    expect(button).to_contain_text("about $")


def test_who_would_be_over_the_limit_is_told_before_sending(
    page: Tab, root: Person, ann_id: str
) -> None:
    root.put(f"/users/{ann_id}/limits", {"usd_day": 0, "usd_month": None})
    log_in(page)
    for path in ("/text", "/image", "/video"):
        page.goto(path)
        expect(page.locator("[data-objection]")).to_contain_text("$0.00 of $0.00. It renews at")


def test_without_scripts_the_form_itself_tells_of_the_limit(
    ann: Browser, root: Person, ann_id: str
) -> None:
    assert "It renews at" not in ann.open("/video").text
    root.put(f"/users/{ann_id}/limits", {"usd_day": 0, "usd_month": None})
    for path in ("/image", "/video"):
        assert "It renews at" in ann.open(path).text


# --- keys -------------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_used_and_revoked(ann: Browser, house: Process) -> None:
    assert "You have no keys" in ann.open("/keys").text
    form = ann.open("/keys").form("/keys")
    page = form.send(name="my <script>", usd_month="2.50", expires_at="2099-12-31")
    assert page.status == 200
    found = re.search(r'class="source">(aigen_[\w-]+)<', page.html)
    assert found is not None
    assert f"curl {house.url}/generate/text" in page.text
    assert page.html.count(found[1]) == 2
    listed = ann.open("/keys")
    assert found[1] not in listed.html
    assert "my <script>" in listed.text
    assert "up to $2.50 a month" in listed.text
    assert "expires on 31 Dec 2099" in listed.text
    revoke = next(f for f in re.findall(r'action="(/keys/[^"]+/delete)"', listed.html))
    page = listed.form(revoke).send()
    assert "revoked" in page.text
    assert "You have no keys" in page.text
    assert "gone already" in listed.form(revoke).send().text


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("usd_month", "much"), ("usd_month", "-1"), ("expires_at", "2020-01-01")],
)
def test_what_is_wrong_with_a_key_stands_at_its_field(ann: Browser, field: str, value: str) -> None:
    page = ann.open("/keys").form("/keys").send(**{"name": "kept"} | {field: value})
    assert page.status == 422
    assert f'id="{field}-wrong"' in page.html
    assert page.form("/keys").fields["name"] == ("" if field == "name" else "kept")


def test_revoking_is_asked_twice_and_the_key_can_be_copied(page: Tab) -> None:
    log_in(page)
    page.goto("/keys")
    page.get_by_label("Name").fill("a notebook")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("button", name="Copy")).to_have_count(2)
    page.get_by_role("link", name="To your keys").click()
    revoke = page.get_by_role("button", name="Revoke a notebook")
    page.once("dialog", lambda dialog: dialog.dismiss())
    revoke.click()
    expect(revoke).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    revoke.click()
    expect(page.get_by_text("You have no keys")).to_be_visible()


# --- administration ---------------------------------------------------------------------------


def test_the_administration_of_money_is_not_for_plain_users(ann: Browser, ann_id: str) -> None:
    for path in ("/admin/usage", "/admin/usage.csv", f"/admin/users/{ann_id}/limits"):
        assert ann.open(path).status == 403
    fields = ann.open("/keys").form("/logout").fields
    assert ann.post("/admin/limits", fields).status == 403
    assert ann.post(f"/admin/users/{ann_id}/limits", fields).status == 403


def test_an_admin_sees_who_has_spent_what(admin: Browser, ann_at_api: Person) -> None:
    write(ann_at_api)
    assert ANN["email"] in admin.open("/admin/usage").text
    assert TEXT_MODEL in admin.open("/admin/usage?group=model").text
    assert re.search(r"\d{4}-\d\d-\d\d", admin.open("/admin/usage?group=day").text)
    assert "Nothing was spent" in admin.open("/admin/usage?to=2020-01-01").text
    page = admin.open("/admin/usage?from=2020-01-02&to=2020-01-01")
    assert (page.status, 'id="to-wrong"' in page.html) == (200, True)


def test_an_admin_downloads_it(admin: Browser, ann_at_api: Person, tmp_path: Any) -> None:
    write(ann_at_api)
    page = admin.open("/admin/usage.csv?group=user")
    assert page.header("Content-Type").startswith("text/csv")
    assert page.header("Content-Disposition") == 'attachment; filename="usage-by-user.csv"'
    assert page.html.startswith("key,label,count,cost_usd")
    page = admin.open("/admin/usage.parquet?group=model")
    (file := tmp_path / "usage.parquet").write_bytes(page.response.data)
    with duckdb.connect() as memory:
        models = memory.execute(f"SELECT key FROM '{file}'").fetchall()
    assert (TEXT_MODEL,) in models
    assert admin.open("/admin/usage.xlsx").status == 404


def test_an_admin_limits_a_user(admin: Browser, root: Person, ann_id: str) -> None:
    path = f"/admin/users/{ann_id}/limits"
    assert f'href="{path}"' in admin.open(f"/admin?q={ANN['email']}").html
    page = admin.open(path).form(path).send(usd_day="0.5", usd_month="")
    assert "The limits have been changed" in page.text
    assert root.get(f"/users/{ann_id}/limits") == {"usd_day": 0.5, "usd_month": None}
    assert admin.open(path).form(path).fields["usd_day"] == "0.5"
    page = admin.open(path).form(path).send(usd_day="-3")
    assert (page.status, 'id="usd_day-wrong"' in page.html) == (422, True)
    assert page.form(path).fields["usd_day"] == "-3"


def test_an_admin_limits_the_house_and_new_users(admin: Browser, root: Person) -> None:
    form = admin.open("/admin/usage").form("/admin/limits")
    page = form.send(usd_month="100000", default_usd_day="2.5")
    assert "The limits have been changed" in page.text
    assert root.get("/admin/limits") == {
        "usd_day": None,
        "usd_month": 100000,
        "default_usd_day": 2.5,
        "default_usd_month": None,
    }
    form = page.form("/admin/limits")
    assert (form.fields["usd_month"], form.fields["default_usd_day"]) == ("100000", "2.5")
    form.send(usd_month="", default_usd_day="")
    assert root.get("/admin/limits") == dict.fromkeys(root.get("/admin/limits"))
