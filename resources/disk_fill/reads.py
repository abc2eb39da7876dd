"""What has to be asked, in three waves. Pure; the engine calls it with the answers so far.

First the lists of every connection (five questions and the pages of the queue); then, for what would move, the files and
the target; then the same for what takes the place of what turned out not to be movable. A move that may have broken is
looked at in both its places.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from reconciler.facts import Facts, Query
from reconciler.kind import Ledger, Resource
from resources.clients.localfs import HERE, FsSize
from resources.disk_fill.choose import Chooser
from resources.disk_fill.ground import survey
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.world import connections, first_wave, folders_of, neighbours


def reads(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
    """Every query that is known to be needed."""
    first: list[Query[Any]] = [query for name in connections(resource) for query in first_wave(name)]
    first += [query for name in neighbours(resource) for query in folders_of(name)]
    for name in dict.fromkeys(resource.spec.disks):
        here = resource.stack.disks[name].here
        if here is not None:
            first.append(FsSize(HERE, here))
    if not all(facts.has(query) for query in first):
        return first
    found = survey(resource, facts, ledger, now)
    wants = [*found.broken.wants, *Chooser(found.ground, final=False).choose().wants]
    return list(dict.fromkeys(wants))
