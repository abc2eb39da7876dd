"""What an unquoted YAML value means, where YAML 1.1 and 1.2 agree; where they do not, that is the finding.

`no` is false to one reader and text to the next, `22:30` is 1350, `0644` is 420. Nobody should have to know, so such a
value is refused wherever it stands, with the spelling that means one thing everywhere. Called by `graph`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Value = str | int | float | bool | None


class Trap(NamedTuple):
    """Why a value is refused (reads on after the value), and how to write it."""

    says: str
    hint: str


_WORDS: dict[str, Value] = {"": None, "~": None}
_WORDS |= {t: v for w, v in (("true", True), ("false", False), ("null", None)) for t in (w, w.title(), w.upper())}
_SWITCHES = {t: w in ("yes", "on") for w in ("yes", "no", "on", "off") for t in (w, w.title(), w.upper())}

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30})")
_NUMBERISH = tuple(
    (re.compile(pattern), says, hint)
    for pattern, says, hint in (
        (r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", "is a number in base 60 to many YAML readers", ""),
        (r"[-+]?0o?[0-9_]+", "is an octal number to some YAML readers and not to others", ", or leave the zero out"),
        (r"[-+]?0[xb][0-9a-fA-F_]+", "is a number in another base", ", or write it in decimals"),
        (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", "is a date to many YAML readers", ""),
        (r"[-+]?[0-9._]+[eE][-+]?[0-9]+", "is a number to some YAML readers and text to others", ", or write it out"),
        (r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?", "is a number to some YAML readers and text to others", ", or write it plainly"),
        (r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "is no number that can be used here", ""),
    )
)  # fmt: skip
_FIRST = frozenset("0123456789+-.")


def resolve(text: str) -> tuple[Value, Trap | None]:
    """The value of an unquoted scalar, and the trap it is, if it is one (the value is then the nearest guess)."""
    if text in _WORDS:
        return _WORDS[text], None
    if text in _SWITCHES:
        meant = "true" if _SWITCHES[text] else "false"
        return _SWITCHES[text], Trap(
            f"is {meant} to some YAML readers and text to others",
            f'write {meant}, or "{text}" in quotes if text is meant',
        )
    if text[0] not in _FIRST:
        return text, None
    if _INT.fullmatch(text):
        return int(text), None
    if _FLOAT.fullmatch(text):
        return float(text), None
    for pattern, says, more in _NUMBERISH:
        if pattern.fullmatch(text):
            return text, Trap(says, f'put it in quotes: "{text[:40]}"{more}')
    return text, None
