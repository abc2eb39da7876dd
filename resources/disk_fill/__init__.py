"""The kind `disk_fill`: disks are kept at their fill targets by moving whole shows or movies between root folders.

    spec      what a person writes           world        facts → disks and items
    reads     what has to be asked           eligibility  what may move, and why not
    planning  the proposal                   proof        two roots are two folders
    broken    moves that stopped half-way    scene        which files lie where, and what mends it
    verbs/    move and heal                  solver/      which items, to where, in which order

`plan` and `reads` import the rest when they are called, so that commands that only load the desired state stay quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from reconciler.action import Action, Bar, Json, Proposal
from reconciler.errors import Diagnostic
from reconciler.facts import Facts, Known, Query
from reconciler.kind import Kind, Ledger, Resource
from resources.clients.servarr.queries import Items
from resources.disk_fill import spec
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.verbs import HEAL, MOVE


class DiskFill(Kind[DiskFillSpec]):
    """Keep disks at their fill targets by moving whole shows and movies between root folders."""

    name = "disk_fill"
    Spec = DiskFillSpec
    verbs = {"move": MOVE, "heal": HEAL}  # noqa: RUF012  # a ClassVar of the base, never changed
    moves_or_destroys = True
    mending = frozenset({"heal"})
    example = "media: {disks: [d1, d2]}"

    def check(self, resource: Resource[DiskFillSpec]) -> Iterable[Diagnostic]:
        return spec.check(resource)

    def refers_to(self, resource: Resource[DiskFillSpec]) -> dict[str, Json]:
        return spec.refers_to(resource)

    def claims(self, resource: Resource[DiskFillSpec]) -> Iterable[str]:
        return spec.claims(resource)

    def memory(self, resource: Resource[DiskFillSpec]) -> timedelta:
        return max(timedelta(seconds=resource.spec.moves.cooldown), timedelta(days=31))

    def sees(self, resource: Resource[DiskFillSpec], facts: Facts, item: str) -> bool | None:
        """Of ids and tags. Unknown, not False, while one of the libraries did not answer."""
        from resources.disk_fill import world  # noqa: PLC0415

        answers = [facts.get(Items(name)) for name in world.connections(resource)]
        if not item.startswith(("tvdb:", "tmdb:", "tag:")) or not all(isinstance(a, Known) for a in answers):
            return None
        libraries = [a.value for a in answers if isinstance(a, Known)]
        label = item.removeprefix("tag:")
        return any(i.ident == item or (item != label and label in i.tags) for one in libraries for i in one)

    def reads(
        self, resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime
    ) -> Iterable[Query[Any]]:
        from resources.disk_fill import reads  # noqa: PLC0415

        return reads.reads(resource, facts, ledger, now)

    def plan(self, resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        from resources.disk_fill import planning  # noqa: PLC0415

        return planning.plan(resource, facts, ledger, now)

    def bars(
        self, resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime, actions: Sequence[Action]
    ) -> tuple[Bar, ...]:
        from resources.disk_fill import bars  # noqa: PLC0415

        return bars.bars(resource, facts, ledger, now, actions)

    def why(
        self, resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime, item: str
    ) -> list[str]:
        from resources.disk_fill import why  # noqa: PLC0415

        return why.why(resource, facts, ledger, now, item)


KIND = DiskFill()
