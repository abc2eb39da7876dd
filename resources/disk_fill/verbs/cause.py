"""Why a move stopped, in the app's own words: from its command, else from its log, where it tells it.

Words for people, and nothing but: no verdict rests on them. They are quoted only of this very move, so that the failure
of another one is never said to be its reason.
"""

from __future__ import annotations

import re

from reconciler.action import Json
from reconciler.facts import ReadFailed
from reconciler.kind import World
from resources.clients.servarr import Command, LogLine, LogTail

MOVERS = ("MoveSeriesService", "MoveMovieService")
LOOKS = 3  # a line appears up to a second late
PAUSE = 0.4  # seconds between them

_TYPE = re.compile(r"^[A-Za-z_.]+Exception: ")


def cause(world: World, data: dict[str, Json], command: Command | None) -> str:
    """`sonarr: No space left on device`; "" when the app does not tell."""
    if command is None:
        return ""
    words = _first(command.exception)
    for look in range(LOOKS if not words and command.over else 0):
        if look:
            world.sleep(PAUSE)
        words = _logged(world, data, command)
        if words:
            break
    return f"{data['connection']}: {words}" if words else ""


def _logged(world: World, data: dict[str, Json], command: Command) -> str:
    try:
        lines = world.client(data["connection"]).read(LogTail(data["connection"]))
    except ReadFailed:
        return ""
    return next((_first(line.exception) for line in lines if _is_of(line, data, command)), "")


def _is_of(line: LogLine, data: dict[str, Json], command: Command) -> bool:
    """Whether a line speaks of this move: both places stand in it, and it is no older than the command."""
    late = command.queued is None or line.time is None or line.time >= command.queued.replace(microsecond=0)
    places = (f"'{data['source']}'", f"'{data['destination']}'")
    return late and line.level == "error" and line.logger in MOVERS and all(place in line.message for place in places)


def _first(exception: str) -> str:
    """The first line, without the name of its type."""
    line, _, _ = exception.strip().partition("\n")
    return _TYPE.sub("", line.strip()).rstrip(".")
