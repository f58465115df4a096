# ruff: noqa: UP031
"""Secrets in the files that people attach: told by their spelling in any file, and never where there is none."""

from __future__ import annotations

import random
import string
from base64 import b64encode
from pathlib import Path

import pytest

from or_mcp.attachments.secrets import find_in_bytes, find_secrets
from tests.attachments.test_secrets_in_text import ALPHABET

DRAWN = "".join(random.Random(11).choices(ALPHABET, k=4000))
HEX = "".join(random.Random(11).choices("0123456789abcdef", k=64))
PASSWORD = "r4nD0mV9xQ2w" + "L8"
LOGIN = b64encode(f"ann:{PASSWORD}".encode()).decode()
SHORT_LINES = "\n".join(DRAWN[start : start + 48] for start in range(0, 192, 48))

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "api_key in JSON": '{"api_key": "%s"}' % PASSWORD,
    "password in JSON": '{\n  "db": {"user": "app", "password": "%s"}\n}' % PASSWORD,
    "clientSecret in JSON": '[{"clientSecret":"%s","x":1}]' % DRAWN[:32],
    "SecretAccessKey in JSON": '{"AccessKeyId": "x", "SecretAccessKey": "%s"}' % DRAWN[:40],
    "password in YAML": "database:\n  host: db.example.com\n  password: %s\n" % PASSWORD,
    "a list in YAML": "users:\n  - name: ann\n    token: %s\n  - name: bob\n" % DRAWN[:24],
    "docker": '{"auths": {"https://index.docker.io/v1/": {"auth": "%s"}}}' % LOGIN,
    "docker identity": '{"auths": {"r.example.com": {"identitytoken": "%s"}}}' % DRAWN[:60],
    "kube secret": "apiVersion: v1\nkind: Secret\ndata:\n  anything: %s\n" % b64encode(PASSWORD.encode()).decode(),
    "kube config": "apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user:\n    client-key-data: %s\n" % DRAWN[:300],
    "bearer": "curl https://api.example.com -H 'Authorization: Bearer %s'" % DRAWN[:40],
    "basic": "GET / HTTP/1.1\nAuthorization: Basic %s\n" % LOGIN,
    "bearer in JSON": '{"headers": {"Authorization": "Bearer %s"}}' % DRAWN[:40],
    "x-api-key": "X-Api-Key: %s" % DRAWN[:32],
    "sql server": "Server=db.example.com;Database=app;User Id=sa;Password=%s;" % PASSWORD,
    "azure storage": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=%s==;" % DRAWN[:86],
    "postgres": "postgresql://app:%s@db.example.com:5432/app" % PASSWORD,
    "pem with short lines": f"-----BEGIN PRIVATE KEY-----\n{SHORT_LINES}\n-----END PRIVATE KEY-----",
    "pem in JSON": '{"k": "-----BEGIN EC PRIVATE KEY-----\\n%s\\n%s\\n"}' % (DRAWN[:48], DRAWN[48:96]),
    "our key behind a word": "sk-or-" + "v1-example" + HEX,
    "aws in prose": "The keys: AWS_SECRET_ACCESS_KEY: %s (rotate them)" % DRAWN[:40],
    "shadow": "root:$6$%s$%s:19000:0:99999:7:::" % (DRAWN[:16], DRAWN[16:100]),
}
HARMLESS = [
    '{"password": "string", "token": "your-token-here", "api_key": "${API_KEY}"}',
    '{"tokens": "1234567890abcdef12", "token_url": "https://a.example.com/x1", "secretName": "prod-db-7f3a9c2e"}',
    '{"type": "object", "properties": {"password": {"type": "string"}, "accessKey": {"type": "string"}}}',
    '{"passwordHint": "my first pet", "auth": "none", "authorization": "required"}',
    "Authorization: Bearer YOUR_API_KEY",
    "Authorization: Bearer <token>",
    "Authorization: Bearer ${TOKEN}",
    "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "The Authorization: header carries a bearer token of forty characters or more.",
    "Server=localhost;Database=app;Trusted_Connection=True;",
    "Server=localhost;Database=app;User Id=sa;Password=<password>;",
    '{"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "desktop"}',
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  anything: %s\n" % DRAWN[:60],
    "apiVersion: v1\nkind: Deployment\nspec:\n  secretName: prod-db-7f3a9c2e\n",
    "-----BEGIN PRIVATE KEY-----\nMIIE...\n-----END PRIVATE KEY-----",
    "begin = '-----BEGIN PRIVATE KEY-----'\nline_of_the_private_key = read_line(begin)\nanother = begin + begin\n",
    "interface Session {\n  token: OAuth2Bearer;\n  secret: Uint8Array;\n}",
    "root:x:0:0:root:/root:/bin/bash\ndaemon:*:19000:0:99999:7:::",
    "openapi: 3.1.0\ninfo:\n  title: Tokens\n  description: How tokens work\n",
    "sk-or-" + "v1-your-openrouter-key-goes-here-0123",
]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("file", ["notes.txt", "a.md", "config.json"])
def test_a_secret_is_found_however_it_is_spelled(name: str, file: str) -> None:
    found = find_secrets(SECRETS[name], file)
    assert found
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("file", ["notes.txt", "a.json"])
def test_what_only_looks_like_one_is_left_alone(text: str, file: str) -> None:
    assert find_secrets(text, file) == ()


def test_our_own_sources_hold_none() -> None:
    package = Path(__file__).parents[2] / "or_mcp"
    for path in package.rglob("*"):
        if path.suffix in (".py", ".md", ".html", ".json", ".js"):
            assert find_secrets(path.read_text(encoding="utf-8"), path.name) == (), path


def test_a_key_inside_a_picture_is_found() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50
    assert find_in_bytes(picture) == ()
    [own] = find_in_bytes(picture + b"tEXt\0" + b"sk-or-" + b"v1-" + HEX.encode() + picture)
    assert own.kind == "OpenRouter key"
    pair = b"\0AKIA" + b"QWERTYUIOP234567\0secret\0" + DRAWN[:40].encode() + b"\0"
    [aws] = find_in_bytes(picture + pair)
    assert aws.kind == "AWS access key id"


@pytest.mark.parametrize("at", [499_000, 499_960, 500_000, 1_200_000])
def test_a_secret_is_found_in_its_line_wherever_a_long_text_is_cut(at: int) -> None:
    line = "a line of words\n"
    before = line * (at // len(line))
    token = "ghp_" + DRAWN[:36]
    [found] = find_secrets(before + token + "\n" + line * 40_000)
    assert (found.line, found.kind) == (at // len(line) + 1, "GitHub token")


def test_a_line_without_end_is_searched_too() -> None:
    words = " ".join(random.Random(3).choices([*string.ascii_lowercase], k=400_000))
    [found] = find_secrets(words + " ghp_" + DRAWN[:36] + " " + words)
    assert found.line == 1


@pytest.mark.parametrize("at", [499_990, 500_000, 1_200_000])
def test_a_key_inside_a_picture_is_found_once_wherever_it_is_cut(at: int) -> None:
    key = b"sk-or-" + b"v1-" + HEX.encode()
    [own] = find_in_bytes(b"\xff" * at + key + b"\xff" * 900_000)
    assert own.kind == "OpenRouter key"
    # What goes on before the cut is no key at all.
    pair = b"+AKIA" + b"QWERTYUIOP234567\0secret\0" + DRAWN[:40].encode() + b"\0"
    assert find_in_bytes(b"\xff" * (at - 1) + pair + b"\xff" * 900_000) == ()
