"""POST /api/alpha/decisions: typed questions about a state, answered with probabilities."""

from collections.abc import Callable
from random import Random
from typing import Any

from or_mcp.simulator.api.paying import Served, charging, check_affordable, costs, named_model, new_identity
from or_mcp.simulator.catalogue.routing import Route, choose_endpoint
from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.money.pricing import Tokens, bill
from or_mcp.simulator.run.counting import Counter
from or_mcp.simulator.run.texts import dice_for
from or_mcp.simulator.run.validation import invalid, read_preferences
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, as_list, as_object, compact


def decide(state: State, call: Call) -> Document:
    """The answers, one for each question."""
    account = state.inference_account(call)
    body = as_object(call.request.body)
    model = named_model(state, body, "decisions")
    questions = as_object(body.get("questions"))
    if not questions:
        raise invalid('Invalid input: expected a non-empty object at "questions"', field="questions")
    if body.get("state") is None:
        raise invalid('Invalid input: expected a value at "state"', field="state")
    asked = compact([body["state"], questions])
    answers = {
        name: _answer(name, as_object(each), dice_for(state.seed, name, asked)) for name, each in questions.items()
    }
    endpoint = choose_endpoint(state.catalogue, model, Route(read_preferences(body), dearest=call.fault.dearest))
    tokens = Tokens(Counter(call.fault.tokens_per_char).text(asked), len(questions))
    served = Served("decisions", model, endpoint, tokens, bill(endpoint.row["pricing"], tokens))
    check_affordable(account, served, byok=call.byok)
    usage = {"input_tokens": tokens.prompt, "output_tokens": tokens.completion}
    usage |= {"cost": costs(served, byok=call.byok)["cost"]}
    identity = new_identity(state, served)
    payload: JsonObject = {"id": identity, "model": model.slug, "provider": endpoint.provider.name}
    keep = charging(call, account, served, identity)
    return Document(payload | {"answers": answers, "usage": usage}, headers={"X-Generation-Id": identity}, settle=keep)


def _answer(name: str, question: JsonObject, dice: Random) -> JsonObject:
    kind = str(question.get("type"))
    if kind not in _ANSWERS:
        raise invalid(
            f'Invalid option: expected one of {"|".join(_ANSWERS)} at "questions.{name}.type"', field="questions"
        )
    if not question.get("instructions"):
        raise invalid(f'Invalid input: expected a value at "questions.{name}.instructions"', field="questions")
    return {"type": kind} | _ANSWERS[kind](name, question, dice)


def _choice(name: str, question: JsonObject, dice: Random) -> JsonObject:
    options = list(as_object(question.get("criteria")))
    if not options:
        raise invalid(f'Invalid input: expected a non-empty object at "questions.{name}.criteria"', field="questions")
    shares = _shares(options, dice)
    best = max(shares, key=lambda each: shares[each])
    return {"choice": best, "confidence": shares[best], "probabilities": shares}


def _shares(options: list[str], dice: Random) -> dict[str, float]:
    weights = [dice.random() + 0.05 for _ in options]
    return {option: round(weight / sum(weights), 4) for option, weight in zip(options, weights, strict=True)}


def _noul(_name: str, _question: JsonObject, dice: Random) -> JsonObject:
    return {"noul": round(dice.random(), 4)}


def _score(name: str, question: JsonObject, dice: Random) -> JsonObject:
    criteria: list[Any] = as_list(question.get("criteria"))
    if not criteria:
        raise invalid(f'Invalid input: expected a non-empty array at "questions.{name}.criteria"', field="questions")
    shares = _shares([str(n) for n in range(len(criteria))], dice)
    score = sum(int(step) * share for step, share in shares.items())
    return {"score": round(score, 4), "confidence": max(shares.values()), "probabilities": shares}


def _box(_name: str, _question: JsonObject, dice: Random) -> JsonObject:
    left, top = round(dice.uniform(0, 0.5), 3), round(dice.uniform(0, 0.5), 3)
    return {"box": {"left": left, "top": top, "right": left + 0.4, "bottom": top + 0.4}, "confidence": 0.5}


_ANSWERS: dict[str, Callable[[str, JsonObject, Random], JsonObject]] = {
    "choice": _choice,
    "noul": _noul,
    "score": _score,
    "box": _box,
}
