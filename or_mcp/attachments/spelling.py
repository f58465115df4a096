"""What a path may look like, before the file system is asked anything."""

from __future__ import annotations

import os
import re

from or_mcp.openrouter.errors import InvalidRequest, shorten

# PATH_MAX of Linux.
PATH_LIMIT = 4096
_QUOTE_LIMIT = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"(?i)(?:file|data|javascript|blob):|[a-z][a-z0-9+.-]+://")
_NETWORK = re.compile(r"[\\/]{2}")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|\Z)")
_WINDOWS = os.name == "nt"


def quote(text: str) -> str:
    """A caller's words, short, with nothing in them that could pass for ours."""
    return repr(shorten(text, _QUOTE_LIMIT))


def check_spelling(text: str, argument: str, *, windows: bool = _WINDOWS) -> None:
    """Refuse what is not plainly a path. Nothing is decoded, stripped or expanded here.

    Raises:
        InvalidRequest: It is empty, a URL, a network or device path, or cannot name a file.
    """
    problem = _problem(text) or (_windows_problem(text) if windows else None)
    if problem:
        raise InvalidRequest(f"{argument}: {quote(text)} {problem}")


def _problem(text: str) -> str | None:
    if not text.strip():
        return "is empty; give the path of a file"
    if len(text) > PATH_LIMIT:
        return f"has {len(text)} characters; a path has at most {PATH_LIMIT}"
    if _CONTROL.search(text) or not _is_unicode(text):
        return "contains a control character or broken Unicode; give the path as it is written on disk"
    if _SCHEME.match(text):
        return "is a URL; a file is given by its plain path, such as docs/report.pdf"
    if _NETWORK.match(text):
        return "is a network or device path; copy the file into an allowed directory and give its plain path"
    return None


def _is_unicode(text: str) -> bool:
    """Whether it can be encoded: half a surrogate pair would reach the file system as some other byte."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _windows_problem(text: str) -> str | None:
    """What Windows reads differently from how it is written: streams, devices, dots and spaces it drops."""
    rest = text[2:] if _DRIVE.match(text) else text
    if ":" in rest:
        return "contains a colon; give a plain path, without a stream and with a slash after the drive"
    if re.search(r'[<>"|?*]', rest):
        return 'contains one of < > " | ? *, which no name on Windows has; give the path of a file'
    for name in re.split(r"[\\/]", rest):
        if name not in ("", ".", "..") and name[-1] in ". ":
            return "has a name that ends in a dot or a space, which Windows drops; give the name without it"
        if _RESERVED.match(name):
            return f"names a device ({quote(name)}); give the path of a file"
    return None
