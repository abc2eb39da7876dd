"""XML-RPC as rtorrent speaks it: calls to bytes, answers to values. Called by `rpc.py` only; no I/O.

Python's own marshaller refuses integers beyond 2^31 and its parser takes document type definitions; rtorrent answers with
`<i8>`, and puts names with control characters into XML where none may stand. So both ways are done here, by expat with
every DOCTYPE refused (no entity is ever declared, so none can be expanded) and with a limit on depth. What is large and holds
nothing but arrays, texts and numbers goes a quicker way (`plain`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from reconciler.facts import ReadFailed
from resources.clients.rtorrent.plain import LARGE, plain

DEPTH = 60
_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\r")
_NO_CONTROL = bytes.maketrans(_CONTROL, b"\x7f" * len(_CONTROL))  # kept in length: a name that had one matches no file


class Fault(Exception):
    """The server's own refusal: `code` as -501, `text` as "Could not find info-hash."."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code
        self.text = text


class Broken(ReadFailed):
    """An answer that is no XML-RPC. Its code is `truncated` when the end is missing, else `malformed`."""


def call(method: str, params: Sequence[Any]) -> bytes:
    """The document of one call. Parameters: str, int, bool, list and mapping (whose order is kept: rtorrent reads it)."""
    inner = "".join(f"<param>{_value(p)}</param>" for p in params)
    text = f"<?xml version='1.0'?><methodCall><methodName>{escape(method)}</methodName><params>{inner}</params></methodCall>"
    return text.encode("utf-8", "surrogatepass")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return f"<value><boolean>{int(value)}</boolean></value>"
    if isinstance(value, int):
        tag = "i4" if -(2**31) <= value < 2**31 else "i8"
        return f"<value><{tag}>{value}</{tag}></value>"
    if isinstance(value, str):
        return f"<value><string>{escape(value)}</string></value>"
    if isinstance(value, Mapping):
        members = "".join(f"<member><name>{escape(k)}</name>{_value(v)}</member>" for k, v in value.items())
        return f"<value><struct>{members}</struct></value>"
    return f"<value><array><data>{''.join(_value(v) for v in value)}</data></array></value>"


def answer(document: bytes) -> Any:
    """The value of a response. `Fault` for a fault, `Broken` for what is none."""
    document = document.translate(_NO_CONTROL)
    if len(document) >= LARGE and (value := plain(document)) is not None:
        return value
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text.append
    try:
        parser.Parse(document, True)
    except expat.ExpatError as e:
        cut = e.code in (3, 4, 5) and b"</methodResponse>" not in document[-200:]
        raise Broken(
            "truncated" if cut else "malformed", f"its answer is no XML ({expat.ErrorString(e.code)})"
        ) from None
    except (ValueError, IndexError, binascii.Error, UnicodeDecodeError, RecursionError):
        raise Broken("malformed", "its answer is no XML-RPC") from None
    return reader.result()


def _refuse_doctype(*_: Any) -> None:
    raise Broken("malformed", "its answer holds a document type, which no XML-RPC has")


class _Reader:
    """Builds values while expat reads. Containers are (list, names) on a stack; a scalar closes with its tag."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self._stack: list[list[Any]] = []
        self._done: list[Any] = []
        self._typed = False  # whether the open <value> has held a typed element
        self._fault = False
        self._depth = 0
        self._ended = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise Broken("malformed", "its answer is nested too deeply")
        if tag == "value":
            self._typed = False
        elif tag in ("array", "struct"):
            self._stack.append([])
        elif tag == "fault":
            self._fault = True
        self.text.clear()

    def end(self, tag: str) -> None:
        self._depth -= 1
        make = _SCALARS.get(tag)
        if make is not None:
            self._put(make("".join(self.text)))
        elif tag == "value":
            if not self._typed:
                self._put("".join(self.text))
            self._typed = True  # of the value around it
        elif tag == "name":
            self._stack[-1].append(_Name("".join(self.text)))
        elif tag == "array":
            self._put(self._stack.pop())
        elif tag == "struct":
            self._put(_struct(self._stack.pop()))
        elif tag == "methodResponse":
            self._ended = True
        self.text.clear()

    def _put(self, value: Any) -> None:
        (self._stack[-1] if self._stack else self._done).append(value)
        self._typed = True

    def result(self) -> Any:
        if not self._ended or len(self._done) != 1:
            raise Broken("malformed", "its answer is no XML-RPC")
        value = self._done[0]
        if self._fault:
            raise fault_of(value) or Broken("malformed", "its fault says nothing")
        return value


def fault_of(value: Any) -> Fault | None:
    """The fault that a struct tells of; None when it is no fault. `system.multicall` answers such in place."""
    if isinstance(value, dict) and isinstance(value.get("faultCode"), int):
        return Fault(value["faultCode"], str(value.get("faultString", "")))
    return None


class _Name(str):
    """The name of a struct's member, told apart from a value."""

    __slots__ = ()


def _struct(parts: list[Any]) -> dict[str, Any]:
    if len(parts) % 2 or any(isinstance(p, _Name) != (n % 2 == 0) for n, p in enumerate(parts)):
        raise ValueError
    return {str(name): value for name, value in zip(parts[::2], parts[1::2], strict=True)}


def _whole(text: str) -> int:
    if len(text) > 25:  # an integer has at most 20 characters; Python's own limit comes far later
        raise ValueError
    return int(text)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "i8": _whole,
    "i4": _whole,
    "int": _whole,
    "string": str,
    "boolean": lambda text: {"0": False, "1": True}[text.strip()] if text.strip() in "01" and text.strip() else _no(),
    "double": float,
    "base64": lambda text: base64.b64decode(text).decode("utf-8", "surrogateescape"),
}


def _no() -> bool:
    raise ValueError
