"""The verdict on a move or a heal: every row of the servers' outcome tables, decided by the files and never by words.

`completed` and `successful` prove nothing, `failed` does not say how far it came. What counts is where the item's path
points, which files lie where with which sizes, and whether a command is still at work.
"""

from __future__ import annotations

from reconciler.action import Json
from reconciler.kind import Verdict, World
from reconciler.units import size_text
from resources.disk_fill.mending import choose, data_of, moves
from resources.disk_fill.scene import Place, Scene, set_right, whole, why_not
from resources.disk_fill.verbs.cause import cause
from resources.disk_fill.verbs.look import Sight, as_rows, expected_of, root_state, rows, sight
from resources.disk_fill.words import count

LOOKS = 4  # at a move whose command is not seen: a list can be empty for a moment just after a start
PAUSE = 1.0  # seconds between them


def judge(world: World, data: dict[str, Json], handle: dict[str, Json] | None, goal: Place) -> Verdict:
    """What became of bringing everything to `goal`."""
    found = sight(world, data, handle)
    for _ in range(LOOKS - 1):
        if found is None or not _unexplained(found):
            break
        world.sleep(PAUSE)
        found = sight(world, data, handle)
    if found is None:
        return Verdict("broken", f"{data['connection']} does not have it any more", {"mendable": False})
    scene = found.scene
    if found.busy:
        return _running(found, goal)
    nothing_moves = bool(data.get("steps")) and not moves(data)
    if whole(scene, goal) or (nothing_moves and set_right(scene, goal)):
        return _arrived(world, found, data)
    if goal == "new" and whole(scene, "old"):
        return Verdict(
            "not-done", _gave_up(world, found, data), remedy=f"see the log of {data['connection']} for the reason"
        )
    return _broken(world, found, data, handle)


def _unexplained(found: Sight) -> bool:
    """The path was set, no file has moved, and no command is known: it may be about to show."""
    scene = found.scene
    return found.command is None and not found.busy and scene.path == scene.new and scene.state == "at-old"


def _running(found: Sight, goal: Place) -> Verdict:
    scene = found.scene
    total = sum(scene.expected.values())
    arrived = scene.at_new if goal == "new" else scene.at_old
    if whole(scene, goal):
        return Verdict("running", f"every file has arrived; {found.busy}", done_bytes=total, total_bytes=total)
    done = min(total, sum(arrived.values()))
    return Verdict("running", found.busy, done_bytes=done, total_bytes=total)


def _arrived(world: World, found: Sight, data: dict[str, Json]) -> Verdict:
    """Every file is there. What somebody's scan in mid-move made the app forget comes back with the scan that follows;
    once that has run, the app must know as many files as before."""
    if not found.scanned:
        return Verdict("done", "every file has arrived")
    known = rows(world, data["connection"], data["item_id"])
    forgotten = [name for name, _ in data["files"] if name not in known]
    if not forgotten:
        return Verdict("done", f"every file has arrived, and {data['connection']} knows them all")
    told = f"{data['connection']} has forgotten {len(forgotten)} of {len(data['files'])} files: {forgotten[0]}"
    return Verdict(
        "broken",
        f"every file has arrived, but {told}",
        {"mendable": False},
        remedy=f"the files are on the disk: let {data['connection']} rescan it, and look at its log if they stay away",
    )


def _gave_up(world: World, found: Sight, data: dict[str, Json]) -> str:
    if found.command is None:
        return f"{data['connection']} did not begin it"
    why = cause(world, data, found.command)
    return (
        f"{data['connection']} gave it up at once and put the path back; nothing has moved{f' ({why})' if why else ''}"
    )


def _broken(world: World, found: Sight, data: dict[str, Json], handle: dict[str, Json] | None) -> Verdict:
    scene = found.scene
    told, why = told_of(scene, denied=found.denied), cause(world, data, found.command)
    if why:
        told = f"{told} ({why})"
    free: dict[Place, int] = {
        "old": root_state(world, data["connection"], data["source_root"])[1],
        "new": root_state(world, data["connection"], data["destination_root"])[1],
    }
    way = choose(scene, free, data["min_free"], denied=found.denied, guessed=bool(data.get("guessed")))
    expected = expected_of(data, handle)
    if way is None:
        reason = why_not(scene, data["connection"])
        return Verdict("broken", told, {**data, "expected": as_rows(expected), "mendable": False}, remedy=reason)
    if not way.fits:
        needed = f"{size_text(way.remedy.bytes)} of room are needed at {way.root(data)}"
        return Verdict("broken", told, {**data, "expected": as_rows(expected), "mendable": False}, remedy=needed)
    return Verdict("broken", told, data_of(data, scene, way.remedy, expected))


def told_of(scene: Scene, *, denied: bool = False) -> str:
    """How a move stands that did not come to its end, as a sentence."""
    if scene.state == "nowhere":
        return f"nothing has moved: there are no files at {scene.old}, and none at {scene.new}"
    if scene.state == "at-old":
        refused = "the server may not write there" if denied else "it did not begin"
        return f"nothing has moved ({refused}), but the path already says {scene.path}"
    if scene.state == "at-new":
        if scene.path == scene.new:
            return f"everything lies at {scene.new}, but not as it was"
        return f"everything lies at {scene.new}, but the path says {scene.path}"
    half = f"; {len(scene.both)} of them at both places, half copied" if scene.both else ""
    there, here = count(len(scene.at_new), "file"), count(len(scene.at_old), "file")
    return f"it stopped half-way: {there} at {scene.new}, {here} at {scene.old}{half}"
