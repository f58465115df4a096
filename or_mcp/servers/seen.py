"""How tools were described when the operator first saw them: one that is described otherwise now is asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from or_mcp.runs.store import Store
from or_mcp.runs.transaction import Transaction
from or_mcp.servers.file import Server
from or_mcp.servers.session import OfferedTool

_SEE = "INSERT INTO seen_tools (server, tool, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SEEN = "SELECT tool, digest FROM seen_tools WHERE server = ?"
_AGREE = "UPDATE seen_tools SET digest = ? WHERE server = ? AND tool = ?"


async def first_seen(store: Store, server: Server, tools: Iterable[OfferedTool]) -> dict[str, str]:
    """The digest of each tool as it was first seen; those that are new are seen now."""
    rows = [(server.identity, tool.name, tool.digest) for tool in tools]

    def see(tx: Transaction) -> dict[str, str]:
        known = dict(tx.execute(_SEEN, (server.identity,)).fetchall())
        new = [row for row in rows if row[1] not in known]
        if new:
            tx.each(_SEE, new)
        return {name: digest for _, name, digest in new} | known

    return await store.write(see)


async def seen_now(store: Store, server: Server, tool: OfferedTool) -> None:
    """The operator has seen how a tool is described now."""
    await store.write(partial(_agree, row=(tool.digest, server.identity, tool.name)))


def _agree(tx: Transaction, row: tuple[str, str, str]) -> None:
    tx.execute(_AGREE, row)
