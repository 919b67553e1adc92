"""Input pictures: which addresses are handed on, and which data is taken."""

import base64
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.inputs import data_url, parse_input
from aigen.domain.model.media import Picture

PUBLIC = [
    "https://example.org/fox.png",
    "HTTPS://Example.ORG/Fox.PNG",
    "https://example.org",
    "https://example.org./fox.png",
    "https://example.org:8443/fox.png?size=large#top",
    "https://localhost.example.org/fox.png",
    "https://mylocal.net/fox.png",
    "https://füchse.example/fox.png",
    "https://xn--fchse-kva.example/fox.png",
    "https://8.8.8.8/fox.png",
    "https://8.8.8.8:443/fox.png",
    "https://[2606:4700:4700::1111]/fox.png",
    "https://[2606:4700:4700::1111]:443/fox.png",
    "https://127.0.0.1.example.org/fox.png",
    "https://example.org/?next=https://user:word@127.0.0.1/",
]
NO_ADDRESS = [
    "",
    " ",
    "fox.png",
    "/media/fox.png",
    "//example.org/fox.png",
    "https:",
    "https://",
    "https:///fox.png",
    "https:example.org",
    "https://:443/fox.png",
    "https://example.org:port/",
    "https://example.org:99999/",
    "https://[::1/",
    "https://example.org/a fox.png",
    "https://example.org/\nfox.png",
    "https://example.org\\@evil.example/",
    "https://example.org/\0",
    "https://example.org/\ud800",
    "https://example.org/" + "x" * 4096,
]
OTHER_SCHEMES = [
    "http://example.org/fox.png",
    "ftp://example.org/fox.png",
    "file:///etc/passwd",
    "gopher://example.org/",
    "javascript:alert(1)",
    "blob:https://example.org/1",
]
WITH_LOGIN = [
    "https://user:word@example.org/",
    "https://user@example.org/",
    "https://:word@example.org/",
    "https://@example.org/",
    "https://example.org@127.0.0.1/",
]
LOCAL_NAMES = [
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://fox.localhost/",
    "https://fox.localhost./",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://nas.lan/",
    "https://nas.home.arpa/",
    "https://wiki.intranet/",
    "https://printer/",
    "https://printer./",
]
PRIVATE_IPV4 = [
    "https://127.0.0.1/",
    "https://127.255.255.254/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://255.255.255.255/",
    "https://224.0.0.1/",
]
STRANGE_IPV4 = [
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7F.0.0.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://3232235777/",
    "https://8.8.8.8.8/",
    "https://1２7.0.0.1/",  # noqa: RUF001 - a wide digit, which browsers read as a plain one
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://127。0.0。1/",
    "https://127.0.0.%31/",
    "https://%31%32%37.0.0.1/",
]
PRIVATE_IPV6 = [
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd12:3456:789a::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:192.168.1.1]/",
    "https://[::127.0.0.1]/",
    "https://[2002:7f00:1::]/",  # 6to4 of 127.0.0.1
    "https://[64:ff9b::7f00:1]/",  # NAT64 of 127.0.0.1
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
]
DISGUISED_NAMES = [
    "https://fox.ｌｏｃａｌｈｏｓｔ/",  # noqa: RUF001 - what IDNA makes plain letters of
    "https://fox。localhost/",
    "https://fox.local\u00adhost/",
    "https://fox.loc%61lhost/",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_https_address_is_handed_on_as_it_is(address: str) -> None:
    assert parse_input("image_url", address) == address


@pytest.mark.parametrize(
    "address",
    [
        *NO_ADDRESS,
        *OTHER_SCHEMES,
        *WITH_LOGIN,
        *LOCAL_NAMES,
        *PRIVATE_IPV4,
        *STRANGE_IPV4,
        *PRIVATE_IPV6,
        *DISGUISED_NAMES,
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_input("last_image_url", address)
    assert refused.value.field == "last_image_url"
    assert refused.value.detail.startswith("`last_image_url` ")


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_written_with_four_plain_numbers_or_refused(
    address: IPv4Address,
) -> None:
    number, parts = int(address), address.packed
    strange = [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{number >> 24}.{number & 0xFFFFFF}",
        f"{number >> 24:#x}.{number & 0xFFFFFF:#x}",
        ".".join(f"0{part:o}" for part in parts),
        ".".join(hex(part) for part in parts),
    ]
    if not address.is_global:
        strange += [str(address), f"{address}.", f"[::ffff:{address}]"]
    for host in strange:
        with pytest.raises(InvalidRequest):
            parse_input("image_url", f"https://{host}/")


# --- data URLs --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpeg", "jpg", "webp"])
@given(content=st.binary(min_size=1, max_size=200))
def test_a_data_url_gives_the_picture_that_it_carries(kind: str, content: bytes) -> None:
    url = data_url(content, f"image/{kind}")
    assert parse_input("image_url", url) == Picture(content=content)


def test_a_data_url_may_be_written_in_capitals() -> None:
    url = "DATA:IMAGE/PNG;BASE64," + base64.b64encode(b"a fox").decode()
    assert parse_input("image_url", url) == Picture(content=b"a fox")


@pytest.mark.parametrize(
    "text",
    [
        "data:",
        "data:,",
        "data:image/png",
        "data:image/png,YSBmb3g=",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,YSBmb3g",
        "data:image/png;base64,YSBm b3g=",
        "data:image/png;base64,YSBmb3g=\n",
        "data:image/png;base64,_-_-",
        "data:image/png;base64,%59SBmb3g=",
        "data:image/png;base64,füchse==",
        "data:image/png;base64,\ud800AAA",
        "data:image/png;charset=utf-8;base64,YSBmb3g=",
        "data:image/gif;base64,YSBmb3g=",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/pngx;base64,YSBmb3g=",
        "data:text/html;base64,PHA+",
        "data:;base64,YSBmb3g=",
        " data:image/png;base64,YSBmb3g=",
    ],
)
def test_any_other_data_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_input("image_url", text)
    assert refused.value.field == "image_url"


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_whatever_is_sent_is_answered(text: str) -> None:
    """Also what no parser expects is either handed on or refused, never a failure of ours."""
    try:
        found = parse_input("image_url", text)
    except InvalidRequest:
        return
    assert isinstance(found, Picture) or found == text
