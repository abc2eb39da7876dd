"""What `arr doctor` found, as text: one block per connection, one line per look, the remedy under what is not well."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from reconciler.connection import Finding
from reconciler.views.look import count
from reconciler.views.text import Page, Span, span, words

MARKS = {True: ("ok", "good"), False: ("BAD", "bad"), None: ("?", "warn")}
MARK_WIDTH = 7
LABEL_MOST = 30


def doctor_page(found: Sequence[tuple[str, Sequence[Finding]]]) -> Page:
    """All connections, the healthy ones too: silence would not tell that they were looked at."""
    page = Page()
    for connection, findings in found:
        page.blank()
        page.line(span(connection, "head"))
        label = min(LABEL_MOST, max((cell_len(f.what) for f in findings), default=0))
        for finding in findings:
            _finding(page, finding, label)
    page.blank()
    if not found:
        page.line("No connection is declared. Begin with: arr init")
        return page
    bad = sum(f.ok is False for _, findings in found for f in findings)
    unknown = sum(f.ok is None for _, findings in found for f in findings)
    if bad or unknown:
        page.flow(f"{count(bad, 'fault')}, {unknown} could not be looked at, in {count(len(found), 'connection')}.")
    else:
        page.flow(f"{count(len(found), 'connection')}: all is well.")
    return page


def _finding(page: Page, finding: Finding, label: int) -> None:
    mark, style = MARKS[finding.ok]
    column = MARK_WIDTH + label + 2
    page.pack(
        [[Span(f"   {mark:<4}", style), span(f"{finding.what:<{label}} ")], *words(finding.says)], sep=" ", hang=column
    )
    if finding.remedy and finding.ok is not True:
        page.pack([[Span("→")], *words(finding.remedy)], sep=" ", indent=column, hang=column + 2)
