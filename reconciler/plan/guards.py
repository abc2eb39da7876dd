"""Guards: the limits a plan must pass. They read the final list of actions and nothing else (law 11).

A breached guard blocks the actions it speaks of and says so with the numbers; the rest of the plan can be applied.
`--approve PLAN_ID` overrules the approvable ones, once, for that exact list. The suspicious shrink is not approvable:
it goes away when a second observation confirms the smaller number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from reconciler.action import Action, Proposal
from reconciler.kind import Ledger
from reconciler.limits import GuardSpec
from reconciler.plan.model import GuardHit, GuardName
from reconciler.stack import Guards
from reconciler.units import percent_text, size_text

SHRINK_FROM = 10  # a population smaller than this may halve without anybody wondering
SHRINK_TO = 0.5
FLAPPING = timedelta(days=7)


def destructive(action: Action) -> bool:
    return action.effects.destroys > 0 or action.effects.bytes_destroyed > 0


def protected(action: Action, names: AbstractSet[str]) -> bool:
    """Whether it would destroy what one of the protected `names` stands for."""
    subject = action.subject
    called = {subject.key, subject.ident, f"{subject.type}:{subject.key}"}
    return destructive(action) and not names.isdisjoint(called)


def tightest(a: GuardSpec, b: GuardSpec | None) -> GuardSpec:
    """The smaller of each limit."""
    if b is None:
        return a

    def least(x: float | None, y: float | None) -> float | None:
        return min((v for v in (x, y) if v is not None), default=None)

    return GuardSpec.model_construct(
        max=least(a.max, b.max),
        max_bytes=least(a.max_bytes, b.max_bytes),
        max_percent=least(a.max_percent, b.max_percent),
    )


def first_time(address: str, actions: Sequence[Action], why: str) -> Iterator[GuardHit]:
    """The first change that a kind which moves or destroys makes, and the first after an edit that makes it do more."""
    concerned = tuple(a.id for a in actions if destructive(a) or a.effects.moves)
    if concerned:
        yield GuardHit(guard="first-time", address=address, blocks=concerned, says=why)


def amounts(address: str, actions: Sequence[Action], population: int, limit: GuardSpec) -> Iterator[GuardHit]:
    """Count, bytes and share of what one resource would destroy in this run."""
    doomed = [a for a in actions if destructive(a)]
    ids = tuple(a.id for a in doomed)
    count = sum(a.effects.destroys for a in doomed)
    size = sum(a.effects.bytes_destroyed for a in doomed)

    def hit(guard: GuardName, says: str) -> GuardHit:
        return GuardHit(guard=guard, address=address, blocks=ids, says=says)

    if not doomed:
        return
    if limit.max is not None and count > limit.max:
        yield hit("destroy-count", f"{count} would be destroyed, your limit is {limit.max} a run")
    if limit.max_bytes is not None and size > limit.max_bytes:
        yield hit("destroy-bytes", f"{size_text(size)} would be destroyed, your limit is {size_text(limit.max_bytes)}")
    if limit.max_percent is not None and population and count > max(1, int(limit.max_percent * population)):
        share = percent_text(count / population)
        allowed = f"{percent_text(limit.max_percent)} ({max(1, int(limit.max_percent * population))})"
        yield hit("destroy-percent", f"{count} of {population} would be destroyed: {share}, limit {allowed}")


def shrink(address: str, proposal: Proposal, ledger: Ledger) -> Iterator[GuardHit]:
    """A population much smaller than the last good one: an outage looks just like that."""
    doomed = tuple(a.id for a in proposal.actions if destructive(a))
    for scope, now in sorted(proposal.population.items()):
        last = ledger.populations.get(f"{address} {scope}", 0)
        if doomed and last >= SHRINK_FROM and now < last * SHRINK_TO:
            says = f"{scope} shows {now} items; at the last good look it was {last}"
            details = ("Nothing is destroyed on such a list. If the next run sees the same, it is believed.",)
            yield GuardHit(guard="shrink", address=address, blocks=doomed, says=says, details=details, approvable=False)


def flapping(
    address: str, actions: Sequence[Action], ledger: Ledger, now: datetime, mending: frozenset[str]
) -> Iterator[GuardHit]:
    """A subject that would go back to where it was taken from a few days ago. What mends a break may: it must."""
    done = [p for p in ledger.history if p.outcome == "done" and p.action.verb not in mending]
    recent = [p for p in done if p.at >= now - FLAPPING and p.action.before]
    left = {(p.action.subject.ident, str(sorted(p.action.before.items()))): p for p in recent if p.action.effects.moves}
    for action in actions:
        past = left.get((action.subject.ident, str(sorted(action.after.items()))))
        if past is not None and action.cause != "repair" and action.verb not in mending:
            says = (
                f"{action.subject.title} would go back to where it was until {past.at:%Y-%m-%d %H:%M} (run {past.run})"
            )
            yield GuardHit(guard="flapping", address=address, blocks=(action.id,), says=says)


def whole_plan(
    actions: Iterable[Action], population: int, guards: Guards, done_today: tuple[int, int]
) -> Iterator[GuardHit]:
    """Limits on all resources together: of this run, and of the day. They block every destructive action."""
    doomed = [a for a in actions if destructive(a)]
    if not doomed:
        return
    ids = tuple(a.id for a in doomed)
    for hit in amounts("", doomed, population, guards.destroy):
        yield hit.model_copy(update={"address": None})
    count = sum(a.effects.destroys for a in doomed) + done_today[0]
    size = sum(a.effects.bytes_destroyed for a in doomed) + done_today[1]
    day = guards.per_day
    if day.max is not None and count > day.max:
        says = f"{count} would be destroyed within 24 h ({done_today[0]} already are), your limit is {day.max}"
        yield GuardHit(guard="day-count", address=None, blocks=ids, says=says)
    if day.max_bytes is not None and size > day.max_bytes:
        already = size_text(done_today[1])
        says = f"{size_text(size)} within 24 h ({already} already is), your limit is {size_text(day.max_bytes)}"
        yield GuardHit(guard="day-bytes", address=None, blocks=ids, says=says)


def of_resource(
    address: str,
    proposal: Proposal,
    *,
    own: GuardSpec | None,
    shared: Guards,
    first: str | None,
    ledger: Ledger,
    now: datetime,
    earlier: Mapping[str, int],
    mending: frozenset[str] = frozenset(),
) -> tuple[GuardHit, ...]:
    """All guards of one resource over its final actions. `first`: why an approval is wanted, or None."""
    population = sum(proposal.population.values()) or sum(earlier.values())
    hits: list[GuardHit] = []
    if first is not None:
        hits += first_time(address, proposal.actions, first)
    hits += amounts(address, proposal.actions, population, tightest(shared.destroy, own))
    hits += shrink(address, proposal, ledger)
    hits += flapping(address, proposal.actions, ledger, now, mending)
    return tuple(hits)
