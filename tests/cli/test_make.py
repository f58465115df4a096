"""`or-mcp make`: the same files as in a host, and copies where they are wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from or_mcp.simulator.run.media import wav
from tests.cli.test_terminal import terminal
from tests.conftest import Connect, Upstream

PNG = b"\x89PNG"


async def told_of(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    done = await terminal(environment, "make", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_picture_is_made_copied_and_read_by_a_host(
    upstream: Upstream, environment: dict[str, str], connect: Connect, tmp_path: Path
):
    out = tmp_path / "harbour.png"
    done = await terminal(environment, "make", "A harbour at dawn", "--kind", "image", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert out.read_bytes().startswith(PNG)
    async with connect() as client:
        (row,) = (await client.call_tool("run", {})).structured_content["runs"]
        told = (await client.call_tool("run", {"run_id": row["run_id"]})).structured_content
    (file,) = told["files"]
    assert Path(file["path"]).read_bytes() == out.read_bytes()
    assert file["path"] in done.stdout.decode()
    assert done.stdout.decode().splitlines()[-1].startswith("Cost: $")
    assert len(upstream.posts("/images")) == 1


async def test_several_are_copied_each_with_its_number(upstream: Upstream, environment: dict[str, str], tmp_path: Path):
    out = str(tmp_path / "harbour.png")
    told = await told_of(environment, "A harbour", "--kind", "image", "--count", "3", "--out", out)
    assert len(told["files"]) == 3
    copies = [tmp_path / f"harbour-{n}.png" for n in (1, 2, 3)]
    assert [copy.read_bytes() for copy in copies] == [Path(file["path"]).read_bytes() for file in told["files"]]


async def test_every_option_reaches_upstream(upstream: Upstream, environment: dict[str, str]):
    options = ("--model", "openai/gpt-image-2", "--size", "1024x1024", "--format", "webp", "--max-cost", "2")
    await told_of(environment, "A harbour", "--kind", "image", "--count", "2", *options)
    body = upstream.posts("/images")[0].body
    assert (body["model"], body["n"], body["size"], body["output_format"]) == (
        "openai/gpt-image-2",
        2,
        "1024x1024",
        "webp",
    )


async def test_words_from_stdin_are_spoken_by_the_voice_that_was_named(upstream: Upstream, environment: dict[str, str]):
    options = ("--kind", "speech", "--voice", "nova", "--json")
    done = await terminal(environment, "make", "-", *options, stdin="The harbour opens at six.")
    assert json.loads(done.stdout)["files"][0]["mime"].startswith("audio/")
    body = upstream.posts("/audio/speech")[0].body
    assert (body["input"], body["voice"]) == ("The harbour opens at six.", "nova")


async def test_a_sound_is_written_down_into_the_file_that_was_named(
    upstream: Upstream, environment: dict[str, str], tmp_path: Path
):
    sound, out = tmp_path / "heard.wav", tmp_path / "heard.txt"
    sound.write_bytes(wav("x" * 45))
    told = await told_of(environment, "--kind", "transcript", "--attach", str(sound), "--out", str(out))
    assert out.read_text(encoding="utf-8").strip() == told["text"].strip() != ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("x",), 2, "--kind"),
        (("", "--kind", "image"), 2, "the question is empty"),
        (("x", "--kind", "image", "--max-cost", "0.0000001"), 1, "over_budget"),
        (("x", "--kind", "image", "--count", "99"), 1, "count was 99"),
        (("x", "--kind", "image", "--out", "/nowhere/at/all.png"), 1, "or-mcp runs show run_"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_do(
    upstream: Upstream, environment: dict[str, str], arguments: tuple[str, ...], code: int, words: str
):
    done = await terminal(environment, "make", *arguments)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
