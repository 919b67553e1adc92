"""What every media store must do; the fixture `media` is an empty one."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from aigen.adapters.memory.provider import MP4, PNG
from aigen.domain.model.errors import NotFound
from aigen.domain.model.media import FILMS, INPUT_PICTURES, PICTURES, MediaRejected, MediaType
from aigen.ports.media import Accept, MediaStore

ANY_PICTURE = Accept(types=PICTURES, size=10_000)
FOLDER = "a-user/a-job/"


async def in_pieces(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def broken_off(content: bytes) -> AsyncIterator[bytes]:
    yield content
    raise ConnectionResetError


async def test_a_file_is_stored_under_its_folder_name_and_type(media: MediaStore) -> None:
    stored = await media.put(FOLDER, "image-1", in_pieces(PNG), ANY_PICTURE)
    assert stored.key == "a-user/a-job/image-1.png"
    assert stored.media_type is MediaType.PNG
    assert stored.size == len(PNG)
    assert (stored.width, stored.height) == (1, 1)
    assert await media.read(stored) == PNG
    assert await media.digest(stored.key) == stored.sha256


async def test_a_file_of_the_same_key_is_replaced(media: MediaStore) -> None:
    accept = Accept(types=FILMS, size=10_000)
    await media.put(FOLDER, "video", in_pieces(MP4), accept)
    stored = await media.put(FOLDER, "video", in_pieces(MP4 + b"more"), accept)
    assert await media.read(stored) == MP4 + b"more"


@pytest.mark.parametrize(
    "content",
    [b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", MP4, b"GIF89a" + b"\0" * 20],
)
async def test_what_is_not_accepted_is_rejected(media: MediaStore, content: bytes) -> None:
    accept = Accept(types=INPUT_PICTURES, size=10_000)
    with pytest.raises(MediaRejected):
        await media.put(FOLDER, "input", in_pieces(content), accept)
    assert await media.digest(FOLDER + "input.png") is None


async def test_what_is_too_large_is_rejected(media: MediaStore) -> None:
    accept = Accept(types=PICTURES, size=len(PNG) - 1)
    with pytest.raises(MediaRejected):
        await media.put(FOLDER, "image", in_pieces(PNG), accept)


async def test_a_picture_with_a_side_too_long_is_rejected(media: MediaStore) -> None:
    wide = PNG[:16] + (9000).to_bytes(4, "big") + PNG[20:]
    accept = Accept(types=PICTURES, size=10_000, longest_side=8192)
    with pytest.raises(MediaRejected):
        await media.put(FOLDER, "image", in_pieces(wide), accept)
    await media.put(FOLDER, "image", in_pieces(PNG), accept)


async def test_a_stream_that_breaks_off_leaves_nothing(media: MediaStore) -> None:
    with pytest.raises(ConnectionResetError):
        await media.put(FOLDER, "image", broken_off(PNG), ANY_PICTURE)
    assert await media.digest(FOLDER + "image.png") is None


async def test_a_copy_is_a_file_of_its_own(media: MediaStore) -> None:
    stored = await media.put(FOLDER, "first-frame", in_pieces(PNG), ANY_PICTURE)
    copy = await media.copy(stored, "a-user/another/")
    await media.remove(FOLDER)
    assert copy.key == "a-user/another/first-frame.png"
    assert await media.read(copy) == PNG
    with pytest.raises(NotFound):
        await media.read(stored)
    with pytest.raises(NotFound):
        await media.copy(stored, "a-user/third/")


async def test_removing_takes_a_folder_or_one_file_and_nothing_beside_it(
    media: MediaStore,
) -> None:
    names = ("u/1/", "u/1-other/", "u/2/", "v/1/")
    files = [await media.put(name, "image", in_pieces(PNG), ANY_PICTURE) for name in names]

    async def there() -> list[bool]:
        return [await media.digest(file.key) is not None for file in files]

    await media.remove("u/1/")
    assert await there() == [False, True, True, True]
    await media.remove(files[2].key)
    assert await there() == [False, True, False, True]
    await media.remove("u/")
    await media.remove("nobody/")
    assert await there() == [False, False, False, True]


async def test_nothing_has_no_digest_and_no_path(media: MediaStore) -> None:
    assert await media.digest("u/none.png") is None
    assert await media.path("u/none.png") is None
    assert await media.path("../../etc/passwd") is None


async def test_a_file_comes_in_pieces_that_are_the_file(media: MediaStore) -> None:
    film = MP4 + bytes(range(256)) * 2**15
    accept = Accept(types=FILMS, size=len(film))
    stored = await media.put(FOLDER, "video", in_pieces(film, 2**18 + 1), accept)
    assert stored.sha256 == hashlib.sha256(film).hexdigest()
    pieces = [piece async for piece in await media.stream(stored.key)]
    assert len(pieces) > 1
    assert b"".join(pieces) == film
    assert await media.digest(stored.key) == stored.sha256


async def test_a_film_that_breaks_off_late_leaves_nothing(media: MediaStore) -> None:
    with pytest.raises(ConnectionResetError):
        await media.put(
            FOLDER, "video", broken_off(MP4 + bytes(2**23)), Accept(types=FILMS, size=2**24)
        )
    assert [key async for key in media.all_keys()] == []


async def test_a_film_that_turns_out_too_large_leaves_nothing(media: MediaStore) -> None:
    film = in_pieces(MP4 + bytes(2**23), 2**20)
    with pytest.raises(MediaRejected):
        await media.put(FOLDER, "video", film, Accept(types=FILMS, size=2**23))
    assert [key async for key in media.all_keys()] == []


@pytest.mark.parametrize("key", ["u/none.png", "u", "u/", "../../etc/passwd", "u//a.png", "\0"])
async def test_what_is_not_there_is_not_streamed(media: MediaStore, key: str) -> None:
    await media.put("u/", "a", in_pieces(PNG), ANY_PICTURE)
    with pytest.raises(NotFound):
        await media.stream(key)


async def test_all_files_have_their_keys_listed(media: MediaStore) -> None:
    folders = [f"user/{number}/" for number in range(3)] + ["other/object/"]
    for folder in folders:
        await media.put(folder, "image-1", in_pieces(PNG), ANY_PICTURE)
    listed = [key async for key in media.all_keys()]
    assert sorted(listed) == sorted(f"{folder}image-1.png" for folder in folders)


async def test_there_is_room(media: MediaStore) -> None:
    assert await media.has_room()
