"""Files as systems keep them: links, modes, owners, other writers, and what cannot be edited."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from or_mcp.hosts.files import COPY_SUFFIX, ConfigFile
from or_mcp.hosts.plan import Plan, Planner, plan_install
from or_mcp.hosts.problem import HostProblem
from tests.hosts_files.conftest import Home, host_named

SERVERS = b'{"mcpServers": {"a": {"command": "a"}}}'
HAND_MADE = b'{"mcpServers": {"openrouter": {"command": "npx", "args": ["-y", "somebody-elses"]}}}'


def test_a_link_stays_a_link_and_undo_restores_what_it_points_to(home: Home, tmp_path: Path):
    kept = tmp_path / "dotfiles" / "cursor.json"
    kept.parent.mkdir()
    kept.write_bytes(SERVERS)
    file = home.file("cursor")
    file.parent.mkdir()
    file.symlink_to(os.path.relpath(kept, file.parent))

    assert home.install("cursor").code == 0
    assert file.is_symlink()
    assert b"openrouter" in kept.read_bytes()
    assert home.install("cursor", "--undo").code == 0
    assert file.is_symlink()
    assert kept.read_bytes() == SERVERS
    assert list(kept.parent.iterdir()) == [kept]


def test_a_link_to_nothing_yet_is_filled_and_emptied_again(home: Home, tmp_path: Path):
    file = home.file("zed")
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "elsewhere" / "settings.json")
    assert home.install("zed").code == 0
    assert (tmp_path / "elsewhere" / "settings.json").is_file()
    assert home.install("zed", "--undo").code == 0
    assert file.is_symlink()
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_the_mode_stays_and_the_copy_is_as_private_as_the_file(home: Home, mode: int):
    file = home.place("claude-code", SERVERS, mode)
    home.install("claude-code")
    copy = file.with_name(file.name + COPY_SUFFIX)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, copy)] == [mode, mode]
    assert copy.read_bytes() == SERVERS


def test_a_file_of_our_making_is_private_and_goes_again(home: Home):
    before = home.left_behind()
    assert home.install("codex").code == 0
    assert stat.S_IMODE(home.file("codex").stat().st_mode) == 0o600
    assert home.install("codex", "--undo").code == 0
    assert home.left_behind() == before


@pytest.mark.parametrize("argument", ["--project", "--undo"])
def test_a_read_only_file_gets_one_clear_line(home: Home, argument: str):
    host = "claude-code"
    file = home.project / ".mcp.json" if argument == "--project" else home.file(host)
    if argument == "--undo":
        home.install(host)
    else:
        file.write_bytes(SERVERS)
    content = file.read_bytes()
    file.chmod(0o444)
    told = home.install(host, argument)
    assert told.code == 1
    assert "is read-only; make it writable" in told.err
    assert told.err.count("\n") == 1
    assert file.read_bytes() == content
    assert not list(file.parent.glob("*.or-mcp"))


def test_a_directory_that_cannot_be_made_gets_one_clear_line(home: Home):
    (home.path / ".cursor").write_text("a file where a directory belongs")
    told = home.install("cursor")
    assert told.code == 1
    assert told.err.count("\n") == 1
    assert "cannot be" in told.err
    (home.path / ".codex" / "config.toml").mkdir(parents=True)
    assert "is not a file" in home.install("codex").err


@pytest.mark.parametrize(
    ("host", "content", "place"),
    [
        (
            "cursor",
            b'{\n  "mcpServers": {\n    "a": {"command": "x"}\n    "b": {}\n  }\n}',
            "line 4, column 5: expected ,",
        ),
        ("cursor", b'{"mcpServers": {', "line 1, column 17: expected a name in double quotes, found the end"),
        ("cursor", b"{'mcpServers': {}}", "line 1, column 2: expected a name in double quotes"),
        ("cursor", b'{"a": 01}', "line 1, column 7: expected a value"),
        ("cursor", b'{"a": "x\ny"}', "line 1, column 7: a string that is not written right"),
        ("cursor", b'{"a": 1} {"b": 2}', "line 1, column 10: the file goes on after its end"),
        ("cursor", b'{"a": 1 /* never', "line 1, column 9: a comment that never ends"),
        ("cursor", b"[" * 100_000, "more than 200 levels of nesting"),
        ("cursor", b'\n{"a": "\xff"}', "line 2, column 8: not UTF-8"),
        ("cursor", b'\xef\xbb\xbf{"\xc3\xa4": "\xff"}', "line 1, column 8: not UTF-8"),
        ("cursor", '{"a": 1}'.encode("utf-16"), "UTF-16"),
        ("cursor", b'\xef\xbb\xbf{\r\n"a": }', "line 2, column 6: expected a value, found '}'"),
        ("cursor", b"<<<<<<< HEAD\n{}", "line 1, column 1: expected a value, found '<'"),
        ("codex", b"model = \n[x]", "line 1, column 9: invalid value"),
        ("codex", b'a = 1\nb = "x', "line 2, column 7:"),
        ("codex", b"[mcp_servers.a]\n[mcp_servers.a]\n", "line 2, column"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_alone_and_the_place_named(
    home: Home, host: str, content: bytes, place: str
):
    file = home.place(host, content)
    for arguments in ([host], [host, "--print"], [host, "--undo"]):
        told = home.install(*arguments)
        assert told.code == 1
        assert place in told.err
        assert str(file) in told.err
        assert told.err.count("\n") == 1
        assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("host", "content", "words"),
    [
        ("cursor", b'{"mcpServers": []}', "mcpServers holds no servers by name"),
        ("cursor", b'{"mcpServers": null}', "mcpServers is a plain value, but has to be an object"),
        ("cursor", b"[1]", "it holds a list or a plain value"),
        ("codex", b"[[mcp_servers]]\nname = 'a'\n", "mcp_servers holds no servers by name"),
        ("vscode", b'{"inputs": {"a": 1}}', "inputs is an object, but has to be a list"),
    ],
)
def test_a_file_of_another_shape_is_left_alone(home: Home, host: str, content: bytes, words: str):
    file = home.place(host, content)
    told = home.install(host)
    assert told.code == 1
    assert words in told.err
    assert file.read_bytes() == content


@pytest.mark.parametrize("arguments", [[], ["--print"]])
def test_a_foreign_server_of_our_name_is_not_overwritten(home: Home, arguments: list[str]):
    file = home.place("cursor", HAND_MADE)
    told = home.install("cursor", *arguments)
    assert told.code == 1
    assert "another server called openrouter (npx); rename that one or remove it" in told.err
    assert file.read_bytes() == HAND_MADE


def test_undo_leaves_a_foreign_server_of_our_name_alone(home: Home):
    file = home.place("cursor", HAND_MADE)
    told = home.install("cursor", "--undo")
    assert told.code == 0
    assert "no entry of ours there" in told.out
    assert file.read_bytes() == HAND_MADE


def written_meanwhile(file: Path, contents: Iterator[bytes]) -> Planner:
    """A plan during which the host writes its file."""

    def plan(before: bytes | None, copy: bytes | None) -> Plan:
        if content := next(contents, None):
            file.write_bytes(content)
        return plan_install(host_named("claude-code"), {"command": "uvx", "args": ["or-mcp"]}, before, copy)

    return plan


def test_what_a_host_writes_meanwhile_is_not_lost(home: Home):
    file = home.place("claude-code", b'{"numStartups": 1}')
    contents = iter([b'{"numStartups": 2}', b'{"numStartups": 3}'])
    ConfigFile(file, shared=False).carry_out(written_meanwhile(file, contents))
    told = json.loads(file.read_bytes())
    assert told["numStartups"] == 3
    assert told["mcpServers"]["openrouter"]["command"] == "uvx"
    assert home.left_behind() == [".claude.json", ".claude.json.before-or-mcp"]
    assert home.install("claude-code", "--undo").code == 0
    assert file.read_bytes() == b'{"numStartups": 3}'


def test_a_host_that_never_stops_writing_ends_the_attempt(home: Home):
    file = home.place("claude-code", b"{}")
    contents = (b'{"numStartups": %d}' % count for count in range(1000))
    with pytest.raises(HostProblem, match="another program keeps writing it"):
        ConfigFile(file, shared=False).carry_out(written_meanwhile(file, contents))
    assert b"mcpServers" not in file.read_bytes()


def test_a_file_of_mixed_line_ends_gets_those_of_most_lines(home: Home):
    original = b'{\n  "theme": "dark",\r\n  "mcpServers": {\n    "a": {}\n  }\n}\n'
    file = home.place("cursor", original)
    home.install("cursor")
    assert file.read_bytes().count(b"\r\n") == 1
    assert home.install("cursor", "--undo").code == 0
    assert file.read_bytes() == original


def test_a_large_file_is_edited_in_a_moment_and_outside_our_entry_to_the_byte(home: Home):
    history: list[Any] = [{"display": f"question {n} " + "x" * 200, "pastedContents": {}} for n in range(100)]
    projects: dict[str, Any] = {f"/home/anna/{n}": {"history": history, "mcpServers": {}} for n in range(100)}
    content = json.dumps({"mcpServers": {"a": {"command": "a"}}, "projects": projects}, indent=2).encode()
    file = home.place("claude-code", content)
    assert home.install("claude-code").code == 0
    assert len(content) > 2_500_000
    assert file.read_bytes().endswith(content[200:])
    assert home.install("claude-code", "--undo").code == 0
    assert file.read_bytes() == content
