"""Keeps secrets out of what is shown: a line of a file is masked before it may stand in a diagnostic.

A secret must not stand in the desired state at all (`SecretRef`), but the message that says so, or one about another
field of the same line, must not print it either. It is better to hide too much than to show a key.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_NAME = r"(?:api_?key|pass(?:word|wd|phrase)?|token|secret)"
_WHOLE = re.compile(rf"[\w-]*{_NAME}", re.I)
_WORD = (
    rf"(?<![\w-])[\w-]*{_NAME}"  # from the start of a word only: from each part of it, a long one would take minutes
)
_NAMED = re.compile(rf"""({_WORD}["']?\s*:\s+|{_WORD}["']\s*:)(?!\s*\{{\s*(?:env|file)\b)(.+)""", re.I)
_URL = re.compile(r"(://)(\S*)(?=@)")
_QUERY = re.compile(rf"([?&][\w-]*{_NAME}=)([^&\s\"']+)", re.I)
_HEX = re.compile(r"(?<![0-9A-Za-z])()([0-9a-fA-F]{32})(?![0-9A-Za-z])")  # the shape of every *arr key


def is_secret(name: str) -> bool:
    """True for a field that is called like a secret: `api_key`, `password`, `session_token`."""
    return _WHOLE.fullmatch(name) is not None


def mask(line: str, hidden: Collection[str] = ()) -> str:
    """`line` without the values of fields named like secrets, credentials in URLs, keys by their shape, and `hidden`.

    As long as before: what is said about a column of the line stays true.
    """
    for word in sorted(hidden, key=len, reverse=True):
        line = line.replace(word, "•" * len(word))
    for pattern in (_NAMED, _URL, _QUERY, _HEX):
        line = pattern.sub(lambda found: found[1] + "•" * len(found[2]), line)
    return line


def mask_values(line: str) -> str:
    """`line` up to its first key; what follows is masked, as long as before."""
    key, colon, rest = line.partition(": ")
    return key + colon + re.sub(r"\S", "•", rest)
