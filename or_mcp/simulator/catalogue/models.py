"""One model, and how rows in upstream's form are read as models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from or_mcp.simulator.wire import JsonObject, as_list, as_object


class RowError(ValueError):
    """A row of a model list that makes no sense; the message names it."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its row as upstream lists it, and what the simulator needs to know besides."""

    slug: str
    row: JsonObject
    takes: frozenset[str]
    gives: frozenset[str]
    hosts: tuple[str, ...]
    dimensions: int | None
    # What it charges without listing it: per search unit, song, picture, or second of film, "unit 4K" being that of one
    # size; per "megapixel"; or per token of the "prompt".
    unlisted: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    alias_of: str | None = None

    @property
    def author(self) -> str:
        """Who made it."""
        return self.slug.split("/")[0].removeprefix("~")

    @property
    def name(self) -> str:
        """Its display name, without the author."""
        return str(self.row["name"]).split(": ")[-1]

    @property
    def context(self) -> int | None:
        """The context length in tokens."""
        return self.row["context_length"]

    @property
    def max_output(self) -> int:
        """The longest completion in tokens."""
        return self.row["top_provider"]["max_completion_tokens"] or self.context or 4096

    def unit_price(self, size: str = "") -> Decimal:
        """What a unit of this size costs."""
        return self.unlisted.get(f"unit {size}", self.unlisted.get("unit", Decimal(0)))

    @property
    def sizes(self) -> list[str]:
        """The sizes that have prices of their own."""
        return [name.removeprefix("unit ") for name in self.unlisted if name.startswith("unit ")]

    @property
    def must_reason(self) -> bool:
        """Whether it reasons without being asked."""
        return bool(as_object(self.row.get("reasoning")).get("mandatory"))

    @property
    def is_router(self) -> bool:
        """Whether it only chooses among other models."""
        return self.author == "openrouter"

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing and says so in its name."""
        return self.slug.endswith(":free") or self.slug == "openrouter/free"


def read_rows(listed: object) -> list[Model]:
    """The models of a list as GET /models answers it, or of its `data` alone.

    A row needs an `id` and `pricing`; what else is missing is filled in. `x_simulated` holds what upstream does not
    list: `hosts`, `dimensions`, `unit_price` and the `unit_prices` of single sizes, and `prompt`, charged though it is
    not listed.
    """
    rows: object = as_object(listed).get("data", listed)
    if not isinstance(rows, list):
        raise RowError('expected a list of model rows, or {"data": [...]}')
    return [_read_row(number, as_object(row)) for number, row in enumerate(as_list(cast(object, rows)))]


def _read_row(number: int, given: JsonObject) -> Model:
    slug, pricing = given.get("id"), given.get("pricing")
    if not isinstance(slug, str) or "/" not in slug:
        raise RowError(f'row {number}: expected "author/name" as id, got {slug!r}')
    if not as_object(pricing):
        raise RowError(f"{slug}: expected an object of prices as pricing, got {pricing!r}")
    row = {name: value for name, value in given.items() if name != "x_simulated"}
    shape = {"input_modalities": ["text"], "output_modalities": ["text"]} | as_object(given.get("architecture"))
    row = _BLANK | {"canonical_slug": slug, "name": slug} | row
    row["architecture"] = {"modality": None, "tokenizer": "Other", "instruct_type": None} | shape
    row["top_provider"] = _TOP | {"context_length": row["context_length"]} | as_object(given.get("top_provider"))
    row["pricing"] = {"prompt": "0", "completion": "0"} | as_object(pricing)
    known = as_object(given.get("x_simulated"))
    unlisted = {"unit": known.get("unit_price"), "prompt": known.get("prompt")}
    unlisted |= {f"unit {size}": price for size, price in as_object(known.get("unit_prices")).items()}
    return Model(
        slug,
        row,
        frozenset(shape["input_modalities"]),
        frozenset(shape["output_modalities"]),
        tuple(as_list(known.get("hosts"))),
        known.get("dimensions"),
        {name: _price(slug, value) for name, value in unlisted.items() if value is not None},
        as_object(row.get("alias_target")).get("slug"),
    )


def _price(slug: str, value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise RowError(f"{slug}: expected a price, got {value!r}") from None


_TOP: JsonObject = {"max_completion_tokens": None, "is_moderated": False}
_BLANK: dict[str, Any] = {
    "created": 1_760_000_000,
    "description": "[simulated] A model of a list that was given.",
    "context_length": None,
    "per_request_limits": None,
    "supported_parameters": ["max_tokens", "structured_outputs", "temperature", "tools", "tool_choice"],
    "default_parameters": None,
    "supported_voices": None,
    "knowledge_cutoff": None,
    "expiration_date": None,
    "hugging_face_id": None,
    "links": {"details": ""},
}
