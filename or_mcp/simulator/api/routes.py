"""Every path of the API, and what answers there."""

from or_mcp.simulator.api import (
    account,
    batches,
    benchmarks,
    decisions,
    files,
    images,
    inference,
    listing,
    signing_in,
    speech,
    tools,
    vectors,
    videos,
)
from or_mcp.simulator.api.inference import Api
from or_mcp.simulator.api.replaying import Handler, replaying


def _words(api: Api) -> Handler:
    return replaying(lambda state, call: inference.answer(state, call, api))


# Method and path below /api/v1.
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/responses", _words("responses")),
    ("POST", "/chat/completions", _words("chat")),
    ("POST", "/messages", _words("messages")),
    ("POST", "/embeddings", replaying(vectors.embed)),
    ("POST", "/rerank", vectors.rerank),
    ("POST", "/images", images.generate),
    ("POST", "/audio/speech", speech.speak),
    ("POST", "/audio/transcriptions", speech.transcribe),
    ("POST", "/videos", videos.start),
    ("GET", "/videos/models", videos.list_models),
    ("GET", "/videos/{job}", videos.show),
    ("GET", "/videos/{job}/content", videos.download),
    ("POST", "/batches", batches.submit),
    ("GET", "/batches", batches.list_all),
    ("GET", "/batches/{batch}", batches.show),
    ("DELETE", "/batches/{batch}", batches.delete),
    ("POST", "/files", files.upload),
    ("GET", "/files", files.list_all),
    ("GET", "/files/{file}", files.show),
    ("DELETE", "/files/{file}", files.delete),
    ("GET", "/files/{file}/content", files.download),
    ("POST", "/systemone", decisions.decide),
    ("POST", "/auth/keys", signing_in.exchange),
    ("GET", "/models", listing.list_models),
    ("GET", "/models/count", listing.count_models),
    ("GET", "/models/user", listing.list_users_models),
    ("GET", "/embeddings/models", listing.list_embedding_models),
    ("GET", "/images/models", images.list_models),
    ("GET", "/images/models/{author}/{slug:path}/endpoints", images.show_endpoints),
    ("GET", "/model/{author}/{slug:path}", listing.show_model),
    ("GET", "/models/{author}/{slug:path}/endpoints", listing.show_endpoints),
    ("GET", "/parameters/{author}/{slug:path}", listing.show_parameters),
    ("GET", "/endpoints/zdr", listing.list_zdr_endpoints),
    ("GET", "/providers", listing.list_providers),
    ("GET", "/benchmarks", benchmarks.list_all),
    ("GET", "/tools", tools.list_all),
    ("GET", "/tools/{name}", tools.show),
    ("GET", "/key", account.show_key),
    ("GET", "/credits", account.show_credits),
    ("GET", "/activity", account.show_activity),
    ("GET", "/generation", account.show_generation),
    ("GET", "/generation/content", account.show_content),
)

# Other addresses of the same, from the root.
ELSEWHERE: tuple[tuple[str, str, str], ...] = (
    ("POST", "/api/beta/responses", "/responses"),
    ("POST", "/api/beta/batches", "/batches"),
    ("GET", "/api/beta/batches", "/batches"),
    ("GET", "/api/beta/batches/{batch}", "/batches/{batch}"),
    ("DELETE", "/api/beta/batches/{batch}", "/batches/{batch}"),
    ("POST", "/api/alpha/decisions", "/systemone"),
    ("GET", "/api/v1/auth/key", "/key"),
)

# Paths below /api/v1, with all below them, that upstream has and this simulator does not.
_ABSENT = """
    analytics auth/keys/code byok classifications completions containers credits/coinbase datasets external-users
    generation/feedback guardrails keys oauth observability organization presets private-endpoints provisioning scim
    vault workspaces
"""
NOT_IMITATED = frozenset(f"/api/v1/{path}" for path in _ABSENT.split()) | {"/api/alpha/extractions"}
