"""Several files as one document: sections, and in them names, each with the place where it was written.

Names of one section merge across files; the same name twice is an error that shows both places. Lists (`paths`,
`protect`) add up. Their order, and that of files, means nothing: it is made canonical here. Called by `load`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.action import Json
from reconciler.address import NAME
from reconciler.desired.guess import Guesser
from reconciler.desired.nodes import Entry, Map, Node, Seq, Source, is_empty, kind_of, to_json
from reconciler.errors import Diagnostic

HERE = "here"  # in `paths`: this machine; so no connection may be called that
MAPS = ("connections", "disks", "guards")
LISTS = ("paths", "protect")


def canonical(value: Json) -> str:
    """JSON text in which the order of keys does not show."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def wish(entry: Entry) -> str:
    """What an entry says, as JSON text; nothing at all says the same as `{}`."""
    return "{}" if is_empty(entry.node) else canonical(to_json(entry.node))


class Problems:
    """Collects diagnostics; of several at one place the first stays (the later ones follow from it)."""

    def __init__(self) -> None:
        self.guesser = Guesser()
        self._found: list[Diagnostic] = []
        self._places: set[object] = set()
        self._fields: set[str] = set()

    def __len__(self) -> int:
        return len(self._found)

    def extend(self, found: Sequence[Diagnostic]) -> None:
        for one in found:
            place = one.mark and (one.mark, one.field)
            if one.mark is not None and (one.mark in self._places or place in self._places):
                continue
            self._places.add(place)
            self._found.append(one)
            parts = one.field.split(".")
            self._fields |= {".".join(parts[:end]) for end in range(1, len(parts) + 1)}

    def seal(self) -> None:
        """From here on nothing more is said about a place that was found wrong already."""
        self._places |= {one.mark for one in self._found}

    def concern(self, field: str) -> bool:
        """True when something is wrong with a field, or with a part of it, already."""
        return field in self._fields

    def add(self, entry: Entry, message: str, hint: str = "", *, key: bool = False) -> None:
        """A problem with an entry: at its value, or at its `key`."""
        self.extend([Diagnostic(message, entry.key_mark() if key else entry.mark(), entry.path, hint=hint)])

    def sorted(self, sources: Iterable[Source]) -> tuple[Diagnostic, ...]:
        """All, by place, with the line of each. Made last, when everything is known that no line may show."""
        by_name = {source.name: source for source in sources}
        ordered = sorted(self._found, key=lambda d: (d.mark is not None, d.mark, d.field, d.message))
        return tuple(_with_line(one, by_name) for one in ordered)


def _with_line(one: Diagnostic, sources: Mapping[str, Source]) -> Diagnostic:
    if one.mark is None or one.excerpt or one.mark.file not in sources:
        return one
    return replace(one, excerpt=sources[one.mark.file].excerpt(one.mark))


@dataclass
class Document:
    """`named`: section → name → entry (maps and kinds). `listed`: section → entries, in canonical order."""

    named: dict[str, dict[str, Entry]] = field(default_factory=dict)
    listed: dict[str, list[Entry]] = field(default_factory=dict)

    def names(self, section: str) -> dict[str, Entry]:
        return self.named.get(section, {})

    def shared(self) -> dict[str, Entry]:
        """Everything of the shared sections by dotted path, for the marks of the stack."""
        found = {e.path: e for section in MAPS for e in self.names(section).values()}
        return found | {e.path: e for section in LISTS for e in self.listed.get(section, ())}


def merge(files: Sequence[tuple[Source, Node]], kinds: Collection[str], problems: Problems) -> Document:
    """One document of all files. `kinds`: the names that may be sections besides the shared ones."""
    document = Document()
    for source, root in files:
        if is_empty(root):
            continue
        top = Entry(source, None, root, "")
        if not isinstance(root, Map):
            problems.add(top, f"the file is {kind_of(root)}, not sections", "begin with a section, as connections:")
            continue
        for name, section in top.children():
            _section(document, name, section, kinds, problems)
    for name, entries in document.listed.items():
        ordered = sorted(entries, key=wish)
        document.listed[name] = [Entry(e.source, e.key, e.node, f"{name}.{i}") for i, e in enumerate(ordered)]
    return document


def _section(document: Document, name: str, entry: Entry, kinds: Collection[str], problems: Problems) -> None:
    if name in LISTS:
        _list(document, name, entry, problems)
    elif name in MAPS or name in kinds:
        _map(document, name, entry, problems)
    else:
        known = [*MAPS, *LISTS, *sorted(kinds)]
        kind, dot, rest = name.partition(".")
        hint = f"write {kind}: {{{rest}: …}}" if dot and kind in kinds else problems.guesser.hint(name, known)
        problems.add(entry, f"{name} is neither a section nor a kind", hint, key=True)


def _list(document: Document, name: str, entry: Entry, problems: Problems) -> None:
    if isinstance(entry.node, Seq):
        document.listed.setdefault(name, []).extend(below for _, below in entry.children())
    elif not is_empty(entry.node):
        problems.add(entry, f"{name} must be a list, not {kind_of(entry.node)}", "begin each item with a dash: - …")


def _map(document: Document, name: str, entry: Entry, problems: Problems) -> None:
    into = document.named.setdefault(name, {})
    if is_empty(entry.node):
        return
    if not isinstance(entry.node, Map):
        hint = f"write {name}: {{name: …}}"
        problems.add(entry, f"{name} must map names to what is wanted, not {kind_of(entry.node)}", hint)
        return
    for key, below in entry.children():
        if key in into:
            first = into[key].key_mark()
            what = f"{name}.{key}"
            problems.add(below, f"{what} is declared twice; first at {first}", "rename or remove one of them", key=True)
            continue
        into[key] = below
        if name != "guards":
            _name(name, key, below, problems)


def _name(section: str, name: str, entry: Entry, problems: Problems) -> None:
    if not NAME.match(name):
        better = "-".join(
            filter(None, "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())
        )
        hint = f"as {better}" if better and NAME.match(better) else "as media-4k"
        problems.add(entry, f"the name '{name}' may hold only a-z, 0-9, - and _", hint, key=True)
    elif section == "connections" and name == HERE:
        problems.add(
            entry, f"'{HERE}' means this machine, no connection can be called that", "choose another name", key=True
        )


def entries(document: Document, kinds: Collection[str]) -> Iterator[tuple[str, str, Entry]]:
    """Kind, name and entry of every declared resource, by address."""
    for kind in sorted(kinds):
        for name in sorted(document.names(kind)):
            yield kind, name, document.named[kind][name]
