"""Names that a server tells, and which of them may become a path on this machine (accident A27).

On the wire a name is bytes; here it is text whose bytes that are not UTF-8 are kept as lone surrogates, so that it can be
sent back as it came. Such a name, and every other that could lead out of a folder or garble a screen, is refused by name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST = 255  # bytes of one name, as the usual file systems have it
DEEPEST = 64  # folders in folders


def decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def shown(name: str) -> str:
    """A name for people: control characters and bytes that are no text as escapes."""
    text = encode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def refusal(name: str) -> str:
    """Why one name of a folder's listing may not become a local name; "" when it may."""
    if name in ("", ".", ".."):
        return "it is no name of its own"
    if "/" in name:
        return "it holds a slash"
    if "\0" in name:
        return "it holds a NUL character"
    if any("\ud800" <= c <= "\udfff" for c in name):
        return "it is not UTF-8"
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name):
        return "it holds a control character"
    if len(encode(name)) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    return ""


def path_refusal(path: str) -> str:
    """The same for a relative path: every part of it."""
    parts = path.split("/")
    if len(parts) > DEEPEST:
        return f"it lies more than {DEEPEST} folders deep"
    return next((said for part in parts if (said := refusal(part))), "")


def collision(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two paths that a file system would take for one which knows no letter case or composes letters; None: there are none."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(_folded(path), path)
        if other != path:
            return other, path
    return None


def _folded(path: str) -> str:
    """What such a file system makes of a name; the very same text where it makes nothing of it, as there may be very many."""
    low = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    return path if low == path else low
