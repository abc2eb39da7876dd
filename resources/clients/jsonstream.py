"""A JSON array read element by element, so that a list of 10,000 series never stands in memory as a whole.

Called by `http.py` with the chunks of an answer as they arrive. An array that does not end is an error, never a short list
(law 4: unknown is never absent).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_STEP = 1 << 16  # a partial element is tried again only after this many more characters


class Broken(ValueError):
    """The text is no JSON of the form that was asked for. `cut`: it may only have ended too early."""

    def __init__(self, message: str, *, cut: bool = False) -> None:
        super().__init__(message)
        self.cut = cut


def whole(chunks: Iterable[bytes]) -> Any:
    """The value of a whole document. Broken when there is none."""
    text = b"".join(chunks)
    if not text.strip():
        raise Broken("the answer is empty", cut=True)
    try:
        return json.loads(text)
    except json.JSONDecodeError as e:
        raise Broken("the answer breaks off, or is no JSON", cut=e.pos >= len(e.doc.rstrip()) - 1) from None
    except (ValueError, RecursionError):
        raise Broken("the answer is no JSON that can be read") from None


def elements(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of a top-level array, one at a time. Broken when it is no array of objects, or does not end."""
    try:
        yield from _Reader(chunks).objects()
    except UnicodeDecodeError:
        raise Broken("the answer is not UTF-8") from None
    except RecursionError:
        raise Broken("the answer is nested too deeply") from None


class _Reader:
    """A window over the text: `at` is the next character, what lies before it is dropped when more is fetched."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def objects(self) -> Iterator[dict[str, Any]]:
        self._expect("[")
        if self._next() == "]":
            self._at += 1
            self._end()
            return
        while True:
            if self._next() != "{":
                raise self._broken("the list holds something else than objects")
            yield self._element()
            if self._next() == "]":
                self._at += 1
                self._end()
                return
            self._expect(",")

    def _element(self) -> dict[str, Any]:
        while True:
            try:
                value, self._at = self._scan(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise self._broken("the list holds something that is no JSON") from None
            else:
                assert isinstance(value, dict)  # noqa: S101  # it began with a brace
                return value

    def _next(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise self._broken("the answer is not a list")
        self._at += 1

    def _end(self) -> None:
        if self._next():
            raise self._broken("something follows the end of the list")

    def _more(self) -> bool:
        """Fetch at least a step of further text; False when there is none."""
        if self._ended:
            return False
        parts = [self._text[self._at :]]
        fetched = 0
        while fetched < _STEP and not self._ended:
            chunk = next(self._chunks, None)
            self._ended = chunk is None
            part = self._decode(chunk or b"", final=self._ended)
            fetched += len(part)
            parts.append(part)
        self._text, self._at = "".join(parts), 0
        return fetched > 0

    def _broken(self, message: str) -> Broken:
        """At the end of the text the cause is that it ended."""
        if self._ended and not self._text[self._at :].strip():
            return Broken("the list breaks off", cut=True)
        return Broken(message, cut=self._ended and self._text.rstrip()[-1:] not in ("]", "}"))
