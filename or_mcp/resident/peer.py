"""Who connects to a resident: the same user, outside of any sandbox that the resident is not in itself."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path

_LIMITS = ("Uid", "Gid", "NoNewPrivs", "Seccomp", "Seccomp_filters", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
_PID_UID_GID = struct.Struct("3i")
# Level and option of macOS, and its struct xucred: version, user, groups.
_LOCAL, _LOCAL_PEERCRED, _XUCRED = 0, 1, struct.Struct("IIh16I")


def refusal(connection: socket.socket) -> str | None:
    """Why whoever has connected is not served; None if it is."""
    if sys.platform != "linux":
        other = _XUCRED.unpack(connection.getsockopt(_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))[1]
        return None if other == os.getuid() else "another user"
    pid, uid, _ = _PID_UID_GID.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PID_UID_GID.size))
    if uid != os.getuid():
        return "another user"
    try:
        theirs, ours = confinement(pid), confinement(os.getpid())
    except OSError as error:
        return f"what confines it cannot be read: {error}"
    if theirs.get("NoNewPrivs") == "1":
        # What else binds such a process (Landlock, the text of a filter) the system tells nobody.
        return "it has given up privileges"
    differing = [name for name in ours if theirs.get(name) != ours[name]]
    return f"it is confined otherwise: {', '.join(differing)}" if differing else None


def confinement(pid: int) -> dict[str, str]:
    """What a process may see and do, as the system tells it (Linux).

    Raises:
        OSError: It is not told.
    """
    process = Path("/proc") / str(pid)
    found = {f"namespace {link.name}": str(link.readlink()) for link in (process / "ns").iterdir()}
    for line in (process / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in _LIMITS:
            found[name] = value.strip()
    found["root"] = str((process / "root").readlink())
    try:
        found["label"] = (process / "attr" / "current").read_text().strip("\0\n")
    except OSError:
        # No security module labels processes here.
        found["label"] = ""
    return found
