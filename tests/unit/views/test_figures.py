"""Bars, levels and differences: figures are exact, and every change shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.views.differences import changed, differences
from reconciler.views.disks import ASCII, BAR, Levels, drawn
from reconciler.views.look import count, listing
from reconciler.views.text import Page, span
from tests.unit.views import examples as e


@pytest.mark.parametrize(("before", "after"), [(0.92, 0.819), (0.75, 0.79), (0, 1), (1, 0), (0.5, 0.5), (1.2, 0.3)])
def test_a_bar_is_always_as_wide(before: float, after: float) -> None:
    """Whatever the fill, a bar fills its cells exactly."""
    assert sum(len(part.text) for part in drawn(before, after, ASCII)) == BAR


def test_a_bar_shows_which_way() -> None:
    """What leaves and what arrives have their own marks."""
    text = "".join(part.text for part in drawn(0.5, 0.4, ASCII, 20))
    assert text == "########--.........."
    assert "".join(part.text for part in drawn(0.4, 0.5, ASCII, 20)) == "########++.........."


def test_a_small_change_still_shows() -> None:
    """A change smaller than a cell takes one."""
    assert "+" in "".join(part.text for part in drawn(0.5, 0.501, ASCII))
    assert "-" in "".join(part.text for part in drawn(0.501, 0.5, ASCII))


def test_levels_follow_the_actions() -> None:
    """Each action starts where the one before it left the disk, and the last one ends at the bar's figure."""
    levels = Levels(e.DISKS)
    steps = [[chunk[0].text for chunk in levels.step(action)] for action in (e.EXPANSE, e.FARGO)]
    assert steps == [["d1 92.0 → 85.9%", "d3 60.0 → 64.1%"], ["d1 85.9 → 81.9%", "d2 75.0 → 79.0%"]]


def test_a_disk_without_size_shows_bytes() -> None:
    """No size, no percentage: it is never guessed."""
    unsized = e.DISKS[0].model_copy(update={"size": None, "used": None, "used_after": None})
    assert [chunk[0].text for chunk in Levels((unsized,)).step(e.EXPANSE)] == ["d1 −488 GB", "d3 +488 GB"]


def test_differences_of_nested_settings() -> None:
    """A difference names the field inside the setting; what is equal is not shown."""
    assert differences(e.NESTED) == ["fields[1].value: 2 → 3", "old: true → nothing", "tags[1]: y"]


def test_a_changed_type_is_a_change() -> None:
    """1 and "1" are told apart, 1 and 1.0 are not."""
    assert list(changed({"a": 1}, {"a": "1"})) == [("a", 1, "1")]
    assert list(changed({"a": [1]}, {"a": [1.0]})) == []


def test_moments() -> None:
    """A time of today has no date; others have as much of one as they need."""
    times = [timedelta(), timedelta(days=1), timedelta(days=-1), timedelta(days=9), timedelta(days=-400)]
    assert [e.LOOK.moment(e.NOW + d) for d in times] == [
        "14:02", "tomorrow 14:02", "yesterday 14:02", "12 Nov 14:02", "29 Sep 2025 14:02",
    ]  # fmt: skip


def test_counts_and_lists() -> None:
    """Numbers agree with their nouns, and long lists say how much they leave out."""
    assert [count(n, "move") for n in (0, 1, 2)] == ["no moves", "1 move", "2 moves"]
    assert [count(2, noun) for noun in ("copy", "fix", "delay")] == ["2 copies", "2 fixes", "2 delays"]
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing([str(n) for n in range(12)], 3) == "0, 1, 2 and 9 more"


def test_a_tab_stops_where_it_should() -> None:
    """The right part starts at its column, or right after what is longer."""
    page = Page()
    page.tab([span("abc")], [span("x")], indent=2, stop=10)
    page.tab([span("a" * 20)], [span("x")], indent=2, stop=10)
    assert page.plain().splitlines() == ["  abc     x", "  " + "a" * 20 + "   x"]
