"""What was paid for is kept, and trouble with the disk is never a failure."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from or_mcp.vectors.cache import FILE, VectorCache
from or_mcp.vectors.texts import Recipe, Text

VECTOR = b"\0\0\x80?" * 4


def keys(count: int, start: int = 0) -> list[bytes]:
    return [n.to_bytes(16, "big") for n in range(start, start + count)]


def fill(directory: Path, count: int, start: int = 0, **bounds: int) -> VectorCache:
    with VectorCache(directory, **bounds) as cache:
        cache.write(dict.fromkeys(keys(count, start), VECTOR))
    return cache


def test_what_is_written_is_read_back_by_the_next_process(tmp_path: Path):
    fill(tmp_path / "new", 1200)
    with VectorCache(tmp_path / "new") as cache:
        assert cache.read(keys(1500)) == dict.fromkeys(keys(1200), VECTOR)
        assert cache.problem is None


def test_a_vector_is_kept_by_all_that_made_it():
    text, recipe = Text("a"), Recipe("me", "m", 8)
    different = [
        Recipe("you", "m", 8).key(text),
        Recipe("me", "n", 8).key(text),
        Recipe("me", "m").key(text),
        recipe.key(Text("a", "search_query")),
        recipe.key(Text("b")),
    ]
    assert recipe.key(Text("a")) == recipe.key(text)
    assert len({recipe.key(text), *different}) == 6


def test_without_a_directory_nothing_is_kept_and_nothing_is_wrong():
    with VectorCache(None) as cache:
        cache.write({b"k": VECTOR})
        assert cache.read([b"k"]) == {}
    assert cache.problem is None


def test_beyond_its_bound_the_oldest_go(tmp_path: Path):
    for start in range(0, 300, 50):
        fill(tmp_path, 50, start, most_rows=100)
    with VectorCache(tmp_path) as cache:
        left = cache.read(keys(300))
    assert len(left) <= 100
    assert set(keys(50, 250)) <= left.keys()
    assert not set(keys(150)) & left.keys()


def test_its_size_on_disk_is_bounded_too(tmp_path: Path):
    for start in range(0, 10_000, 1000):
        fill(tmp_path, 1000, start, most_bytes=200_000)
    connection = sqlite3.connect(tmp_path / FILE)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    assert pages * 4096 < 500_000


def ruin(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize("harm", [ruin, newer, Path.mkdir])
def test_a_file_that_cannot_be_used_is_told_and_left_alone(tmp_path: Path, harm: object):
    assert callable(harm)
    harm(tmp_path / FILE)
    with VectorCache(tmp_path) as cache:
        cache.write({b"k": VECTOR})
        assert cache.read([b"k"]) == {}
    assert cache.problem is not None
    assert FILE in cache.problem


def test_a_full_disk_is_told_and_what_was_kept_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fill(tmp_path, 3)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("or_mcp.vectors.cache._write", full)
    problem = fill(tmp_path, 3, 10).problem
    assert problem is not None
    assert "full" in problem
    with VectorCache(tmp_path) as cache:
        assert len(cache.read(keys(20))) == 3


def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path: Path):
    script = (
        "import sys; from pathlib import Path; from or_mcp.vectors.cache import VectorCache\n"
        "for n in range(20):\n"
        "    with VectorCache(Path(sys.argv[1])) as cache:\n"
        "        cache.write({(int(sys.argv[2]) * 20 + n).to_bytes(16, 'big'): b'1234'})\n"
        "    assert cache.problem is None, cache.problem\n"
    )
    root = Path(__file__).parents[2]
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(n)], cwd=root, stderr=subprocess.PIPE)
        for n in range(4)
    ]
    assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 4
    with VectorCache(tmp_path) as cache:
        assert len(cache.read(keys(80))) == 80
