"""Which items may move, and in one sentence why the others may not. Pure.

Two sorts of no: `never` (the wish says so, or the app can't), and `not now` (somebody is at work on it, it moved lately).
A move destroys nothing, so what protects from destruction (`protect`, the tag `arr-protect`) does not hold it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.kind import Ledger, Past, Resource
from reconciler.units import age_text, size_text
from resources.disk_fill import jobs
from resources.disk_fill.places import inside
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.world import Thing, View

# Names that the apps' own folder listings leave out: whether such a folder exists at a target can't be seen.
HIDDEN = frozenset({
    "boot", "bootmgr", "cache", "msocache", "recovery", "$recycle.bin", "recycler", "system volume information",
    "temporary internet files", "windows", ".fseventd", ".spotlight", ".trashes", ".vol", "cachedmessages", "caches",
    "trash", ".@__thumb", "@eadir", "#recycle",
})  # fmt: skip

FAILURES = 2  # attempts that came to nothing within a day: then it rests until somebody has looked


@dataclass(frozen=True)
class No:
    """Why an item stays. `way` says what would let it move. `quiet`: it is said of its disk, not of every item."""

    reason: str
    way: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Rules:
    """Everything about the resource and the past that `verdict` asks for, looked up once."""

    tags: frozenset[str]
    ids: frozenset[str]
    cooldown: timedelta
    day: int | None
    moved: Mapping[str, Past]
    failed: Mapping[str, int]
    pending: frozenset[str]
    inside: Mapping[tuple[str, str], str]
    busy: Mapping[str, str]
    now: datetime


def rules(resource: Resource[DiskFillSpec], view: View, ledger: Ledger, now: datetime) -> Rules:
    """For all items of `view`."""
    moved: dict[str, Past] = {}
    failed: Counter[str] = Counter()
    for past in ledger.history:
        if past.action.verb != "move":
            continue
        ident = past.action.subject.ident
        if past.outcome == "done":
            moved[ident] = past
            failed.pop(ident, None)
        elif past.at > now - timedelta(days=1) and ident not in ledger.retried:
            failed[ident] += 1
    return Rules(
        tags=frozenset(resource.spec.exclude.tags),
        ids=frozenset(resource.spec.exclude.ids),
        cooldown=timedelta(seconds=resource.spec.moves.cooldown),
        day=resource.spec.moves.per_day.bytes,
        moved=moved,
        failed=failed,
        pending=frozenset(p.action.subject.ident for p in ledger.pending),
        inside=inside(resource.stack, view),
        busy=_busy(view),
        now=now,
    )


def _busy(view: View) -> dict[str, str]:
    """`connection id` → what is under way for it; `connection` alone when it is under way for every item."""
    out: dict[str, str] = {}
    for server in view.servers.values():
        live = [command for command in server.commands if not command.over]
        if not live:
            continue
        for item in server.items:
            told = jobs.touching(live, item.id)
            if told:
                out[f"{server.name} {item.id}"] = told
    return out


def verdict(rules: Rules, view: View, thing: Thing) -> No | None:
    """None when the item may move. The first reason that applies."""
    server, item = view.servers[thing.connection], thing.item
    return (
        _wished(rules, server.writable, thing)
        or _sound(rules, thing)
        or _quiet(rules, thing, server.queued.get(item.id))
        or _rested(rules, thing)
    )


def _wished(rules: Rules, writable: bool, thing: Thing) -> No | None:
    if not writable:
        return No(f"{thing.connection} is declared access: read", "access: write lets it move")
    if rules.ids and thing.item.ident in rules.ids:
        return No("excluded by its id", "it is listed in exclude.ids")
    if not rules.tags and rules.day is None:
        return None
    if rules.day is not None and (thing.item.bytes or 0) > rules.day:
        return No(f"bigger than what may move in a day ({size_text(rules.day)})", "raise moves.per_day.bytes")
    tag = next((t for t in thing.item.tags if t in rules.tags), None)
    if tag:
        return No(f"excluded by its tag {tag}", f"without the tag in {thing.connection} it may move")
    nameless = next((t for t in thing.item.tags if t.startswith("#")), None) if rules.tags else None
    return (
        No(
            f"{thing.connection} does not list its tag {nameless}, which may be an excluded one",
            f"take the tag off it in {thing.connection} if that stays so",
        )
        if nameless
        else None
    )


def _sound(rules: Rules, thing: Thing) -> No | None:
    item = thing.item
    if item.ident.startswith("path:"):
        return No(
            f"{thing.connection} has lost its outside id", f"mend it in {thing.connection}: refresh or add it again"
        )
    if item.bytes is None or item.files is None:
        return No(f"{thing.connection} does not tell how big it is", "it was perhaps just added; a refresh tells")
    if thing.folded in HIDDEN:
        return No(f"the app's listings hide folders called '{thing.folder}', so nothing about it could be checked")
    within = rules.inside.get((thing.connection, item.path)) if rules.inside else None
    if within:
        return No(within, "give each a folder of its own")
    return None


def _quiet(rules: Rules, thing: Thing, queued: str | None) -> No | None:
    if thing.key in rules.pending:
        return No("an earlier action on it is not settled yet")
    busy = rules.busy.get(f"{thing.connection} {thing.item.id}") if rules.busy else None
    if busy:
        return No(f"busy: {busy}", "it can move once that is over")
    if queued is not None:
        return No(f"busy: {queued} is being downloaded or imported", "it can move once that is over")
    return None


def _rested(rules: Rules, thing: Thing) -> No | None:
    if not rules.moved and not rules.failed:
        return None
    past = rules.moved.get(thing.key)
    if past is not None and rules.now - past.at < rules.cooldown:
        ago, whole = (rules.now - past.at).total_seconds(), age_text(rules.cooldown.total_seconds())
        if ago < 0:
            says = f"moved at a time that lies ahead of this clock (run {past.run}); the cool-down is {whole}"
            return No(says, "set the clock of this machine")
        return No(
            f"moved {age_text(ago)} ago (run {past.run}); the cool-down is {whole}", "it may move again after that"
        )
    if rules.failed.get(thing.key, 0) >= FAILURES:
        return No(
            f"{rules.failed[thing.key]} moves of it came to nothing within a day",
            f"see arr history for the reasons; to try again now: arr plan --retry {thing.item.ident}",
        )
    return None
