"""A plan as text: what would be done, why, how much, what is left alone and why, and how to go on.

Cause first, way forward last. A resource that has nothing to say takes no room. Long lists of the same sort are summed
up with exact figures (`arr why` and the JSON have every item).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from shlex import quote

from reconciler.action import Action, Effects
from reconciler.address import Subject
from reconciler.plan.model import Plan, ResourcePlan
from reconciler.units import size_text
from reconciler.views import obstacles
from reconciler.views.actions import Actions, name_of
from reconciler.views.disks import Levels, disk_table
from reconciler.views.look import Look, count, listing
from reconciler.views.text import Page, Span, span

CHANGES_SHOWN = 6
TYPED_MOST = 40
UNDO = "undo of "  # how the source of an undo's parts begins
NOTHING_DECLARED = "No resource is declared yet. What can be: arr explain"


def plan_page(plan: Plan, short: str, look: Look, *, empty: str = NOTHING_DECLARED) -> Page:
    """The whole plan. `short` is what `arr apply` takes for its id; `empty`: what to say of one without a resource."""
    page = Page()
    speaking = [part for part in plan.resources if has_news(part)]
    title = [Span(f"plan {short} · valid until {look.moment(plan.valid_until)}", "dim")]
    if not speaking:
        page.edges([Span("Nothing to do.", "good")], [Span(f"plan {short}", "dim")])
    if not plan.resources and not plan.targets:
        page.flow(empty)
    for index, part in enumerate(speaking):
        page.blank()
        left = [span(part.address, "head")]
        page.edges(left, title) if index == 0 else page.lines.append(left)
        _resource(page, part, short, look)
    for conflict in plan.conflicts:
        page.blank()
        obstacles.conflict(page, conflict)
    for hit in plan.guards:
        page.blank()
        obstacles.guard(page, hit, plan.resources, short)
    for note in plan.notes:
        page.blank()
        page.flow(f"protect: {note}")
    page.blank()
    _quiet(page, plan, {part.address for part in speaking})
    _totals(page, plan, speaking)
    _forward(page, plan, short)
    return page


def drift_page(plan: Plan) -> Page:
    """What the world changed since the last apply. `plan` holds the actions that drift is the cause of."""
    page = Page()
    speaking = [p for p in plan.resources if p.proposal.actions or p.proposal.blocked or p.proposal.errors]
    if not speaking:
        page.flow(f"No drift in {count(len(plan.resources), 'resource')}.", style="good")
    for part in speaking:
        page.blank()
        page.line(span(part.address, "head"))
        said = part.proposal
        writer = Actions(page, Levels(said.bars))
        for text in said.errors:
            obstacles.error(page, part, text)
        for action in said.actions:
            writer.write(action)
        writer.mends()
        for blocked in said.blocked:
            page.blank()
            obstacles.blocked(page, part, blocked)
    if any(part.proposal.actions for part in speaking):
        page.blank()
        page.flow("What would be done about it: arr plan")
    return page


def has_news(part: ResourcePlan) -> bool:
    """Whether a resource has anything to say beyond "as it should be"."""
    said = part.proposal
    missed = any(not bar.ok for bar in said.bars)
    open_ends = said.held or said.blocked or said.under_way or said.errors or part.guards
    return bool(said.actions or said.later or open_ends or missed)


def cause_text(part: ResourcePlan) -> list[str]:
    """Why there is anything to do, as lines."""
    if part.cause == "start":
        return [f"Cause: {part.address} was never applied before."]
    if part.cause == "drift":
        return ["Cause: the world is not as you wish; the wish itself did not change."]
    if part.cause == "repair":
        return ["Cause: something stopped half-way and is to be mended."]
    if not part.changes:
        return [f"Cause: {part.source}." if part.source.startswith(UNDO) else "Cause: your wish changed."]
    told = [f"{c.where}, {c.field} {c.before} → {c.after}" for c in part.changes]
    if len(told) == 1:
        return [f"Cause: your wish changed ({told[0]}). No drift."]
    more = [f"and {len(told) - CHANGES_SHOWN} more"] if len(told) > CHANGES_SHOWN else []
    return ["Cause: your wish changed. No drift.", *(f"  {line}" for line in told[:CHANGES_SHOWN]), *more]


def _resource(page: Page, part: ResourcePlan, short: str, look: Look) -> None:
    said = part.proposal
    if said.actions or said.later:
        for line in cause_text(part):
            page.flow(line.strip(), indent=len(line) - len(line.lstrip()), hang=2)
    for text in said.errors:
        obstacles.error(page, part, text)
    if said.bars:
        page.blank()
        disk_table(page, said.bars, look)
    for going in said.under_way:
        page.blank()
        obstacles.under_way(page, going)
    if said.actions:
        page.blank()
    writer = Actions(page, Levels(said.bars))
    for action in said.actions:
        writer.write(action)
    writer.mends()
    _later(page, said.later)
    obstacles.held(page, said.held)
    for blocked in said.blocked:
        page.blank()
        obstacles.blocked(page, part, blocked)
    for hit in part.guards:
        page.blank()
        obstacles.guard(page, hit, (part,), short)
    page.blank()
    for line in [*(_summary(part) if part.source.startswith(UNDO) else ()), *said.summary] or _summary(part):
        page.flow(line)
    if said.not_checked:
        page.flow(f"not checked: {listing(list(said.not_checked))}", hang=3)


def _later(page: Page, later: Sequence[Action]) -> None:
    if not later:
        return
    page.blank()
    size = sum(a.effects.bytes_moved + a.effects.bytes_destroyed for a in later)
    titles = listing([name_of(a.subject) for a in later], 6)
    much = f", {size_text(size)}" if size else ""
    page.pack(
        [[Span("later  ", "dim"), Span(f"{verbs(later)}{much}, beyond the pace of now:")], [span(titles)]],
        sep=" ",
        hang=6,
    )


def _summary(part: ResourcePlan) -> list[str]:
    """What it adds up to, for kinds that have no words of their own."""
    return [sentence(part.proposal.actions)] if part.proposal.actions else []


def verbs(actions: Iterable[Action]) -> str:
    """`2 moves, 1 heal`, in the order of first use."""
    numbers: dict[str, int] = {}
    for action in actions:
        numbers[action.verb] = numbers.get(action.verb, 0) + 1
    return ", ".join(count(number, verb) for verb, number in numbers.items())


def sentence(actions: Sequence[Action]) -> str:
    """`2 moves, 806 GB. Nothing is deleted.`"""
    moved = sum(a.effects.bytes_moved for a in actions)
    return f"{verbs(actions)}{f', {size_text(moved)}' if moved else ''}. {deleted(a.effects for a in actions)}"


def deleted(effects: Iterable[Effects]) -> str:
    """What is gone for good afterwards: said always, above all when it is nothing."""
    effects = list(effects)
    number, size = sum(e.destroys for e in effects), sum(e.bytes_destroyed for e in effects)
    if not number and not size:
        return "Nothing is deleted."
    freed = sum(e.bytes_freed for e in effects)
    much = f", {size_text(size)}" if size else ""
    return f"Deleted for good: {count(number, 'item')}{much}" + (f"; frees {size_text(freed)}." if freed else ".")


def _quiet(page: Page, plan: Plan, speaking: AbstractSet[str]) -> None:
    paused = [part.address for part in plan.resources if part.paused]
    quiet = [part for part in plan.resources if part.address not in speaking and not part.paused]
    calm = [part.address for part in quiet]
    if paused:
        page.flow(f"Paused: {listing(paused)}.", hang=3)
    if calm:
        page.flow(f"As {'it' if len(calm) == 1 else 'they'} should be: {listing(calm)}.", hang=3)
    for part in quiet:
        if part.proposal.summary:
            page.flow(f"{part.address}: {' '.join(part.proposal.summary)}", indent=3, hang=3)
    if plan.targets:
        page.flow(f"Only {listing(list(plan.targets))} was looked at (--target).", hang=3)


def _totals(page: Page, plan: Plan, speaking: Sequence[ResourcePlan]) -> None:
    acting = [part for part in speaking if part.proposal.actions]
    if len(acting) > 1:
        page.flow(f"In all: {sentence(list(plan.actions()))}")


def _forward(page: Page, plan: Plan, short: str) -> None:
    """How to go on: what to type, and what an approval is asked for."""
    ways = approaches(plan, short)
    subjects = [h.subject for p in plan.resources for h in p.proposal.held] + [a.subject for a in plan.actions()]
    if subjects:
        ways.append(("One item", f"arr why {typed(subjects[0])}"))
    page.ways(*ways)


def approaches(plan: Plan, short: str) -> list[tuple[str, str]]:
    """How to apply a plan as it stands: what for, and what to type; empty when nothing of it can be applied."""
    refused, hopeless = plan.refused(approved=False), plan.refused(approved=True)
    actions = list(plan.actions())
    if any(a.id not in refused for a in actions):
        if not refused:
            return [("Apply", f"arr apply {short}")]
        whole = [("All of it", f"arr apply {short} --approve {short}")] if len(hopeless) < len(refused) else []
        return [("Apply what is not stopped", f"arr apply {short}"), *whole]
    if any(a.id not in hopeless for a in actions):
        return [("Apply", f"arr apply {short} --approve {short}")]
    return []


def typed(subject: Subject) -> str:
    """A name of the subject that can be typed as it stands: its title in quotes, or its key."""
    title = subject.title
    plain = title.isprintable() and len(title) <= TYPED_MOST and not set(title) & set("\"'`$!\\")
    return f'"{title}"' if title and plain and not title.startswith("-") else quote(subject.key)
