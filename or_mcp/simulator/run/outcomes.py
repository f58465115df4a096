"""What a run produced, before any API spells it."""

from dataclasses import dataclass, field
from decimal import Decimal

from or_mcp.simulator.catalogue.endpoints import Endpoint
from or_mcp.simulator.catalogue.models import Model
from or_mcp.simulator.money.pricing import NO_BILL, NO_TOKENS, Bill, Tokens
from or_mcp.simulator.run.asks import Ask
from or_mcp.simulator.run.tools import ToolUse
from or_mcp.simulator.run.web import FETCH_TOOLS
from or_mcp.simulator.wire import JsonObject

_NATIVE = {
    "anthropic": {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"},
    "openai": {"stop": "completed", "length": "max_output_tokens", "tool_calls": "completed"},
    "google": {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"},
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A page cited for part of the answer."""

    url: str
    title: str
    start: int
    end: int
    content: str = ""

    def flat(self) -> JsonObject:
        """As /responses spells it."""
        span: JsonObject = {"start_index": self.start, "end_index": self.end}
        return {"type": "url_citation", "url": self.url, "title": self.title, **span}

    def nested(self) -> JsonObject:
        """As /chat/completions spells it."""
        detail = self.flat() | {"content": self.content}
        detail.pop("type")
        return {"type": "url_citation", "url_citation": detail}


@dataclass(slots=True)
class Panelist:
    """One member of a panel, and what became of it."""

    model: str
    reply: str = ""
    reasoning: str = ""
    error: str | None = None
    status_code: int | None = None
    tokens: Tokens = NO_TOKENS
    bill: Bill = NO_BILL

    def failure(self) -> JsonObject:
        """Its entry in `failed_models`."""
        coded: JsonObject = {"status_code": self.status_code} if self.status_code is not None else {}
        return {"model": self.model, "error": self.error} | coded


@dataclass(slots=True)
class FusionRun:
    """A panel convened once."""

    id: str
    prompt: str
    panel: list[Panelist]
    analyst: str
    analysis: JsonObject | None = None
    failure_reason: str | None = None
    error: str | None = None
    sources: list[JsonObject] = field(default_factory=list[JsonObject])
    analyst_tokens: Tokens = NO_TOKENS
    analyst_bill: Bill = NO_BILL
    # A second call was made and refused.
    capped: bool = False
    byok: bool = False
    # The tokens of the panel's and the analyst's texts, which the outer model reads.
    written: int = 0

    @property
    def replies(self) -> list[Panelist]:
        """The panelists that answered."""
        return [panelist for panelist in self.panel if panelist.error is None]

    @property
    def failures(self) -> list[Panelist]:
        """The panelists that did not."""
        return [panelist for panelist in self.panel if panelist.error is not None]

    @property
    def cost(self) -> Decimal:
        """What panel and analyst are charged."""
        bills = [*(panelist.bill for panelist in self.panel), self.analyst_bill]
        return sum((each.charged(byok=self.byok) for each in bills), Decimal(0))

    def item(self) -> JsonObject:
        """The full record, as /responses gives it."""
        item: JsonObject = {"id": self.id, "type": "openrouter:fusion"}
        item["status"] = "completed" if self.replies else "incomplete"
        item |= self._verdict()
        if self.replies:
            item["responses"] = [{"model": each.model, "content": each.reply} for each in self.replies]
        if self.failures:
            item["failed_models"] = [each.failure() for each in self.failures]
        if self.sources:
            item["sources"] = self.sources
        return item

    def chat_result(self) -> JsonObject:
        """The record without the panel's texts, as /chat/completions gives it."""
        result: JsonObject = {"status": "ok" if self.replies else "error"} | self._verdict()
        if self.replies:
            result["models"] = [each.model for each in self.replies]
        if self.failures:
            result["failed_models"] = [each.failure() for each in self.failures]
        return result

    def _verdict(self) -> JsonObject:
        parts = {"analysis": self.analysis, "failure_reason": self.failure_reason, "error": self.error}
        return {name: part for name, part in parts.items() if part is not None}


@dataclass(slots=True)
class Outcome:
    """A finished run."""

    ask: Ask
    id: str
    created: int
    requested: Model
    endpoint: Endpoint
    model: Model
    text: str = ""
    refusal: str | None = None
    preamble: str = ""
    reasoning: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    citations: list[Citation] = field(default_factory=list[Citation])
    fusion: FusionRun | None = None
    searches: int = 0
    truncated: bool = False
    empty: bool = False
    fetches: int = 0
    uses: list[ToolUse] = field(default_factory=list[ToolUse])
    images: list[bytes] = field(default_factory=list[bytes])
    sound: bytes = b""
    tokens: Tokens = NO_TOKENS
    bill: Bill = NO_BILL
    attempts: int = 1
    byok: bool = False
    batched: bool = False
    tier: str = "default"

    @property
    def charged(self) -> Decimal:
        """What the outer model's part is charged."""
        return self.bill.charged(byok=self.byok)

    @property
    def cost(self) -> Decimal:
        """The whole run, inner calls included."""
        return self.charged + (self.fusion.cost if self.fusion else Decimal(0))

    @property
    def finish_reason(self) -> str:
        """Why it stopped, in chat's words."""
        if self.truncated:
            return "length"
        if self.tool_calls:
            return "tool_calls"
        return "content_filter" if self.refusal else "stop"

    @property
    def native_finish_reason(self) -> str:
        """Why it stopped, in the provider's words."""
        return _NATIVE.get(self.model.author, {}).get(self.finish_reason, self.finish_reason)

    @property
    def tool_use(self) -> JsonObject | None:
        """`server_tool_use_details`."""
        pages = sum(use.kind in FETCH_TOOLS for use in self.uses)
        executed = self.searches + self.fetches + len(self.uses) - pages + (1 if self.fusion else 0)
        if not executed:
            return None
        requested = executed + (1 if self.fusion and self.fusion.capped else 0)
        searched: JsonObject = {"web_search_requests": self.searches} if self.searches else {}
        return {"tool_calls_requested": requested, "tool_calls_executed": executed} | searched

    @property
    def provider(self) -> str:
        """Who served the outer model."""
        return self.endpoint.provider.name
