"""Where the files of an item lie after a move, and what mends it: the recovery table, as pure functions.

Used by the verdict of every move and heal, and by planning when it meets a move that somebody left broken. The one rule
above all: only half a copy of a known file is ever overwritten, by the whole one, and nothing is rescanned while files
lie in two places. Sizes are the only witness there is (the servers' own check is of sizes, too): a smaller file alone, where
nobody knows of a move and nothing else has arrived, may be anybody's, and stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.units import size_text

Files = Mapping[str, int]  # name relative to the item's folder → bytes
Place = Literal["old", "new"]
State = Literal["at-new", "at-old", "split", "nowhere"]


@dataclass(frozen=True)
class Scene:
    """A move from `old` to `new` (folders of one item), as the world shows it now.

    `path`      the item's folder as the app says.
    `expected`  the files that must not get lost, with their sizes: from the journal, else the app's own rows.
    `at_old`, `at_new`   every file found there.
    """

    path: str
    old: str
    new: str
    expected: Files
    at_old: Files
    at_new: Files

    @property
    def both(self) -> list[str]:
        """Names found at both places: one of the two may be half a copy."""
        return sorted(self.at_old.keys() & self.at_new.keys())

    @property
    def missing(self) -> list[str]:
        """Expected files that are whole at neither place."""
        return sorted(
            name for name, size in self.expected.items() if size not in (self.at_old.get(name), self.at_new.get(name))
        )

    @property
    def state(self) -> State:
        """Where the files are. `at-new` and `at-old` mean: all of them, and nothing at the other place."""
        if not self.at_old and not self.at_new:
            return "nowhere"
        if not self.at_old:
            return "at-new"
        return "at-old" if not self.at_new else "split"

    def overwrites_well(self, goal: Place) -> bool:
        """Whether carrying everything to `goal` overwrites nothing but half copies of expected files, by whole ones.

        A file of the same size at both places may be one file seen twice, or two that are whole: neither may be lost.
        """
        source, target = (self.at_old, self.at_new) if goal == "new" else (self.at_new, self.at_old)
        return all(target[name] < source[name] == self.expected.get(name) for name in self.both)

    @property
    def apart(self) -> bool:
        """Whether what they hold proves the two folders to be two, and neither a part of the other (a pool's branch)."""
        if not self.at_old or not self.at_new:
            return bool(self.at_old) != bool(self.at_new)
        one, other = self.at_old.items(), self.at_new.items()
        return not (one <= other or other <= one)

    def fingerprint(self) -> str:
        """Changes when any file does, at either place, or the path."""
        text = json.dumps([self.path, sorted(self.at_old.items()), sorted(self.at_new.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Remedy:
    """A way to mend: `steps` are (path to set, whether the app moves the files), in order. No steps: only a rescan.

    `bytes` are carried to `goal` and need that much room there; 0 when only the path is set right.
    """

    goal: Place
    steps: tuple[tuple[str, bool], ...]
    bytes: int
    files: int

    @property
    def moves(self) -> bool:
        return any(step[1] for step in self.steps)


def remedy(scene: Scene, goal: Place) -> Remedy | None:
    """How to get everything to `goal`; None when that is not safe, or when nothing has to be done."""
    here, there = (scene.new, scene.old) if goal == "new" else (scene.old, scene.new)
    carried = scene.at_old if goal == "new" else scene.at_new
    at_goal = scene.at_new if goal == "new" else scene.at_old
    if scene.path not in (scene.old, scene.new) or scene.missing or not (carried or at_goal):
        return None
    if not carried:
        return None if scene.path == here else Remedy(goal, ((here, False),), 0, 0)
    if not scene.overwrites_well(goal) or not scene.apart:
        return None
    first = ((there, False),) if scene.path == here else ()
    replaced = sum(at_goal[name] for name in scene.both)
    return Remedy(goal, (*first, (here, True)), max(0, sum(carried.values()) - replaced), len(carried))


def leaves(scene: Scene, way: Remedy) -> int:
    """Bytes that a remedy takes away from the place that is not its goal."""
    return sum((scene.at_old if way.goal == "new" else scene.at_new).values()) if way.moves else 0


def rescan_of(scene: Scene, files: int) -> Remedy:
    """For a move of which every file has arrived, and `files` of them are not known to the app."""
    return Remedy("new" if scene.path == scene.new else "old", (), 0, files)


def lies(scene: Scene, place: Place) -> bool:
    """Whether every expected file lies at `place` with its size; the other place does not count."""
    at = scene.at_new if place == "new" else scene.at_old
    return bool(scene.expected) and all(at.get(name) == size for name, size in scene.expected.items())


def unproven(scene: Scene) -> bool:
    """Whether nothing but a smaller file or two of the same name says that anything was moved to `new`."""
    arrived = any(scene.at_new.get(name) == size for name, size in scene.expected.items())
    return bool(scene.both) and not arrived and lies(scene, "old")


def smaller(scene: Scene) -> str:
    """How an unproven one looks, as a sentence."""
    name = scene.both[0]
    return (
        f"every file lies at {scene.old}, but the path says {scene.path}, where {name} has "
        f"{size_text(scene.at_new[name])} in place of {size_text(scene.at_old[name])}; that it was moved there nobody knows"
    )


def remedies(scene: Scene, *, denied: bool = False, guessed: bool = False) -> tuple[Remedy, ...]:
    """Every safe way, the one that the recovery table prefers first.

    A move whose files are all at one place only wants its path set to that place. Names at both places: the way that
    carries whole files over partial ones. Else going on comes first, and bringing back is for when there is no room;
    the other way round when the server was `denied` something, because it would be denied again. Where a move is only
    `guessed` and nothing but smaller files speaks for it, the path goes back to the whole ones, and those stay.
    """
    if guessed and unproven(scene):
        return () if scene.path != scene.new else (Remedy("old", ((scene.old, False),), 0, 0),)
    ways: tuple[Remedy | None, ...]
    if scene.state == "at-old":
        ways = (remedy(scene, "old"),)
    elif scene.state == "at-new":
        ways = (remedy(scene, "new"),)
    else:
        ways = (remedy(scene, "new"), remedy(scene, "old"))
        ways = ways[::-1] if denied else ways
    return tuple(way for way in ways if way is not None)


def whole(scene: Scene, place: Place) -> bool:
    """Every expected file lies at `place` with its size, the app looks there, and nothing is left at the other place."""
    path, at = (scene.new, scene.at_new) if place == "new" else (scene.old, scene.at_old)
    return (
        scene.path == path and scene.state == f"at-{place}" and all(at.get(n) == s for n, s in scene.expected.items())
    )


def set_right(scene: Scene, place: Place) -> bool:
    """Whether the app looks at `place` and every expected file lies there: all that is wanted where nothing moves."""
    return scene.path == (scene.new if place == "new" else scene.old) and lies(scene, place)


def _half(scene: Scene, name: str) -> bool:
    """Whether one of the two files of that name is whole, and the other one half a copy of it."""
    sizes = sorted((scene.at_old[name], scene.at_new[name]))
    return sizes[0] < sizes[1] == scene.expected.get(name)


def why_not(scene: Scene, app: str) -> str:
    """In words, why a broken move cannot be mended by the app's own means."""
    if scene.path not in (scene.old, scene.new):
        return f"{app} now says it is at {scene.path}, which is neither of the two"
    if scene.state == "nowhere":
        return f"its files are neither at {scene.old} nor at {scene.new}: that is no broken move"
    if scene.missing:
        many = f" and {len(scene.missing) - 1} more" if len(scene.missing) > 1 else ""
        return f"{scene.missing[0]}{many} is whole at neither place"
    if scene.state == "split":
        if not scene.apart:
            return "both places show the same files, so they may be one folder: moving it onto itself would destroy it"
        name = next((n for n in scene.both if not _half(scene, n)), scene.both[0])
        sizes = f"{size_text(scene.at_old[name])} at {scene.old}, {size_text(scene.at_new[name])} at {scene.new}"
        return f"{name} lies at both places, and it is not certain which one is to be kept: {sizes}"
    odd = next((n for n, s in scene.expected.items() if {**scene.at_old, **scene.at_new}.get(n) != s), "a file")
    return f"{odd} has another size than before"
