"""The rooms of the house import in one direction only."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "or_mcp"

# What each room may import, beside itself. Changing the structure? Change it here, and say so in the README.
WIRE = {"openrouter.wire"}
CLIENT = {"openrouter"} | WIRE
DOMAIN = {"fusion", "conversation", "catalogue", "attachments", "vectors"}
RUNS = {"runs"} | CLIENT
TOOLS = {"tools"} | RUNS | DOMAIN
ROOTS = {"server", "http_app", "web", "stdio", "serving"}
ALLOWED: dict[str, set[str]] = {
    "places": set(),
    "sign_in": set(),
    "settings": {"places", "sign_in"},
    "openrouter.wire": set(),
    "openrouter": WIRE,
    "catalogue": CLIENT,
    "fusion": CLIENT | {"catalogue", "runs"},
    "conversation": CLIENT | {"catalogue", "runs"},
    "attachments": CLIENT,
    "vectors": CLIENT | {"catalogue"},
    "runs": CLIENT | {"hosts"},
    "tools": RUNS | DOMAIN | {"view"},
    "resources": TOOLS | {"view"},
    "completion": TOOLS,
    "prompts": CLIENT,
    "asking": {"tools"},
    "tasks": TOOLS | {"asking"},
    "view": set(),
    "hosts": {"places"},
    "simulator": set(),
    "unanswered": set(),
    "stdio": {"unanswered"},
    "identity": CLIENT,
    "server": TOOLS | {"settings", "identity", "asking", "tasks", "resources", "completion", "prompts"},
    "web": {"server", "settings"} | TOOLS,
    "http_app": {"server", "settings", "web"},
    "serving": {"server", "http_app", "web", "stdio", "settings"},
    "cli": ROOTS | TOOLS | {"settings", "places", "sign_in", "identity", "hosts", "simulator", "view"},
}
MCP_ROOMS = {
    "server",
    "http_app",
    "web",
    "stdio",
    "unanswered",
    "tools",
    "asking",
    "tasks",
    "resources",
    "prompts",
    "cli",
}


def room_of(module: str) -> str:
    name = module.removeprefix("or_mcp").removeprefix(".")
    if name.startswith("openrouter.wire"):
        return "openrouter.wire"
    return name.split(".")[0]


def imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += names if node.module in ("or_mcp", "or_mcp.tools") else [node.module]
    return found


def modules() -> list[tuple[str, Path]]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return [(".".join(["or_mcp", *path.relative_to(PACKAGE).with_suffix("").parts]), path) for path in paths]


def test_every_import_goes_the_way_the_house_is_built():
    wrong: list[str] = []
    for module, path in modules():
        room = room_of(module)
        if room in ("", "__init__", "__main__"):
            continue
        for imported in imports(path):
            if not imported.startswith("or_mcp.") or imported == "or_mcp.__version__":
                continue
            target = room_of(imported)
            if target not in ALLOWED[room] | {room}:
                rule = f"{room} may import {', '.join(sorted(ALLOWED[room])) or 'nothing of ours'}"
                wrong.append(f"{path.name} imports {imported}, but {rule} (ALLOWED in {Path(__file__).name})")
    assert not wrong, "\n".join(wrong)


def test_the_sdk_is_imported_only_where_mcp_is_spoken():
    wrong = [
        f"{module} imports {name}: only {', '.join(sorted(MCP_ROOMS))} speak MCP"
        for module, path in modules()
        for name in imports(path)
        if name.split(".")[0] in ("mcp", "mcp_types") and room_of(module) not in MCP_ROOMS
    ]
    assert not wrong, "\n".join(wrong)


def test_http_is_spoken_in_one_file():
    spoken = {module for module, path in modules() for name in imports(path) if name.split(".")[0] == "httpx2"}
    assert spoken == {"or_mcp.openrouter.http"}


def test_the_simulator_imports_nothing_of_ours():
    assert not [
        name
        for module, path in modules()
        if room_of(module) == "simulator"
        for name in imports(path)
        if name.startswith("or_mcp") and not name.startswith("or_mcp.simulator")
    ]


def test_the_simulators_rooms_import_in_one_direction_only():
    # Beside these: its wire and its memory, which stand on the ground floor.
    below = {"api": "api run money catalogue delivery", "run": "run money catalogue delivery"}
    below |= {"money": "money delivery", "catalogue": "catalogue money delivery", "delivery": "delivery"}
    wrong = [
        f"{module} imports {name}"
        for module, path in modules()
        for name in imports(path)
        if (here := module.split("."))[1] == "simulator" and len(here) > 3
        if (there := name.split("."))[1:2] == ["simulator"] and len(there) > 2
        if there[2] in below and there[2] not in below[here[2]].split()
    ]
    assert not wrong, "\n".join(wrong)


def test_tools_do_not_import_each_other():
    tools = {"fuse", "ask", "embed", "rerank", "account", "run"}
    wrong = [
        f"{module} imports {name}"
        for module, path in modules()
        if module.removeprefix("or_mcp.tools.") in tools
        for name in imports(path)
        if name.startswith("or_mcp.tools.") and name.split(".")[2] in tools
    ]
    assert not wrong, "\n".join(wrong)


def test_no_room_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "common", "misc", "manager", "base"}
    assert not [path for _, path in modules() if path.stem in drawers]


def test_files_and_functions_stay_short():
    long: list[str] = []
    for module, path in modules():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            long.append(f"{module}: {text.count(chr(10))} lines, at most 400")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > 60:
                    long.append(f"{module}.{node.name}: {size} lines, at most 60")
    assert not long, "\n".join(long)
