"""The client of rtorrent: every torrent with its files and trackers in one request, and the few writes that kinds need.

Opened by `app.py`. rtorrent never deletes data: `remove` takes the torrent out of it and leaves every file, whoever calls.
Each write is a call of its own and checked: after a step that failed none follows (erasing after a failed step is how
gigabytes become orphans).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.rtorrent.fields import FIELDS, Row, malformed, torrent
from resources.clients.rtorrent.queries import FilesThere, Version
from resources.clients.rtorrent.rpc import OverHttp, Rpc, missing, of_fault
from resources.clients.rtorrent.xmlrpc import Fault, fault_of
from resources.clients.torrents import OneTorrent, Torrent, Torrents, exactly_one

T = TypeVar("T")

UNTRUSTED = -507


class RtorrentClient:
    """One open connection. Thread-safe."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self._lock = threading.Lock()
        self._names = tuple(FIELDS)  # the fields that this server tells, as far as we know
        self._answers: dict[type[Query[Any]], Callable[[Any], Any]] = {
            Version: lambda _: self._version(),
            Torrents: lambda _: self._torrents(),
            OneTorrent: lambda query: self._one(query.hash),
            FilesThere: lambda query: self._there(query.hash),
        }

    def close(self) -> None:
        self.rpc.close()

    def read(self, query: Query[T]) -> T:
        """The complete answer, or ReadFailed, or NotThere."""
        try:
            return cast("T", self._answers[type(query)](query))
        except Fault as e:
            if missing(e):
                raise NotThere(e.text) from None
            raise of_fault(e, self.rpc.where) from None

    # reads -----------------------------------------------------------------------------------------------------------

    def _version(self) -> str:
        found = self.rpc.read("system.client_version", "")
        if not isinstance(found, str) or not found:
            raise malformed("it does not tell its version")
        return found

    def _torrents(self) -> tuple[Torrent, ...]:
        names, (now, rows) = self._told(self._listed)
        if not isinstance(rows, list):
            raise malformed("the list of torrents is none")
        found = [torrent(Row(names, row), now if isinstance(now, int) else None) for row in rows]
        if len({t.hash for t in found}) != len(found):
            raise malformed("two torrents have the same hash")
        return tuple(sorted(found, key=lambda t: t.hash))

    def _listed(self, names: tuple[str, ...]) -> list[Any]:
        fields = [FIELDS[name][0] for name in names]
        return self._together(("system.time_seconds", [""]), ("d.multicall2", ["", "main", *fields]))

    def _told(self, ask: Callable[[tuple[str, ...]], list[Any]]) -> tuple[tuple[str, ...], list[Any]]:
        """What `ask` gives for the fields that this server tells. One refused field fails a whole list: those are found
        when that happens, once, and left out where a torrent can be judged without them."""
        with self._lock:
            names = self._names
        try:
            return names, ask(names)
        except Fault as e:
            if missing(e) or names != tuple(FIELDS):
                raise
            kept = self._probe()
            if kept == names:
                raise
        with self._lock:
            self._names = kept
        return kept, ask(kept)

    def _probe(self) -> tuple[str, ...]:
        """Asks one torrent for each field by itself, in one request. A fault of a field that must be there is raised."""
        hashes = self.rpc.read("download_list", "", "main")
        if not isinstance(hashes, list) or not hashes:
            return tuple(FIELDS)
        calls = [_single(str(hashes[0]), field) for field, _ in FIELDS.values()]
        values = self.rpc.read("system.multicall", [{"methodName": m, "params": p} for m, p in calls])
        if not isinstance(values, list) or len(values) != len(calls):
            raise malformed("several questions were answered with another number of answers")
        kept = []
        for (name, (_, optional)), value in zip(FIELDS.items(), values, strict=True):
            fault = fault_of(value)
            if fault is None:
                kept.append(name)
            elif not optional:
                raise fault
        return tuple(kept)

    def _one(self, info_hash: str) -> Torrent:
        target = info_hash.upper()

        def ask(names: tuple[str, ...]) -> list[Any]:
            return self._together(("system.time_seconds", [""]), *(_single(target, FIELDS[n][0]) for n in names))

        names, (now, *values) = self._told(ask)
        found = torrent(Row(names, values), now if isinstance(now, int) else None)
        if found.hash != info_hash:
            raise malformed("it answered about another torrent")
        return found

    def _there(self, info_hash: str) -> tuple[tuple[str, bool], ...]:
        rows = self.rpc.read("f.multicall", info_hash.upper(), "", "f.path=", "f.is_created=")
        if not isinstance(rows, list) or any(not isinstance(r, list) or len(r) != 2 for r in rows):
            raise malformed("the files of a torrent are no list")
        return tuple((str(path), bool(there)) for path, there in rows)

    def _together(self, *calls: tuple[str, Sequence[str]]) -> list[Any]:
        """Several reads in one request. The first fault of any of them is raised: half an answer is none."""
        wanted = [{"methodName": method, "params": list(params)} for method, params in calls]
        values = self.rpc.read("system.multicall", wanted)
        if not isinstance(values, list) or len(values) != len(calls):
            raise malformed("several questions were answered with another number of answers")
        out = []
        for value in values:
            if fault := fault_of(value):
                raise fault
            if not isinstance(value, list) or len(value) != 1:
                raise malformed("an answer among several is none")
            out.append(value[0])
        return out

    # writes ----------------------------------------------------------------------------------------------------------

    def open_files(self, info_hash: str) -> None:
        """Have it look where its files are: one that was not opened since rtorrent started finds none. It does not start."""
        self._known(info_hash)
        self.rpc.write("d.open", info_hash.upper())

    def close_files(self, info_hash: str) -> None:
        """Stop and let go of the files, so that they can be moved away. It can be started again."""
        self._known(info_hash)
        self.rpc.write("d.close", info_hash.upper())

    def reopen(self, info_hash: str) -> None:
        """Take up the files again after `close_files`, and seed on if it did."""
        self._known(info_hash)
        self.rpc.write("d.open", info_hash.upper())
        if self.rpc.read("d.state", info_hash.upper()):
            self.rpc.write("d.resume", info_hash.upper())

    def pause(self, info_hash: str) -> None:
        """Stop it for good: it stays stopped after a restart of rtorrent."""
        self._known(info_hash)
        self._trusted("d.stop", "stop", info_hash)

    def remove(self, info_hash: str, *, data: bool) -> None:
        """Take the torrent out of rtorrent. Its files stay: WriteRefused when `data` is asked for."""
        if data:
            raise WriteRefused("rtorrent deletes no data: its files are for somebody else to delete")
        self._known(info_hash)
        self.rpc.write("d.erase", info_hash.upper())

    def _known(self, info_hash: str) -> None:
        """Exactly one torrent, which is there, or nothing is sent."""
        try:
            found = self.rpc.read("d.hash", exactly_one(info_hash).upper())
        except Fault as e:
            why = "there is no such torrent" if missing(e) else of_fault(e, self.rpc.where).reason
            raise WriteRefused(f"not sent: {why}") from None
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}", e.remedy) from None
        if not isinstance(found, str) or found.lower() != info_hash:
            raise WriteRefused("not sent: rtorrent answered about another torrent")

    def _trusted(self, method: str, mode: str, info_hash: str) -> None:
        """A call that ruTorrent's httprpc does itself where it may not be forwarded."""
        carrier = self.rpc.carrier
        try:
            self.rpc.write(method, info_hash.upper())
        except WriteRefused as e:
            if (
                str(UNTRUSTED) not in e.message
                or not isinstance(carrier, OverHttp)
                or "/httprpc/" not in carrier.where.url
            ):
                raise
            form = urlencode({"mode": mode, "hash": info_hash.upper()}).encode()
            headers = {"content-type": "application/x-www-form-urlencoded"}
            reply = carrier.exchange.send("POST", carrier.where.url, form, headers)
            if reply.status != 200 or "json" not in reply.kind:
                raise ReplyLost(f"ruTorrent answered {reply.status} to {mode}") from None


def _single(target: str, field: str) -> tuple[str, list[str]]:
    """A field of a list as a call about one torrent."""
    name, _, rest = field.partition("=")
    if name in ("f.multicall", "t.multicall"):
        return name, [target, *rest.split(",")]
    return name, [target, *([rest] if rest else [])]
