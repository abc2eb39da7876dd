"""Was it imported, and is what was imported still there? The proof, from the whole history of every app that imports.

An import counts by the name of its event. Every part that an app grabbed with this download has to be imported (or settled
otherwise by it), of one that nobody grabbed every video (`coverage`), and the file of the last import of each part has to be
there: as a row of the app, and on disk where this machine sees it. One history that is not known makes the answer unknown:
what another instance still waits for is in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.facts import Absent, Facts, Known, NotThere, Query, Unknown
from reconciler.kind import World
from reconciler.stack import Stack
from resources.clients.localfs import HERE, Inodes
from resources.clients.servarr import FileRow, FileRows
from resources.clients.servarr.history import GRABBED, IGNORED, IMPORTED, Event, History
from resources.clients.torrents import TorrentFile
from resources.imports.coverage import uncovered
from resources.references import seen

STILL = "there"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that an app imported and has: its row in `app`, and where `by` (this machine or an SFTP connection) sees it,
    "" where nobody does."""

    app: str
    item_id: int
    row_id: int
    here: str
    by: str = HERE


@dataclass(frozen=True)
class Proof:
    """`value` None: not known. `wants`: what has to be asked before it can be. `taken`: the files that it rests on.
    `unsaid`: everybody answered, and yet no answer says it: nothing but a person can."""

    value: bool | None
    says: str
    wants: tuple[Query[Any], ...] = ()
    taken: tuple[Taken, ...] = ()
    unsaid: bool = False


@dataclass
class _Index:
    """One app's history, by download and by part."""

    by_download: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[int, list[Event]] = field(default_factory=lambda: defaultdict(list))


class Imports:
    """The histories of `names`, indexed once."""

    def __init__(self, stack: Stack, facts: Facts, names: Iterable[str]) -> None:
        self._stack, self._facts = stack, facts
        self._known: dict[str, _Index] = {}
        self.unknown: dict[str, Unknown] = {}
        for name in names:
            fact = facts.get(History(name))
            if isinstance(fact, Known):
                self._known[name] = _index(fact.value)
            else:
                self.unknown[name] = fact if isinstance(fact, Unknown) else Unknown("refused", f"{name} has no history")

    def proof(self, info_hash: str, files: Iterable[TorrentFile] | None) -> Proof:
        """Of one download with these files, over all apps. Without them it only names what it wants."""
        if self.unknown:
            name, why = next(iter(sorted(self.unknown.items())))
            return Proof(None, f"the history of {name} is not known: {why.reason}")
        by: list[str] = []
        wants: list[Query[Any]] = []
        taken: list[Taken] = []
        for name, index in sorted(self._known.items()):
            events = index.by_download.get(info_hash)
            if not events:
                continue
            found = self._of(name, index, events)
            if found.value is False:
                return found
            wants += found.wants
            taken += found.taken
            if found.value is None and not found.wants:
                return found
            if found.says:
                by.append(name)
        told = [e for index in self._known.values() for e in index.by_download.get(info_hash, ())]
        if by and not wants and (lacks := uncovered(files, told)):
            return Proof(None, lacks, unsaid=True)
        if wants:
            return Proof(None, "whether its files are still there was not asked yet", tuple(wants))
        if not by:
            return Proof(False, "nobody has imported it")
        return Proof(True, f"imported by {' and '.join(by)}", taken=tuple(taken))

    def _of(self, name: str, index: _Index, events: list[Event]) -> Proof:
        """What one app has made of the download."""
        settled = {e.part_id for e in events if e.event in IMPORTED or e.event == IGNORED}
        grabbed = {e.part_id: e for e in events if e.event == GRABBED}
        waiting = [
            e
            for part, e in grabbed.items()
            if part not in settled and not any(i.at >= e.at for i in index.imports[part])
        ]
        if waiting:
            return Proof(False, f"{name} grabbed it and has not imported {len(waiting)} of {len(grabbed)}")
        mine = [e for e in events if e.event in IMPORTED]
        if not mine:
            return Proof(True, "")
        last = {e.part_id: index.imports[e.part_id][-1] for e in mine}
        return self._files(name, list(last.values()))

    def _files(self, name: str, imports: list[Event]) -> Proof:
        """Whether the file of each of these imports is there."""
        taken: list[Taken] = []
        wants: list[Query[Any]] = []
        for event in imports:
            query = FileRows(name, event.item_id)
            if not self._facts.has(query):
                wants.append(query)
                continue
            fact = self._facts.get(query)
            if isinstance(fact, Absent):
                return Proof(False, f"{name} no longer has what it was imported for")
            if isinstance(fact, Unknown):
                return Proof(None, f"the files of {name} are not known: {fact.reason}")
            row = _row(fact.value, event)
            if row is None:
                return Proof(False, f"the file that {name} imported is gone from it")
            at = seen(self._stack, name, row.path)
            taken.append(Taken(name, row.item_id, row.id, at.path if at else "", at.by if at else HERE))
        if wants:
            return Proof(None, "its files were not asked for yet", tuple(dict.fromkeys(wants)))
        return self._on_disk(name, tuple(dict.fromkeys(taken)))

    def _on_disk(self, name: str, taken: tuple[Taken, ...]) -> Proof:
        """The same on the disks, as far as they are seen."""
        wants = tuple(query for query in looks(taken) if not self._facts.has(query))
        if wants:
            return Proof(None, "its files were not looked at yet", wants)
        for query in looks(taken):
            fact = self._facts.get(query)
            if not isinstance(fact, Known):
                return Proof(None, f"what {name} imported cannot be looked at")
            for inode in fact.value:
                if inode.state == "missing":
                    return Proof(False, f"the file that {name} imported is not on disk: {inode.path}")
                if inode.state != "file":
                    return Proof(None, f"{inode.path} cannot be looked at ({inode.why or inode.state})")
        return Proof(True, f"imported by {name}", taken=taken)


def still_taken(world: World, taken: Iterable[Taken]) -> str:
    """ "there" when every app still has these files, and this machine sees those that it can; else what is missing.

    The same question once more, for the moment of doing: a plan may be a day old. ReadFailed when an app does not answer.
    """
    files = tuple(taken)
    for app, item_id in sorted({(t.app, t.item_id) for t in files}):
        try:
            rows = {row.id for row in world.client(app).read(FileRows(app, item_id))}
        except NotThere:
            return f"{app} no longer has what it was imported for"
        if any(t.row_id not in rows for t in files if (t.app, t.item_id) == (app, item_id)):
            return f"a file that {app} imported is gone from it"
    for inode in (i for query in looks(files) for i in world.client(query.connection).read(query)):
        if inode.state != "file":
            return f"{inode.path}, which was imported, is {inode.state}"
    return STILL


def looks(taken: Iterable[Taken]) -> list[Inodes]:
    """What looks at files that were imported: one question for each who sees some of them."""
    files = tuple(taken)
    by = sorted({t.by for t in files if t.here})
    return [Inodes(one, tuple(t.here for t in files if t.here and t.by == one)) for one in by]


def _index(events: Iterable[Event]) -> _Index:
    index = _Index()
    for event in events:
        if event.download:
            index.by_download[event.download].append(event)
        if event.event in IMPORTED:
            index.imports[event.part_id].append(event)
    return index


def _row(rows: tuple[FileRow, ...], event: Event) -> FileRow | None:
    """The row that an import made: by its id, else by its path (servers that do not tell the id)."""
    if event.file_id is not None:
        return next((r for r in rows if r.id == event.file_id), None)
    return next((r for r in rows if event.path and r.path == event.path), None)
