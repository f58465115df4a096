"""Which resident a session belongs to, and where it listens.

Every start pays for what is imported here: nothing but what the interpreter has anyway.
"""

from __future__ import annotations

import os
import sys
from _blake2 import blake2b

from or_mcp import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH = "OR_MCP_RESIDENT"
FOLDER = "resident"
# On macOS it is a choice: peers are told apart less well there.
BY_DEFAULT = "on" if sys.platform == "linux" else "off"
# These differ from session to session within one resident; it is told of them.
OF_A_SESSION = frozenset(
    {"OR_MCP_ALLOWED_DIRS", "OR_MCP_TOOLS", "OR_MCP_WAIT_SECONDS", "OR_MCP_LOG_LEVEL", "OR_MCP_STRUCTURED", SWITCH}
)
_NAMED = frozenset(
    {"HOME", "USERPROFILE", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"}
)
_PREFIXES = ("OR_MCP_", "OPENROUTER_", "PYTHON", "LD_", "OTEL_")
# What a resident needs beside these and what it is known by: to find programs, to write text, to be measured.
_HARMLESS = ("PATH", "LANG", "LC_", "TZ", "TMPDIR", "COVERAGE_")
_WORDS = {"": True, "on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
# A socket's address holds no longer path on Linux.
_LONGEST_PATH = 107


class Place:
    """Where a resident listens."""

    def __init__(self, directory: str, name: str, environ: dict[str, str]) -> None:
        self.directory = directory
        self.socket = f"{directory}/{name}.sock"
        self.lock = f"{directory}/{name}.lock"
        self.log = f"{directory}/{name}.log"
        self.environ = environ


def place_for(environ: Mapping[str, str]) -> Place | None:
    """Where the resident for these settings listens; None where a session is to have a process of its own.

    Raises:
        OSError: The files that decide it cannot be read.
    """
    if not _is_wanted(environ):
        return None
    known = _known_by(environ)
    here = [] if all(os.path.isabs(path) for path in _paths(environ)) else [os.getcwd()]
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    told = os.stat(f"{package}/__init__.py")
    program = [__version__, sys.executable, sys.version, package, told.st_mtime_ns, told.st_ino, sys.flags.isolated]
    text = repr([os.getuid(), program, sorted(known.items()), here, _credentials(environ)])
    name = blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    # It may never hear of a session: whoever starts it may be killed before.
    stays = {SWITCH: environ[SWITCH]} if SWITCH in environ else {}
    place = Place(f"{data_directory(environ)}/{FOLDER}", name, known | _harmless(environ) | stays)
    return place if len(os.fsencode(place.socket)) <= _LONGEST_PATH else None


def data_directory(environ: Mapping[str, str]) -> str:
    """Where the runs are, whose resident it is."""
    given = environ.get("OR_MCP_DATA_DIR", "").strip()
    if given:
        return os.path.realpath(os.path.expanduser(given))
    from or_mcp.places import state_directory

    return os.path.realpath(state_directory(environ))


def idle_seconds(switch: str) -> float:
    """How long a resident stays after its last session and run, as the setting says.

    Raises:
        ValueError: It says nothing that can be meant.
    """
    word = switch.strip().lower()
    # Here 1 is a number of seconds.
    if word != "1" and word in _WORDS:
        return 300.0 if _WORDS[word] else 0.0
    seconds = float(word)
    if not 0 < seconds < 1e6:
        raise ValueError(switch)
    return seconds


def _is_wanted(environ: Mapping[str, str]) -> bool:
    """As the setting says, and never for the first process of a container, which has to carry its own work."""
    try:
        wanted = idle_seconds(environ.get(SWITCH, "").strip() or BY_DEFAULT) > 0
    except ValueError:
        return False
    stores = _WORDS.get(environ.get("OR_MCP_STORE", "").strip().lower(), True)
    return wanted and stores and sys.platform != "win32" and os.getpid() != 1 and not _is_confined()


def _is_confined() -> bool:
    """Whether this process is in a sandbox of the kind that nobody can compare with another."""
    try:
        with open("/proc/self/status") as status:
            return "\nNoNewPrivs:\t1\n" in status.read()
    except OSError:
        return False


def _known_by(environ: Mapping[str, str]) -> dict[str, str]:
    # Servers of other people's are started with whatever the environment holds.
    everything = bool(environ.get("OR_MCP_SERVERS", "").strip())
    return {name: value for name, value in environ.items() if everything or _counts(name)}


def _counts(name: str) -> bool:
    if name in OF_A_SESSION:
        return False
    return name in _NAMED or name.startswith(_PREFIXES) or name.upper().endswith("_PROXY")


def _harmless(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_HARMLESS)}


def _paths(environ: Mapping[str, str]) -> list[str]:
    """What would mean something else in another directory."""
    named = ("OR_MCP_DATA_DIR", "OR_MCP_SERVERS", "SSL_CERT_FILE", "SSL_CERT_DIR", "HOME", "XDG_STATE_HOME")
    paths = [os.path.expanduser(environ.get(name, "").strip()) for name in named]
    return [path for path in paths if path] + [part for part in environ.get("PYTHONPATH", "").split(":") if part]


def _credentials(environ: Mapping[str, str]) -> list[int]:
    """What changes when somebody signs in."""
    from or_mcp.places import credentials

    try:
        found = os.stat(credentials(environ))
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size, found.st_ino]
