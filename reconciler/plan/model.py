"""The plan as a value: what `arr plan` shows, `--format json` prints, `--out` writes, the store keeps and `apply` consumes.

JSON is this model, dumped. Compatibility: `schema_version` rises when a field goes away or changes its meaning; new
fields may appear at any time, so readers of the JSON ignore what they do not know. `arr` itself reads only its own
version: a plan is applied by the program that made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import Field

from reconciler.action import Action, Cause, Json, Proposal, Value

SCHEMA = "arr.plan/1"

GuardName = Literal[
    "first-time", "destroy-count", "destroy-bytes", "destroy-percent", "day-count", "day-bytes", "shrink", "flapping"
]


class GuardHit(Value):
    """A guard that the plan breaches.

    `blocks`    ids of the actions it forbids (all of one resource, or every destructive one of the plan).
    `says`      the sentence with the numbers; `details` further lines.
    `approvable` True: `--approve PLAN_ID` overrules it once. A suspicious shrink is not approvable: a second run decides.
    """

    guard: GuardName
    address: str | None
    blocks: tuple[str, ...]
    says: str
    details: tuple[str, ...] = ()
    approvable: bool = True


class Change(Value):
    """One difference between the wish last applied and the wish now: `disks.yaml:12`, `disks.d1.max`, `93%`, `85%`."""

    where: str
    field: str
    before: str
    after: str


class ResourcePlan(Value):
    """One resource's part.

    `cause`     why there is anything to do: start (never applied), wish (the declaration changed), drift (the world did).
    `changes`   with cause `wish`: what was edited, and where.
    `proposal`  the kind's own answer; its `actions` in the order in which they will be done.
    `wish`      what it asks for (no secrets), remembered once something of it is begun; {} for an undo.
    `paused`    the resource says so: nothing is planned.
    """

    address: str
    source: str
    cause: Cause
    changes: tuple[Change, ...] = ()
    proposal: Proposal = Proposal()
    guards: tuple[GuardHit, ...] = ()
    wish: dict[str, Json] = Field(default_factory=dict)
    paused: bool = False


class Conflict(Value):
    """Two resources want different things of one subject; neither is done."""

    subject: str
    title: str
    addresses: tuple[str, ...]
    says: str


class Plan(Value):
    """The whole plan.

    `id`          lower-case base32 of the digest over what the plan is (see `plan/identity.py`); shown shortened.
    `lineage`     of the state it was made with; another state refuses it. `serial`: the state's count of runs, for people.
    `protects`    what nothing may destroy from the apply on; None: as before (a plan of some targets, an undo).
    `notes`       what else an apply changes in the state: a protection that ends.
    `targets`     addresses it was limited to by `--target`; empty: everything.
    `conflicts`   and `errors` make the exit code 1; the rest of the plan can be applied.
    """

    schema_version: str = SCHEMA
    id: str
    lineage: str
    serial: int
    desired: str
    created: datetime
    valid_until: datetime
    targets: tuple[str, ...] = ()
    resources: tuple[ResourcePlan, ...] = ()
    guards: tuple[GuardHit, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    protects: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def actions(self) -> Iterator[Action]:
        """Every action, in the order of doing; those that a guard blocks as well."""
        for resource in self.resources:
            yield from resource.proposal.actions

    def hits(self) -> Iterator[GuardHit]:
        """Every breached guard, global ones first."""
        yield from self.guards
        for resource in self.resources:
            yield from resource.guards

    def refused(self, *, approved: bool, confirmed: bool = False) -> dict[str, GuardHit]:
        """Action id → the guard that forbids it.

        `approved`: this very plan was approved by its id. `confirmed`: a person typed yes to it at the terminal, which
        approves first changes and nothing that is beyond a limit.
        """
        return {a: hit for hit in self.hits() if not _passed(hit, approved, confirmed) for a in hit.blocks}


def _passed(hit: GuardHit, approved: bool, confirmed: bool) -> bool:
    return (approved and hit.approvable) or (confirmed and hit.guard == "first-time")
