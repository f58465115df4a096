"""Any document, however it is laid out: our entry comes and goes, and nothing else changes."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from or_mcp.hosts import json_edit
from or_mcp.hosts.document import Document
from or_mcp.hosts.entry import Entry, Launch, entry
from or_mcp.hosts.host import Host
from or_mcp.hosts.plan import plan_install, plan_undo
from or_mcp.hosts.problem import HostProblem
from or_mcp.hosts.table import HOSTS
from tests.hosts_files.conftest import host_named

ENTRY: dict[str, Any] = {"command": "uvx", "args": ["or-mcp"], "env": {"OPENROUTER_API_KEY": "${X}"}, "timeout": 900000}
UPDATED: dict[str, Any] = ENTRY | {"command": "/opt/or-mcp", "args": []}
NAMES = st.sampled_from(["a", "mcpServers", "servers", "", "käse", 'q"uote', "b\\s", "x/*y*/", "//", "openrouter "])
STRINGS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=8)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9999, 9999), st.floats(-1e9, 1e9), STRINGS)
SPACE = st.sampled_from(["", " ", "  ", "\n", "\n    ", "\t", "\r\n", "\r\n\t", "\n\n  "])
TRIVIA = st.lists(
    st.one_of(SPACE, st.sampled_from(["/* c */", '/* , } ] " */', "// line, }\n", '// "x": 1,\r\n', "/*\n*/"])),
    max_size=3,
).map("".join)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
quick = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def jsonc(draw: st.DrawFn, value: Any, *, strict: bool) -> str:
    """A text that means this value."""
    gap = SPACE if strict else TRIVIA

    def write(each: Any) -> str:
        if not isinstance(each, (dict, list)):
            return json.dumps(each, ensure_ascii=draw(st.booleans()))
        rows: list[Any] = list(each.items()) if isinstance(each, dict) else each  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        opener, closer = "{}" if isinstance(each, dict) else "[]"
        written = [
            draw(gap)
            + (f"{json.dumps(row[0])}{draw(gap)}:{draw(gap)}{write(row[1])}" if isinstance(each, dict) else write(row))
            + draw(gap)
            for row in rows
        ]
        trailing = "," if rows and not strict and draw(st.booleans()) else ""
        return f"{opener}{','.join(written)}{trailing}{draw(gap)}{closer}"

    return f"{draw(gap)}{write(value)}{draw(gap)}"


@dataclass(frozen=True)
class JsonFile:
    """A host's file, and what it means."""

    host: Host
    value: dict[str, Any]
    content: bytes

    def entry(self, *command: str) -> Entry:
        return entry(self.host, Launch(command[0], command[1:]), {"OR_MCP_TOOLS": "fuse"})

    def with_no_entry(self) -> dict[str, Any]:
        return self.value | ({self.host.servers: {}} if self.host.servers not in self.value else {})


@st.composite
def json_file(draw: st.DrawFn) -> JsonFile:
    host = draw(st.sampled_from([host for host in HOSTS if host.syntax == "json" and not host.inputs]))
    value = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    value.pop(host.servers, None)
    if draw(st.booleans()):
        value[host.servers] = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return JsonFile(host, value, mark + draw(jsonc(value, strict=draw(st.booleans()))).encode())


def with_ours(value: dict[str, Any], key: str, ours: Entry) -> dict[str, Any]:
    return value | {key: value.get(key, {}) | {"openrouter": ours}}


@quick
@given(json_file())
def test_json_holds_what_it_held_and_our_entry_and_undo_is_the_identity(file: JsonFile):
    host, original, ours = file.host, file.content, file.entry("uvx", "or-mcp")
    added = plan_install(host, ours, original, None)
    assert added.after is not None
    assert json_edit.load(added.after.decode("utf-8-sig")) == with_ours(file.value, host.servers, ours)
    assert plan_install(host, ours, added.after, original).what == "unchanged"
    assert plan_undo(host, added.after, original).after == original

    updated = plan_install(host, file.entry("/opt/or-mcp"), added.after, original)
    assert updated.after is not None
    assert not updated.keep_copy
    assert plan_undo(host, updated.after, original).after == original

    cut = Document.read(host, updated.after).without_entry().text
    assert json_edit.load(cut) == file.with_no_entry()


@quick
@given(json_file(), st.data())
def test_json_that_was_edited_anywhere_else_keeps_that_edit(file: JsonFile, data: st.DataObject):
    host, original = file.host, file.content
    installed = plan_install(host, file.entry("uvx", "or-mcp"), original, None).after or b""
    text = json_edit.put(installed.decode("utf-8-sig"), ("later",), data.draw(VALUES))
    undone = plan_undo(host, text.encode(), original)
    assert undone.what == "removed"
    told = json_edit.load((undone.after or b"").decode())
    assert told.pop("later", None) == json_edit.load(text)["later"]
    assert told == file.with_no_entry()


KEYS = st.sampled_from(["a", "b-c", "1", '"d.e"', "'f g'", '"\\u00e9"', '"]"'])
TOML_VALUES = st.sampled_from(
    [
        "1",
        "1_000",
        "-0.5e3",
        "nan",
        "true",
        "1979-05-27 07:32:00",
        "07:32:00",
        '"a # b"',
        "'C:\\'",
        '"]["',
        '"""\n[mcp_servers.openrouter]\n"x" \\\n  y""""',
        "'''\n#'\n'''",
        "[]",
        "[1, # c\n 2,\n]",
        '[ "]", [ "," ], { a = 1 } ]',
        "{}",
        "{ x.y = 1, 'z' = [ { q = '}' } ] }",
    ]
)
ENDS = st.sampled_from(["", " # note", "\t# [x]", "  "])
LINES = st.sampled_from(["", "# comment", "   ", '# [mcp_servers.openrouter]\n# command = "x"'])


@st.composite
def toml_file(draw: st.DrawFn) -> bytes:
    rows: list[str] = []

    def pairs(prefix: str = "", names: tuple[str, ...] = ("a", "b-c", '"d.e"')) -> None:
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=3)):
            rows.extend(draw(st.lists(LINES, max_size=2)))
            rows.append(f"{draw(st.sampled_from(['', '  ']))}{prefix}{name} = {draw(TOML_VALUES)}{draw(ENDS)}")

    way = draw(st.sampled_from(["none", "tables", "dotted", "inline", "super"]))
    pairs()
    if way == "dotted":
        pairs("mcp_servers.other.")
    if way == "inline":
        inside = draw(st.sampled_from(["1", "'}'", "[ { } ]"]))
        rows.append(f"mcp_servers = {{ other = {{ x = {inside} }} }}{draw(ENDS)}")
    for _ in range(draw(st.integers(0, 3))):
        rows.append(f"[{'.'.join(draw(st.lists(KEYS, min_size=1, max_size=3)))}]{draw(ENDS)}")
        pairs()
    if way in ("tables", "super"):
        rows.append("[mcp_servers]" if way == "super" else " [ mcp_servers . other ] # c")
        pairs()
    for _ in range(draw(st.integers(0, 2))):
        rows.append(f"[[list.{draw(st.sampled_from(['x', 'y']))}]]")
        pairs()
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = ("\n".join(rows) + draw(st.sampled_from(["", "\n", "\n\n"]))).replace("\n", newline)
    assume(is_toml(text))
    return text.encode()


def is_toml(text: str) -> bool:
    try:
        return bool(tomllib.loads(text)) or True
    except tomllib.TOMLDecodeError:
        return False


@quick
@given(toml_file())
def test_toml_holds_what_it_held_and_our_entry_and_undo_is_the_identity(original: bytes):
    value = tomllib.loads(original.decode())
    host = host_named("codex")
    if b"mcp_servers = {" in original:
        with pytest.raises(HostProblem, match="by hand"):
            plan_install(host, ENTRY, original, None)
        return
    added = plan_install(host, ENTRY, original, None)
    assert added.after is not None
    assert repr(sorted(tomllib.loads(added.after.decode()).items())) == repr(
        sorted(with_ours(value, "mcp_servers", ENTRY).items())
    )
    assert plan_install(host, ENTRY, added.after, original).what == "unchanged"
    updated = plan_install(host, UPDATED, added.after, original)
    assert plan_undo(host, updated.after, original).after == original
    cut = Document.read(host, updated.after or b"").without_entry().text
    left = tomllib.loads(cut)
    if not value.get("mcp_servers"):
        left.pop("mcp_servers", None)
        value.pop("mcp_servers", None)
    assert repr(sorted(left.items())) == repr(sorted(value.items()))
    assert ("\r\n" in cut) == (b"\r\n" in original) or "\n" not in cut
