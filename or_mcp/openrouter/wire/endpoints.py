"""Who serves a model: `/models/{author}/{slug}/endpoints`, `/endpoints/zdr`, `/providers`."""

from __future__ import annotations

from or_mcp.openrouter.wire.lenient import Lenient, Number, Reply, Rows
from or_mcp.openrouter.wire.models import Pricing


class Percentiles(Reply):
    """A figure over the last 30 minutes; absent without a key."""

    p50: Number = None
    p90: Number = None


class Endpoint(Reply):
    """One provider's offer of one model."""

    name: str = ""
    model_id: Lenient[str] = None
    model_name: Lenient[str] = None
    provider_name: str = ""
    tag: Lenient[str] = None
    context_length: Lenient[int] = None
    max_completion_tokens: Lenient[int] = None
    max_prompt_tokens: Lenient[int] = None
    pricing: Lenient[Pricing] = None
    quantization: Lenient[str] = None
    supported_parameters: Rows[str] = ()
    status: Lenient[int | str] = None
    uptime_last_30m: Number = None
    latency_last_30m: Lenient[Percentiles] = None
    throughput_last_30m: Lenient[Percentiles] = None


class ModelEndpoints(Reply):
    """A model with everyone who serves it."""

    id: str
    name: str = ""
    endpoints: Rows[Endpoint] = ()


class ModelEndpointsReply(Reply):
    """One model's endpoints."""

    data: ModelEndpoints


class EndpointList(Reply):
    """Endpoints of many models."""

    data: Rows[Endpoint] = ()


class Provider(Reply):
    """A company serving tokens."""

    name: str
    slug: Lenient[str] = None
    privacy_policy_url: Lenient[str] = None
    terms_of_service_url: Lenient[str] = None
    status_page_url: Lenient[str] = None
    headquarters: Lenient[str] = None
    datacenters: Rows[str] = ()


class ProviderList(Reply):
    """All providers."""

    data: Rows[Provider] = ()
