"""`or-mcp login`: a key for this machine, allowed in the browser; it is never printed."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from or_mcp.cli import fail
from or_mcp.cli.terminal import say
from or_mcp.places import credentials_file
from or_mcp.settings import Settings, SettingsError, read_settings
from or_mcp.sign_in.callback import Callback, SignInFailed, has_browser
from or_mcp.sign_in.credentials import forget_key, make_room, store_key, stored_key
from or_mcp.sign_in.request import SignIn, sign_in_page
from or_mcp.sign_in.waiting import typed_line

if TYPE_CHECKING:
    from or_mcp.openrouter.client import OpenRouter
    from or_mcp.openrouter.errors import Failure
    from or_mcp.openrouter.wire.account import Key

# Signing in may need a password and a second factor.
_BROWSER_SECONDS = 300
# OpenRouter takes a shown code for ten minutes.
_PASTE_SECONDS = 600
_KEYS_PAGE = "https://openrouter.ai/settings/keys"


def run(arguments: argparse.Namespace) -> int:
    """Sign in, or forget the key."""
    try:
        settings = read_settings(os.environ)
        file = credentials_file(os.environ)
    except (SettingsError, RuntimeError) as error:
        return fail(str(error), 2)
    try:
        return _forget(file, settings.base_url) if arguments.forget else _sign_in(file, settings, arguments.no_browser)
    except OSError as error:
        return fail(f"{file} cannot be written: {error.strerror or error}")


def _forget(file: Path, base_url: str) -> int:
    if not forget_key(file, base_url):
        return fail(f"no key for {base_url} is stored in {file}")
    say(f"The key for {base_url} is gone from {file}.")
    say(f"It stays valid until you delete it at {_KEYS_PAGE}.")
    return 0


def _sign_in(file: Path, settings: Settings, no_browser: bool) -> int:
    base_url = settings.base_url
    try:
        attempt = SignIn(sign_in_page(base_url))
    except ValueError as error:
        return fail(f"cannot sign in to {base_url}: {error}. Set OPENROUTER_API_KEY instead")
    import anyio

    make_room(file)
    before = settings.api_key and stored_key(file, base_url)
    try:
        code = _pasted(attempt) if no_browser or not has_browser(os.environ) else _brought(attempt)
    except SignInFailed as failure:
        return fail(f"not signed in: {failure}. Run `or-mcp login` again")
    failed = anyio.run(fetch_key, attempt, code, file, base_url)
    if failed:
        return fail(failed)
    say(f"It is in {file}, readable by you alone. Every host on this machine finds it there at its next start.")
    if before:
        say(f"The key that was there before stays valid until you delete it at {_KEYS_PAGE}.")
    if settings.api_key != before:
        say("OPENROUTER_API_KEY is set here: where it is set, it is used instead.")
    return 0


def _brought(attempt: SignIn) -> str:
    """The code, as the browser brings it to this machine."""
    try:
        listening = Callback()
    except OSError as error:
        raise SignInFailed(f"no port on 127.0.0.1 is free for the browser ({error.strerror})") from error
    with listening as callback:
        url = attempt.url(_label(), callback.url)
        say(f"Allow a key for or-mcp in your browser. If it does not open, go to:\n\n  {url}\n")
        say("Waiting for 5 minutes. Is your browser on another machine? Ctrl-C, then `or-mcp login --no-browser`.")
        sys.stdout.flush()
        # Some browsers return only when they are closed.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        return callback.wait(_BROWSER_SECONDS)


def _pasted(attempt: SignIn) -> str:
    """The code, as the user copies it from a browser anywhere."""
    say(f"In a browser on any machine, go to:\n\n  {attempt.url(_label())}\n")
    say("Allow the key there, and paste the code that the page shows (it works once, for 10 minutes).")
    print("Code: ", end="", flush=True)
    code = typed_line(_PASTE_SECONDS)
    if not code:
        raise SignInFailed("no code came within 10 minutes" if code is None else "no code was given")
    return code


def _label() -> str:
    return f"or-mcp on {socket.gethostname()}"


async def fetch_key(attempt: SignIn, code: str, file: Path, base_url: str) -> str:
    """Fetch the key, keep it, say what it may spend; the answer is what went wrong."""
    from or_mcp.identity import IDENTITY
    from or_mcp.openrouter.client import OpenRouter
    from or_mcp.openrouter.errors import CallerCanAct, Failure, OwnerCanAct
    from or_mcp.openrouter.http import Http

    http = Http(base_url, IDENTITY)
    try:
        key = await OpenRouter(http, None).exchange_code(code, attempt.verifier)
        store_key(file, base_url, key)
        return await _check(OpenRouter(http, key), file, base_url)
    except (CallerCanAct, OwnerCanAct) as failure:
        why = f'OpenRouter did not accept the code: "{failure.quote}". One works once, for 10 minutes'
        return f"{why}. Run `or-mcp login` again"
    except Failure as failure:
        return f"not signed in: {_told(failure)}. Run `or-mcp login` again"
    finally:
        await http.close()


async def _check(upstream: OpenRouter, file: Path, base_url: str) -> str:
    from or_mcp.openrouter.errors import Failure, NotAuthorized

    try:
        say(f"Signed in with {_described(await upstream.key_status())}.")
    except NotAuthorized as failure:
        forget_key(file, base_url)
        return f"not signed in: OpenRouter made a key, and does not accept it: {_told(failure)}"
    except Failure as failure:
        say(f"Signed in. What the key may spend is not known yet: {_told(failure)}.")
    return ""


def _told(failure: Failure) -> str:
    return f'{failure.message}: "{failure.quote}"' if failure.quote else failure.message


def _described(key: Key) -> str:
    if key.limit is None:
        return f"key {key.label or ''}, which has no limit of its own"
    left = "an unknown amount" if key.limit_remaining is None else f"${key.limit_remaining:.2f}"
    return f"key {key.label or ''}, limited to ${key.limit:.2f}; {left} is left"
