"""The tools, one file each, in the order hosts see. Each is imported when it is first needed, not at the start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import import_module

import anyio

from or_mcp.calls.keepsake import AnyKeepsake
from or_mcp.calls.tool import AnyTool
from or_mcp.offered import TOOL_NAMES

# Longer than calls that come at once hold their connections.
_TRIES, _AGAIN_SECONDS = 240, 0.25


class Tools(Mapping[str, AnyTool]):
    """Some of the tools, by name; a model that is asked may be given the tools of these MCP servers."""

    def __init__(self, names: Collection[str], servers: tuple[str, ...] = ()) -> None:
        self._names = [name for name in TOOL_NAMES if name in names]
        self._servers = servers

    def __getitem__(self, name: str) -> AnyTool:
        if name not in self._names:
            raise KeyError(name)
        module = import_module(f"{__name__}.{name}")
        return module.with_servers(self._servers) if self._servers and name == "ask" else module.TOOL

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Keepsakes(Mapping[str, AnyKeepsake]):
    """How each tool that is paid for reads its runs back, by the tool's name."""

    def __getitem__(self, name: str) -> AnyKeepsake:
        keepsake = ALL_TOOLS[name].keepsake
        if keepsake is None:
            raise KeyError(name)
        return keepsake

    def __iter__(self) -> Iterator[str]:
        return (name for name, tool in ALL_TOOLS.items() if tool.keepsake)

    def __len__(self) -> int:
        return sum(1 for _ in self)


ALL_TOOLS = Tools(TOOL_NAMES)
KEEPSAKES = Keepsakes()


async def at_hand(names: Iterable[str]) -> None:
    """Have tools imported. A process that may open no file for that now may do so in a moment."""
    for _ in range(_TRIES):
        try:
            for name in names:
                ALL_TOOLS.get(name)
        except OSError:
            await anyio.sleep(_AGAIN_SECONDS)
        else:
            return
