"""Folders that would go along: an item's folder with another item's folder, or a root folder, inside of it. Pure.

The apps know nothing of each other: a move by one takes along what another keeps in the same folder, and that one then
finds nothing. So the folders of every Sonarr and Radarr of the stack are compared, in every spelling that `paths` gives
them. One spelling in two apps counts as one place, unless `paths` or the declared disks say that it is two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from reconciler.stack import Stack
from resources.clients.servarr import Item
from resources.disk_fill.world import Thing, View

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
    """(connection, path) of items on these disks → what lies in their folder, in words. Found once for each view."""
    if not view.inside:
        view.inside.append(_inside(stack, view))
    return view.inside[0]


def _inside(stack: Stack, view: View) -> dict[tuple[str, str], str]:
    out: dict[tuple[str, str], str] = {}
    suspects = _suspects(stack, view)
    for item, says in _Comparison(stack, view, suspects).found() if suspects else ():
        out[item] = min(says, out.get(item, says))
    return out


def _all(view: View) -> Iterator[tuple[str, tuple[Item, ...]]]:
    for name, server in view.servers.items():
        yield name, server.items
    for name, folders in view.beside.items():
        yield name, folders.items


def _roots(stack: Stack, view: View) -> set[Place]:
    """Declared ones, and the servers' own."""
    out = {Place(c, root, True) for disk in stack.disks.values() for c in disk.roots for root in disk.roots_of(c)}
    out |= {Place(name, root, True) for name, server in view.servers.items() for root in server.roots}
    return out | {Place(name, root.path, True) for name, folders in view.beside.items() for root in folders.roots}


def _spelled(stack: Stack, connection: str, path: str) -> set[Spelling]:
    return {(AS_WRITTEN, path)} | spellings(stack, connection, path)


def _suspects(stack: Stack, view: View) -> list[Thing]:
    """Nearly always none: the items at a folder above anything, or at one that two apps have. Looks at each item once."""
    several = len({*view.servers, *view.beside}) > 1
    above: set[Spelling] = set()
    whose: dict[Spelling, str] = {}
    shared: set[Spelling] = set()
    folders = {(root.connection, root.path) for root in _roots(stack, view)}
    for connection, items in _all(view):
        names = _by_parent(item.path for item in items)
        folders |= {(connection, parent) for parent in names}
        for parent, inside_it in names.items() if several else ():
            for told, spelling in _spelled(stack, connection, parent):
                for name in inside_it:
                    if whose.setdefault((told, f"{spelling}/{name}"), connection) != connection:
                        shared.add((told, f"{spelling}/{name}"))
    for connection, folder in folders:
        for told, spelling in _spelled(stack, connection, folder):
            path = spelling
            while path and (told, path) not in above:
                above.add((told, path))
                path = path.rpartition("/")[0]
    above |= shared
    if not stack.paths:
        written = {path for _, path in above}
        return [thing for thing in view.things if thing.item.path in written]
    places = {(t.connection, t.root) for t in view.things}
    spelled = {(connection, root): _spelled(stack, connection, root) for connection, root in places}
    return [
        thing
        for thing in view.things
        if any((told, f"{root}/{thing.folder}") in above for told, root in spelled[thing.connection, thing.root])
    ]


def _by_parent(paths: Iterable[str]) -> dict[str, list[str]]:
    """Parent → names in it."""
    out: dict[str, list[str]] = {}
    for path in paths:
        parent, _, name = path.rpartition("/")
        out.setdefault(parent, []).append(name)
    return out


class _Comparison:
    """One comparison of all places with the folders of the suspects."""

    def __init__(self, stack: Stack, view: View, suspects: list[Thing]) -> None:
        self.stack, self.view = stack, view
        self.folders: dict[Spelling, list[tuple[str, str]]] = {}  # → (connection, path) of the items
        for thing in suspects:
            mine = (thing.connection, thing.item.path)
            for spelling in _spelled(stack, *mine):
                self.folders.setdefault(spelling, []).append(mine)
        self.disks = {
            (connection, root): name
            for name, disk in stack.disks.items()
            for connection in disk.roots
            for root in disk.roots_of(connection)
        }
        self._above: dict[Spelling, tuple[tuple[str, str], ...]] = {}

    def found(self) -> Iterator[tuple[tuple[str, str], str]]:
        """(item, what is wrong), in no order; an item may come more than once."""
        items = (Place(name, item.path, False) for name, there in _all(self.view) for item in there)
        for place in chain(_roots(self.stack, self.view), items):
            for whose, path in _spelled(self.stack, place.connection, place.path):
                for item in self.folders.get((whose, path), ()):
                    mine = item == place[:2] and not place.is_root
                    if not mine and not self._two(whose, item, place) and not self._other_disk(item, place):
                        yield item, f"its folder is {place} as well, which would be left without it"
                for item in self._holding(whose, path.rpartition("/")[0]):
                    if not self._two(whose, item, place):
                        yield item, f"{place} lies in its folder and would move with it"

    def _holding(self, whose: str, folder: str) -> tuple[tuple[str, str], ...]:
        """The items whose folder is this one or one above it."""
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
