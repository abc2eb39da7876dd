"""Landmarks: a few folders that stand in a root when a move comes to it. Without them the root is not mounted.

Planning puts them into a move, so that the move itself need not read a list of thousands of items to see that its target
is no bare mount point. The items known longest come first, so that the same plan names the same ones. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from resources.disk_fill.choose import Choice, Step
from resources.disk_fill.eligibility import HIDDEN
from resources.disk_fill.ground import Survey

MOST = 8


class Landmarks:
    """Those of one plan."""

    def __init__(self, seen: Survey, choice: Choice) -> None:
        self.steps = (*choice.near, *choice.later)
        going = {step.thing.key for step in self.steps}
        self.stay: dict[tuple[str, str], list[str]] = {}
        for thing in sorted(seen.view.things, key=lambda t: t.item.id):
            place = (thing.connection, thing.root)
            torn = seen.ground.torn.get(place, ())
            shown = thing.item.files and thing.folded not in HIDDEN and thing.folder not in torn
            if shown and thing.key not in going:
                self.stay.setdefault(place, []).append(thing.folder)

    def of(self, step: Step) -> dict[str, list[str]]:
        """Root → names in it, for both roots of a step: its undo asks the other one."""
        return {root: [*islice(self._in(step, root), MOST)] for root in (step.thing.root, step.root)}

    def _in(self, step: Step, root: str) -> Iterator[str]:
        place = (step.thing.connection, root)
        yield from self.stay.get(place, ())
        for other in self.steps:
            if other is step:
                return
            if (other.thing.connection, other.root) == place:
                yield other.thing.folder
