"""HTTP with a server: no reply of its fills memory, whether it has no end or was packed small."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import cast

import httpx2
from mcp.shared._httpx_utils import create_mcp_http_client

from or_mcp.servers.pipe import LONGEST

Refuse = Callable[[str], None]


def http_client(headers: Mapping[str, str], refuse: Refuse) -> httpx2.AsyncClient:
    """A client that sends these headers; `refuse` is told of a reply that is not read, as the SDK says only that the
    connection closed.
    """

    async def bounded(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            refuse("it sent a packed message, which nobody asked for")
            raise httpx2.DecodingError("packed", request=response.request)
        # Events are bounded one by one, by whoever reads them.
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = _Bounded(cast("httpx2.AsyncByteStream", response.stream), refuse)

    client = create_mcp_http_client({**headers, "accept-encoding": "identity"})
    client.event_hooks = {"response": [bounded]}
    return client


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, refuse: Refuse) -> None:
        self._stream = stream
        self._refuse = refuse

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > LONGEST:
                self._refuse("it sent a message that is too large to read")
                raise httpx2.ReadError("too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
