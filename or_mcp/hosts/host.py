"""What is known of a program that speaks MCP to us, and of one whose configuration we can write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from or_mcp.places import home_directory


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a program waits for a call's answer, and how that is known."""

    seconds: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that speaks MCP to us, known by how the names begin that it gives itself (in lower case).

    `limits_seen` are those of programs that share a name, of which some do not say that their time was up.
    """

    title: str
    calls_itself: tuple[str, ...] = ()
    by_whole_name: bool = False
    patience: Patience | None = None
    limits_seen: tuple[Patience, ...] = ()
    # Its model reads an answer's text and its structured form: how that is known.
    shows_both: str = ""

    def is_called(self, name: str) -> int:
        """How many characters of a name (in lower case) are known to be this program's."""
        fits = name.__eq__ if self.by_whole_name else name.startswith
        return max((len(each) for each in self.calls_itself if fits(each)), default=0)


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where a host keeps its files."""

    environ: Mapping[str, str]
    platform: str = sys.platform

    @property
    def home(self) -> Path:
        """The user's directory."""
        return home_directory(self.environ)

    @property
    def applications(self) -> Path:
        """Where desktop applications keep their settings."""
        if self.platform == "win32":
            return Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.dot_config

    @property
    def dot_config(self) -> Path:
        """The directory that programs of the Unix tradition use on every Unix."""
        return Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Client):
    """A client that we can install ourselves into. `reference` is how its file names the key's variable; without one
    it cannot.
    """

    name: str
    user_file: Callable[[Machine], Path]
    project_file: str | None = None
    servers: str = "mcpServers"
    reference: str | None = None
    then: str
    kind: str | None = None
    # What else its entries say: how long it may take, which tools.
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    inputs: tuple[Mapping[str, object], ...] = ()
    syntax: Literal["json", "toml"] = "json"
    # Servers get a handful of variables, and not the key's.
    isolated: bool = False
    # The command is a list with its arguments in it, and its variables are called `environment`.
    in_one_list: bool = False
