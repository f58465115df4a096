"""What a call of several requests has cost so far, as far as that is known."""

from __future__ import annotations

from decimal import Decimal

from or_mcp.openrouter.errors import Failure
from or_mcp.openrouter.wire.embeddings import EmbeddingsReply


class Bill:
    """The sum over all requests. While one is under way, or may have been billed, nobody knows it."""

    def __init__(self) -> None:
        self.tokens = 0
        self.model: str | None = None
        self.replies = 0
        self.provider_cost_usd: Decimal | None = None
        self._known = Decimal(0)
        self._open = 0
        self._in_doubt = False
        self._last: str | None = None

    @property
    def cost_usd(self) -> Decimal | None:
        """USD, or None while it is not known."""
        return None if self._open or self._in_doubt else self._known

    @property
    def generation_id(self) -> str | None:
        """The last request's. With several in doubt there is none: its cost alone would pass for that of all."""
        return self._last if self.cost_usd is not None or self.replies <= 1 else None

    def sent(self) -> None:
        """A request is on its way; if it is cancelled there, it stays in doubt."""
        self._open += 1

    def answered(self, reply: EmbeddingsReply) -> None:
        """Its reply is here."""
        self._open -= 1
        self.replies += 1
        self.model = reply.model or self.model
        self._last = reply.id or self._last
        usage = reply.usage
        if usage is None or usage.cost is None:
            self._in_doubt = True
        else:
            self._known += usage.cost
        if usage is not None and usage.provider_cost is not None:
            self.provider_cost_usd = (self.provider_cost_usd or Decimal(0)) + usage.provider_cost
        self.tokens += (usage.total_tokens or usage.input_tokens or 0) if usage else 0

    def failed(self, failure: Failure) -> None:
        """It failed."""
        self._open -= 1
        if failure.may_be_billed:
            self._in_doubt = True
            if self.replies:
                # Likewise: whoever looks its cost up would take it for the whole.
                failure.generation_id = None
