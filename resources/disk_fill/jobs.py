"""What the commands of Sonarr and Radarr say about an item: who is busy with it, and which moves are under way.

Used by planning (facts) and by the verbs (the world). Only bodies are read, never messages: their words are localised,
and a failed move calls itself successful.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from resources.clients.servarr import Command

_MOVE = ("MoveSeries", "MoveMovie")
_BULK = ("BulkMoveSeries", "BulkMoveMovie")
_ONE = ("seriesId", "movieId")
_MANY = ("seriesIds", "movieIds")
# Commands that read or change an item's folder or row. Without an id in its body, one of these concerns every item.
_TOUCH = (
    "RescanSeries", "RescanMovie", "RefreshSeries", "RefreshMovie", "RenameSeries", "RenameMovie", "RenameFiles",
)  # fmt: skip
_SCAN = ("RescanSeries", "RescanMovie", "RefreshSeries", "RefreshMovie")
_IMPORT = ("ManualImport", "DownloadedEpisodesScan", "DownloadedMoviesScan")


@dataclass(frozen=True)
class Job:
    """One item's part of a move command. `destination` is "" where a bulk move does not tell the folder's new name."""

    command: Command
    item_id: int
    source: str
    destination: str

    @property
    def over(self) -> bool:
        return self.command.over


def _path(value: Any) -> str:
    text = str(value or "")
    return text.rstrip("/") or text


def moves(commands: Iterable[Command]) -> Iterator[Job]:
    """Every item that a move command names, ended ones included, oldest first."""
    for command in commands:
        body = command.body
        if command.name in _MOVE:
            ids = [body[key] for key in _ONE if isinstance(body.get(key), int)]
            for item_id in ids[:1]:
                yield Job(command, item_id, _path(body.get("sourcePath")), _path(body.get("destinationPath")))
        elif command.name in _BULK:
            root = _path(body.get("destinationRootFolder"))
            for part in body.get("series") or body.get("movies") or []:
                item_id = next((part[key] for key in _ONE if isinstance(part.get(key), int)), None)
                source = _path(part.get("sourcePath"))
                if item_id is not None and source:
                    yield Job(command, item_id, source, f"{root}/{source.rpartition('/')[2]}" if root else "")


def touching(commands: Iterable[Command], item_id: int) -> str:
    """What is under way for this item, as "RefreshSeries is started"; "" when nothing is."""
    for command in commands:
        if not command.over and command.name in _TOUCH and _concerns(command.body, item_id):
            return f"{command.name} is {command.status}"
    for job in moves(commands):
        if not job.over and job.item_id == item_id:
            return f"{job.command.name} is {job.command.status}"
    return ""


def scanned_since(commands: Iterable[Command], item_id: int, move: Command | None) -> bool:
    """Whether the item was scanned after `move` had ended. Times are whole seconds: a tie counts as after."""
    scans = (c for c in commands if c.over and c.name in _SCAN and _concerns(c.body, item_id))
    ended = move.ended if move is not None else None
    return any(ended is None or scan.started is None or scan.started >= ended for scan in scans)


def scans(commands: Iterable[Command], item_id: int) -> list[int]:
    """Ids of the commands that scan this item, over or not."""
    return [c.id for c in commands if c.name in _SCAN and _concerns(c.body, item_id)]


def moving(commands: Iterable[Command]) -> str:
    """Which disk job is under way at all, whosever it is: the servers do one at a time. "" when none is."""
    for command in commands:
        if not command.over and command.name in (*_MOVE, *_BULK, *_IMPORT):
            return f"{command.name} is {command.status}"
    return ""


def _concerns(body: dict[str, Any], item_id: int) -> bool:
    one = next((body[key] for key in _ONE if isinstance(body.get(key), int)), None)
    if one is not None:
        return bool(one == item_id)
    many = next((body[key] for key in _MANY if isinstance(body.get(key), list)), None)
    return not many or item_id in many
