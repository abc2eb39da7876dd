"""From qBittorrent's JSON to the values of `torrents`. What matters has to be there in its type, else nothing is known. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from reconciler.facts import ReadFailed
from resources.clients.text import is_whole, mended
from resources.clients.torrents import Torrent, TorrentFile, Tracker, as_hash, as_ratio, as_size, phrase_of, public_url

T = TypeVar("T")

STATES = {
    "uploading": "seeding", "stalledUP": "seeding", "forcedUP": "seeding", "queuedUP": "queued", "pausedUP": "paused",
    "stoppedUP": "paused", "checkingUP": "checking", "allocating": "downloading", "downloading": "downloading",
    "metaDL": "downloading", "forcedMetaDL": "downloading", "stalledDL": "downloading", "forcedDL": "downloading",
    "queuedDL": "queued", "pausedDL": "paused", "stoppedDL": "paused", "checkingDL": "checking",
    "checkingResumeData": "checking", "moving": "moving", "error": "error", "missingFiles": "error",
}  # fmt: skip
TRACKER = {0: "disabled", 1: "not-contacted", 2: "working", 3: "updating"}  # 4 and what newer ones add: an error


def malformed(what: str) -> ReadFailed:
    return ReadFailed("malformed", f"qBittorrent's answer cannot be understood: {what}", "see arr doctor")


def _need(raw: Any, key: str, kind: type[T]) -> T:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(f"'{key}' of a torrent is not there")
    return value


def _size(raw: Any, key: str) -> int:
    value = as_size(raw.get(key) if isinstance(raw, dict) else None)
    if value is None:
        raise malformed(f"'{key}' of a torrent is no size")
    return value


def _words(raw: Any, key: str) -> str:
    """A text for people, and for rules that name one; "" where the server tells none."""
    value = raw.get(key)
    if not isinstance(value, str | None):
        raise malformed(f"'{key}' of a torrent is no text")
    return mended(value or "")


def _path(raw: Any, key: str) -> str:
    text = _need(raw, key, str)
    if not is_whole(text):
        raise malformed(f"'{key}' holds half a character")
    return text


def torrent(raw: Any) -> Torrent:
    state = STATES.get(_need(raw, "state", str), "unknown")
    progress, left = raw.get("progress"), _need(raw, "amount_left", int)
    size, private = as_size(raw.get("total_size")), raw.get("private")
    return Torrent(
        hash=as_hash(_need(raw, "hash", str)),
        name=mended(_need(raw, "name", str)),
        save_path=_path(raw, "save_path").rstrip("/"),
        content=_path(raw, "content_path") if raw.get("content_path") else "",
        size=size if size is not None else _size(raw, "size"),
        done=as_size(raw.get("completed")) or 0,
        complete=not isinstance(progress, bool) and isinstance(progress, int | float) and progress >= 1 and left == 0,
        state=state,
        ratio=as_ratio(raw.get("ratio")) if state != "checking" else None,
        uploaded=as_size(raw.get("uploaded")),
        seeded_s=as_size(raw.get("seeding_time")),
        added=_moment(raw.get("added_on")),
        finished=_moment(raw.get("completion_on")),
        label=_words(raw, "category"),
        tags=tuple(t.strip() for t in _words(raw, "tags").split(",") if t.strip()),
        private=private if isinstance(private, bool) else None,
        seeders=as_size(raw.get("num_complete")),
        message="",
        trackers=_listed(raw),
        files=files(raw["files"]) if isinstance(raw.get("files"), list) else None,
    )


def _listed(raw: Any) -> tuple[Tracker, ...] | None:
    """Trackers as the list of all torrents tells them: newer versions all of them, older ones the one that works."""
    if isinstance(raw.get("trackers"), list):
        return trackers(raw["trackers"])
    url = str(raw.get("tracker") or "")
    if raw.get("trackers_count") == 1 and url:
        return (Tracker(public_url(url), 0, True, "", "working"),)
    return None


def trackers(raw: Any) -> tuple[Tracker, ...]:
    """Without DHT and its like, which are no trackers."""
    if not isinstance(raw, list):
        raise malformed("the trackers of a torrent are no list")
    out = []
    for one in raw:
        url, status, tier = _need(one, "url", str), _need(one, "status", int), one.get("tier")
        if url.startswith("** ["):
            continue
        state = TRACKER.get(status, "error")
        out.append(
            Tracker(public_url(url), as_size(tier) or 0, status != 0, phrase_of(str(one.get("msg") or "")), state)
        )
    return tuple(out)


def files(raw: Any) -> tuple[TorrentFile, ...]:
    if not isinstance(raw, list):
        raise malformed("the files of a torrent are no list")
    out = []
    for one in raw:
        size = _size(one, "size")
        progress = one.get("progress")
        if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress <= 1:
            raise malformed("a file of a torrent has no progress")
        out.append(TorrentFile(_path(one, "name"), size, int(size * progress), _need(one, "priority", int) > 0))
    return tuple(out)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 32:
        return None
    return datetime.fromtimestamp(value, UTC)
