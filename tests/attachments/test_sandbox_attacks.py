"""Paths that try to leave the allowed directory. None reads anything outside, and none hangs."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from or_mcp.attachments import descent, paths
from or_mcp.attachments.attach import attach
from or_mcp.attachments.paths import Sandbox
from or_mcp.attachments.spelling import check_spelling
from or_mcp.openrouter.errors import InvalidRequest
from tests.attachments.world import CANARY, INSIDE, World

# {outside} and {root} are filled in.
ATTACKS = [
    # Traversal
    "../outside/canary.txt",
    "./../outside/canary.txt",
    "sub/../../outside/canary.txt",
    "sub/deep/../../../outside/canary.txt",
    "../../../../../../../../../../etc/passwd",
    "..//outside//canary.txt",
    "../root/../outside/canary.txt",
    "../root-evil/canary.txt",
    "missing/../../outside/canary.txt",
    "in.txt/../../outside/canary.txt",
    "..",
    "../",
    ".../outside/canary.txt",
    "....//outside/canary.txt",
    "..;/outside/canary.txt",
    # Absolute, and home
    "{outside}/canary.txt",
    "{root}/../outside/canary.txt",
    "{root}-evil/canary.txt",
    "{outside}/../outside/./canary.txt",
    "/etc/passwd",
    "/etc/shadow",
    "//etc/passwd",
    "///etc/passwd",
    "/./etc/passwd",
    "~",
    "~/.ssh/id_rsa",
    "~/../etc/passwd",
    "~root/.bashrc",
    "~/../../../../../../{outside}/canary.txt",
    "$HOME/.ssh/id_rsa",
    "${{HOME}}/.ssh/id_rsa",
    "%USERPROFILE%\\.ssh\\id_rsa",
    # Links
    "link",
    "relative-link",
    "link-to-link",
    "directory-link/canary.txt",
    "directory-link/sub/canary.txt",
    "directory-link/../outside/canary.txt",
    "sub/up/outside/canary.txt",
    "sub/deep/up/canary.txt",
    "good-directory/up/outside/canary.txt",
    "good-directory/deep/up/sub/canary.txt",
    "evil/canary.txt",
    "slash/etc/passwd",
    "slash/{outside}/canary.txt",
    "dangling",
    "loop",
    "ping",
    "loop/loop/loop",
    "sub/loop/in.txt",
    # The kernel's own files, devices, pipes, directories
    "/proc/self/environ",
    "/proc/self/root{outside}/canary.txt",
    "/proc/self/cwd/in.txt",
    "/proc/self/fd/0",
    "/proc/thread-self/environ",
    "/proc/1/environ",
    "/sys/kernel/notes",
    "proc/self/environ",
    "proc/self/root{outside}/canary.txt",
    "environ",
    "/dev/zero",
    "/dev/stdin",
    "/dev/tty",
    "/dev/fd/0",
    "dev/zero",
    "null",
    "zero",
    "fifo",
    ".",
    "",
    "sub",
    "sub/",
    "{root}",
    "{root}/",
    # Windows
    "\\\\server\\share\\canary.txt",
    "//server/share/canary.txt",
    "\\/server/share",
    "\\\\?\\C:\\Windows\\win.ini",
    "\\\\.\\PhysicalDrive0",
    "\\??\\C:\\Windows\\win.ini",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "C:canary.txt",
    "..\\outside\\canary.txt",
    "sub\\..\\..\\outside\\canary.txt",
    "in.txt::$DATA",
    "CON",
    "nul.txt",
    # Encodings and Unicode
    "%2e%2e/outside/canary.txt",
    "%2e%2e%2foutside%2fcanary.txt",
    "..%2foutside%2fcanary.txt",
    "..%252foutside%252fcanary.txt",
    "..%c0%afoutside%c0%afcanary.txt",
    "..%00/outside/canary.txt",
    "\u2025/outside/canary.txt",
    "\uff0e\uff0e/outside/canary.txt",
    "..\u2215outside\u2215canary.txt",
    "..\uff0foutside\uff0fcanary.txt",
    "\u202e../outside/canary.txt",
    "\ufeff../outside/canary.txt",
    ".\u200b./outside/canary.txt",
    "../outside/canary.txt\x00.png",
    "in.txt\x00",
    "in.txt\n../outside/canary.txt",
    "\ud800/../outside/canary.txt",
    "\udc2e\udc2e/outside/canary.txt",
    # URLs that are not https
    "file:///etc/passwd",
    "file:{outside}/canary.txt",
    "FILE://localhost{outside}/canary.txt",
    "file:../outside/canary.txt",
    "data:text/plain;base64,aGk=",
    "https:/etc/passwd",
    "http://localhost{outside}/canary.txt",
    "ftp://localhost/canary.txt",
    # Dots, spaces, length
    "in.txt.",
    "in.txt ",
    " in.txt",
    ".. /outside/canary.txt",
    "../outside /canary.txt",
    "../outside./canary.txt",
    " ",
    "\t",
    "A" * 300,
    "A/" * 3000,
    "../" * 1300 + "etc/passwd",
    "sub/../" * 500 + "../outside/canary.txt",
    "\u00e9" * 200,
]


def filled(text: str, world: World) -> str:
    return (
        text.replace("{{", "{")
        .replace("}}", "}")
        .replace("{outside}", str(world.outside))
        .replace("{root}", str(world.root))
    )


def refusal(sandbox: Sandbox, text: str, limit: int = 10_000) -> str:
    """What the caller is told, which never holds anything that was read."""
    with pytest.raises(InvalidRequest) as refused:
        sandbox.open(text, limit=limit)
    assert CANARY.decode() not in refused.value.message
    return refused.value.message


@pytest.fixture(params=[True, False], ids=["stepwise", "found-again"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on POSIX, and as on Windows."""
    monkeypatch.setattr(descent, "STEPWISE", request.param)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Home is outside."""
    monkeypatch.setenv("HOME", str(world.outside))


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text)[:60])
def test_no_attack_reads_anything(world: World, text: str) -> None:
    message = refusal(world.sandbox, filled(text, world))
    assert message.startswith("attachments: ")
    assert len(message) < 1000


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text)[:60])
async def test_no_attack_can_be_attached(world: World, text: str) -> None:
    with anyio.fail_after(120), pytest.raises(InvalidRequest):
        await attach(
            [filled(text, world)], world.sandbox, modalities=None, allow_secrets=frozenset({filled(text, world)})
        )


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    "text",
    [
        "in.txt",
        "./in.txt",
        "sub/in.txt",
        "sub/../in.txt",
        "../root/in.txt",
        "good-link",
        "good-directory/in.txt",
        "good-directory/deep/in.txt",
        "{root}/sub/in.txt",
        "{outside}/../root/in.txt",
        "~/../root/in.txt",
    ],
)
def test_what_is_inside_is_read(world: World, text: str) -> None:
    opened = world.sandbox.open(filled(text, world), limit=100)
    assert opened.data == INSIDE
    assert opened.name == Path(text).name


def test_a_link_from_elsewhere_into_the_directory_is_followed(fresh: World) -> None:
    (fresh.outside / "back").symlink_to(fresh.root)
    assert fresh.sandbox.open(f"{fresh.outside}/back/in.txt", limit=100).data == INSIDE


def test_what_exists_outside_and_what_does_not_get_the_same_words(world: World) -> None:
    def words(text: str) -> str:
        return refusal(world.sandbox, text).replace(repr(text), "…")

    there = {"../outside/canary.txt", "link", "/etc/passwd", "../outside", "directory-link/sub", "proc/self/environ"}
    missing = {"../outside/missing", "dangling", "/etc/passwd-missing", "../missing", "directory-link/x", "proc/x"}
    assert len({words(text) for text in there | missing}) == 1
    assert str(world.root) in words("link")
    assert "OR_MCP_ALLOWED_DIRS" in words("link")


def test_dots_after_a_link_outside_do_not_tell_that_it_exists(fresh: World) -> None:
    (fresh.outside / "away").symlink_to("/")
    texts = [f"../outside/{name}/../../root/in.txt" for name in ("away", "missing", "canary.txt")]
    assert [fresh.sandbox.open(text, limit=100).data for text in texts] == [INSIDE] * 3


def test_a_missing_file_inside_is_said_to_be_missing(world: World) -> None:
    message = refusal(world.sandbox, "report.pdf")
    assert "'report.pdf' does not exist" in message
    assert str(world.root) in message


def test_every_allowed_directory_may_be_read_and_the_first_is_where_relative_paths_start(world: World) -> None:
    sandbox = Sandbox((world.root / "sub", world.outside))
    assert sandbox.open("deep/in.txt", limit=100).data == INSIDE
    assert sandbox.open(f"{world.outside}/canary.txt", limit=100).data == CANARY
    assert "is not inside" in refusal(sandbox, f"{world.root}/in.txt")


def test_without_allowed_directories_nothing_is_read(world: World) -> None:
    assert "no directory may be read" in refusal(Sandbox(()), str(world.root / "in.txt"))


def test_kernel_files_stay_closed_when_the_whole_disk_is_open(world: World) -> None:
    sandbox = Sandbox((Path("/"),))
    assert sandbox.open(f"{world.outside}/canary.txt", limit=100).data == CANARY
    for text in ("/proc/self/environ", "proc/self/environ", "/sys/kernel/notes", "/dev/zero", f"{world.root}/environ"):
        assert "is not inside" in refusal(sandbox, text)


def test_a_directory_spelled_otherwise_is_known_by_its_identity(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that ignores case: two names for one directory, and no link to resolve."""
    (fresh.outside / "ROOT").symlink_to(fresh.root)
    monkeypatch.setattr(Path, "resolve", Path.absolute)
    assert fresh.sandbox.open(f"{fresh.outside}/ROOT/sub/in.txt", limit=100).data == INSIDE
    assert "is not inside" in refusal(fresh.sandbox, f"{fresh.outside}/canary.txt")


def test_a_socket_is_refused(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fresh.root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert "is a directory, device, pipe or socket" in refusal(fresh.sandbox, "socket")


def test_a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read(fresh: World) -> None:
    fresh.write("ten", b"x" * 10)
    assert fresh.sandbox.open("ten", limit=10).data == b"x" * 10
    with pytest.raises(InvalidRequest, match="'ten' is larger than the 9 bytes"):
        fresh.sandbox.open("ten", limit=9)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs a file that is longer than it says")
def test_a_file_that_is_longer_than_it_says_is_read_no_further_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "KERNEL", ())
    with pytest.raises(InvalidRequest, match="larger than the 5 bytes"):
        Sandbox((Path("/proc/self"),)).open("maps", limit=5)


def test_no_more_is_read_than_one_byte_over_the_limit(fresh: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file grows without end from the moment its size was asked."""
    asked: list[int] = []

    class Endless(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return b"x" * asked[-1]

    monkeypatch.setattr(os, "fdopen", Endless)
    assert "larger than the 20 bytes" in refusal(fresh.sandbox, "in.txt", 20)
    assert asked == [21]


def test_a_chain_of_links_longer_than_a_path_may_be_is_not_followed_by_its_unresolved_end(fresh: World) -> None:
    """realpath() gives up on paths beyond PATH_MAX and calls what is left no link (CVE-2025-4517)."""
    here, name = fresh.root, "d" * 240
    steps = "abcdefghijklmnopqr"
    descriptor = os.open(here, os.O_RDONLY)
    for step in steps:
        os.mkdir(name, dir_fd=descriptor)
        os.symlink(name, step, dir_fd=descriptor)
        below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.symlink(fresh.outside, "out", dir_fd=descriptor)
    os.close(descriptor)
    refusal(fresh.sandbox, "/".join(steps) + "/out/canary.txt")


def test_a_long_chain_of_links_is_refused_or_read_but_never_crashes(fresh: World) -> None:
    (fresh.root / "l0").symlink_to(fresh.outside / "canary.txt")
    for number in range(1, 2000):
        (fresh.root / f"l{number}").symlink_to(f"l{number - 1}")
    refusal(fresh.sandbox, "l1999")


def swap_for_link(directory: Path, target: Path) -> None:
    directory.rename(directory.with_name(directory.name + "-gone"))
    directory.symlink_to(target)


def before_opening(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Act after the check and before the file is opened."""
    opening = descent.open_beneath

    def open_later(root: Path, steps: tuple[str, ...]) -> int:
        act()
        return opening(root, steps)

    monkeypatch.setattr(paths, "open_beneath", open_later)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("swapped", ["sub", "sub/deep", "."])
def test_a_directory_swapped_for_a_link_between_check_and_open_is_not_followed(
    fresh: World, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    (fresh.outside / "deep").mkdir()
    for path in (fresh.outside / "in.txt", fresh.outside / "deep" / "in.txt", fresh.outside / "sub" / "in.txt"):
        path.write_bytes(CANARY)
    (fresh.outside / "sub" / "deep").mkdir()
    (fresh.outside / "sub" / "deep" / "in.txt").write_bytes(CANARY)
    before_opening(monkeypatch, lambda: swap_for_link(fresh.root / swapped, fresh.outside))
    assert "cannot be read" in refusal(fresh.sandbox, "sub/deep/in.txt")


@pytest.mark.usefixtures("either_way")
def test_a_file_swapped_for_a_link_between_check_and_open_is_not_followed(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_opening(monkeypatch, lambda: swap_for_link(fresh.root / "in.txt", fresh.outside / "canary.txt"))
    assert "cannot be read" in refusal(fresh.sandbox, "in.txt")


@pytest.mark.parametrize("stepwise", [True, False])
@pytest.mark.parametrize("become", ["link", "fifo"])
def test_a_file_swapped_after_it_was_looked_at_is_not_read(
    fresh: World, monkeypatch: pytest.MonkeyPatch, become: str, stepwise: bool
) -> None:
    monkeypatch.setattr(descent, "STEPWISE", stepwise)
    require, looked = descent.require_file, False

    def look_then_swap(found: os.stat_result) -> None:
        nonlocal looked
        require(found)
        if not looked:
            looked = True
            (fresh.root / "in.txt").unlink()
            if become == "fifo":
                os.mkfifo(fresh.root / "in.txt")
            else:
                (fresh.root / "in.txt").symlink_to(fresh.outside / "canary.txt")

    monkeypatch.setattr(descent, "require_file", look_then_swap)
    refusal(fresh.sandbox, "in.txt")
    assert looked


def test_a_directory_that_was_another_only_while_the_file_was_opened_is_noticed_without_steps(
    fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descent, "STEPWISE", False)
    (fresh.outside / "in.txt").write_bytes(CANARY)
    opening, place, kept = os.open, fresh.root / "sub", fresh.root / "kept"

    def open_elsewhere(path: Path, flags: int) -> int:
        place.rename(kept)
        place.symlink_to(fresh.outside)
        try:
            return opening(path, flags)
        finally:
            place.unlink()
            kept.rename(place)

    monkeypatch.setattr(os, "open", open_elsewhere)
    assert "cannot be read" in refusal(fresh.sandbox, "sub/in.txt")


def test_a_directory_that_flickers_never_shows_what_is_outside(fresh: World) -> None:
    """A thread swaps a directory for a link and back while the file in it is read."""
    (fresh.outside / "in.txt").write_bytes(CANARY)
    (fresh.root / "bad").symlink_to(fresh.outside)
    place, good, bad = fresh.root / "sub", fresh.root / "kept", fresh.root / "bad"
    done = threading.Event()

    def flicker() -> None:
        while not done.is_set():
            place.rename(good)
            bad.rename(place)
            place.rename(bad)
            good.rename(place)

    swapping = threading.Thread(target=flicker)
    swapping.start()
    seen: set[bytes] = set()
    try:
        for _ in range(2000):
            try:
                seen.add(fresh.sandbox.open("sub/in.txt", limit=100).data)
            except InvalidRequest:
                seen.add(b"")
    finally:
        done.set()
        swapping.join()
    assert seen <= {INSIDE, b""}


def test_no_descriptor_is_left_open(world: World) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for text in ATTACKS:
        refusal(world.sandbox, filled(text, world))
    world.sandbox.open("sub/deep/in.txt", limit=100)
    assert count() == before


@pytest.mark.parametrize(
    "text",
    [
        *("C:file.txt", "a.txt:stream", "a.txt::$DATA", "\\\\server\\share", "//server/share", "\\\\?\\C:\\x"),
        *("\\??\\C:\\x", "CON", "con.txt", "a\\nul", "COM1.log", "lpt¹", "aux .txt", "a.txt.", "a.txt ", "dir. \\a"),
        *("C:\\a\\..\\b:c", "a|b", "a*", "x?", "..\\CONIN$"),
    ],
)
def test_what_windows_reads_otherwise_is_refused_there(text: str) -> None:
    with pytest.raises(InvalidRequest):
        check_spelling(text, "attachments", windows=True)


@pytest.mark.parametrize("text", ["C:\\a\\b.txt", "c:/a/b.txt", "a\\b.txt", "..\\a", ".\\a", "console.txt", "common"])
def test_what_windows_reads_as_written_is_a_path_there(text: str) -> None:
    check_spelling(text, "attachments", windows=True)


PIECES = st.sampled_from(
    [
        *("..", ".", "/", "//", "\\", "~", "sub", "deep", "up", "in.txt", "link", "directory-link", "canary.txt"),
        *("outside", "root", "root-evil", "evil", "slash", "proc", "self", "environ", "fd", "cwd", "good-directory"),
        *("%2e%2e", "\x00", "loop", "fifo", "null", "C:", "file:", "\u2025", " ", "/etc/passwd", "{outside}", "{root}"),
    ]
)
PATHS = st.one_of(
    st.lists(PIECES, max_size=12).map("/".join),
    st.lists(PIECES, max_size=12).map("".join),
    st.text(max_size=60),
    st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=10).map("/".join),
)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS)
@example("good-directory/up/outside/canary.txt")
@example("{root}/../outside/canary.txt")
def test_whatever_is_given_nothing_outside_is_ever_read(world: World, text: str) -> None:
    message, data = "", INSIDE
    try:
        data = world.sandbox.open(filled(text, world), limit=10_000).data
    except InvalidRequest as refused:
        message = refused.message
    assert data == INSIDE
    assert CANARY.decode() not in message


async def test_cancelling_ends_a_call_whose_disk_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, released = threading.Event(), threading.Event()

    def hang(root: Path, steps: tuple[str, ...]) -> int:
        entered.set()
        released.wait(10)
        raise FileNotFoundError

    monkeypatch.setattr(paths, "open_beneath", hang)
    try:
        with anyio.fail_after(120):
            async with anyio.create_task_group() as group:
                group.start_soon(lambda: attach(["in.txt"], world.sandbox, modalities=None))
                await anyio.to_thread.run_sync(entered.wait, 5)
                group.cancel_scope.cancel()
    finally:
        released.set()
