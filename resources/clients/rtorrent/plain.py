"""XML-RPC without structs, read at the speed of JSON: the list of ten thousand torrents is forty megabytes of small values.

`xmlrpc.answer` asks here first where an answer is large. Tags become brackets, quotes and commas, and what does not come out
as exactly that is left to the XML parser, which then says what is wrong: a fault, another type, an entity, half a document.
"""

from __future__ import annotations

import json
import re
from typing import Any

LARGE = 1 << 16  # bytes from which on it is worth it
_HEAD = re.compile(
    rb"""(?:<\?xml version=(?:'1\.0'|"1\.0")(?: encoding=(?:'utf-8'|"utf-8"|'UTF-8'|"UTF-8"))? ?\?>)?\s*"""
    rb"<methodResponse>\s*<params>\s*<param>\s*"
)
_TAIL = re.compile(rb"\s*</param>\s*</params>\s*</methodResponse>\s*\Z")
_NO_NUMBER = re.compile(rb"<i([48])>(?!-?[0-9]{1,20}</i\1>)")
_BETWEEN = (re.compile(rb"</value>\s*[^<\s]"), re.compile(rb"<data>\s*[^<\s]"))
_END = b",\x01"  # a comma of ours: no text holds the second character
_TAGS = (
    (b"<value><string>", b'"'), (b"</string></value>", b'"' + _END), (b"<value><string/></value>", b'""' + _END),
    (b"<value><i8>", b""), (b"</i8></value>", _END), (b"<value><i4>", b""), (b"</i4></value>", _END),
    (b"<value><array><data>", b"["), (b"</data></array></value>", b"]" + _END),
)  # fmt: skip
_ENTITIES = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'\\"'), (b"&apos;", b"'"), (b"&amp;", b"&"))
_LAST = re.compile(rb",\x01\s*\]")


def plain(document: bytes) -> Any:
    """The value of a response that consists of arrays, texts and whole numbers; None for every other document.

    Control characters but for white space have to be gone from it before.
    """
    head, tail = _HEAD.match(document), _TAIL.search(document, max(0, len(document) - 200))
    if head is None or tail is None or head.end() > tail.start():
        return None
    text = document[head.end() : tail.start()]
    if _NO_NUMBER.search(text) or any(loose.search(text) for loose in _BETWEEN):
        return None
    if text.count(b"&") != sum(text.count(name) for name, _ in _ENTITIES):
        return None
    if b"\r" in text:  # XML knows one sort of line end
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for tag, mark in _TAGS:
        text = text.replace(tag, mark)
    if b"<" in text or not text.endswith(_END):
        return None
    for name, character in _ENTITIES:
        text = text.replace(name, character)
    text = _LAST.sub(b"]", text) if b"\n" in text else text.replace(_END + b"]", b"]")
    try:
        return json.loads(text[: -len(_END)].replace(b"\x01", b"").decode(), strict=False)
    except (ValueError, RecursionError):
        return None
