"""What a batch may hold: some of it is refused when it is sent, the rest fails when it is validated."""

from collections.abc import Iterator

from or_mcp.simulator.run.counting import PART_KINDS
from or_mcp.simulator.run.validation import invalid
from or_mcp.simulator.wire import JsonObject, as_list, as_object, compact, objects

# Google derives one output schema for the whole batch.
_OF_ONE_FORM = "google/"


def check_submitted(body: JsonObject, endpoints: tuple[str, ...]) -> None:
    """Refuse a batch that is not even taken in."""
    if body.get("endpoint") not in endpoints:
        raise invalid(f'Invalid option: expected one of {"|".join(endpoints)} at "endpoint"', field="endpoint")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise invalid('Invalid input: expected string at "model"', field="model")
    requests = objects(body.get("requests"))
    if not requests or len(requests) != len(as_list(body.get("requests"))):
        raise invalid('Invalid input: expected a non-empty array of objects at "requests"', field="requests")
    names = list(body)
    if names.index("requests") < max(names.index("endpoint"), names.index("model")):
        raise invalid('"endpoint" and "model" must come before "requests"', field="requests")
    ids = [request.get("custom_id") for request in requests]
    if len(set(map(str, ids))) < len(ids) or not all(isinstance(each, str) and each for each in ids):
        raise invalid("Every request needs a custom_id of its own", field="requests")
    for number, request in enumerate(requests):
        if as_object(request.get("body")).get("model") not in (None, body["model"]):
            raise invalid(f'"requests[{number}].body.model" must be the model of the batch', field="requests")
    if body.get("completion_window") not in (None, "24h"):
        raise invalid('Invalid option: expected "24h" at "completion_window"', field="completion_window")


def found_wrong(batch: JsonObject) -> str | None:
    """What makes validation fail a batch that was taken in, with the first request it is wrong with."""
    requests = objects(batch["requests"])
    usual = _form_of(as_object(requests[0].get("body")))
    for request in requests:
        body, named = as_object(request.get("body")), f'Request "{request["custom_id"]}"'
        if medium := next(_media_in(body), None):
            return f"{named} has {medium}: batches are text only"
        if batch["model"].startswith(_OF_ONE_FORM) and _form_of(body) != usual:
            return f"{named} asks for another response_format than the first: a batch has one"
    return None


def _form_of(body: JsonObject) -> str:
    return compact(body.get("response_format"))


def _media_in(body: JsonObject) -> Iterator[str]:
    """What else than text a request sends or asks for."""
    yield from (name for name in ("audio", "image_config") if body.get(name))
    yield from (f"modalities {each}" for each in as_list(body.get("modalities")) if each != "text")
    for message in [*objects(body.get("messages")), *objects(body.get("input"))]:
        kinds = (str(part.get("type")) for part in objects(message.get("content")))
        yield from (f"{PART_KINDS[kind]} input" for kind in kinds if kind in PART_KINDS)
