"""Asks the real OpenRouter what nobody could look up, and records its replies: `make live`.

It needs a key in OPENROUTER_API_KEY, lists every request with the most it may cost before it sends one, and stops
before the sum could pass the ceiling. Without --yes it only lists.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from or_mcp.openrouter.wire.chat import ChatChunk
from or_mcp.openrouter.wire.responses import Response
from or_mcp.simulator import Simulator
from or_mcp.simulator.wire import as_object
from tests.live.questions import CEILING, QUESTIONS, Question
from tests.live.shapes import blanked, differences, order_of

RECORDED = Path(__file__).parents[1] / "data" / "live"
_WAIT_SECONDS = 180
_LOOK_UPS, _LOOK_UP_SECONDS = 5, 2.0
_READERS = {"/chat/completions": ChatChunk, "/responses": Response}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, and a body or events."""

    status: int
    body: Any
    events: list[dict[str, Any]]

    @property
    def cost(self) -> Decimal:
        """What it says that it cost."""
        for part in (self.body, *reversed(self.events)):
            told = as_object(part)
            cost = as_object(as_object(told.get("response", told)).get("usage")).get("cost")
            if isinstance(cost, (int, float)):
                return Decimal(str(cost))
        return Decimal(0)

    def recorded(self) -> dict[str, Any]:
        """As it is kept: without keys and ids."""
        return {"status": self.status, "body": blanked(self.body), "events": blanked(self.events)}


async def ask(http: httpx2.AsyncClient, question: Question) -> Answer:
    """Send one request and read its reply."""
    async with http.stream(question.method, question.path, json=question.body) as reply:
        if "event-stream" not in reply.headers.get("content-type", ""):
            body = _told(reply.headers.get("content-type", ""), await reply.aread())
            seen = await _seen_later(http, question, body) if question.later else body
            return Answer(reply.status_code, seen, [])
        events: list[dict[str, Any]] = []
        async for line in reply.aiter_lines():
            if line.startswith("data: {"):
                events.append(_json(line[6:]))
                if question.leave_at is not None and events[-1].get("type") == question.leave_at:
                    break
        identity = reply.headers.get("x-generation-id")
    body = await _looked_up(http, identity) if question.leave_at is not None else None
    return Answer(reply.status_code, body, events)


def _told(kind: str, raw: bytes) -> Any:
    """A body; of sound only how much of what came."""
    return {"content_type": kind, "bytes": len(raw)} if kind.startswith("audio/") else _json(raw.decode())


async def _seen_later(http: httpx2.AsyncClient, question: Question, sent: Any) -> Any:
    """What a job said when it was sent, and what it says afterwards."""
    reply = await http.get(f"{question.path}/{as_object(sent).get('id')}")
    return {"sent": sent, "seen": _json(reply.text)}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


async def _looked_up(http: httpx2.AsyncClient, identity: str | None) -> Any:
    """The record of a run that was left, once there is one."""
    for _ in range(_LOOK_UPS):
        reply = await http.get("/generation", params={"id": identity or ""})
        if reply.status_code == 200:
            return reply.json()
        await asyncio.sleep(_LOOK_UP_SECONDS)
    return None


def compared(question: Question, real: Answer, ours: Answer) -> list[str]:
    """Where the simulator and this project's client differ from what upstream said."""
    found: list[str] = []
    if real.status != ours.status:
        found.append(f"status: upstream {real.status}, the simulator {ours.status}")
    found += differences(real.body, ours.body)
    there, here = order_of(real.events), order_of(ours.events)
    if sorted(set(there)) != sorted(set(here)):
        found.append(f"events: upstream {' '.join(there)}; the simulator {' '.join(here)}")
    for kind in sorted({str(event.get("type")) for event in real.events} & {str(e.get("type")) for e in ours.events}):
        told = [[event for event in events if str(event.get("type")) == kind] for events in (real.events, ours.events)]
        found += [f"{kind} {each}" for each in differences(*told)]
    return found + _unread(question, real)


def _unread(question: Question, real: Answer) -> list[str]:
    """What the client would not see of the cost."""
    reader = _READERS.get(question.path)
    if reader is None or real.status != 200 or not as_object(real.body) or question.leave_at is not None:
        return []
    read = reader.model_validate(real.body).usage
    cost = read.cost if read is not None else None
    return [] if cost == real.cost else [f"client: it reads a cost of {cost}, upstream says {real.cost}"]


async def probe(
    base_url: str, key: str, questions: Sequence[Question], folder: Path, ceiling: Decimal = CEILING
) -> dict[str, list[str]]:
    """Ask every question, record each reply, and tell where simulator and client differ."""
    told: dict[str, list[str]] = {}
    spent = Decimal(0)
    folder.mkdir(parents=True, exist_ok=True)
    headers = {"authorization": f"Bearer {key}"}
    async with (
        Simulator().running() as simulated,
        httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=_WAIT_SECONDS) as http,
        httpx2.AsyncClient(base_url=simulated, headers=headers, timeout=_WAIT_SECONDS) as twin,
    ):
        for question in questions:
            if spent + question.price > ceiling:
                told[question.name] = [f"not asked: ${spent} are spent, and it may cost ${question.most}"]
                continue
            async with asyncio.timeout(_WAIT_SECONDS):
                real = await ask(http, question)
            spent += max(real.cost, Decimal(0)) if real.cost or real.status >= 400 else question.price
            _record(folder, question, real)
            told[question.name] = compared(question, real, await ask(twin, question))
    return told


def _record(folder: Path, question: Question, real: Answer) -> None:
    asked = {"method": question.method, "path": question.path, "body": question.body, "leave_at": question.leave_at}
    kept = {"why": question.why, "asked_on": datetime.now(UTC).date().isoformat(), "request": asked, **real.recorded()}
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    (folder / f"{question.name}.json").write_text(text, encoding="utf-8")


def listed(questions: Sequence[Question]) -> str:
    """Every request with the most it may cost, and their sum."""
    lines = [f"  ${question.price:<6} {question.method} {question.path}: {question.why}" for question in questions]
    total = sum((question.price for question in questions), Decimal(0))
    return "\n".join([*lines, f"  ${total} at most, and never more than ${CEILING}."])


def main() -> int:
    """List, and with --yes ask."""
    parser = argparse.ArgumentParser(prog="make live", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="send the requests that are listed")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these questions alone")
    arguments = parser.parse_args()
    chosen = [each for each in QUESTIONS if not arguments.only or each.name in arguments.only]
    print(listed(chosen))
    if not arguments.yes:
        print("Nothing was sent. To send them: make live YES=1")
        return 0
    key = os.environ.get("OPENROUTER_API_KEY", "")
    if not key:
        print("OPENROUTER_API_KEY is missing: set it to a key of yours", file=sys.stderr)
        return 2
    base_url = os.environ.get("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
    told = asyncio.run(probe(base_url, key, chosen, RECORDED))
    for name, found in told.items():
        print(name, *(found or ["as the simulator says"]), sep="\n    ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
