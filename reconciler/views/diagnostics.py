"""What is wrong with the desired state, or with a call, as text: place, message, the line itself, a caret, the remedy.

    disks.yaml:12:9: percents go up to 100%                          disks.d1.max
        max: 930%
             ^
        did you mean 93%?

All of them, in the order of the files. The line is data: a tab is one cell and control characters are made visible, so
that the caret stands where the mark says.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from reconciler.errors import ArrError, Diagnostic, Mark
from reconciler.views.text import Page, Span, safe, span

INDENT = 4
LEFT_OF_CARET = 40  # cells of context before the caret, where a line is too long to show whole


def diagnostics_page(found: Sequence[Diagnostic]) -> Page:
    """Every diagnostic, sorted by place."""
    page = Page()
    first = Mark("", 0, 0)
    for diagnostic in sorted(found, key=lambda d: (d.mark or first, d.field, d.message)):
        page.blank()
        _diagnostic(page, diagnostic)
    return page


def error_page(error: ArrError) -> Page:
    """An error that ended the command, with its diagnostics when it has some."""
    diagnostics: Sequence[Diagnostic] = getattr(error, "diagnostics", ())
    page = diagnostics_page(diagnostics)
    page.blank()
    first, *more = error.message.splitlines() or [""]
    page.pack([[Span("error: ", "bad"), span(first)]], hang=7)
    for line in more:
        page.flow(line, indent=7)
    if error.remedy:
        page.pack([[Span("→ "), span(error.remedy)]], indent=5, hang=7)
    return page


def _diagnostic(page: Page, diagnostic: Diagnostic) -> None:
    place = f"{diagnostic.mark}: " if diagnostic.mark else ""
    page.pack([[span(place, "head"), span(diagnostic.message, "bad")]], hang=INDENT)
    if diagnostic.excerpt and diagnostic.mark:
        _excerpt(page, diagnostic.excerpt, diagnostic.mark.column)
    if diagnostic.field:
        page.pack([[span(f"in {diagnostic.field}", "dim")]], indent=INDENT)
    if diagnostic.hint:
        page.flow(diagnostic.hint, indent=INDENT)


def _excerpt(page: Page, excerpt: str, column: int) -> None:
    """The line and a caret under its `column`; a part of the line where it is too long."""
    line = excerpt.splitlines()[0].replace("\t", " ") if excerpt.strip() else ""
    before, after = safe(line[: column - 1]), safe(line[column - 1 :])
    room = page.width - INDENT
    if cell_len(before) + cell_len(after) > room:
        cut = "…" if cell_len(before) > LEFT_OF_CARET else ""
        before = cut + before[-LEFT_OF_CARET:] if cut else before
        while cell_len(before) > room - 10:
            before = cut + before[len(cut) + 1 :]
        while cell_len(before) + cell_len(after) > room:
            after = after[:-2] + "…"
    page.line(Span(" " * INDENT), Span(before + after))
    page.line(Span(" " * (INDENT + cell_len(before)) + "^", "bad"))
