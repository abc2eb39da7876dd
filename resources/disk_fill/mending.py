"""Choosing how a broken move is mended, and the data that the verb `heal` needs for it.

Used by the verdict of a move (its approved compensation) and by planning (a repair, or somebody else's broken move), so
both come to the same way. Going on keeps the target's limit where there is another way; where there is none, only what
fits on the disk counts: files in danger come before fill targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.action import Json
from resources.disk_fill.scene import Files, Place, Remedy, Scene, remedies

MARGIN = 200  # a copy takes up to 1/200 more than the sizes add up to: blocks, folders
SPARE = 64 * 1024  # bytes
TWO = "two folders"  # said where nothing is moved, or where the files prove that it is not moved onto itself


@dataclass(frozen=True)
class Way:
    """A remedy, and whether there is room for it now."""

    remedy: Remedy
    fits: bool

    def root(self, data: Mapping[str, Json]) -> str:
        return str(data["destination_root" if self.remedy.goal == "new" else "source_root"])


def on_disk(size: int) -> int:
    """The room that files of `size` bytes may take."""
    return size + size // MARGIN + SPARE if size else 0


def choose(
    scene: Scene, free: Mapping[Place, int], min_free: int, *, denied: bool, guessed: bool = False
) -> Way | None:
    """The best safe way that fits; the best one that does not fit when none does; None when none is safe.

    `free` are the bytes at both roots now, `min_free` what the limit of the new place's disk wants to keep. `guessed`: by
    its folders alone.
    """
    ways = remedies(scene, denied=denied, guessed=guessed)
    for way in ways:
        keep = min_free if way.goal == "new" and len(ways) > 1 else 0
        if free[way.goal] - on_disk(way.bytes) >= keep:
            return Way(way, True)
    return Way(ways[0], False) if ways else None


def data_of(base: Mapping[str, Json], scene: Scene, way: Remedy, expected: Files) -> dict[str, Json]:
    """`Action.data` of a heal. Its `rests_on` stands in it too, for heals that no plan had foreseen."""
    return {
        **base,
        "mendable": True,
        "goal": way.goal,
        "path": scene.path,
        "steps": [[path, moves] for path, moves in way.steps],
        "carries": way.bytes,
        "expected": [[name, size] for name, size in sorted(expected.items())],
        "fingerprint": scene.fingerprint(),
        "rests_on": rests_on(scene),
    }


def moves(data: Mapping[str, Json]) -> bool:
    """Whether a heal has the app move files, and not only told where they are."""
    return any(carry for _, carry in data["steps"])


def rests_on(scene: Scene) -> dict[str, Json]:
    """What a heal depends on: where every file is, that nobody is at work on it, that there is room, and two folders."""
    return {"files": scene.fingerprint(), "idle": "yes", "room": "enough", "roots": TWO}


def says(way: Remedy, scene: Scene) -> str:
    """What the heal does, in words."""
    goal, other = (scene.new, scene.old) if way.goal == "new" else (scene.old, scene.new)
    if not way.steps:
        return f"have {goal} scanned again, where every file is; nothing moves"
    if not way.moves:
        stays = f", and what is at {other} stays" if scene.both else ""
        return f"set the path to {goal}, where its files are; nothing moves{stays}"
    overwritten = "whole files replace their half copies" if scene.both else "nothing is overwritten"
    if way.goal == "old":
        there = "path there and back, " if len(way.steps) > 1 else ""
        return f"bring back what is at {other}: {there}{overwritten}"
    return f"go on to {goal}: {overwritten}"
