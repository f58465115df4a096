"""Calls for something else than words: the model they name, what they cost, and how they are charged."""

from collections.abc import Callable
from dataclasses import dataclass

from or_mcp.simulator.catalogue import Model
from or_mcp.simulator.catalogue.endpoints import Endpoint
from or_mcp.simulator.catalogue.routing import find_model
from or_mcp.simulator.delivery.framing import Document, Settlement
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.accounts import Account
from or_mcp.simulator.money.pricing import NO_TOKENS, Bill, Tokens
from or_mcp.simulator.run.records import record_call
from or_mcp.simulator.run.validation import Rule, invalid
from or_mcp.simulator.state import Call, State
from or_mcp.simulator.wire import JsonObject, dollars

# What upstream's ids call a kind of call, where that is not its name.
_SHORT = {"embeddings": "emb", "decisions": "dec", "image": "img"}


@dataclass(frozen=True, slots=True)
class Served:
    """A call for something else than words: what it was, who served it, what it used and costs."""

    kind: str
    model: Model
    endpoint: Endpoint
    tokens: Tokens
    bill: Bill


def paid_reply(state: State, call: Call, account: Account, served: Served, payload: JsonObject) -> Document:
    """The reply with its id and its cost, charged when it is delivered."""
    identity = new_identity(state, served)
    payload["usage"] |= costs(served, byok=call.byok)
    check_affordable(account, served, byok=call.byok)
    headers = {"X-Generation-Id": identity}
    return Document({"id": identity} | payload, headers=headers, settle=charging(call, account, served, identity))


def new_identity(state: State, served: Served) -> str:
    """The id of a new call of this kind."""
    return state.new_id(f"gen-{_SHORT.get(served.kind, served.kind)}")


def costs(served: Served, *, byok: bool) -> JsonObject:
    """What `usage` says of money."""
    cost = dollars(served.bill.charged(byok=byok))
    return {"cost": cost, "is_byok": byok, "cost_details": served.bill.details()}


def check_affordable(account: Account, served: Served, *, byok: bool) -> None:
    """Refuse what the account has no money for."""
    cost, left = served.bill.charged(byok=byok), account.remaining
    if cost > left:
        raise Refused(402, f"This request requires more credits: it costs {cost}, {left} are left.")


def charging(call: Call, account: Account, served: Served, identity: str) -> Callable[[Settlement], None]:
    """What charges the account, and records it, when the reply is delivered."""

    def settle(settlement: Settlement) -> None:
        broken = settlement.cost is not None
        cost = Bill(tools=settlement.cost) if settlement.cost is not None else served.bill
        paid = (NO_TOKENS if broken else served.tokens, cost, call.origin, served.kind)
        account.record(record_call(identity, served.model, served.endpoint, *paid, byok=call.byok))

    return settle


def named_model(state: State, body: JsonObject, output: str) -> Model:
    """The concrete model a body names, which must give this output."""
    Rule("string", lambda value: isinstance(value, str)).check(body, "model")
    if not body.get("model"):
        raise invalid('Invalid input: expected string, received undefined at "model"', field="model")
    return state.catalogue.concrete(find_model(state.catalogue, body["model"], output))
