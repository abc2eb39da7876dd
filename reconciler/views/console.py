"""Where pages go: standard output and standard error, with colour on a terminal that wants it.

Colour only on a terminal, and never with NO_COLOR or TERM=dumb; the characters are the same without. Everything passes
through `redact` on its way. Made once per command by the command line.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TextIO

from reconciler.connection import redact
from reconciler.views.look import Look
from reconciler.views.text import Page


def wants_colour(stream: TextIO) -> bool:
    """Whether styles may be sent to `stream`."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def shows_blocks(stream: TextIO) -> bool:
    """Whether block characters arrive as such."""
    return (stream.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")


def look_at(now: datetime, stream: TextIO | None = None) -> Look:
    """How output to `stream` (standard output) is to look, in the zone of this machine."""
    zone = now.astimezone().tzinfo
    assert zone is not None  # noqa: S101  # astimezone always gives one
    return Look(now=now, zone=zone, blocks=shows_blocks(stream or sys.stdout))


def show(page: Page, stream: TextIO | None = None) -> None:
    """Write a page."""
    stream = stream or sys.stdout
    if wants_colour(stream):
        _coloured(page, stream)
    else:
        stream.write(redact(page.plain()))
    stream.flush()


def _coloured(page: Page, stream: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415  # costs start-up time; a pipe never needs it

    console = Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)
    with console.capture() as captured:
        console.print(page.styled())
    stream.write(redact(captured.get()))


def write(text: str) -> None:
    """Write text that is not a page (JSON, Markdown, a schema) to standard output."""
    sys.stdout.write(redact(text))
    sys.stdout.flush()
