"""What a candidate's data is to others: other torrents, libraries, hard links, and this machine's disk. Pure.

A payload goes only when every torrent that names it goes, when it is nowhere near a library or download folder, and when
this machine, where it sees the files, sees exactly those that the client tells of. A file that cannot be looked at is
unknown, never "without other names".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.action import Blocked
from reconciler.facts import Known, ReadFailed
from reconciler.stack import Stack
from resources.clients.localfs import HERE, NO_DISK, Inode, Inodes
from resources.clients.torrents import DELETES_DATA, Torrent
from resources.imports import looks
from resources.references import Graph, Place, Referer, place, seen
from resources.references.graph import Freed, freed
from resources.references.places import plain, root_of
from resources.torrent_retention.world import referer

if TYPE_CHECKING:
    from resources.torrent_retention.decide import Candidate, Decider


@dataclass(frozen=True)
class Bytes:
    """The files of a torrent beneath `root` (a folder of `paths`), as this machine or the SFTP connection `by` sees them."""

    by: str
    root: str
    inodes: tuple[Inode, ...]


class Sharing:
    """The candidates of one plan."""

    def __init__(self, decider: Decider, found: list[Candidate]) -> None:
        self._decider, self._world, self._out = decider, decider.world, decider.out
        self._spec = decider.spec
        self._found = {c.torrent.hash: c for c in found}
        app = decider.resource.stack.connections[self._spec.connection].app
        self._by_us = app not in DELETES_DATA

    def settle(self) -> None:
        """Fill the groups of the decisions, and hold or block the rest."""
        if self._found and self._blind():
            return
        for candidate in list(self._found.values()):
            self._alone(candidate)
        going = (c.torrent for c in self._found.values() if c.judgement.delete == "data")
        sizes = {f.size for torrent in going for f in torrent.files or ()}
        self._look()
        self._tie(sizes)
        self._groups()

    def _drop(self, candidate: Candidate, reason: str, way: str = "") -> None:
        self._found.pop(candidate.torrent.hash, None)
        self._decider.hold(candidate.torrent, reason, way)

    def _block(self, candidate: Candidate, reason: str, remedy: str = "") -> None:
        self._found.pop(candidate.torrent.hash, None)
        torrent = candidate.torrent
        self._out.blocked.append(
            Blocked(what=torrent.name, reason=reason, remedy=remedy, subjects=1, bytes=torrent.size, code="incomplete")
        )

    def _blind(self) -> bool:
        """Whether some client or app that may share the data did not answer. Then no data is touched."""
        if not self._world.unseen:
            return False
        touched = [c for c in self._found.values() if c.judgement.delete != "pause"]
        for name, why in sorted(self._world.unseen.items()):
            self._out.blocked.append(
                Blocked(
                    what=f"whether {name} needs the same data", reason=f"{name}: {why.reason}", remedy=why.remedy,
                    subjects=len(touched), bytes=sum(c.torrent.size for c in touched), code=why.code,
                )
            )  # fmt: skip
        for candidate in touched:
            self._found.pop(candidate.torrent.hash)
        return not self._found

    # each by itself --------------------------------------------------------------------------------------------------

    def _alone(self, candidate: Candidate) -> None:
        """What holds one candidate back, whoever else there is."""
        torrent, decider = candidate.torrent, self._decider
        app = self._world.waiting.get(torrent.hash)
        if why := decider.protection(torrent):
            self._drop(candidate, f"protected: nothing may destroy it ({why})")
        elif why := decider.again(torrent):
            self._drop(candidate, why, "see what adds it; arr logs has what was done")
        elif app is not None:
            self._drop(candidate, f"{app} still works on it: it is in its queue", "it can go once that has imported it")
        elif candidate.judgement.delete == "data" and (why := self._misplaced(torrent)):
            self._drop(candidate, why, "its data is deleted by nobody; look at its folder yourself, or delete: torrent")

    def _misplaced(self, torrent: Torrent) -> str:
        """Why its payload is no place to delete; "" when it is one."""
        stack, name = self._decider.resource.stack, self._spec.connection
        content = self._world.content(name, torrent)
        if content is None or content.path == "/":
            return "where its data lies is not known"
        if not torrent.save_path or plain(torrent.save_path) == "":
            return "where its data lies is not known"
        if any(_leads_out(f.path) for f in torrent.files or ()):
            return "one of its files is named to lie outside of it"
        for app, path, root in self._world.roots:
            if content.overlaps(root) or (not root.space and Place("", plain(torrent.content)).overlaps(root)):
                return f"its data is, holds or lies in the library folder {path} of {app}"
        for mapping in stack.paths:
            top = place(stack, name, mapping.get(name, ""))
            if top is not None and content.holds(top):
                return f"its data is, or holds, the whole folder {mapping[name]}"
        around = self._world.graph.around(referer(name, torrent))
        if around:
            return f"its folder holds, or lies in, that of {min(around).title}"
        if self._by_us and root_of(stack, name, torrent.content) is None:
            return "its data lies in no folder that paths maps to this machine or to an SFTP connection"
        return ""

    # the bytes -------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """The files of each candidate on this machine, where it sees them."""
        for candidate in list(self._found.values()):
            query = self._world.sight(candidate.torrent)
            if candidate.judgement.delete != "data":
                continue
            if query is None:
                self._unseen(candidate)
                continue
            if not self._world.facts.has(query):
                self._out.wants.append(query)
                self._found.pop(candidate.torrent.hash)
                continue
            fact = self._world.facts.get(query)
            if not isinstance(fact, Known):
                reason = f"its files, as {_who(query.connection)} sees them: {getattr(fact, 'reason', 'not told')}"
                self._block(candidate, reason, getattr(fact, "remedy", ""))
                continue
            self._seen(candidate, query.connection, fact.value)
            if self._by_us and self._found.get(candidate.torrent.hash) is candidate:
                self._unseen(candidate)

    def _unseen(self, candidate: Candidate) -> None:
        """Nobody of us sees its files as they are: then only its client could delete them, when it has any."""
        where = seen(self._decider.resource.stack, self._spec.connection, candidate.torrent.save_path)
        if where is not None and not any(f.wanted for f in candidate.torrent.files or ()):
            self._block(candidate, "its client wants none of its files: what of it lies on the disk is not known")
        elif self._by_us:
            self._drop(
                candidate, "its files are seen in another place than its folder", "map both in one entry of paths"
            )

    def _seen(self, candidate: Candidate, by: str, inodes: tuple[Inode, ...]) -> None:
        torrent = candidate.torrent
        wanted = [f for f in torrent.files or () if f.wanted]
        for inode in inodes:
            if inode.state == "unreadable":
                self._block(candidate, f"{inode.path} cannot be looked at ({inode.why})", "let this user read it")
                return
        missing = [i for i in inodes if i.state == "missing"]
        if missing and self._waits(torrent):
            return  # its data lies in quarantine: brought back by another action
        other = [i for i, f in zip(inodes, wanted, strict=True) if i.state != "file" or i.size != f.size]
        if other:
            at = seen(self._decider.resource.stack, self._spec.connection, torrent.save_path)
            what = f"{len(other)} of {len(wanted)} files are not there, or not as the client tells"
            remedy = (
                f"see that {at.path if at else torrent.save_path} is mounted, and that paths maps the right folders"
            )
            self._block(candidate, f"{_who(by)} sees other files than {self._spec.connection}: {what}", remedy)
            return
        root = root_of(self._decider.resource.stack, self._spec.connection, torrent.content)
        if root is None or root.by != by:
            return  # in a folder that another one sees
        device = self._world.device(by, root.root) if self._by_us else None
        apart = {i.device for i in inodes if device not in (None, i.device)}
        if NO_DISK in apart or (apart and device == NO_DISK):
            reason = f"whether it lies on the file system of {root.root} was not told"
            way = "try again; if it stays so, map its file system's own folder under paths, or delete: torrent"
            self._block(candidate, reason, way)
            return
        if apart:
            reason = f"its data is on another file system than {root.root}: it cannot be moved aside there"
            self._drop(candidate, reason, "map that file system's own folder under paths, or delete: torrent")
            return
        self._found[torrent.hash] = replace(candidate, bytes=Bytes(by, root.root, inodes))

    def _waits(self, torrent: Torrent) -> bool:
        if not any(b.about.get("hash") == torrent.hash for b in self._world.batches):
            return False
        self._found.pop(torrent.hash)
        return True

    def _tie(self, sizes: set[int]) -> None:
        """Which torrents name the same bytes, by hard links, or by another way to the same folder (links, bind mounts)."""
        for candidate in self._found.values():
            if candidate.bytes:
                self._world.graph.tie(referer(self._spec.connection, candidate.torrent), candidate.bytes.inodes)
        asked = [q for q in ties(self._world.stack, self._world.torrents, sizes) if not self._world.facts.has(q[2])]
        self._out.wants += [query for _, _, query in asked]
        if asked:  # whoever shares is not known yet: nobody's data goes
            self._found = {h: c for h, c in self._found.items() if c.judgement.delete != "data"}
        for name, torrent, query in ties(self._world.stack, self._world.torrents, sizes):
            fact = self._world.facts.get(query) if self._world.facts.has(query) else None
            if isinstance(fact, Known):
                self._world.graph.tie(referer(name, torrent), fact.value)
                if (lost := _unreadable(fact.value)) is not None:
                    self._may_share(name, torrent, query.connection, f"{lost.path} cannot be looked at ({lost.why})")
            elif fact is not None:
                self._may_share(name, torrent, query.connection, getattr(fact, "reason", "not told"))

    def _may_share(self, name: str, torrent: Torrent, by: str, why: str) -> None:
        """Whether this one has the same bytes was asked and not answered: nothing goes that it may have."""
        theirs = {f.size for f in torrent.files} if torrent.files is not None else None
        for candidate in list(self._found.values()):
            alike = theirs is None or any(f.size in theirs for f in candidate.torrent.files or ())
            if candidate.judgement.delete == "data" and alike:
                self._block(candidate, f"whether {torrent.name} in {name} has the same files: {by}: {why}")

    # together --------------------------------------------------------------------------------------------------------

    def _without_library(self, mine: list[Candidate]) -> list[Candidate]:
        """Those whose data goes without taking what was imported along: by a linked folder a library may show these very
        files, and then the last name of what it shows would go."""
        going: dict[tuple[int, int], set[str]] = {}
        for inode in (i for c in mine if c.bytes and c.judgement.delete == "data" for i in c.bytes.inodes):
            going.setdefault(inode.ident, set()).add(inode.path)
        there: list[Inode] = []
        for one, app in {(c.torrent.hash, t.app): (c, t.app) for c in mine for t in c.taken}.values():
            for query in looks(t for t in one.taken if t.app == app):
                fact = self._world.facts.get(query) if self._world.facts.has(query) else None
                there += fact.value if isinstance(fact, Known) else ()
        bad = next((i for i in there if len(going.get(i.ident, ())) >= max(1, i.names)), None)
        if bad is None or not going:
            return mine
        for candidate in mine:
            self._drop(candidate, f"what was imported is this very file: {bad.path}", "import by a copy or a hard link")
        return []

    def _groups(self) -> None:
        """The data of everybody who shares it goes, or nobody's: who only pauses, or leaves its data, needs it still."""
        name = self._spec.connection
        by = {referer(name, c.torrent): c for c in self._found.values() if c.judgement.delete == "data"}
        leaves = {referer(name, c.torrent): c for c in self._found.values() if c.judgement.delete != "data"}
        self._out.groups += [(candidate,) for candidate in leaves.values()]
        if not by:
            return
        graph = self._world.graph
        done: set[Referer] = set()
        for who in sorted(by):
            if who in done:
                continue
            group = graph.group(who)
            done |= set(group)
            mine = self._without_library([by[one] for one in group if one in by])
            stays = next((one for one in group if one not in by), None)
            if not mine:
                continue
            if stays is None:
                self._out.groups.append(tuple(sorted(mine, key=lambda c: (len(c.torrent.files or ()), c.torrent.hash))))
                continue
            if stays in leaves:
                why = f"{stays.title} in {name} uses the same data, and your rules {LEAVES[leaves[stays].judgement.delete]}"
            else:
                why = _shared(stays, name, self._out.verdicts)
            for candidate in mine:
                self._drop(candidate, why, "they go together, when all of them may")


LEAVES = {"pause": "only pause it", "torrent": "leave its data"}  # what rules do that delete no data


def ties(stack: Stack, told: Mapping[str, Iterable[Torrent]], sizes: set[int]) -> Iterator[tuple[str, Torrent, Inodes]]:
    """Torrents that may hold bytes of files of these sizes, with what tells: the inodes of their files, or of their payload
    where a client does not tell of its files."""
    terse = any(t.files is None for torrents in told.values() for t in torrents)
    for name, torrents in told.items() if sizes else ():
        for torrent in torrents:
            if torrent.files is not None and not any(f.size in sizes for f in torrent.files):
                continue
            content = seen(stack, name, torrent.content) if torrent.content and terse else None
            base = seen(stack, name, torrent.save_path) if torrent.save_path and torrent.files else None
            if content is not None:
                yield name, torrent, Inodes(content.by, (content.path,))
            if base is not None:
                paths = tuple(f"{base.path}/{f.path}" for f in torrent.files or () if f.wanted)
                yield name, torrent, Inodes(base.by, paths)


def tie(graph: Graph, asked: Iterable[tuple[str, Torrent, Inodes]], look: Callable[[Inodes], Iterable[Inode]]) -> None:
    """Tie them in the graph, asking one question of each who sees some of them. ReadFailed for a file that cannot be looked
    at: whose bytes it names is not known."""
    found, paths = list(asked), defaultdict[str, dict[str, None]](dict)
    for _, _, query in found:
        paths[query.connection] |= dict.fromkeys(query.paths)
    at = {(by, i.path): i for by, some in paths.items() for i in look(Inodes(by, tuple(some)))}
    if (lost := _unreadable(at.values())) is not None:
        raise ReadFailed("refused", f"{lost.path} cannot be looked at ({lost.why})", "whose file it is is not known")
    for name, torrent, query in found:
        graph.tie(referer(name, torrent), [at[query.connection, path] for path in query.paths])


def _unreadable(inodes: Iterable[Inode]) -> Inode | None:
    return next((inode for inode in inodes if inode.state == "unreadable"), None)


def _who(by: str) -> str:
    return "this machine" if by == HERE else by


def _shared(other: Referer, connection: str, verdicts: Mapping[str, object]) -> str:
    where = other.ident.partition(":")[0]
    told = verdicts.get(other.ident.rpartition("/")[2]) if where == connection else None
    reasons = getattr(told, "reasons", ())
    why = f": {reasons[0]}" if reasons else ""
    return f"{other.title} in {where} uses the same data and stays{why}"


def _leads_out(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/") or "\0" in path or not path


def union(group: Iterable[Candidate]) -> Freed | None:
    """What goes when the files of all of them go; None where nobody of us sees them."""
    found: dict[str, Inode] = {}
    for candidate in group:
        if candidate.bytes is None:
            return None
        found |= {i.path: i for i in candidate.bytes.inodes}
    return freed(found.values())
