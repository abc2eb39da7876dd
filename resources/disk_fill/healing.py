"""A broken move as a part of the plan: the heal that mends it, or in words why none does. Pure."""

from __future__ import annotations

from reconciler.action import Action, Effects, Held, Json
from resources.disk_fill import texts
from resources.disk_fill.broken import Found
from resources.disk_fill.disks import disk_at
from resources.disk_fill.ground import Survey
from resources.disk_fill.mending import Way, data_of, rests_on, says
from resources.disk_fill.scene import leaves, smaller
from resources.disk_fill.verbs.judge import told_of
from resources.disk_fill.words import count


def heal(address: str, number: int, seen: Survey, torn: Found, *, rate: float) -> Action | Held:
    """The action `address/number`, or what is said instead. `rate` in bytes a second."""
    thing, scene, way = torn.candidate.thing, torn.scene, torn.way
    subject = thing.subject(seen.view.servers[thing.connection].app)
    told = smaller(scene) if torn.candidate.doubted(scene) else told_of(scene, denied=torn.candidate.denied)
    if way is not None and not way.remedy.steps:
        told = f"every file has arrived, and {thing.connection} does not know {count(way.remedy.files, 'file')} of it"
    stays = seen.staying.get(thing.key)
    if way is None or stays is not None:
        reason, forward = stays or ("", "")
        size = sum(scene.expected.values())
        return Held(subject=subject, reason=f"{told}; {reason}", way_forward=forward, bytes=size)
    remedy, ours = way.remedy, torn.candidate.data is not None
    halves = scene.both if remedy.moves else []  # overwritten by the whole files
    at_goal = scene.at_new if remedy.goal == "new" else scene.at_old
    return Action(
        id=f"{address}/{number}",
        address=address,
        verb="heal",
        subject=subject,
        reason=texts.broken(torn, told, ours=ours),
        before={"path": scene.path},
        after={"path": scene.new if remedy.goal == "new" else scene.old},
        details=(says(remedy, scene),),
        rests_on=rests_on(scene),
        effects=Effects(
            bytes_moved=remedy.bytes,
            destroys=len(halves),
            bytes_destroyed=sum(at_goal[name] for name in halves),
            moves=1,
            files=remedy.files,
            seconds=remedy.bytes / rate,
            disks=_changes(seen, torn, way),
        ),
        data=data_of(_base(seen, torn), scene, remedy, scene.expected),
        cause="repair" if ours else "drift",
    )


def _base(seen: Survey, torn: Found) -> dict[str, Json]:
    """The part of the data that a move has as well."""
    thing, scene = torn.candidate.thing, torn.scene
    root = scene.new.rpartition("/")[0]
    fill = seen.disks.fills.get(_disk(seen, thing.connection, scene.new) or "")
    # The files that the app must still know in the end: our journal's word, else the app's own rows.
    tracked = torn.candidate.data["files"] if torn.candidate.data is not None else sorted(scene.expected.items())
    return {
        "connection": thing.connection,
        "item_id": thing.item.id,
        "source": scene.old,
        "destination": scene.new,
        "source_root": scene.old.rpartition("/")[0],
        "destination_root": root,
        "files": [[name, size] for name, size in tracked],
        "min_free": fill.min_free if fill else 0,
        "guessed": torn.candidate.guessed and not (torn.way is not None and torn.way.remedy.moves),
    }


def _disk(seen: Survey, connection: str, path: str) -> str | None:
    return disk_at(seen.view, seen.disks, connection, path)


def _changes(seen: Survey, torn: Found, way: Way) -> dict[str, int]:
    """What it does to each disk: the carried files leave one, and take the place of half copies on the other."""
    scene, connection = torn.scene, torn.candidate.thing.connection
    to, source = (scene.new, scene.old) if way.remedy.goal == "new" else (scene.old, scene.new)
    changes = {
        _disk(seen, connection, source): -leaves(scene, way.remedy),
        _disk(seen, connection, to): way.remedy.bytes,
    }
    return {disk: change for disk, change in changes.items() if disk is not None and change}
