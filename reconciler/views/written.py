"""What `arr init` and `arr schema` wrote, as text, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.views.text import Page, Span, span


def schema_page(file: str, reference: str) -> Page:
    """The schema is written; this line in a file makes an editor use it."""
    page = Page()
    page.pack([[Span("wrote ")], [span(file, "title")]], sep="")
    page.flow("Put this at the top of each of your files, and your editor completes and checks them:")
    page.pack([[span(f"# yaml-language-server: $schema={reference}", "head")]], indent=3)
    return page


def init_page(written: Sequence[str], kept: Sequence[str], variables: Sequence[str], hint: str = "") -> Page:
    """The first files are there. `variables`: environment variables that have to hold the keys; `hint`: what is left."""
    page = Page()
    for file in written:
        page.pack([[Span("wrote ")], [span(file, "title")]], sep="")
    for file in kept:
        page.pack([[Span("kept  ", "dim")], [span(file, "title")], [Span(" (it was there already)", "dim")]], sep="")
    if hint:
        page.flow(hint, hang=3)
    page.blank()
    for name in variables:
        page.pack([[span(f"export {name}=…", "head")]])
    if not kept and not variables:
        page.flow("Name your servers in it, then:")
    page.line(Span("arr doctor", "head"), Span("     are they reachable, do the keys fit"))
    page.line(Span("arr plan", "head"), Span("       what would be done; it changes nothing"))
    return page
