"""Who serves a model: `/models/{author}/{slug}/endpoints`, `/endpoints/zdr`, `/providers`."""

from __future__ import annotations

from pydantic import JsonValue

from or_mcp.openrouter.wire.lenient import Address, Lenient, Name, Number, Reply, Rows
from or_mcp.openrouter.wire.models import Pricing


class Percentiles(Reply):
    """A figure over the last 30 minutes; absent without a key."""

    p50: Number = None
    p90: Number = None


class Endpoint(Reply):
    """One provider's offer of one model."""

    name: Name = ""
    model_id: Lenient[Name] = None
    model_name: Lenient[Name] = None
    provider_name: Name = ""
    tag: Lenient[Name] = None
    context_length: Lenient[int] = None
    max_completion_tokens: Lenient[int] = None
    max_prompt_tokens: Lenient[int] = None
    pricing: Lenient[Pricing] = None
    quantization: Lenient[Name] = None
    supported_parameters: Rows[Name] = ()
    status: Lenient[int | str] = None
    uptime_last_30m: Number = None
    uptime_last_5m: Number = None
    supports_tool_choice: Lenient[dict[str, JsonValue]] = None
    latency_last_30m: Lenient[Percentiles] = None
    throughput_last_30m: Lenient[Percentiles] = None


class ModelEndpoints(Reply):
    """A model with everyone who serves it."""

    id: Name
    name: Name = ""
    endpoints: Rows[Endpoint] = ()


class ModelEndpointsReply(Reply):
    """One model's endpoints."""

    data: ModelEndpoints


class EndpointList(Reply):
    """Endpoints of many models."""

    data: Rows[Endpoint] = ()


class ListedProvider(Reply):
    """A company serving tokens."""

    name: Name
    slug: Lenient[Name] = None
    privacy_policy_url: Lenient[Address] = None
    terms_of_service_url: Lenient[Address] = None
    status_page_url: Lenient[Address] = None
    headquarters: Lenient[Name] = None
    datacenters: Rows[Name] = ()


class ProviderList(Reply):
    """All providers."""

    data: Rows[ListedProvider] = ()
