"""The scenarios of the official suite, how many checks of each must pass, and which cannot."""

from __future__ import annotations

from collections.abc import Mapping

LEGACY, MODERN = "2025-11-25", "2026-07-28"

# With every fixture in place. A count keeps a scenario from passing because it found nothing to check.
CHECKS: Mapping[str, Mapping[str, int]] = {
    LEGACY: {
        "completion-complete": 2,
        "dns-rebinding-protection": 2,
        "elicitation-sep1034-defaults": 6,
        "elicitation-sep1330-enums": 6,
        "json-schema-2020-12": 8,
        "logging-set-level": 2,
        "ping": 2,
        "prompts-get-embedded-resource": 2,
        "prompts-get-simple": 2,
        "prompts-get-with-args": 2,
        "prompts-get-with-image": 2,
        "prompts-list": 2,
        "resources-list": 2,
        "resources-read-binary": 2,
        "resources-read-text": 2,
        "resources-subscribe": 2,
        "resources-templates-read": 2,
        "resources-unsubscribe": 2,
        "server-initialize": 3,
        "server-session-lifecycle": 3,
        "server-sse-multiple-streams": 2,
        "server-sse-polling": 0,
        "tools-call-audio": 2,
        "tools-call-elicitation": 2,
        "tools-call-embedded-resource": 2,
        "tools-call-error": 2,
        "tools-call-image": 2,
        "tools-call-mixed-content": 2,
        "tools-call-sampling": 2,
        "tools-call-simple-text": 2,
        "tools-call-with-logging": 2,
        "tools-call-with-progress": 2,
        "tools-list": 3,
    },
    MODERN: {
        "caching": 8,
        "completion-complete": 2,
        "dns-rebinding-protection": 2,
        "http-custom-header-server-validation": 10,
        "http-header-validation": 14,
        "input-required-result-basic-elicitation": 3,
        "input-required-result-basic-list-roots": 3,
        "input-required-result-basic-sampling": 3,
        "input-required-result-capability-check": 2,
        "input-required-result-ignore-extra-params": 2,
        "input-required-result-missing-input-response": 2,
        "input-required-result-multi-round": 4,
        "input-required-result-multiple-input-requests": 3,
        "input-required-result-non-tool-request": 3,
        "input-required-result-request-state": 3,
        "input-required-result-result-type": 2,
        "input-required-result-tampered-state": 2,
        "input-required-result-unsupported-methods": 2,
        "input-required-result-validate-input": 3,
        "json-schema-2020-12": 8,
        "prompts-get-embedded-resource": 2,
        "prompts-get-simple": 2,
        "prompts-get-with-args": 2,
        "prompts-get-with-image": 2,
        "prompts-list": 2,
        "resources-list": 2,
        "resources-read-binary": 2,
        "resources-read-text": 2,
        "resources-templates-read": 2,
        "sep-2164-resource-not-found": 4,
        "server-sse-multiple-streams": 1,
        "server-stateless": 30,
        "tasks-capability-negotiation": 5,
        "tasks-dispatch-and-envelope": 9,
        "tasks-lifecycle": 9,
        "tasks-mrtr-composition": 2,
        "tasks-mrtr-input": 4,
        "tasks-request-headers": 5,
        "tasks-request-state-removal": 3,
        "tasks-required-task-error": 3,
        "tasks-status-notifications": 0,
        "tasks-wire-fields": 4,
        "tools-call-audio": 2,
        "tools-call-embedded-resource": 2,
        "tools-call-error": 2,
        "tools-call-image": 2,
        "tools-call-mixed-content": 2,
        "tools-call-simple-text": 2,
        "tools-call-with-progress": 2,
        "tools-list": 4,
    },
}

# Those that need nothing but a server: they pass on the program as it is.
FIXTURE_FREE: Mapping[str, tuple[str, ...]] = {
    LEGACY: (
        "completion-complete",
        "dns-rebinding-protection",
        "ping",
        "prompts-list",
        "resources-list",
        "server-initialize",
        "server-session-lifecycle",
        "server-sse-multiple-streams",
        "tools-list",
    ),
    MODERN: (
        "caching",
        "completion-complete",
        "dns-rebinding-protection",
        "http-header-validation",
        "input-required-result-ignore-extra-params",
        "input-required-result-unsupported-methods",
        "prompts-list",
        "resources-list",
        "sep-2164-resource-not-found",
        "server-sse-multiple-streams",
        "server-stateless",
        "tools-list",
    ),
}

_NO_REPLAY = "a broken stream is not replayed: the run goes on, and `run` brings it back (optional in the protocol)"
_NO_FIXTURE = "it calls a tool that only the fixtures have"

# What fails, by server, era, scenario and check, and why. A check that passes after all must leave this list.
EXPECTED: Mapping[tuple[str, str, str], Mapping[str, str]] = {
    ("fixtures", LEGACY, "server-sse-polling"): {
        "server-sse-priming-event": _NO_REPLAY,
        "server-sse-retry-field": _NO_REPLAY,
        "incoming-sse-event": _NO_REPLAY,
    },
    ("program", MODERN, "server-stateless"): {
        "sep-2575-server-rejects-undeclared-capability": _NO_FIXTURE,
        "sep-2575-missing-capability-http-400": _NO_FIXTURE,
    },
}
