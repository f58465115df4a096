"""Whether letters were drawn by a machine or written to stand for such."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

# The last two begin the tokens that jwt.io and PyJWT show.
_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|your[-_]?|xxxx|\*\*\*|\.\.\.|…|change[-_]?me|dummy|sample|redacted|fake|"
    r"replace|insert|todo|eyJzdWIiOiIxMjM0NTY3ODkw|eyJzb21lIjoicGF5bG9hZCJ9"
)
# Further on, a few letters are chance.
_SAYS_SO_WITHIN = 64
_TYPED_PLACEHOLDER = re.compile(
    r"(?i)passw(?:or)?d|secret|token|test|local|abcdef|12345|default|admin|api_?key|\$|://|%\("
)
_WORDS = re.compile(r"[A-Za-z]?[a-z]{2,}(?:[-_./][A-Za-z]?[a-z]{2,})*\d{0,2}")


def placeholder(token: str) -> bool:
    """It stands for a token: it says so, or repeats a few letters."""
    # A token that was drawn has more than five different characters.
    return len(set(token)) < 6 or _PLACEHOLDER.search(token, 0, _SAYS_SO_WITHIN) is not None


def looks_random(token: str) -> bool:
    """A machine drew it: no placeholder, and about as varied as its length allows."""
    # What repeats stays below three bits a character; forty random hexadecimal digits have about 3.7.
    return not placeholder(token) and bits_each(token) >= 3


def looks_typed(value: str) -> bool:
    """A setting's value that is a secret: random, of more than one class of characters, and not words."""
    if not looks_random(value) or _TYPED_PLACEHOLDER.search(value) or _WORDS.fullmatch(value):
        return False
    return sum(re.search(some, value) is not None for some in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]")) > 1


def bits_each(token: str) -> float:
    """Shannon's entropy, per character."""
    counts = Counter(token).values()
    return -sum(count / len(token) * log2(count / len(token)) for count in counts)
