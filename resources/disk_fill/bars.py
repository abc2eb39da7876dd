"""Disks before and after a list of actions, as bars: of a plan, and of an undo that takes one back. Pure.

What is under way already is counted in "after": it comes whatever the plan does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciler.action import Action, Bar
from reconciler.facts import Facts
from reconciler.kind import Ledger, Resource
from resources.disk_fill.disks import Fill
from resources.disk_fill.ground import survey
from resources.disk_fill.spec import DiskFillSpec


def bar(fill: Fill, actions: Iterable[Action], coming: int, *, settle: float, ok: bool | None = None) -> Bar:
    """One disk. `coming`: bytes that what is under way still brings. `ok` None: whether its limit is kept afterwards."""
    after = fill.free - coming - sum(a.effects.disks.get(fill.name, 0) for a in actions)
    return Bar(
        name=fill.name,
        size=fill.size,
        used=fill.size - fill.free if fill.size is not None else None,
        used_after=fill.size - after if fill.size is not None else None,
        free=fill.free,
        free_after=after,
        wanted=fill.wanted(settle),
        ok=after >= fill.min_free if ok is None else ok,
        reserved=coming,
    )


def bars(
    resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime, actions: Sequence[Action]
) -> tuple[Bar, ...]:
    """All disks of the resource whose fill is known, around `actions`."""
    seen = survey(resource, facts, ledger, now)
    return tuple(
        bar(fill, actions, seen.coming.get(fill.name, 0), settle=resource.spec.settle)
        for fill in seen.disks.fills.values()
    )
