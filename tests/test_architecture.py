"""The rooms of the house import in one direction only."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from or_mcp.tools import ALL_TOOLS

PACKAGE = Path(__file__).parents[1] / "or_mcp"

# Which rooms each room may import. Every one of these is used: what nobody needs, nobody may.
ALLOWED: dict[str, str] = {
    "openrouter.wire": "",
    "openrouter": "certificates openrouter.wire",
    "catalogue": "disk openrouter openrouter.wire",
    "attachments": "openrouter",
    "files": "disk openrouter",
    "runs": "hosts openrouter openrouter.wire",
    "fusion": "runs catalogue openrouter openrouter.wire",
    "conversation": "files rows runs catalogue openrouter openrouter.wire",
    "rows": "disk runs catalogue openrouter openrouter.wire",
    "decisions": "rows catalogue openrouter openrouter.wire",
    "vectors": "disk runs catalogue openrouter openrouter.wire",
    "media": "files runs catalogue openrouter openrouter.wire",
    "servers": "runs openrouter",
    "calls": "hosts fusion conversation rows servers attachments files runs catalogue openrouter openrouter.wire",
    "tools": "offered calls fusion conversation decisions rows vectors media files attachments view runs catalogue"
    " openrouter openrouter.wire",
    "host": "tools calls fusion files view skills runs catalogue openrouter",
    "tasks": "host calls runs openrouter",
    "everything": "offered skills view",
    "operator": "settings offered rows vectors files runs openrouter openrouter.wire",
    "parts": "tools calls operator settings identity disk files servers attachments runs catalogue openrouter",
    "server": "parts host tasks tools calls operator settings identity runs openrouter",
    "web": "server settings calls runs openrouter",
    "http_app": "server parts settings web",
    "serving": "everything server http_app web stdio starting settings",
    "cli": "server servers serving web tools calls hosts simulator view settings places disk sign_in identity"
    " resident starting runs catalogue openrouter openrouter.wire",
    "stdio": "starting unanswered",
    "resident": "everything server parts starting stdio settings places runs",
    "starting": "hosts places",
    "settings": "offered certificates servers starting places sign_in",
    "offered": "",
    "certificates": "",
    "hosts": "places",
    "identity": "openrouter",
    "places": "",
    "disk": "",
    "sign_in": "disk",
    "view": "",
    "skills": "",
    "simulator": "",
    "unanswered": "",
}
HTTP_FILES = ["or_mcp.openrouter.http", "or_mcp.openrouter.network", "or_mcp.servers.web"]
MCP_ROOMS = ["server", "http_app", "web", "stdio", "unanswered", "servers", "calls", "tools", "host", "tasks", "cli"]
_HERE = f"ALLOWED in tests/{Path(__file__).name}, and docs/architecture.md draws it"


# The text of each module, by its name.
House = Mapping[str, str]


def room_of(module: str) -> str:
    name = module.removeprefix("or_mcp").removeprefix(".")
    if name.startswith("openrouter.wire"):
        return "openrouter.wire"
    return name.split(".")[0]


@cache
def imports(module: str, text: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{source}.{alias.name}" for alias in node.names]
            found += names if source in ("or_mcp", "or_mcp.tools") else [source]
    return found


@cache
def the_house() -> House:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {
        ".".join(["or_mcp", *path.relative_to(PACKAGE).with_suffix("").parts]): path.read_text(encoding="utf-8")
        for path in paths
    }


def edges(house: House) -> dict[tuple[str, str], list[str]]:
    """Every import of one room by another, with who does it."""
    found: dict[tuple[str, str], list[str]] = {}
    for module, text in house.items():
        for imported in imports(module, text):
            there = room_of(imported) if imported.startswith("or_mcp.") else "__version__"
            if there not in ("__version__", room_of(module)):
                found.setdefault((room_of(module), there), []).append(f"{module} imports {imported}")
    return {edge: who for edge, who in found.items() if edge[0] not in ("", "__init__", "__main__")}


def wrong_ways(house: House) -> list[str]:
    return [
        f"{each}, but the room {here} may import {ALLOWED[here].replace(' ', ', ') or 'nothing of ours'}. What it needs"
        f" belongs into one of these, or is handed to it from above. A way for all is a word in {_HERE}"
        for (here, there), who in edges(house).items()
        if there not in ALLOWED[here].split()
        for each in who
    ]


def speaking(house: House, *packages: str) -> dict[str, str]:
    """Which modules import one of these packages, each with a line that does."""
    return {
        module: f"{module} imports {name}"
        for module, text in house.items()
        for name in imports(module, text)
        if name.split(".")[0] in packages
    }


def mcp_elsewhere(house: House) -> list[str]:
    return [
        f"{who}, but only these rooms speak MCP: {', '.join(MCP_ROOMS)} (MCP_ROOMS in tests/{Path(__file__).name})"
        for module, who in speaking(house, "mcp", "mcp_types").items()
        if room_of(module) not in MCP_ROOMS
    ]


def http_elsewhere(house: House) -> list[str]:
    return [
        f"{who}, but HTTP is spoken only in {' and '.join(HTTP_FILES)}: what you want of OpenRouter is a method of "
        "or_mcp.openrouter.client"
        for module, who in speaking(house, "httpx2", "httpcore2").items()
        if module not in HTTP_FILES
    ]


def with_import(module: str, imported: str) -> House:
    """A module as it is, but for one import more."""
    return {module: f"{the_house()[module]}\nfrom {imported} import anything\n"}


def test_every_room_has_its_place():
    rooms = {room_of(module) for module in the_house()} - {"", "__init__", "__main__"}
    assert rooms == ALLOWED.keys(), f"a new room, or one that is gone? Say what it may import: {_HERE}"


def test_every_import_goes_the_way_the_house_is_built():
    assert not (wrong := wrong_ways(the_house())), "\n".join(wrong)


def test_every_import_that_is_allowed_is_used():
    used = edges(the_house())
    unused = [f"{here} imports {there}" for here, rooms in ALLOWED.items() for there in rooms.split()]
    unused = [each for each in unused if tuple(each.split(" imports ")) not in used]
    assert not unused, f"allowed, and done by nobody: {'; '.join(unused)}. Take it out of {_HERE}"


def test_no_two_rooms_import_each_other_by_whatever_way():
    below = {here: set(rooms.split()) for here, rooms in ALLOWED.items()}
    while ground := [here for here, rooms in below.items() if not rooms & below.keys()]:
        for here in ground:
            del below[here]
    assert not below, f"these rooms stand on each other: {', '.join(below)}"


def test_the_sdk_is_imported_only_where_mcp_is_spoken():
    assert not (wrong := mcp_elsewhere(the_house())), "\n".join(wrong)
    speak = {room_of(module) for module in speaking(the_house(), "mcp", "mcp_types")}
    assert speak == set(MCP_ROOMS), "a room in MCP_ROOMS no longer speaks it: take it out"


def test_http_is_spoken_in_one_file_and_the_one_below_it():
    assert not (wrong := http_elsewhere(the_house())), "\n".join(wrong)
    assert speaking(the_house(), "httpx2", "httpcore2").keys() == set(HTTP_FILES), "one of HTTP_FILES no longer does"


@pytest.mark.parametrize("here", ALLOWED)
def test_an_import_the_wrong_way_is_found_in_every_room_and_told_to_a_stranger(here: str):
    module = next(each for each in the_house() if room_of(each) == here)
    for there in ALLOWED.keys() - {here, *ALLOWED[here].split()}:
        (said,) = wrong_ways(with_import(module, f"or_mcp.{there}"))
        assert said.startswith(f"{module} imports or_mcp.{there}")
        assert f", but the room {here} may import {(ALLOWED[here].split() or ['nothing of ours'])[0]}" in said
        assert "ALLOWED in tests/test_architecture.py, and docs/architecture.md draws it" in said
    if here not in MCP_ROOMS:
        (said,) = mcp_elsewhere(with_import(module, "mcp.server"))
        assert said.startswith(f"{module} imports mcp.server, but only these rooms speak MCP: server, ")
    (said,) = http_elsewhere(with_import(module, "httpx2")) or [""]
    assert module in HTTP_FILES or said.startswith(f"{module} imports httpx2, but HTTP is spoken only in ")


def test_an_import_that_names_no_room_is_found_as_well():
    for spelled in (
        "from .. import tools",
        "from ..tools import fuse",
        "from or_mcp import tools",
        "import or_mcp.tools",
    ):
        (said,) = wrong_ways({"or_mcp.runs.store": f"def late():\n    {spelled}\n"})
        assert said.startswith("or_mcp.runs.store imports or_mcp.tools"), spelled


def test_the_simulator_imports_nothing_of_ours():
    assert not [
        name
        for module, text in the_house().items()
        if room_of(module) == "simulator"
        for name in imports(module, text)
        if name.startswith("or_mcp") and not name.startswith("or_mcp.simulator")
    ]


def test_the_simulators_rooms_import_in_one_direction_only():
    # Beside these: its wire and its memory, which stand on the ground floor.
    below = {"api": "api run money catalogue delivery", "run": "run money catalogue delivery"}
    below |= {"money": "money delivery", "catalogue": "catalogue money delivery", "delivery": "delivery"}
    wrong = [
        f"{module} imports {name}"
        for module, text in the_house().items()
        for name in imports(module, text)
        if (here := module.split("."))[1] == "simulator" and len(here) > 3
        if (there := name.split("."))[1:2] == ["simulator"] and len(there) > 2
        if there[2] in below and there[2] not in below[here[2]].split()
    ]
    assert not wrong, "\n".join(wrong)


def test_a_tool_is_one_file_and_tools_do_not_import_each_other():
    tools = {tool.handle.__module__ for tool in ALL_TOOLS.values()}
    files = {each for each in the_house() if each.startswith("or_mcp.tools.") and each.count(".") == 2}
    files -= {"or_mcp.tools.__init__"}
    assert tools == files, "each file in or_mcp/tools is one tool of ALL_TOOLS; what several share is in or_mcp/calls"
    wrong = [
        f"{module} imports {name}: what both need belongs into or_mcp/calls, or_mcp/tools/answers or a room below"
        for module, text in the_house().items()
        if module.startswith("or_mcp.tools.") and module != "or_mcp.tools.__init__"
        for name in imports(module, text)
        if any(name == tool or name.startswith(f"{tool}.") for tool in tools)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_room_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "common", "misc", "manager", "base"}
    assert not [module for module in the_house() if module.split(".")[-1] in drawers]


# Files that are one thought though they are long: their docstrings say which.
LONG = [
    *("or_mcp.runs.engines.postgres", "or_mcp.tools.ask"),
    "or_mcp.conversation.steps",
]


def test_files_and_functions_stay_short():
    long: list[str] = []
    for module, text in the_house().items():
        lines, most = text.count("\n"), 400 if module in LONG else 300
        if lines > most:
            long.append(f"{module}: {lines} lines, at most {most}. Which thought in it belongs into another file?")
        elif module in LONG and lines <= 300:
            long.append(f"{module}: {lines} lines, which is no longer long: take it out of LONG")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > 60:
                    long.append(f"{module}.{node.name}: {size} lines, at most 60")
    assert not long, "\n".join(long)
