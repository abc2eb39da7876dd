"""The simulation of a library: disks, Sonarr and Radarr in memory, tags and moves between disks.

`machine.py` draws the operations, `replay.py` replays them from a file; how a course of them goes is told in `course.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler import registry
from tests.simulation import stage, wish
from tests.simulation.client import MemoryApp
from tests.simulation.course import Course
from tests.simulation.drift import DRIFTS
from tests.simulation.hands import MemoryHands
from tests.simulation.laws import Laws
from tests.simulation.server import Server
from tests.simulation.witness import Witness, watched
from tests.simulation.world import Fault, World, WorldClock


class Simulation(Course):
    """See the module."""

    world: World
    clock: WorldClock
    laws: Laws

    # -- the stage

    def _begin(self, **told: Any) -> None:
        self.world = World(stage.stage(told))
        self.hands = MemoryHands(self.world)
        self.clock = WorldClock(self.world)
        self.newest = self.clock.now()
        self.witness = Witness()
        self.apps = {
            **registry.openable(),
            **{app: MemoryApp(app, self.world, self.witness) for app in ("sonarr", "radarr")},
        }
        self.store = watched(self.witness)
        self.wish = wish.first(told, {name: {"app": app} for name, app in stage.CASTS[told["cast"]].items()})
        self.laws = Laws(self.world, self.clock, self.witness, lambda: self.wish)
        self.declare()

    def wrong(self) -> list[str]:
        return self.world.wrong()

    @contextmanager
    def well(self) -> Iterator[bool]:
        """What is decided on lists of an earlier moment nobody can judge."""
        faults, servers = self.world.faults, self.world.servers.values()
        up = {s.name: s.up for s in servers}
        if not (faults or not all(up.values())) or any(f.code == "stale" for f in faults):
            yield False
            return
        self.world.faults = []
        for server in servers:
            server.up = True
        try:
            yield True
        finally:
            self.world.faults = faults
            for server in servers:
                server.up = up[server.name]

    def heal(self) -> None:
        self.world.faults.clear()
        self.hands.mount()
        for server in self.world.servers.values():
            server.heal()

    def edit(self, what: str, a: int, b: int) -> None:
        if what != "distinct" or not self.world.files.alias:  # nobody vouches for what is not so
            wish.EDITS[what](self.wish, a, b)

    # -- the operations

    def _drift(self, what: str, a: int, b: int, c: int) -> None:
        DRIFTS[what](self.hands, a, b, c)

    def _happen(self, what: str, a: int, b: int, c: int) -> None:
        """What can only happen in memory."""
        if what == "alias" and not any(d.get("distinct") for d in self.wish["disks"].values()):
            self.hands.alias(a, b, c)
        elif what == "mount":
            self.hands.mount()
        elif what in ("unmount", "download", "remove_item"):
            getattr(self.hands, what)(a)

    def _fault(self, server: int, query: str, code: str, skip: int = 0, times: int | None = None) -> None:
        self.counts["faults"] += 1
        self.world.faults.append(Fault(wish.nth(self.world.servers, server), query, code, skip, times))

    def _well(self) -> None:
        self.world.faults.clear()

    def _server(self, which: int, what: str, files: int = 0) -> None:
        """What befalls a server: kill, start, restart, stall, go on, or a fault of its next move."""
        server: Server = self.world.servers[wish.nth(self.world.servers, which)]
        self.counts["faults"] += 1
        if what in ("kill", "restart"):
            server.kill()
        if what in ("start", "restart"):
            server.start()
        if what.startswith("move-"):
            server.next_fault = (what, files)
        if what in ("stall", "go on"):
            server.stalled = what == "stall"
