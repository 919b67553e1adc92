"""Stored files by signed links: what is served, to whom, how long, which part."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from aigen.adapters.media.links import SignedLinks
from aigen.testing import MP4, PNG
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.conftest import OpenWorld, Serve
from tests.api.world import ADDRESS, Person, World, opened

CONTENT = PNG + bytes(range(256))


@pytest.fixture
def world(common: World) -> World:
    return common


async def link_of(world: World, ann: Person) -> str:
    """A fresh link to a new picture of Ann's."""
    image = assert_json(await ann.post("/generate/image", {"model": "m", "prompt": "p"}))
    url: str = image["images"][0]["url"]
    return url


async def put(world: World, key: str, content: bytes) -> str:
    """A link to a file that is simply there."""
    path = world.aigen.settings.media_dir / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return world.aigen.links.link(key)


async def get(world: World, url: str, **headers: str) -> httpx.Response:
    return await world.http.get(url, headers=headers)


# --- the link ---------------------------------------------------------------------------------


async def test_a_link_needs_no_token_and_works_for_at_most_five_minutes(
    world: World, ann: Person
) -> None:
    url = await link_of(world, ann)
    assert url.startswith("https://api.example.org/media/")
    query = parse_qs(urlsplit(url).query)
    assert query.keys() == {"expires", "signature"}
    left = int(query["expires"][0]) - world.clock.now().timestamp()
    assert 0 < left <= 300
    assert (await get(world, url)).content == PNG
    world.clock.set(world.clock.now() + timedelta(seconds=left, microseconds=-1))
    assert (await get(world, url)).status_code == 200
    world.clock.set(world.clock.now() + timedelta(microseconds=1))
    assert_problem(await get(world, url), 403, "link_expired")


async def test_links_are_made_afresh_with_every_answer(world: World, ann: Person) -> None:
    old = await link_of(world, ann)
    world.clock.set(world.clock.now() + timedelta(minutes=10))
    (image,) = assert_json(await ann.get("/generate/image"))["items"]
    assert_problem(await get(world, old), 403, "link_expired")
    assert (await get(world, image["images"][0]["url"])).status_code == 200


async def test_links_lead_to_the_public_address(open_world: OpenWorld) -> None:
    world = await open_world(public_url="https://media.example.org/api/")
    url = await link_of(world, await world.ann())
    assert url.startswith("https://media.example.org/api/media/")


def changed(url: str, **fields: str | None) -> str:
    """The link with other parts, or without them."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    fields = {name: value for name, value in {**query, **fields}.items() if value is not None}
    return f"{parts.path}?{httpx.QueryParams(fields)}"


async def test_a_link_that_was_changed_is_refused(world: World, ann: Person) -> None:
    url, other = await link_of(world, ann), await link_of(world, ann)
    query = parse_qs(urlsplit(url).query)
    expires, signature = query["expires"][0], query["signature"][0]
    for wrong in (
        urlsplit(url).path,
        changed(url, signature=None),
        changed(url, expires=None),
        changed(url, signature=""),
        changed(url, signature=signature[:-1]),
        changed(url, signature=signature.upper()),
        changed(url, signature="ü" * 64),
        changed(url, signature=parse_qs(urlsplit(other).query)["signature"][0]),
        changed(url, expires=str(int(expires) + 1)),
        changed(url, expires=f"0{expires}0"),
        changed(url, expires="9" * 20),
        changed(url, expires="-1"),
        changed(url, expires="1e9"),
        changed(url, expires="\u0665"),
        changed(url, expires="soon"),
        url.replace("image-1", "image-2"),
    ):
        assert_problem(await get(world, wrong), 403, "bad_signature")
    assert_problem(await ann.get(urlsplit(url).path), 403, "bad_signature")


async def test_the_signature_of_a_link_is_not_that_of_a_token(tmp_path: Path) -> None:
    old, new = "an-old-key-0123456789-abcdefghij", "a-new-key-9876543210-jihgfedcbaz"
    async with opened(tmp_path, secret_key=old) as world:
        url = await link_of(world, await world.ann())
        raw = SignedLinks("http://x", [old.encode()], world.clock)
        forged = raw.link(urlsplit(url).path.removeprefix("/media/"))
        assert_problem(await get(world, forged), 403, "bad_signature")
    async with opened(tmp_path, secret_key=f"{new},{old}") as world:
        assert (await get(world, url)).status_code == 200
    async with opened(tmp_path, secret_key=new) as world:
        assert_problem(await get(world, url), 403, "bad_signature")


async def test_a_deleted_file_is_not_found(world: World, ann: Person) -> None:
    url = await link_of(world, ann)
    (image,) = assert_json(await ann.get("/generate/image"))["items"]
    assert_done(await ann.delete(f"/generate/image/{image['id']}"))
    assert_problem(await get(world, url), 404, "not_found")


@pytest.mark.parametrize(
    "key",
    [
        "../aigen.duckdb",
        "x/../../aigen.duckdb",
        "../data/aigen.duckdb",
        "../media/../aigen.duckdb",
        "/etc/passwd",
        "//etc/passwd",
        ".incoming/half",
        "nothing.png",
        "",
        ".",
        "..",
        "\0",
        "x" * 300,
        "a/" * 2000,
    ],
    ids=lambda key: repr(key[:24]),
)
async def test_even_a_signed_link_leads_to_nothing_but_media(world: World, key: str) -> None:
    await put(world, ".incoming/half", PNG)
    assert (world.aigen.settings.data_dir / "aigen.duckdb").exists()
    for path in (quote(key), quote(key, safe="")):
        query = urlsplit(world.aigen.links.link(key)).query
        assert_problem(await get(world, f"/media/{path}?{query}"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/media/..%2f..%2fetc%2fpasswd", "/media/%2e%2e/aigen.duckdb", "/media/%00"]
)
async def test_an_unsigned_path_says_nothing_of_what_there_is(world: World, path: str) -> None:
    assert_problem(await get(world, path), 403, "bad_signature")


# --- what is served ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 jpeg", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a\x01\0\x01\0", "image/gif"),
        (MP4, "video/mp4"),
        (b"\x1aE\xdf\xa3 webm", "video/webm"),
        (b"<html><script>alert(1)</script>", "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
async def test_the_type_comes_from_the_bytes_and_cannot_do_anything(
    world: World, content: bytes, media_type: str
) -> None:
    response = await get(world, await put(world, "u/o/file.html", content))
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"] == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert policy.split(";")[0] == "sandbox"
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert response.headers["cache-control"] == "private, max-age=300"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-length"] == str(len(content))
    assert response.headers["etag"].strip('"')


# --- parts and validators ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-5", slice(5, 6)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=10-99999", slice(10, None)),
        ("bytes=-99999", slice(0, None)),
    ],
)
async def test_a_range_is_a_part_of_the_file(world: World, wanted: str, part: slice) -> None:
    response = await get(world, await put(world, "u/o/a.png", CONTENT), range=wanted)
    first = part.indices(len(CONTENT))[0]
    assert response.content == CONTENT[part]
    assert response.status_code == 206
    last = first + len(CONTENT[part]) - 1
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers["content-length"] == str(len(CONTENT[part]))


@pytest.mark.parametrize("wanted", ["bytes=9999-", "bytes=9999-10000", "bytes=-0"])
async def test_a_range_behind_the_end_cannot_be_given(world: World, wanted: str) -> None:
    response = await get(world, await put(world, "u/o/a.png", CONTENT), range=wanted)
    assert_problem(response, 416, "range_not_satisfiable")
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=9-0", "bytes=", "bytes=-", "bytes=a-b", "bytes", "pages=1-2", "bytes=1-2,5-6", "x", ""],
)
async def test_a_range_that_makes_no_sense_is_passed_over(world: World, wanted: str) -> None:
    response = await get(world, await put(world, "u/o/a.png", CONTENT), range=wanted)
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("wanted", [f"bytes={'9' * 5000}-", f"bytes=0-{'9' * 5000}"])
async def test_a_range_of_five_thousand_digits_fails_nothing(world: World, wanted: str) -> None:
    response = await get(world, await put(world, "u/o/a.png", CONTENT), range=wanted)
    assert response.status_code in {200, 206, 416}


async def test_a_file_that_the_browser_has_is_not_sent_again(world: World) -> None:
    url = await put(world, "u/o/a.png", CONTENT)
    etag = (await get(world, url)).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = await get(world, url, **{"if-none-match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    assert (await get(world, url, **{"if-none-match": '"other"'})).content == CONTENT
    changed_url = await put(world, "u/o/a.png", CONTENT + b"more")
    assert (await get(world, changed_url, **{"if-none-match": etag})).status_code == 200


async def test_a_part_of_another_version_is_not_given(world: World) -> None:
    url = await put(world, "u/o/a.png", CONTENT)
    etag = (await get(world, url)).headers["etag"]
    same = await get(world, url, **{"range": "bytes=0-1", "if-range": etag})
    assert (same.status_code, same.content) == (206, CONTENT[:2])
    other = await get(world, url, **{"range": "bytes=0-1", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, CONTENT)


async def test_no_range_of_another_version_is_behind_the_end(world: World) -> None:
    url = await put(world, "u/o/a.png", CONTENT)
    response = await get(world, url, **{"range": "bytes=9999-", "if-range": '"other"'})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=-5"])
async def test_an_empty_file_has_no_ranges(world: World, wanted: str) -> None:
    response = await get(world, await put(world, "u/o/empty", b""), range=wanted)
    assert_problem(response, 416, "range_not_satisfiable")


async def test_a_file_that_goes_while_it_is_asked_for_is_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await put(world, "u/o/a.png", CONTENT)
    path = await world.aigen.media.path("u/o/a.png")
    assert path is not None
    path.unlink()

    async def a_moment_ago(key: str) -> Path | None:
        return path

    monkeypatch.setattr(world.aigen.media, "path", a_moment_ago)
    assert_problem(await get(world, url), 404, "not_found")


async def test_head_says_what_get_would_and_sends_nothing(world: World, serve: Serve) -> None:
    http = await serve(world)
    url = urlsplit(await put(world, "u/o/a.png", CONTENT))
    path = f"{url.path}?{url.query}"

    def facts(response: httpx.Response) -> dict[str, Any]:
        passing = {"date", "x-request-id"}
        return {name: said for name, said in response.headers.items() if name not in passing}

    for headers in ({}, {"range": "bytes=0-9"}, {"range": "bytes=9999-"}):
        whole, head = await http.get(path, headers=headers), await http.head(path, headers=headers)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert facts(head) == facts(whole)
    refused = await http.head(url.path)
    assert (refused.status_code, refused.content) == (403, b"")


async def test_whoever_asks_leaves_no_secret_in_the_address(world: World, ann: Person) -> None:
    url = await link_of(world, ann)
    for secret in (ann.token, ADDRESS, ann.email, "0123456789abcdefghijklmnopqrstuvwxyz"):
        assert secret not in url
