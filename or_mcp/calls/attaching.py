"""Files that go along with a call, read as its caller may read them."""

from __future__ import annotations

from or_mcp.attachments.attach import Attachment, HoldsSecrets, attach
from or_mcp.attachments.urls import is_url
from or_mcp.calls.call import Call


async def read_attachments(
    references: tuple[str, ...], call: Call, accepts: frozenset[str] | None, model: str
) -> tuple[Attachment, ...]:
    """Everything attached; of a file with secrets, the user is asked where the host can ask."""
    sandbox = call.parts.sandbox if all(map(is_url, references)) else await call.sandbox()
    agreed: frozenset[str] = frozenset()
    while True:
        try:
            return await attach(references, sandbox, modalities=accepts, allow_secrets=agreed)
        except HoldsSecrets as trouble:
            if call.ask is None or not await call.ask(f"{trouble.found}. Send it to {model} all the same?"):
                raise
            agreed |= {trouble.reference}
