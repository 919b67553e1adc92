"""The audit: what happened to accounts, by whom, from where."""

from typing import Any

import httpx
import pytest

from aigen.domain.model.audit import Action
from aigen.domain.model.pages import PageRequest
from aigen.testing.samples import new_id
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.world import ADDRESS, PASSWORD, PROXY, SECOND_PROXY, Person, World, in_process

ENTRY = {"id", "at", "actor_id", "action", "target_id", "address", "details"}


async def audit(root: Person, **query: Any) -> list[dict[str, Any]]:
    listed = assert_json(await root.get("/admin/audit", params=query))
    assert listed.keys() == {"items", "next_cursor"}
    items: list[dict[str, Any]] = listed["items"]
    return items


def facts(entry: dict[str, Any]) -> tuple[Any, ...]:
    """Action, actor, target, address."""
    return tuple(entry[name] for name in ("action", "actor_id", "target_id", "address"))


async def test_whatever_happens_to_an_account_is_noted(
    world: World, root: Person, ann: Person
) -> None:
    new = "quite another phrase"
    login = {"email": ann.email, "password": PASSWORD}
    tokens = assert_json(await world.anonymous.post("/auth/login", login))
    await world.anonymous.post("/auth/login", login | {"password": "wrong"})
    await world.anonymous.post("/auth/login", login | {"email": "nobody@example.org"})
    said = {"refresh_token": tokens["refresh_token"]}
    assert_done(await world.anonymous.post("/auth/logout", said))
    change = {"current_password": PASSWORD, "email": "anna@example.org", "new_password": new}
    assert_json(await ann.put("/users/me", change))
    assert_json(await root.put(f"/users/{ann.id}/role", {"role": "admin"}))
    link = assert_json(await root.post(f"/users/{ann.id}/reset-link"), 201)["url"]
    reset = {"token": link.rpartition("/")[2], "new_password": PASSWORD}
    assert_done(await world.anonymous.post("/auth/reset", reset))
    added = {"email": "eve@example.org", "password": PASSWORD}
    eve = assert_json(await root.post("/users", added), 201)["id"]
    assert_done(await root.delete(f"/users/{eve}"))
    assert_done(await world.operator.delete(f"/users/{ann.id}"))

    entries = await audit(root, limit=12)
    assert [facts(entry) for entry in reversed(entries)] == [
        ("login", ann.id, ann.id, ADDRESS),
        ("login_failed", None, ann.id, ADDRESS),
        ("login_failed", None, None, ADDRESS),
        ("logout", ann.id, ann.id, ADDRESS),
        ("email_changed", ann.id, ann.id, ADDRESS),
        ("password_changed", ann.id, ann.id, ADDRESS),
        ("role_changed", root.id, ann.id, ADDRESS),
        ("reset_link_made", root.id, ann.id, ADDRESS),
        ("password_reset", ann.id, ann.id, ADDRESS),
        ("user_added", root.id, eve, ADDRESS),
        ("user_removed", root.id, eve, ADDRESS),
        ("user_removed", None, ann.id, ADDRESS),
    ]
    for entry in entries:
        assert entry.keys() == ENTRY
        assert_id(entry["id"])
        assert_time(entry["at"])
        assert isinstance(entry["details"], dict)


async def test_the_audit_holds_no_secrets(world: World, root: Person) -> None:
    link = assert_json(await root.post(f"/users/{root.id}/reset-link"), 201)["url"]
    new = "quite another phrase"
    await world.anonymous.post("/auth/login", {"email": root.email, "password": "wrong guess"})
    assert_json(await root.put("/users/me", {"current_password": PASSWORD, "new_password": new}))
    text = (await root.get("/admin/audit")).text
    for secret in (link.rpartition("/")[2], PASSWORD, new, "wrong guess", root.refresh_token):
        assert secret not in text


async def test_the_audit_is_cut_into_pages_newest_first(world: World, root: Person) -> None:
    for _ in range(4):
        await world.login(root.email)
    whole = await audit(root)
    first = assert_json(await root.get("/admin/audit?limit=2"))
    second = assert_json(await root.get(f"/admin/audit?limit=100&cursor={first['next_cursor']}"))
    assert first["items"] + second["items"] == whole
    assert second["next_cursor"] is None
    assert whole == sorted(whole, key=lambda entry: str(entry["id"]), reverse=True)


def test_the_actions_are_those_that_the_interface_lists() -> None:
    assert {action.value for action in Action} == set(
        """login login_failed logout refresh_reused password_changed password_reset email_changed
        user_added user_removed role_changed reset_link_made key_made key_revoked limits_changed
        submission_resolved restored history_pruned""".split()
    )


# --- whose address is believed ------------------------------------------------------------------

CLIENT = "198.51.100.9"


async def noted_address(world: World, peer: str, headers: dict[str, str]) -> Any:
    """The address that the audit has of a failed login."""
    async with in_process(world.house, peer) as http:
        # Another account each time, lest it be throttled.
        said = {"email": f"{new_id()}@example.org", "password": "wrong"}
        response = await http.post("/auth/login", json=said, headers=headers)
        assert_problem(response, 401, "invalid_credentials")
    page = await world.look(lambda records: records.audit.page(PageRequest(limit=1)))
    assert page.items[0].action is Action.LOGIN_FAILED
    return page.items[0].address


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (ADDRESS, CLIENT, ADDRESS),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"192.0.2.1, {CLIENT}", CLIENT),
        (PROXY, f"{CLIENT}, {SECOND_PROXY}", CLIENT),
        (PROXY, SECOND_PROXY, SECOND_PROXY),
        (PROXY, "nonsense", PROXY),
        (PROXY, f"{CLIENT}, nonsense", PROXY),
        (PROXY, "", PROXY),
        (PROXY, "2001:DB8::1", "2001:db8::1"),
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        ("not an address", CLIENT, None),
    ],
)
async def test_forwarded_addresses_are_believed_from_trusted_proxies_alone(
    common: World, peer: str, forwarded: str, address: str | None
) -> None:
    assert await noted_address(common, peer, {"X-Forwarded-For": forwarded}) == address


async def test_without_trusted_proxies_nobody_is_believed(world: World) -> None:
    assert await noted_address(world, "127.0.0.1", {"X-Forwarded-For": CLIENT}) == "127.0.0.1"


@pytest.mark.parametrize(
    ("token", "address"), [("the-frontend", CLIENT), ("a-guess", ADDRESS), ("", ADDRESS)]
)
async def test_the_frontend_is_believed_by_its_token(
    common: World, token: str, address: str
) -> None:
    headers = httpx.Headers({"X-Forwarded-For": CLIENT, "X-Aigen-Web-Token": token})
    assert await noted_address(common, ADDRESS, dict(headers)) == address
