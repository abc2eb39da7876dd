"""`arr why`: the verdict on one title or id, with its reasons. Pure."""

from __future__ import annotations

from datetime import datetime

from reconciler.facts import Facts
from reconciler.kind import Ledger, Resource
from reconciler.units import size_text
from resources.disk_fill import planning
from resources.disk_fill.choose import Chooser
from resources.disk_fill.ground import survey
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.world import Thing

SHOWN = 10  # items that one answer tells of; a vague word fits hundreds


def why(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime, item: str) -> list[str]:
    """Lines about every item of that title, id or subject; empty when there is none on these disks."""
    seen = survey(resource, facts, ledger, now)
    wanted = item.strip().casefold()
    place = item.strip().rstrip("/")
    things = [t for t in seen.view.things if place and f"{place}/".startswith(f"{t.item.path}/")] or [
        t for t in seen.view.things if wanted in (t.item.title.casefold(), t.item.ident.casefold(), t.key.casefold())
    ]
    if not things:
        things = [t for t in seen.view.things if wanted and wanted in t.item.title.casefold()]
    if not things:
        return []
    proposal = planning.plan(resource, facts, ledger, now)
    chooser = Chooser(seen.ground, final=True)
    lines: list[str] = []
    for thing in sorted(things, key=lambda t: t.key)[:SHOWN]:
        size = size_text(thing.item.bytes) if thing.item.bytes is not None else "size not told"
        lines.append(
            f"{thing.item.title} ({thing.item.ident}, {thing.connection}): {size} at {thing.item.path}, on {thing.disk}"
        )
        said = [
            *(f"{a.verb} to {a.after['path']}: {a.reason}" for a in proposal.actions if a.subject.ident == thing.key),
            *(f"moves later: {a.reason}" for a in proposal.later if a.subject.ident == thing.key),
            *(f"held: {h.reason}" + (f"; {h.way_forward}" if h.way_forward else "") for h in proposal.held
              if h.subject.ident == thing.key),
            *(f"under way: {u.says}" for u in proposal.under_way if u.action.subject.ident == thing.key),
        ]  # fmt: skip
        lines += [f"  {line}" for line in said or _stays(chooser, thing)]
    if len(things) > SHOWN:
        lines.append(
            f"and {len(things) - SHOWN} more of {len(things)} that '{item}' fits: write more of the title, "
            "or an id as the lines above have it"
        )
    return lines


def _stays(chooser: Chooser, thing: Thing) -> list[str]:
    """Why nothing is planned for it."""
    no = chooser.ground.nos.get(thing.key)
    if no is not None:
        return [f"stays: {no.reason}" + (f"; {no.way}" if no.way else "")]
    if thing.key not in chooser.things:
        return [f"stays: the fill of {thing.disk} is not known"]
    fill = chooser.fills[chooser.home(thing)]
    if not fill.over and not fill.drain:
        return [f"stays: {fill.name} needs no room ({size_text(fill.free)} free)"]
    may = chooser.eligible(thing)
    barred = [told for _, told in chooser.targets(thing).values() if told]
    barred += [told for (key, _), told in chooser.barred.items() if key == thing.key]
    if not may:
        return [f"stays: {reason}" for reason in barred] or ["stays: its app has a root on no other of these disks"]
    return [f"stays: it may go to {' or '.join(may)}, but others reach the target with fewer bytes"]
