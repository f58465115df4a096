"""Server-sent events: bytes in, data out. Pure, and safe for any split of the bytes."""

from __future__ import annotations

from collections.abc import Iterator

# The last event repeats the whole answer, all panelists' texts and what they read; a picture is tens of megabytes.
EVENT_LIMIT = 48 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLarge(Exception):
    """One event is larger than any real one."""


class EventReader:
    """Turns chunks of bytes into the `data` of events.

    Comments, event names and ids are skipped: upstream puts the event's name into its JSON.
    """

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._limit = limit
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._after_return = False
        self._first_line = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that this chunk completes.

        Raises:
            EventTooLarge: The event being read has outgrown the limit.
        """
        if not chunk:
            return
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head, *rest = chunk.split(b"\n")
        self._keep(head)
        for following in rest:
            yield from self._end_line()
            self._keep(following)

    def end(self) -> Iterator[str]:
        """The event that was still open when the stream ended, if it has data."""
        yield from self._end_line()
        yield from self._take(b"")

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise EventTooLarge
        if part:
            self._line.append(part)

    def _end_line(self) -> Iterator[str]:
        line = b"".join(self._line)
        self._line.clear()
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        yield from self._take(line)

    def _take(self, line: bytes) -> Iterator[str]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            data, self._data, self._size = self._data, [], 0
            if data:
                yield b"\n".join(data).decode("utf-8", errors="replace")
        elif not self._data:
            self._size = 0
