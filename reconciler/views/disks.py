"""Disks before and after: the table with its bars, and what one action does to each disk.

The bars of a proposal carry bytes; percentages are made here and only where the size is known. A bar is one line: what
stays, what leaves, what arrives and what is free, each with its own mark, so it reads without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from reconciler.action import Action, Bar
from reconciler.units import size_text
from reconciler.views.look import Look
from reconciler.views.text import Chunk, Page, Span, safe, span, words

BAR = 50
BLOCKS = {"stays": "█", "leaves": "▒", "arrives": "▓", "free": "·"}
ASCII = {"stays": "#", "leaves": "-", "arrives": "+", "free": "."}
_STYLE = {"stays": "", "leaves": "good", "arrives": "warn", "free": "dim"}


def percent(part: int, whole: int) -> str:
    """`92.0%`: always one decimal, so that columns stand."""
    return f"{part / whole * 100:.1f}%"


def signed(change: int) -> str:
    """`+318 GB`, `−806 GB`, `0 B`."""
    return f"+{size_text(change)}" if change > 0 else size_text(change)


def disk_table(page: Page, bars: Sequence[Bar], look: Look) -> None:
    """A row and a bar per disk. Without a size the row shows what is free."""
    if not bars:
        return
    name = min(24, max(4, *(cell_len(safe(bar.name)) for bar in bars)))
    page.line(Span(f"{'disk':<{name}}{'size':>9}{'now':>8}{'after':>8}{'change':>11}   wanted", "dim"))
    marks = BLOCKS if look.blocks else ASCII
    for bar in bars:
        _row(page, bar, name)
        if bar.size and bar.used is not None and bar.used_after is not None:
            page.line(Span(" " * (name + 2)), *drawn(bar.used / bar.size, bar.used_after / bar.size, marks))
        if bar.reserved:
            told = f"{signed(bar.reserved)} of the change is under way already"
            page.line(Span(" " * (name + 2)), Span(told, "dim"))
    if any(bar.used != bar.used_after for bar in bars):
        page.line(Span(" " * (name + 2) + "   ".join(f"{mark} {what}" for what, mark in marks.items()), "dim"))


def _row(page: Page, bar: Bar, name: int) -> None:
    title = safe(bar.name)
    size, now, after = _figures(bar)
    change = signed(bar.free - bar.free_after)
    style = "" if bar.ok else "warn"
    wanted = words(bar.wanted if bar.ok else f"not reached: {bar.wanted}", style)
    figures = f"{' ' * max(0, name - cell_len(title))}{size:>9}{now:>8}{after:>8}{change:>11}"
    start = max(name, cell_len(title)) + 36
    page.pack([[Span(title, "title"), Span(f"{figures}  ")], *wanted], sep=" ", hang=start + 3)


def _figures(bar: Bar) -> tuple[str, str, str]:
    """Size, now and after; without a size what is used, or `?`."""
    if bar.size and bar.used is not None and bar.used_after is not None:
        return size_text(bar.size), percent(bar.used, bar.size), percent(bar.used_after, bar.size)
    if bar.used is not None and bar.used_after is not None:
        return "?", size_text(bar.used), size_text(bar.used_after)
    return "?", "?", "?"


def drawn(before: float, after: float, marks: dict[str, str], width: int = BAR) -> list[Span]:
    """One bar of `width` cells. A change that is too small for a cell still shows as one."""
    full_before, full_after = _cells(before, width), _cells(after, width)
    if full_before == full_after and round(before, 4) != round(after, 4):
        full_before = full_before + (-1 if after > before else 1)
        full_before = min(width, max(0, full_before))
    low, high = sorted((full_before, full_after))
    moving = "arrives" if after > before else "leaves"
    cells = {"stays": low, moving: high - low, "free": width - high}
    return [Span(marks[what] * number, _STYLE[what]) for what, number in cells.items() if number]


def _cells(fraction: float, width: int) -> int:
    return min(width, max(0, round(fraction * width)))


class Levels:
    """How full each disk is as the actions of one resource go on, so that every action shows from and to."""

    def __init__(self, bars: Iterable[Bar]) -> None:
        self._size = {bar.name: bar.size for bar in bars if bar.size and bar.used is not None}
        self._used = {bar.name: bar.used for bar in bars if bar.size and bar.used is not None}

    def step(self, action: Action) -> list[Chunk]:
        """`d1 92.0 → 85.9%` for every disk that the action changes; bytes where no size is known."""
        return [[span(self._moved(name, change))] for name, change in action.effects.disks.items() if change]

    def _moved(self, name: str, change: int) -> str:
        size = self._size.get(name)
        if not size:
            return f"{name} {signed(change)}"
        before = self._used[name]
        self._used[name] = before + change
        return f"{name} {percent(before, size).removesuffix('%')} → {percent(before + change, size)}"
