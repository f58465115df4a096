"""What an answer used and what it cost, by the names that any path gives them."""

from __future__ import annotations

from decimal import Decimal

from pydantic import AliasChoices, Field

from or_mcp.openrouter.wire.lenient import Count, Lenient, Reply
from or_mcp.openrouter.wire.money import Cost


class InputDetails(Reply):
    """What the input tokens came from."""

    cached_tokens: Count = None
    cache_write_tokens: Count = None


class OutputDetails(Reply):
    """What the output tokens were spent on."""

    reasoning_tokens: Count = None


class ServerToolUse(Reply):
    """How often upstream's own tools ran. A search that upstream ran is in both counts, a provider's own in one."""

    tool_calls_requested: Count = None
    tool_calls_executed: Count = None
    web_search_requests: Count = None


class CostDetails(Reply):
    """The provider's own charge."""

    upstream_inference_cost: Cost = None


class Usage(Reply):
    """Tokens and money. With a panel the tokens are the writer's, and `cost` is the whole run's."""

    input_tokens: Count = Field(None, validation_alias=AliasChoices("input_tokens", "prompt_tokens"))
    output_tokens: Count = Field(None, validation_alias=AliasChoices("output_tokens", "completion_tokens"))
    total_tokens: Count = None
    input_tokens_details: Lenient[InputDetails] = Field(
        None, validation_alias=AliasChoices("input_tokens_details", "prompt_tokens_details")
    )
    output_tokens_details: Lenient[OutputDetails] = Field(
        None, validation_alias=AliasChoices("output_tokens_details", "completion_tokens_details")
    )
    search_units: Count = None
    cost: Cost = None
    is_byok: Lenient[bool] = None
    cost_details: Lenient[CostDetails] = None
    server_tool_use_details: Lenient[ServerToolUse] = Field(
        None, validation_alias=AliasChoices("server_tool_use_details", "server_tool_use")
    )

    @property
    def provider_cost(self) -> Decimal | None:
        """USD that the provider bills by itself, to whoever brought a key of its own; `cost` is then only a fee."""
        # Upstream tells this figure of calls that it pays itself, too: there it is no second bill.
        return self.cost_details.upstream_inference_cost if self.is_byok and self.cost_details else None
