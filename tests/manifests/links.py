"""The links that install us with one click, made from the manifests. `python -m tests.manifests.links` writes them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from or_mcp.hosts.entry import SERVER
from tests.manifests.files import MANIFESTS, read


def cursor_query() -> str:
    """The name and the entry, as Cursor's handler takes them."""
    entry = read("cursor/mcp.json")["mcpServers"][SERVER]
    return urlencode({"name": SERVER, "config": base64.b64encode(_compact(entry).encode()).decode()})


def cursor_link() -> str:
    """What opens Cursor."""
    return f"cursor://anysphere.cursor-deeplink/mcp/install?{cursor_query()}"


def cursor_page() -> str:
    """The page that opens Cursor: GitHub shows links to https only."""
    return f"https://cursor.com/en/install-mcp?{cursor_query()}"


def vscode_link() -> str:
    """What opens VS Code."""
    manifest = read("vscode/mcp.json")
    server = {"name": SERVER, **manifest["servers"][SERVER], "inputs": manifest["inputs"]}
    return f"vscode:mcp/install?{quote(_compact(server), safe='')}"


def vscode_page() -> str:
    """The page that opens VS Code."""
    return f"https://insiders.vscode.dev/redirect?url={quote(vscode_link(), safe='')}"


FILES = {"cursor/install-link.txt": cursor_link, "vscode/install-link.txt": vscode_link}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    for name, link in FILES.items():
        (MANIFESTS / name).write_text(f"{link()}\n", encoding="utf-8")
    print(cursor_page(), vscode_page(), sep="\n")
