"""An allowed directory with something in it, and a secret beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from or_mcp.attachments.paths import Sandbox

CANARY = b"CANARY-c0ffee outside"
INSIDE = b"inside text\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PDF = b"%PDF-1.7\n\x00\xff"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb"


@dataclass(frozen=True, slots=True)
class World:
    """`root` may be read; `outside` holds the canary."""

    root: Path
    outside: Path
    sandbox: Sandbox

    def write(self, name: str, data: bytes) -> str:
        """Put a file into the allowed directory."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name


def make_world(base: Path) -> World:
    """Build the directories, and the links that lead astray."""
    root, outside = base / "root", base / "outside"
    for directory in (root / "sub" / "deep", outside / "sub", base / "root-evil"):
        directory.mkdir(parents=True)
    for path in (outside / "canary.txt", outside / "sub" / "canary.txt", base / "root-evil" / "canary.txt"):
        path.write_bytes(CANARY)
    for path in (root / "in.txt", root / "sub" / "in.txt", root / "sub" / "deep" / "in.txt"):
        path.write_bytes(INSIDE)
    for name, target in _links(root, outside).items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    return World(root, outside, Sandbox((root,)))


def _links(root: Path, outside: Path) -> dict[str, str | Path]:
    return {
        "good-link": "sub/in.txt",
        "good-directory": "sub",
        "link": outside / "canary.txt",
        "relative-link": "../outside/canary.txt",
        "link-to-link": "link",
        "directory-link": outside,
        "sub/up": "../..",
        "sub/deep/up": "../../../outside",
        "dangling": outside / "missing",
        "loop": "loop",
        "ping": "pong",
        "pong": "ping",
        "sub/loop": "../sub/loop/loop",
        "slash": "/",
        "proc": "/proc",
        "environ": "/proc/self/environ",
        "dev": "/dev",
        "null": "/dev/null",
        "zero": "/dev/zero",
        "evil": "../root-evil",
    }
