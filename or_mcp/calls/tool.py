"""What a tool is: one object that says everything about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import mcp_types

from or_mcp.calls.arguments import Arguments
from or_mcp.calls.call import Call
from or_mcp.calls.keepsake import AnyKeepsake
from or_mcp.calls.reply import Answer, Reply, output_schema
from or_mcp.calls.schemas import input_schema

Kind = Literal["read", "spend"]
ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Tool(Generic[ArgumentsT]):
    """One tool: what a host lists, and what happens when it is called."""

    name: str
    title: str
    kind: Kind
    description: str
    arguments: type[ArgumentsT]
    answer: type[Answer]
    handle: Callable[[ArgumentsT, Call], Awaitable[Reply]]
    keepsake: AnyKeepsake | None = None
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_quick(self) -> bool:
        """Whether it spends nothing and waits for nothing."""
        return self.kind == "read" and "wait_seconds" not in self.arguments.model_fields

    def listed(self) -> mcp_types.Tool:
        """The tool as hosts see it. The hints all come from the kind, so they cannot contradict each other."""
        spends = self.kind == "spend"
        return mcp_types.Tool(
            name=self.name,
            title=self.title,
            description=in_paragraphs(self.description),
            input_schema=input_schema(self.arguments),
            output_schema=output_schema(self.answer),
            annotations=mcp_types.ToolAnnotations(
                title=self.title,
                read_only_hint=not spends,
                destructive_hint=False,
                idempotent_hint=not spends,
                open_world_hint=True,
            ),
            _meta=dict(self.meta) or None,
        )


def in_paragraphs(text: str) -> str:
    """The text with line breaks between paragraphs only. Some hosts show the first line alone."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


AnyTool = Tool[Any]
