"""From JSON to values. Only what is needed is looked at, and that has to be there in its type: else the answer is unknown.

Unknown fields are ignored (a newer server has more), missing ones that matter are `ReadFailed("malformed")`: a series
without a path must not become a series at "". Members that the servers leave out when they are null are None here. Titles,
labels and messages that hold half a character are mended; a path that does is malformed: mended it would be another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from posixpath import normpath
from typing import Any, TypeVar

from reconciler.connection import redact
from reconciler.facts import ReadFailed
from resources.clients.servarr.flavour import Flavour
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
)
from resources.clients.text import is_whole, mended

T = TypeVar("T")
Raw = Mapping[str, Any]


def malformed(what: str, problem: str) -> ReadFailed:
    return ReadFailed("malformed", mended(f"{what}: {problem}"), "see arr doctor: is it a version that is supported?")


def _typed(raw: Raw, key: str, kind: type[T], what: str) -> T:
    value = raw.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(what, f"'{key}' is missing or is no {kind.__name__}")
    return value


def _need(raw: Raw, key: str, kind: type[T], what: str) -> T:
    value = _typed(raw, key, kind, what)
    if isinstance(value, str) and not is_whole(value):
        raise malformed(what, f"'{key}' holds half a character (a lone surrogate)")
    return value


def _shown(raw: Raw, key: str, what: str) -> str:
    """A text for people, that has to be there."""
    return mended(_typed(raw, key, str, what))


def _number(raw: Raw, key: str, what: str) -> int:
    """A size or a count; the queue writes its sizes as decimals."""
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 63:
        raise malformed(what, f"'{key}' is missing or is no size")
    return int(value)


def _maybe_number(raw: Raw, key: str, what: str) -> int | None:
    return None if raw.get(key) is None else _number(raw, key, what)


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return mended(value) if isinstance(value, str) else ""


def _moment(raw: Raw, key: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_text(raw, key))
    except ValueError:
        return None


def plain(path: str) -> str:
    """`path` without a trailing slash."""
    return path.rstrip("/") or "/"


def status(raw: Any, what: str) -> Status:
    if not isinstance(raw, dict):
        raise malformed(what, "no object")
    return Status(
        app=_need(raw, "appName", str, what),
        version=_need(raw, "version", str, what),
        instance=_text(raw, "instanceName"),
        os=_text(raw, "osName"),
        url_base=_text(raw, "urlBase").rstrip("/"),
    )


def tag(raw: Raw) -> Tag:
    return Tag(_need(raw, "id", int, "a tag"), _shown(raw, "label", "a tag"))


def tag_users(raw: Raw) -> tuple[str, str]:
    """A label, and what carries it, counted by sort: the members whose names end with `Ids`, one more with newer servers."""
    told = {key.removesuffix("Ids"): value for key, value in raw.items() if key.endswith("Ids")}
    if not told or any(not isinstance(ids, list) for ids in told.values()):
        raise malformed("the users of a tag", "a list of ids is missing or is none")
    sorts = {re.sub("(?=[A-Z])", " ", mended(key)).lower(): len(ids) for key, ids in told.items() if ids}
    users = (f"{n:,} {sort if n == 1 or sort.endswith('s') else sort + 's'}" for sort, n in sorted(sorts.items()))
    return _shown(raw, "label", "the users of a tag"), ", ".join(users)


def item(raw: Raw, flavour: Flavour) -> tuple[Item, tuple[int, ...]]:
    """An item without its tags, and the ids of those: what they are called is another answer."""
    what = f"{flavour.item} {raw.get('id', 'without an id')}"
    written = _need(raw, "path", str, what)
    path = plain(written)
    if not written.startswith("/") or path == "/":
        raise malformed(what, "'path' is no absolute path of a folder on a Unix system")
    told = raw.get("statistics")
    statistics: Raw = told if isinstance(told, dict) else {}
    outside = raw.get(flavour.outside_id)
    known = isinstance(outside, int) and outside > 0
    tags = raw.get("tags") or []
    if not isinstance(tags, list) or any(not isinstance(t, int) for t in tags):
        raise malformed(what, "'tags' is no list of ids")
    found = Item(
        id=_need(raw, "id", int, what),
        ident=f"{flavour.outside}:{outside}" if known else f"path:{path}",
        title=_shown(raw, "title", what),
        path=path,
        root=plain(_need(raw, "rootFolderPath", str, what) if raw.get("rootFolderPath") else path.rpartition("/")[0]),
        bytes=_maybe_number(statistics, "sizeOnDisk", what),
        files=_maybe_number(statistics, flavour.files, what),
        tags=(),
        monitored=_need(raw, "monitored", bool, what),
    )
    return found, tuple(tags)


def root(raw: Raw) -> Root:
    path = _need(raw, "path", str, "a root folder")
    what = f"root folder {path}"
    accessible = _need(raw, "accessible", bool, what)
    unmapped = raw.get("unmappedFolders")
    if unmapped is not None and (not isinstance(unmapped, list) or any(not isinstance(u, dict) for u in unmapped)):
        raise malformed(what, "'unmappedFolders' is no list of folders")
    names = None if unmapped is None else tuple(sorted(_need(u, "name", str, what) for u in unmapped))
    return Root(
        id=_need(raw, "id", int, what),
        path=plain(path),
        accessible=accessible,
        free=_maybe_number(raw, "freeSpace", what) if accessible else None,
        total=_maybe_number(raw, "totalSpace", what) if accessible else None,
        unmapped=names if accessible else None,
    )


def disk_space(raw: Raw) -> DiskSpace:
    path = _need(raw, "path", str, "a disk")
    what = f"disk {path}"
    return DiskSpace(plain(path), _number(raw, "freeSpace", what), _number(raw, "totalSpace", what))


def command(raw: Any) -> Command:
    if not isinstance(raw, dict):
        raise malformed("a command", "no object")
    number = _need(raw, "id", int, "a command")
    body = raw.get("body")
    return Command(
        id=number,
        name=_need(raw, "name", str, f"command {number}"),
        status=_need(raw, "status", str, f"command {number}"),
        result=_text(raw, "result") or "unknown",
        message=redact(_text(raw, "message")),
        exception=redact(_text(raw, "exception")),
        body=body if isinstance(body, dict) else {},
        queued=_moment(raw, "queued"),
        started=_moment(raw, "started"),
        ended=_moment(raw, "ended"),
    )


def queue_record(raw: Raw, flavour: Flavour) -> QueueRecord:
    number = _need(raw, "id", int, "a queue record")
    what = f"queue record {number}"
    return QueueRecord(
        id=number,
        item_id=None if raw.get(flavour.item_id) is None else _need(raw, flavour.item_id, int, what),
        title=_text(raw, "title"),
        status=_need(raw, "status", str, what),
        state=_text(raw, "trackedDownloadState"),
        download_id=_text(raw, "downloadId"),
        size=_number(raw, "size", what),
        left=_number(raw, "sizeleft", what),
    )


def entries(raw: Any, path: str) -> tuple[Entry, ...]:
    what = f"the listing of {path}"
    if not isinstance(raw, dict):
        raise malformed(what, "no object")
    folders, files = _need(raw, "directories", list, what), _need(raw, "files", list, what)
    if any(not isinstance(e, dict) for e in (*folders, *files)):
        raise malformed(what, "something in it is no entry")
    above = raw.get("parent")
    apart = [e for e in (*folders, *files) if "path" in e and not _is(e["path"], f"{path}/{e.get('name')}")]
    if (isinstance(above, str) and not _is(above, f"{path}/..")) or apart:
        raise malformed(what, "the answer is about another folder")
    found = [Entry(_need(e, "name", str, what), is_folder=True, bytes=0) for e in folders]
    found += [Entry(_need(e, "name", str, what), is_folder=False, bytes=_number(e, "size", what)) for e in files]
    return tuple(sorted(once(found, lambda e: e.name, what), key=lambda e: e.name))


def _is(told: Any, path: str) -> bool:
    """Whether a path that the server tells is this one, however either is spelt."""
    return isinstance(told, str) and normpath(told) == normpath(path)


def once(found: list[T], key: Callable[[T], object], what: str) -> list[T]:
    """`found`, unless something is told twice: then it is two answers, or half of one."""
    if len({key(one) for one in found}) != len(found):
        raise malformed(what, "it tells something twice")
    return found


def file_row(raw: Raw, flavour: Flavour) -> FileRow:
    number = _need(raw, "id", int, "a file row")
    what = f"file row {number}"
    return FileRow(
        id=number,
        item_id=_need(raw, flavour.item_id, int, what),
        relative=_need(raw, "relativePath", str, what),
        path=_need(raw, "path", str, what),
        bytes=_number(raw, "size", what),
    )


def log_line(raw: Raw) -> LogLine:
    return LogLine(
        id=_need(raw, "id", int, "a log line"),
        time=_moment(raw, "time"),
        level=_text(raw, "level"),
        logger=_text(raw, "logger"),
        message=redact(_text(raw, "message")),
        exception=redact(_text(raw, "exception")),
    )
