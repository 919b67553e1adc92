"""What a file is, told from its bytes; and where files lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.media import (
    FILMS,
    INPUT_PICTURES,
    PICTURES,
    SIGNATURE_BYTES,
    MediaType,
    folder_of,
    folder_of_user,
    type_of,
)
from aigen.testing import MP4, PNG

BEGINNINGS = [
    (PNG, MediaType.PNG),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", MediaType.JPEG),
    (b"\xff\xd8\xff\xdb", MediaType.JPEG),
    (b"RIFF\x24\x00\x00\x00WEBPVP8 ", MediaType.WEBP),
    (b"GIF87a\x01\x00", MediaType.GIF),
    (b"GIF89a\x01\x00", MediaType.GIF),
    (MP4, MediaType.MP4),
    (b"\x00\x00\x00\x20ftypmp42", MediaType.MP4),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", MediaType.WEBM),
]
OTHERS = [
    b"",
    b"\x89PNG",
    b"GIF88a",
    b"<html><body>",
    b"<!doctype html>",
    b"<svg xmlns='http://www.w3.org/2000/svg'>",
    b"<?xml version='1.0'?><svg>",
    b"%PDF-1.7",
    b"PK\x03\x04",
    b"MZ\x90\x00",
    b"#!/bin/sh\n",
    b"BM\x00\x00\x00\x00",
    b"RIFF\x24\x00\x00\x00WAVEfmt ",
    b"RIFF\x24\x00\x00\x00AVI LIST",
    b" \x89PNG\r\n\x1a\n",
    b"<script>WEBP(1)</script>",
]


@pytest.mark.parametrize(("head", "expected"), BEGINNINGS)
def test_a_file_is_what_it_begins_with(head: bytes, expected: MediaType) -> None:
    assert type_of(head) is expected
    assert type_of(bytearray(head)) is expected


@pytest.mark.parametrize("head", OTHERS)
def test_anything_else_is_nothing(head: bytes) -> None:
    assert type_of(head) is None


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=40))
def test_what_follows_the_signature_does_not_matter(
    beginning: tuple[bytes, MediaType], rest: bytes
) -> None:
    head, expected = beginning
    assert type_of(head[:SIGNATURE_BYTES] + rest) is expected


@given(st.text(min_size=8, max_size=40).map(str.encode))
def test_no_text_is_taken_for_a_picture(content: bytes) -> None:
    assert type_of(content) not in PICTURES or content.startswith((b"GIF87a", b"GIF89a"))


def test_nothing_that_can_carry_script_is_on_the_list() -> None:
    assert {kind.value for kind in MediaType} == {
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "video/mp4",
        "video/webm",
    }
    assert set(MediaType) == PICTURES | FILMS
    assert PICTURES - {MediaType.GIF} == INPUT_PICTURES


def test_a_type_has_the_usual_extension() -> None:
    extensions = {kind: kind.extension for kind in MediaType}
    assert extensions.pop(MediaType.JPEG) == "jpg"
    assert all(kind.value.endswith(extension) for kind, extension in extensions.items())


def test_folders_end_with_a_slash_and_lie_in_their_owners() -> None:
    assert folder_of_user("ann") == "ann/"
    assert folder_of("ann", "a-job") == "ann/a-job/"
    assert not folder_of("anna", "a-job").startswith(folder_of_user("ann"))
