"""What a call of `embed` asks for, checked before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from or_mcp.openrouter.errors import InvalidRequest
from or_mcp.vectors.similarity import MOST_TEXTS
from or_mcp.vectors.texts import Text, check_texts, query_type

Output = Literal["ranking", "similarity", "vectors", "file"]
# So many numbers in JSON still fit into an answer; for more there is output file.
MOST_NUMBERS = 20_000


@dataclass(frozen=True, slots=True)
class EmbedPlan:
    """Checked choices."""

    model: str
    output: Output
    rows: tuple[Text, ...]
    question: Text | None
    dimensions: int | None
    top_k: int
    data_dir: Path | None

    @property
    def wanted(self) -> tuple[Text, ...]:
        """Every text that needs a vector."""
        return self.rows if self.question is None else (*self.rows, self.question)

    def check_size(self, dimensions: int | None) -> None:
        """Numbers beyond what an answer can hold belong in a file.

        Raises:
            InvalidRequest: There would be too many.
        """
        numbers = len(self.rows) * (dimensions or 1)
        if self.output == "vectors" and numbers > MOST_NUMBERS:
            raise InvalidRequest(
                f"output vectors takes at most {MOST_NUMBERS:,} numbers, and {len(self.rows):,} texts"
                + (f" of {dimensions:,} dimensions have {numbers:,}" if dimensions else " have more")
                + "; use output file, or fewer texts or dimensions"
            )


def plan_embedding(
    model: str,
    texts: tuple[str, ...],
    *,
    output: Output | None,
    query: str,
    input_type: str | None,
    dimensions: int | None,
    top_k: int,
    data_dir: Path | None,
) -> EmbedPlan:
    """The plan for these choices.

    Raises:
        InvalidRequest: They are not enough, or contradict each other.
    """
    output = output or ("ranking" if query else "similarity")
    check_texts("input", texts)
    check_texts("query", [query] if query else [])
    _check(output, query, texts, data_dir)
    plan = EmbedPlan(
        model=model,
        output=output,
        rows=tuple(Text(words, input_type) for words in texts),
        question=Text(query, query_type(input_type)) if output == "ranking" else None,
        dimensions=dimensions,
        top_k=top_k,
        data_dir=data_dir,
    )
    plan.check_size(dimensions)
    return plan


def _check(output: Output, query: str, texts: tuple[str, ...], data_dir: Path | None) -> None:
    if not texts:
        raise InvalidRequest("input is missing; it takes a list of texts (or give input_file)")
    if output == "ranking" and not query.strip():
        raise InvalidRequest("output ranking needs query: the words that the texts are ranked by")
    if output != "ranking" and query:
        raise InvalidRequest(f"query goes with output ranking; output {output} compares no query")
    if output == "similarity" and len(texts) < 2:
        raise InvalidRequest("output similarity compares texts with each other; input takes at least two")
    if output == "similarity" and len(texts) > MOST_TEXTS:
        raise InvalidRequest(
            f"output similarity compares at most {MOST_TEXTS:,} texts, and there are {len(texts):,}; use output file"
        )
    if output == "file" and data_dir is None:
        raise InvalidRequest("output file writes into the data directory, which is switched off (OR_MCP_STORE is off)")
