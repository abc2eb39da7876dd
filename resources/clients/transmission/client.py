"""The client of Transmission. Opened by `app.py`.

Every call is a POST, so what may be sent to look is told by its method. A 409 carries the session's id and has done
nothing: the same call goes out once more with it. A removal without ids would be of everything: each names one info-hash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from reconciler.connection import redact
from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import failures
from resources.clients.exchange import Exchange, Reply
from resources.clients.text import is_whole, mended
from resources.clients.torrents import (
    OneTorrent,
    Torrent,
    TorrentFile,
    Torrents,
    Tracker,
    as_hash,
    as_ratio,
    as_size,
    exactly_one,
    phrase_of,
    public_url,
)  # fmt: skip

T = TypeVar("T")

READS = frozenset({"torrent-get"})
STATUS = {0: "paused", 1: "checking", 2: "checking", 3: "queued", 4: "downloading", 5: "queued", 6: "seeding"}
LOCAL_ERROR = 3
FIELDS = (
    "hashString", "name", "downloadDir", "totalSize", "haveValid", "haveUnchecked", "leftUntilDone", "percentDone", "status",
    "error", "errorString", "uploadRatio", "uploadedEver", "secondsSeeding", "addedDate", "doneDate", "labels", "isPrivate",
    "files", "fileStats", "trackerStats", "metadataPercentComplete",
)  # fmt: skip
_SESSION = "x-transmission-session-id"


class TransmissionClient:
    """One open connection. Thread-safe."""

    def __init__(self, exchange: Exchange, *, writable: bool) -> None:
        self._exchange, self._writable = exchange, writable
        self._session = ""
        self._answers: dict[type[Query[Any]], Callable[[Any], Any]] = {
            Torrents: lambda _: tuple(sorted(self._torrents({}), key=lambda t: t.hash)),
            OneTorrent: lambda query: self._one(query.hash),
        }

    def close(self) -> None:
        self._exchange.close()

    def read(self, query: Query[T]) -> T:
        """The complete answer, or ReadFailed, or NotThere."""
        return cast("T", self._answers[type(query)](query))

    def _torrents(self, which: Mapping[str, Any]) -> list[Torrent]:
        told = self._ask("torrent-get", {"fields": list(FIELDS), **which}).get("torrents")
        if not isinstance(told, list) or any(not isinstance(r, dict) for r in told):
            raise malformed("the list of torrents is none")
        found = [torrent(r) for r in told]
        if len({t.hash for t in found}) != len(found):
            raise malformed("two torrents have the same hash")
        return found

    def _one(self, info_hash: str) -> Torrent:
        found = self._torrents({"ids": [exactly_one(info_hash)]})
        if not found:
            raise NotThere(info_hash)
        if len(found) != 1 or found[0].hash != info_hash:
            raise malformed("it answered about another torrent")
        return found[0]

    def remove(self, info_hash: str, *, data: bool) -> None:
        """Take the torrent out, with its files when `data`."""
        self._write("torrent-remove", info_hash, {"delete-local-data": data})

    def pause(self, info_hash: str) -> None:
        """Stop it."""
        self._write("torrent-stop", info_hash, {})

    # requests --------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if method not in READS:
            raise WriteRefused(f"{method} is none of the reads of {self._exchange.where.name}: it was not sent")
        return self._answer(self._sent(self._exchange.ask, method, arguments))

    def _write(self, method: str, info_hash: str, more: Mapping[str, Any]) -> None:
        where = self._exchange.where
        if not self._writable:
            raise WriteRefused(
                f"{where.name} is opened for reading only: {method} was not sent",
                f"remove `access: read` from {where.field} if it may be changed",
            )
        try:
            self._one(exactly_one(info_hash))
        except NotThere:
            raise WriteRefused("not sent: there is no such torrent") from None
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}", e.remedy) from None
        reply = self._sent(self._exchange.send, method, {"ids": [info_hash], **more})
        try:
            self._answer(reply)
        except ReadFailed as e:
            if e.code in ("refused", "unauthorised"):
                raise WriteRefused(e.reason, e.remedy) from None
            raise ReplyLost(e.reason) from None

    def _sent(self, send: Callable[..., Reply], method: str, arguments: Mapping[str, Any]) -> Reply:
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        for _ in range(2):
            reply = send(
                "POST", self._exchange.where.url, body, {"content-type": "application/json", _SESSION: self._session}
            )
            if reply.status != 409 or not reply.headers.get(_SESSION):
                break
            self._session = reply.headers[_SESSION]
        return reply

    def _answer(self, reply: Reply) -> dict[str, Any]:
        where = self._exchange.where
        if not 200 <= reply.status < 300:
            raise reply.failure(where)
        try:
            told = json.loads(reply.body) if "json" in reply.kind else None
        except (ValueError, RecursionError):
            raise malformed("it is no JSON") from None
        if told is None:
            raise failures.not_json(reply.kind, where)
        result = told.get("result") if isinstance(told, dict) else None
        if result != "success":
            said = " ".join(redact(mended(str(result))).split())[:200]
            raise ReadFailed("refused", f"{where.url} refused ('{said}')", "see arr doctor")
        arguments = told.get("arguments")
        return arguments if isinstance(arguments, dict) else {}


def malformed(what: str) -> ReadFailed:
    return ReadFailed("malformed", f"Transmission's answer cannot be understood: {what}", "see arr doctor")


def _need(raw: dict[str, Any], key: str, kind: type[T]) -> T:
    value = raw.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(f"'{key}' of a torrent is not there")
    return value


def _size(raw: dict[str, Any], key: str) -> int:
    value = as_size(raw.get(key))
    if value is None:
        raise malformed(f"'{key}' of a torrent is no size")
    return value


def torrent(raw: dict[str, Any]) -> Torrent:
    """The torrent of a row. Ratios below zero are no ratios, and dates of zero no dates."""
    folder, name = _need(raw, "downloadDir", str).rstrip("/"), _need(raw, "name", str)
    if not is_whole(folder + name):
        raise malformed("a path holds half a character")
    state = STATUS.get(_need(raw, "status", int), "unknown")
    failed = raw.get("error") == LOCAL_ERROR and state != "checking"
    labels = raw.get("labels") or []
    if not isinstance(labels, list) or any(not isinstance(x, str) for x in labels):
        raise malformed("the labels of a torrent are no texts")
    tags = tuple(map(mended, labels))
    files = _files(_need(raw, "files", list), _need(raw, "fileStats", list))
    tops = {f.path.partition("/")[0] for f in files}
    stats = [s for s in _need(raw, "trackerStats", list) if isinstance(s, dict)]
    seeders = [n for s in stats if (n := as_size(s.get("seederCount"))) is not None]
    return Torrent(
        hash=as_hash(_need(raw, "hashString", str)),
        name=name,
        save_path=folder,
        content=f"{folder}/{tops.pop() if len(tops) == 1 else name}",  # "a: b" is called "a_ b" on disk
        size=_size(raw, "totalSize"),
        done=min(_size(raw, "haveValid") + _size(raw, "haveUnchecked"), _size(raw, "totalSize")),
        complete=_need(raw, "leftUntilDone", int) == 0
        and raw.get("percentDone") == 1
        and raw.get("metadataPercentComplete") == 1,
        state="error" if failed else state,
        ratio=as_ratio(raw.get("uploadRatio")) if state != "checking" else None,
        uploaded=as_size(raw.get("uploadedEver")),
        seeded_s=as_size(raw.get("secondsSeeding")),
        added=_moment(raw.get("addedDate")),
        finished=_moment(raw.get("doneDate")),
        label=tags[0] if tags else "",
        tags=tags,
        private=raw.get("isPrivate") if isinstance(raw.get("isPrivate"), bool) else None,
        seeders=max(seeders, default=None),
        message=phrase_of(str(raw.get("errorString") or "")),
        trackers=tuple(_tracker(s) for s in stats),
        files=files,
    )


def _tracker(raw: dict[str, Any]) -> Tracker:
    worked, tried = raw.get("lastAnnounceSucceeded"), raw.get("hasAnnounced")
    state = "working" if worked else "error" if tried else "not-contacted"
    message = "" if worked else phrase_of(str(raw.get("lastAnnounceResult") or ""))
    return Tracker(public_url(_need(raw, "announce", str)), as_size(raw.get("tier")) or 0, True, message, state)


def _files(files: list[Any], stats: list[Any]) -> tuple[TorrentFile, ...]:
    if len(files) != len(stats) or any(not isinstance(x, dict) for x in (*files, *stats)):
        raise malformed("the files of a torrent and their figures do not fit")
    out = []
    for file, figures in zip(files, stats, strict=True):
        path = _need(file, "name", str)
        if not is_whole(path):
            raise malformed("a path holds half a character")
        wanted = bool(figures.get("wanted", True))
        out.append(TorrentFile(path, _size(file, "length"), _size(file, "bytesCompleted"), wanted))
    return tuple(out)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 34:
        return None
    return datetime.fromtimestamp(value, UTC)
