"""Text out of JSON answers: `"\\ud800"` is lawful JSON, and half a character, which no terminal, file or database takes.

Called by the parsers of answers and of errors. What is only shown is mended; a path or a name that is used must be whole
(law 4: one that was mended would be another's).
"""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


def is_whole(text: str) -> bool:
    """Whether every character of `text` is one."""
    return not _HALF.search(text)


def mended(text: str) -> str:
    """`text` with U+FFFD in the place of each half character."""
    return _HALF.sub("\ufffd", text)
