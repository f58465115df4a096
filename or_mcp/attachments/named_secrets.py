"""Secrets that only their name or their place gives away: in settings, JSON, YAML, headers, connection strings."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from or_mcp.attachments.randomness import looks_random, looks_typed

IN_A_SETTING = "password or key in a setting"

_TELLING = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|(?:api|access|private|client|account|signing|encryption)[_-]?key"
    r"|auth(?!or)"
)
_SECRET_WORD = re.compile(rf"(?i){_TELLING}")
_HARMLESS_WORD = re.compile(r"(?i)public|tokeni[sz]|tokens\b|limit|length|(?:url|uri|path|file|dir|name|host|type)\Z")

_SETTINGS_NAME = re.compile(
    r"(?i)\.?env(?:\..{1,40})?\Z|.{0,200}\.(?:env|ini|cfg|conf|properties|toml|ya?ml|npmrc|pypirc)\Z|credentials\Z"
)
_SETTING = re.compile(
    r"""\s{0,16}(?:export |set |- )?\s{0,8}["']?([A-Za-z_][\w.-]{0,100}+)["']?\s{0,8}[=:]\s{0,8}(.+)"""
)
_VALUE = re.compile(r"""(["']?)([^\s"'`<>(){}\[\],;]{10,300}+)\1\s{0,16}(?:[#;].*)?\Z""")
_IS_SETTING = re.compile(r"(?:export )?[A-Za-z_][A-Za-z0-9_.]{0,100}+ ?= ?[^=\s(\[{]")
_IS_YAML = re.compile(r"\s*(?:- +)?[A-Za-z_][\w./-]{0,100}+:(?: .*[^;,{(])?\Z|\s*- \S|---\Z")
# What such a file holds under these names is a secret, whatever it is called.
_KUBE = re.compile(r"(?m)^kind: *[\"']?(?:Secret|Config)[\"']? *\r?$")
_KUBE_DATA = re.compile(r"(?m)^(?:data|stringData):[ \t]*\r?$((?:\n[ \t]+.*|\n[ \t]*$)+)")
_KUBE_VALUE = re.compile(r"(?m)^[ \t]+[\w.-]{1,253}: *[\"']?([^\s\"'|>]{8,4000})")


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A kind of secret: letters without which there is none, its shape with the secret as a group, and a last look."""

    kind: str
    mark: re.Pattern[str]
    shape: re.Pattern[str]
    is_secret: Callable[[str], bool]


def _is_docker_login(value: str) -> bool:
    try:
        user, _, password = b64decode(value, validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        return False
    return bool(user) and password.isprintable() and looks_random(password) and "passw" not in password.lower()


def _is_credential(value: str) -> bool:
    # Those that descriptions of the protocol show.
    return looks_typed(value) and not value.startswith(("QWxhZGRpbjpvcGVu", "dXNlcjpwYXNz", "dXNlcm5hbWU6"))


def _is_drawn(value: str) -> bool:
    # In a file of any kind such a name may also stand beside a module or a word.
    return looks_typed(value) and value[0] != "." and re.search(r"\d.*\D|\D.*\d", value) is not None


_SPELLINGS = (
    _Spelling(
        "docker login",
        re.compile(r'"auths"'),
        re.compile(r'"auth"\s{0,9}:\s{0,9}"([A-Za-z0-9+/]{8,400}+={0,2})"'),
        _is_docker_login,
    ),
    _Spelling(
        "authorization header",
        re.compile(r"(?i)authorization|x-api-key"),
        re.compile(
            r"""(?i)(?:\bauthorization["']?\s{0,4}[:=,]\s{0,4}["']?(?:bearer|basic|token|apikey)\s{1,4}"""
            r"""|\bx-api-key["']?\s{0,4}[:=]\s{0,4}["']?)([A-Za-z0-9._~+/=-]{12,500}+)"""
        ),
        _is_credential,
    ),
    _Spelling(
        "password in a connection string",
        re.compile(r"(?i)(?:password|pwd|accountkey|sharedaccesskey)\s?="),
        re.compile(
            r"(?i)\b(?:server|data source|host|endpoint|accountname|user id|uid|database|initial catalog)\s?="
            r"[^\n\"']{1,300}?;\s?(?:password|pwd|accountkey|sharedaccesskey)\s?=\s?([^;\"'\s]{6,200}+)"
        ),
        looks_typed,
    ),
    _Spelling(
        IN_A_SETTING,
        re.compile(r"(?i)aws.?secret"),
        re.compile(
            r"""(?i)aws_?secret_?(?:access_?)?key["']?\s{0,4}[:=]\s{0,4}["']?([a-z0-9/+]{40})(?![a-z0-9/+])""",
        ),
        looks_typed,
    ),
    _Spelling(
        "password hash",
        re.compile(r":\$"),
        re.compile(r"(?m)^[a-z_][\w.-]{0,31}:(\$(?:1|2[aby]|5|6|7|y|gy)\$[^:\s]{8,300}+):"),
        looks_random,
    ),
    _Spelling(
        IN_A_SETTING,
        re.compile(r'"\s{0,9}:\s{0,9}"'),
        re.compile(
            rf'(?i)"(?=[\w.-]{{0,60}}?(?:{_TELLING}))(?![\w.-]{{0,60}}?(?:public|tokeni[sz]|tokens\b|limit|length))'
            r'[\w.-]{1,100}+(?<!url)(?<!uri)(?<!path)(?<!file)(?<!name)(?<!host)(?<!type)"'
            r"""\s{0,9}:\s{0,9}"([^\s"'`<>(){}\[\],;]{10,300}+)\""""
        ),
        _is_drawn,
    ),
)


def spelled_out(text: str) -> Iterator[tuple[int, str]]:
    """Where a text spells a secret so that it is one in whatever file, and of which kind it is."""
    for each in _SPELLINGS:
        if each.mark.search(text):
            found = each.shape.finditer(text)
            yield from ((match.start(1), each.kind) for match in found if each.is_secret(match[1]))
    if _KUBE.search(text):
        for block in _KUBE_DATA.finditer(text):
            values = _KUBE_VALUE.finditer(text, block.start(1), block.end(1))
            yield from ((value.start(1), "Kubernetes secret") for value in values if looks_random(value[1]))


def in_settings(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Secrets that only their setting's name gives away, by line, in a file that consists of settings."""
    lines = text.split("\n")
    if not (_SETTINGS_NAME.match(name) or _KUBE.search(text) or _mostly_settings(lines)):
        return
    for number, line in enumerate(lines, 1):
        setting = _SETTING.match(line)
        if setting and _SECRET_WORD.search(setting[1]) and not _HARMLESS_WORD.search(setting[1]):
            value = _VALUE.match(setting[2].strip())
            if value and looks_typed(value[2]):
                yield number, IN_A_SETTING


def _mostly_settings(lines: list[str]) -> bool:
    said = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", ";", "//"))]
    if not said:
        return False
    settings = sum(_IS_SETTING.match(line) is not None for line in said)
    yaml = sum(_IS_YAML.match(line.rstrip()) is not None for line in said)
    return settings * 2 > len(said) or (len(said) > 1 and yaml == len(said))
