"""An MCP server of the tests' own, in plain Python: what it offers and how it misbehaves stands in a file.

`python plain.py SPEC`: a JSON object with `tools` (name → {does, ...}), `instructions`, and `log`, a file to which each
call is added as it comes in.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SPEC_FILE = Path(sys.argv[1])
SPEC: dict[str, Any] = json.loads(SPEC_FILE.read_text())
Request = dict[str, Any]
NOTICE = {"method": "notifications/tools/list_changed"}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools() -> Iterator[dict[str, Any]]:
    # Read anew: what a server offers may change while it runs.
    for name, tool in json.loads(SPEC_FILE.read_text())["tools"].items():
        schema = tool.get("schema", {"type": "object", "properties": {"text": {"type": "string"}}})
        listed = {"name": name, "description": tool.get("description", f"Does {tool['does']}."), "inputSchema": schema}
        yield listed | ({"annotations": tool["hints"]} if "hints" in tool else {})


def result(request: Request, *blocks: Any, **more: Any) -> None:
    content = [{"type": "text", "text": each} if isinstance(each, str) else each for each in blocks]
    send({"id": request["id"], "result": {"content": content, **more}})


def echo(request: Request, tool: dict[str, Any]) -> None:
    time.sleep(tool.get("seconds", 0))
    params = request["params"]
    result(request, f"{params['name']} heard {json.dumps(params.get('arguments'))}")


def die(_request: Request, _tool: dict[str, Any]) -> None:
    sys.stderr.write("Traceback: I give up\n")
    sys.stderr.flush()
    os._exit(3)


def die_once(request: Request, tool: dict[str, Any]) -> None:
    died = Path(SPEC["log"] + ".died")
    if not died.exists():
        died.touch()
        die(request, tool)
    result(request, "alive again")


def garbage(request: Request, _tool: dict[str, Any]) -> None:
    sys.stdout.write("this is no JSON\n\x00{]\n[1, 2]\n")
    result(request, "after the garbage")


def deep(request: Request, _tool: dict[str, Any]) -> None:
    sys.stdout.write(f'{{"jsonrpc": "2.0", "id": {request["id"]}, "result": ' + "[" * 900_000 + "\n")
    sys.stdout.flush()


def endless_line(_request: Request, _tool: dict[str, Any]) -> None:
    while True:
        sys.stdout.write("x" * 1_000_000)


def flood(_request: Request, _tool: dict[str, Any]) -> None:
    while True:
        send(NOTICE)


def pings(_request: Request, _tool: dict[str, Any]) -> None:
    while True:
        send({"id": "ping", "method": "ping"})
        sys.stdin.readline()


def notices(request: Request, tool: dict[str, Any]) -> None:
    for _ in range(tool["count"]):
        send(NOTICE)
    result(request, "noticed")


def asks(request: Request, tool: dict[str, Any]) -> None:
    send({"id": "q1", "method": tool["method"], "params": tool["params"]})
    result(request, sys.stdin.readline())


DOES: dict[str, Callable[[Request, dict[str, Any]], None]] = {
    "echo": echo,
    "say": lambda request, tool: result(request, *tool["blocks"], **tool.get("more", {})),
    "big": lambda request, tool: result(request, "0123456789" * (tool["chars"] // 10)),
    "environment": lambda request, _: result(request, json.dumps(dict(os.environ))),
    "hang": lambda _request, _: None,
    "die": die,
    "die_once": die_once,
    "garbage": garbage,
    "deep": deep,
    "endless_line": endless_line,
    "flood": flood,
    "pings": pings,
    "notices": notices,
    "asks": asks,
    "wrong": lambda request, _: send({"id": request["id"], "result": {"content": "no list"}}),
    "error": lambda request, _: send({"id": request["id"], "error": {"code": -32000, "message": "it \x1b[31mfailed"}}),
}


def call(request: Request) -> None:
    params = request["params"]
    with Path(SPEC["log"]).open("a") as log:
        log.write(json.dumps([params["name"], params.get("arguments")]) + "\n")
    tool = SPEC["tools"].get(params["name"], {"does": "echo"})
    DOES[tool["does"]](request, tool)


def main() -> None:
    sys.stderr.write(f"plain server {SPEC.get('greeting', 'here')}\n")
    sys.stderr.flush()
    for line in sys.stdin:
        request = json.loads(line)
        match request.get("method"):
            case "initialize":
                version = request["params"]["protocolVersion"]
                told: dict[str, Any] = {"capabilities": {"tools": {}}, "serverInfo": {"name": "plain", "version": "1"}}
                more = {"instructions": SPEC["instructions"]} if "instructions" in SPEC else {}
                send({"id": request["id"], "result": {"protocolVersion": version, **told, **more}})
            case "tools/list":
                send({"id": request["id"], "result": {"tools": list(tools())}})
            case "tools/call":
                call(request)
            case _ if "id" in request and "method" in request:
                send({"id": request["id"], "error": {"code": -32601, "message": "Method not found"}})
            case _:
                pass


main()
