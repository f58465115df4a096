"""Words that are not ours, marked so that they cannot pass for instructions."""

from __future__ import annotations

import re

from or_mcp.openrouter.errors import shorten

# What moves a cursor, turns the reading direction or hides, and halves of characters: shown as signs, so that a reader
# sees what a model sees.
# The structured form keeps every character as it came.
_SHOWN: dict[int, int] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD),
    **dict.fromkeys([*range(0xD800, 0xE000), *range(0xE0000, 0xE0080)], 0xFFFD),
}


_NAMES = re.compile(r"(?=.{1,300}\Z)[\w./~@:-]+(?:, [\w./~@:-]+)*", re.ASCII)

_NAME = re.compile(r"(?=.{1,120}\Z)[\w./~@:()&+-]+(?: [\w./~@:()&+-]+){0,4}")


def quoted(run_id: str, what: str, words: str) -> str:
    """Model or web text between two marks. The marks hold the run's random id, which the text cannot know."""
    mark = run_id[-6:]
    return f"[{what} · quoted {mark}]\n{words}\n[end of quote {mark}]"


def in_quotes(words: str) -> str:
    """Upstream's words on one line of ours, which they cannot leave."""
    return f'"{shorten(words).replace(chr(34), chr(39))}"'


def told(words: str) -> str:
    """What upstream lists: names as they are, anything else in quotes."""
    return words if _NAMES.fullmatch(words) else in_quotes(words)


def named(words: str) -> str:
    """A name that upstream gives, as it is if it looks like one; anything else in quotes."""
    return words if _NAME.fullmatch(words) else in_quotes(words)


def visible(words: str) -> str:
    """A text without anything that acts on a screen instead of standing on it."""
    return words.replace("\r\n", "\n").translate(_SHOWN)
