"""How long a call may take before its host gives up on it, and how to tell that it did from a person's wish."""

from __future__ import annotations

import re
from dataclasses import dataclass

from or_mcp.hosts.host import Patience
from or_mcp.hosts.table import client_named

# An answer that leaves when the host's patience ends arrives too late.
_MARGIN_SECONDS = 2.0
# A limit that was seen at work is known better; below the floor no call could ever be answered.
_LEARNED_MARGIN_SECONDS = 1.0
_FLOOR_SECONDS = 4.0
_UNKNOWN = Patience(50, "many MCP clients give up at 60 s, SDK defaults included")
# How far from a limit a cancel may come and still be taken for it.
_NEAR = 0.1


@dataclass(frozen=True, slots=True)
class TimeOut:
    """Words in the reason of a cancel that only a time-out has, and who says so."""

    words: str
    source: str


TIME_OUTS: tuple[TimeOut, ...] = (
    TimeOut("timed out", "Python SDK 2: `timed out after 8s`; both TypeScript SDKs: `…: Request timed out`"),
    TimeOut("maximum total timeout exceeded", "both TypeScript SDKs, with maxTotalTimeout"),
    TimeOut("due to timeout", "AbortSignal.timeout() in Node and browsers: `… was aborted due to timeout`"),
    TimeOut("timeouterror", "the name of that error, and of Python's"),
    TimeOut("deadline exceeded", "gRPC's word for it, in gateways"),
)
# Whoever names the user says whose wish it was.
_BY_A_PERSON = "user"
_AFTER = re.compile(r"after (\d+(?:\.\d+)?) ?s\b")


def is_time_out(reason: str) -> bool:
    """Whether a cancel says that its sender's time was up; any other reason, or none, may be a person's wish."""
    return any(row.words in reason.lower() for row in TIME_OUTS)


def is_by_a_person(reason: str) -> bool:
    """Whether a cancel says that somebody wished it."""
    return _BY_A_PERSON in reason.lower()


def is_anybodys(host: str) -> bool:
    """Whether a name is what a library calls every program on it: what is seen of one says nothing of the others."""
    client = client_named(host)
    return client is not None and client.by_whole_name


def limit_of(reason: str, age_seconds: float) -> float:
    """The limit that was reached: as the reason says, else the age of the call."""
    told = _AFTER.search(reason)
    return float(told[1]) if told else age_seconds


def is_near_a_limit(host: str, age_seconds: float, learned: float | None) -> bool:
    """Whether a call is as old as the limit of a program that is known for it, or was seen to have it."""
    client = client_named(host)
    limits = [limit.seconds for limit in client.limits_seen] if client else []
    if client is not None and client.patience is not None:
        limits.append(client.patience.seconds)
    if learned is not None:
        limits.append(learned)
    return any(abs(age_seconds - limit) <= _NEAR * limit for limit in limits)


def tolerated_wait(host: str, learned: float | None = None) -> float:
    """Seconds to wait before answering `running`: as was seen of a host, else by the name that it gives itself."""
    if learned is not None:
        return max(_FLOOR_SECONDS, learned - _LEARNED_MARGIN_SECONDS)
    client = client_named(host)
    known = client.patience if client else None
    return (known or _UNKNOWN).seconds - _MARGIN_SECONDS


def patience(host: str, chosen: float | None, asked: float | None, learned: float | None = None) -> float:
    """Seconds to wait: as the call asks, else as the operator chose, else as the host is known to tolerate.

    A call that asks for more gets what the host tolerates, or what the operator knows that it tolerates.
    """
    tolerated = tolerated_wait(host, learned)
    if asked is None:
        return tolerated if chosen is None else chosen
    return min(asked, max(tolerated, chosen or 0))
