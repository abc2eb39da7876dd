"""One folder under the names that several programs give it: `paths` of the stack, applied.

    paths: [{here: /mnt/media, sonarr: /media, rtorrent: /home/me/media}]

A path that a mapping holds becomes a place of who looks there (this machine, else an SFTP connection of that mapping), or of
the mapping where nobody does; equal for all who map there. A path that none holds keeps its own name, and equal names are
taken for one place: that can only hold something back.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.stack import Stack

HERE = "here"
SFTP = "sftp"  # the app whose connections may look at files in place of this machine


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A path on the map. `space`: the mapping that it belongs to, "" for a path as it was told."""

    space: str
    path: str

    def holds(self, other: Place) -> bool:
        """Whether `other` is this place or lies beneath it."""
        return self.space == other.space and (
            other.path == self.path or other.path.startswith(self.path.rstrip("/") + "/")
        )

    def overlaps(self, other: Place) -> bool:
        return self.holds(other) or other.holds(self)


def plain(path: str) -> str:
    """Without a trailing slash, doubled slashes and dots; "" for what is not absolute."""
    if not path.startswith("/") or "\0" in path:
        return ""
    if "//" not in path and "/." not in path:
        return path.rstrip("/") or "/"
    return "/" + posixpath.normpath(path).strip("/")


@dataclass(frozen=True, slots=True, order=True)
class Sight:
    """A path as somebody sees it that we can look through. `by`: HERE or an SFTP connection; `root`: the declared folder of
    theirs that holds it."""

    by: str
    path: str
    root: str


def eye(stack: Stack, mapping: Mapping[str, str]) -> str | None:
    """Through whom the folder of a mapping is seen: this machine wherever it can, else an SFTP connection, one that may write
    before one that may not; None: nobody."""
    if plain(mapping.get(HERE, "")):
        return HERE
    found = [n for n in mapping if n in stack.connections and stack.connections[n].app == SFTP and plain(mapping[n])]
    return min(found, key=lambda name: (stack.connections[name].access == "read", name), default=None)


def _best(stack: Stack, connection: str, path: str) -> tuple[int, str] | None:
    """The mapping with the longest folder that holds `path`, and the path beneath it ("" for the folder itself). Of two with
    the same folder the one that this machine sees, then one that anybody does."""
    best: tuple[tuple[int, bool, bool], int, str] | None = None
    for number, mapping in enumerate(stack.paths):
        there = plain(mapping.get(connection, ""))
        if not there or not (path + "/").startswith(there.rstrip("/") + "/"):
            continue
        by = eye(stack, mapping)
        rank = (len(there), by == HERE, by is not None)
        if best is None or rank > best[0]:
            best = (rank, number, path[len(there.rstrip("/")) :].strip("/"))
    return best and (best[1], best[2])


def seen(stack: Stack, connection: str, path: str) -> Sight | None:
    """`path` of a connection as it can be looked at; None when no mapping tells."""
    path = plain(path)
    found = _best(stack, connection, path) if path else None
    if found is None:
        return Sight(HERE, path, "") if path and connection == HERE else None
    by = HERE if connection == HERE else eye(stack, stack.paths[found[0]])
    if by is None:
        return None
    root = plain(stack.paths[found[0]][by])
    return Sight(by, f"{root.rstrip('/')}/{found[1]}".rstrip("/") or "/", root)


def place(stack: Stack, connection: str, path: str) -> Place | None:
    """Where `path` of a connection is on the map; None for no path at all."""
    path = plain(path)
    if not path:
        return None
    sight = seen(stack, connection, path)
    if sight is not None:
        return Place(sight.by, sight.path)
    found = _best(stack, connection, path)
    if found is None:
        return Place("", path)
    number, rest = found
    return Place(f"paths.{number}", f"/{rest}")


def names_of(stack: Stack, connection: str, path: str) -> tuple[Place, ...]:
    """Every place that can be looked at which `paths` has for `path` of a connection: mappings may lie within each other."""
    path = plain(path)
    found = [Place(HERE, path)] if path and connection == HERE else []
    for mapping in stack.paths:
        there = plain(mapping.get(connection, ""))
        if not path or not there or not (path + "/").startswith(there.rstrip("/") + "/"):
            continue
        rest = path[len(there.rstrip("/")) :].strip("/")
        for by, folder in mapping.items():
            looks = by == HERE or (by in stack.connections and stack.connections[by].app == SFTP)
            if looks and plain(folder):
                found.append(Place(by, f"{plain(folder).rstrip('/')}/{rest}".rstrip("/") or "/"))
    return tuple(dict.fromkeys(found))


def aliases(stack: Stack, at: Place) -> set[str]:
    """Every name that a connection, or this machine, has for a place that can be looked at."""
    found = {at.path}
    for mapping in stack.paths:
        folder = plain(mapping.get(at.space, ""))
        if folder and (at.path + "/").startswith(folder.rstrip("/") + "/"):
            rest = at.path[len(folder.rstrip("/")) :].strip("/")
            found |= {f"{plain(name).rstrip('/')}/{rest}".rstrip("/") for name in mapping.values() if plain(name)}
    return found


def shielded(stack: Stack, at: Place, protected: Iterable[str]) -> str:
    """The protected path that is this place, holds it or lies in it, whoever calls it so; "" for none."""
    names = aliases(stack, at)
    for item in sorted(protected):
        path = plain(item) if item.startswith("/") else ""
        if path and any(Place("", path).overlaps(Place("", name)) for name in names):
            return item
    return ""


def sights(stack: Stack, connection: str) -> tuple[tuple[str, Sight], ...]:
    """The folders of a connection that can be looked at: (as the connection names it, as it is seen)."""
    found = ((plain(m.get(connection, "")), eye(stack, m), m) for m in stack.paths)
    return tuple((there, Sight(by, plain(m[by]), plain(m[by]))) for there, by, m in found if there and by is not None)


def root_of(stack: Stack, connection: str, path: str) -> Sight | None:
    """Where the declared folder is seen that holds `path` of a connection, strictly beneath it; None: there is none."""
    sight = seen(stack, connection, path)
    if sight is None or not sight.root or sight.path == sight.root:
        return None
    return Sight(sight.by, sight.root, sight.root)
