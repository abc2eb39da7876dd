"""What may leave the server: releases that we fetched whole, that were imported, and that no torrent needs. Pure.

A release is known by the torrents that claimed it when it was fetched: their info-hashes are what an app's history tells of.
It goes only as the very files that were fetched, or as what an earlier removal, which was cut, has left of them. Every torrent
client of the stack is asked; one that does not answer, or lists nothing at all, keeps everything.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from reconciler.action import Action, Blocked, Effects, Held, Json
from reconciler.facts import Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Resource
from reconciler.stack import Stack
from reconciler.units import age_text, size_text
from resources.clients.servarr import Queue
from resources.clients.servarr.history import History
from resources.clients.torrents import APPS, Torrent, TorrentFile, Torrents
from resources.imports import STILL, Imports, Taken
from resources.references.places import Place, place, plain, shielded
from resources.seedbox_transfer.memory import KIND, Memory, kept, subject
from resources.seedbox_transfer.release import Release, digest
from resources.seedbox_transfer.spec import SeedboxTransferSpec

MOST = 10_000  # files of one release: they stand in the plan
Seedbox = Resource[SeedboxTransferSpec]


def clients(stack: Stack) -> list[str]:
    """Every torrent client: a torrent of any of them may need what lies there."""
    return sorted(name for name, spec in stack.connections.items() if spec.app in APPS)


def first_wave(resource: Seedbox) -> list[Query[Any]]:
    """What is asked whatever lies there; nothing when nothing is to be removed."""
    if resource.spec.remote == "keep":
        return []
    asked: list[Query[Any]] = [Torrents(name) for name in clients(resource.stack)]
    return asked + [query for name in resource.spec.imported_by for query in (History(name), Queue(name))]


def rows(release: Release) -> list[list[Json]]:
    """Its files as an action carries them: path, size, time."""
    return [[f.path, f.size, f.mtime_ns] for f in release.files]


def claimants(
    stack: Stack, sftp: str, remote: str, files: Sequence[Sequence[Json]], told: Mapping[str, Iterable[Torrent]]
) -> list[str]:
    """Torrents of any client that lie there, or might: by their place, their name, or a file of the same name and size.

    Where `paths` maps a client's folders to others than the server's, only names tell; they can only keep something.
    """
    name = posixpath.basename(remote)
    at, bare = place(stack, sftp, remote), Place("", plain(remote))
    alike = {(posixpath.basename(path) or name, size) for path, size, _ in files if size}
    found = []
    for client, torrents in sorted(told.items()):
        for torrent in torrents:
            where = place(stack, client, torrent.content)
            raw = Place("", plain(torrent.content)) if torrent.content else None
            if (
                name in (torrent.name, posixpath.basename(torrent.content))
                or (at is not None and where is not None and at.overlaps(where))
                or (raw is not None and raw.overlaps(bare))
                or any((posixpath.basename(f.path), f.size) in alike for f in torrent.files or ())
            ):
                found.append(f"{torrent.name} in {client}")
    return found


@dataclass(frozen=True)
class Candidate:
    """A release that was fetched whole and is still there as it was then, or what a removal has left of it."""

    release: Release
    hashes: tuple[str, ...]


class Removal:
    """The removals of one plan. `stays`: release → why it stays; `wants`: what has to be asked before it can be told."""

    def __init__(self, resource: Seedbox, facts: Facts, ledger: Ledger, now: datetime, memory: Memory) -> None:
        self.resource, self.facts, self.ledger, self.now = resource, facts, ledger, now
        self.memory = memory
        self.actions: list[Action] = []
        self.blocked: list[Blocked] = []
        self.held: list[Held] = []
        self.wants: list[Query[Any]] = []
        self.stays: dict[str, str] = {}
        self.sightings: dict[str, str] = {}
        self.told: dict[str, tuple[Torrent, ...]] = {}

    def propose(self, found: Iterable[Release], number: int) -> None:
        """Fill the lists; actions are numbered from `number` on."""
        if self.resource.spec.remote == "keep":
            return
        candidates = list(self._candidates(found))
        if not candidates or self._blind(candidates):
            return
        imports = Imports(self.resource.stack, self.facts, self.resource.spec.imported_by)
        working = self._working()
        for candidate in candidates:
            if self._shielded(candidate.release):
                continue
            taken: list[Taken] = []
            why = self._needed(candidate, working) or self._unproven(candidate, imports, taken)
            if why:
                self.stays[candidate.release.title] = why
            elif not self.wants:
                self.actions.append(self._action(candidate, taken, number + len(self.actions)))

    def _candidates(self, found: Iterable[Release]) -> Iterator[Candidate]:
        for release in found:
            ident = subject(self.resource.spec, release).ident
            past = self.memory.brought(ident)
            if release.problem or past is None:
                continue
            known = kept(past.action)
            if any(p.action.subject.ident == ident for p in self.ledger.pending):
                self.stays[release.title] = "what became of an earlier action is not known yet"
            elif not known:
                self.stays[release.title] = "as what it was fetched is not known any more"
            elif known["as"] != release.fingerprint and not self._left(ident, release):
                self.stays[release.title] = "it changed there since it was fetched"
            elif not known["torrents"]:
                self.stays[release.title] = "no torrent claimed it when it was fetched: nobody can say it was imported"
            elif len(release.files) > MOST:
                self.stays[release.title] = f"it has more than {MOST} files: remove it yourself"
            else:
                yield Candidate(release, tuple(known["torrents"]))

    def _left(self, ident: str, release: Release) -> bool:
        """Whether it is what a removal that was cut has left: some of the very files that this was to remove."""
        for past in reversed(self.ledger.history):
            action = past.action
            if action.verb != "remove" or action.subject.ident != ident or action.address.partition(".")[0] != KIND:
                continue
            begun = {tuple(row) for row in action.data.get("files", ())}
            return past.outcome != "done" and all(tuple(row) in begun for row in rows(release))
        return False

    def _blind(self, candidates: Sequence[Candidate]) -> bool:
        """Whether some client or app did not answer. Then nothing is removed: what it needs is not known."""
        total = sum(c.release.bytes for c in candidates)
        for query in first_wave(self.resource):
            fact = self.facts.get(query)
            name, reason, remedy, code = query.connection, "", "", "refused"
            if isinstance(fact, Unknown):
                reason, remedy, code = fact.reason, fact.remedy, fact.code
            elif not isinstance(fact, Known):
                reason = "it has nothing of the kind"
            elif isinstance(query, Torrents):
                self.told[name] = fact.value
                if not fact.value and name == self.resource.spec.when.client:
                    reason, remedy = "it lists no torrent at all, as one that has just started does", "see it yourself"
            if reason:
                what = f"what of {self.resource.spec.source.sftp} {name} still needs"
                self.blocked.append(
                    Blocked(
                        what=what, reason=f"{name}: {reason}", remedy=remedy, subjects=len(candidates), bytes=total, code=code
                    )
                )  # fmt: skip
        return bool(self.blocked)

    def _shielded(self, release: Release) -> bool:
        """Whether a path protects it, which is then said."""
        spec, stack = self.resource.spec, self.resource.stack
        at = Place(spec.source.sftp, plain(f"{spec.source.path.rstrip('/')}/{release.name}"))
        shield = shielded(stack, at, {*stack.protect, *spec.protect, *self.ledger.protected})
        if shield:
            reason = f"protected by {shield}: nothing may destroy it"
            self.held.append(Held(subject=subject(spec, release), reason=reason, bytes=release.bytes))
        return bool(shield)

    def _working(self) -> dict[str, str]:
        """Info-hash → the app that has it in its queue."""
        found = {}
        for name in self.resource.spec.imported_by:
            fact = self.facts.get(Queue(name))
            for record in fact.value if isinstance(fact, Known) else ():
                found[record.download_id.lower()] = name
        return found

    def _needed(self, candidate: Candidate, working: Mapping[str, str]) -> str:
        """Who still needs it; "" for nobody, seen for long enough."""
        spec, release = self.resource.spec, candidate.release
        for name, torrents in sorted(self.told.items()):
            if any(t.hash in candidate.hashes for t in torrents):
                return f"its torrent is still in {name}"
        remote = f"{spec.source.path.rstrip('/')}/{release.name}"
        needed = claimants(self.resource.stack, spec.source.sftp, remote, rows(release), self.told)
        if needed:
            return f"a torrent may need it: {needed[0]}"
        if app := next((working[h] for h in candidate.hashes if h in working), ""):
            return f"{app} still works on it: it is in its queue"
        item = f"unclaimed {release.name}"
        self.sightings[item] = release.fingerprint
        seen = self.ledger.sightings.get(f"{self.resource.address} {item}")
        age = 0.0 if seen is None or seen[0] != release.fingerprint else (self.now - seen[1]).total_seconds()
        if age < spec.when.settled:
            return f"no torrent has claimed it for {age_text(max(0, age))}: it goes after {age_text(spec.when.settled)}"
        return ""

    def _unproven(self, candidate: Candidate, imports: Imports, taken: list[Taken]) -> str:
        """Why it does not count as imported; "" when it does, or when more has to be asked. The files go into `taken`."""
        release = candidate.release
        files = [TorrentFile(f.path or release.name, f.size, f.size, wanted=True) for f in release.files]
        for info_hash in candidate.hashes:
            proof = imports.proof(info_hash, files)
            self.wants += proof.wants
            if proof.wants:
                continue
            if proof.value is not True:
                return proof.says
            taken += proof.taken
        unseen = next((t.app for t in taken if not t.here), None)
        if unseen is not None:
            return f"this machine does not see the library of {unseen}: paths has to say where it is"
        return ""

    def _action(self, candidate: Candidate, taken: Sequence[Taken], number: int) -> Action:
        spec, release = self.resource.spec, candidate.release
        remote = f"{spec.source.path.rstrip('/')}/{release.name}"
        by = " and ".join(sorted({t.app for t in taken}))
        files = rows(release)
        return Action(
            id=f"{self.resource.address}/{number}",
            address=str(self.resource.address),
            verb="remove",
            subject=subject(spec, release),
            reason=f"fetched, imported by {by}, and no torrent needs it",
            before={"there": remote},
            after={"there": None},
            details=(
                f"{size_text(release.bytes)} are deleted on {spec.source.sftp} for good; less comes free there where the "
                "files have other names",
            ),
            rests_on={"remote": digest(files), "needed by": [], "in the library": STILL},
            effects=Effects(destroys=1, bytes_destroyed=release.bytes, files=len(files)),
            data={
                "connection": spec.source.sftp,
                "remote": remote,
                "name": release.name,
                "exclude": list(spec.exclude),
                "files": files,
                "bytes": release.bytes,
                "torrents": list(candidate.hashes),
                "taken": [asdict(t) for t in dict.fromkeys(taken)],
                "clients": sorted(self.told),
                "paths": [dict(row) for row in self.resource.stack.paths],
            },
        )
