"""Undo: an ordinary plan that takes back what a run did, where that is possible, and says where it is not.

Made from the journal alone: each finished action that carries an `undo` becomes an action the other way round, in reverse
order. What it rests on is read now, and a subject that is no longer as the run left it is not forced back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from reconciler.action import Action, Bar, Effects, Held, Json, Proposal
from reconciler.facts import Fact, Known, Unknown
from reconciler.plan import guards
from reconciler.plan.identity import plan_id
from reconciler.plan.model import Plan, ResourcePlan
from reconciler.plan.planner import VALIDITY
from reconciler.stack import Guards

Bars = Callable[[str, Sequence[Action]], tuple[Bar, ...]]
Read = Callable[[Action], Fact[dict[str, Json]]]
Says = Callable[[Action, Mapping[str, Json], Mapping[str, Json]], str]


def reverse(action: Action, number: int) -> Action | None:
    """The action that takes `action` back, or None where nothing can."""
    if action.undo is None:
        return None
    effects, gone = action.effects, action.undo.verb == "delete"
    return Action(
        id=f"{action.address}/{number}",
        address=action.address,
        verb=action.undo.verb,
        subject=action.subject,
        reason=action.undo.says,
        before=action.after,
        after=action.before,
        data=action.undo.data,
        effects=Effects(
            bytes_moved=effects.bytes_moved,
            moves=effects.moves,
            files=effects.files,
            seconds=effects.seconds,
            destroys=1 if gone else 0,
            disks={disk: -change for disk, change in effects.disks.items()},
        ),
        cause="wish",
    )


def _summary(address: str, actions: Sequence[Action], *, declared: bool) -> tuple[str, ...]:
    """What taking it back means for the wish."""
    if not actions or not declared:
        return ()
    return (
        f"{address} is declared as before: the next plan may ask for all of this again. Edit it or pause it first.",
    )


def undo_plan(
    run: str,
    entries: Iterable[tuple[Action, str]],
    read: Read,
    *,
    lineage: str,
    serial: int,
    desired: str,
    now: datetime,
    sources: Mapping[str, str],
    limits: Guards,
    destroyed_today: tuple[int, int],
    protected: AbstractSet[str],
    bars: Bars = lambda _address, _actions: (),
    declared: AbstractSet[str] = frozenset(),
    says: Says = lambda *_: "it changed since that run",
) -> Plan:
    """`entries`: (action, outcome) of `run` in the order in which they were done. `sources`: address → where it is written.
    `bars`: the disks around the actions of an address; `declared`: addresses whose wish still stands. `says`: in words, how what
    an action needs differs from what was read.

    To take back what was made is to destroy it: `limits` and `protected` bind an undo like any plan.
    """
    actions: dict[str, list[Action]] = {}
    held: dict[str, list[Held]] = {}
    for action, outcome in reversed(list(entries)):
        if outcome != "done":
            continue
        mine = actions.setdefault(action.address, [])
        back = reverse(action, len(mine) + 1)
        reason = f"{action.verb} cannot be taken back" if back is None else ""
        if back is not None and guards.protected(back, protected):
            reason = "protected: nothing may destroy it"
        elif back is not None:
            fact = read(back)
            left = {**action.after, **(action.undo.expects if action.undo is not None else {})}
            if isinstance(fact, Known) and any(fact.value.get(k, v) != v for k, v in left.items()):
                reason = says(back, left, {k: fact.value.get(k, v) for k, v in left.items()})
            elif isinstance(fact, Known):
                mine.append(back.model_copy(update={"rests_on": fact.value}))
            else:
                reason = f"not known: {fact.reason}" if isinstance(fact, Unknown) else "it is not there any more"
        if reason:
            held.setdefault(action.address, []).append(Held(subject=action.subject, reason=reason))
    parts = tuple(
        ResourcePlan(
            address=address,
            source=sources.get(address, f"undo of {run}"),
            cause="wish",
            proposal=Proposal(
                actions=tuple(mine),
                held=tuple(held.get(address, ())),
                bars=bars(address, mine) if mine else (),
                summary=_summary(address, mine, declared=address in declared),
            ),
        )
        for address, mine in sorted(actions.items())
    )
    everything = [a for part in parts for a in part.proposal.actions]
    return Plan(
        id=plan_id(desired, lineage, (), everything, None),
        lineage=lineage,
        serial=serial,
        desired=desired,
        created=now,
        valid_until=now + VALIDITY,
        resources=parts,
        guards=tuple(guards.whole_plan(everything, 0, limits, destroyed_today)),
    )
