"""`or-mcp chat`: a conversation in the terminal; every turn is a run, and tools are shown as they run."""

from __future__ import annotations

import argparse
import os
import queue
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from or_mcp.cli import fail
from or_mcp.cli.live import Watch
from or_mcp.cli.terminal import emit, safe, say, tinted, wrapped
from or_mcp.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from or_mcp.calls.call import Call

_HELP = "/model MODEL · /attach FILE · /cost · /quit; Ctrl-C stops an answer"
_KEYS = {"y": "once", "a": "for this run", "n": "no"}
_LOOK_SECONDS = 0.1


def run(arguments: argparse.Namespace) -> int:
    """Talk until the person has had enough."""
    from anyio.from_thread import start_blocking_portal

    from or_mcp.calls.call import Call
    from or_mcp.server import Program

    try:
        settings = read_settings(os.environ | ({"OR_MCP_SERVERS": arguments.servers} if arguments.servers else {}))
        program = Program(settings)
    except SettingsError as error:
        return fail(str(error), 2)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(program.running()) as parts:
        servers = [server.name for server in settings.servers]
        call = portal.call(lambda: Call(parts, program.owner, "or-mcp"))
        chat = Chat(portal, call, program.tools, arguments.model, servers)
        return chat.turn(arguments.once) if arguments.once else chat.talk()


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    choices: tuple[str, ...]
    answer: Future[str]


class Chat:
    """One conversation. Its runs are carried by another thread: this one waits for keys, and for Ctrl-C."""

    def __init__(
        self, portal: BlockingPortal, call: Call, tools: Mapping[str, Any], model: str, servers: list[str]
    ) -> None:
        self._portal = portal
        self._tools = tools
        self._call = replace(call, ask=self._ask) if sys.stdin.isatty() else call
        self._given: dict[str, Any] = {"model": model, "servers": servers}
        self._attached: list[str] = []
        self._spent = 0.0
        self._questions: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._text = self._shown = ""
        self._told = 0

    def talk(self) -> int:
        """Turn after turn."""
        with suppress(ImportError):
            # The arrow keys bring back what was said; Windows has its own way.
            import_module("readline")
        say(tinted(_HELP, "quiet", sys.stdout))
        while True:
            try:
                words = input("> ").strip()
            except EOFError:
                return 0
            except KeyboardInterrupt:
                emit("")
                continue
            if words in ("/quit", "/exit"):
                return 0
            if words.startswith("/"):
                self._command(*words[1:].partition(" ")[::2])
            elif words:
                self.turn(words)

    def turn(self, words: str) -> int:
        """Ask, show what comes, and remember where the conversation stands."""
        given = {**self._given, "attachments": self._attached, "prompt": words}
        self._attached, self._text, self._shown, self._told = [], "", "", 0
        watch = Watch(self._answer, self)
        asked = {name: value for name, value in given.items() if value}
        turn: Future[Any] = self._portal.start_task_soon(watch.follow, "ask", asked)
        while not turn.done():
            try:
                self._put(self._questions.get(timeout=_LOOK_SECONDS))
            except queue.Empty:
                continue
            except KeyboardInterrupt:
                if not watch.run_id:
                    turn.cancel()
                    break
                self._portal.start_task_soon(self._call.runs.cancel, watch.run_id)
        return 1 if turn.cancelled() else self._ended(turn.result())

    def draw(self, answer: Mapping[str, Any]) -> None:
        """Show the words that are new, but for the last: it may still grow, and not fit into its line."""
        self._text = wrapped(safe(answer.get("text") or ""), sys.stdout)
        self._show(self._text[: max(self._text.rfind(" "), self._text.rfind("\n"), 0)])

    def _show(self, text: str) -> None:
        if not text.startswith(self._shown):
            emit("")
            self._shown = ""
        emit(text[len(self._shown) :], end="")
        self._shown = text

    def say(self, words: str) -> None:
        """A line that stays."""
        say(words)

    async def _answer(self, tool: str, given: dict[str, Any]) -> Any:
        from or_mcp.calls.boundary import answer

        result = await answer(self._tools, tool, given, self._call)
        if not result.is_error:
            await self._show_tools(result.structured_content["run_id"])
        return result

    async def _show_tools(self, run_id: str) -> None:
        events = await self._call.runs.events(await self._call.runs.find(run_id))
        used = [event for event in events if event.step == "tool"]
        for event in used[self._told :]:
            self._show(self._text)
            emit("\n" if self._shown else "", end="")
            self._text = self._shown = ""
            say(tinted(safe(f"· {event.model} {event.detail}"), "quiet", sys.stdout))
        self._told = len(used)

    async def _ask(self, question: str, choices: tuple[str, ...] = ()) -> str:
        from anyio.to_thread import run_sync

        put = _Question(question, choices, Future())
        self._questions.put(put)
        return await run_sync(put.answer.result, abandon_on_cancel=True)

    def _put(self, question: _Question) -> None:
        """Put a question; whatever is no clear yes is a no."""
        keys = _KEYS if question.choices else {"y": "yes", "n": "no"}
        say(f"\n{safe(question.text)}")
        try:
            key = input(f"{', '.join(f'{key} = {word}' for key, word in keys.items())}: ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            key = ""
        question.answer.set_result(keys[key] if key in keys and key != "n" else "")

    def _ended(self, result: Any) -> int:
        self._show(self._text)
        emit("")
        if result.is_error:
            say(tinted(safe(result.content[0].text), "bad", sys.stdout))
            return 1
        answer = result.structured_content
        self._given["continue_run"] = answer["run_id"]
        self._spent += answer["cost_usd"] or 0
        notes = [note for note in answer.get("notes", []) if "Ended" in note or "cut off" in note]
        if answer.get("error"):
            say(tinted(safe(answer["error"]), "bad", sys.stdout))
        line = (f"${answer['cost_usd'] or 0:.4f}", answer.get("model", ""), answer["run_id"])
        for note in [*notes, " · ".join(part for part in line if part)]:
            say(tinted(safe(note), "quiet", sys.stdout))
        return 0 if answer["status"] == "completed" else 1

    def _command(self, name: str, rest: str) -> None:
        match name:
            case "model" if rest:
                self._given["model"] = rest.strip()
                say(f"From here on {rest.strip()} answers.")
            case "attach" if rest:
                self._attached.append(rest.strip())
                say(f"Goes with what you say next: {', '.join(self._attached)}")
            case "cost":
                say(f"This conversation: ${self._spent:.4f}")
            case _:
                say(_HELP)
