"""What was done, as text: the list of runs, and one run with its actions.

Read from the journal; a run whose process died shows that, and what of it is still open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.errors import Exit
from reconciler.store import EntryRow, RunRow
from reconciler.units import age_text
from reconciler.views.actions import amount, name_of, number_of, side_by_side
from reconciler.views.differences import differences
from reconciler.views.look import Look
from reconciler.views.text import Page, Span, span, width_of

SHORT_PLAN = 8

# What the exit code of a run says of what was not done.
ENDS = {
    Exit.ERROR: "something failed or stopped half-way",
    Exit.REFUSED: "the rest was refused by a guard",
    Exit.STALE: "the rest had changed since the plan",
    Exit.LOCKED: "another process was at work",
    Exit.BLOCKED: "the rest was not known",
}


def history_page(runs: Sequence[RunRow], look: Look) -> Page:
    """Runs, newest first."""
    page = Page()
    if not runs:
        page.line("Nothing was applied yet. Begin with: arr plan")
        return page
    page.line(Span(f"{'run':<9}{'begun':<19}{'took':<11}{'command':<9}result", "dim"))
    for row in runs:
        run_lines(page, row, look)
    page.blank()
    back = next((row for row in runs if row.command == "apply" and row.outcomes.get("done")), None)
    undo = [("Take one back", f"arr undo {back.run}")] if back else []
    page.ways(("One of them", f"arr show {runs[0].run}"), *undo)
    return page


def run_lines(page: Page, row: RunRow, look: Look) -> None:
    """One run: when, how long, what, and how it ended; on a line of its own where that is long."""
    took = age_text((row.ended - row.began).total_seconds()) if row.ended else "–"
    start, result = f"{row.run:<9}{look.moment(row.began):<19}{took:<11}{row.command:<9}", span(result_text(row))
    if width_of([span(start), result]) <= page.width:
        page.line(span(start), result)
    else:
        page.line(span(start))
        page.flow(result.text, indent=9)


def result_text(row: RunRow) -> str:
    """How a run ended, and what its exit code means; a run without an end says so."""
    counted = outcomes_text(row.outcomes)
    if row.ended is None:
        return f"not ended: still going, or its process died{f'; {counted}' if counted else ''}"
    rest = outcomes_text({outcome: n for outcome, n in row.outcomes.items() if outcome != "done"})
    told = ENDS.get(Exit(row.exit), "") if row.exit in list(Exit) and not rest else ""
    code = f", {told} (exit {row.exit})" if told else f" (exit {row.exit})" if row.exit else ""
    counted = f"{row.says}; {rest}" if row.says and rest and row.command == "apply" else row.says or counted
    return f"{counted or 'nothing to do'}{code}"


def outcomes_text(outcomes: Mapping[str, int]) -> str:
    """`2 done, 1 failed`."""
    return ", ".join(f"{number} {state}" for state, number in sorted(outcomes.items()) if number)


def run_page(row: RunRow, entries: Sequence[EntryRow], look: Look) -> Page:
    """One run and what became of each of its actions."""
    page = Page()
    page.edges([span(f"run {row.run}", "head"), Span(f"  {row.command}")], [span(_plan(row), "dim")])
    ended = f"ended {look.moment(row.ended)}" if row.ended else "no end recorded"
    page.line(f"begun {look.moment(row.began)}, {ended}")
    page.flow(result_text(row))
    if not entries:
        page.blank()
        page.line("It changed nothing.")
    else:
        page.blank()
    address = ""
    for entry in entries:
        if entry.action.address != address:
            address = entry.action.address
            page.line(span(address, "head"))
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
            [span(look.moment(entry.settled or entry.intended), "dim")],
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
