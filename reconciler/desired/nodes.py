"""The parsed desired state with its places: scalars, mappings and sequences that know where they were written.

`graph` makes them, `document` merges them, `load` turns them into JSON values for validation. Places are looked up only
when somebody asks (`Marks`), because a valid file needs none of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.action import Json
from reconciler.desired.secrets import mask, mask_values
from reconciler.errors import Mark

_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")  # what YAML counts as the end of a line
_SECTION = re.compile(r"""["']?(\w+)["']?\s*:(?:\s|$)""")
_EXCERPT = 240  # characters of a line that are kept
_FAR = 200  # a column behind which a line is not shown
_READ = 20_000  # characters of a line that are looked at
_MANY = 500  # words to hide, beyond which no line is shown


class Source:
    """One file: its name as the user gave it, and its text.

    `hidden`: words that no excerpt may show. `parsed`: False when the file could not be read to its end, so that nobody
    knows which words those are; of a line that may be of a connection only its first key is shown then.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.hidden: set[str] = set()
        self.parsed = True

    @cached_property
    def _lines(self) -> list[str]:
        return _BREAK.split(self.text)

    @cached_property
    def _sections(self) -> list[tuple[int, str]]:
        found = ((number, _SECTION.match(line)) for number, line in enumerate(self._lines, 1))
        return [(number, match[1]) for number, match in found if match]

    def _section(self, line: int) -> str:
        """The section that a line is of, by the look of the text; "" when that can't be told."""
        at = bisect_right(self._sections, line, key=lambda s: s[0])
        return self._sections[at - 1][1] if at else ""

    def mark(self, line: int, column: int) -> Mark:
        """A mark from YAML's figures, which count from 0."""
        return Mark(self.name, line + 1, column + 1)

    def place(self, offset: int) -> Mark:
        """The mark of a character of the text."""
        breaks = [found.end() for found in _BREAK.finditer(self.text, 0, offset)]
        return self.mark(len(breaks), offset - (breaks[-1] if breaks else 0))

    def end(self, line: int, column: int) -> Mark:
        """A mark that is in the text: what lies behind its last word is moved to that word's end."""
        last = len(self._lines) - 1
        while last > 0 and not self._lines[last].strip():
            last -= 1
        return self.mark(line, column) if line <= last else self.mark(last, len(self._lines[last].rstrip()))

    def excerpt(self, mark: Mark) -> str:
        """The line of `mark` with secrets masked; columns stay where they are.

        Empty where it would not help: `mark` is far out in a very long line, or half of the file had to be masked.
        """
        if mark.line > len(self._lines) or mark.column > _FAR or len(self.hidden) > _MANY:
            return ""
        line = mask(self._lines[mark.line - 1][:_READ], self.hidden)
        if not self.parsed and self._section(mark.line) in ("", "connections"):
            line = mask_values(line)
        if len(line) > _EXCERPT:
            line = line[:_EXCERPT] + "…"
        return "".join("→" if c == "\t" else c if c.isprintable() else "\ufffd" for c in line.rstrip())


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value. `text` as written (unquoted), `value` what it means. `weight` and `height` as of every node:
    how many nodes it is once aliases are expanded, and how many levels it has below it.
    """

    line: int
    column: int
    text: str
    value: str | int | float | bool | None
    weight: int = 1
    height: int = 0


@dataclass(slots=True, eq=False)
class Seq:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    weight: int = 1
    height: int = 0


@dataclass(slots=True, eq=False)
class Map:
    """A mapping: key text → the key where it stands, and its value. Merge keys are resolved already."""

    line: int
    column: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    weight: int = 1
    height: int = 0


Node = Scalar | Seq | Map


def to_json(node: Node) -> Json:
    """The value of `node` as `json.dumps` takes it. Depth is limited by `graph`."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Map):
        return {key: to_json(value) for key, (_, value) in node.entries.items()}
    return [to_json(item) for item in node.items]


def is_empty(node: Node) -> bool:
    """True for nothing at all: `key:` or `key: null`."""
    return isinstance(node, Scalar) and node.value is None


def kind_of(node: Node) -> str:
    """What stands there, in the user's words."""
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node, Seq):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true or false"
    return "text" if isinstance(node.value, str) else "a number"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A named node: its key (None for the item of a list), its value, and its dotted path in the whole document."""

    source: Source
    key: Scalar | None
    node: Node
    path: str

    def mark(self) -> Mark:
        """Where people look for it: a plain value where the value stands, else where its key stands."""
        place = self.node if self.key is None or (isinstance(self.node, Scalar) and self.node.text) else self.key
        return self.source.mark(place.line, place.column)

    def key_mark(self) -> Mark:
        place = self.key or self.node
        return self.source.mark(place.line, place.column)

    def child(self, part: str | int) -> Entry | None:
        """The entry below this one; None when there is none of that key or number."""
        if isinstance(self.node, Map) and str(part) in self.node.entries:
            key, value = self.node.entries[str(part)]
            return Entry(self.source, key, value, f"{self.path}.{part}" if self.path else str(part))
        if isinstance(self.node, Seq) and isinstance(part, int) and 0 <= part < len(self.node.items):
            return Entry(self.source, None, self.node.items[part], f"{self.path}.{part}")
        return None

    def children(self) -> Iterator[tuple[str, Entry]]:
        """Key (or number, as text) and entry of everything directly below."""
        parts: list[str | int] = []
        if isinstance(self.node, Map):
            parts = list(self.node.entries)
        elif isinstance(self.node, Seq):
            parts = list(range(len(self.node.items)))
        for part in parts:
            below = self.child(part)
            if below is not None:
                yield str(part), below

    def find(self, dotted: str) -> Entry | None:
        """The entry at a dotted path. Keys may hold dots themselves: the key that carries furthest wins."""
        if not dotted:
            return self
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            head = ".".join(parts[:end])
            number = int(head) if isinstance(self.node, Seq) and head.isdecimal() else head
            below = self.child(number)
            found = below.find(".".join(parts[end:])) if below else None
            if found is not None:
                return found
        return None


class Marks(Mapping[str, Mark]):
    """Dotted path → where it was written, looked up when asked. "" is the thing itself, for a resource."""

    def __init__(self, roots: Mapping[str, Entry]) -> None:
        self._roots = roots

    @classmethod
    def of(cls, entry: Entry) -> Marks:
        return cls({"": entry})

    def __getitem__(self, dotted: str) -> Mark:
        own = self._roots.get("")
        found = own.find(dotted) if own else self._below(dotted)
        if found is None:
            raise KeyError(dotted)
        return found.mark()

    def _below(self, dotted: str) -> Entry | None:
        for name, entry in self._roots.items():
            if dotted == name or dotted.startswith(f"{name}."):
                found = entry.find(dotted[len(name) + 1 :])
                if found is not None:
                    return found
        return None

    def __iter__(self) -> Iterator[str]:
        for name, entry in self._roots.items():
            yield from _paths(name, entry)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _paths(path: str, entry: Entry) -> Iterator[str]:
    yield path
    for part, below in entry.children():
        yield from _paths(f"{path}.{part}" if path else part, below)
