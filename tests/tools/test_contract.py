"""What every tool promises to every host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from or_mcp.calls.tool import AnyTool
from or_mcp.host.instructions import INSTRUCTIONS
from or_mcp.offered import TOOL_NAMES
from or_mcp.tools import ALL_TOOLS

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
LISTED = {tool.name: tool.listed() for tool in ALL_TOOLS.values()}
ARGUMENTS = {
    "fuse": "preset analysis_models analyst_model writer_model reasoning_effort max_tool_calls max_completion_tokens "
    "temperature web max_cost_usd wait_seconds detail instructions prompt",
    "ask": "model fallback_models continue_run reasoning_effort max_output_tokens temperature web max_cost_usd "
    "wait_seconds attachments json_schema web_domains max_searches service_tier "
    "tools tool_choice tool_outputs rows rows_file instructions prompt",
    "embed": "model output top_k dimensions max_cost_usd input_type query input_file input",
    "rerank": "model top_n max_cost_usd query documents",
    "make": "kind model count size aspect_ratio seconds voice format seed attachments max_cost_usd wait_seconds prompt",
    "decide": "model rows_file attachments max_cost_usd wait_seconds questions state rows",
    "list_models": "query output_modality input_modality supports author max_input_price max_output_price min_context "
    "free sort limit cursor",
    "endpoints": "model zdr sort limit",
    "account": "view date generation_id",
    "run": "run_id wait_seconds part model offset",
}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        node = cast("dict[str, Any]", schema)
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in cast("list[Any]", schema):
            yield from nodes(value)


def weight(name: str) -> int:
    tool = LISTED[name]
    listed = {"name": name, "description": tool.description, "inputSchema": tool.input_schema}
    return len(json.dumps(listed, separators=(",", ":"), ensure_ascii=False).encode())


def test_the_settings_name_every_tool_in_its_order():
    assert tuple(tool.name for tool in ALL_TOOLS.values()) == TOOL_NAMES


@pytest.mark.parametrize("tool", ALL_TOOLS.values(), ids=lambda tool: tool.name)
def test_the_input_schema_is_a_flat_object(tool: AnyTool):
    schema = LISTED[tool.name].input_schema
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    for node in nodes(schema):
        assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"} & node.keys()
        assert node.get("type") != "null"


@pytest.mark.parametrize("tool", ALL_TOOLS.values(), ids=lambda tool: tool.name)
def test_the_arguments_are_the_promised_ones_in_their_order_long_text_last(tool: AnyTool):
    assert list(LISTED[tool.name].input_schema["properties"]) == ARGUMENTS[tool.name].split()


@pytest.mark.parametrize("tool", ALL_TOOLS.values(), ids=lambda tool: tool.name)
def test_title_description_hints_and_output_are_all_there(tool: AnyTool):
    listed = LISTED[tool.name]
    assert listed.title
    assert 100 < len(listed.description or "") < 1500
    assert "\n    " not in (listed.description or "")
    assert listed.output_schema is not None
    assert listed.output_schema["properties"]
    assert listed.annotations is not None
    spends = tool.name in ("fuse", "ask", "embed", "rerank", "make", "decide")
    assert listed.annotations.read_only_hint is not spends
    assert ("Costs money" in (listed.description or "")) is spends


def test_all_together_weigh_less_than_thirteen_thousand_bytes():
    weights = {name: weight(name) for name in LISTED}
    print(f"\ntools/list: {weights}, {sum(weights.values())} bytes in all")
    assert sum(weights.values()) < 13_000


def test_fuse_is_always_loaded():
    assert (LISTED["fuse"].meta or {})["anthropic/alwaysLoad"] is True


def test_the_instructions_name_every_tool_and_stay_short():
    assert len(INSTRUCTIONS) <= 1500
    assert all(name in INSTRUCTIONS for name in TOOL_NAMES)


@pytest.mark.parametrize("tool", ALL_TOOLS.values(), ids=lambda tool: tool.name)
def test_the_public_json_is_the_one_that_was_reviewed(tool: AnyTool):
    path = SNAPSHOTS / f"{tool.name}.json"
    listed = LISTED[tool.name].model_dump(mode="json", by_alias=True, exclude_none=True)
    shown = json.dumps(listed, indent=1, ensure_ascii=False) + "\n"
    assert path.exists(), f"run `python tests/snapshots/update.py` to write {path.name}"
    assert path.read_text(encoding="utf-8") == shown, "run `python tests/snapshots/update.py` and review the diff"
