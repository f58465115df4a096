"""Files: uploaded once, and listed, read and deleted by their owner."""

from datetime import UTC, datetime

from or_mcp.simulator.api.forms import read_form
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call, State, StoredFile
from or_mcp.simulator.wire import JsonObject

_LARGEST = 100 * 1024 * 1024
_SHAPE: JsonObject = {"_shape": "openrouter"}


def upload(state: State, call: Call) -> Document:
    """POST /files."""
    owner = state.account_of(call).fingerprint
    _, files = read_form(call)
    if "file" not in files:
        raise invalid('Invalid input: expected a file at "file"', field="file")
    given = files["file"]
    if len(given.content) > _LARGEST:
        raise Refused(413, f"File too large: at most {_LARGEST} bytes are allowed")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row: JsonObject = {"id": f"file_{state.random_part(24)}", "type": "file", "filename": given.name}
    row |= {"mime_type": given.kind, "size_bytes": len(given.content), "created_at": now, "downloadable": True}
    state.files.setdefault(owner, {})[row["id"]] = StoredFile(row, given.content)
    return Document(row | _SHAPE)


def list_all(state: State, call: Call) -> Document:
    """GET /files."""
    rows = [row | _SHAPE for row in state.files_of(state.account_of(call))]
    ends = {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
    return Document({"data": rows, "has_more": False, "cursor": None} | ends | _SHAPE)


def _find(state: State, call: Call) -> StoredFile:
    found = state.files.get(state.account_of(call).fingerprint, {}).get(call.params["file"])
    if found is None:
        raise Refused(404, f"File {call.params['file']} not found")
    return found


def show(state: State, call: Call) -> Document:
    """GET /files/{id}."""
    return Document(_find(state, call).row | _SHAPE)


def download(state: State, call: Call) -> Document:
    """GET /files/{id}/content."""
    return Document(_find(state, call).content, content_type="application/octet-stream")


def delete(state: State, call: Call) -> Document:
    """DELETE /files/{id}."""
    found = _find(state, call)
    del state.files[state.account_of(call).fingerprint][found.row["id"]]
    return Document({"id": found.row["id"], "type": "file_deleted"} | _SHAPE)
