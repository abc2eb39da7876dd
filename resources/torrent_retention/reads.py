"""What has to be asked, in three waves: the lists; what of them the decisions need; what that has brought up.

Pure; the engine calls it with the answers so far. Torrents that no rule would let go are not asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from reconciler.facts import Facts, Query
from reconciler.kind import Ledger, Resource
from resources.torrent_retention import orphans
from resources.torrent_retention.decide import Decider
from resources.torrent_retention.orphans import scans
from resources.torrent_retention.spec import RetentionSpec
from resources.torrent_retention.stranded import looks
from resources.torrent_retention.world import first_wave


def reads(resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
    """Every query that is known to be needed."""
    first = [*first_wave(resource), *scans(resource)]
    if not all(facts.has(query) for query in first):
        return first
    decided = Decider(resource, facts, ledger, now).decide()
    return list(dict.fromkeys([*decided.wants, *looks(decided.world), *orphans.looks(decided.world)]))
