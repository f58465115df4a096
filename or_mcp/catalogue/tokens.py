"""How many tokens a text has: usually, and at most."""

from __future__ import annotations

import re

_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+"
)


def count_tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, or one and a half where characters are syllables."""
    wide = 0 if text.isascii() else sum(len(run) for run in _WIDE.findall(text))
    return -(-(len(text) - wide) // 4) + -(-wide * 2 // 3)


def most_tokens(text: str) -> int:
    """No vocabulary makes more tokens of a text."""
    return len(text.encode(errors="surrogatepass")) // 2 + 1
