"""The texts of a call: which are meant, which are the same, and under which name a vector is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from or_mcp.openrouter.errors import InvalidRequest

# How many wrong texts are named; the rest are counted.
_NAMED = 5
# Tokens are counted by characters: so much may be wrong with that.
_ROUGHNESS = 1.25
_QUERY_TYPES = {"document": "query", "passage": "query"}


@dataclass(frozen=True, slots=True)
class Text:
    """One text to embed. Models that know both make different vectors of a document and of a query."""

    words: str
    input_type: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes a vector what it is, beside its text, and whose it is: nobody sees what another caller embedded."""

    owner: str
    model: str
    dimensions: int | None = None

    def key(self, text: Text) -> bytes:
        """The name of a text's vector: the same for the same text, and telling nothing about it."""
        made_of = json.dumps([self.owner, self.model, self.dimensions, text.input_type]).encode()
        return hashlib.blake2b(made_of + b"\0" + text.words.encode(errors="surrogatepass"), digest_size=16).digest()


def check_texts(name: str, texts: Sequence[str]) -> None:
    """A text without words has no meaning to compare, and half a character cannot be sent.

    Raises:
        InvalidRequest: It names those that are wrong.
    """
    _refuse(name, [index for index, text in enumerate(texts) if not text.strip()], "empty")
    _refuse(name, [index for index, text in enumerate(texts) if not _can_be_sent(text)], "no valid Unicode")


def check_lengths(texts: Sequence[Text], model: str, most_tokens: int, count_tokens: Callable[[str], int]) -> None:
    """A text beyond what the model reads would be refused upstream after others were paid for.

    Raises:
        InvalidRequest: It names those that are too long, with room for how rough a count is.
    """
    limit = most_tokens * _ROUGHNESS
    # A character is at most one token.
    long = [n for n, text in enumerate(texts) if len(text.words) > limit and count_tokens(text.words) > limit]
    if long:
        which = ", ".join(f"input[{place}]" for place in long[:_NAMED])
        which += f" and {len(long) - _NAMED} more" if len(long) > _NAMED else ""
        tokens = max(count_tokens(texts[place].words) for place in long)
        raise InvalidRequest(
            f"{model} reads at most {most_tokens:,} tokens a text, and {which} {'has' if len(long) == 1 else 'have'} "
            f"up to about {tokens:,}; split {'it' if len(long) == 1 else 'them'}"
        )


def _refuse(name: str, places: Sequence[int], why: str) -> None:
    if places:
        shown = ", ".join(f"{name}[{place}]" for place in places[:_NAMED])
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        raise InvalidRequest(f"{shown}{more} {'is' if len(places) == 1 else 'are'} {why}; each takes text")


def _can_be_sent(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def query_type(input_type: str | None) -> str | None:
    """The type of a query to texts of this type: `search_query` to `search_document`."""
    for document, query in _QUERY_TYPES.items():
        if input_type and document in input_type:
            return input_type.replace(document, query)
    return input_type
