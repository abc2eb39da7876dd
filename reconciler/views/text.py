"""Lines for a terminal: the only place where the width, the styles and the dangerous characters of a text are settled.

Every view builds a `Page` and nothing else. A page knows its plain text and its styled text; they hold the same
characters, so what a pipe gets is what a terminal shows. Names of media are data: `safe` makes their control
characters visible, nothing is ever read as markup, and widths are counted in terminal cells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 80

STYLES = {
    "": "",
    "head": "bold",
    "title": "bold",
    "verb": "cyan",
    "dim": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
}

_WORDS = re.compile(r"(?<![^ ])arr [a-z]+(?: (?:--[a-z-]+|r[0-9]{6}[^ ]*|[a-z]+:[0-9][^ ]*))*[^ ]*|[^ ]+")
_JOINERS = "\u200c\u200d"  # part of ordinary words in several scripts, and of emoji


@dataclass(frozen=True)
class Span:
    """A piece of a line. `style` is a key of STYLES."""

    text: str
    style: str = ""


Chunk = Sequence[Span]  # what stays on one line when it can


def safe(text: str) -> str:
    """`text` in one line, with every character that would steer a terminal made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and char not in _JOINERS
    return f"<U+{code:04X}>" if hidden else char


def width_of(chunk: Chunk) -> int:
    """Cells that a chunk takes on a terminal."""
    return sum(cell_len(span.text) for span in chunk)


def span(text: str, style: str = "") -> Span:
    """Data or words of ours, made safe."""
    return Span(safe(text), style)


def words(text: str, style: str = "") -> list[Chunk]:
    """`text` as chunks that may be broken at its spaces. What is to be typed stays on one line, to be copied."""
    return [[Span(word, style)] for word in _WORDS.findall(safe(text))]


class Page:
    """Lines of at most `width` cells, built from top to bottom."""

    def __init__(self, width: int = WIDTH) -> None:
        self.width = width
        self.lines: list[list[Span]] = []

    def blank(self) -> None:
        """One empty line; never two, and none at the top."""
        if self.lines and self.lines[-1]:
            self.lines.append([])

    def line(self, *parts: str | Span) -> None:
        """One line as it stands. The caller vouches that it fits."""
        self.lines.append([p if isinstance(p, Span) else span(p) for p in parts])

    def flow(self, text: str, *, indent: int = 0, hang: int | None = None, style: str = "") -> None:
        """A paragraph, broken at its spaces."""
        self.pack(words(text, style), sep=" ", indent=indent, hang=hang)

    def pack(self, chunks: Iterable[Chunk], *, sep: str = "   ", indent: int = 0, hang: int | None = None) -> None:
        """Chunks side by side, `sep` between them; what does not fit goes on, `hang` cells from the left."""
        hang = indent if hang is None else hang
        line: list[Span] = []
        used, left = indent, indent
        for chunk in chunks:
            room = self.width - used - (cell_len(sep) if line else 0)
            if line and width_of(chunk) > room:
                self._put(line, left)
                line, used, left = [], hang, hang
            rest = chunk
            if width_of(chunk) > self.width - used and not line:
                *full, rest = self._broken(chunk, self.width - used, self.width - hang)
                for part in full:
                    self._put(part, left)
                    used, left = hang, hang
            gap = [Span(sep)] if line else []
            line += [*gap, *rest]
            used += width_of([*gap, *rest])
        if line:
            self._put(line, left)

    def ways(self, *pairs: tuple[str, str]) -> None:
        """How to go on: what for, and what to type; side by side."""
        self.pack([[Span(f"{what}: "), span(typed, "head")] for what, typed in pairs], sep="     ")

    def edges(self, left: Chunk, right: Chunk) -> None:
        """`left` at the left edge and `right` at the right one; one under the other when both do not fit."""
        gap = self.width - width_of(left) - width_of(right)
        if gap >= 2:
            self.lines.append([*left, Span(" " * gap), *right])
        else:
            self.pack([left], hang=3)
            self.pack([right], indent=3)

    def tab(self, left: Chunk, right: Chunk, *, indent: int, stop: int) -> None:
        """`left`, then `right` from the cell `stop` on, or as soon after it as there is room for both."""
        used = indent + width_of(left)
        column = max(stop, used + 3)
        if column + width_of(right) <= self.width:
            self._put([*left, Span(" " * (column - used)), *right], indent)
        else:
            self.pack([left], indent=indent)
            self.pack([right], indent=indent)

    def _put(self, line: Sequence[Span], indent: int) -> None:
        self.lines.append([Span(" " * indent), *line] if indent else list(line))

    def _broken(self, chunk: Chunk, first: int, following: int) -> list[list[Span]]:
        """A chunk wider than its line, cut at spaces where it has some and anywhere where not."""
        rows: list[list[Span]] = [[]]
        room = first
        for piece in _pieces(chunk, following):
            size = cell_len(piece.text)
            if size > room:
                if rows[-1] and not rows[-1][-1].text.strip():
                    rows[-1].pop()
                rows.append([])
                room = following
                if not piece.text.strip():
                    continue
            rows[-1].append(piece)
            room -= size
        return [row for row in rows if row]

    def _trimmed(self) -> list[list[Span]]:
        last = next((i for i in range(len(self.lines), 0, -1) if self.lines[i - 1]), 0)
        return self.lines[:last]

    def plain(self) -> str:
        """The text without styles, ending in a line break."""
        return "".join("".join(s.text for s in line).rstrip() + "\n" for line in self._trimmed())

    def styled(self) -> Text:
        """The same characters with styles, for rich; without the last line break."""
        from rich.text import Text  # noqa: PLC0415  # costs start-up time, and a pipe never needs it

        lines = []
        for line in self._trimmed():
            text = Text.assemble(*((s.text, STYLES[s.style]) for s in line), no_wrap=True, end="")
            text.rstrip()
            lines.append(text)
        return Text("\n", no_wrap=True, end="\n").join(lines)


def _pieces(chunk: Chunk, limit: int) -> Iterable[Span]:
    """Words, the spaces between them, and cuts of at most `limit` cells of words that are longer."""
    for part in chunk:
        for index, word in enumerate(part.text.split(" ")):
            if index:
                yield Span(" ", part.style)
            rest = word
            while cell_len(rest) > limit:
                cut = _cut(rest, limit)
                yield Span(rest[:cut], part.style)
                rest = rest[cut:]
            if rest:
                yield Span(rest, part.style)


def _cut(word: str, limit: int) -> int:
    """How many characters of `word` fill at most `limit` cells; at least one."""
    used = 0
    for index, char in enumerate(word):
        used += cell_len(char)
        if used > limit:
            return max(1, index)
    return len(word)
