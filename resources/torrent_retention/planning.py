"""The proposal: what goes, in which order and how much of it, what is held, and what it adds up to. Pure.

Under `pressure` only as many go as bring the disk to its target, the longest done first, and what would free nothing is
left alone; what waits in quarantine already is deleted before any torrent is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from reconciler.action import Action, Bar, Blocked, Held, Proposal
from reconciler.facts import Facts, Known
from reconciler.kind import Ledger, Resource
from reconciler.units import age_text, percent_text, size_text
from resources.clients.localfs import HERE, NO_DISK, Batch, FsSize, Space
from resources.references import Sight
from resources.torrent_retention import halted, orphans, removal, stranded
from resources.torrent_retention.decide import Candidate, Decider, Decisions
from resources.torrent_retention.judge import STAY
from resources.torrent_retention.sharing import union
from resources.torrent_retention.spec import RetentionSpec
from resources.torrent_retention.world import World, pressed, subject

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
WORDS = {
    "unknown": "not known",
    "may_go": "not yet",
    "obligation": "held by a tracker",
    "keep": "kept by your rules",
    "state": "not complete or busy",
}


def plan(resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
    """The whole proposal of one resource."""
    decider = Decider(resource, facts, ledger, now)
    found = decider.decide()
    world = found.world
    known = resource.spec.connection not in world.unseen
    back = list(stranded.stranded(world)) if known else []
    actions = [stranded.restore(world, batch) for batch in back]
    back_ids = [b.id for b in back]
    free = stranded.free(world, back_ids, decider.protected) if known else []  # else whose data it is cannot be told
    actions += stranded.due(world, now, free)
    lost = orphans.orphans(world, found.observed, ledger, now) if known else orphans.Found()
    bars, going, more, blind = _pressed(resource, facts, found, actions, free)
    actions += more + lost.actions
    groups = [removal.actions(world, group, space=bool(bars)) for group in going]
    paused = [a for made in groups for a in made if not (a.verb == "pause" and a.before == a.after)]
    busy = {str(a.data.get("hash")) for a in (*actions, *paused)}
    stays = _stays(found)
    records = stranded.records(world, back_ids, stays) if known else []
    awake = list(halted.halted(world, ledger, stays - busy)) if known else []
    return Proposal(
        actions=_numbered(str(resource.address), [*records, *awake, *actions, *paused]),
        held=(*found.held, *lost.held),
        blocked=tuple(dict.fromkeys((*found.blocked, *lost.blocked, *blind))),
        bars=bars,
        not_checked=_not_checked(found),
        summary=_summary(found, actions + paused, bars, lost.waiting),
        population={resource.spec.connection: len(world.own)} if known else {},
        sightings=found.observed.sightings,
    )


def _stays(found: Decisions) -> set[str]:
    """Hashes of torrents of which it is known that they stay."""
    return {h for h, judged in found.verdicts.items() if judged.verdict == STAY} | {h.subject.key for h in found.held}


def _numbered(address: str, actions: Iterable[Action]) -> tuple[Action, ...]:
    """With ids in their order; a requirement by hash becomes one by id."""
    ids: dict[str, str] = {}
    out = []
    for number, action in enumerate(actions, 1):
        made = f"{address}/{number}"
        ids[action.subject.key] = made
        needs = tuple(ids[key] for key in action.requires)
        out.append(action.model_copy(update={"id": made, "requires": needs}))
    return tuple(out)


def _age(group: tuple[Candidate, ...]) -> tuple[datetime, str]:
    """The oldest first: since when the youngest of a group is done."""
    done = [c.torrent.finished or c.torrent.added or LONG_AGO for c in group]
    return max(done), group[0].torrent.hash


def _pressed(
    resource: Resource[RetentionSpec], facts: Facts, found: Decisions, soon: list[Action], free: list[Batch]
) -> tuple[tuple[Bar, ...], list[tuple[Candidate, ...]], list[Action], list[Blocked]]:
    """The disk, the groups that go, purges that make room, and what is not known. `soon`: actions planned already; `free`:
    what may be purged."""
    told, disk = resource.spec.pressure, pressed(resource)
    groups = sorted(found.groups, key=_age)
    if told is None or disk is None:
        return (), groups, [], []
    fact = facts.get(FsSize(disk.by, disk.path))
    if not isinstance(fact, Known):
        reason, remedy = getattr(fact, "reason", "it is not there"), getattr(fact, "remedy", "")
        return (), [], [], [Blocked(what=f"how full {disk.path} is", reason=reason, remedy=remedy, code="refused")]
    space: Space = fact.value
    used, target = space.total - space.free, told.above if told.to is None else told.to
    need = used - int(target * space.total) if used > told.above * space.total else 0
    made = sum(a.effects.bytes_freed for a in soon)
    purges: list[Action] = []
    busy = {a.subject.key for a in soon}
    device = found.world.device(disk.by, disk.path)
    there = [b for b in free if b.by == disk.by and device is not None and found.world.device(b.by, b.root) == device]
    for batch in sorted(there, key=lambda b: b.until):
        if made < need and batch.id not in busy:
            early = stranded.purge(found.world, batch, "the room is needed: its time in quarantine ends early")
            again = {"rests_on": {**early.rests_on, "room": removal.NEEDED}}
            again["data"] = {**early.data, **removal.pressing(found.world)}
            purges.append(early.model_copy(update=again))
            made += batch.frees
    going = []
    elsewhere = [g for g in groups if any(_apart(c, disk, device) for c in g)]
    untold = [g for g in groups if need and g not in elsewhere and any(_apart(c, disk, device) is None for c in g)]
    for group in elsewhere:
        found.held += [_elsewhere(found.world, c, disk.path) for c in group]
    for group in (g for g in groups if g not in elsewhere and g not in untold):
        gives = union(group)
        told_bytes = gives.bytes if gives is not None else max(c.torrent.size for c in group)
        if made < need and told_bytes > 0:
            going.append(group)
            made += told_bytes
    wanted = f"at most {percent_text(told.above)}" + (f", then {percent_text(told.to)}" if told.to is not None else "")
    bar = Bar(
        name=disk.path, size=space.total, used=used, used_after=used - made, free=space.free, free_after=space.free + made,
        wanted=wanted, ok=made >= need,
    )  # fmt: skip
    return (bar,), going, purges, [_untold(c, disk.path) for group in untold for c in group]


def _apart(candidate: Candidate, disk: Sight, device: int | None) -> bool | None:
    """Whether its data is seen to lie on another file system than the one under pressure; None where that was not told."""
    there = candidate.bytes
    if there is None or there.by != disk.by:
        return there is not None
    others = {i.device for i in there.inodes if i.device != device}
    told = others - {NO_DISK} if device not in (None, NO_DISK) else set()
    return True if told else None if others else False


def _untold(candidate: Candidate, disk: str) -> Blocked:
    reason = f"whether it lies on the file system of {disk} was not told"
    torrent, way = candidate.torrent, "try again; if it stays so, name its own folder as pressure.disk"
    return Blocked(what=torrent.name, reason=reason, remedy=way, subjects=1, bytes=torrent.size, code="incomplete")


def _elsewhere(world: World, candidate: Candidate, disk: str) -> Held:
    torrent = candidate.torrent
    reason = f"its data is on another disk than {disk}: deleting it makes no room there"
    way = "name a folder beneath the downloads as pressure.disk, if they fill it"
    return Held(subject=subject(world.connection, torrent), reason=reason, way_forward=way, bytes=torrent.size)


def _not_checked(found: Decisions) -> tuple[str, ...]:
    going = [c for group in found.groups for c in group if c.judgement.delete == "data"]
    told = []
    if any(c.bytes is None for c in going):
        told.append("hard links, and what a deletion frees (no path of this machine leads there)")
    if any(c.bytes is not None and c.bytes.by != HERE for c in going):
        told.append("hard links (SFTP tells of none): what is freed is at most what is said")
    return tuple(told)


def _summary(found: Decisions, actions: list[Action], bars: tuple[Bar, ...], waiting: int) -> tuple[str, ...]:
    """What the list adds up to: always with what is deleted, above all when it is nothing."""
    counts = ", ".join(f"{found.counts[code]} {word}" for code, word in WORDS.items() if found.counts[code])
    many = "1 torrent" if len(found.world.own) == 1 else f"{len(found.world.own)} torrents"
    known = found.world.connection not in found.world.unseen  # what did not answer has no number
    lines = [f"{many} in {found.world.connection}{f': {counts}' if counts else ''}."] if known else []
    gone = [a for a in actions if a.verb == "remove"]
    if gone:
        data = [a for a in gone if a.data["data"]]
        size = size_text(sum(a.effects.bytes_destroyed for a in data))
        lines.append(f"To be removed: {len(gone)}, with data: {len(data)} ({size}).")
    purged = [a for a in actions if a.verb == "purge"]
    if purged:
        lines.append(
            f"Deleted for good from quarantine: {len(purged)}, {size_text(sum(a.effects.bytes_destroyed for a in purged))}."
        )
    if actions:
        lines.append(f"Frees {size_text(sum(a.effects.bytes_freed for a in actions))} now.")
    told = found.world.resource.spec.orphans
    if waiting and told is not None:
        lines.append(f"Not claimed by any torrent, and not for {age_text(told.older)} yet: {waiting}, left alone.")
    if bars and not bars[0].ok:
        lines.append(f"{bars[0].name} stays fuller than wanted: nothing else may go that would free anything.")
    return tuple(lines)
