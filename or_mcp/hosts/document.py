"""A host's file as text: what it holds, what it would hold with our entry, what without."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from or_mcp.hosts import json_edit, toml_edit
from or_mcp.hosts.entry import SERVER, Entry, as_entry, is_ours, merged, words_of
from or_mcp.hosts.host import Host
from or_mcp.hosts.problem import HostProblem, Unreadable

_INPUTS = "inputs"


class Editor(Protocol):
    """What an editor of one syntax can do."""

    def load(self, text: str) -> Any:
        """What a text holds."""
        ...

    def put(self, text: str, path: tuple[str, ...], value: Mapping[str, Any]) -> str:
        """The text with a table of names and values set."""
        ...

    def cut(self, text: str, path: tuple[str, ...]) -> str:
        """The text without it."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A host's file, decoded. Every change is a new one."""

    host: Host
    text: str = ""
    mark: bytes = b""

    @classmethod
    def read(cls, host: Host, content: bytes) -> Document:
        """Decode a file.

        Raises:
            HostProblem: It is not text in UTF-8.
        """
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise HostProblem("it is written in UTF-16; save it as UTF-8 first")
        try:
            return cls(host, content[len(mark) :].decode(), mark)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            raise Unreadable(before, len(before), "not UTF-8") from None

    def encoded(self) -> bytes:
        """The bytes of the file."""
        return self.mark + self.text.encode()

    def entry(self) -> Entry | None:
        """The entry of our name, if there is one.

        Raises:
            HostProblem: The file cannot be read, or the entry is not one.
        """
        servers = self._load().get(self.host.servers)
        if servers is None:
            return None
        table = as_entry(servers)
        if table is None:
            raise HostProblem(f"{self.host.servers} holds no servers by name")
        found = table.get(SERVER)
        if found is None:
            return None
        return as_entry(found) or {}

    def has_ours(self) -> bool:
        """Whether our entry is there."""
        return is_ours(self.entry())

    def with_entry(self, wanted: Entry) -> Document:
        """The file with our entry; one that is there is brought up to date.

        Raises:
            HostProblem: The entry of our name is another program's, or the file cannot be edited.
        """
        found = self.entry()
        if found is not None and not is_ours(found):
            what = f"it has another server called {SERVER} ({_told(found)})"
            raise HostProblem(f"{what}; rename that one or remove it, then run this again")
        entry = wanted if found is None else merged(found, wanted)
        text = self.text if entry == found else self._editor.put(self.text, self._place, entry)
        for given in self.host.inputs:
            if _mentions(given, entry) and given["id"] not in self._input_ids():
                text = json_edit.append(text, _INPUTS, given)
        return self._checked(text, entry)

    def without_entry(self) -> Document:
        """The file without our entry; another program's of that name stays."""
        if not self.has_ours():
            return self
        text = self._editor.cut(self.text, self._place)
        for given in self.host.inputs:
            if not _mentions(given, self._editor.load(text).get(self.host.servers)):
                text = json_edit.cut_items(text, _INPUTS, "id", given["id"])
        return self._checked(text, None)

    @property
    def _editor(self) -> Editor:
        return toml_edit if self.host.syntax == "toml" else json_edit

    @property
    def _place(self) -> tuple[str, str]:
        return self.host.servers, SERVER

    def _load(self) -> Entry:
        table = as_entry(self._editor.load(self.text))
        if table is None:
            raise HostProblem("it holds a list or a plain value where an object belongs")
        return table

    def _input_ids(self) -> list[Any]:
        inputs: Any = self._load().get(_INPUTS)
        items = cast("list[Any]", inputs) if isinstance(inputs, list) else []
        return [item.get("id") for item in map(as_entry, items) if item]

    def _others(self) -> str:
        """Everything that is not ours, to compare."""
        loaded = self._load()
        servers = as_entry(loaded.get(self.host.servers)) or {}
        ours = [given["id"] for given in self.host.inputs]
        kept: dict[str, Any] = {
            self.host.servers: {name: value for name, value in servers.items() if name != SERVER},
            _INPUTS: [name for name in self._input_ids() if name not in ours] if ours else loaded.get(_INPUTS),
        }
        rest = {name: value for name, value in loaded.items() if name not in kept}
        return repr((rest, kept))

    def _checked(self, text: str, entry: Entry | None) -> Document:
        """The changed file, once it is certain that it says what it should."""
        changed = Document(self.host, text, self.mark)
        if not changed._says(entry) or changed._others() != self._others():
            raise HostProblem(f"it is written in a way that cannot be edited safely; {self._by_hand(entry)}")
        return changed

    def _says(self, entry: Entry | None) -> bool:
        try:
            return self.entry() == entry
        except HostProblem:
            return False

    def _by_hand(self, entry: Entry | None) -> str:
        """What a person would do."""
        if entry is None:
            return f"remove {'.'.join(self._place)} by hand"
        return f"have this in it by hand:\n\n{self._editor.put('', self._place, entry)}"


def _mentions(given: Mapping[str, object], where: Any) -> bool:
    return f"${{input:{given['id']}}}" in str(where)


def _told(entry: Entry) -> str:
    elsewhere = entry.get("url") or entry.get("httpUrl") or entry.get("serverUrl")
    return str(next(iter(words_of(entry)), elsewhere or "it has no command"))
