"""The world in memory: disks, servers, faults and time; what arr did to it is judged by `laws.py`.

Built from the sandbox's own format. It answers the same typed queries as `resources.clients.servarr` (`client.py`), so
everything above the client seam is the real program. Left out, because it lies below that seam: HTTP and its parser,
retries of reads, the check who answers, pages of the queue. Left out as well: hard links, permissions of single files,
upgrades and imports, the daily purge of tags, folder names that listings hide, a kill between the last byte of a copy
and the removal of its source, and what this machine itself sees of the files (`here`, `paths`).
`test_against_sandbox.py` holds the rest of it against the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.clock import FakeClock
from sandbox.values import Json
from tests.simulation.disks import Files, videos
from tests.simulation.server import Row, Server

SIDES = {"tvdbId": "tvdb", "tmdbId": "tmdb"}


@dataclass
class Fault:
    """What is wrong with a server's answers. `query`: the name of a query, "write", or "*" for every read.

    `code`: of `facts.Unknown` (reads); refused, lost-before, lost-after or late (writes); stale: a list answers what it
    answered first. `skip`: how many calls of the same question get through first. `times`: how many it strikes, None: all.
    """

    server: str
    query: str
    code: str
    skip: int = 0
    times: int | None = None
    seen: dict[Any, int] = field(default_factory=dict)
    told: dict[Any, Any] = field(default_factory=dict)

    def strikes(self, question: Any) -> bool:
        """Counted per question: threads may ask in any order, and the same ones fail."""
        count = self.seen[question] = self.seen.get(question, 0) + 1
        return count > self.skip and (self.times is None or count <= self.skip + self.times)


class World:
    """See the module."""

    def __init__(self, made: Json) -> None:
        self.files = Files({d["path"]: d["size"] for d in made["disks"]})
        for folder in made["folders"]:
            self.files.make_folder(folder)
        for file in made["files"]:
            self.files.make(file["path"], file["size"])
        self.servers = {told["name"]: self._server(told) for told in made["servers"]}
        self.faults: list[Fault] = []
        self.lied = False  # whether a server has ever told lists of an earlier moment
        self.late: list[tuple[float, Any]] = []  # (seconds left, what the server will do then)

    def _server(self, told: Json) -> Server:
        seed = told["seed"]
        server = Server(told["name"], told["app"], self.files, list(seed["rootFolders"]))
        for label in seed["tags"]:
            server.tag(label)
        titles = {told.get(k): told["title"] for told in told["metadata"] for k in SIDES if k in told}
        for number, item in enumerate(seed.get("series") or seed.get("movies") or [], 1):
            outside, side = next((item[k], side) for k, side in SIDES.items() if k in item)
            rows = videos(self.files.below(item["path"]))
            tags = {server.tag(label) for label in item["tags"]}
            server.items[number] = Row(number, f"{side}:{outside}", titles[outside], item["path"], tags, rows)
        return server

    def pass_time(self, seconds: float) -> None:
        """Everybody works for so long; what comes late comes when it is due."""
        left: list[tuple[float, Any]] = []
        due = [act for rest, act in self.late if rest <= seconds]
        left = [(rest - seconds, act) for rest, act in self.late if rest > seconds]
        self.late = left
        for act in due:
            act()
        for server in self.servers.values():
            server.work(seconds)

    @property
    def busy(self) -> bool:
        return bool(self.late) or any(server.busy for server in self.servers.values())

    def wrong(self) -> list[str]:
        """What must never be, seen from the world.

        A list of commands of an earlier moment hides a move that waits in the queue, and nobody can see through that: what a
        rescan behind it makes the server forget lies there whole, and comes back with the next one.
        """
        self.lied = self.lied or any(fault.code == "stale" for fault in self.faults)
        forgot = [f"{s.name} forgot {name}, which is there" for s in self.servers.values() for name in s.forgot]
        return [*self.files.wrong(), *([] if self.lied else forgot)]


class WorldClock(FakeClock):
    """A clock by which the world goes on. What the machine's clock is set to says nothing of how time passes."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if seconds > 0:
            self.world.pass_time(seconds)
