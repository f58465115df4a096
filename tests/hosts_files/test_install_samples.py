"""Configuration files as people have them: only our entry comes and goes."""

from __future__ import annotations

import json
import re
import tomllib
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

from or_mcp.hosts.host import Host
from or_mcp.hosts.table import HOSTS
from tests.hosts_files.conftest import SAMPLES, Home, host_named, words

FILES = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
BY_HAND = sorted((SAMPLES.parent / "hosts_by_hand").rglob("*.toml"))
WITH_OURS = [path for path in FILES if path.name.startswith("our-entry")]
every_sample = pytest.mark.parametrize("sample", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def meaning(host: Host, content: bytes) -> dict[str, Any]:
    """What a file says, read without any of our code."""
    text = content.decode("utf-8-sig")
    if host.syntax == "toml":
        return tomllib.loads(text)
    token = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    text = token.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)
    token = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
    text = token.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)
    return json.loads(text) if text.strip() else {}


def without_ours(host: Host, told: dict[str, Any]) -> str:
    """The meaning of everything that is not ours. NaN equals nothing, so it is compared as text."""
    servers = {name: value for name, value in told.get(host.servers, {}).items() if name != "openrouter"}
    inputs = [given for given in told.get("inputs", []) if given.get("id") != "openrouter-key"]
    rest = {name: value for name, value in told.items() if name not in (host.servers, "inputs")}
    return repr((rest, servers, inputs))


@every_sample
def test_only_our_entry_is_added_and_a_second_time_changes_nothing(home: Home, sample: Path):
    host, original = host_named(sample.parent.name), sample.read_bytes()
    file = home.place(host.name, original)

    assert home.install(host.name).code == 0

    edited = file.read_bytes()
    told = meaning(host, edited)
    assert words(told[host.servers]["openrouter"]) == ["uvx", "or-mcp"]
    assert without_ours(host, told) == without_ours(host, meaning(host, original))
    if sample not in WITH_OURS:
        for tag, i1, i2, _, _ in SequenceMatcher(None, original, edited, autojunk=False).get_opcodes():
            assert tag in ("equal", "insert") or not original[i1:i2].strip(), original[i1:i2]
    assert (b"\r\n" in original) == (b"\r\n" in edited)
    assert b"\r\n" not in original or edited.count(b"\n") == edited.count(b"\r\n")
    again = home.install(host.name)
    assert again.code == 0
    assert "nothing to change" in again.out
    assert file.read_bytes() == edited


@every_sample
def test_undo_restores_every_byte_and_leaves_nothing_behind(home: Home, sample: Path):
    host, original = host_named(sample.parent.name), sample.read_bytes()
    file = home.place(host.name, original)
    before = home.left_behind()
    assert home.install(host.name).code == 0
    assert file.read_bytes() != original

    assert home.install(host.name, "--undo").code == 0

    assert file.read_bytes() == original
    assert home.left_behind() == before


@every_sample
def test_undo_after_the_host_wrote_something_cuts_out_our_entry_alone(home: Home, sample: Path):
    host, original = host_named(sample.parent.name), sample.read_bytes()
    file = home.place(host.name, original)
    home.install(host.name)
    comment = b"\n# later\n" if host.syntax == "toml" else b"\n// later\n"
    file.write_bytes(file.read_bytes() + comment)

    assert home.install(host.name, "--undo").code == 0

    left = file.read_bytes()
    told = meaning(host, left)
    assert "openrouter" not in told.get(host.servers, {})
    assert without_ours(host, told) == without_ours(host, meaning(host, original))
    assert left.endswith(comment.lstrip())
    assert host.syntax != "toml" or sample in WITH_OURS or left in (original + comment, comment.lstrip())


@every_sample
def test_a_dry_run_writes_nothing_and_prints_an_entry_that_can_be_pasted(home: Home, sample: Path):
    host, original = host_named(sample.parent.name), sample.read_bytes()
    file = home.place(host.name, original)
    before = home.left_behind()

    told = home.install(host.name, "--print")

    assert told.code == 0
    assert words(meaning(host, told.out.encode())[host.servers]["openrouter"]) == ["uvx", "or-mcp"]
    assert str(file) in told.err
    assert "sk-or-v1" not in told.out + told.err
    assert file.read_bytes() == original
    assert home.left_behind() == before


@pytest.mark.parametrize("sample", BY_HAND, ids=lambda path: path.stem)
def test_toml_spelled_inline_or_with_dots_is_left_alone_and_the_entry_to_paste_is_shown(home: Home, sample: Path):
    host, original = host_named(sample.parent.name), sample.read_bytes()
    file = home.place(host.name, original)
    ours = "openrouter" in meaning(host, original)[host.servers]
    for arguments in ([], ["--print"]):
        told = home.install(host.name, *arguments)
        assert told.code == 1
        assert f"{file} is left as it is" in told.err
        pasted = tomllib.loads(told.err[told.err.index("[mcp_servers") :])["mcp_servers"]["openrouter"]
        assert (pasted["command"], pasted["args"]) == ("uvx", ["or-mcp"])
        assert pasted["tool_timeout_sec"] == (60 if ours else 900)
    told = home.install(host.name, "--undo")
    assert told.code == ours
    assert not ours or "remove mcp_servers.openrouter by hand" in told.err
    assert file.read_bytes() == original
    assert home.left_behind() == [str(file.relative_to(home.path))]


def test_there_are_samples_of_every_host():
    assert len(FILES) > 30
    assert {path.parent.name for path in FILES} == {host.name for host in HOSTS}
