"""What `arr doctor` found, as text: a block per connection and per disk, a line per look, the remedy under what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from reconciler.connection import Finding
from reconciler.views.look import count
from reconciler.views.text import Page, Span, span, words

MARKS = {True: ("ok", "good"), False: ("BAD", "bad"), None: ("?", "warn")}
MARK_WIDTH = 7
LABEL_MOST = 30


Block = tuple[str, Sequence[Finding]]


def doctor_page(found: Sequence[Block], disks: Sequence[Block] = ()) -> Page:
    """All connections and disks, the healthy ones too: silence would not tell that they were looked at."""
    page = Page()
    for title, findings in (*found, *disks):
        page.blank()
        page.line(span(title, "head"))
        label = min(LABEL_MOST, max((cell_len(f.what) for f in findings), default=0))
        for finding in findings:
            _finding(page, finding, label)
    page.blank()
    if not found:
        page.line("No connection is declared. Begin with: arr init")
        return page
    looks = [f for _, findings in (*found, *disks) for f in findings]
    bad, unknown = sum(f.ok is False for f in looks), sum(f.ok is None for f in looks)
    what = count(len(found), "connection") + (f" and {count(len(disks), 'disk')}" if disks else "")
    if bad or unknown:
        unseen = f", {unknown} could not be looked at" if unknown else ""
        page.flow(f"{count(bad, 'fault')}{unseen}, in {what}.")
    else:
        page.flow(f"{what}: all is well.")
    return page


def _finding(page: Page, finding: Finding, label: int) -> None:
    mark, style = MARKS[finding.ok]
    column = MARK_WIDTH + label + 2
    page.pack(
        [[Span(f"   {mark:<4}", style), span(f"{finding.what:<{label}} ")], *words(finding.says)], sep=" ", hang=column
    )
    if finding.remedy and finding.ok is not True:
        page.pack([[Span("→")], *words(finding.remedy)], sep=" ", indent=column, hang=column + 2)
