"""A model with tools: step by step, until it answers or something ends it."""

from __future__ import annotations

from tests.conftest import Connect, Upstream, text_of
from tests.oracle import request_problems
from tests.servers.world import CHAT, World, answers, asked, calls, outputs, sent

ECHO = {"does": "echo"}
READ = ['{"text": "a"}', '{"text": "b"}']


async def test_a_model_uses_tools_in_several_steps_and_answers(connect: Connect, upstream: Upstream, world: World):
    file = world.serve("files", {"read": ECHO, "write": ECHO}, allow=["*"])
    upstream.script(
        calls(("files__read", {"text": "a"}), ("files__read", {"text": "b"}), answer="First I look."),
        calls(("files__write", {"text": "c"})),
        answers("It is done."),
    )
    async with connect(OR_MCP_SERVERS=file) as client:
        answer = await asked(client)
        trace = text_of(await client.call_tool("run", {"run_id": answer["run_id"], "part": "events"}))
    assert (answer["status"], answer["text"]) == ("completed", "It is done.")
    assert sorted(world.calls("files")[:2], key=str) == [["read", {"text": "a"}], ["read", {"text": "b"}]]
    assert world.calls("files")[2:] == [["write", {"text": "c"}]]
    bodies = sent(upstream)
    assert not [problem for body in bodies for problem in request_problems(CHAT, body)]
    assert [tool["function"]["name"] for tool in bodies[0]["tools"]] == ["files__read", "files__write"]
    assert all(f"read heard {text}" in output for text, output in zip(READ, outputs(bodies[1]), strict=True))
    assert "write heard" in outputs(bodies[2])[2]
    assert "3 steps, 3 calls of tools" in " ".join(answer["notes"])
    for told in ("files__read", '{"text":"a"}', "allow in the file", "heard", "First I look."):
        assert told in trace


async def test_without_servers_there_is_no_such_argument(connect: Connect):
    async with connect() as client:
        (ask,) = [tool for tool in (await client.list_tools()).tools if tool.name == "ask"]
        refused = text_of(await client.call_tool("ask", {"servers": ["files"], "prompt": "?"}))
    assert not {"servers", "max_steps"} & ask.input_schema["properties"].keys()
    assert refused.startswith("invalid_request: There is no argument 'servers'")


async def test_with_servers_the_argument_names_them(connect: Connect, world: World):
    world.serve("files", {"read": ECHO})
    file = world.serve("git", {"log": ECHO})
    async with connect(OR_MCP_SERVERS=file) as client:
        (ask,) = [tool for tool in (await client.list_tools()).tools if tool.name == "ask"]
        refused = text_of(await client.call_tool("ask", {"servers": ["fils"], "prompt": "?"}))
    names = list(ask.input_schema["properties"])
    assert "files, git" in ask.input_schema["properties"]["servers"]["description"]
    assert names[-6:] == ["servers", "max_steps", "rows", "rows_file", "instructions", "prompt"]
    assert "did you mean 'files'?" in refused


async def test_after_max_steps_it_ends_and_says_what_was_left_undone(
    connect: Connect, upstream: Upstream, world: World
):
    file = world.serve("files", {"read": ECHO}, allow=["*"])
    upstream.script(*[calls(("files__read", {"text": f"{n}"})) for n in range(9)])
    async with connect(OR_MCP_SERVERS=file) as client:
        answer = await asked(client, max_steps=3)
        again = await asked(client, continue_run=answer["run_id"], max_steps=1, servers=[], prompt="Go on.")
    assert len(sent(upstream)) == 4
    assert [given["text"] for _, given in world.calls("files")] == ["0", "1"]
    assert any("Ended after 3 steps" in note and "files__read" in note for note in answer["notes"])
    assert "tool_calls" not in answer
    assert outputs(sent(upstream)[3])[2].startswith("Not carried out")
    assert again["run_id"] != answer["run_id"]
