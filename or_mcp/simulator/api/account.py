"""The GETs about an account: key, credits, activity, generation."""

from datetime import UTC, date, datetime, timedelta

from or_mcp.simulator.delivery.framing import Document
from or_mcp.simulator.delivery.refusals import Refused
from or_mcp.simulator.money.accounts import key_row
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.state import Call, State

_DAYS_KEPT = 30


def show_key(state: State, call: Call) -> Document:
    """GET /key."""
    return Document({"data": key_row(state.account_of(call), management=call.management)})


def _managed(state: State, call: Call) -> None:
    state.account_of(call)
    if not call.management:
        raise Refused(403, "Only management keys can perform this operation")


def show_credits(state: State, call: Call) -> Document:
    """GET /credits; management keys only."""
    _managed(state, call)
    return Document({"data": state.ledger.credits_row()})


def show_activity(state: State, call: Call) -> Document:
    """GET /activity; management keys only. Unlike upstream it shows the current day too."""
    _managed(state, call)
    day = call.query.get("date")
    if day is not None:
        _check_day(day)
    return Document({"data": state.ledger.activity_rows(day)})


def _check_day(day: str) -> None:
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise invalid(f'Invalid date: expected YYYY-MM-DD, received "{day}" at "date"', field="date") from None
    today = datetime.now(UTC).date()
    if not today - timedelta(days=_DAYS_KEPT) <= asked <= today:
        raise invalid(f"Date must be within the last {_DAYS_KEPT} days", field="date")


def show_generation(state: State, call: Call) -> Document:
    """GET /generation?id=."""
    account = state.account_of(call)
    identity = call.query.get("id")
    if not identity:
        raise invalid('Invalid input: expected string, received undefined at "id"', field="id")
    found = state.ledger.find(identity, state.ledger.accounts if call.management else [account])
    if found is None:
        raise Refused(404, f"Generation {identity} not found")
    return Document({"data": found.details})


def show_content(state: State, call: Call) -> Document:
    """GET /generation/content?id=: what was asked and answered, which this account has switched on."""
    show_generation(state, call)
    told = state.told.get(call.query["id"].removeprefix("resp_"))
    if told is None:
        raise Refused(404, f"Generation {call.query['id']} has no stored content")
    return Document({"data": told})
