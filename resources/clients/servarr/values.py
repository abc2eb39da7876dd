"""What the clients of Sonarr and Radarr answer: small typed values, one vocabulary for both.

Kinds plan with these and never see JSON. Only what some decision needs is kept, so a library of 10,000 series is a few
megabytes. Nothing here is a default in disguise: what the server did not tell is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TERMINAL = frozenset({"completed", "failed", "aborted", "cancelled", "orphaned"})


@dataclass(frozen=True, slots=True)
class Status:
    """Who answers. `app` is the server's own `appName` ("Sonarr"), `version` as "4.0.19.2979", `url_base` as "/sonarr"."""

    app: str
    version: str
    instance: str
    os: str
    url_base: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A label. Its id belongs to this one server (and to this week: unused tags are purged daily)."""

    id: int
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """A series or a movie.

    `ident`  its lasting name: "tvdb:280619", "tmdb:603"; "path:/tv/Alpha" when the server has lost the outside id (0).
    `path`   its folder without a trailing slash; `root` the folder above it that the server takes for its root.
    `bytes`  what the database says of its tracked files (extras and untracked files are not in it); None: not told.
    `files`  number of tracked files; None: not told.
    `tags`   labels, sorted; `#5` for the id of a tag that the server does not list.
    """

    id: int
    ident: str
    title: str
    path: str
    root: str
    bytes: int | None
    files: int | None
    tags: tuple[str, ...]
    monitored: bool


@dataclass(frozen=True, slots=True)
class Root:
    """A root folder. `free`, `total` in bytes; None: not told (a slow or missing folder), never 0 for "not told".

    `accessible` false may mean "slow". `unmapped`: names of folders in it that no item has; None: not told.
    """

    id: int
    path: str
    accessible: bool
    free: int | None
    total: int | None
    unmapped: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """A mount as the app sees it, in bytes. Sonarr 4 leaves network mounts out; inside a container "/" is the overlay."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Command:
    """A job of the server.

    `status` is queued, started, completed, failed, aborted, cancelled or orphaned; `result` unknown, successful or
    unsuccessful. `completed` and `successful` prove nothing: a failed move says so too. Five minutes after its end
    `message` and `result` are gone. `body` holds the arguments (`seriesId`, `sourcePath`, `destinationPath`, …).
    """

    id: int
    name: str
    status: str
    result: str
    message: str
    exception: str
    body: dict[str, Any] = field(default_factory=dict)
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def over(self) -> bool:
        """True when nothing will become of it any more."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """Something being downloaded or imported. One download may show as many records (one per episode).

    `item_id` None: the app does not know what it belongs to. `status` is the client's word (downloading, completed, …),
    `state` the app's (downloading, importPending, importing, …; "" when it does not follow it). Sizes in bytes.
    """

    id: int
    item_id: int | None
    title: str
    status: str
    state: str
    download_id: str
    size: int
    left: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder. `bytes` is 0 for folders."""

    name: str
    is_folder: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the database has it. `path` is computed from the item's path: no evidence that a file is there."""

    id: int
    item_id: int
    relative: str
    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file found on disk. `relative` to the folder asked about, with "/" between names."""

    relative: str
    bytes: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the server's own log: the only place where a swallowed failure shows. `exception`: with type and stack."""

    id: int
    time: datetime | None
    level: str
    logger: str
    message: str
    exception: str = ""
