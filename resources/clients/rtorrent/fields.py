"""The fields of a torrent that rtorrent is asked for, and the torrent that comes of them. Pure.

Facts of 0.9.8 and 0.16 that are kept here: `d.base_path` is empty until a torrent was opened since rtorrent started;
`d.directory` of a single file is the folder it shares with others; `d.ratio` is 0 while data is checked; rtorrent does not
count seeding time, so what is told is the present stretch (active since it last changed state, and not before it finished).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from reconciler.facts import ReadFailed
from resources.clients.torrents import (
    MOST_SIZE,
    Torrent,
    TorrentFile,
    Tracker,
    as_hash,
    as_ratio,
    as_size,
    phrase_of,
    public_url,
)

# name → (field, whether a torrent can be judged without it). A proxy that trusts nobody may refuse the optional ones.
FIELDS: Mapping[str, tuple[str, bool]] = {
    "hash": ("d.hash=", False),
    "name": ("d.name=", False),
    "size": ("d.size_bytes=", False),
    "done": ("d.bytes_done=", False),
    "left": ("d.left_bytes=", False),
    "state": ("d.state=", False),
    "active": ("d.is_active=", False),
    "hashing": ("d.hashing=", False),
    "multi": ("d.is_multi_file=", False),
    "directory": ("d.directory=", False),
    "base": ("d.base_path=", False),
    "files": ("f.multicall=,f.path=,f.size_bytes=,f.completed_chunks=,f.size_chunks=,f.priority=", False),
    "trackers": ("t.multicall=,t.url=,t.group=,t.is_enabled=,t.failed_counter=,t.success_counter=", False),
    "ratio": ("d.ratio=", True),
    "up": ("d.up.total=", True),
    "checking": ("d.is_hash_checking=", True),
    "complete": ("d.complete=", True),
    "finished": ("d.timestamp.finished=", True),
    "changed": ("d.state_changed=", True),
    "message": ("d.message=", True),
    "label": ("d.custom1=", True),
    "added": ("d.custom=addtime", True),
    "private": ("d.is_private=", True),
    "seeders": ("d.peers_complete=", True),
    "meta": ("d.is_meta=", True),
}


class Row:
    """One torrent's answers, by name; None for what was not asked."""

    def __init__(self, names: Sequence[str], values: Any) -> None:
        if not isinstance(values, list) or len(values) != len(names):
            raise malformed("a torrent has another number of fields than were asked for")
        self._values = dict(zip(names, values, strict=True))

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise malformed(f"'{name}' of a torrent is no number")
        return value

    def sure(self, name: str) -> int:
        value = self.number(name)
        if value is None:
            raise malformed(f"a torrent has no '{name}'")
        return value

    def size(self, name: str) -> int:
        value = as_size(self.sure(name))
        if value is None:
            raise malformed(f"'{name}' of a torrent is no size")
        return value

    def text(self, name: str) -> str:
        value = self._values.get(name, "")
        if not isinstance(value, str):
            raise malformed(f"'{name}' of a torrent is no text")
        return value

    def rows(self, name: str, width: int) -> list[list[Any]]:
        value = self._values.get(name)
        if not isinstance(value, list) or any(not isinstance(r, list) or len(r) != width for r in value):
            raise malformed(f"the {name} of a torrent are no list of {width} fields each")
        return value


def malformed(what: str) -> ReadFailed:
    return ReadFailed("malformed", f"rtorrent's answer cannot be understood: {what}", "see arr doctor")


def torrent(row: Row, now: int | None) -> Torrent:
    """The torrent of a row. `now`: the server's own clock, in seconds."""
    multi, directory, base = bool(row.sure("multi")), row.text("directory"), row.text("base")
    files = tuple(_file(r) for r in row.rows("files", 5))
    content = base or (directory if multi else f"{directory}/{files[0].path}" if files and directory else "")
    told = row.number("complete")
    complete = bool(told) if told is not None else row.sure("left") == 0
    checking = bool(row.sure("hashing")) or bool(row.number("checking"))
    state, message = _state(row, complete, checking), phrase_of(row.text("message"))
    finished = row.number("finished") or None
    ratio, done = row.number("ratio"), row.size("done")
    return Torrent(
        hash=as_hash(row.text("hash")),
        name=row.text("name"),
        save_path=(content if multi else content.rpartition("/")[0]) if content else "",
        content=content,
        size=row.size("size"),
        done=done,
        complete=complete and not row.number("meta"),
        state=state,
        ratio=None if ratio is None or checking or done <= 0 else as_ratio(ratio / 1000),
        uploaded=as_size(row.number("up")),
        seeded_s=_stretch(row, state, finished, now),
        added=_moment(_digits(row.text("added"))),
        finished=_moment(finished),
        label=unquote(row.text("label")),
        tags=(),
        private=None if row.number("private") is None else bool(row.number("private")),
        seeders=as_size(row.number("seeders")),
        message=message,
        trackers=tuple(_tracker(r, message) for r in row.rows("trackers", 5)),
        files=files,
    )


def _state(row: Row, complete: bool, checking: bool) -> str:
    if checking:
        return "checking"
    if not row.sure("state"):
        return "paused"
    if not row.sure("active"):
        return "halted" if complete else "queued"
    return "seeding" if complete else "downloading"


def _stretch(row: Row, state: str, finished: int | None, now: int | None) -> int | None:
    changed = row.number("changed")
    if now is None or not changed or not finished:
        return None
    return as_size(max(0, now - max(changed, finished))) if state == "seeding" else 0


def _file(values: list[Any]) -> TorrentFile:
    path, size, done, chunks, priority = values
    if not isinstance(path, str) or not _are_sizes((size, done, chunks, priority)):
        raise malformed("a file of a torrent has fields of another type")
    have = size if done >= chunks else size * done // max(1, chunks)
    return TorrentFile(path=path, size=size, done=have, wanted=priority > 0)


def _are_sizes(values: tuple[Any, ...]) -> bool:
    """As `as_size` of each; at once, because a client may have a million files."""
    return set(map(type, values)) == {int} and min(values) >= 0 and max(values) < MOST_SIZE


def _tracker(values: list[Any], message: str) -> Tracker:
    url, group, enabled, failed, worked = values
    if not isinstance(url, str) or any(not isinstance(v, int) for v in (group, enabled, failed, worked)):
        raise malformed("a tracker of a torrent has fields of another type")
    state = "disabled" if not enabled else "error" if failed else "working" if worked else "not-contacted"
    return Tracker(public_url(url), group, bool(enabled), message if failed else "", state)


def _digits(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _moment(seconds: int | None) -> datetime | None:
    if not seconds or not 0 < seconds < 1 << 34:
        return None
    return datetime.fromtimestamp(seconds, UTC)
