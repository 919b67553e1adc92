"""Pictures as answers carry them: base64, perhaps after a while, perhaps broken."""

import asyncio
import base64

from aigen.adapters.openrouter.simulator.pictures import picture
from aigen.adapters.openrouter.simulator.state import State

_PREVIEW_SCALE = 8
_LARGEST_DRAWN_AT_ONCE = 1_500_000


async def drawn(state: State, seed: str, size: tuple[int, int], *, is_cut: bool = False) -> str:
    """Base64 of a PNG. Large ones are made in a thread, so that other requests go on."""
    await state.sleep(state.options.image_seconds)
    least = state.options.image_bytes
    if size[0] * size[1] > _LARGEST_DRAWN_AT_ONCE:
        content = await asyncio.to_thread(picture, seed, *size, least)
    else:
        content = picture(seed, *size, least)
    encoded = base64.b64encode(content).decode()
    return cut_off(encoded) if is_cut else encoded


def preview_of(seed: str, size: tuple[int, int]) -> str:
    """A rough version of the picture that comes later in the stream."""
    width, height = (max(1, side // _PREVIEW_SCALE) for side in size)
    return base64.b64encode(picture(seed, width, height)).decode()


def cut_off(encoded: str) -> str:
    """Half of it, of a length (4n + 1) that no base64 decoder takes."""
    return encoded[: len(encoded) // 8 * 4 + 1]
