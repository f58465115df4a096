"""URLs that are handed to upstream: never fetched here, and never one that points into a private network.

Upstream, or a provider, fetches them. A public name that resolves to a private address is theirs to refuse: asking DNS
here would tell what is asked, and prove nothing about what it answers them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from or_mcp.attachments.secrets import AWS_KEY_ID, find_secrets
from or_mcp.attachments.spelling import quote
from or_mcp.openrouter.errors import InvalidRequest

# What common servers accept in a request line.
URL_LIMIT = 8192

_SCHEME = re.compile(r"(?i)\s*(?:[a-z][a-z0-9+.-]+://|(?:https?|ftps?|file|data|blob|javascript|wss?|s3|gs):)")
_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES = (
    *("localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa"),
    *("onion", "test", "invalid", "arpa"),
    # Public names that answer with whatever private address stands in them.
    *("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com"),
)
# IPv6 networks whose addresses carry an IPv4 address in their last 32 bits.
_CARRIERS = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
_RELAYS = IPv4Network("192.88.99.0/24")

_AUDIO = re.compile("wav|mp3|m4a|aac|flac|og[ga]|opus|aiff?|wma")
_TEXT = re.compile("txt|md|rst|[ct]sv|jsonl?|ya?ml|toml|xml|html?|log|py|[jt]s|css|sql|sh|ini|env")
_OTHER = re.compile("mp4|mov|webm|mkv|avi|zip|gz|tar|7z|rar|docx?|xlsx?|pptx?|odt|epub|exe|svg")


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that may be handed on, and what it leads to by its name."""

    url: str
    name: str
    pdf: bool


def is_url(reference: str) -> bool:
    """Whether this is meant as a URL; anything else is a path."""
    return _SCHEME.match(reference) is not None


def check_url(reference: str, *, allow_secrets: bool = False) -> Link:
    """The URL to hand on.

    Raises:
        InvalidRequest: It is not a public https URL, or leads to something that upstream takes no URL of.
    """
    try:
        parts = urlsplit(reference)
        problem = _spelling_problem(reference) or _address_problem(parts) or _type_problem(parts)
        port = f":{parts.port}" if parts.port not in (None, 443) else ""
    except ValueError:
        raise _refused(reference, "is not a valid URL; check its spelling") from None
    found = () if allow_secrets else [each for each in find_secrets(unquote(reference)) if each.kind != AWS_KEY_ID]
    if found:
        kinds = " and ".join(sorted({each.kind for each in found}))
        raise _refused("https://…", f"holds a secret ({kinds}), and nothing was sent; give a URL without it")
    if problem:
        raise _refused(reference, problem)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    # Put together anew, so that nobody reads another host out of it.
    url = f"https://{host}{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
    return Link(url, PurePosixPath(parts.path).name or host, _extension(parts) == "pdf")


def _refused(reference: str, problem: str) -> InvalidRequest:
    # Up to its query only, and without a user: what follows may be a secret.
    shown = re.sub(r"//[^/]*@", "//…@", re.split(r"[?#]", reference, maxsplit=1)[0])
    return InvalidRequest(f"attachments: {quote(shown)} {problem}")


def _spelling_problem(reference: str) -> str | None:
    if len(reference) > URL_LIMIT:
        return f"has {len(reference)} characters; a URL may have {URL_LIMIT}"
    if not _PRINTABLE.fullmatch(reference) or "\\" in reference:
        return "contains a space, a backslash or a character outside ASCII; write it percent-encoded, the host as xn--"
    if not reference.lower().startswith("https://"):
        return "is not an https URL; give https://…, or save the file in an allowed directory and give its path"
    return None


def _address_problem(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "carries a user name or password; give a URL that works without"
    host = (parts.hostname or "").removesuffix(".")
    if not host:
        return "names no host; write https://host/path"
    if "[" in parts.netloc or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None if _is_public(host) else _NOT_PUBLIC
    if not _HOST.fullmatch(host) or any(f".{host}".endswith(f".{suffix}") for suffix in _PRIVATE_SUFFIXES):
        return _NOT_PUBLIC
    return None


_NOT_PUBLIC = (
    "does not name a public host: upstream fetches it from the internet, and private, local or oddly written addresses "
    "are refused. Save the file in an allowed directory and give its path"
)


def _is_public(host: str) -> bool:
    """An IP address of the public internet, written the one usual way: no octal, hex, missing parts or zones."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if "%" in host:
        return False
    return all(_is_global(each) for each in (address, *_carried(address)))


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and any(address in network for network in _CARRIERS):
        return True  # it is as public as what it carries
    relay = isinstance(address, IPv4Address) and address in _RELAYS
    return address.is_global and not (relay or address.is_multicast or address.is_reserved or address.is_unspecified)


def _carried(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses inside an IPv6 one."""
    if isinstance(address, IPv4Address):
        return ()
    last = [IPv4Address(int(address) & 0xFFFF_FFFF)] if any(address in network for network in _CARRIERS) else []
    return (*last, *([address.sixtofour] if address.sixtofour else []), *(address.teredo or ()))


def _type_problem(parts: SplitResult) -> str | None:
    extension = _extension(parts)
    if _AUDIO.fullmatch(extension):
        return "is audio, which upstream takes only as data; save it in an allowed directory and give its path"
    if _TEXT.fullmatch(extension):
        return "is text, of which upstream takes no URL; save it in an allowed directory and give its path, or set web"
    if _OTHER.fullmatch(extension):
        return f"is a .{extension} file; by URL only images and PDF are accepted"
    return None


def _extension(parts: SplitResult) -> str:
    return PurePosixPath(unquote(parts.path)).suffix.lower().removeprefix(".")
