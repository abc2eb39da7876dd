"""How things stand, as text: what is declared, what is under way, the latest runs; and one item's verdicts (`arr why`).

Nothing here asks the servers for anything: that is `arr plan`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from reconciler.apply.report import Outcome
from reconciler.kind import Resource
from reconciler.store import RunRow
from reconciler.views.journal import run_lines
from reconciler.views.look import Look, count
from reconciler.views.report import outcomes_by_resource
from reconciler.views.text import Page, Span, span


def status_page(
    resources: Sequence[Resource[Any]],
    applied: Collection[str],
    pending: Sequence[Outcome],
    runs: Sequence[RunRow],
    state: Path,
    look: Look,
) -> Page:
    """Resources, what is under way, latest runs. `applied`: addresses whose wish was acted on before."""
    page = Page()
    if not resources:
        page.line("No resource is declared yet. What can be: arr explain")
    else:
        width = min(40, max(len(str(r.address)) for r in resources))
        for resource in resources:
            _resource(page, resource, str(resource.address) in applied, width)
    page.blank()
    if pending:
        page.line(Span("Under way or open:", "head"))
        outcomes_by_resource(page, pending)
    else:
        page.line("Nothing is under way.")
    page.blank()
    if runs:
        page.line(Span("Latest runs:", "head"))
    for row in runs:
        run_lines(page, row, look)
    page.blank()
    page.pack([[span(f"State: {state}", "dim")]], hang=3)
    page.ways(("What would be done now", "arr plan"), ("What was done", "arr history"))
    return page


def _resource(page: Page, resource: Resource[Any], applied: bool, width: int) -> None:
    mark = resource.marks.get("")
    word = "paused" if resource.spec.paused else "applied before" if applied else "never applied"
    where = f"   {mark.file}:{mark.line}" if mark else ""
    page.pack([[span(f"{resource.address!s:<{width}}", "head")], [Span(word)], [span(where.strip(), "dim")]], hang=3)


def why_page(item: str, verdicts: Sequence[tuple[str, list[str]]], asked: int) -> Page:
    """Each resource's verdict on one item. `asked`: how many resources there are."""
    page = Page()
    for address, lines in verdicts:
        page.blank()
        page.pack([[span(address, "head")], [span(item, "title")]])
        for line in lines:
            deeper = len(line) - len(line.lstrip(" "))
            page.flow(line, indent=3 + deeper, hang=5 + deeper)
    if not verdicts:
        page.flow(f"No resource has anything to say of '{item}' ({asked} asked).")
        page.flow("Write the title as the app shows it, or an id as tvdb:280619.")
    return page


def validation_page(resources: Sequence[Resource[Any]], files: Sequence[str], connections: int) -> Page:
    """What a desired state without errors holds."""
    page = Page()
    kinds: dict[str, int] = {}
    for resource in resources:
        kinds[resource.address.kind] = kinds.get(resource.address.kind, 0) + 1
    page.line(Span("Valid. ", "good"), Span("No server was asked."))
    each = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    what = f"{count(len(resources), 'resource')}{f' ({each})' if each else ''}"
    told = f"{what} over {count(connections, 'connection')}, in {count(len(files), 'file')}."
    page.flow(told[0].upper() + told[1:])
    if not resources:
        page.flow("Wish for something next: arr explain says what can be.")
    return page


def version_page(arr: str, python: str, kinds: Sequence[str], apps: Sequence[str]) -> Page:
    """The program and what is installed with it."""
    page = Page()
    page.line(Span(f"arr {arr}", "head"), Span(f" · Python {python}"))
    page.flow(f"kinds: {', '.join(kinds) or 'none'}", hang=3)
    page.flow(f"apps: {', '.join(apps) or 'none'}", hang=3)
    return page
