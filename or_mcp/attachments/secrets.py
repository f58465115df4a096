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
# A line of a key: base64, longer than any word or path is likely to be.
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{60,}+")
_KEY_REACH = 400

_SETTINGS_NAME = re.compile(
    r"(?i)\.?env(?:\..{1,40})?\Z|.{0,200}\.(?:env|ini|cfg|conf|properties|toml|ya?ml|npmrc|pypirc)\Z|credentials\Z"
)
_SETTING = re.compile(r"""\s{0,16}(?:export |set )?\s{0,8}["']?([A-Za-z_][\w.-]{0,100}+)["']?\s{0,8}[=:]\s{0,8}(.+)""")
_SECRET_WORD = re.compile(r"(?i)passw(?:or)?d|passphrase|pwd|secret|token|(?:api|access|private)[_-]?key|auth(?!or)")
_HARMLESS_WORD = re.compile(r"(?i)public|tokeni[sz]|tokens\b|limit|length|(?:url|uri|path|file|dir|name|host|type)\Z")
_VALUE = re.compile(r"""(["']?)([^\s"'`<>(){}\[\],;]{10,300}+)\1\s{0,16}(?:[#;].*)?\Z""")


def find_secrets(text: str, name: str = "") -> tuple[Secret, ...]:
    """The secrets in a text, by line. The name says whether it is a file of settings; so may the text itself."""
    found = {Secret(line, kind) for line, kind in _numbered(text, [*_tokens(text), *_key_blocks(text)])}
    known = {secret.line for secret in found}
    found.update(secret for secret in _settings(text, name) if secret.line not in known)
    return tuple(sorted(found))


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
            if looks_typed(match[1]) if token.typed else not placeholder(match[1]):
                yield match.start(), token.kind


def _key_blocks(text: str) -> Iterator[tuple[int, str]]:
    for match in _KEY_BLOCK.finditer(text):
        line = _KEY_LINE.search(text, match.end(), match.end() + _KEY_REACH)
        if line and looks_random(line[0]):
            yield match.start(), "private key"


def _numbered(text: str, found: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Places as line numbers."""
    if found:
        ends = list(accumulate(len(line) + 1 for line in text.split("\n")))
        yield from ((bisect_right(ends, place) + 1, kind) for place, kind in found)


def _settings(text: str, name: str) -> Iterator[Secret]:
    """Secrets that only their setting's name gives away, in a file that consists of settings."""
    lines = text.split("\n")
    if not (_SETTINGS_NAME.match(name) or _mostly_settings(lines)):
        return
    for number, line in enumerate(lines, 1):
        setting = _SETTING.match(line)
        if setting and _SECRET_WORD.search(setting[1]) and not _HARMLESS_WORD.search(setting[1]):
            value = _VALUE.match(setting[2].strip())
            if value and looks_typed(value[2]):
                yield Secret(number, "password or key in a setting")


def _mostly_settings(lines: list[str]) -> bool:
    said = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", ";", "//"))]
    return bool(said) and sum(map(_is_setting, said)) * 2 > len(said)


def _is_setting(line: str) -> bool:
    return re.match(r"(?:export )?[A-Za-z_][A-Za-z0-9_.]{0,100}+ ?= ?[^=\s(\[{]", line) is not None
