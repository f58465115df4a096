"""What a host starts: it hands its pipes to the resident and waits until the session ends, or serves it itself.

Every start pays for what is imported here: nothing but what the interpreter has anyway.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Mapping

    from or_mcp.starting.place import Place

# A resident that is well answers in a millisecond; one that is being started needs its imports first.
PATIENCE_SECONDS = 3.0
STARTING_SECONDS = 30.0
READY, SERVING, ENDED = b"R", b"S", b"0"
# Sessions that start together wait here until the resident has come up.
_BACKLOG = 128
# The descriptor on which a resident finds its socket.
LISTENING = 3
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from or_mcp.resident.process import main; sys.exit(main())"


def by_resident() -> int | None:
    """The exit code of a session that the resident has served; None if it did not, and nothing was read."""
    try:
        from or_mcp.starting.place import place_for

        place = place_for(os.environ)
        if place is None or not _can_be_handed_on():
            return None
        connection = _handed_over(place)
    except Exception:  # noqa: BLE001 - whatever is wrong with a resident, the session is served without one
        return None
    return None if connection is None else _until_the_end(connection)


def _can_be_handed_on() -> bool:
    """Whether stdin and stdout are what a program hears and speaks through, and not a terminal or a file."""
    modes = [os.fstat(number).st_mode & 0o170000 for number in (0, 1, 2)]
    return all(mode in (0o010000, 0o140000) for mode in modes[:2])


def _handed_over(place: Place) -> socket | None:
    """The connection to a resident that now serves this session."""
    for connect in (_connected, _started):
        connection = connect(place)
        if connection is None:
            continue
        # A resident writes into its lock when it is ready.
        connection.settimeout(PATIENCE_SECONDS if os.stat(place.lock).st_size else STARTING_SECONDS)
        if connection.recv(1) == READY:
            _send_session(connection)
            return connection if connection.recv(1) == SERVING else None
        # It was leaving, or will not have us: only the first is mended by another.
        connection.close()
    return None


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


def _send_session(connection: socket) -> None:
    """Hand over stdin, stdout and stderr, and tell what is this session's own."""
    import _socket

    from or_mcp.starting.place import OF_A_SESSION

    own = [f"{name}={os.environ[name]}" for name in OF_A_SESSION if name in os.environ]
    body = b"\0".join(os.fsencode(text) for text in ("session", os.getcwd(), *own))
    numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)]
    connection.sendmsg([len(body).to_bytes(4, "big")], rights)
    connection.sendall(body)


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
