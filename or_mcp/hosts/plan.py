"""What installing or undoing would make of a file. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from or_mcp.hosts.document import Document
from or_mcp.hosts.entry import SERVER, Entry
from or_mcp.hosts.problem import HostProblem
from or_mcp.hosts.table import Host

What = Literal["created", "added", "updated", "unchanged", "restored", "removed", "deleted", "absent"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A file before and after; None means that there is no file."""

    what: What
    before: bytes | None
    after: bytes | None
    keep_copy: bool = False
    note: str = ""


def plan_install(host: Host, before: bytes | None, wanted: Entry, copy: bytes | None) -> Plan:
    """Have our entry in the file. A copy is kept of what was there before we came.

    Raises:
        HostProblem: The file cannot be changed.
    """
    document = Document.read(host, before or b"")
    found = document.entry()
    after = document.with_entry(wanted).encoded()
    if after == before:
        return Plan("unchanged", before, after)
    if before is None:
        return Plan("created", None, after)
    keep = found is None or (copy is None and not _made_by_us(document))
    return Plan("added" if found is None else "updated", before, after, keep_copy=keep)


def plan_undo(host: Host, before: bytes | None, copy: bytes | None) -> Plan:
    """Have the file as it was before us; if other things changed meanwhile, without our entry.

    Raises:
        HostProblem: The file cannot be changed.
    """
    document = Document.read(host, before or b"")
    if before is None or not document.has_ours():
        return Plan("absent", before, before)
    without = document.without_entry().encoded()
    if copy is None:
        if _made_by_us(document):
            return Plan("deleted", before, None)
        return Plan("removed", before, without)
    if _grew_from(copy, document) != without:
        return Plan("removed", before, without)
    had_ours = Document.read(host, copy).has_ours()
    note = f"it had an entry {SERVER} before: run --undo again to remove that one too" if had_ours else ""
    return Plan("restored", before, copy, note=note)


def _made_by_us(document: Document) -> bool:
    """Whether a file holds nothing but what we write where there was no file."""
    return _grew_from(b"", document) == document.without_entry().encoded()


def _grew_from(origin: bytes, document: Document) -> bytes | None:
    """What a file would be without our entry, had it been made from `origin` by adding that entry."""
    try:
        return Document.read(document.host, origin).with_entry(document.entry() or {}).without_entry().encoded()
    except HostProblem:
        return None
