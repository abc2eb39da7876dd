"""Data in quarantine: what may go for good now, and what has to come back because its torrent stayed. Pure.

A kill between moving data aside and taking the torrent out leaves a torrent without its data: it is brought back, and the
next plan decides anew. One that ends a return half-way may leave the record of a batch that holds nothing: it is cleared, as
a file with a second name there would seem to free nothing. Batches of other resources are none of this one's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.action import Action, Effects
from reconciler.address import Subject
from reconciler.facts import Known
from reconciler.units import size_text
from resources.clients.localfs import Batch, Inodes
from resources.references import Place
from resources.references.places import shielded
from resources.torrent_retention.world import World

GONE, BACK = "is gone", "is there"  # the torrent whose data it was


def subject(batch: Batch) -> Subject:
    return Subject(connection=batch.by, type="quarantine", key=batch.id, title=str(batch.about.get("title", batch.id)))


def mine(world: World) -> Iterator[Batch]:
    """The batches that this resource has made."""
    address = str(world.resource.address)
    yield from (b for b in world.batches if b.about.get("address") == address)


def looks(world: World) -> list[Inodes]:
    """Where the files of stranded torrents should lie."""
    found = (world.sight(t) for b in mine(world) for t in world.own if t.hash == b.about.get("hash"))
    return [query for query in found if query is not None]


def stranded(world: World) -> Iterator[Batch]:
    """Batches whose torrent is still in the client, without its files."""
    for batch in mine(world):
        torrent = next((t for t in world.own if t.hash == batch.about.get("hash")), None)
        query = world.sight(torrent) if torrent is not None else None
        if query is None or not world.facts.has(query):
            continue
        fact = world.facts.get(query)
        if isinstance(fact, Known) and any(i.state == "missing" for i in fact.value):
            yield batch


def restore(world: World, batch: Batch) -> Action:
    """Bring data back to the torrent that stayed. The id is the caller's to give."""
    address = str(world.resource.address)
    return Action(
        id=f"{address}/0",
        address=address,
        verb="restore",
        subject=subject(batch),
        reason="its data was moved to quarantine and the torrent stayed: removing it stopped half-way",
        before={"in": "quarantine"},
        after={"in": "its folder"},
        details=(f"{batch.files} files come back", "the next plan decides about it anew"),
        rests_on=rests_on(batch),
        data={
            "by": batch.by,
            "root": batch.root,
            "batch": batch.id,
            "connection": world.connection,
            "hash": batch.about.get("hash"),
        },
        effects=Effects(bytes_moved=batch.bytes, files=batch.files),
        cause="repair",
    )


def records(world: World, back: Iterable[str], stays: set[str]) -> list[Action]:
    """Batches of which only the record is left are cleared. One of a torrent that may go yet is begun anew by its removal,
    unless files have a second name in it. `back`: batches that are brought back anyway."""
    own = {t.hash for t in world.own}
    spent = [b for b in mine(world) if b.spent and b.id not in set(back)]
    return [_cleared(world, b) for b in spent if b.bytes or (of := b.about.get("hash")) not in own or of in stays]


def _cleared(world: World, batch: Batch) -> Action:
    """End a return that was cut: what the batch held is in its place. The id is the caller's to give."""
    made = restore(world, batch)
    told = {k: v for k, v in made.data.items() if k not in ("connection", "hash")}
    return made.model_copy(
        update={
            "reason": "what it held is back in its place, and only its record is left",
            "before": {"record": "in quarantine"},
            "after": {"record": "is cleared"},
            "details": ("no byte moves",),
            "effects": Effects(),
            "data": told,
        }
    )


def purge(world: World, batch: Batch, reason: str) -> Action:
    """Delete a batch for good. The id is the caller's to give."""
    address, of = str(world.resource.address), batch.about.get("hash")
    back = any(t.hash == of for t in world.own)
    return Action(
        id=f"{address}/0",
        address=address,
        verb="purge",
        subject=subject(batch),
        reason=reason,
        before={"in": "quarantine"},
        after={"in": "nowhere"},
        details=(
            f"frees {'' if batch.exact else 'at most '}{size_text(batch.frees)} on disk",
            f"in quarantine beneath {batch.root}",
        ),
        rests_on=rests_on(batch) | ({"torrent": BACK if back else GONE} if of else {}),
        data={"by": batch.by, "root": batch.root, "batch": batch.id, "connection": world.connection, "of": of},
        effects=Effects(bytes_freed=batch.frees, bytes_destroyed=batch.bytes, files=batch.files),
    )


def rests_on(batch: Batch) -> dict[str, object]:
    """What acting on a batch depends on."""
    return {"batch": batch.id, "files": batch.files, "bytes": batch.bytes}


def free(world: World, stays: Iterable[str], protected: set[str]) -> list[Batch]:
    """Batches that may be purged: whole, and neither stranded, nor protected, nor of a torrent that is back and has not got
    its data yet (what it lacks may be nowhere else)."""
    kept, found = set(stays), []
    lacking = {t.hash for t in world.own if not t.complete or t.state in ("checking", "error", "unknown")}
    for batch in mine(world):
        of = str(batch.about.get("hash"))
        called = {batch.id, of, f"torrent:{of}", f"quarantine:{batch.id}"}
        shield = shielded(world.stack, Place(batch.by, batch.home), protected)
        if (
            batch.whole
            and not batch.spent
            and batch.id not in kept
            and of not in lacking
            and not protected & called
            and not shield
        ):
            found.append(batch)
    return found


def due(world: World, now: datetime, may: Iterable[Batch]) -> list[Action]:
    """Purges of what has waited long enough, of those that may be purged."""
    over = [b for b in may if b.until <= now]
    return [purge(world, b, f"its time in quarantine was over on {b.until:%Y-%m-%d %H:%M}") for b in over]
