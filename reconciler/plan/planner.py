"""The planner: resources, facts and ledger in, a plan out. Pure: same arguments, same bytes (law 2).

For each resource the kind proposes; then, over all of them: protections, conflicts, order, guards, identity. Guards come
last, so that they count exactly what would be done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from reconciler.action import Action, Cause, Json, Proposal
from reconciler.facts import Facts
from reconciler.kind import Kind, Ledger, Resource
from reconciler.plan import guards
from reconciler.plan.identity import plan_id
from reconciler.plan.model import Conflict, Plan, ResourcePlan
from reconciler.plan.order import conflicts, ordered, without
from reconciler.plan.wish import changes, wish_of
from reconciler.stack import Disk, Stack

log = logging.getLogger(__name__)

VALIDITY = timedelta(hours=24)


@dataclass(frozen=True)
class Ground:
    """What a plan is made on.

    `desired` is the digest of the whole desired state; `destroyed_today` (count, bytes) of the last 24 hours.
    `declared`: all resources, also those that are no target; none: `resources` are all.
    """

    kinds: Mapping[str, Kind[Any]]
    stack: Stack
    resources: Sequence[Resource[Any]]
    desired: str
    facts: Facts
    ledger: Ledger
    now: datetime
    serial: int = 0
    destroyed_today: tuple[int, int] = (0, 0)
    targets: tuple[str, ...] = ()
    declared: Sequence[Resource[Any]] = ()


def make_plan(ground: Ground) -> Plan:
    """The plan for `ground.resources` (already limited to the targets)."""
    resources = sorted(ground.resources, key=lambda r: r.address)
    proposals = {str(r.address): _propose(ground, r) for r in resources}
    proposals = {
        a: p.model_copy(update={"errors": (*p.errors, *_matching_nothing(ground, a))}) for a, p in proposals.items()
    }
    rivals = conflicts(a for p in proposals.values() for a in p.actions)
    needed = _needed(ground, proposals)
    parts = [_part(ground, r, proposals[str(r.address)], rivals, needed) for r in resources]
    actions = [a for p in parts for a in p.proposal.actions]
    seen: dict[tuple[str, str], int] = {}  # two resources of a kind that look at one server see the same subjects
    for part in parts:
        for scope, found in part.proposal.population.items():
            place = (part.address.split(".", 1)[0], scope)
            seen[place] = max(seen.get(place, 0), found)
    population = sum(seen.values())
    protects = _protections(ground)
    ending = [] if protects is None else sorted(ground.ledger.protected - set(protects))
    return Plan(
        id=plan_id(ground.desired, ground.ledger.lineage, ground.targets, actions, protects),
        lineage=ground.ledger.lineage,
        serial=ground.serial,
        desired=ground.desired,
        created=ground.now,
        valid_until=ground.now + VALIDITY,
        targets=ground.targets,
        resources=tuple(parts),
        guards=tuple(guards.whole_plan(actions, population, ground.stack.guards, ground.destroyed_today)),
        conflicts=rivals,
        protects=protects,
        notes=tuple(f"{item} is no longer declared as protected: it ends here" for item in ending),
    )


def _protections(ground: Ground) -> tuple[str, ...] | None:
    """All that is declared as protected. A plan of some targets does not see it all, and changes nothing about it."""
    if ground.targets:
        return None
    return tuple(sorted({*ground.stack.protect, *(item for r in ground.resources for item in r.spec.protect)}))


def _matching_nothing(ground: Ground, address: str) -> list[str]:
    """Protected ids that are nowhere: a slip of the pen would protect nothing. Said once, by the first that can tell."""
    found: list[str] = []
    for item in _protections(ground) or ():
        said = {str(r.address): _sees(ground, r, item) for r in sorted(ground.resources, key=lambda r: r.address)}
        tell = [a for a, seen in said.items() if seen is not None]
        if tell and tell[0] == address and True not in said.values():
            found.append(f"protect: {item} is nothing that any of the servers has; correct or remove it")
    return found


def _sees(ground: Ground, resource: Resource[Any], item: str) -> bool | None:
    if resource.spec.paused:
        return None
    try:
        return ground.kinds[resource.address.kind].sees(resource, ground.facts, item)
    except Exception:
        log.exception("%s could not say whether it sees %s", resource.address, item)
        return None


def _propose(ground: Ground, resource: Resource[Any]) -> Proposal:
    """What the kind says. A kind that fails costs its own resource, never the others, and never looks like 'no change'."""
    if resource.spec.paused:
        return Proposal()
    kind = ground.kinds[resource.address.kind]
    try:
        return kind.plan(resource, ground.facts, ground.ledger, ground.now)
    except Exception as e:
        log.exception("%s could not be planned", resource.address)
        return Proposal(errors=(f"could not be planned ({type(e).__name__}); the log has the details (-vv)",))


def _needed(ground: Ground, proposals: Mapping[str, Proposal]) -> dict[str, str]:
    """Destructive actions (id → why not) upon what another resource has still to read, now or later: a read may be repeated."""
    gone: list[tuple[Action, str]] = []
    read: dict[str, Action] = {}
    above: dict[str, Action] = {}  # what holds something that is read
    for resource in ground.resources:
        kind, said = ground.kinds[resource.address.kind], proposals[str(resource.address)]
        for action in (*said.actions, *said.later, *(u.action for u in said.under_way)):
            for where in kind.lies_at(resource, action):
                if action.effects.destroys:
                    gone.append((action, where))
                else:
                    read[where] = action
                    above |= dict.fromkeys(_upwards(where), action)
    wanting = _wanting(ground, proposals) if gone else {}
    found = {}
    for action, where in gone:
        reader = above.get(where) or next((read[p] for p in _upwards(where) if p in read), None)
        if reader is not None and reader.address != action.address:
            found[action.id] = f"{reader.address} has still to {reader.verb} it"
            continue
        for address, wants in wanting.items():
            if address != action.address and (why := wants(where)):
                found[action.id] = f"{address} {why}"
    return found


def _wanting(ground: Ground, proposals: Mapping[str, Proposal]) -> dict[str, Callable[[str], str]]:
    """What each declared resource has still to read, also one that is paused or no target: it is wanted all the same."""
    found = {}
    for resource in sorted(ground.declared or ground.resources, key=lambda r: r.address):
        said = None if resource.spec.paused else proposals.get(str(resource.address))
        found[str(resource.address)] = ground.kinds[resource.address.kind].wants(resource, said, ground.ledger)
    return found


def _upwards(path: str) -> Iterator[str]:
    """A path and the folders above it."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _part(
    ground: Ground,
    resource: Resource[Any],
    proposal: Proposal,
    rivals: tuple[Conflict, ...],
    needed: Mapping[str, str],
) -> ResourcePlan:
    kind, address = ground.kinds[resource.address.kind], str(resource.address)
    wish, before = wish_of(kind, resource), ground.ledger.applied.get(address)
    cause: Cause = "start" if before is None else "wish" if before != wish else "drift"
    claimed = _claimed(ground, resource, proposal.actions)
    if claimed:
        proposal = proposal.model_copy(update={"errors": (*proposal.errors, *claimed.values())})
    dropped = {
        **{a.id: says for a in proposal.actions if (says := _unwritable(ground, a))},
        **{a_id: f"conflict: {says}" for a_id, says in claimed.items()},
        **{a.id: needed[a.id] for a in proposal.actions if a.id in needed},
        **{a.id: "protected: nothing may destroy it" for a in proposal.actions if _protected(ground, resource, a)},
        **{a.id: f"conflict: {c.says}" for c in rivals for a in proposal.actions if a.subject.ident == c.subject},
    }
    kept, held = without(proposal.actions, dropped)
    try:
        kept = ordered(kept)
    except ValueError as e:
        proposal, kept = proposal.model_copy(update={"errors": (*proposal.errors, str(e))}), []
    stamped = tuple(a if a.cause != "wish" else a.model_copy(update={"cause": cause}) for a in kept)
    final = proposal.model_copy(update={"actions": stamped, "held": (*proposal.held, *held)})
    if dropped:  # the kind has counted them
        many = "1 of these is" if len(dropped) == 1 else f"{len(dropped)} of these are"
        final = final.model_copy(update={"summary": (*final.summary, f"{many} held: nothing happens there.")})
    mark = resource.marks.get("")
    return ResourcePlan(
        address=address,
        source=f"{mark.file}:{mark.line}" if mark else "",
        cause=cause,
        changes=changes(resource, before, wish) if before is not None and cause == "wish" else (),
        proposal=final,
        guards=guards.of_resource(
            address,
            final,
            own=resource.spec.guard,
            shared=ground.stack.guards,
            first=_first(ground, kind, resource, final, before, wish),
            ledger=ground.ledger,
            now=ground.now,
            mending=kind.mending,
            earlier={k: v for k, v in ground.ledger.populations.items() if k.startswith(f"{address} ")},
        ),
        wish=wish,
        paused=resource.spec.paused,
    )


def _claimed(ground: Ground, resource: Resource[Any], actions: Sequence[Action]) -> dict[str, str]:
    """Action id → the error, where it would destroy what another resource is in charge of."""
    doomed = [a for a in actions if guards.destructive(a)]
    if not doomed:
        return {}
    others = [r for r in ground.declared or ground.resources if r.address != resource.address]
    claims = {claim: other for other in others for claim in ground.kinds[other.address.kind].claims(other)}
    found: dict[str, str] = {}
    for action in doomed:
        claim = f"{action.subject.type} {action.subject.key} of {action.subject.connection}"
        if claim in claims:
            found[action.id] = (
                f"{_placed(resource)} would {action.verb} {claim}, which {_placed(claims[claim])} declares: "
                "remove one of the two, or set prune: false"
            )
    return found


def _unwritable(ground: Ground, action: Action) -> str:
    """Why a connection takes no writes: its actions would fail at every run, and a deletion that fails ends the others."""
    spec = ground.stack.connections.get(action.subject.connection)
    read_only = spec is not None and spec.access == "read"
    return f"{action.subject.connection} is declared access: read" if read_only else ""


def _placed(resource: Resource[Any]) -> str:
    mark = resource.marks.get("")
    return f"{resource.address} ({mark.file}:{mark.line})" if mark else str(resource.address)


def _protected(ground: Ground, resource: Resource[Any], action: Action) -> bool:
    return guards.protected(action, {*ground.stack.protect, *resource.spec.protect, *ground.ledger.protected})


def _amount(proposal: Proposal) -> tuple[int, ...]:
    effects = [a.effects for a in proposal.actions]
    return (
        sum(e.moves for e in effects),
        sum(e.bytes_moved for e in effects),
        sum(e.destroys for e in effects),
        sum(e.bytes_destroyed for e in effects),
    )


def _first(
    ground: Ground, kind: Kind[Any], resource: Resource[Any], proposal: Proposal, before: Json, wish: Json
) -> str | None:
    """Why this plan wants an approval as a first one; None when it does not."""
    if not (kind.moves_or_destroys or any(guards.destructive(a) for a in proposal.actions)):
        return None
    if before is None:
        return f"it is the first change that {resource.address} makes"
    if before == wish:
        return None if _used_to_it(ground, kind, resource, proposal) else _never(resource)
    old = _planned_before(ground, kind, resource, before)
    if old is not None and all(new <= was for new, was in zip(_amount(proposal), _amount(old), strict=True)):
        return None
    return f"your edit makes {resource.address} move or destroy more than before"


def _never(resource: Resource[Any]) -> str:
    return f"it is the first time that {resource.address} destroys anything"


def _used_to_it(ground: Ground, kind: Kind[Any], resource: Resource[Any], proposal: Proposal) -> bool:
    """Whether it has destroyed before, or would not now; asked of kinds whose wish may have been applied, and never
    approved, by what destroyed nothing."""
    if not kind.destroys_late or not any(guards.destructive(a) for a in proposal.actions):
        return True
    mine = (
        p.action for p in ground.ledger.history if p.outcome == "done" and p.action.address == str(resource.address)
    )
    return any(guards.destructive(action) for action in mine)


def _planned_before(ground: Ground, kind: Kind[Any], resource: Resource[Any], before: Json) -> Proposal | None:
    """What the wish of before the edit would do in today's world; None when it can't be told (then: more)."""
    try:
        spec = kind.Spec.model_validate_json(json.dumps(before["spec"]))
        disks = {n: Disk.model_validate_json(json.dumps(d)) for n, d in before["shared"].get("disks", {}).items()}
    except ValidationError:
        return None
    stack = replace(ground.stack, disks={**ground.stack.disks, **disks})
    try:
        return kind.plan(replace(resource, spec=spec, stack=stack), ground.facts, ground.ledger, ground.now)
    except KeyError:  # it would ask what was not asked today
        return None
