"""Clients of OpenRouter's API that others wrote, each asked for what it supports: one line of JSON with what came of it.

Run as `python python_callers.py NAME BASE_URL KEY MORE` in the environment they are installed in; MORE is where the
requests are, or where the MCP server is.
"""

import asyncio
import base64
import json
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
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SEEN = [
    {"type": "text", "text": QUESTION},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
]
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
    seen = [{"role": "user", "content": SEEN}]
    yield "vision", client.chat.completions.create(model=MODEL, messages=seen).choices[0].message.content
    drawn = client.chat.completions.create(model=PAINTER, messages=asked).choices[0].message
    yield "images", len(drawn.model_extra["images"])
    yield "pictures", failure_of(lambda: client.images.generate(model="openai/gpt-image-2", prompt="A harbour"))
    sound = client.audio.speech.create(model=VOICE, voice="alloy", input="Hello", response_format="mp3")
    yield "speech", len(sound.content)
    heard = client.audio.transcriptions.create(model="openai/whisper-1", file=("a.mp3", sound.content))
    yield "transcripts", heard.text
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
    pixel = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    seen = [{"type": "image", "source": pixel}, {"type": "text", "text": QUESTION}]
    yield "images", client.messages.create(**ask | {"messages": [{"role": "user", "content": seen}]}).content[0].text
    fusing = ask | {"tools": [FUSION], "tool_choice": {"type": "any"}}
    names = [getattr(block, "name", "") for block in client.messages.create(**fusing).content]
    yield "fusion", names.count("openrouter:fusion")
    with client.messages.stream(**fusing) as stream:
        yield (
            "fusion_streamed",
            [getattr(block, "name", "") for block in stream.get_final_message().content].count("openrouter:fusion"),
        )
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
    seen = [{"role": "user", "content": SEEN}]
    yield "vision", client.chat.send(**ask | {"messages": seen}).choices[0].message.content
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
    sound = {"data": base64.b64encode(bytes(32)).decode(), "format": "mp3"}
    yield "transcripts", client.stt.create_transcription(model="openai/whisper-1", input_audio=sound).text
    film = client.video_generation.generate(model="google/veo-3.1", prompt="A harbour")
    states = [client.video_generation.get_generation(job_id=film.id).status for _ in range(2)]
    yield "film", states[-1] == "completed"
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


def with_mcp(base_url, key, server):
    """A model uses the tools of an MCP server, the way OpenRouter's page about such servers shows it."""
    yield from asyncio.run(use_mcp(base_url, key, json.loads(server)))


async def use_mcp(base_url, key, server):
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from openai import OpenAI

    openai = OpenAI(base_url=base_url, api_key=key)
    model, messages = (
        "anthropic/claude-3-7-sonnet",
        [{"role": "user", "content": "Please list models, with list_models."}],
    )
    async with stdio_client(StdioServerParameters(**server)) as streams, ClientSession(*streams) as session:
        await session.initialize()
        tools = [as_function(tool) for tool in (await session.list_tools()).tools]
        response = openai.chat.completions.create(model=model, tools=tools, messages=messages)
        # With all its nulls, and the result as the parts it came in.
        messages.append(response.choices[0].message.model_dump())
        call = response.choices[0].message.tool_calls[0]
        result = await session.call_tool(call.function.name, json.loads(call.function.arguments))
    output = {"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result.content}
    answer = openai.chat.completions.create(model=model, max_tokens=1000, messages=[*messages, output])
    text = answer.choices[0].message.content
    return [
        ("offered", len(tools)),
        ("called", call.function.name),
        ("answered", result.content[0].text),
        ("text", text),
    ]


def as_function(tool):
    schema = tool.inputSchema
    parameters = {"type": "object", "properties": schema["properties"], "required": schema.get("required", [])}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


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
    made = litellm.image_generation(model=f"openrouter/{PAINTER}", prompt="A harbour", api_base=base_url, api_key=key)
    yield "pictures", len(made.data)
    seen = [{"role": "user", "content": SEEN}]
    yield "vision", litellm.completion(**ask | {"messages": seen}).choices[0].message.content
    vectors = litellm.embedding(
        model="openrouter/openai/text-embedding-3-small", input=["a"], api_base=base_url, api_key=key
    )
    yield "embeddings", len(vectors.data[0]["embedding"])
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
    plain = {name: value for name, value in ask.items() if name != "response_model"}
    reply = client.chat.completions.create(**plain, response_model=None)
    yield "text", reply.choices[0].message.content
    yield "stream", list(client.chat.completions.create_partial(**ask))[-1].city
    seen = [{"role": "user", "content": SEEN}]
    yield "vision", client.chat.completions.create(**ask | {"messages": seen}).city
    yield "reasoning", client.chat.completions.create(**ask, reasoning_effort="high").city
    yield "fusion", client.chat.completions.create(**ask | {"model": "openrouter/fusion"}).city


def with_dspy(base_url, key, _):
    import dspy

    def model(slug, **settings):
        return dspy.LM(f"openrouter/{slug}", api_base=base_url, api_key=key, cache=False, **settings)

    dspy.configure(lm=model(MODEL))
    yield "text", model(MODEL)(QUESTION)[0]
    yield "structure", dspy.Predict("question -> city: str")(question=QUESTION).city
    # Its usual form of an answer is one that only a model can write; JSON is asked for by a schema.
    with dspy.context(adapter=dspy.JSONAdapter(use_native_function_calling=True)):
        yield "stream", asyncio.run(streamed_by_dspy(dspy))
        calling = dspy.Predict("question, tools: list[dspy.Tool] -> calls: dspy.ToolCalls")
        called = calling(question="Please use get_weather.", tools=[dspy.Tool(get_weather)])
    yield "tools", called.calls.tool_calls[0].args["city"]
    yield "reasoning", model(THINKER, reasoning_effort="high")(QUESTION)[0]["reasoning_content"]
    shown = dspy.Predict("image: dspy.Image -> city: str")
    yield "vision", shown(image=dspy.Image(f"data:image/png;base64,{PIXEL}")).city
    yield "fusion", model("openrouter/fusion")(QUESTION)[0]


async def streamed_by_dspy(dspy):
    asking = dspy.streamify(dspy.Predict("question -> answer"), include_final_prediction_in_output_stream=True)
    return [type(part).__name__ async for part in asking(question=QUESTION)]


def with_langchain(base_url, key, _):
    from langchain_openrouter import ChatOpenRouter

    model = ChatOpenRouter(model=MODEL, base_url=base_url, api_key=key)
    yield "text", model.invoke(QUESTION).text
    yield "stream", "".join(chunk.text for chunk in model.stream(QUESTION))
    tool = {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}
    yield "tools", model.bind_tools([tool], tool_choice="any").invoke(QUESTION).tool_calls[0]["args"]["city"]
    thinker = ChatOpenRouter(model=THINKER, base_url=base_url, api_key=key, reasoning={"effort": "high"})
    yield "reasoning", thinker.invoke(QUESTION).additional_kwargs["reasoning_content"]
    yield "vision", model.invoke([{"role": "user", "content": SEEN}]).text
    yield "fusion", ChatOpenRouter(model="openrouter/fusion", base_url=base_url, api_key=key).invoke(QUESTION).text
    yield "structure", model.with_structured_output({"title": "Place", **SCHEMA}).invoke(QUESTION)["city"]


def with_pydantic_ai(base_url, key, _):
    from openai import AsyncOpenAI
    from pydantic import BaseModel
    from pydantic_ai import Agent, BinaryContent
    from pydantic_ai.capabilities import WebSearch
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

    seen = [QUESTION, BinaryContent(data=base64.b64decode(PIXEL), media_type="image/png")]
    yield "vision", asyncio.run(Agent(model(MODEL)).run(seen)).output
    searching = Agent(model(MODEL), capabilities=[WebSearch(local=False)])
    yield "search", asyncio.run(searching.run(QUESTION)).output

    def responding():
        # A client keeps connections of the loop that it was first used in, so each has one of its own.
        return OpenAIResponsesModel("openrouter/fusion", provider=provider())

    yield "fusion", asyncio.run(streamed(Agent(responding())))
    yield "fusion_unstreamed", failure_of(lambda: asyncio.run(Agent(responding()).run(QUESTION)))
    yield "fusion_on_chat", failure_of(lambda: asyncio.run(Agent(model("openrouter/fusion")).run(QUESTION)))


def get_weather(city: str) -> str:
    """Weather."""
    return f"Rain in {city}"


def failure_of(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def streamed(agent):
    async with agent.run_stream(QUESTION) as reply:
        return "".join([text async for text in reply.stream_text(delta=True)])


def with_llm(base_url, key, _):
    import llm
    import llm_openrouter

    def model(slug, **more):
        known = {"vision": True, "reasoning": True, "supports_schema": True, "supports_tools": True, "headers": {}}
        made = llm_openrouter.OpenRouterChat(
            model_id=f"openrouter/{slug}", model_name=slug, api_base=base_url, **known | more
        )
        made.key = key
        return made

    chat = model(MODEL)
    yield "text", chat.prompt(QUESTION, stream=False).text()
    yield "stream", "".join(chat.prompt(QUESTION, stream=True))
    yield "structure", json.loads(chat.prompt(QUESTION, schema=SCHEMA, stream=False).text())["city"]
    used = chat.chain("Please use get_weather.", tools=[get_weather], stream=False)
    yield "tools", [call.arguments["city"] for response in used.responses() for call in response.tool_calls()]
    pixel = llm.Attachment(type="image/png", content=base64.b64decode(PIXEL))
    yield "vision", chat.prompt(QUESTION, attachments=[pixel], stream=False).text()
    yield "reasoning", chat.prompt(QUESTION, reasoning_effort="high", stream=False).text()
    yield "fusion", model("openrouter/fusion").prompt(QUESTION, stream=False).text()


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
