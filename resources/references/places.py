"""One folder under the names that several programs give it: `paths` of the stack, applied.

    paths: [{here: /mnt/media, sonarr: /media, rtorrent: /home/me/media}]

A path that a mapping holds becomes a place of that mapping, equal for all who map there. A path that none holds keeps its
own name, and equal names are taken for one place: that can only hold something back.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from reconciler.stack import Stack

HERE = "here"


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
    return "/" + posixpath.normpath(path).strip("/")


def _best(stack: Stack, connection: str, path: str) -> tuple[int, str] | None:
    """The mapping with the longest folder that holds `path`, and the path beneath it ("" for the folder itself)."""
    best: tuple[int, int, str] | None = None
    for number, mapping in enumerate(stack.paths):
        there = plain(mapping.get(connection, ""))
        if not there or not (path + "/").startswith(there.rstrip("/") + "/"):
            continue
        if best is None or len(there) > best[0]:
            best = (len(there), number, path[len(there.rstrip("/")) :].strip("/"))
    return best and (best[1], best[2])


def place(stack: Stack, connection: str, path: str) -> Place | None:
    """Where `path` of a connection is on the map; None for no path at all."""
    path = plain(path)
    if not path:
        return None
    here = local(stack, connection, path)
    if here is not None:
        return Place(HERE, here)
    found = _best(stack, connection, path)
    if found is None:
        return Place("", path)
    number, rest = found
    return Place(f"paths.{number}", f"/{rest}")


def local(stack: Stack, connection: str, path: str) -> str | None:
    """`path` of a connection as this machine sees it; None when no mapping tells."""
    path = plain(path)
    if connection == HERE:
        return path or None
    found = _best(stack, connection, path) if path else None
    if found is None:
        return None
    here = plain(stack.paths[found[0]].get(HERE, ""))
    return f"{here.rstrip('/')}/{found[1]}".rstrip("/") or "/" if here else None


def reachable(stack: Stack, connection: str) -> tuple[tuple[str, str], ...]:
    """The folders of a connection that this machine sees: (as the connection names it, as this machine does)."""
    pairs = ((plain(m.get(connection, "")), plain(m.get(HERE, ""))) for m in stack.paths)
    return tuple((there, here) for there, here in pairs if there and here)


def root_of(stack: Stack, connection: str, path: str) -> str | None:
    """The declared folder of this machine that holds `path` of a connection, strictly beneath it; None: there is none."""
    path = plain(path)
    found = _best(stack, connection, path) if path else None
    if found is None or not found[1]:
        return None
    return plain(stack.paths[found[0]].get(HERE, "")) or None
