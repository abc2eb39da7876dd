"""The kind `torrent_retention`: when a torrent may go, and its data with it.

    spec      what a person writes          comparisons  `>= 14d` and its like
    world     facts → torrents and places   judge        the rules over one torrent
    decide    who goes, who is held         sharing      whose data it is besides
    observed  what only time tells
    planning  the proposal                  removal, stranded, halted, orphans   its actions
    reads     what has to be asked          verbs/       remove, pause, resume, quarantine, restore, purge

A torrent goes when it may, and every tracker's obligation is met, and nothing keeps it, and nobody else needs its data. What
is not known never lets it go. `plan` and `reads` import the rest when they are called, as `arr validate` has to be quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from reconciler.action import Action, Json, Proposal
from reconciler.errors import Diagnostic
from reconciler.facts import Facts, Known, Query
from reconciler.kind import Kind, Ledger, Resource, Verb
from resources.clients.torrents import Torrents
from resources.references.places import HERE, place, plain
from resources.torrent_retention import spec
from resources.torrent_retention.spec import RetentionSpec
from resources.torrent_retention.verbs import PAUSE, PURGE, QUARANTINE, REMOVE, RESTORE, RESUME


class TorrentRetention(Kind[RetentionSpec]):
    """Remove torrents when they may go, with their data, and never what somebody still needs."""

    name = "torrent_retention"
    Spec = RetentionSpec
    verbs: ClassVar[Mapping[str, Verb]] = {
        "remove": REMOVE,
        "pause": PAUSE,
        "quarantine": QUARANTINE,
        "restore": RESTORE,
        "resume": RESUME,
        "purge": PURGE,
    }
    moves_or_destroys = True
    mending = frozenset({"restore", "resume"})

    def check(self, resource: Resource[RetentionSpec]) -> Iterable[Diagnostic]:
        return spec.check(resource)

    def refers_to(self, resource: Resource[RetentionSpec]) -> dict[str, Json]:
        return spec.refers_to(resource)

    def claims(self, resource: Resource[RetentionSpec]) -> Iterable[str]:
        return [f"the torrents of {resource.spec.connection}"]

    def lies_at(self, resource: Resource[RetentionSpec], action: Action) -> Iterable[str]:
        """Its data, or the orphan: as a place, as its client tells it, and by the name that is shown for what is no text."""
        from resources.clients.sftp.names import shown  # noqa: PLC0415

        orphan, data = action.verb == "quarantine", action.data
        if not orphan and data.get("data") is not True:
            return []
        of, path = (data.get("by", HERE), data["path"]) if orphan else (resource.spec.connection, data["content"])
        where = place(resource.stack, of, path)
        told = [f":{plain(path)}", *([f"{where.space}:{where.path}"] if where is not None else [])]
        return dict.fromkeys([*told, *map(shown, told)])

    def memory(self, resource: Resource[RetentionSpec]) -> timedelta:
        return timedelta(days=90)

    def sees(self, resource: Resource[RetentionSpec], facts: Facts, item: str) -> bool | None:
        """Of torrents and labels. Unknown, not False, while the client did not answer."""
        fact = facts.get(Torrents(resource.spec.connection))
        sort, _, value = item.partition(":")
        if not isinstance(fact, Known) or sort not in ("torrent", "label"):
            return None
        return any(value in (t.hash, t.label, *t.tags) for t in fact.value)

    def reads(
        self, resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime
    ) -> Iterable[Query[Any]]:
        from resources.torrent_retention import reads  # noqa: PLC0415

        return reads.reads(resource, facts, ledger, now)

    def plan(self, resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        from resources.torrent_retention import planning  # noqa: PLC0415

        return planning.plan(resource, facts, ledger, now)

    def why(
        self, resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime, item: str
    ) -> list[str]:
        from resources.torrent_retention import why  # noqa: PLC0415

        return why.why(resource, facts, ledger, now, item)


KIND = TorrentRetention()
