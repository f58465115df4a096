"""Secrets are found by kind and line, never repeated; what merely looks like them is left alone."""

from __future__ import annotations

import random
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.attachments.secrets import Secret, find_secrets, tell

ALPHABET = string.ascii_letters + string.digits
RANDOM = "".join(random.Random(7).choices(ALPHABET, k=4000))
HEX = "".join(random.Random(7).choices("0123456789abcdef", k=64))
LINE = RANDOM[:64]

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "AKIA" + "QWERTYUIOP234567": "AWS access key id",
    "ASIA" + "QWERTYUIOP234567": "AWS access key id",
    "ghp_" + RANDOM[:36]: "GitHub token",
    "ghs_" + RANDOM[:36]: "GitHub token",
    "github_pat_" + RANDOM[:22] + "_" + RANDOM[22:81]: "GitHub token",
    "glpat-" + RANDOM[:20]: "GitLab token",
    "xoxb-" + "123456789012-" + RANDOM[:24]: "Slack token",
    "xapp-" + "1-A0123-" + RANDOM[:24]: "Slack token",
    "https://hooks.slack.com/services/" + "T01234567/B01234567/" + RANDOM[:24]: "Slack webhook",
    "sk-or-" + "v1-" + HEX: "OpenRouter key",
    "sk-or-" + "mgmt-" + HEX: "OpenRouter key",
    "sk-ant-" + "api03-" + RANDOM[:90]: "Anthropic key",
    "sk-" + "proj-" + RANDOM[:60]: "OpenAI key",
    "sk-" + RANDOM[:48]: "OpenAI key",
    "AIza" + RANDOM[:35]: "Google key",
    "GOCSPX-" + RANDOM[:28]: "Google client secret",
    "sk_live_" + RANDOM[:24]: "Stripe key",
    "rk_live_" + RANDOM[:24]: "Stripe key",
    "whsec_" + RANDOM[:32]: "Stripe webhook secret",
    "npm_" + RANDOM[:36]: "npm token",
    "pypi-" + "AgEIcHlwaS5vcmc" + RANDOM[:80]: "PyPI token",
    "hf_" + RANDOM[:34]: "Hugging Face token",
    "eyJ" + RANDOM[:20] + ".eyJ" + RANDOM[20:80] + "." + RANDOM[80:123]: "JSON Web Token",
    "postgres://app:" + "r4nD0mV9xQ2w" + "@db.example.com/app": "password in a URL",
    "machine a.com login me password " + "r4nD0mV9xQ2w": "netrc password",
}
KEY_BLOCKS = [
    *("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    "PGP PRIVATE KEY BLOCK",
]
SETTINGS = [
    "DB_PASSWORD=r4nD0m-V9xQ2w!",
    "export API_KEY='r4nD0mV9xQ2wL8'",
    'SECRET_KEY="r4nD0mV9xQ2wL8"  # keep',
    "aws_secret_access_key = " + RANDOM[:40],
    "auth_token: r4nD0mV9xQ2wL8",
]
HARMLESS = [
    *(
        "sk-...",
        "sk-or-v1-...",
        "OPENROUTER_API_KEY=sk-or-...",
        "OPENAI_API_KEY=<your key>",
        "API_KEY=your-api-key-here",
    ),
    *(
        "sk-or-v1-" + "x" * 64,
        "sk-or-v1-" + "0" * 64,
        "ghp_" + "x" * 36,
        "AKIAIOSFODNN7EXAMPLE",
        "sk-ant-api03-your-key-goes",
    ),
    *(
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "PASSWORD=changeme123!",
        "password=password1234",
    ),
    *(
        "TOKEN=${GITHUB_TOKEN}",
        "TOKEN=$(cat /run/token-file-1)",
        "SECRET=xxxxxxxxxxxxxxxx",
        "PASSWORD=",
        "PASSWORD=hunter2",
    ),
    *(
        "MAX_TOKENS=1234567890123",
        "TOKEN_URL=https://a.b/c3/d4/token",
        "PUBLIC_KEY=r4nD0mV9xQ2wL8",
        "TOKENIZER=gpt2Base100k",
    ),
    *(
        "SECRET_NAME=prod-db-7f3a9c2e",
        "PASSWORD_FILE=/run/secrets/db1Password",
        "AUTHOR=J4n3D0eSm1thX",
        "SSH_AUTH_SOCK=",
    ),
    *("password = get_password(user, 42)", "api_key = os.environ['API_KEY']", "token: str = Field(default_factory=x)"),
    *("const tokenPattern = /gh[pousr]_[A-Za-z0-9]{36}/", "if line.startswith('-----BEGIN PRIVATE KEY-----'):"),
    *("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----\n" + LINE),
    *(
        "-----BEGIN PRIVATE KEY-----\n" + "x" * 64,
        '"integrity": "sha512-' + RANDOM[:86] + '=="',
        'checksum = "' + HEX + '"',
    ),
    *(
        "    --hash=sha256:" + HEX,
        "commit " + HEX[:40],
        "postgres://user:password@localhost:5432/db",
        "task-" + RANDOM[:48],
    ),
    *(
        "https://user:${PASS}@host/",
        "https://packages.example.org/@scope/a/-/a-1.2.3.tgz",
        "disk-" + RANDOM[:40],
        "desk-or-v1-",
    ),
    *(
        "git+ssh://git@github.com:a/b.git",
        "http://localhost:8080/a@b",
        "eyJhbGciOiJIUzI1NiJ9",
        "data:image/png;base64," + RANDOM,
    ),
]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: SECRETS[secret])
@pytest.mark.parametrize("around", ["{}", "KEY={}", '  "key": "{}",', "curl -H 'Authorization: Bearer {}' x", "({})"])
def test_a_secret_is_found_in_its_line_and_not_repeated(secret: str, around: str) -> None:
    found = find_secrets("first\nsecond\n" + around.format(secret) + "\nlast")
    assert found == (Secret(3, SECRETS[secret]),)
    assert secret not in tell(found) + repr(found)


@pytest.mark.parametrize("label", KEY_BLOCKS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n"])
@pytest.mark.parametrize("header", ["", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\n", "Version: 2\n\n"])
def test_a_private_key_is_found_by_its_block(label: str, newline: str, header: str) -> None:
    block = f"-----BEGIN {label}-----\n{header}{LINE}\n{LINE}\n-----END {label}-----".replace("\n", newline)
    assert find_secrets(f"a\n{block}\n") == (Secret(2, "private key"),)


@pytest.mark.parametrize("line", SETTINGS)
def test_a_setting_with_a_secret_is_found_in_a_file_of_settings(line: str) -> None:
    expected = (Secret(2, "password or key in a setting"),)
    assert find_secrets(f"# ours\n{line}\n", ".env") == expected
    assert find_secrets(f"# ours\n{line}\n", "app.ini") == expected


def test_a_file_of_settings_is_known_by_its_content_too() -> None:
    text = "HOST=a\nPORT=1\n\n# the key\nDB_PASSWORD=r4nD0m-V9xQ2w!\n"
    assert find_secrets(text, "notes.txt") == (Secret(5, "password or key in a setting"),)
    assert find_secrets("Some prose.\nMore prose.\n" + text.splitlines()[-1] + "\nEnd of it.", "notes.txt") == ()


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: ascii(text)[:50])
@pytest.mark.parametrize("name", ["README.md", ".env", "poetry.lock"])
def test_placeholders_code_and_lock_files_are_left_alone(text: str, name: str) -> None:
    assert find_secrets(text, name) == ()


def test_our_own_sources_hold_no_secret() -> None:
    sources = sorted(Path(__file__).parents[2].joinpath("or_mcp").rglob("*.py"))
    assert len(sources) > 20
    assert {path: found for path in sources if (found := find_secrets(path.read_text("utf-8"), path.name))} == {}


def test_many_are_told_briefly() -> None:
    text = "\n".join("ghp_" + RANDOM[start : start + 36] for start in range(9))
    assert tell(find_secrets(text)).endswith("GitHub token in line 5, and 4 more")


@given(st.text(max_size=300), st.text(max_size=20))
def test_any_text_can_be_searched(text: str, name: str) -> None:
    assert all(1 <= secret.line <= text.count("\n") + 1 for secret in find_secrets(text, name))


REPEATED = [
    *(
        "ghp_",
        "eyJaaaaaaaaa.",
        "a",
        "ab://",
        "A_TOKEN=",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "machine x login ",
        " ",
        "=",
    ),
    *("password=\n", "xoxb-1-", ":", "a:", "a b=", '"', "AKIA", "machine a     ", "\\n", "://:"),
]


@pytest.mark.parametrize("piece", REPEATED)
def test_the_time_grows_no_faster_than_the_text(piece: str) -> None:
    """Quadratic time would take minutes here."""
    text = "machine a://sk-eyJ" + piece * (1_000_000 // len(piece))
    started = time.process_time()
    find_secrets(text, ".env")
    assert time.process_time() - started < 3
