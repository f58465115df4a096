"""Where files stand: one folder of the data directory, each under the hash of its content, readable by its owner alone.

A file is younger than every run that made it: what is older than all runs that are kept belongs to none of them.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from or_mcp.disk import put_in_place, replace_file
from or_mcp.files.encoded import encoded
from or_mcp.files.made import MadeFile
from or_mcp.files.measured import Measured, measure
from or_mcp.openrouter.errors import Failure, NotFound

FOLDER = "files"
HERE = socket.gethostname()
_UNFINISHED = ".unfinished-"
# Enough of a film to find its head, wherever it stands in the first part.
_MEASURED_BYTES = 64 * 1024 * 1024


class NotKept(Failure):
    """The disk refused what was paid for."""

    kind = "internal"


class Shelf:
    """The files of one data directory; without one, of this process, and gone with it. All of it blocks."""

    def __init__(self, data_dir: Path | None) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="or-mcp-") if data_dir is None else None
        self.folder = Path(self._own.name) if self._own else (data_dir or Path()) / FOLDER

    def put(self, data: bytes, name: str, kind: Measured | None = None) -> MadeFile:
        """Keep bytes, under a name without its extension, unless they stand there already; `kind` is what they are.

        Raises:
            NotKept: The disk refused.
        """
        found, digest = kind or measure(data), sha256(data).hexdigest()
        path = self.folder / f"{digest}.{found.extension}"
        try:
            self._open()
            if path.exists():
                # It is this run's too, and stays as long.
                path.touch()
            else:
                replace_file(path, lambda file: file.write(data), prefix=_UNFINISHED)
        except OSError as error:
            raise self._refused(error) from error
        return _made(path, name, found, len(data))

    def receive(self) -> Arriving:
        """Room for bytes that arrive one after the other.

        Raises:
            NotKept: The disk refused.
        """
        try:
            self._open()
            return Arriving(self.folder)
        except OSError as error:
            raise self._refused(error) from error

    def path(self, file: MadeFile) -> Path:
        """Where it stands.

        Raises:
            NotFound: It is not here, or not any more.
        """
        path = self.folder / file.stored
        if not path.is_file():
            raise NotFound(f"The file {file.name} is {where_it_is(file)}")
        return path

    def holds(self, files: Iterable[MadeFile]) -> frozenset[str]:
        """Those that stand here, as they are stored."""
        return frozenset(file.stored for file in files if (self.folder / file.stored).is_file())

    def read(self, file: MadeFile) -> bytes:
        """Its bytes.

        Raises:
            NotFound: It is not here, or not any more.
        """
        path = self.path(file)
        try:
            return path.read_bytes()
        except OSError as error:
            raise NotFound(f"The file {file.name} cannot be read ({error.strerror})") from error

    def data_url(self, stored: str) -> str | None:
        """A file within JSON; None if it is not there any more, or was never one of these."""
        path = self.folder / stored
        try:
            data = path.read_bytes() if path.parent == self.folder else b""
        except OSError:
            return None
        return f"data:{measure(data).mime};base64,{encoded(data)}" if data else None

    def forget(self, moment: datetime) -> None:
        """Delete what was kept before."""
        for path in self.folder.glob("*"):
            with suppress(OSError):
                if path.stat().st_mtime < moment.timestamp():
                    path.unlink()

    def close(self) -> None:
        """Let go of what was kept for this process alone."""
        if self._own is not None:
            self._own.cleanup()

    def _open(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _refused(self, error: OSError) -> NotKept:
        why = error.strerror or error
        return NotKept(f"What was made could not be written to {self.folder} ({why})", may_be_billed=True)


def where_it_is(file: MadeFile) -> str:
    """Where a file is that is not on this shelf."""
    if file.machine in ("", HERE):
        return "no longer there"
    return f"on {file.machine}, the machine that made it, and not here"


class Arriving:
    """A file that is not whole yet; closed without `shelve`, nothing is left of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digest = sha256()
        self.size = 0
        # mkstemp's files are 0600.
        handle, name = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
        self._file, self._path = os.fdopen(handle, "w+b"), Path(name)

    def close(self) -> None:
        """No more will come."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Take in more.

        Raises:
            NotKept: The disk refused.
        """
        self._digest.update(chunk)
        self.size += len(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise NotKept(f"What was made could not be written ({error.strerror})", may_be_billed=True) from error

    def shelve(self, name: str) -> MadeFile:
        """It is whole: it is told apart, and stands where it belongs."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.seek(0)
            found = measure(self._file.read(_MEASURED_BYTES))
            path = self._folder / f"{self._digest.hexdigest()}.{found.extension}"
            put_in_place(self._path, path)
        except OSError as error:
            raise NotKept(f"What was made could not be written ({error.strerror})", may_be_billed=True) from error
        return _made(path, name, found, self.size)


def _made(path: Path, name: str, found: Measured, size: int) -> MadeFile:
    named = f"{name}.{found.extension}"
    return MadeFile(named, path.name, found.mime, size, found.width, found.height, found.seconds, HERE)
