"""The simulation of torrents: clients, cross-seeds, hard links, orphans, quarantine, under any wish and any operations.

The course is that of `tests/simulation/course.py`; files and arr are real, clients are simulated, and the line to them can
break. A process may die at each commit to its state and at each step it takes on the disk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from reconciler.apply.report import Report
from reconciler.clock import FakeClock
from reconciler.plan.model import Plan
from tests.kinds.torrent_retention.line import Strike
from tests.simulation.course import Course
from tests.simulation.torrents import wish
from tests.simulation.torrents.drift import DRIFTS
from tests.simulation.torrents.laws import TorrentLaws
from tests.simulation.torrents.yard import Yard
from tests.simulation.wish import nth
from tests.simulation.witness import Broke, Witness, watched

STEPS = ("rename", "unlink", "rmdir", "mkdir", "link")  # of `os`: a process may die before each, and after


class TorrentSimulation(Course):
    """See the module."""

    yard: Yard
    laws: TorrentLaws
    rounds = 6  # one thing may wait for another: a pair goes one by one, an orphan is one only when its torrent is gone

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()

    def __exit__(self, *error: object) -> None:
        self._open.close()
        super().__exit__(*error)

    @contextmanager
    def _looked_at(self) -> Iterator[None]:
        """What happens in here arr does."""
        self.laws.before()
        yield
        if wrong := self.laws.after():
            raise Broke("; ".join(wrong))

    def _make_plan(self, *args: Any, **more: Any) -> Plan | None:
        with self._looked_at():
            return super()._make_plan(*args, **more)

    def _do_plan(self, *args: Any, **more: Any) -> Report | None:
        with self._looked_at():
            return super()._do_plan(*args, **more)

    # -- the stage

    def _begin(self, cast: str, torrents: list[list[int]], kept: int, orphans: bool) -> None:
        self.clock = FakeClock(datetime.now(UTC) + timedelta(hours=1))  # the files are made now
        self.newest = self.clock.now()
        self.yard = self._open.enter_context(Yard(self.folder, self.clock, cast))
        self.witness = Witness()
        self.store = watched(self.witness)
        for told in torrents:
            self.yard.add(*told)
        self.wish = wish.first({"kept": kept, "orphans": orphans}, self.yard)
        self.laws = TorrentLaws(self.yard, self.clock, self.witness, lambda: self.wish)
        self.laws.remember()
        for name in STEPS:
            self._open.enter_context(patch(f"os.{name}", self._mortal(getattr(os, name))))
        self.declare()

    def _mortal(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """A step on the disk; the process that is at work may die on either side of it."""
        main = threading.current_thread()

        def step(*args: Any, **more: Any) -> Any:
            alive = threading.current_thread() is not main or self.witness.plan is None
            if alive:
                return act(*args, **more)
            self.witness.boundary()
            found = act(*args, **more)
            self.witness.boundary()
            return found

        return step

    # -- hooks of the course

    def wrong(self) -> list[str]:
        return []

    @contextmanager
    def well(self) -> Iterator[bool]:
        lines = [c.line for c in self.yard.clients.values()]
        before = [(line.fault, line.strike) for line in lines]
        if not any(fault or strike for fault, strike in before):
            yield False
            return
        self.heal()
        try:
            yield True
        finally:
            for line, (fault, strike) in zip(lines, before, strict=True):
                line.fault, line.strike = fault, strike

    def heal(self) -> None:
        for client in self.yard.clients.values():
            client.line.fault, client.line.strike = "", None

    def edit(self, what: str, a: int, b: int) -> None:
        if what == "protect":
            wish.protect(self.wish, self.yard, a, b)
        else:
            wish.EDITS[what](self.wish, a, b)

    # -- operations

    def _drift(self, what: str, a: int, b: int, c: int) -> None:
        with self.yard.hand():
            DRIFTS[what](self.yard, a, b, c)
        self.laws.remember()

    def _fault(self, client: int, how: str) -> None:
        """From now on, until all is well: see `Line`."""
        self.counts["faults"] += 1
        nth(self.yard.clients.values(), client).line.fault = how

    def _strike(self, client: int, how: str, n: int, after: bool) -> None:
        """One request fails, soon."""
        self.counts["faults"] += 1
        nth(self.yard.clients.values(), client).line.strike = Strike(how, n, after)

    def _well(self) -> None:
        self.heal()
