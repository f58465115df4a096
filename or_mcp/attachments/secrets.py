"""Secrets in text: what kind and in which line, never the secret itself.

A guard against sending a key by mistake, not against someone who hides one. Every pattern starts at a place where a
token can start and takes its characters possessively, so that the time grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from or_mcp.attachments.randomness import looks_random, looks_typed, placeholder

AWS_KEY_ID = "AWS access key id"


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """That there is one, and where."""

    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Token:
    """A kind of token: letters without which there is none, its shape with the random part as a group, who made it."""

    kind: str
    mark: str
    shape: re.Pattern[str]
    typed: bool


def _token(kind: str, mark: str, shape: str, *, typed: bool = False) -> _Token:
    return _Token(kind, mark, re.compile(rf"(?<![A-Za-z0-9_-]){shape}", re.ASCII), typed)


_TOKENS = (
    _token(AWS_KEY_ID, "IA", r"A[KS]IA([A-Z2-7]{16}+)(?![A-Za-z0-9])"),
    _token("GitHub token", "gh", r"gh[pousr]_([A-Za-z0-9]{36,255}+)"),
    _token("GitHub token", "github_pat_", r"github_pat_([A-Za-z0-9_]{50,255}+)"),
    _token("GitLab token", "glpat-", r"glpat-([A-Za-z0-9_.-]{20,300}+)"),
    _token("Slack token", "xox", r"xox[abceoprs]-([A-Za-z0-9-]{20,300}+)"),
    _token("Slack token", "xapp-", r"xapp-([A-Za-z0-9-]{20,300}+)"),
    _token("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/T\w{6,20}+/B\w{6,20}+/(\w{20,40}+)"),
    _token("OpenRouter key", "sk-or-", r"sk-or-(?:v1-|mgmt-)?([A-Za-z0-9_-]{20,300}+)"),
    _token("Anthropic key", "sk-ant-", r"sk-ant-(?:[a-z]{2,8}[0-9]{2}-)?([A-Za-z0-9_-]{20,300}+)"),
    _token("OpenAI key", "sk-", r"sk-(?:proj|svcacct|admin|None)-([A-Za-z0-9_-]{20,300}+)"),
    _token("OpenAI key", "sk-", r"sk-([A-Za-z0-9]{32,300}+)"),
    _token("Google key", "AIza", r"AIza([A-Za-z0-9_-]{35}+)(?![A-Za-z0-9_-])"),
    _token("Google client secret", "GOCSPX-", r"GOCSPX-([A-Za-z0-9_-]{20,60}+)"),
    _token("Stripe key", "k_", r"[rs]k_(?:live|test)_([A-Za-z0-9]{20,300}+)"),
    _token("Stripe webhook secret", "whsec_", r"whsec_([A-Za-z0-9+/=]{28,100}+)"),
    _token("npm token", "npm_", r"npm_([A-Za-z0-9]{36}+)(?![A-Za-z0-9])"),
    _token("PyPI token", "pypi-AgEI", r"pypi-AgEI([A-Za-z0-9_-]{50,500}+)"),
    _token("Hugging Face token", "hf_", r"hf_([A-Za-z0-9]{30,60}+)"),
    _token("JSON Web Token", "eyJ", r"eyJ[A-Za-z0-9_-]{8,}+\.(eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{20,}+)"),
    _token(
        "password in a URL",
        "://",
        r"[a-z][a-z0-9+.]{1,20}+://[^\s:/@\"'<>]{0,64}+:([^\s:/@\"'<>]{6,128}+)@",
        typed=True,
    ),
    _token(
        "netrc password",
        "machine ",
        r"machine \S{1,200}+\s{1,80}+login \S{1,200}+\s{1,80}+password (\S{6,200}+)",
        typed=True,
    ),
)
_KEY_BLOCK = re.compile(r"-----BEGIN (?:[A-Z]{2,9} )?PRIVATE KEY(?: BLOCK)?-----")
# Lines of a key: nothing but base64, with line ends that may be spelled out.
_KEY_LINE = re.compile(r"""(?:\n|\\n|\A)[ \t"']{0,8}([A-Za-z0-9+/]{16,}+={0,2})(?=[ \t"',]{0,8}(?:\r|\n|\\|\Z))""")
# How far behind its first line a key is looked for, and how much of it must look drawn: no real one is shorter.
_KEY_REACH, _KEY_LENGTH = 600, 40
# As OpenRouter makes them: whatever else stands in it, this is one.
_OWN_KEY = re.compile(r"[0-9a-f]{32}")
_IN_BYTES = (
    ("OpenRouter key", re.compile(rb"sk-or-v1-[0-9a-f]{64}")),
    (
        AWS_KEY_ID,
        re.compile(
            rb"(?<![A-Za-z0-9+/])A[KS]IA[A-Z2-7]{16}(?=[^A-Za-z0-9+/][\x00-\xff]{0,200}?"
            rb"[^A-Za-z0-9+/][A-Za-z0-9+/]{40}[^A-Za-z0-9+/])"
        ),
    ),
)

# A text is looked through piece by piece, so that others come to their turn; what lies across a cut is seen whole.
_PIECE, _OVERLAP = 500_000, 2_000


def find_secrets(text: str, name: str = "") -> tuple[Secret, ...]:
    """The secrets in a text, by line. The name says whether it is a file of settings; so may the text itself."""
    found: set[Secret] = set()
    line = begin = 0
    for end in (*range(_PIECE, len(text), _PIECE), len(text)):
        found.update(_in_piece(text[begin:end], name, line))
        following = max(begin, end - _OVERLAP)
        line, begin = line + text.count("\n", begin, following), following
    return tuple(sorted(found))


def find_in_bytes(data: bytes) -> tuple[Secret, ...]:
    """The keys in something that is no text, as far as they cannot be anything else."""
    found = [
        (match.start(), kind)
        for begin in range(0, len(data), _PIECE)
        for kind, shape in _IN_BYTES
        for match in shape.finditer(data, begin, begin + _PIECE + _OVERLAP)
        if match.start() < begin + _PIECE
    ]
    return tuple(sorted(Secret(data.count(b"\n", 0, place) + 1, kind) for place, kind in found))


def _in_piece(text: str, name: str, before: int) -> Iterator[Secret]:
    """The secrets in a piece with so many lines before it; of each line only what is told most certainly."""
    # Its patterns take 16 ms to compile, and most sessions attach nothing.
    from or_mcp.attachments.named_secrets import in_settings, spelled_out

    known: set[int] = set()
    sure = list(_numbered(text, [*_tokens(text), *_key_blocks(text)]))
    for found in (sure, _numbered(text, list(spelled_out(text))), in_settings(text, name)):
        new = [(line, kind) for line, kind in found if line not in known]
        known.update(line for line, _ in new)
        yield from (Secret(before + line, kind) for line, kind in new)


def tell(secrets: Iterable[Secret], most: int = 5) -> str:
    """Kinds and lines, in words."""
    told = [f"{secret.kind} in line {secret.line}" for secret in secrets]
    more = f", and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for token in _TOKENS:
        if token.mark not in text:
            continue
        for match in token.shape.finditer(text):
            own = token.mark == "sk-or-" and _OWN_KEY.search(match[1]) is not None and len(set(match[1])) >= 6
            if own or (looks_typed(match[1]) if token.typed else not placeholder(match[1])):
                yield match.start(), token.kind


def _key_blocks(text: str) -> Iterator[tuple[int, str]]:
    for match in _KEY_BLOCK.finditer(text):
        begun = text[match.end() : match.end() + _KEY_REACH].partition("-----END")[0]
        body = "".join(line[1] for line in _KEY_LINE.finditer(begun))
        if len(body) >= _KEY_LENGTH and looks_random(body):
            yield match.start(), "private key"


def _numbered(text: str, found: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Places as line numbers."""
    if found:
        ends = list(accumulate(len(line) + 1 for line in text.split("\n")))
        yield from ((bisect_right(ends, place) + 1, kind) for place, kind in found)
