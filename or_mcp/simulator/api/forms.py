"""Reading multipart bodies, the way uploads come."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import cast

from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file as it came in a form."""

    name: str
    kind: str
    content: bytes


def read_form(call: Call) -> tuple[dict[str, str], dict[str, Uploaded]]:
    """The fields and the files of a multipart body; refuses anything else."""
    kind = call.request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise invalid("Invalid request: expected JSON or multipart/form-data")
    whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.raw, policy=policy.HTTP)
    fields: dict[str, str] = {}
    files: dict[str, Uploaded] = {}
    for part in list(whole.walk())[1:]:
        name = str(part.get_param("name", "", header="content-disposition"))
        content = cast(bytes, part.get_payload(decode=True) or b"")
        filename = part.get_filename()
        if filename is None:
            fields[name] = content.decode("utf-8", "replace")
        else:
            files[name] = Uploaded(filename, part.get_content_type(), content)
    return fields, files
