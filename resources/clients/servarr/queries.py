"""The reads that a Sonarr or Radarr connection answers. Each class says what it costs and what its answer proves.

Kinds name these in `reads`; the client (`client.py`) answers them, complete or not at all. Equal queries are one question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.facts import Query
from resources.clients.servarr.values import (
    Command,
    DiskSpace,
    Entry,
    FileRow,
    Item,
    LogLine,
    QueueRecord,
    Root,
    Status,
    Tag,
    TreeFile,
)


@dataclass(frozen=True)
class StatusOf(Query[Status]):
    """Who answers there. One request."""


@dataclass(frozen=True)
class Items(Query[tuple[Item, ...]]):
    """Every series or movie, sorted by id. One request, and one for the tags when any item has one."""


@dataclass(frozen=True)
class OneItem(Query[Item]):
    """One series or movie as it is now; absent when the server says 404. One request, and one for the tags if it has any."""

    item_id: int


@dataclass(frozen=True)
class Roots(Query[tuple[Root, ...]]):
    """The root folders. One request; the server gives each folder 5 s to answer."""


@dataclass(frozen=True)
class DiskSpaces(Query[tuple[DiskSpace, ...]]):
    """The mounts that the app tells of. One request."""


@dataclass(frozen=True)
class Commands(Query[tuple[Command, ...]]):
    """What is queued, under way, or ended in the last minutes; sorted by id. Just after a start it is empty for a moment."""


@dataclass(frozen=True)
class CommandById(Query[Command]):
    """One command; from five minutes after its end without message and result. Absent when purged (a day later)."""

    command_id: int


@dataclass(frozen=True)
class Queue(Query[tuple[QueueRecord, ...]]):
    """Everything being downloaded or imported, unknown items included; as many records as the server counts, or unknown.

    One request per 1,000 records.
    """


@dataclass(frozen=True)
class Tags(Query[tuple[Tag, ...]]):
    """Every tag, sorted by label. One request."""


@dataclass(frozen=True)
class TagUsers(Query[Mapping[str, str]]):
    """Label → what carries it, as "2 series, 1 delay profile", of every tag that something carries. One request."""


@dataclass(frozen=True)
class Listing(Query[tuple[Entry, ...]]):
    """What lies directly in a folder, sorted by name. One request.

    The server answers alike for an empty folder and for a missing one, and hides some names (`cache`, `boot`, `trash`).
    """

    path: str


@dataclass(frozen=True)
class Tree(Query[tuple[TreeFile, ...]]):
    """Every file under a folder with its size, sorted. One request per folder; unknown beyond 12 levels or 500 folders."""

    path: str


@dataclass(frozen=True)
class FileRows(Query[tuple[FileRow, ...]]):
    """The files of one item as the database has them, sorted by path; absent when the item is gone. One request."""

    item_id: int


@dataclass(frozen=True)
class LogTail(Query[tuple[LogLine, ...]]):
    """The last 100 lines of the server's log, newest first; rows appear up to a second late. One request."""
