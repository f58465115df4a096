"""Clients of OpenRouter's API that others wrote, each asked for what it supports: one line of JSON with what came of it.

Run as `python python_callers.py NAME BASE_URL KEY MORE` in the environment they are installed in; MORE is where the
requests are, or where the MCP server is.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

MODEL, CLAUDE, THINKER = "openai/gpt-5.6-luna", "anthropic/claude-haiku-4.5", "deepseek/deepseek-r1-0528"
QUESTION = "Monolith or microservices for a small team?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
FUSION = {"type": "openrouter:fusion", "parameters": {"analysis_models": ["z-ai/glm-5.2"]}}
FUSED = {"model": CLAUDE, "input": QUESTION, "tools": [FUSION], "tool_choice": "required", "max_tool_calls": 1}
PAINTER, VOICE = "google/gemini-3.1-flash-image", "openai/gpt-4o-mini-tts-2025-12-15"


def with_openai(base_url, key, _):
    from openai import OpenAI

    client = OpenAI(base_url=base_url, api_key=key, max_retries=0)
    asked = [{"role": "user", "content": QUESTION}]
    yield "text", client.chat.completions.create(model=MODEL, messages=asked).choices[0].message.content
    chunks = client.chat.completions.create(model=MODEL, messages=asked, stream=True)
    yield "stream", "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    forced = {"model": MODEL, "messages": asked, "tools": [TOOL], "tool_choice": "required"}
    message = client.chat.completions.create(**forced).choices[0].message
    call = message.tool_calls[0]
    yield "tools", json.loads(call.function.arguments)["city"]
    answered = [
        *asked,
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "Rain"},
    ]
    yield (
        "tool answered",
        client.chat.completions.create(model=MODEL, messages=answered, tools=[TOOL]).choices[0].message.content,
    )
    reply = client.chat.completions.create(model=MODEL, messages=asked, response_format=FORM)
    yield "structure", json.loads(reply.choices[0].message.content)["city"]
    yield (
        "embeddings",
        len(client.embeddings.create(model="openai/text-embedding-3-small", input=["a"]).data[0].embedding),
    )
    yield "responses", client.responses.create(model=MODEL, input=QUESTION, reasoning={"effort": "low"}).output_text
    thought = client.responses.create(model=THINKER, input=QUESTION, reasoning={"effort": "high"})
    yield "reasoning", thought.output[0].content[0].text
    events = client.responses.create(model=MODEL, input=QUESTION, stream=True)
    yield "responses stream", "".join(event.delta for event in events if event.type == "response.output_text.delta")
    # Its pictures go to /images/generations, which OpenRouter does not have.
    sound = client.audio.speech.create(model=VOICE, voice="alloy", input="Hello", response_format="mp3")
    yield "speech", len(sound.content)
    fused = client.responses.create(**FUSED)
    yield "fusion", [item.type for item in fused.output].count("openrouter:fusion")


def with_anthropic(base_url, key, _):
    from anthropic import Anthropic

    client = Anthropic(base_url=base_url.removesuffix("/v1"), auth_token=key, max_retries=0)
    ask = {"model": CLAUDE, "max_tokens": 900, "messages": [{"role": "user", "content": QUESTION}]}
    yield "text", client.messages.create(**ask).content[0].text
    with client.messages.stream(**ask) as stream:
        yield "stream", stream.get_final_text()
    tool = {"name": "get_weather", "input_schema": SCHEMA}
    reply = client.messages.create(**ask, tools=[tool], tool_choice={"type": "any"})
    yield "tools", reply.content[-1].input["city"]
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    yield "structure", json.loads(client.messages.create(**ask, output_config=form).content[0].text)["city"]
    thinking = {"type": "enabled", "budget_tokens": 1024}
    reply = client.messages.create(**ask | {"max_tokens": 3000}, thinking=thinking)
    yield "reasoning", reply.content[0].thinking
    kept = [*ask["messages"], {"role": "assistant", "content": [each.model_dump() for each in reply.content]}]
    kept.append({"role": "user", "content": "And then?"})
    again = client.messages.create(**ask | {"messages": kept, "max_tokens": 3000}, thinking=thinking)
    yield "reasoning kept", again.content[-1].text
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}
    reply = client.messages.create(**ask, tools=[search])
    yield "search", [block.type for block in reply.content].index("web_search_tool_result")
    cached = client.messages.create(
        **ask | {"system": [{"type": "text", "text": QUESTION * 200, "cache_control": {"type": "ephemeral"}}]}
    )
    yield "cache", cached.usage.cache_creation_input_tokens


def with_openrouter(base_url, key, _):
    from openrouter import OpenRouter

    client = OpenRouter(server_url=base_url, api_key=key)
    ask = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
    yield "text", client.chat.send(**ask).choices[0].message.content
    chunks = client.chat.send(**ask, stream=True)
    yield "stream", "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    call = client.chat.send(**ask, tools=[TOOL], tool_choice="required").choices[0].message.tool_calls[0]
    yield "tools", json.loads(call.function.arguments)["city"]
    reply = client.chat.send(**ask, response_format=FORM)
    yield "structure", json.loads(reply.choices[0].message.content)["city"]
    drawn = client.chat.send(**ask | {"model": PAINTER}).choices[0].message
    yield "images", len(drawn.images)
    made = client.images.generate(model="openai/gpt-image-2", prompt="A harbour").data[0]
    yield "pictures", len(made.b64_json)
    thinking = client.responses.send(model=CLAUDE, input=QUESTION, reasoning={"effort": "low"})
    yield "reasoning", thinking.output[0].type == "reasoning"
    fused = client.responses.send(**FUSED)
    yield "fusion", [item.type for item in fused.output].count("openrouter:fusion")
    events = client.responses.send(**FUSED, stream=True)
    yield "fusion, streamed", [event.type for event in events].count("response.fusion_call.completed")
    speech = client.tts.create_speech(model=VOICE, voice="alloy", input="Hello")
    yield "speech", len(speech.read())
    vectors = client.embeddings.generate(model="openai/text-embedding-3-small", input=["a"])
    yield "embeddings", len(vectors.data[0].embedding)


def with_requests(base_url, key, file):
    import requests

    for each in json.loads(Path(file).read_text(encoding="utf-8")):
        used = each.get("key", key)
        reply = requests.request(
            each["method"],
            base_url + each["path"],
            headers={"Authorization": f"Bearer {used}", "Content-Type": "application/json"} if used else {},
            json=each["body"],
            stream=bool((each["body"] or {}).get("stream")),
        )
        if "event-stream" not in reply.headers["content-type"]:
            yield each["name"], [reply.status_code, reply.json()]
            continue
        lines = [line for line in reply.iter_lines() if line.startswith(b"data: ") and line != b"data: [DONE]"]
        events = [json.loads(line[6:]) for line in lines]
        yield each["name"], [reply.status_code, events]


def with_mcp(base_url, key, url):
    """A model of OpenRouter uses the tools of an MCP server, as functions of OpenAI's form."""
    yield from asyncio.run(use_mcp(base_url, key, url))


async def use_mcp(base_url, key, url):
    from mcp import Client
    from openai import OpenAI

    openai = OpenAI(base_url=base_url, api_key=key)
    said = [{"role": "user", "content": "Please list models, with list_models."}]
    async with Client(url) as client:
        offered = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
            }
            for tool in (await client.list_tools()).tools
        ]
        message = openai.chat.completions.create(model=CLAUDE, tools=offered, messages=said).choices[0].message
        said.append(message.model_dump(exclude_none=True))
        call = message.tool_calls[0]
        result = await client.call_tool(call.function.name, json.loads(call.function.arguments))
        text = "".join(part.text for part in result.content if part.type == "text")
        said.append({"role": "tool", "tool_call_id": call.id, "content": text})
    answer = openai.chat.completions.create(model=CLAUDE, max_tokens=1000, messages=said).choices[0].message.content
    return [("offered", len(offered)), ("called", call.function.name), ("answered", text), ("text", answer)]


def with_litellm(base_url, key, _):
    import litellm

    ask = {"model": f"openrouter/{MODEL}", "api_base": base_url, "api_key": key}
    ask["messages"] = [{"role": "user", "content": QUESTION}]
    yield "text", litellm.completion(**ask).choices[0].message.content
    yield "stream", "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**ask, stream=True))
    call = litellm.completion(**ask, tools=[TOOL], tool_choice="required").choices[0].message.tool_calls[0]
    yield "tools", json.loads(call.function.arguments)["city"]
    thinking = litellm.completion(**ask | {"model": f"openrouter/{THINKER}"}, reasoning_effort="high")
    yield "reasoning", thinking.choices[0].message.reasoning_content
    drawn = litellm.completion(**ask | {"model": f"openrouter/{PAINTER}"}).choices[0].message
    yield "images", len(drawn.images)
    fused = litellm.completion(**ask | {"model": "openrouter/openrouter/fusion"}).choices[0].message
    yield "fusion", fused.content
    yield "structure", json.loads(litellm.completion(**ask, response_format=FORM).choices[0].message.content)["city"]


def with_instructor(base_url, key, _):
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str

    ask = {
        "model": MODEL,
        "response_model": Place,
        "max_retries": 0,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA):
        client = instructor.from_openai(OpenAI(base_url=base_url, api_key=key), mode=mode)
        yield mode.name.lower(), client.chat.completions.create(**ask).city


def with_dspy(base_url, key, _):
    import dspy

    dspy.configure(lm=dspy.LM(f"openrouter/{MODEL}", api_base=base_url, api_key=key, cache=False))
    yield "text", dspy.LM(f"openrouter/{MODEL}", api_base=base_url, api_key=key, cache=False)(QUESTION)[0]
    yield "structure", dspy.Predict("question -> city: str")(question=QUESTION).city


def with_langchain(base_url, key, _):
    from langchain_openrouter import ChatOpenRouter

    model = ChatOpenRouter(model=MODEL, base_url=base_url, api_key=key)
    yield "text", model.invoke(QUESTION).text
    yield "stream", "".join(chunk.text for chunk in model.stream(QUESTION))
    tool = {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}
    yield "tools", model.bind_tools([tool], tool_choice="any").invoke(QUESTION).tool_calls[0]["args"]["city"]
    thinker = ChatOpenRouter(model=THINKER, base_url=base_url, api_key=key, reasoning={"effort": "high"})
    yield "reasoning", thinker.invoke(QUESTION).additional_kwargs["reasoning_content"]
    yield "fusion", ChatOpenRouter(model="openrouter/fusion", base_url=base_url, api_key=key).invoke(QUESTION).text
    yield "structure", model.with_structured_output({"title": "Place", **SCHEMA}).invoke(QUESTION)["city"]


def with_pydantic_ai(base_url, key, _):
    from openai import AsyncOpenAI
    from pydantic import BaseModel
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.models.openrouter import OpenRouterModel
    from pydantic_ai.providers.openrouter import OpenRouterProvider

    class Place(BaseModel):
        city: str

    def provider():
        return OpenRouterProvider(openai_client=AsyncOpenAI(base_url=base_url, api_key=key))

    def model(slug):
        return OpenRouterModel(slug, provider=provider())

    yield "text", asyncio.run(Agent(model(MODEL)).run(QUESTION)).output
    yield "structure", asyncio.run(Agent(model(MODEL), output_type=Place).run(QUESTION)).output.city
    yield "stream", asyncio.run(streamed(Agent(model(MODEL))))
    agent = Agent(model(MODEL))
    agent.tool_plain(get_weather)
    used = asyncio.run(agent.run("Please use get_weather.")).all_messages()
    yield "tools", [part.content for part in used[2].parts]
    settings = {"openrouter_reasoning": {"effort": "low"}}
    first = asyncio.run(Agent(model(CLAUDE), model_settings=settings).run(QUESTION))
    yield "reasoning", [part.part_kind for part in first.all_messages()[-1].parts].index("thinking")
    second = Agent(model(CLAUDE), model_settings=settings).run("And then?", message_history=first.all_messages())
    yield "reasoning kept", asyncio.run(second).output

    def responding():
        # A client keeps connections of the loop that it was first used in, so each has one of its own.
        return OpenAIResponsesModel("openrouter/fusion", provider=provider())

    yield "fusion", asyncio.run(streamed(Agent(responding())))
    yield "fusion_unstreamed", asyncio.run(failure_of(Agent(responding())))
    yield "fusion_on_chat", asyncio.run(failure_of(Agent(model("openrouter/fusion"))))


def get_weather(city: str) -> str:
    """Weather."""
    return f"Rain in {city}"


async def failure_of(agent):
    try:
        await agent.run(QUESTION)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def streamed(agent):
    async with agent.run_stream(QUESTION) as reply:
        return "".join([text async for text in reply.stream_text(delta=True)])


def with_llm(base_url, key, _):
    import llm
    import llm_openrouter

    os.environ["OPENROUTER_KEY"] = key
    chat = llm_openrouter.OpenRouterChat(
        model_id=f"openrouter/{MODEL}", model_name=MODEL, api_base=base_url, headers={}, vision=False, reasoning=False
    )
    yield "text", chat.prompt(QUESTION, key=key, stream=False).text()
    yield "stream", "".join(chat.prompt(QUESTION, key=key, stream=True))
    yield "version", llm.__name__


def main(name, base_url, key, more=""):
    done = {}
    try:
        for what, came in globals()[f"with_{name}"](base_url, key, more):
            done[what] = came
    except Exception as error:
        done["failed"] = f"{type(error).__name__}: {error}"[:600]
    print(json.dumps(done, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
