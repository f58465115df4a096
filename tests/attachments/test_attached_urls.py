"""URLs: handed to upstream when they are plainly public, refused otherwise, never fetched."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mcp.attachments.attach import attach
from or_mcp.attachments.urls import check_url, is_url
from or_mcp.openrouter.errors import InvalidRequest
from tests.attachments.world import World

NOT_PUBLIC = [
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "metadata.google.internal", "metadata"),
    *("nas.lan", "router.home.arpa", "wiki.corp", "x.onion", "intranet", "127.0.0.1.nip.io", "a.localtest.me"),
    *(
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "017700000001",
    ),
    *("0177.0.0.1", "0177.0x0.0.1", "00127.0.0.1", "0", "0.0.0.0", "0x0", "10.1.2.3", "010.8.8.8", "172.16.0.1"),
    *("172.31.255.255", "192.168.1.1", "192.168.257", "169.254.169.254", "0xa9fea9fe", "2852039166", "100.64.0.1"),
    *("198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "256.1.1.1", "1.2.3.4.5", "8.8.8"),
    *("0x8.8.8.8", "08.8.8.8", "192.88.99.1", "1e3.4", "4294967296", "999999999999"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd12::1]", "[ff02::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b::10.0.0.1]", "[2002:7f00:1::]", "[2002:c0a8:101::]", "[2001:0:7f00:1::]", "[2001:db8::1]", "[::2]"),
    *("[2606:4700::1%251]", "[::ffff:0:127.0.0.1]", "[::1", "[v1.a]", "::1", "[]"),
    *("%6c%6f%63%61%6c%68%6f%73%74", "%31%32%37.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "loc\u00adalhost", "lоcalhost"),
    *("exa mple.com", "example..com", ".example.com", "-a.com", "a_b", "", " ", "\x00.com", "example.com\t", "a\n.com"),
]
REFUSED = [
    *("http://example.com/a.png", "HTTP://example.com", "ftp://example.com/a.png", "file:///etc/passwd", "file:x"),
    *("data:image/png;base64,AAAA", "javascript:alert(1)", "blob:https://example.com/1", "ws://example.com", "s3:b/k"),
    *("https:example.com/a.png", "https:/example.com/a.png", "https:///a.png", "https://", "https:\\\\example.com\\a"),
    *("https://user:pass@example.com/a.png", "https://user@example.com/a.png", "https://@example.com/a.png"),
    *("https://example.com@127.0.0.1/", "https://127.0.0.1@example.com/", "https://example.com\\@127.0.0.1/"),
    *("https://example.com:99999/a", "https://example.com:x/a", "https://example.com:-1/a", " https://example.com/a"),
    *("https://example.com/a b.png", "https://example.com/\u00e9.png", "https://example.com/a\r\nHost: x"),
    *("https://example.com/song.mp3", "https://example.com/a.WAV", "https://example.com/notes.txt", "https://a.b/x.md"),
    *(
        "https://example.com/film.mp4",
        "https://example.com/a.docx",
        "https://example.com/a.tar.gz",
        "https://a.b/a%2Etxt",
    ),
    "https://example.com/" + "a" * 9000,
    "https://example.com/a.png?key=sk-or-v1-" + "0123456789abcdef" * 4,
    "https://example.com/a.png?key=sk%2Dor%2Dv1%2D" + "0123456789abcdef" * 4,
]


@pytest.mark.parametrize(
    "url", [f"https://{host}/a.png" for host in NOT_PUBLIC] + REFUSED, ids=lambda url: ascii(url)[:60]
)
async def test_a_url_that_is_not_plainly_public_is_refused(world: World, url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await attach([url], world.sandbox, modalities=None)
    assert refused.value.message.startswith("attachments: ")
    assert "pass" not in refused.value.message.replace("password", "").replace("/etc/passwd", "")
    assert "0123456789abcdef" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("HTTPS://Example.COM/A.png?b=c&d=%20#here", "https://example.com/A.png?b=c&d=%20"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com?@127.0.0.1/", "https://example.com/?@127.0.0.1/"),
        ("https://example.com#@127.0.0.1/", "https://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://xn--bcher-kva.example.com/a@2x.jpg", "https://xn--bcher-kva.example.com/a@2x.jpg"),
        ("https://1.1.1.1/a", "https://1.1.1.1/a"),
        ("https://[2606:4700:4700::1111]/a", "https://[2606:4700:4700::1111]/a"),
        ("https://[::ffff:8.8.8.8]/a", "https://[::ffff:8.8.8.8]/a"),
        ("https://123.example.com/a", "https://123.example.com/a"),
        ("https://b.s3.amazonaws.com/a.png?X-Amz-Credential=AKIAQWERTYUIOPASDFGH%2F1", None),
    ],
)
async def test_a_public_url_is_handed_on_as_an_image(world: World, url: str, sent: str | None) -> None:
    [attached] = await attach([url], world.sandbox, modalities=frozenset({"text", "image"}))
    assert attached.part() == {"type": "image_url", "image_url": {"url": sent or url}}


async def test_a_pdf_by_url_is_a_file(world: World) -> None:
    url = "https://example.com/papers/a%20b.PDF?x=1"
    [attached] = await attach([url], world.sandbox, modalities=None)
    assert attached.part() == {"type": "file", "file": {"filename": "a%20b.PDF", "file_data": url}}
    assert (attached.kind, attached.size, attached.media_type) == ("file", 0, "application/pdf")


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://example.com/a.png", "give https://"),
        ("https://example.com/song.mp3", "save it in an allowed directory"),
        ("https://example.com/a.txt", "or set web"),
        ("https://10.0.0.1/a.png", "private, local or oddly written"),
        ("https://me:hunter2@example.com/", "works without"),
    ],
)
def test_a_refusal_says_what_to_do_instead(url: str, advice: str) -> None:
    with pytest.raises(InvalidRequest, match=advice) as refused:
        check_url(url)
    assert "hunter2" not in refused.value.message


async def test_no_url_opens_a_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*given: object) -> None:
        raise AssertionError(given)

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, unexpected)
    monkeypatch.setattr(socket, "getaddrinfo", unexpected)
    assert len(await attach(["https://example.com/a.png"] * 10, world.sandbox, modalities=None)) == 10


@pytest.mark.parametrize(
    "path", ["C:\\a.png", "c:/a.png", "notes: monday.txt", "a.png", "./https/a", "~/a", "12:30.log"]
)
def test_a_path_is_no_url(path: str) -> None:
    assert not is_url(path)


HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.integers(0, 2**32).map(str),
    st.integers(0, 2**32).map(hex),
    st.lists(st.integers(0, 300).flatmap(lambda n: st.sampled_from([str(n), hex(n), f"0{n:o}"])), max_size=5).map(
        ".".join
    ),
    st.text("0123456789abcdefx.:[]%@-", max_size=20),
)


@given(HOSTS)
def test_whatever_passes_is_read_by_everyone_as_the_same_public_address(host: str) -> None:
    try:
        link = check_url(f"https://{host}/a.png")
    except InvalidRequest:
        return
    name = urlsplit(link.url).hostname or ""
    try:
        loose = socket.inet_aton(name)
    except (OSError, UnicodeError):
        assert ":" in name or not name.rpartition(".")[2].isdigit()
    else:
        assert str(ip_address(loose)) == name
        assert ip_address(loose).is_global
