"""Messages gone wrong: cut, doubled, swapped, filled with what no one expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, cast

MARK = "run in flight"
_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e308, 10**30, "", " ", "\u0000", "\ud83d\ude00", "\u202e", "null", "[]", "{}", "[1", '{"a":'),
    *([], {}, [[]], [{}], {"": ""}, "x" * 5000, [0] * 500, {"$ref": "#"}, "../../etc/passwd", "https://127.0.0.1/"),
)
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tools/list", {}),
    ("ping", {}),
    ("resources/list", {}),
    ("prompts/list", {}),
    ("resources/read", {"uri": "openrouter://models/openai/gpt-5-mini"}),
    ("resources/read", {"uri": "openrouter://runs/run_x/panel/0"}),
    ("prompts/get", {"name": "choose_model", "arguments": {"job": "x"}}),
    ("completion/complete", {"ref": {"type": "ref/resource", "uri": "u"}, "argument": {"name": "model", "value": "g"}}),
    ("tools/call", {"name": "list_models", "arguments": {"query": "gpt", "supports": ["tools"], "limit": 3}}),
    ("tools/call", {"name": "endpoints", "arguments": {"model": "openai/gpt-5-mini"}}),
    ("tools/call", {"name": "run", "arguments": {"run_id": "run_x", "offset": 3}}),
    ("tools/call", {"name": "account", "arguments": {"view": "summary"}}),
    ("tools/call", {"name": "ask", "arguments": {"model": "no/such", "tools": [{"name": "f"}], "prompt": "x"}}),
    ("tools/call", {"name": "make", "arguments": {"kind": "image", "model": "no/such", "prompt": "q"}}),
    ("tools/call", {"name": "decide", "arguments": {"questions": {"q": {"type": "yes_no"}}, "rows": ["a"]}}),
    ("tools/call", {"name": "rerank", "arguments": {"model": "no/such", "query": "q", "documents": ["a"]}}),
    ("tasks/get", {"taskId": "run_x"}),
    ("notifications/cancelled", {"requestId": 5}),
    ("logging/setLevel", {"level": "info"}),
)


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """So many messages, the same for the same seed. None holds a line end."""
    random = Random(seed)
    for number in range(count):
        method, params = random.choice(_CALLS)
        message = {"jsonrpc": "2.0", "id": f"m{number}", "method": method, "params": params}
        for _ in range(random.randrange(1, 4)):
            message = _changed(random, message)
        line = json.dumps(message).encode()
        yield (_spoiled(random, line) if random.random() < 0.4 else line).replace(b"\n", b" ")


def _changed(random: Random, value: Any) -> Any:
    """The same with something in it replaced, renamed, dropped or added."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        whole = cast("dict[str, Any]", value)
        name = random.choice(list(whole))
        rest = {key: inner for key, inner in whole.items() if key != name}
        match random.randrange(6):
            case 0:
                return rest
            case 1:
                return rest | {str(random.choice(_ODD))[:50]: whole[name]}
            case 2:
                return whole | {f"x{random.randrange(9)}": random.choice(_ODD)}
            case _:
                return whole | {name: _changed(random, whole[name])}
    if isinstance(value, list) and value and random.random() < 0.5:
        return [*value, random.choice(_ODD), *value]
    return random.choice(_ODD)


def _spoiled(random: Random, line: bytes) -> bytes:
    place = random.randrange(len(line))
    match random.randrange(5):
        case 0:
            return line[:place]
        case 1:
            return line[:place] + bytes([random.randrange(256)]) + line[place + 1 :]
        case 2:
            return line[:place] + b"\\ud800" + line[place:]
        case 3:
            return line[place:] + line[:place]
        case _:
            return line[:place] + line[place // 2 : place] * 3 + line[place:]
