"""The end of an apply as text: what was done, what was not and why, what is left, how to go on.

Called by `arr apply` once the executor is through, also after Ctrl-C. The exit code is the report's own; the last line
says what to type next.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.apply.report import Outcome, Report, State
from reconciler.errors import Exit
from reconciler.units import age_text
from reconciler.views.actions import amount, name_of, number_of
from reconciler.views.look import listing
from reconciler.views.text import Chunk, Page, Span, span

STATE_STYLE: dict[str, str] = {
    "done": "good", "running": "verb", "failed": "bad", "broken": "bad", "unknown": "warn", "stale": "warn",
    "blocked": "warn", "refused": "bad", "skipped": "dim", "left": "dim",
}  # fmt: skip

# What a state is called in sums: "2 done, 1 not begun".
STATE_WORDS: dict[State, str] = {
    "done": "done",
    "failed": "failed",
    "broken": "stopped half-way",
    "unknown": "not known",
    "running": "still running",
    "stale": "not touched: changed since the plan",
    "blocked": "not touched: not known",
    "refused": "refused",
    "skipped": "skipped",
    "left": "not begun",
}
SAME_SHOWN = 3


def headline(report: Report) -> str:
    """What came of it, in a word or two."""
    states = [o.state for o in report.outcomes]
    if report.interrupted:
        return "Interrupted."
    if "broken" in states:
        return "Stopped half-way."
    if all(s in ("done", "running") for s in states):
        return "Applied."
    return "Partly applied." if "done" in states else "Nothing was applied."


def report_page(report: Report, short: str, code: Exit) -> Page:
    """The report of one run. `code`: what the command ends with."""
    page = Page()
    if report.settled:
        page.line("From earlier runs:")
        outcomes_by_resource(page, report.settled)
        page.blank()
    page.edges([Span(headline(report), "head")], [_name(report, short)])
    outcomes_by_resource(page, report.outcomes)
    page.blank()
    page.flow(totals(report.outcomes))
    for line in forward(report):
        page.flow(line)
    if report.outcomes and all(outcome.state == "done" for outcome in report.outcomes):
        page.ways(("Look again", "arr plan"), ("What it did", f"arr show {report.run}"))
    if code is not Exit.OK:
        page.line(Span(f"(exit {int(code)})", "dim"))
    return page


def outcomes_by_resource(page: Page, outcomes: Sequence[Outcome]) -> None:
    """Outcomes under the names of their resources, whose actions are numbered each from 1. Many alike are summed up."""
    address = ""
    for group in _groups(outcomes):
        if group[0].action.address != address:
            address = group[0].action.address
            page.line(span(address, "head"))
        for outcome in group[:SAME_SHOWN] if _brief(group) else group:
            outcome_lines(page, outcome)
        if _brief(group) and len(group) > SAME_SHOWN:
            names = [name_of(o.action.subject) for o in group[SAME_SHOWN:]]
            page.flow(f"{group[0].state} as well: {listing(names)}", indent=3, hang=6)


def _name(report: Report, short: str) -> Span:
    return span(f"run {report.run} · plan {short}", "dim")


def _groups(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Neighbours of one resource that ended alike, for the same reason."""
    groups: list[list[Outcome]] = []

    def ending(of: Outcome) -> tuple[str, ...]:
        return (of.action.address, of.state, of.says, of.remedy)

    for outcome in outcomes:
        if groups and ending(groups[-1][0]) == ending(outcome):
            groups[-1].append(outcome)
        else:
            groups.append([outcome])
    return groups


def _brief(group: Sequence[Outcome]) -> bool:
    """Whether a group may be summed up: what was not even begun needs no line for each."""
    return group[0].state in ("left", "refused", "skipped")


def outcome_lines(page: Page, outcome: Outcome) -> None:
    """One action and how it ended."""
    action = outcome.action
    chunks: list[Chunk] = [
        [
            Span(f"{outcome.state:<8} ", STATE_STYLE[outcome.state]),
            span(f"{number_of(action):>2}  {action.verb}  "),
            span(name_of(action.subject), "title"),
        ]
    ]
    if told := amount(action.effects):
        chunks.append([span(told)])
    if outcome.seconds is not None and outcome.seconds >= 1 and outcome.state == "done":
        chunks.append([Span(age_text(outcome.seconds))])
    chunks.append([span(f"[{action.subject.connection}]", "dim")])
    page.pack(chunks, hang=13)
    if outcome.says:
        page.flow(outcome.says, indent=13)
    if outcome.remedy and outcome.state != "done":
        page.flow(outcome.remedy, indent=13)


def totals(outcomes: Sequence[Outcome]) -> str:
    """`2 done, 1 not begun.`"""
    numbers = {state: sum(o.state == state for o in outcomes) for state in STATE_WORDS}
    told = [f"{number} {STATE_WORDS[state]}" for state, number in numbers.items() if number]
    return f"{', '.join(told)}." if told else "There was nothing to do."


def forward(report: Report) -> list[str]:
    """What to do next, by what is left."""
    states = {outcome.state for outcome in report.outcomes}
    lines = []
    if "running" in states:
        lines.append("What is still running goes on without us. Follow it: arr status")
    if "unknown" in states:
        lines.append("What may have happened is looked up by the next run: arr plan")
    if "broken" in states:
        lines.append("What stopped half-way is mended by the next plan: arr plan")
    if "refused" in states:
        lines.append("A used plan is not used twice. To do what was refused: arr plan, then arr apply with --approve")
    if states & {"failed", "stale", "blocked", "skipped", "left"} and not states & {"broken", "unknown"}:
        lines.append("To go on with the rest: arr plan")
    return lines
