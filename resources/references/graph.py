"""What names a file, who hangs together, and what is really freed when names go. Pure.

Nodes are referers (a torrent, a library folder) and the places that they name. Two referers are tied when they name one
place, when one's folder lies in the other's, or when two of their names are hard links of the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from resources.clients.localfs.inodes import Inode
from resources.references.places import Place


@dataclass(frozen=True, slots=True, order=True)
class Referer:
    """Who refers: `ident` as a subject's (`rtorrent:torrent/9f3c…`), `title` for people."""

    ident: str
    title: str


@dataclass(frozen=True, slots=True)
class Freed:
    """What the disk gives back when some names go.

    `bytes` by last names; `kept` what other names still hold, `others` how many such names. `unknown`: why it cannot be told.
    `at_most`: whether the bytes have other names could not be asked, so that less may come back.
    """

    bytes: int = 0
    kept: int = 0
    others: int = 0
    unknown: str = ""
    at_most: bool = False


class Graph:
    """Built once per plan; asked many times."""

    def __init__(self) -> None:
        self._folders: dict[Place, set[Referer]] = defaultdict(set)  # a payload or library folder → who has it
        self._files: dict[Place, set[Referer]] = defaultdict(set)
        self._links: dict[tuple[int, int], set[Referer]] = defaultdict(set)
        self._of: dict[Referer, tuple[Place | None, tuple[Place, ...]]] = {}
        self._linked: dict[Referer, set[tuple[int, int]]] = defaultdict(set)
        self._beneath: dict[Place, set[Referer]] | None = None

    def add(self, who: Referer, content: Place | None, files: Iterable[Place] = ()) -> None:
        """`content`: its payload, a file or folder; `files` what it consists of, as far as that is known."""
        names = tuple(files)
        self._of[who] = (content, names)
        if content is not None:
            self._folders[content].add(who)
        for name in names:
            self._files[name].add(who)

    def tie(self, who: Referer, inodes: Iterable[Inode]) -> None:
        """The bytes behind the names of `who`, or the folder behind the name of its payload."""
        for inode in inodes:
            if inode.state in ("file", "folder"):
                self._links[inode.ident].add(who)
                self._linked[who].add(inode.ident)

    def users(self, file: Place) -> frozenset[Referer]:
        """Who names this very file."""
        return frozenset(self._files.get(file, ()))

    def same(self, who: Referer) -> frozenset[Referer]:
        """Others whose payload is the same place, or who name one of its files."""
        content, files = self._of[who]
        found = set(self._folders.get(content, ())) if content is not None else set()
        for file in files:
            found |= self._files[file]
        return frozenset(found - {who})

    def around(self, who: Referer) -> frozenset[Referer]:
        """Others whose payload lies above or beneath this one's, in another place."""
        content, _ = self._of[who]
        if content is None:
            return frozenset()
        found = {other for above in _above(content) for other in self._folders.get(above, ())}
        return frozenset((found | self._below().get(content, set())) - {who} - self._folders[content])

    def _below(self) -> Mapping[Place, set[Referer]]:
        """Each payload's place → who lies beneath it. Made when first asked for."""
        if self._beneath is None:
            self._beneath = defaultdict(set)
            for place, who in self._folders.items():
                for above in _above(place):
                    if above in self._folders:
                        self._beneath[above] |= who
        return self._beneath

    def group(self, who: Referer) -> tuple[Referer, ...]:
        """Everybody who hangs together with `who` by a place or by hard links, `who` included; sorted."""
        seen, waiting = {who}, [who]
        while waiting:
            one = waiting.pop()
            linked = {other for ident in self._linked.get(one, ()) for other in self._links[ident]}
            for other in (self.same(one) | linked) - seen:
                seen.add(other)
                waiting.append(other)
        return tuple(sorted(seen))


def _above(place: Place) -> list[Place]:
    """Every folder above a place."""
    parts = place.path.split("/")
    return [Place(place.space, "/".join(parts[:end]) or "/") for end in range(1, len(parts))]


def freed(inodes: Iterable[Inode]) -> Freed:
    """What goes when exactly these names go. Each inode counts once, and only when no other name is left of it."""
    names: dict[tuple[int, int], list[Inode]] = defaultdict(list)
    for inode in inodes:
        if inode.state == "unreadable":
            return Freed(unknown=f"{inode.path} cannot be looked at ({inode.why})")
        if inode.state == "file":
            names[inode.ident].append(inode)
    last = [same[0] for same in names.values() if len({i.path for i in same}) >= same[0].names]
    kept = [same[0] for same in names.values() if len({i.path for i in same}) < same[0].names]
    others = sum(i.names for i in kept) - sum(len({n.path for n in names[i.ident]}) for i in kept)
    uncounted = any(not i.names for same in names.values() for i in same)
    return Freed(sum(i.on_disk for i in last), sum(i.on_disk for i in kept), others, at_most=uncounted)
