"""The model list as it was last seen, on disk: for starting at once, and for starting offline."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from or_mcp.catalogue.snapshot import Snapshot
from or_mcp.disk import replace_file
from or_mcp.openrouter.wire.lenient import Reply, Rows
from or_mcp.openrouter.wire.models import Model


class _Kept(Reply):
    fetched_at: datetime
    models: Rows[Model] = ()


class DiskCopy:
    """One file per API address. Trouble with the disk means there is no copy, never a failure."""

    def __init__(self, directory: Path, origin: str) -> None:
        name = sha256(origin.rstrip("/").encode()).hexdigest()[:12]
        self.path = directory / f"models-{name}.json"

    def read(self) -> Snapshot | None:
        """The list that was kept, if it can be read."""
        try:
            kept = _Kept.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None
        if not kept.models or kept.fetched_at.tzinfo is None:
            return None
        return Snapshot.of(kept.models, kept.fetched_at.astimezone(UTC))

    def write(self, snapshot: Snapshot) -> None:
        """Keep a list."""
        kept = _Kept(fetched_at=snapshot.fetched_at, models=snapshot.models)
        content = kept.model_dump_json(exclude_none=True).encode()
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self.path, lambda file: file.write(content))
