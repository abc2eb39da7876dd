"""`arr explain` as text: what something is, how it is written, what may stand below it. From the same source as the schema."""

from __future__ import annotations

from reconciler.desired.explain import Explained
from reconciler.views.text import Page, Span, span


def explain_page(told: Explained) -> Page:
    """One place of the desired state, and the places right below it."""
    page = Page()
    page.edges([span(told.path or "the desired state", "head")], [span(_form(told), "dim")])
    page.flow(told.description, indent=2)
    if told.children:
        page.blank()
    for child in told.children:
        page.pack([[span(child.name, "title")], [span(_form(child), "dim")]], indent=2, hang=6)
        if child.description:
            page.flow(child.description, indent=6)
    if told.children:
        page.blank()
        below = f"{told.path}." if told.path else ""
        page.pack([[Span("One of them:")], [span(f"arr explain {below}{told.children[0].name}", "head")]], sep=" ")
    return page


def _form(told: Explained) -> str:
    """`size, as 500 GB; required`, `boolean; default false`."""
    if told.required:
        return f"{told.type}; required" if told.path else told.type
    return f"{told.type}; default {told.default}" if told.default is not None else f"{told.type}; optional"
