"""The outer model's part of a run: its reasoning, tool calls, citations and answer, and what they cost."""

import re

from or_mcp.simulator.delivery.faults import Fault
from or_mcp.simulator.money.pricing import Tokens
from or_mcp.simulator.run import tools
from or_mcp.simulator.run.asks import Ask, must_use_tools, named_tool
from or_mcp.simulator.run.media import SOUNDS, png, sides, spoken_seconds
from or_mcp.simulator.run.outcomes import Citation, Outcome, ToolCall
from or_mcp.simulator.run.schema import Example, schema_in
from or_mcp.simulator.run.texts import MARK, Writer, dice_for, shortened, token_count, topics
from or_mcp.simulator.run.tools import draw, fetch, list_files, tell_time
from or_mcp.simulator.wire import JsonObject, compact

# What a picture has in Gemini's tokens, a second of sound, and how many pages an answer cites.
_IMAGE_TOKENS, _SOUND_TOKENS, _CITED = 1_290, 32, 3
_EFFORT_TOKENS = {"none": 0, "minimal": 16, "low": 64, "medium": 192, "high": 512, "xhigh": 1024, "max": 2048}


def write(outcome: Outcome, seed: int, fault: Fault, files: list[JsonObject]) -> None:
    """Fill in what the outer model says, and the tokens of it."""
    ask = outcome.ask
    dice = dice_for(seed, "answer", outcome.model.slug, ask.instructions, ask.question)
    writer = Writer(dice, ask.question)
    thought = _reasoning_tokens(outcome)
    if ask.effort not in (None, "none"):
        outcome.reasoning = writer.thought()
    if fault.preamble and outcome.fusion:
        outcome.preamble = f"{MARK}Let me put this to a panel first."
    if fault.empty_completion:
        _say_nothing(outcome)
        return
    if fault.refusal:
        outcome.refusal = fault.refusal if isinstance(fault.refusal, str) else f"{MARK}I can't help with that."
    else:
        outcome.tool_calls = _scripted(ask, seed, fault) or _tool_calls(ask, seed)
        if fault.calls:
            outcome.text = fault.answer or ""
        elif not outcome.tool_calls:
            if outcome.fusion is None and ask.tool_choice != "none":
                _use_tools(outcome, seed, files)
            outcome.text = _answer(outcome, writer, fault)
            _show(outcome, seed)
    _shorten(outcome, thought, fault)
    if outcome.searches or (outcome.fusion and outcome.fusion.sources):
        outcome.citations = _citations(outcome, writer)
    painted = _IMAGE_TOKENS * len(outcome.images)
    spoken = spoken_seconds(outcome.text) * _SOUND_TOKENS if outcome.sound else 0
    said = _said(outcome) + thought + painted + spoken
    outcome.tokens = Tokens(completion=said, reasoning=thought, image_out=painted, audio_out=spoken)


def _use_tools(outcome: Outcome, seed: int, files: list[JsonObject]) -> None:
    ask = outcome.ask
    outcome.searches = int(ask.web.searches)
    page = fetch(ask.question, ask.web.fetch) if ask.web.fetch else None
    if page is not None:
        outcome.uses.append(page)
        outcome.fetches = int("error" not in page.result)
    for tool in ask.server_tools:
        match tool["type"]:
            case tools.DATETIME:
                outcome.uses.append(tell_time(tool))
            case tools.FILES:
                outcome.uses.append(list_files(files))
            case kind if kind in tools.IMAGES:
                outcome.uses.append(draw(tool, ask.question[:200], seed))
            case _:
                continue


def _show(outcome: Outcome, seed: int) -> None:
    """The picture or the sound that comes with the words, or instead of them."""
    ask, gives = outcome.ask, outcome.model.gives
    if "image" in gives and "image" in (ask.modalities or ("image",)):
        outcome.images.append(png(seed, outcome.model.slug, ask.question, **sides(ask.picture_shape)))
    if "audio" in ask.modalities:
        outcome.sound = SOUNDS[ask.sound_form](outcome.text, seed)


def _reasoning_tokens(outcome: Outcome) -> int:
    effort = outcome.ask.effort
    if effort is None:
        effort = "medium" if outcome.model.must_reason else "none"
    wanted = _EFFORT_TOKENS.get(effort, 0)
    if outcome.model.must_reason:
        wanted = max(wanted, _EFFORT_TOKENS["minimal"])
    return min(wanted, (outcome.ask.max_tokens or wanted) * 3 // 4) if "reasoning" in outcome.model.row else 0


def _say_nothing(outcome: Outcome) -> None:
    # Upstream's zero completion insurance: nothing generated, nothing charged.
    outcome.empty = True


def _tool_calls(ask: Ask, seed: int) -> list[ToolCall]:
    return [_tool_call(ask, seed, name) for name in _tools_to_call(ask)]


def _scripted(ask: Ask, seed: int, fault: Fault) -> list[ToolCall]:
    dice = dice_for(seed, "scripted", ask.question, ask.prompt_tokens)
    return [
        ToolCall(
            f"call_{dice.getrandbits(64):016x}",
            each.name,
            each.arguments if isinstance(each.arguments, str) else compact(each.arguments),
        )
        for each in fault.calls or ()
    ]


def _tool_call(ask: Ask, seed: int, name: str) -> ToolCall:
    # The prompt's length keeps the ids of two turns of one conversation apart.
    dice = dice_for(seed, "tool", name, ask.question, ask.prompt_tokens)
    arguments = Example(ask.functions[name] or {"type": "object"}, dice, " ".join(topics(ask.question)[:3])).value()
    return ToolCall(f"call_{dice.getrandbits(64):016x}", name, compact(arguments))


def _tools_to_call(ask: Ask) -> list[str]:
    """The functions that are called at once: the forced one, or all that the question names."""
    choice = ask.tool_choice
    named = named_tool(choice)
    if named is not None:
        return [named] if named in ask.functions else []
    if not ask.functions or choice == "none":
        return []
    mentioned = [name for name in ask.functions if _is_meant(name, ask.question)]
    if must_use_tools(choice):
        # With server tools offered first, the model has already used one of them.
        if ask.server_tools and ask.body["tools"][0] in ask.server_tools:
            return []
        mentioned = mentioned or [next(iter(ask.functions))]
    elif ask.answers_tool:
        return []
    return mentioned[:1] if ask.body.get("parallel_tool_calls") is False else mentioned


def _is_meant(name: str, question: str) -> bool:
    """Whether a question is for a function: it names it, or has every word of its name but the verb it begins with."""
    verb, *things = re.findall(r"[A-Za-z][a-z]*|\d+", name) or [name]
    words = {word.lower() for word in re.findall(r"[A-Za-z]+|\d+", question)}
    return name in question or {thing.lower() for thing in things or [verb]} <= words


def _answer(outcome: Outcome, writer: Writer, fault: Fault) -> str:
    ask, form = outcome.ask, outcome.ask.output_format
    about = " ".join(topics(ask.question)[:3])
    if form["type"] == "json_schema":
        return compact(Example(form["schema"], dice_for("schema", ask.question), about).value())
    if form["type"] == "json_object":
        schema = schema_in(f"{ask.instructions}\n{ask.question}")
        return compact(
            Example(schema, dice_for("schema", ask.question), about).value() if schema else {"answer": about}
        )
    if fault.answer is not None:
        return fault.answer
    text = writer.text(fault.answer_chars)
    if outcome.fusion and not outcome.fusion.replies and fault.answer_chars is None:
        text = f"{MARK}I could not consult the panel; this is my own view.\n{text}"
    return text


def _shorten(outcome: Outcome, thought: int, fault: Fault) -> None:
    limit = outcome.ask.max_tokens or outcome.model.max_output
    room = max(limit - thought, 3)
    if token_count(outcome.text) > room:
        outcome.text = shortened(outcome.text, room * 4)
        outcome.truncated = True
    elif fault.truncated:
        outcome.text = shortened(outcome.text, max(len(outcome.text) * 2 // 3, len(MARK)))
        outcome.truncated = True


def _citations(outcome: Outcome, writer: Writer) -> list[Citation]:
    web, prices = outcome.ask.web, outcome.endpoint.row["pricing"]
    count = min(_CITED, web.results_after(0, prices))
    sources = outcome.fusion.sources if outcome.fusion else writer.sources(count, web)
    found: list[Citation] = []
    at = 0
    for source, line in zip(sources, outcome.text.split("\n"), strict=False):
        content = f"{MARK}{source['title']}: {line}"[: web.characters_for(prices)]
        found.append(Citation(source["url"], source["title"], at, at + len(line), content))
        at += len(line) + 1
    return found


def _said(outcome: Outcome) -> int:
    said = token_count(outcome.text) + token_count(outcome.refusal or "") + token_count(outcome.preamble)
    return said + sum(token_count(call.name + call.arguments) for call in outcome.tool_calls)
