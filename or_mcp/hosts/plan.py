"""What installing or undoing would make of a file. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from or_mcp.hosts.document import Document
from or_mcp.hosts.entry import SERVER, Entry
from or_mcp.hosts.host import Host
from or_mcp.hosts.problem import HostProblem

# From what a file holds, and what it held before us.
Planner = Callable[[bytes | None, bytes | None], "Plan"]
What = Literal["created", "added", "updated", "unchanged", "restored", "removed", "deleted", "absent"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A file before and after; None means that there is no file."""

    what: What
    before: bytes | None
    after: bytes | None
    keep_copy: bool = False
    note: str = ""


def plan_install(host: Host, wanted: Entry, before: bytes | None, copy: bytes | None) -> Plan:
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
    if copy is None and _made_by_us(document):
        return Plan("deleted", before, None)
    without = document.without_entry()
    grown = _grown(copy, document) if copy is not None else None
    if copy is None or grown is None or grown.without_entry() != without:
        return Plan("removed", before, without.encoded())
    had_ours = Document.read(host, copy).has_ours()
    note = f"it had an entry {SERVER} before: run --undo again to remove that one too" if had_ours else ""
    return Plan("restored", before, copy, note=note)


def _made_by_us(document: Document) -> bool:
    """Whether a file is, to the byte, what we write where there was no file."""
    made = _grown(b"", document)
    return made is not None and made.encoded() == document.encoded()


def _grown(origin: bytes, document: Document) -> Document | None:
    """What `origin` would have become, had the entry of this file been added to it."""
    try:
        return Document.read(document.host, origin).with_entry(document.entry() or {})
    except HostProblem:
        return None
