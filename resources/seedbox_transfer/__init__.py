"""The kind `seedbox_transfer`: what finished on the seedbox is here, whole.

    spec      what a person writes       release   which files of the server are one release
    planning  the proposal               complete  when a release is complete, and when it has settled
    bring     one release comes home     hours     when fetching is allowed
    verbs     fetch                      wants     what has still to come home

`plan` and `reads` import the rest when they are called, so that commands that only load the desired state stay quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from reconciler.action import Action, Proposal
from reconciler.errors import Diagnostic
from reconciler.facts import Facts, Query
from reconciler.kind import Kind, Ledger, Resource
from resources.seedbox_transfer import spec
from resources.seedbox_transfer.clear import CLEAR
from resources.seedbox_transfer.remove import REMOVE
from resources.seedbox_transfer.spec import SeedboxTransferSpec
from resources.seedbox_transfer.verbs import FETCH


class SeedboxTransfer(Kind[SeedboxTransferSpec]):
    """What finished on the seedbox is fetched, verified, and appears here in one step. What was imported may leave it."""

    name = "seedbox_transfer"
    Spec = SeedboxTransferSpec
    verbs = {"fetch": FETCH, "remove": REMOVE, "clear": CLEAR}  # noqa: RUF012  # a ClassVar of the base, never changed
    destroys_late = True

    def check(self, resource: Resource[SeedboxTransferSpec]) -> Iterable[Diagnostic]:
        return spec.check(resource)

    def claims(self, resource: Resource[SeedboxTransferSpec]) -> Iterable[str]:
        return [f"folder {resource.spec.to}"]

    def lies_at(self, resource: Resource[SeedboxTransferSpec], action: Action) -> Iterable[str]:
        from resources.seedbox_transfer import wants  # noqa: PLC0415

        return wants.names(resource, action.data["remote"]) if "remote" in action.data else ()

    def wants(
        self, resource: Resource[SeedboxTransferSpec], proposal: Proposal | None, ledger: Ledger
    ) -> Callable[[str], str]:
        from resources.seedbox_transfer import wants  # noqa: PLC0415

        return wants.wants(resource, proposal, ledger)

    def memory(self, resource: Resource[SeedboxTransferSpec]) -> timedelta:
        return max(timedelta(seconds=resource.spec.tombstones), timedelta(days=31))

    def reads(
        self, resource: Resource[SeedboxTransferSpec], facts: Facts, ledger: Ledger, now: datetime
    ) -> Iterable[Query[Any]]:
        from resources.seedbox_transfer import planning  # noqa: PLC0415

        return planning.reads(resource, facts, ledger, now)

    def plan(self, resource: Resource[SeedboxTransferSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        from resources.seedbox_transfer import planning  # noqa: PLC0415

        return planning.plan(resource, facts, ledger, now)

    def why(
        self,
        resource: Resource[SeedboxTransferSpec],
        facts: Facts,
        ledger: Ledger,
        now: datetime,
        item: str,
    ) -> list[str]:
        from resources.seedbox_transfer import planning  # noqa: PLC0415

        return planning.why(resource, facts, ledger, now, item)


KIND = SeedboxTransfer()
