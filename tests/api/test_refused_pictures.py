"""Pictures that no request may build on. Nothing here succeeds, so all are tried on the same
installation."""

import base64

import pytest

from aigen.testing import PNG
from tests.api.answers import assert_problem
from tests.api.test_refused import USUAL, assert_nothing_was_done
from tests.api.world import Person, World


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png(width: int, height: int) -> bytes:
    """A picture that says that it is so large."""
    return PNG[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + PNG[24:]


PICTURES = {
    "nothing": "",
    "a word": "fox",
    "http": "http://example.org/fox.png",
    "ftp": "ftp://example.org/fox.png",
    "file": "file:///etc/passwd",
    "script": "javascript:alert(1)",
    "no scheme": "//example.org/fox.png",
    "user": "https://ann@example.org/fox.png",
    "user and password": "https://ann:secret@example.org/fox.png",
    "empty user": "https://@example.org/fox.png",
    "localhost": "https://localhost/fox.png",
    "localhost with a dot": "https://localhost./fox.png",
    "local name": "https://printer.local/fox.png",
    "internal name": "https://metadata.google.internal/",
    "name without a dot": "https://intranet/fox.png",
    "loopback": "https://127.0.0.1/fox.png",
    "loopback as a number": "https://2130706433/fox.png",
    "loopback in hex": "https://0x7f.1/fox.png",
    "loopback, short": "https://127.1/fox.png",
    "loopback in wide digits": "https://\uff11\uff12\uff17.0.0.1/fox.png",
    "loopback, IPv6": "https://[::1]/fox.png",
    "loopback, mapped": "https://[::ffff:127.0.0.1]/fox.png",
    "private": "https://10.1.2.3/fox.png",
    "private, 192.168": "https://192.168.0.1/fox.png",
    "private, IPv6": "https://[fd00::1]/fox.png",
    "link-local": "https://169.254.169.254/latest/meta-data/",
    "link-local, IPv6 with a zone": "https://[fe80::1%25eth0]/",
    "shared": "https://100.64.0.1/",
    "everything": "https://0.0.0.0/fox.png",
    "bad port": "https://example.org:99999/fox.png",
    "bad brackets": "https://[::1/fox.png",
    "space": "https://example.org/a fox.png",
    "newline": "https://example.org/\nfox.png",
    "backslash": "https://example.org\\@localhost/",
    "too long": "https://example.org/" + "x" * 5000,
    "svg": data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "html": data_url(b"<script>alert(1)</script>", "text/html"),
    "gif": data_url(b"GIF89a\x01\0\x01\0\0\0\0;", "image/gif"),
    "gif called png": data_url(b"GIF89a\x01\0\x01\0\0\0\0;"),
    "html called png": data_url(b"<html><script>alert(1)</script></html>"),
    "film called png": data_url(b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2"),
    "half a signature": data_url(PNG[:6]),
    "no sides": data_url(PNG[:16]),
    "no picture": data_url(b""),
    "not base64": "data:image/png;base64,%%%%",
    "not encoded": "data:image/png,hello",
    "too wide": data_url(png(8193, 1)),
    "too high": data_url(png(1, 8193)),
}


@pytest.mark.parametrize("image_url", PICTURES.values(), ids=PICTURES.keys())
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("video/from-image", "image_url"),
        ("image", "image_url"),
        ("video/from-image", "last_image_url"),
    ],
)
async def test_a_picture_that_is_none_or_lies_in_a_private_place_is_refused(
    still: World, asker: Person, path: str, field: str, image_url: str
) -> None:
    body = USUAL[f"POST /generate/{path}"] | {field: image_url}
    response = await asker.post(f"/generate/{path}", body)
    problem = assert_problem(response, 422, "invalid_request")
    assert [error["loc"] for error in problem["errors"]] == [["body", field]]
    await assert_nothing_was_done(still)
