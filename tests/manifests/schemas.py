"""What each host accepts in its file, written from its documentation: no package publishes these schemas.

They are stricter than the hosts: several pass over a key that they do not know, and a misspelt one is then lost.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_WORDS: Schema = {"type": "array", "items": {"type": "string"}}
_VARIABLES: Schema = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"},
    "additionalProperties": {"type": "string"},
}
_PERIOD: Schema = {"type": "integer", "minimum": 1}
_YES_NO: Schema = {"type": "boolean"}
_HTTPS: Schema = {"type": "string", "pattern": "^https://[^ ]+$"}
_VERSION: Schema = {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}
_KEBAB: Schema = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}


def _table(required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _servers(name: str, server: Schema, **beside: Schema) -> Schema:
    """A file of servers; a name with anything else in it breaks the names of the tools in some hosts."""
    named: Schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z0-9_-]{1,32}$"},
        "additionalProperties": server,
    }
    return _table([name], **{name: named}, **beside)


def _stdio(required: list[str] | None = None, **more: Schema) -> Schema:
    return _table(["command", *(required or [])], command=_TEXT, args=_WORDS, **({"env": _VARIABLES} | more))


_INPUT = _table(
    ["type", "id", "description"],
    type={"const": "promptString"},
    id=_TEXT,
    description=_TEXT,
    default={"type": "string"},
    password=_YES_NO,
)
_PERSON = _table(["name"], name=_TEXT, email=_TEXT, url=_HTTPS)

CLAUDE_CODE = _servers("mcpServers", _stdio(type={"const": "stdio"}, timeout=_PERIOD, alwaysLoad=_YES_NO))
CLAUDE_DESKTOP = _servers("mcpServers", _stdio())
CURSOR = _servers("mcpServers", _stdio(type={"const": "stdio"}, envFile=_TEXT))
VSCODE = _servers(
    "servers",
    _stdio(["type"], type={"const": "stdio"}, envFile=_TEXT, cwd=_TEXT),
    inputs={"type": "array", "items": _INPUT},
)
CODEX = _servers(
    "mcp_servers",
    _stdio(env_vars=_WORDS, cwd=_TEXT, startup_timeout_sec=_PERIOD, tool_timeout_sec=_PERIOD, enabled=_YES_NO),
)
GEMINI = _servers(
    "mcpServers",
    _stdio(cwd=_TEXT, timeout=_PERIOD, trust=_YES_NO, description=_TEXT, includeTools=_WORDS, excludeTools=_WORDS),
)

PLUGIN = _table(
    ["name", "version", "description"],
    name=_KEBAB,
    description=_TEXT,
    version=_VERSION,
    author=_PERSON,
    homepage=_HTTPS,
    repository=_HTTPS,
    license=_TEXT,
    keywords=_WORDS,
)
MARKETPLACE = _table(
    ["name", "owner", "plugins"],
    name=_KEBAB,
    description=_TEXT,
    owner=_PERSON,
    plugins={
        "type": "array",
        "minItems": 1,
        "items": _table(
            ["name", "source"],
            name=_KEBAB,
            source={"type": "string", "pattern": r"^\./"},
            description=_TEXT,
        ),
    },
)

_REGISTRY_VARIABLE = _table(
    ["name"],
    name=_TEXT,
    description=_TEXT,
    format={"enum": ["string", "number", "boolean", "filepath"]},
    isRequired=_YES_NO,
    isSecret=_YES_NO,
    default={"type": "string"},
)
REGISTRY = _table(
    ["$schema", "name", "description", "version"],
    **{"$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"}},
    name={"type": "string", "minLength": 3, "maxLength": 200, "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
    title={"type": "string", "minLength": 1, "maxLength": 100},
    description={"type": "string", "minLength": 1, "maxLength": 100},
    version=_VERSION,
    websiteUrl=_HTTPS,
    repository=_table(["url", "source"], url=_HTTPS, source={"const": "github"}),
    packages={
        "type": "array",
        "minItems": 1,
        "items": _table(
            ["registryType", "identifier", "version", "transport"],
            registryType={"const": "pypi"},
            identifier=_TEXT,
            version=_VERSION,
            runtimeHint={"const": "uvx"},
            transport=_table(["type"], type={"const": "stdio"}),
            environmentVariables={"type": "array", "items": _REGISTRY_VARIABLE},
        ),
    },
)
