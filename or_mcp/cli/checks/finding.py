"""What a check found, and checks that cannot hang."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `fix` is what mends it; only what failed has one."""

    name: str
    status: Literal["ok", "failed", "info"]
    detail: str
    fix: str = ""


def passed(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", detail)


def failed(name: str, detail: str, fix: str) -> Finding:
    """Something is wrong, and this mends it."""
    return Finding(name, "failed", detail, fix)


def noted(name: str, detail: str) -> Finding:
    """Worth knowing, neither right nor wrong."""
    return Finding(name, "info", detail)


def unset(variable: str) -> str:
    """The command that takes a variable away."""
    return f"Remove-Item Env:{variable}" if sys.platform == "win32" else f"unset {variable}"


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at, and how long that may take."""

    name: str
    look: Callable[[], Sequence[Finding]]
    seconds: float = 5.0


def carry_out(checks: Sequence[Check]) -> Iterator[Finding]:
    """What each check found, in their order. All run at once, and whatever hangs is left behind."""
    started = monotonic()
    running = [_start(check) for check in checks]
    for check, (thread, found) in zip(checks, running, strict=True):
        thread.join(max(0.0, started + check.seconds - monotonic()))
        if thread.is_alive():
            again = "run `or-mcp doctor` again; if it stays so, something on the way hangs (a network drive, a proxy)"
            yield failed(check.name, f"did not end within {check.seconds:.0f} s", again)
        else:
            yield from found


def _start(check: Check) -> tuple[threading.Thread, list[Finding]]:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.extend(check.look())
        except Exception as error:  # noqa: BLE001 - one check that breaks must not take the others with it
            what = f"the check itself failed ({type(error).__name__}: {error})"
            found.append(failed(check.name, what, "report it at https://github.com/or-mcp/or-mcp/issues"))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    return thread, found
