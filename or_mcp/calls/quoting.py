"""Words that are not ours, marked so that they cannot pass for instructions."""

from __future__ import annotations

import re

from or_mcp.openrouter.errors import shorten

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
