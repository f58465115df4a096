"""Pictures and sound that come with an answer or from a tool: kept in a thread, and out of everybody's context."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from or_mcp.conversation.state import AnswerState
from or_mcp.files.encoded import decoded
from or_mcp.files.made import MadeFile
from or_mcp.files.measured import as_wav, measure
from or_mcp.files.shelf import Shelf

# What every model that sees pictures takes.
_SEEN = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def keep_pictures(state: AnswerState, shelf: Shelf) -> None:
    """Put what was drawn on the shelf. What is only an address is told as one: nothing is fetched.

    Raises:
        NotKept: The disk refused.
    """
    urls, state.pictures = state.pictures, []
    for url in urls:
        file = await anyio.to_thread.run_sync(_picture, url, f"image-{len(state.files) + 1}", shelf)
        if file is not None:
            state.files.append(file)
        elif url.startswith("https://"):
            state.text += f"\n{url}"


async def keep_sound(state: AnswerState, shelf: Shelf) -> None:
    """Put what was said on the shelf, as far as it came.

    Raises:
        NotKept: The disk refused.
    """
    if state.sound:
        parts, state.sound = state.sound, []
        file = await anyio.to_thread.run_sync(_sound, parts, shelf)
        state.files += [file] if file is not None else []


async def keep_shown(pictures: Sequence[str], shelf: Shelf) -> tuple[str, ...]:
    """Put what a tool showed, in base64, on the shelf, and tell how it stands there; what is no picture is left out.

    Raises:
        NotKept: The disk refused.
    """
    files = [await anyio.to_thread.run_sync(_shown, picture, shelf) for picture in pictures]
    return tuple(file.stored for file in files if file is not None)


def _shown(picture: str, shelf: Shelf) -> MadeFile | None:
    data = decoded(picture) or b""
    kind = measure(data)
    return shelf.put(data, "shown", kind) if kind.mime in _SEEN else None


def _picture(url: str, name: str, shelf: Shelf) -> MadeFile | None:
    data = decoded(url)
    return None if data is None else shelf.put(data, name)


def _sound(parts: Sequence[str], shelf: Shelf) -> MadeFile | None:
    data = b"".join(decoded(part) or b"" for part in parts)
    return shelf.put(as_wav(data), "sound") if data else None
