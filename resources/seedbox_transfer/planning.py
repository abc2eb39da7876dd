"""Facts → proposal. Pure: what is whole on the server and not here is to be fetched, smallest first; the rest is said.

A release that is here, was fetched before and tidied away, is not complete yet, bears a hostile name or would not fit is left
alone, each with its reason. The room that is to stay free is counted over everything that is planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote
from typing import Any

from reconciler.action import Action, Blocked, Effects, Held, Json, Proposal, UnderWay
from reconciler.address import Subject
from reconciler.facts import Absent, Fact, Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Past, Resource
from reconciler.units import age_text, size_text
from resources.clients.localfs import HERE, FolderMark, FsSize, Leftovers, LocalFile, LocalNames, LocalTree, Staged
from resources.clients.localfs.mark import where
from resources.clients.localfs.staging import PARTIAL
from resources.clients.sftp import RemoteFile, RemoteTree
from resources.clients.torrents import OneTorrent, Torrent, Torrents
from resources.seedbox_transfer import clear, removal
from resources.seedbox_transfer.complete import called_there, claimed, unfinished, unsettled
from resources.seedbox_transfer.hours import until_open
from resources.seedbox_transfer.inventory import Inventory
from resources.seedbox_transfer.memory import Memory, into, kept, marked, subject
from resources.seedbox_transfer.release import NAME_REFUSED, Release, releases, shape
from resources.seedbox_transfer.spec import SeedboxTransferSpec

HERE_ALREADY = "here already, every file with the size that the server tells"
VERIFIED = {
    "checksum": "What comes is compared by checksum; by size alone where the server makes none.",
    "reread": "What comes is read there a second time, and compared.",
    "size": "What comes is checked by size alone.",
}
CHANGED = "fetched before, and changed since, here or on the server: left as it is"
Seedbox = Resource[SeedboxTransferSpec]


def first_reads(resource: Seedbox) -> list[Query[Any]]:
    """What is asked in the first wave."""
    spec = resource.spec
    asked: list[Query[Any]] = [RemoteTree(spec.source.sftp, spec.source.path), LocalNames(HERE, spec.to)]
    asked += [FsSize(HERE, spec.to), FolderMark(HERE, spec.to)]
    if spec.when.client is not None:
        asked.append(Torrents(spec.when.client))
    return asked


def reads(resource: Seedbox, facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
    """And in the second: what of each release is here already, and the files of torrents whose list has none; with the third
    what proves that one was imported."""
    spec = resource.spec
    asked = list(dict.fromkeys([*first_reads(resource), Leftovers(HERE, spec.to), *removal.first_wave(resource)]))
    tree, folder = RemoteTree(spec.source.sftp, spec.source.path), LocalNames(HERE, spec.to)
    if not (facts.has(tree) and facts.has(folder)):
        return asked
    remote, local = facts.get(tree), facts.get(folder)
    if isinstance(remote, Known) and isinstance(local, Known):
        there = set(local.value)
        for release in releases(remote.value, spec.exclude):
            if not release.problem:
                path = f"{spec.to}/{release.name}"
                asked.append(LocalTree(HERE, path) if release.name in there else Staged(HERE, spec.to, release.name))
        torrents = _claimed(resource, facts)
        names = torrents.keys() - there
        asked += [OneTorrent(str(spec.when.client), t.hash) for n in sorted(names) for t in torrents[n] if _terse(t)]
        leaving = removal.Removal(resource, facts, ledger, now, Memory(ledger, spec.to))
        leaving.propose(releases(remote.value, spec.exclude), 1)
        asked += leaving.wants
    return list(dict.fromkeys(asked))


def _terse(torrent: Torrent) -> bool:
    """Whether its files have to be asked for: a deselected one lies there half, and the torrent is called complete (A26)."""
    return torrent.complete and torrent.files is None


def _claimed(resource: Seedbox, facts: Facts) -> Mapping[str, tuple[Torrent, ...]]:
    """Release → its torrents. Nothing where no client is asked, or where it did not answer."""
    spec = resource.spec
    if spec.when.client is None or not facts.has(Torrents(spec.when.client)):
        return {}
    fact = facts.get(Torrents(spec.when.client))
    there = called_there(resource.stack, spec.when.client, spec.source.sftp, spec.source.path)
    return claimed(spec.source.path, fact.value, there) if isinstance(fact, Known) else {}


def plan(resource: Seedbox, facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
    blocked = list(_blocked(resource, facts))
    tree = facts.get(RemoteTree(resource.spec.source.sftp, resource.spec.source.path))
    if isinstance(tree, Absent):
        path = f"{resource.spec.source.sftp}:{resource.spec.source.path}"
        return Proposal(errors=(f"{path} is not there",), blocked=tuple(blocked))
    if blocked or not isinstance(tree, Known):
        return Proposal(blocked=tuple(blocked))
    planning = _Planning(resource, facts, ledger, now, tree.value)
    bare = planning.bare()
    return Proposal(blocked=(bare,)) if bare is not None else planning.propose()


def _blocked(resource: Seedbox, facts: Facts) -> Iterator[Blocked]:
    what = {
        RemoteTree: "what is on the server",
        LocalNames: "what is here",
        FsSize: "the room on this machine's disk",
        FolderMark: "which folder it is",
        Torrents: "what is complete",
    }
    for query in first_reads(resource):
        fact: Fact[Any] = facts.get(query)
        if isinstance(fact, Unknown):
            yield Blocked(what=what[type(query)], reason=fact.reason, remedy=fact.remedy, code=fact.code)
        elif isinstance(fact, Absent) and not isinstance(query, RemoteTree):
            yield Blocked(what=what[type(query)], reason="it is not there", code="malformed")


@dataclass
class _Planning:
    resource: Seedbox
    facts: Facts
    ledger: Ledger
    now: datetime
    tree: tuple[RemoteFile, ...]
    actions: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    under_way: list[UnderWay] = field(default_factory=list)
    sightings: dict[str, str] = field(default_factory=dict)
    torrents: Mapping[str, tuple[Torrent, ...]] = field(default_factory=dict)
    quiet: dict[str, str] = field(default_factory=dict)  # title → why there is nothing to do

    def __post_init__(self) -> None:
        self.memory = Memory(self.ledger, self.resource.spec.to)
        mark = self.facts.get(FolderMark(HERE, self.resource.spec.to))
        self.mark = mark.value if isinstance(mark, Known) else None
        self.inventory = Inventory(self.resource, self.ledger, self.memory, self.now, self.tree)

    def bare(self) -> Blocked | None:
        """Why the folder is not the one that was fetched into before; None when it is. Nothing is said of what is here then:
        on the mount point of a disk that is not mounted everything looks tidied away, or yet to be fetched."""
        to, mark = self.resource.spec.to, where(self.resource.spec.to)
        if not self.memory.mark or self.mark in ("", self.memory.mark):
            return None
        if self.mark is None:
            why = f"{to} is not the folder that was fetched into before: it has no {PARTIAL}/{mark.name}"
            anew = f"mkdir -p {quote(str(mark.parent))} && touch {quote(str(mark))}"
        else:
            why = f"{to} is not the folder that was fetched into before: its {PARTIAL}/{mark.name} is another one"
            anew = f": > {quote(str(mark))}"
        remedy = f"mount its disk; or, if you made the folder anew: {anew}"
        return Blocked(what="what is here", reason=why, remedy=remedy, code="refused")

    def propose(self) -> Proposal:
        spec = self.resource.spec
        self.torrents = _claimed(self.resource, self.facts)
        self.found = found = list(releases(self.tree, spec.exclude))
        self.inventory.note(found)
        wanted = [r for r in found if self._wanted(r)]
        wanted.sort(key=lambda r: (r.bytes, r.name))
        self._fit(wanted)
        closed = until_open(spec.limit.window, self.now)
        later = tuple(self.actions) if closed else ()
        self.leaving = removal.Removal(self.resource, self.facts, self.ledger, self.now, self.memory)
        self.leaving.propose(found, len(self.actions) + 1)
        number = len(self.actions) + len(self.leaving.actions) + 1
        return Proposal(
            actions=(*(() if closed else self.actions), *self.leaving.actions, *self._cleared(found, number)),
            later=later,
            held=(*self.held, *self.leaving.held),
            blocked=(*self.blocked, *self.leaving.blocked),
            under_way=tuple(self.under_way),
            summary=tuple(self._summary(found, closed if later else "")),
            population={spec.source.sftp: len(found), **{n: len(t) for n, t in self.leaving.told.items()}},
            sightings={**self.inventory.sightings, **self.sightings, **self.leaving.sightings},
        )

    def _cleared(self, found: Iterable[Release], number: int) -> Iterator[Action]:
        """What unfinished fetches have left and nobody wants any more. What of it cannot be looked at stays."""
        left = self.facts.get(Leftovers(HERE, self.resource.spec.to))
        wanted = {r.name for r in found if r.title not in self.quiet}
        wanted |= {p.action.data.get("name", "") for p in self.ledger.pending}
        spec = self.resource.spec
        if isinstance(left, Known):
            yield from clear.planned(self.resource.address, spec.to, left.value, wanted, self.now, number)

    def _subject(self, release: Release) -> Subject:
        return subject(self.resource.spec, release)

    def _hold(self, release: Release, reason: str, way: str = "") -> bool:
        self.held.append(Held(subject=self._subject(release), reason=reason, way_forward=way, bytes=release.bytes))
        return False

    def _wanted(self, release: Release) -> bool:
        """Whether it is to be fetched now; what else there is to say of it is said on the way."""
        if release.problem:
            own = release.problem.startswith(NAME_REFUSED)  # what is excluded are files and folders in a release
            return self._hold(release, release.problem, "rename it there" if own else "rename it there, or exclude it")
        spec = self.resource.spec
        query = LocalTree(HERE, f"{spec.to}/{release.name}")
        local = self.facts.get(query) if self.facts.has(query) else None
        if isinstance(local, Unknown):
            self.blocked.append(Blocked(what=release.title, reason=local.reason, remedy=local.remedy, code=local.code))
            return False
        if isinstance(local, Known):
            return self._beside(release, local.value)
        ident = self._subject(release).ident
        pending = next(
            (p for p in self.ledger.pending if p.action.subject.ident == ident and into(p.action, spec.to)), None
        )
        if pending is not None:
            verdict = pending.verdict
            self.under_way.append(
                UnderWay(
                    action=pending.action,
                    says=verdict.says or "being fetched",
                    done_bytes=verdict.done_bytes,
                    total_bytes=verdict.total_bytes,
                )
            )
            return False
        past = self._tombstone(release)
        if past is not None:
            span = age_text(spec.tombstones)
            self.quiet[release.title] = f"fetched {past.at:%Y-%m-%d} and tidied away here: not again within {span}"
            return False
        return self._complete(release)

    def _beside(self, release: Release, local: tuple[LocalFile, ...]) -> bool:
        """Something of its name is here."""
        past = self.memory.brought(self._subject(release).ident)
        same = all(f.kind == "file" for f in local) and shape((f.path, f.size) for f in local) == release.shape
        if same and (past is None or kept(past.action).get("as", release.fingerprint) == release.fingerprint):
            self.quiet[release.title] = HERE_ALREADY
            return False
        if past is not None:  # what a person does with it is theirs
            self.quiet[release.title] = CHANGED
            return False
        mine = f"{len(local)} files, {size_text(sum(f.size for f in local))}"
        theirs = f"{len(release.files)} files, {size_text(release.bytes)}"
        reason = f"something else of this name is here: {mine}; on the server {theirs}"
        return self._hold(release, reason, "nothing is replaced: move one of the two away")

    def _tombstone(self, release: Release) -> Past | None:
        """The fetch because of which it is not fetched again."""
        seconds = self.resource.spec.tombstones
        return self.memory.tombstone(self._subject(release).ident, release, self.now, seconds)

    def _complete(self, release: Release) -> bool:
        spec = self.resource.spec
        torrents = self._detailed(release)
        if isinstance(torrents, str):
            return self._hold(release, torrents, "plan again: arr plan")
        if torrents:
            reason = unfinished(torrents, spec.exclude)
            return not reason or self._hold(release, reason, "it is fetched once it is complete; or exclude the file")
        if loose := self.torrents.get(""):
            reason = f"it may be a part of {loose[0].name}, which is not complete and lies in this folder itself"
            return self._hold(release, reason, "it is looked at once that is complete; or give torrents a folder each")
        if spec.when.client is not None and "settled" not in spec.when.model_fields_set:
            reason = f"no torrent in {spec.when.client} claims it, so nobody can say that it is complete"
            return self._hold(
                release, reason, "settled: 10m beside the client fetches such releases, too; see also paths"
            )
        self.sightings[release.name] = release.fingerprint
        seen = self.ledger.sightings.get(f"{self.resource.address} {release.name}")
        reason = unsettled(spec, release, seen, self.now)
        return not reason or self._hold(release, reason, "plan again then")

    def _detailed(self, release: Release) -> tuple[Torrent, ...] | str:
        """Its torrents with their files; a text where the client did not tell of one."""
        found: list[Torrent] = []
        for torrent in self.torrents.get(release.name, ()):
            query = OneTorrent(str(self.resource.spec.when.client), torrent.hash)
            if not _terse(torrent) or not self.facts.has(query):
                found.append(torrent)
                continue
            fact = self.facts.get(query)
            if isinstance(fact, Unknown):
                return f"the files of its torrent are not known: {fact.reason}"
            if isinstance(fact, Absent):
                return "its torrent has left the client meanwhile"
            found.append(fact.value)
        return tuple(found)

    def _fit(self, wanted: list[Release]) -> None:
        """Actions for what fits, smallest first; the rest is held with the numbers."""
        spec = self.resource.spec
        space = self.facts.get(FsSize(HERE, spec.to))
        free = space.value.free if isinstance(space, Known) else 0
        for release in wanted:
            query = Staged(HERE, spec.to, release.name)
            staged = self.facts.get(query) if self.facts.has(query) else None
            left = max(0, release.bytes - staged.value) if isinstance(staged, Known) else release.bytes
            if free - left < spec.keep_free:
                stays = f", and {size_text(spec.keep_free)} is to stay free" if spec.keep_free else ""
                reason = f"it needs {size_text(left)}; {size_text(max(0, free))} would be free on this disk{stays}"
                self._hold(release, reason, "make room, or lower keep_free")
                continue
            free -= left
            self.actions.append(self._fetch(release, left))

    def _fetch(self, release: Release, left: int) -> Action:
        spec = self.resource.spec
        there = f"{size_text(release.bytes - left)} of {size_text(release.bytes)}"
        resumed = (f"{there} are here already, and not fetched again",) if left < release.bytes else ()
        return Action(
            id=f"{self.resource.address}/{len(self.actions) + 1}",
            address=str(self.resource.address),
            verb="fetch",
            subject=self._subject(release),
            reason=f"complete on {spec.source.sftp}, and not here",
            before={"here": None},
            after={"here": f"{spec.to}/{release.name}"},
            details=resumed,
            rests_on={"remote": release.fingerprint, "here": "absent", "room": "enough", "folder": marked(self.mark)},
            effects=Effects(bytes_moved=left, files=len(release.files)),
            data=self._data(release),
        )

    def _data(self, release: Release) -> dict[str, Json]:
        spec = self.resource.spec
        return {
            "connection": spec.source.sftp,
            "remote": f"{spec.source.path.rstrip('/')}/{release.name}",
            "name": release.name,
            "to": spec.to,
            "exclude": list(spec.exclude),
            "shape": release.shape,
            "bytes": release.bytes,
            "verify": spec.verify,
            "parallel": spec.parallel.model_dump(mode="json"),
            "rate": spec.limit.bytes_per_second,
            "window": spec.limit.window,
            "keep_free": spec.keep_free,
            "mark": self.mark,
            "kept": {
                "as": release.fingerprint,
                "whole": release.whole,
                "bytes": release.bytes,
                "shape": release.shape,
                "folder": self.mark or self.memory.fresh,
                "torrents": sorted(t.hash for t in self.torrents.get(release.name, ())),
            },
        }

    def _summary(self, found: list[Release], closed: str) -> Iterator[str]:
        here = sum(said == HERE_ALREADY for said in self.quiet.values())
        whole = sum(r.bytes for r in found)
        many = "1 release" if len(found) == 1 else f"{len(found)} releases"
        yield f"{many} on {self.resource.spec.source.sftp}, {size_text(whole)}; here already: {here}."
        differ = [title for title, said in self.quiet.items() if said == CHANGED]
        changed = len(differ)
        if changed:
            more = f" and {changed - 3} more" if changed > 3 else ""
            yield f"Fetched before, and changed since, here or on the server: {', '.join(differ[:3])}{more}. Left as they are."
        if len(self.quiet) > here + changed:
            yield f"Fetched before and tidied away here, so not fetched again: {len(self.quiet) - here - changed}."
        stay = len(self.leaving.stays)
        if stay:
            yield f"Stay on {self.resource.spec.source.sftp} for now: {stay}; arr why NAME tells of each."
        if self.actions:
            yield VERIFIED[self.resource.spec.verify]
        if self.actions and not self.leaving.actions:
            yield "Nothing is deleted."
        yield from self.inventory.summary()
        if closed:
            yield closed


def why(resource: Seedbox, facts: Facts, ledger: Ledger, now: datetime, item: str) -> list[str]:
    """What there is to say of the release called `item`."""
    tree = facts.get(RemoteTree(resource.spec.source.sftp, resource.spec.source.path))
    blocked = [f"not known: {b.reason}" for b in _blocked(resource, facts)]
    if blocked or not isinstance(tree, Known):
        return blocked
    planning = _Planning(resource, facts, ledger, now, tree.value)
    if (bare := planning.bare()) is not None:
        return [f"not known: {bare.reason}"]
    found = planning.propose()
    said = [(a.subject.title, a.reason) for a in (*found.actions, *found.later)]
    said += [(h.subject.title, h.reason) for h in found.held] + list(planning.quiet.items())
    said += [(title, f"stays on {resource.spec.source.sftp}: {why}") for title, why in planning.leaving.stays.items()]
    said += [(u.action.subject.title, u.says) for u in found.under_way]
    said += [(r.title, planning.inventory.why(r)) for r in planning.found]
    said += [(title, planning.inventory.gone(title)) for title in planning.inventory.lost]
    wanted = item.casefold()
    for folder in (resource.spec.source.path, resource.spec.to):  # its whole path, there or here
        wanted = wanted.removeprefix(f"{folder.rstrip('/')}/".casefold())
    return [f"{title}: {reason}" for title, reason in said if title.casefold() == wanted]
