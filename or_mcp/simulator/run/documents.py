"""Documents in a conversation: read once by a parser, which may cost by the page, and told of as annotations."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from or_mcp.simulator.run.texts import MARK
from or_mcp.simulator.run.validation import one_of
from or_mcp.simulator.wire import JsonObject, as_object, objects

# Two dollars for a thousand pages; the others are free, but for the tokens.
_PRICES = {"mistral-ocr": Decimal("0.002"), "cloudflare-ai": Decimal(0), "native": Decimal(0)}
# The name that cloudflare-ai had before.
_OLD = {"pdf-text": "cloudflare-ai"}
_PAGE = re.compile(rb"/Type\s*/Page(?!s)")


@dataclass(frozen=True, slots=True)
class Documents:
    """Who reads the documents of a request, and those that nobody has read yet."""

    engine: str | None = None
    unread: tuple[JsonObject, ...] = ()
    pages: int = 0

    @property
    def price(self) -> Decimal:
        """What reading them costs."""
        return self.pages * _PRICES.get(str(self.engine), Decimal(0))

    def annotations(self) -> list[JsonObject]:
        """What was read; a conversation that carries them is not read again."""
        return [{"type": "file", "file": file} for file in self.unread]


NO_DOCUMENTS = Documents()


def read_documents(body: JsonObject) -> Documents:
    """The documents of a request; refuses a parser that nobody knows."""
    plugin = next((each for each in objects(body.get("plugins")) if each.get("id") == "file-parser"), None)
    settings = as_object(as_object(plugin).get("pdf"))
    one_of(*_PRICES, *_OLD).check(settings, "engine")
    engine = _OLD.get(str(settings.get("engine")), settings.get("engine"))
    told = {str(as_object(note.get("file")).get("hash")) for note in _annotations(body)}
    unread: dict[str, JsonObject] = {}
    pages = 0
    for file in _files(body):
        digest = sha256(str(file.get("file_data")).encode()).hexdigest()
        if digest not in told | unread.keys():
            words = [{"type": "text", "text": f"{MARK}the text of {file.get('filename')}"}]
            unread[digest] = {"hash": digest, "name": file.get("filename"), "content": words}
            pages += _pages_of(str(file.get("file_data")))
    return Documents(engine, tuple(unread.values()), pages)


def _files(body: JsonObject) -> Iterator[JsonObject]:
    for message in [*objects(body.get("messages")), *objects(body.get("input"))]:
        for part in objects(message.get("content")):
            if part.get("type") == "file":
                yield as_object(part.get("file"))
            elif part.get("type") == "input_file":
                yield part | {"file_data": part.get("file_data") or part.get("file_url")}


def _pages_of(data: str) -> int:
    """The pages of a PDF, at least one; what stands at an address is never fetched, and has one."""
    try:
        return max(len(_PAGE.findall(b64decode(data.rpartition(",")[2], validate=True))), 1)
    except ValueError:
        return 1


def _annotations(body: JsonObject) -> Iterator[JsonObject]:
    for message in objects(body.get("messages")):
        yield from objects(message.get("annotations"))
