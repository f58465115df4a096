"""The command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from or_mcp import __version__

_EPILOG = """\
first steps:
  or-mcp demo             the whole product with no key and no internet
  or-mcp install HOST     connects Claude Code, Cursor, VS Code, Codex, ...
  or-mcp doctor           what works here, and what mends the rest
  or-mcp                  the MCP server on stdio, for a host to start
settings are environment variables (OPENROUTER_API_KEY, OR_MCP_…): see the README
"""


class Command(NamedTuple):
    """One command: its module in this folder has `run`."""

    name: str
    summary: str
    options: Callable[[argparse.ArgumentParser], None]


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plain", action="store_true", help="the label [simulated] before every line, no bar")


def _account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the structured result")


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--http", action="store_true", help="Streamable HTTP at /mcp instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8765, help="port to bind (default 8765)")
    parser.add_argument("--workers", type=_workers, default=1, help="with --http: how many processes (default 1)")


def _simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=8787, help="port on 127.0.0.1 (default 8787)")
    parser.add_argument("--faults", metavar="FILE", help="JSON list of scripted faults")
    parser.add_argument("--models", metavar="FILE", help="JSON list of models as GET /models answers it")


def _question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-cost", type=float, metavar="USD", help="refuse if it may cost more")
    parser.add_argument("--json", action="store_true", help="print the structured result")


def _fuse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", help="the whole question, self-contained; - reads it from stdin")
    parser.add_argument("--preset", default="", help="general-high, general-budget or general-fast")
    parser.add_argument("--model", action="append", default=[], metavar="MODEL", help="a panelist; repeat for more")
    parser.add_argument("--analyst", default="", metavar="MODEL", help="compares the answers")
    parser.add_argument("--writer", default="", metavar="MODEL", help="writes the answer")
    parser.add_argument("--no-web", action="store_true", help="do not let the panel search the web")
    _question(parser)


def _ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", default="", help="a model id, such as ~openai/gpt-latest (default: auto)")
    parser.add_argument("question", help="the question; - reads it from stdin")
    parser.add_argument("--attach", action="append", default=[], metavar="FILE", help="an image, PDF, audio or text")
    parser.add_argument("--web", action="store_true", help="let it search the web")
    parser.add_argument("--rows", default="", metavar="FILE", help="ask it of each row (JSONL); {column} is filled in")
    parser.add_argument("--out", default="", metavar="FILE", help="with --rows: write every row's answer here (JSONL)")
    parser.add_argument("--batch", action="store_true", help="with --rows: typically half price, within 24 hours")
    parser.add_argument("--continue", dest="continue_run", default="", metavar="RUN_ID", help="go on from a run")
    _question(parser)


def _chat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", default="", help="a model id, such as ~openai/gpt-latest (default: auto)")
    parser.add_argument(
        "--servers", default="", metavar="FILE", help="MCP servers it may use, in place of OR_MCP_SERVERS"
    )
    parser.add_argument("-1", dest="once", default="", metavar="WORDS", help="say this, print the answer, and end")


def _make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", default="", help="what to make, or to say; - reads it from stdin")
    parser.add_argument("--kind", choices=["image", "speech", "video", "transcript"], required=True)
    parser.add_argument("--model", default="", help="a model id (default: a current one of the kind)")
    parser.add_argument(
        "--out", default="", metavar="FILE", help="write a copy there; of several, each with its number"
    )
    parser.add_argument("--count", type=int, metavar="N", help="how many pictures (1 to 10)")
    parser.add_argument("--size", default="", help="such as 2K, 1024x1024, 720p")
    parser.add_argument("--aspect-ratio", default="", metavar="W:H", help="such as 16:9")
    parser.add_argument("--seconds", type=int, metavar="S", help="how long a video is to be")
    parser.add_argument("--voice", default="", help="whose voice speaks")
    parser.add_argument("--format", default="", help="png, jpeg, webp, svg; wav, mp3; text, srt, json")
    parser.add_argument("--attach", action="append", default=[], metavar="FILE", help="a picture to go by, or a sound")
    _question(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    told = "a RUN_ID, alone or after show, report or stop; without one: the list"
    parser.add_argument("words", nargs="*", metavar="RUN_ID", help=told)
    parser.add_argument("--html", metavar="FILE", help="write its report")
    parser.add_argument("--cancel", action="store_true", help="stop it, whichever process carries it")
    parser.add_argument("--json", action="store_true", help="print the structured result")


def _store(parser: argparse.ArgumentParser) -> None:
    told = "print: the tables, as SQL; check: whether the ledger is the sum of the runs"
    parser.add_argument("what", choices=["print", "check"], help=told)


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def _install(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", nargs="?", metavar="HOST", default="", help="without one: the list, with their files")
    parser.add_argument("--project", action="store_true", help="the file of the project in this directory, for a team")
    parser.add_argument("--print", action="store_true", help="show the entry and where it goes; write nothing")
    parser.add_argument("--undo", action="store_true", help="take our entry out again")


def _login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-browser", action="store_true", help="sign in on another machine, and paste a code here")
    parser.add_argument("--forget", action="store_true", help="remove the stored key from this machine")


def _resident(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["stop"], help="have it finish what runs, and end")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes; it takes 1 to 64")
    return number


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port; it takes 0 to 65535")
    return port


COMMANDS: tuple[Command, ...] = (
    Command("serve", "the MCP server, on stdio (default) or over HTTP", _serve),
    Command("fuse", "ask a panel of models, and get one answer", _fuse),
    Command("ask", "ask one model", _ask),
    Command("chat", "a conversation with a model, with the tools of MCP servers", _chat),
    Command("make", "make a picture, speech, a video or a transcript, as files", _make),
    Command("runs", "what was paid for: list, show, report, stop", _runs),
    Command("account", "what was spent, by tool, model and day, and what is left", _account),
    Command("resident", "the process that sessions share: who is connected, what runs", _resident),
    Command("install", "our entry in the configuration of a host (Claude Code, Cursor, VS Code, ...)", _install),
    Command("login", "sign in to OpenRouter in the browser, and keep a key on this machine", _login),
    Command("store", "for those who run databases: the tables, and whether the ledger is right", _store),
    Command("doctor", "what works here, and what mends the rest", _doctor),
    Command("demo", "one fusion, live, with no key and no internet", _demo),
    Command("simulate", "the OpenRouter simulator on loopback", _simulate),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0 is fine, 1 means the thing asked for failed, 2 means wrong usage."""
    arguments = _parser().parse_args(argv)
    name: str = arguments.command or "serve"
    if arguments.command is None:
        _serve_defaults(arguments)
    run: Callable[[argparse.Namespace], int] = import_module(f"or_mcp.cli.{name}").run
    try:
        code = run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        from or_mcp.cli.terminal import let_go

        let_go(sys.stdout)
        return 0


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: Any = None) -> None:
        from or_mcp.cli.terminal import wrapped

        super()._print_message(wrapped(message, file or sys.stderr), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="or-mcp",
        description="OpenRouter for AI agents, over MCP. Without a command: the server on stdio.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"or-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for command in COMMANDS:
        command.options(commands.add_parser(command.name, help=command.summary, description=command.summary))
    return parser


def _serve_defaults(arguments: argparse.Namespace) -> None:
    blank = argparse.ArgumentParser()
    _serve(blank)
    blank.parse_args([], namespace=arguments)


def fail(message: str, code: int = 1) -> int:
    """One clear line on stderr."""
    from or_mcp.cli.terminal import safe, say

    say(f"or-mcp: {safe(message)}", sys.stderr)
    return code
