"""The allowed directories, and the only way to read a file from them.

A path is put together and freed of `..` by its spelling, then resolved, and must end inside an allowed directory; from
there it is opened step by step (see `descent`). What is outside is answered with the same words whether it exists or
not. A hard link cannot be told from the file itself: whoever may put one into an allowed directory may copy there too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from or_mcp.attachments.descent import NotAFile, open_beneath
from or_mcp.attachments.spelling import check_spelling, quote
from or_mcp.openrouter.errors import InvalidRequest

VARIABLE = "OR_MCP_ALLOWED_DIRS"
# Made up by the kernel as they are read: /proc/self/environ looks like a regular file, and holds the API key.
KERNEL = (Path("/proc"), Path("/sys"), Path("/dev"))
# More attachments are a mistake of the agent's more often than a wish; and each is read before anything is sent.
COUNT_LIMIT = 10
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file that was read."""

    name: str
    data: bytes = field(repr=False)


class Sandbox:
    """Reads files, and only from these directories, in which relative paths are looked for in turn.

    What is `closed` is never read, wherever it lies: this program's own files hold the runs of all its callers.
    """

    def __init__(self, roots: Iterable[Path], closed: Iterable[Path] = ()) -> None:
        self.roots = tuple(root.resolve() for root in roots)
        self._closed = tuple(closed)
        # The outermost first: from there no directory on the way is taken on trust.
        self._outermost = sorted(self.roots, key=lambda root: len(root.parts))

    def with_also(self, directories: Iterable[Path]) -> Sandbox:
        """The same, with directories that somebody else has opened. The whole disk is no directory to open."""
        more = [each for each in directories if each.is_absolute() and each != each.parent and each.is_dir()]
        return Sandbox(dict.fromkeys((*self.roots, *more)), self._closed)

    def open(self, text: str, *, limit: int, argument: str = "attachments") -> OpenedFile:
        """Read the file at this path, of at most `limit` bytes. Blocks: call it in a thread.

        Raises:
            InvalidRequest: It may not be read, does not exist, is no regular file, or is larger.
        """
        check_spelling(text, argument)
        if not self.roots:
            raise InvalidRequest(f"{argument}: no directory may be read; ask the user to name some in {VARIABLE}")
        name, data = self._found(text, argument, limit)
        if data is None:
            raise InvalidRequest(
                f"{argument}: {quote(text)} is larger than the {megabytes(limit)} that may be read here; "
                "give a smaller file, or a part of it"
            )
        return OpenedFile(name, data)

    def _found(self, text: str, argument: str, limit: int) -> tuple[str, bytes | None]:
        """The name and content of the file in the first directory that has it."""
        missing: OSError | None = None
        for plain in self._plain(text):
            place = self._place(plain)
            if place is None:
                continue
            try:
                return plain.name, _read(open_beneath(*place), limit)
            except FileNotFoundError as error:
                missing = missing or error
            except (OSError, RuntimeError) as error:
                raise InvalidRequest(f"{argument}: {quote(text)} {self._trouble(error)}") from None
        if missing is None:
            raise self._outside(text, argument)
        raise InvalidRequest(f"{argument}: {quote(text)} {self._trouble(missing)}")

    def _plain(self, text: str) -> Iterable[Path]:
        """The absolute paths it may mean.

        `..` is taken out by spelling: asking the disk would tell what exists outside.
        """
        if text == "~" or text.startswith(("~/", f"~{os.sep}")):
            text = _home() + text[1:]
        return dict.fromkeys(Path(os.path.normpath(root / text)) for root in self.roots)

    def _place(self, plain: Path) -> tuple[Path, Sequence[str]] | None:
        """The allowed directory that a path leads into, and the way from there."""
        try:
            resolved = plain.resolve()
        except (OSError, RuntimeError, ValueError):
            # A loop of links, or too long a chain. The descent refuses links, so as written is safe.
            resolved = plain
        if any(path.is_relative_to(kernel) for kernel in KERNEL for path in (plain, resolved)):
            return None
        # By identity, since names may be spelled in other case.
        if any(_same(place, closed) for closed in self._closed for place in (resolved, *resolved.parents)):
            return None
        for root in self._outermost:
            if resolved.is_relative_to(root):
                return root, resolved.relative_to(root).parts
        return self._place_by_identity(resolved)

    def _place_by_identity(self, resolved: Path) -> tuple[Path, Sequence[str]] | None:
        """The same for a directory spelled otherwise: in other case, or another form of Unicode."""
        for parent in resolved.parents:
            for root in self._outermost:
                if _same(parent, root):
                    return root, resolved.relative_to(parent).parts
        return None

    def _outside(self, text: str, argument: str) -> InvalidRequest:
        return InvalidRequest(
            f"{argument}: {quote(text)} is not inside a directory that may be read ({self._listed()}). "
            f"Copy the file there, or ask the user to add its directory to {VARIABLE}"
        )

    def _listed(self) -> str:
        return ", ".join(str(root) for root in self.roots)

    def _trouble(self, error: Exception) -> str:
        if isinstance(error, NotAFile):
            return "is a directory, device, pipe or socket; give the path of a regular file"
        if isinstance(error, FileNotFoundError):
            return f"does not exist in a directory that may be read ({self._listed()}); relative paths start there"
        if isinstance(error, PermissionError):
            return "may not be read by this server's user; give another file, or ask the user to change its mode"
        return "cannot be read: a part of its path is no directory, or a link that loops or changes; give its real path"


def megabytes(size: int) -> str:
    """A size as a person says it."""
    return f"{size / _MEGABYTE:.3g} MB" if size >= _MEGABYTE / 10 else f"{size} bytes"


def _read(descriptor: int, limit: int) -> bytes | None:
    """The content, or None if there is too much. What its size says is not believed: it may grow while it is read."""
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size > limit:
            return None
        data = file.read(limit + 1)
        return data if len(data) <= limit else None


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:
        return "~"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
