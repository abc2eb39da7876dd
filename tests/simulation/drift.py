"""What people and other programs do to the world behind arr's back. Each is a function of a stage and three numbers.

They go through `Hands`, which the world in memory and the sandbox both have, so the same drift happens in both. What
cannot be done just now (a file that is being moved, a folder that is there) is not done, the same way in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sandbox.scenarios.build import GB
from tests.simulation import stage
from tests.simulation.wish import nth

ROOMS = (3, 15, 40, 90, 200)  # gigabytes that stay free on a disk that is filled
FOLDER = "other"


@dataclass(frozen=True)
class Held:
    """An item as its server tells."""

    server: str
    id: int
    ident: str
    title: str
    path: str
    tags: frozenset[str]


class Hands(Protocol):
    """How the world is touched past arr."""

    disks: dict[str, int]
    roots: dict[str, list[str]]

    def items(self) -> list[Held]: ...
    def files(self) -> dict[str, int]: ...
    def busy(self) -> bool: ...
    def free(self, disk: str) -> int: ...
    def put(self, item: Held, path: str, *, move: bool) -> None: ...
    def rescan(self, item: Held) -> None: ...
    def label(self, item: Held, label: str) -> None:
        """Put a tag on it, or take it off."""

    def tag(self, server: str, label: str) -> None:
        """Make a tag, or delete it if nothing carries it."""

    def make_file(self, path: str, size: int) -> None: ...
    def remove(self, path: str) -> None: ...
    def rename(self, source: str, target: str) -> None: ...
    def new_size(self, about: int) -> int:
        """A size near `about` that no file has ever had."""


def _of(hands: Hands, item: Held) -> list[tuple[str, int]]:
    return sorted((p, s) for p, s in hands.files().items() if p.startswith(item.path + "/"))


def _at_rest(hands: Hands) -> list[Held]:
    return [] if hands.busy() else hands.items()


def fill(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody puts a large file on a disk."""
    disk = nth(hands.disks, a)
    size = hands.free(disk) - nth(ROOMS, b) * GB
    if size > 0:
        size = hands.new_size(size)
        hands.make_file(f"{disk}/{FOLDER}/{size}.bin", size)


def unfill(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody deletes a large file that no app knows."""
    there = sorted(p for p in hands.files() if f"/{FOLDER}/" in p)
    if there:
        hands.remove(nth(there, a))


def resize(hands: Hands, a: int, b: int, c: int) -> None:
    """A file of an item becomes another one under the same name."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        for path, size in _of(hands, item)[b % 3 : b % 3 + 1]:
            disk = next(d for d in hands.disks if path.startswith(d + "/"))
            fresh = hands.new_size(size // 2 if c % 2 or hands.free(disk) < size else size * 3 // 2)
            hands.remove(path)
            hands.make_file(path, fresh)
            if c % 3:
                hands.rescan(item)


def delete(hands: Hands, a: int, b: int, c: int) -> None:
    """A file of an item is deleted."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        for path, _ in _of(hands, item)[b % 4 : b % 4 + 1]:
            hands.remove(path)
            if c % 2:
                hands.rescan(item)


def label(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody tags an item, or takes a tag off it."""
    if items := hands.items():
        hands.label(nth(items, a), nth(("pinned", "kids", "theirs", "uhd"), b))


def tag(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody makes or deletes a tag: ours or their own."""
    hands.tag(nth(hands.roots, a), nth(("kids", "uhd", "old", "4k", "theirs"), b))


def move(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody has an item moved by its server."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        target = f"{nth(hands.roots[item.server], b)}/{item.path.rpartition('/')[2]}"
        if not any(p.startswith(target + "/") for p in hands.files()):
            hands.put(item, target, move=True)


def repath(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody gives an item another path, and no file is moved."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        hands.put(item, f"{nth(hands.roots[item.server], b)}/{item.title}", move=False)
        if c % 4 == 0:
            hands.rescan(item)


def rescan(hands: Hands, a: int, b: int, c: int) -> None:
    """A scan that somebody wants at any moment, mid-move too."""
    if items := hands.items():
        hands.rescan(nth(items, a))


def carry(hands: Hands, a: int, b: int, c: int) -> None:
    """Somebody moves an item's folder by hand, or one file of it, and tells nobody."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        target = nth(hands.roots[item.server], b)
        disk = next(d for d in hands.disks if target.startswith(d + "/"))
        there, mine = hands.files(), _of(hands, item)
        for path, size in mine if c % 2 else mine[:1]:
            goal = f"{target}/{item.title}/{path[len(item.path) + 1 :]}"
            if goal not in there and hands.free(disk) > 2 * size:
                hands.rename(path, goal)


def stray(hands: Hands, a: int, b: int, c: int) -> None:
    """A folder of an item's name in another root: an archive, another program's, or half a copy of old."""
    for item in _at_rest(hands)[a % 12 : a % 12 + 1]:
        target = f"{nth(hands.roots[item.server], b)}/{item.title}"
        if target != item.path and not any(p.startswith(target + "/") for p in hands.files()):
            mine = _of(hands, item)
            name = mine[0][0][len(item.path) + 1 :] if mine and c % 2 else "notes.txt"
            hands.make_file(f"{target}/{name}", hands.new_size(1000 * (c + 1)))


DRIFTS: dict[str, Callable[[Hands, int, int, int], None]] = {
    f.__name__: f for f in (fill, unfill, resize, delete, label, tag, move, repath, rescan, carry, stray)
}


def roots_of(told: dict[str, object], cast: dict[str, str]) -> dict[str, list[str]]:
    """Server → its roots."""
    return {name: [stage.root(n, name) for n in range(int(str(told["disks"])))] for name in cast}
