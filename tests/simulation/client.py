"""The client seam of the world in memory: an app and a client that answer as `resources.clients.servarr` does.

Each write tells the `Witness` before and after it is done: there the laws are judged, and there a process may die.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from reconciler.clock import Clock
from reconciler.connection import Access, App, ConnectionSpec, Finding
from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.servarr import queries as q
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
from tests.simulation.disks import MACHINE
from tests.simulation.server import Job, Refused, Row, Server
from tests.simulation.world import World

LISTS = (q.Items, q.Tags, q.TagUsers, q.Roots, q.DiskSpaces, q.Commands, q.Queue, q.Listing, q.FileRows)
LATE = 150.0  # seconds after which a server acts that did not answer in time
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Witness(Protocol):
    """Whoever judges what is sent."""

    def writing(self, server: Server, verb: str, item: Row | None, what: dict[str, Any]) -> None:
        """A write is about to be sent. May raise: the process is dead, or a law is broken."""

    def written(self) -> None:
        """It was done, and its answer has not been read yet. May raise."""

    def refused_write(self, server: str, verb: str) -> None:
        """A write was tried on a connection that was opened for reading."""


class MemorySpec(ConnectionSpec):
    """A server in memory has no address."""


class MemoryApp(App):
    """A Sonarr or Radarr of a world in memory; the connection's name is the server's."""

    Spec = MemorySpec

    def __init__(self, app: str, world: World, witness: Witness) -> None:
        self.name = app  # type: ignore[misc]  # one class serves both
        self.world, self.witness = world, witness

    def open(self, name: str, spec: MemorySpec, *, access: Access, clock: Clock) -> MemoryClient:
        writable = access == "write" and spec.access == "write"
        return MemoryClient(self.world, self.world.servers[name], self.witness, access, writable)

    def examine(self, client: Any, spec: MemorySpec, clock: Clock) -> list[Finding]:
        found = client.read(q.StatusOf(client.server.name))
        return [Finding("status", True, f"{found.app} {found.version}")]


class MemoryClient:
    """See the module."""

    def __init__(self, world: World, server: Server, witness: Witness, access: Access, writable: bool) -> None:
        self.world, self.server, self.witness = world, server, witness
        self.access, self.writable = access, writable
        self._turn = threading.Lock()

    def close(self) -> None:
        """Nothing is open."""

    # -- reading

    def read(self, query: Query[Any]) -> Any:
        with self._turn:
            self._struck(query)
            lie = next((f for f in self._faults("*", "Lists") if f.code == "stale"), None)
            if lie is not None and isinstance(query, LISTS):
                if query not in lie.told:
                    lie.told[query] = self._answer(query)
                return lie.told[query]
            return self._answer(query)

    def _faults(self, *names: str) -> list[Any]:
        return [f for f in self.world.faults if f.server == self.server.name and f.query in names]

    def _struck(self, query: Query[Any]) -> None:
        name = self.server.name
        if not self.server.up:
            raise ReadFailed("down", f"{name} cannot be reached", "start it")
        for fault in self._faults(type(query).__name__, "*"):
            if fault.code != "stale" and fault.strikes(query):
                raise ReadFailed(fault.code, f"{name} is {fault.code}", "wait")

    def _answer(self, query: Query[Any]) -> Any:
        return getattr(self, f"_{type(query).__name__}")(query)

    def _row(self, item_id: int) -> Row:
        if item_id not in self.server.items:
            raise NotThere
        return self.server.items[item_id]

    def _item(self, row: Row) -> Item:
        labels = tuple(sorted(self.server.tags.get(i, f"#{i}") for i in row.tags))
        root = next((r for r in self.server.roots if row.path.startswith(r + "/")), row.path.rpartition("/")[0])
        size, files = sum(row.rows.values()), len(row.rows)
        return Item(row.id, row.ident, row.title, row.path, root, size, files, labels, monitored=True)

    def _StatusOf(self, _: Any) -> Status:
        known = {"sonarr": ("Sonarr", "4.0.19.2979"), "radarr": ("Radarr", "6.0.3.10276")}[self.server.app]
        return Status(*known, instance=known[0], os="debian")

    def _Items(self, _: Any) -> tuple[Item, ...]:
        return tuple(self._item(row) for _, row in sorted(self.server.items.items()))

    def _OneItem(self, query: q.OneItem) -> Item:
        return self._item(self._row(query.item_id))

    def _Tags(self, _: Any) -> tuple[Tag, ...]:
        return tuple(sorted((Tag(i, label) for i, label in self.server.tags.items()), key=lambda t: (t.label, t.id)))

    def _TagUsers(self, _: Any) -> dict[str, str]:
        used = Counter(self.server.tags.get(i, f"#{i}") for row in self.server.items.values() for i in row.tags)
        return {label: f"{count} items" for label, count in sorted(used.items())}

    def _Roots(self, _: Any) -> tuple[Root, ...]:
        return tuple(self._root(n, path) for n, path in sorted(enumerate(self.server.roots, 1), key=lambda r: r[1]))

    def _root(self, number: int, path: str) -> Root:
        files = self.server.files
        if not files.is_folder(path):
            return Root(number, path, accessible=False, free=None, total=None, unmapped=None)
        known = {row.path for row in self.server.items.values()}
        names = tuple(n for n in files.listing(path)[0] if f"{path}/{n}" not in known)
        return Root(number, path, accessible=True, free=files.free(path), total=None, unmapped=names)

    def _DiskSpaces(self, _: Any) -> tuple[DiskSpace, ...]:
        files = self.server.files
        disks = [DiskSpace(path, files.free(path), size) for path, size in files.disks.items()]
        mounted = [d for d in disks if d.path not in files.unmounted]
        return tuple(sorted([DiskSpace("/", *MACHINE), *mounted], key=lambda d: d.path))

    def _command(self, job: Job, *, whole: bool) -> Command:
        times = [None if t is None else EPOCH + timedelta(seconds=int(t)) for t in (job.queued, job.started, job.ended)]
        result = "successful" if whole and job.status == "completed" else "unknown"
        return Command(job.id, job.name, job.status, result, "", job.exception, job.body, *times)

    def _Commands(self, _: Any) -> tuple[Command, ...]:
        return tuple(self._command(job, whole=True) for job in self.server.seen())

    def _CommandById(self, query: q.CommandById) -> Command:
        job = self.server.jobs.get(query.command_id)
        if job is None:
            raise NotThere
        return self._command(job, whole=job.id in self.server.listed)

    def _Queue(self, _: Any) -> tuple[QueueRecord, ...]:
        return tuple(
            QueueRecord(n, item_id, title, "downloading", "downloading", "AB", 1000, 500)
            for n, (item_id, title) in enumerate(sorted(self.server.queue.items()), 1)
        )

    def _Listing(self, query: q.Listing) -> tuple[Entry, ...]:
        folders, files = self.server.files.listing(query.path)
        found = [Entry(n, is_folder=True, bytes=0) for n in folders]
        found += [Entry(n, is_folder=False, bytes=size) for n, size in files.items()]
        return tuple(sorted(found, key=lambda e: e.name))

    def _Tree(self, query: q.Tree) -> tuple[TreeFile, ...]:
        found = (TreeFile(name, size) for name, size in self.server.files.below(query.path))
        return tuple(sorted(found, key=lambda f: f.relative))

    def _FileRows(self, query: q.FileRows) -> tuple[FileRow, ...]:
        row = self._row(query.item_id)
        found = enumerate(sorted(row.rows.items()), row.id * 100)
        return tuple(FileRow(n, row.id, name, f"{row.path}/{name}", size) for n, (name, size) in found)

    def _LogTail(self, _: Any) -> tuple[LogLine, ...]:
        logger = self.server.move_name + "Service"
        stopped = "System.IO.IOException: No space left on device"
        return tuple(
            LogLine(n, EPOCH + timedelta(seconds=int(at)), "error", logger, says, stopped)
            for n, (at, says) in reversed(list(enumerate(self.server.log[-100:], 1)))
        )

    # -- writing

    def move(self, item_id: int, to_path: str, *, move_files: bool, from_path: str | None = None) -> None:
        row = self._before(lambda: self._row(item_id), q.OneItem(self.server.name, item_id))
        if from_path is not None and row.path != from_path:
            raise WriteRefused(f"not sent: its folder is {row.path} now, and no longer {from_path}")
        told = {"to": to_path, "files": move_files}
        self._send("move", row, told, lambda: self.server.put(item_id, to_path, move=move_files, by="arr"))

    def rescan(self, item_id: int) -> int:
        row = self._before(lambda: self._row(item_id), q.StatusOf(self.server.name))
        body = {self.server.id_name: item_id}
        return int(self._send("rescan", row, {}, lambda: self.server.push(self.server.scan_name, body, "arr").id))

    def create_tag(self, label: str) -> Tag:
        self._before(lambda: None, q.StatusOf(self.server.name))
        return Tag(int(self._send("create", None, {"label": label}, lambda: self.server.tag(label))), label.lower())

    def delete_tag(self, tag_id: int) -> None:
        self._before(lambda: None, q.StatusOf(self.server.name))
        label = self.server.labels[tag_id]
        self._send("delete", None, {"label": label}, lambda: self.server.drop_tag(tag_id))

    def _before(self, look: Any, query: Query[Any]) -> Any:
        if not self.writable:
            if self.access == "read":
                self.witness.refused_write(self.server.name, type(query).__name__)
            raise WriteRefused(f"{self.server.name} is opened for reading only")
        try:
            with self._turn:
                self._struck(query)
                return look()
        except NotThere:
            raise WriteRefused("not sent: it is not there any more") from None
        except ReadFailed as e:
            raise WriteRefused(f"not sent: {e.reason}") from None

    def _send(self, verb: str, row: Row | None, told: dict[str, Any], act: Any) -> Any:
        self.witness.writing(self.server, verb, row, told)
        code = next((f.code for f in self._faults("write") if f.strikes(verb)), "")
        if code == "refused":
            raise WriteRefused(f"{self.server.name} refuses")
        if code == "lost-before":
            raise ReplyLost(f"{self.server.name} broke off")
        if code == "late":
            self.world.late.append((LATE, lambda: self._late(act)))
            raise ReplyLost(f"{self.server.name} did not answer in time", late=True)
        try:
            answer = act()
        except Refused as e:
            raise WriteRefused(str(e)) from None
        self.witness.written()
        if code == "lost-after":
            raise ReplyLost(f"{self.server.name} broke off")
        return answer

    def _late(self, act: Any) -> None:
        """A server that acts after we have hung up; it may say no to nobody."""
        if self.server.up:
            try:
                act()
            except (Refused, KeyError):
                return
