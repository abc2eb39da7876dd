"""Folders that would go along: an item's folder with another item's folder, or a root folder, inside of it. Pure.

The apps know nothing of each other: a move by one takes along what another keeps in the same folder, and that one then
finds nothing. So the folders of every Sonarr and Radarr of the stack are compared, in every spelling that `paths` gives
them. One spelling in two apps counts as one place, unless `paths` or the declared disks say that it is two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reconciler.stack import Stack
from resources.disk_fill.world import View

AS_WRITTEN = ""  # the name of the spelling that an app itself uses
Spelling = tuple[str, str]  # whose word it is, and the path


class Place(NamedTuple):
    """A folder that must not move with another item's. `connection`, `path` as that app says it."""

    connection: str
    path: str
    is_root: bool

    def __str__(self) -> str:
        return f"{'the root folder ' if self.is_root else ''}{self.path} of {self.connection}"


def spellings(stack: Stack, connection: str, path: str) -> set[Spelling]:
    """What `path` of a connection is called by everybody whom `paths` names beside it."""
    found = set()
    for mapping in stack.paths:
        mine = mapping.get(connection, "").rstrip("/")
        if mine and f"{path}/".startswith(f"{mine}/"):
            found |= {(name, f"{folder.rstrip('/')}{path[len(mine) :]}") for name, folder in mapping.items()}
    return found


def inside(stack: Stack, view: View) -> dict[tuple[str, str], str]:
    """(connection, path) of items on these disks → what lies in their folder, in words."""
    out: dict[tuple[str, str], str] = {}
    for item, says in _Comparison(stack, view).found():
        out[item] = min(says, out.get(item, says))
    return out


class _Comparison:
    """One comparison of all places with the folders of the items that may move."""

    def __init__(self, stack: Stack, view: View) -> None:
        self.stack, self.view = stack, view
        self.folders: dict[Spelling, list[tuple[str, str]]] = {}  # → (connection, path) of the items
        for thing in view.things:
            mine = (thing.connection, thing.item.path)
            for spelling in self._spellings(*mine):
                self.folders.setdefault(spelling, []).append(mine)
        self.disks = {
            (connection, root): name
            for name, disk in stack.disks.items()
            for connection in disk.roots
            for root in disk.roots_of(connection)
        }
        self._above: dict[Spelling, tuple[tuple[str, str], ...]] = {}

    def found(self) -> Iterator[tuple[tuple[str, str], str]]:
        for place in self._places():
            for whose, path in self._spellings(place.connection, place.path):
                for item in self.folders.get((whose, path), ()):
                    mine = item == place[:2] and not place.is_root
                    if not mine and not self._two(whose, item, place) and not self._other_disk(item, place):
                        yield item, f"its folder is {place} as well, which would be left without it"
                for item in self._holding(whose, path.rpartition("/")[0]):
                    if not self._two(whose, item, place):
                        yield item, f"{place} lies in its folder and would move with it"

    def _places(self) -> Iterator[Place]:
        view = self.view
        for connection, root in self.disks:
            yield Place(connection, root, True)
        for name, server in view.servers.items():
            yield from (Place(name, root, True) for root in server.roots)
            yield from (Place(name, item.path, False) for item in server.items)
        for name, folders in view.beside.items():
            yield from (Place(name, root.path, True) for root in folders.roots)
            yield from (Place(name, item.path, False) for item in folders.items)

    def _spellings(self, connection: str, path: str) -> set[Spelling]:
        return {(AS_WRITTEN, path)} | (spellings(self.stack, connection, path) if self.stack.paths else set())

    def _holding(self, whose: str, folder: str) -> tuple[tuple[str, str], ...]:
        """The items whose folder is this one or one above it. Thousands of items share a parent: it is kept."""
        key = (whose, folder)
        if key not in self._above:
            further = self._holding(whose, folder.rpartition("/")[0]) if folder else ()
            self._above[key] = (*self.folders.get(key, ()), *further)
        return self._above[key]

    def _two(self, whose: str, item: tuple[str, str], place: Place) -> bool:
        """Whether one spelling in two apps is no evidence: somebody sees both, and calls them by names of their own."""
        if whose != AS_WRITTEN or item[0] == place.connection:
            return False
        one, other = ({name for name, _ in spellings(self.stack, c, p)} for c, p in (item, place[:2]))
        return not one.isdisjoint(other)

    def _other_disk(self, item: tuple[str, str], place: Place) -> bool:
        """Whether the two are declared to lie on two disks: containers call different folders by one name."""
        one, other = (self._disk(connection, path) for connection, path in (item, place[:2]))
        return one is not None and other is not None and one != other

    def _disk(self, connection: str, path: str) -> str | None:
        while path:
            if (connection, path) in self.disks:
                return self.disks[connection, path]
            path = path.rpartition("/")[0]
        return None


def unseen(view: View) -> Mapping[str, str]:
    """Connections without a root on these disks that did not answer: what they keep there is not known. Name → reason."""
    return {name: folders.reason for name, folders in view.beside.items() if folders.reason}
