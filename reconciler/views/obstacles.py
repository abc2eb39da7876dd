"""What stands in the way, as text: guards, what is not known, what is held, conflicts, errors, what is under way.

Each says what is concerned and how much, then why, and last what can be done. Exit codes stand beside the words that
cause them, so that a script's author and a reader of the plan mean the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.action import Blocked, Held, UnderWay
from reconciler.errors import Exit
from reconciler.plan.model import Conflict, GuardHit, ResourcePlan
from reconciler.units import size_text
from reconciler.views.actions import name_of
from reconciler.views.look import count, listing
from reconciler.views.text import Page, Span, span

HELD_SHOWN = 8
TITLES_SHOWN = 4

HEADLINES = {
    "first-time": "wants your approval first",
    "destroy-count": "more than your limit",
    "destroy-bytes": "more than your limit",
    "destroy-percent": "more than your limit",
    "day-count": "more than your limit for a day",
    "day-bytes": "more than your limit for a day",
    "shrink": "a list is suspiciously short",
    "flapping": "back and forth",
}


def _headline(page: Page, word: str, style: str, text: str, code: Exit | None) -> None:
    page.edges(
        [Span(f"{word}  ", style), span(text, "head")],
        [Span(f"(exit {int(code)})", "dim")] if code is not None else [],
    )


def guard(page: Page, hit: GuardHit, parts: Sequence[ResourcePlan], short: str) -> None:
    """A breached guard: what it counted, what that stops, and the way past it."""
    whom = hit.address or "the whole plan"
    first = hit.guard == "first-time"
    _headline(
        page,
        "APPROVE" if first else "REFUSED",
        "warn" if first else "bad",
        f"{whom}: {HEADLINES[hit.guard]}",
        None if first else Exit.REFUSED,
    )
    for line in (hit.says, *hit.details):
        page.flow(line, indent=3)
    page.flow(_stopped(hit, parts), indent=3)
    if hit.approvable:
        ask = "If this list is what you mean:" if first else "If this is what you mean:"
        page.pack(
            [[Span(ask)], [Span(f"arr apply {short} --approve {short}", "head")]],
            sep="  ",
            indent=3,
        )
    else:
        page.flow("No approval overrules this. Look again later:  arr plan", indent=3)


def _stopped(hit: GuardHit, parts: Sequence[ResourcePlan]) -> str:
    """How much of what was planned the guard stops."""
    stopped = set(hit.blocks)
    planned = {a.id for part in parts for a in part.proposal.actions}
    until = " until you do" if hit.guard == "first-time" else ""
    others = " The other resources are not affected." if hit.address else ""
    if planned <= stopped:
        return f"Nothing of it is done{until}.{others}"
    rest = len(planned - stopped)
    return f"{count(len(stopped), 'action')} of {len(planned)} stopped{until}; {count(rest, 'action')} can be applied."


def blocked(page: Page, part: ResourcePlan, told: Blocked) -> None:
    """A decision that waits for an answer."""
    much = f", {size_text(told.bytes)}" if told.bytes else ""
    _headline(page, "BLOCKED", "warn", f"{part.address}: {told.what}{much}", Exit.BLOCKED)
    page.flow(f"not known: {told.reason}", indent=3)
    if told.subjects:
        page.flow("It stays as it is." if told.subjects == 1 else f"All {told.subjects} stay as they are.", indent=3)
    if told.remedy:
        page.flow(told.remedy, indent=3)


def held(page: Page, held: Sequence[Held]) -> None:
    """What is deliberately left alone. Many for the same reason stand together."""
    groups: dict[tuple[str, str], list[Held]] = {}
    if len(held) > HELD_SHOWN:
        for item in held:
            groups.setdefault((item.reason, item.way_forward), []).append(item)
    else:
        groups = {(str(index), ""): [item] for index, item in enumerate(held)}
    for group in groups.values():
        page.blank()
        _held(page, group)


def _held(page: Page, group: Sequence[Held]) -> None:
    size = sum(item.bytes for item in group)
    first = group[0]
    title = name_of(first.subject) if len(group) == 1 else count(len(group), "item")
    much = f"{size_text(size)}: " if size else ""
    reason = span(f"{much}{first.reason}").text.split()
    page.pack(
        [[Span("held  ", "dim"), span(title if size else f"{title}:", "title"), *([Span("  ")] if size else [])]]
        + [[Span(word)] for word in reason],
        sep=" ",
        hang=6,
    )
    if first.way_forward:
        page.flow(first.way_forward, indent=6)
    if len(group) > 1:
        page.flow(listing([name_of(item.subject) for item in group], TITLES_SHOWN), indent=6)


def conflict(page: Page, found: Conflict) -> None:
    """Two wishes for one subject: both are named, neither is done."""
    _headline(page, "CONFLICT", "bad", found.title or found.subject, Exit.ERROR)
    page.flow(found.says, indent=3)
    page.flow(f"Neither is done. Change one of {listing(list(found.addresses))}.", indent=3)


def error(page: Page, part: ResourcePlan, text: str) -> None:
    """The wish does not fit the world."""
    page.blank()
    where = f"  {part.source}" if part.source else ""
    _headline(page, "ERROR", "bad", f"{part.address}{where}", Exit.ERROR)
    page.flow(text, indent=3)


def under_way(page: Page, going: UnderWay) -> None:
    """Something long that was begun earlier."""
    action = going.action
    done = ""
    if going.done_bytes is not None and going.total_bytes:
        share = f"{going.done_bytes / going.total_bytes:.0%}"
        done = f"{size_text(going.done_bytes)} of {size_text(going.total_bytes)} ({share})"
    page.pack(
        [
            [Span("under way  ", "verb"), span(f"{action.verb} "), span(name_of(action.subject), "title")],
            *([[Span(done)]] if done else []),
            *([[span(going.says)]] if going.says else []),
        ],
        hang=6,
    )
