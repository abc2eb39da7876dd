"""What was done, as text: the list of runs, and one run with its actions.

Read from the journal; a run whose process died shows that, and what of it is still open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.store import EntryRow, RunRow
from reconciler.units import age_text
from reconciler.views.actions import amount, name_of, number_of, side_by_side
from reconciler.views.differences import differences
from reconciler.views.look import Look
from reconciler.views.text import Page, Span, span

SHORT_PLAN = 8


def history_page(runs: Sequence[RunRow], look: Look) -> Page:
    """Runs, newest first."""
    page = Page()
    if not runs:
        page.line("Nothing was applied yet. Begin with: arr plan")
        return page
    page.line(Span(f"{'run':<9}{'begun':<21}{'took':<11}{'command':<10}result", "dim"))
    for row in runs:
        page.pack([[span(_row(row, look))], *([span(word)] for word in result_text(row).split())], sep=" ", hang=51)
    page.blank()
    page.ways(("One of them", f"arr show {runs[0].run}"), ("Take one back", f"arr undo {runs[0].run}"))
    return page


def _row(row: RunRow, look: Look) -> str:
    took = age_text((row.ended - row.began).total_seconds()) if row.ended else "–"
    return f"{row.run:<9}{look.stamp(row.began):<21}{took:<11}{row.command:<9}"


def result_text(row: RunRow) -> str:
    """How a run ended; a run without an end says so."""
    counted = outcomes_text(row.outcomes)
    if row.ended is None:
        return f"not ended: still going, or its process died{f'; {counted}' if counted else ''}"
    code = f" (exit {row.exit})" if row.exit else ""
    return f"{row.says or counted or 'nothing to do'}{code}"


def outcomes_text(outcomes: Mapping[str, int]) -> str:
    """`2 done, 1 failed`."""
    return ", ".join(f"{number} {state}" for state, number in sorted(outcomes.items()) if number)


def run_page(row: RunRow, entries: Sequence[EntryRow], look: Look) -> Page:
    """One run and what became of each of its actions."""
    page = Page()
    page.edges([span(f"run {row.run}", "head"), Span(f"  {row.command}")], [span(_plan(row), "dim")])
    page.line(f"begun {look.stamp(row.began)}, {f'ended {look.stamp(row.ended)}' if row.ended else 'no end recorded'}")
    page.flow(result_text(row))
    if not entries:
        page.blank()
        page.line("It changed nothing.")
    else:
        page.blank()
    for entry in entries:
        _entry(page, entry, look)
    if any(entry.action.undo is not None and entry.state == "done" for entry in entries):
        page.blank()
        page.ways(("Take it back", f"arr undo {row.run}"))
    return page


def _plan(row: RunRow) -> str:
    return f"plan {row.plan[:SHORT_PLAN]}" if row.plan else ""


def _entry(page: Page, entry: EntryRow, look: Look) -> None:
    action = entry.action
    style = {"done": "good", "failed": "bad", "broken": "bad", "unknown": "warn"}.get(entry.state, "verb")
    told = amount(action.effects)
    page.pack(
        [
            [
                Span(f"{entry.state:<9}", style),
                span(f"{number_of(action):>2}  {action.verb}  "),
                span(name_of(action.subject), "title"),
            ],
            *([[span(told)]] if told else []),
            [span(f"[{action.subject.connection}]", "dim")],
            [span(look.stamp(entry.settled or entry.intended), "dim")],
        ],
        hang=13,
    )
    for text in differences(action):
        for row in side_by_side(text, page.width - 13):
            page.pack([[span(row)]], indent=13, hang=15)
    if entry.says:
        page.flow(entry.says, indent=13)
    if action.undo is None and entry.state == "done":
        page.flow("cannot be taken back", indent=13, style="dim")
