"""What a caller attaches: files and URLs, and what runs of its own have made."""

from __future__ import annotations

from or_mcp.attachments.attach import NOTHING, Attachment, HoldsSecrets, attach
from or_mcp.attachments.paths import Sandbox
from or_mcp.attachments.urls import is_url
from or_mcp.calls.call import Call
from or_mcp.calls.made_files import path_of


async def read_attachments(
    references: tuple[str, ...], call: Call, accepts: frozenset[str] | None, model: str
) -> tuple[Attachment, ...]:
    """Everything attached, in order; of a file with secrets, the user is asked where the host can ask.

    Raises:
        InvalidRequest: Something may not be read or sent, is of the wrong kind or too large, or the model takes none.
        NotFound: It is said to be a run's, and is not.
    """
    made = {each: path for each in references if (path := await path_of(each, call)) is not None}
    if not made:
        return await _read(references, call, accepts, model)
    shelf = Sandbox((call.parts.shelf.folder,))
    found: list[Attachment] = []
    for each in references:
        if each in made:
            found += await attach(
                (str(made[each]),), shelf, modalities=accepts, allow_secrets=frozenset({str(made[each])})
            )
        else:
            found += await _read((each,), call, accepts, model)
    return tuple(found)


async def _read(
    references: tuple[str, ...], call: Call, accepts: frozenset[str] | None, model: str
) -> tuple[Attachment, ...]:
    sandbox = call.parts.sandbox if all(map(is_url, references)) else await call.sandbox()
    agreed = NOTHING
    while True:
        try:
            return await attach(references, sandbox, modalities=accepts, allow_secrets=agreed)
        except HoldsSecrets as trouble:
            if call.ask is None or not await call.ask(f"{trouble.found}. Send it to {model} all the same?"):
                raise
            agreed |= {trouble.reference}
