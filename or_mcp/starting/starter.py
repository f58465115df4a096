"""What a host starts: it hands its pipes to the resident and waits until the session ends, or serves it itself.

Every start pays for what is imported here: nothing but what the interpreter has anyway.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Collection, Iterable, Mapping

    from or_mcp.starting.front import Front
    from or_mcp.starting.place import Place

# A resident that is well answers in a millisecond; one that is being started needs its imports first.
# Whoever waits longer than a quarter of a second has its host greeted meanwhile.
AT_ONCE_SECONDS = 0.25
PATIENCE_SECONDS = 3.0
STARTING_SECONDS = 30.0
READY, SERVING, YOURS, ENDED = b"R", b"S", b"Y", b"0"
# Sessions that start together wait here until the resident has come up.
_BACKLOG = 128
# The descriptor on which a resident finds its socket.
LISTENING = 3
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from or_mcp.resident.process import main; sys.exit(main())"


class Begun:
    """How far a session has come before its server was there: what it still has to hear, and which requests in it were
    answered already."""

    def __init__(self, heard: bytes = b"", answered: Iterable[str | int] = ()) -> None:
        self.heard = heard
        self.answered = set(answered)


def by_resident() -> int | None:
    """The exit code of a session that a resident has served which is there; None if none did, and nothing was read."""
    return _served(_found, Begun)


def by_new_resident(front: Front) -> int | None:
    """The same by one that is started now, or starts: meanwhile the front answers, and has to go on where none did."""
    return _served(lambda place: _awaited(place, front), front.begun)


def can_be_handed_on() -> bool:
    """Whether stdin and stdout are what a program hears and speaks through, and not a terminal or a file."""
    if sys.platform == "win32":
        return False
    try:
        modes = [os.fstat(number).st_mode & 0o170000 for number in (0, 1, 2)]
    except OSError:
        return False
    return all(mode in (0o010000, 0o140000) for mode in modes[:2])


def _served(connect: Callable[[Place], socket | None], begun: Callable[[], Begun]) -> int | None:
    try:
        from or_mcp.starting.place import place_for

        place = place_for(os.environ)
        if place is None or not can_be_handed_on():
            return None
        connection = connect(place)
        if connection is None or not _has_taken(connection, begun()):
            return None
    except Exception:  # noqa: BLE001 - whatever is wrong with a resident, the session is served without one
        return None
    return _until_the_end(connection)


def _found(place: Place) -> socket | None:
    connection = _connected(place)
    if connection is None:
        return None
    connection.settimeout(AT_ONCE_SECONDS)
    return connection if connection.recv(1) == READY else None


def _awaited(place: Place, front: Front) -> socket | None:
    """The connection to a resident that is ready to serve this session."""
    for connect in (_connected, _started):
        connection = connect(place)
        if connection is None:
            continue
        # A resident writes into its lock when it is ready.
        seconds = PATIENCE_SECONDS if os.stat(place.lock).st_size else STARTING_SECONDS
        if not front.until(connection.fileno(), seconds):
            connection.close()
            return None
        if connection.recv(1) == READY:
            return connection
        # It was leaving, or will not have us: only the first is mended by another.
        connection.close()
    return None


def _has_taken(connection: socket, begun: Begun) -> bool:
    """Whether a resident serves this session now. It reads nothing before it is told that we do not."""
    connection.settimeout(PATIENCE_SECONDS)
    _send_session(connection, begun)
    if connection.recv(1) != SERVING:
        return False
    connection.sendall(YOURS)
    return True


def _connected(place: Place) -> socket | None:
    import _socket

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(PATIENCE_SECONDS)
    try:
        connection.connect(place.socket)
    except OSError:
        connection.close()
        return None
    return connection


def _started(place: Place) -> socket | None:
    """A connection to a resident that somebody has just started; of several at once one starts it."""
    os.makedirs(os.path.dirname(place.directory), 0o700, exist_ok=True)
    os.makedirs(place.directory, 0o700, exist_ok=True)
    found = os.stat(place.directory)
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        return None
    lock = os.open(place.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        if not _locked(lock):
            return None
        connection = _connected(place)
        if connection is None:
            _start(place)
            connection = _connected(place)
        return connection
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    """Whether a lock is ours now; whoever holds it does so for a moment, unless it was stopped in it."""
    import fcntl
    from time import monotonic, sleep

    until = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > until:
                return False
            sleep(0.005)
        else:
            return True


def _start(place: Place) -> None:
    """Start a resident, detached from everything here. Its socket listens already: whoever connects waits there."""
    import _socket

    listening = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    if os.path.lexists(place.socket):
        os.unlink(place.socket)
    listening.bind(place.socket)
    os.chmod(place.socket, 0o600)
    listening.listen(_BACKLOG)
    os.truncate(place.lock, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(place.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    # Away from the numbers that are given to it.
    moved = [_moved(number) for number in (listening.fileno(), nothing, log)]
    actions = [
        (os.POSIX_SPAWN_DUP2, old, new) for old, new in zip((*moved, moved[2]), (LISTENING, 0, 1, 2), strict=True)
    ]
    above = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    flag = "-I" if sys.flags.isolated else "-P"
    command = [sys.executable, flag, "-c", _PROGRAM, above, place.socket, place.lock]
    os.posix_spawn(sys.executable, command, place.environ, file_actions=actions, setsid=True)
    for number in (*moved, nothing, log):
        os.close(number)
    listening.close()


def _moved(number: int) -> int:
    import fcntl

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10)


def _send_session(connection: socket, begun: Begun) -> None:
    """Hand over stdin, stdout and stderr, and tell what is this session's own."""
    import _socket

    from or_mcp.starting.place import OF_A_SESSION

    own = [f"{name}={os.environ[name]}" for name in OF_A_SESSION if name in os.environ]
    told = b"\0".join(os.fsencode(text) for text in ("session", os.getcwd(), _as_json(begun.answered), *own))
    body = len(told).to_bytes(4, "big") + told + begun.heard
    numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)]
    connection.sendmsg([len(body).to_bytes(4, "big")], rights)
    connection.sendall(body)


def _as_json(answered: Collection[str | int]) -> str:
    if not answered:
        return "[]"
    import json

    return json.dumps(list(answered))


def _until_the_end(connection: socket) -> int:
    """Wait until the resident has ended the session; a signal ends it from here."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    connection.settimeout(None)
    if connection.recv(1) == ENDED:
        os._exit(0)
    os.write(2, b"or-mcp: the process that served this session has ended; what was paid for is kept, see `run`\n")
    return 1


def _leave(number: int, frame: object) -> None:
    del number, frame
    os._exit(0)


def listed(environ: Mapping[str, str]) -> list[str]:
    """The sockets of all residents of a data directory, those of other versions and settings too."""
    from or_mcp.starting.place import FOLDER, data_directory

    folder = f"{data_directory(environ)}/{FOLDER}"
    try:
        return sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".sock"))
    except OSError:
        return []
