"""What `embed` answers, in both forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mcp_types
from pydantic import TypeAdapter

from or_mcp.calls.keepsake import Shown
from or_mcp.calls.quoting import named, quoted
from or_mcp.calls.reply import Answer, Maybe, Reply, Some
from or_mcp.openrouter.errors import shorten
from or_mcp.runs.record import RunRecord
from or_mcp.tools.answers.paid import PaidAnswer, about_the_run, fitted, how_it_stands, in_both_forms, paid
from or_mcp.vectors.files import Saved
from or_mcp.vectors.plan import Output
from or_mcp.vectors.result import EmbedResult
from or_mcp.vectors.similarity import NEAR_DUPLICATE


class RankedRow(Answer):
    """A text and how close it is to the query."""

    index: int
    score: float
    text: str


class PairRow(Answer):
    """Two texts that are alike."""

    index: int
    other: int
    score: float
    text: str
    other_text: str


class NeighbourRow(Answer):
    """A text and the one most like it."""

    index: int
    nearest: int
    score: float


class GroupRow(Answer):
    """Texts that say nearly the same."""

    indexes: list[int]
    text: str


class Similarity(Answer):
    """What is like what."""

    pairs: Some[list[PairRow]]
    near_duplicates: Some[list[GroupRow]]
    neighbours: Some[list[NeighbourRow]]


class FileRow(Answer):
    """Where the vectors are: a float32 matrix and the texts, rows in input order."""

    npy: str
    jsonl: str
    rows: int


class EmbedUsage(Answer):
    """What was counted."""

    total_tokens: int


class EmbedAnswer(PaidAnswer):
    """The structured form; the results are in the field that `output` names."""

    output: Output
    ranking: Maybe[list[RankedRow]] = None
    similarity: Maybe[Similarity] = None
    vectors: Maybe[list[list[float]]] = None
    file: Maybe[FileRow] = None
    model: str
    dimensions: Maybe[int] = None
    texts: int
    usage: Maybe[EmbedUsage] = None


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is shown: characters of a text, rows of a table, characters of vectors."""

    chars: int
    rows: int
    numbers: int


# Tried in turn until both forms fit; vectors that are cut in the middle are of no use, so at last there are none.
_SIZES = (_Size(200, 100, 42_000), _Size(100, 100, 36_000), _Size(50, 60, 24_000), _Size(20, 20, 0))
_FOUND: TypeAdapter[Any] = TypeAdapter(Any)


def found_as_json(result: EmbedResult) -> str:
    """Everything that was found, for reading page by page."""
    if result.ranking:
        rows = zip(result.ranking, result.texts, strict=True)
        return json.dumps([[row.index, row.score, text] for row, text in rows], ensure_ascii=False)
    found = result.likenesses or result.vectors or result.file
    return _FOUND.dump_json(found).decode() if found else ""


def show(record: RunRecord, result: EmbedResult, shown: Shown) -> Reply:
    """The answer, shortened until both forms fit."""
    return fitted(partial(_reply, record, result, shown), _SIZES)


def _reply(record: RunRecord, result: EmbedResult, shown: Shown, room: _Size) -> Reply:
    done = record.status == "completed"
    answer = EmbedAnswer(
        output=result.output,
        ranking=_ranking(result, room) if done and result.output == "ranking" else None,
        similarity=_similarity(result, room),
        vectors=_vectors(result, room) if done and result.output == "vectors" else None,
        file=_file(result.file),
        model=result.model,
        dimensions=result.dimensions,
        texts=result.total,
        usage=EmbedUsage(total_tokens=result.tokens),
        **paid(record, result, shown, _notes(record, result, shown, room)),
    )
    return in_both_forms(_text(record, answer, shown), answer, shown, _links(result.file))


def _ranking(result: EmbedResult, room: _Size) -> list[RankedRow]:
    rows = zip(result.ranking, result.texts, strict=True)
    found = [RankedRow(index=row.index, score=row.score, text=shorten(text, room.chars)) for row, text in rows]
    return found[: room.rows]


def _similarity(result: EmbedResult, room: _Size) -> Similarity | None:
    found = result.likenesses
    if found is None:
        return None

    def text(place: int) -> str:
        return shorten(found.texts.get(place, ""), room.chars)

    return Similarity(
        pairs=[
            PairRow(
                index=pair.index,
                other=pair.other,
                score=pair.score,
                text=text(pair.index),
                other_text=text(pair.other),
            )
            for pair in found.pairs[: room.rows]
        ],
        near_duplicates=[
            GroupRow(indexes=list(group[: room.rows]), text=text(group[0])) for group in found.groups[: room.rows // 2]
        ],
        neighbours=[
            NeighbourRow(index=pair.index, nearest=pair.other, score=pair.score)
            for pair in found.neighbours[: room.rows]
        ],
    )


def _vectors(result: EmbedResult, room: _Size) -> list[list[float]]:
    """As many whole vectors as there is room for."""
    rows: list[list[float]] = []
    left = room.numbers
    for vector in result.vectors:
        left -= len(json.dumps(vector))
        if left < 0:
            break
        rows.append(list(vector))
    return rows


def _file(saved: Saved | None) -> FileRow | None:
    return FileRow(npy=saved.npy, jsonl=saved.jsonl, rows=saved.rows) if saved else None


def _links(saved: Saved | None) -> tuple[mcp_types.ResourceLink, ...]:
    if saved is None:
        return ()
    npy, jsonl = Path(saved.npy), Path(saved.jsonl)
    return (
        mcp_types.ResourceLink(
            type="resource_link",
            name=npy.name,
            uri=npy.as_uri(),
            mime_type="application/octet-stream",
            description="Vectors: a float32 matrix, rows in input order",
            size=saved.bytes,
        ),
        mcp_types.ResourceLink(
            type="resource_link",
            name=jsonl.name,
            uri=jsonl.as_uri(),
            mime_type="application/jsonl",
            description="The texts by index",
        ),
    )


def _notes(record: RunRecord, result: EmbedResult, shown: Shown, room: _Size) -> Iterator[str]:
    yield from about_the_run(record, shown)
    if record.status not in ("running", "completed"):
        yield f"{result.done:,} of {result.total:,} texts were embedded; call embed again to pay only for the others."
    if result.cached:
        yield f"{result.cached:,} of {result.total:,} texts had been embedded before and cost nothing."
    if result.distinct < result.total:
        yield f"{result.distinct:,} different texts: repetitions were embedded once."
    if result.asked_dimensions and result.dimensions and result.dimensions != result.asked_dimensions:
        yield f"{result.model} ignored dimensions={result.asked_dimensions}: its vectors have {result.dimensions}."
    yield from _cut(record, result, room)
    if result.file is not None and not Path(result.file.npy).exists():
        yield "The file is no longer there; call embed again."
    if result.problem:
        yield result.problem


def _cut(record: RunRecord, result: EmbedResult, room: _Size) -> Iterator[str]:
    """What is not shown, and how to get it."""
    rest = f"run(run_id={record.run_id!r}, part='result')"
    if result.vectors and len(_vectors(result, room)) < len(result.vectors):
        shown = len(_vectors(result, room))
        yield f"{shown} of {len(result.vectors)} vectors fit here, the first; all: output file, or {rest}."
    if len(result.ranking) > room.rows:
        yield f"{room.rows} of {len(result.ranking)} rows are shown; all: {rest}."
    found = result.likenesses
    if found is None:
        return
    if len(found.neighbours) > room.rows or len(found.groups) > room.rows // 2:
        yield f"Neighbours and near-duplicates are shown in part; more: {rest}."
    if found.left_out:
        yield f"Nearest neighbours of {found.left_out:,} more texts are not kept; output file has all vectors."


def _came_of_it(answer: EmbedAnswer) -> str:
    done = {"ranking": "Ranked", "similarity": "Compared"}.get(answer.output, "Embedded")
    size = f" · {answer.dimensions} dimensions" if answer.dimensions else ""
    return f"{done} {answer.texts:,} texts · {named(answer.model)}{size}"


def _text(record: RunRecord, answer: EmbedAnswer, shown: Shown) -> Iterator[str]:
    yield from how_it_stands(record, _came_of_it(answer), answer.error, shown)
    if answer.ranking is not None:
        listed = "\n".join(f"{n}. {row.score:.4f} [{row.index}] {row.text}" for n, row in enumerate(answer.ranking, 1))
        yield quoted(answer.run_id, "ranking: score [index] text", listed)
    if answer.similarity is not None:
        yield quoted(answer.run_id, "similarity", "\n".join(_told(answer.similarity)))
    if answer.vectors is not None:
        yield quoted(answer.run_id, "vectors", "\n".join(json.dumps(row) for row in answer.vectors))
    if answer.file is not None:
        yield f"Vectors: {answer.file.npy} (float32, {answer.file.rows} x {answer.dimensions}, rows in input order)"
        yield f"Texts: {answer.file.jsonl}"
    yield from (f"Note: {note}" for note in answer.notes)


def _told(found: Similarity) -> Iterator[str]:
    yield "Most alike:"
    yield from (f"- {row.score:.4f} [{row.index}] {row.text} | [{row.other}] {row.other_text}" for row in found.pairs)
    yield f"Near-duplicates (cosine {NEAR_DUPLICATE} or more):" if found.near_duplicates else "No near-duplicates."
    yield from (f"- {row.indexes} {row.text}" for row in found.near_duplicates)
    yield "Nearest of each (index>nearest score):"
    yield ", ".join(f"{row.index}>{row.nearest} {row.score:.3f}" for row in found.neighbours)
