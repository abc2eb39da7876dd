"""YAML text → nodes with places, without recursion and within limits; everything odd is a diagnostic with its place.

Read from the parser's events, not from `yaml.compose`: depth, size and aliases are limited while they grow, duplicate
keys and the traps of YAML 1.1 are seen where they stand, and no tag of a file can construct or run anything. Problems
that leave the rest readable (a duplicate key) are collected; others end this file, never the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.desired.nodes import Map, Node, Scalar, Seq, Source
from reconciler.desired.scalars import Trap, resolve
from reconciler.desired.secrets import is_secret
from reconciler.errors import Diagnostic

MAX_DEPTH = 40  # levels; the deepest spec has about eight
MAX_TEXT = 4_096  # characters of a value or a name: as many as a path may have
MAX_NODES = 500_000  # values in one file, aliases expanded: about 25,000 resources

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times faster, where it was built
_MERGE = "<<"
_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Fatal(Exception):
    """The rest of the file cannot be read; the problem is collected already."""


class _Frame:
    """A collection that is still open. `key` is the key that waits for its value."""

    __slots__ = ("anchor", "key", "merges", "node", "waiting")

    def __init__(self, node: Seq | Map, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: Scalar | None = None
        self.waiting = False  # a key was read (usable or not), its value comes next
        self.merges: list[Node] = []


@dataclass(frozen=True)
class Parsed:
    """A file. `root` is None when it could not be read to its end; an empty file is an empty mapping."""

    root: Node | None
    problems: list[Diagnostic]


def compose(source: Source) -> Parsed:
    """The nodes of a file and what is wrong with it."""
    composer = _Composer(source)
    try:
        for event in yaml.parse(source.text, Loader=_Loader):
            composer.take(event)
    except _Fatal:
        return Parsed(None, composer.problems)
    except yaml.reader.ReaderError:
        composer.unprintable()
        return Parsed(None, composer.problems)
    except yaml.MarkedYAMLError as e:
        composer.syntax(e)
        return Parsed(None, composer.problems)
    return Parsed(composer.root or Map(0, 0), composer.problems)


class _Composer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self.root: Node | None = None
        self._open: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}  # None: still open
        self._documents = 0
        self._nodes = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    def take(self, event: Any) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # ------------------------------------------------------------------------------------------------ the events

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._fatal(
                event, "a second YAML document begins here", "put it into a file of its own: all files are merged"
            )

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        self._bounded(event, event.value)
        if event.tag is not None:
            self._tagged(event)
        if event.implicit[0] and event.tag is None:
            frame = self._open[-1] if self._open else None
            is_key = frame is not None and isinstance(frame.node, Map) and not frame.waiting
            value, trap = (event.value, None) if event.value == _MERGE else resolve(event.value)
            if trap is not None and not is_key:
                self._trapped(event, trap)
        else:
            value = event.value
        node = Scalar(mark.line, mark.column, event.value, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._place(node, plain=event.implicit[0])

    def _bounded(self, event: Any, text: str = "") -> None:
        longest = max(len(text), len(event.tag or ""), len(event.anchor or ""))
        if longest > MAX_TEXT:
            what = f"a text of {longest:,} characters: nothing in the desired state has more than {MAX_TEXT:,}"
            self._fatal(event, what, "shorten it; is a quote or an indentation missing further up?")

    def _start(self, event: Any) -> None:
        mark = event.start_mark
        self._bounded(event)
        if event.tag is not None:
            self._tagged(event)
        if len(self._open) >= MAX_DEPTH:
            self._fatal(
                event, f"nested more than {MAX_DEPTH} levels deep", "no part of the desired state is: take it out"
            )
        node = (Map if type(event) is yaml.MappingStartEvent else Seq)(mark.line, mark.column)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Frame(node, event.anchor))

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        node = frame.node
        if isinstance(node, Map):
            for base in frame.merges:
                self._merge(node, base, event)
            below: list[Node] = [value for _, value in node.entries.values()]
        else:
            below = node.items
        node.weight = 1 + sum(n.weight for n in below)
        node.height = 1 + max((n.height for n in below), default=0)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = node
        self._place(node)

    def _alias(self, event: Any) -> None:
        shown = "an alias" if self._may_be_secret() else f"*{event.anchor}"
        if event.anchor not in self._anchors:
            self._fatal(
                event, f"{shown} refers to nothing", "define it earlier in this file; quote text that begins with *"
            )
        node = self._anchors[event.anchor]
        if node is None:
            self._fatal(event, f"{shown} contains itself", "write the values out")
        elif len(self._open) + node.height > MAX_DEPTH:
            self._fatal(event, f"nested more than {MAX_DEPTH} levels deep", "write the values out instead of *aliases")
        else:
            self._count(event.start_mark, node.weight - 1)
            self._place(node, plain=False)

    # ------------------------------------------------------------------------------------------ putting together

    def _place(self, node: Node, plain: bool = False) -> None:
        """Put a finished node where it belongs: an item, a key, a value, or the root."""
        self._count(node, 1)
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        if isinstance(frame.node, Seq):
            frame.node.items.append(node)
        elif not frame.waiting:
            frame.key = self._key(node, plain)
            frame.waiting = True
        else:
            frame.waiting = False
            self._pair(frame, node)

    def _key(self, node: Node, plain: bool) -> Scalar | None:
        if not isinstance(node, Scalar):
            hint = 'put it in quotes: "{{ … }}"' if isinstance(node, Map) else "keys are plain words"
            self._problem(node, "a mapping or a list cannot be a key", hint)
            return None
        if plain and not (isinstance(node.value, str) and resolve(node.text)[1] is None):
            what = f"the key {node.text}" if node.text else "an empty key"
            hint = f'put it in quotes: "{node.text[:40]}"'
            self._problem(node, f"{what} is not text to every YAML reader", hint, node.text)
        return node

    def _pair(self, frame: _Frame, value: Node) -> None:
        key, entries = frame.key, frame.node.entries if isinstance(frame.node, Map) else {}
        if key is None:
            return
        if key.text == _MERGE and key.value == _MERGE:
            frame.merges.append(value)
        elif key.text in entries:
            first = entries[key.text][0]
            where = self.source.mark(first.line, first.column)
            self._problem(key, f"{key.text} is written twice; first at {where}", "keep one of them", key.text)
        else:
            entries[key.text] = (key, value)

    def _merge(self, node: Map, base: Node, event: Any) -> None:
        """What `<<` brings, behind what the mapping says itself; of several bases the first wins, as YAML has it."""
        for one in base.items if isinstance(base, Seq) else [base]:
            if not isinstance(one, Map):
                self._problem(one, "<< takes a mapping, or a list of mappings", "write <<: *name of a mapping")
                continue
            self._count(event.start_mark, len(one.entries))
            for text, pair in one.entries.items():
                node.entries.setdefault(text, pair)

    def _count(self, place: Any, more: int) -> None:
        self._nodes += more
        if self._nodes > MAX_NODES:
            self._problem(
                place, f"more than {MAX_NODES:,} values (*aliases counted as often as they are used)",
                "split the file; write aliases out where they multiply",
            )  # fmt: skip
            raise _Fatal

    # ------------------------------------------------------------------------------------------------- problems

    def _path(self, name: str = "") -> str:
        """The dotted path of the place reached, or of `name` in it."""
        parts = []
        for frame in self._open:
            if isinstance(frame.node, Seq):
                parts.append(str(len(frame.node.items)))
            elif frame.key is not None and frame.waiting:
                parts.append(frame.key.text)
        return ".".join([*parts, name] if name else parts)

    def _may_be_secret(self) -> bool:
        """True where a value must not be repeated in a message: it may be a key that should not be here."""
        path = self._path()
        return path.startswith("connections.") or any(is_secret(part) for part in path.split("."))

    def _problem(self, place: Any, message: str, hint: str, name: str = "") -> None:
        mark = self.source.mark(place.line, place.column)
        self.problems.append(Diagnostic(message, mark, self._path(name), hint=hint))

    def _fatal(self, event: Any, message: str, hint: str) -> None:
        self._problem(event.start_mark, message, hint)
        raise _Fatal

    def _trapped(self, event: Any, trap: Trap) -> None:
        if any(is_secret(part) for part in self._path().split(".")):
            return  # "put it in quotes" would be bad advice: validation says that it may not stand here at all
        shown = "this value" if self._may_be_secret() else event.value
        self._problem(
            event.start_mark, f"{shown} {trap.says}", trap.hint.replace(event.value, "…") if " " in shown else trap.hint
        )

    def _tagged(self, event: Any) -> None:
        tag = "a tag" if self._may_be_secret() else f"the tag {event.tag}"
        hint = "quote what is text; a secret is {env: NAME} or {file: PATH}"
        self._problem(event.start_mark, f"{tag} is not read: the desired state is plain YAML", hint)

    def unprintable(self) -> None:
        """A control character. The C parser does not tell where."""
        found = _CONTROL.search(self.source.text)
        at = found.start() if found else 0
        mark = self.source.place(at)
        message = f"the character U+{ord(self.source.text[at]):04X} may not stand in YAML"
        self.problems.append(Diagnostic(message, mark, hint="remove it; is this a text file?"))

    def syntax(self, e: yaml.MarkedYAMLError) -> None:
        place = e.problem_mark or e.context_mark
        line, column = (place.line, place.column) if place else (0, 0)
        mark = self.source.end(line, column)
        message, hint = _in_words(e, self.source.excerpt(mark))
        self.problems.append(Diagnostic(message, mark, hint=hint))


def _in_words(e: yaml.MarkedYAMLError, line: str) -> tuple[str, str]:
    """The parser's complaint as people would put it, and what usually is the cause."""
    problem = e.problem or "not YAML"
    begun, seen = e.context_mark, e.problem_mark
    started = f" (begun in line {begun.line + 1})" if begun and seen and begun.line < seen.line else ""
    for part, message, hint in (
        ("cannot start any token", "a character that YAML does not allow here", "quote the text; indent with spaces, not tabs"),
        ("found a tab", "a tab where YAML wants spaces", "indent with spaces"),
        ("mapping values are not allowed", "a second colon in one line", 'put text with a colon in quotes: "a: b"'),
        ("could not find expected ':'", "a line without a colon", "write key: value; check the line before it"),
        ("did not find expected key", "the indentation does not fit", "line it up with the entries above it"),
        ("did not find expected '-' indicator", "the indentation does not fit", "line it up with the items above it"),
        ("did not find expected ',' or", f"a bracket or comma is missing{started}", "close it, or put a comma between"),
        ("found unexpected end of stream", f"the file ends in the middle of a text{started}", "close the quote"),
        ("did not find expected node content", f"the file ends in the middle{started}", "close the bracket"),
    ):  # fmt: skip
        if part in problem:
            if line.lstrip(" -").startswith("→"):
                return "a tab where YAML wants spaces", "indent with spaces"
            return message, hint
    return f"not YAML: {problem}{started}", "check quotes, brackets and indentation around it"
