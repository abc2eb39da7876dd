"""`arr settle` as text: what is open in the journal, one entry before it is closed by hand, and that it was.

Says what was to be done, what looking tells, and what closing it does and does not do. Nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.apply.by_hand import Entry
from reconciler.views.actions import amount, name_of, side_by_side
from reconciler.views.differences import differences
from reconciler.views.look import Look
from reconciler.views.text import Page, Span, span

INDENT = 3


def entries_page(entries: Sequence[Entry], look: Look) -> Page:
    """Everything that has no outcome yet."""
    page = Page()
    if not entries:
        page.line("Nothing is open: the journal knows how everything ended.")
        return page
    for entry in entries:
        page.blank()
        _entry(page, entry, look)
        why, way = entry.refusal
        if why:
            page.flow(f"Not to be settled by hand: {why}", indent=INDENT)
            page.flow(way, indent=INDENT)
        else:
            page.ways(("   Close it", f"arr settle {entry.name} --as done|not-done"))
    return page


def entry_page(entry: Entry, look: Look) -> Page:
    """One entry, and what closing it means."""
    page = Page()
    _entry(page, entry, look)
    page.blank()
    page.flow("Look for yourself where it lies before you say how it ended.")
    page.flow(
        "done: the effect is there, whole. It counts as done, with its cool-down.", indent=INDENT, hang=INDENT + 2
    )
    page.flow("not-done: nothing of it is there. It may be planned again.", indent=INDENT, hang=INDENT + 2)
    page.flow("No server is told anything and no file is touched: only the journal is written.")
    return page


def _entry(page: Page, entry: Entry, look: Look) -> None:
    action = entry.action
    page.line(span(entry.name, "head"))
    told = amount(action.effects)
    page.pack(
        [
            [Span(f"{action.verb}  ", "verb"), span(name_of(action.subject), "title")],
            [span(action.subject.key, "dim")],
            *([[span(told)]] if told else []),
            [span(f"[{action.subject.connection}]", "dim")],
        ],
        indent=INDENT,
    )
    for text in differences(action):
        for row in side_by_side(text, page.width - INDENT):
            page.pack([[span(row)]], indent=INDENT, hang=INDENT + 2)
    word = "accepted by the server" if entry.accepted else "intended; whether it was sent is not known"
    page.flow(f"begun {look.moment(entry.at)}, {word}", indent=INDENT)
    said = entry.stuck or entry.verdict.says
    page.flow(f"not known: {said}" if entry.verdict.state == "unknown" else said, indent=INDENT)


def settled_page(entry: Entry, ended: str, run: str) -> Page:
    """It is closed."""
    page = Page()
    page.pack([[Span("settled ", "good")], [span(entry.name, "title")], [Span(f"as {ended} (run {run})")]], sep=" ")
    page.ways(("What would be done now", "arr plan"), ("The journal", f"arr show {entry.run}"))
    return page
