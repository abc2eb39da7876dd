"""The base of a simulated servarr application: its home, database, disks, log, command queue and shared controllers.

`sonarr.app` and `radarr.app` derive from it. A subclass names itself (`NAME`, …), adds its tables, routes and command
specs in `build`, and answers the few questions the shared parts ask (`items`, `item_paths`, `tag_users`). One instance
is one server process's application; `lock` (the site's) guards everything but file transfers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from sandbox.commands import Context, Queue, Spec
from sandbox.database import Database
from sandbox.disks import Disks, read_settings
from sandbox.errors import Answer, Failed, NetError, missing
from sandbox.http import Handler, Site
from sandbox.servarr.config import Config, read_config
from sandbox.servarr.log import Log
from sandbox.servarr.schedule import Schedule
from sandbox.transfer import Transfer
from sandbox.values import Json, now

API = "/api/v3"


@dataclass(frozen=True)
class Timing:
    """Durations in seconds that the fidelity run and tests scale: real servers' values are the defaults."""

    retry_s: float = 3.0
    retention_s: float = 300.0
    metadata_s: float = 0.05
    rescan_s: float = 0.0
    minute_s: float = 60.0


@dataclass
class Server:
    """What one server of a world is: `world` holds `metadata`, `queue`, `seed`, `rows` and `config` of the vocabulary."""

    name: str
    app: str
    version: str
    home: Path
    folder: Path
    world: Json
    timing: Timing = field(default_factory=Timing)


class App(Site):
    """One application. Controllers register routes with `api` and find everything else as attributes."""

    NAME: ClassVar[str] = "App"
    VERSION: ClassVar[str] = "0.0"
    THREADS: ClassVar[int] = 3
    CURRENT_API: ClassVar[Json] = {"current": "v3", "deprecated": []}
    STATUS: ClassVar[Json] = {}

    def __init__(self, server: Server) -> None:
        self.server = server
        self.config: Config = read_config(server.folder / "config.xml")
        super().__init__(server.version, self.config.api_key, self.config.url_base)
        self.world, self.timing = server.world, server.timing
        self.started_at = now()
        self.disks = Disks(server.home)
        self.database = Database(server.folder / "database.jsonl")
        self.log = Log(self.database.table("log"), self.lock)
        self.transfer = Transfer(self.disks, self.log.add, self.timing.retry_s)
        self.commands = Queue(
            self.database.table("commands"), self.lock, self.log.add, self.THREADS, self.timing.retention_s
        )
        self.restart: Callable[[], None] = lambda: None
        self.tasks: list[tuple[str, int, int]] = []
        self.fresh = not (server.folder / "seeded").exists()
        self.build()

    # -- what a subclass provides

    def build(self) -> None:
        """Makes tables, routes and command specs. Called once, before anything is served."""
        raise NotImplementedError

    def seed(self) -> None:
        """Brings a fresh database into the world's `seed` and `rows`. Called once in the life of a home."""

    def items(self) -> list[Json]:
        """The rows that have a `path` and `tags` (series, movies)."""
        raise NotImplementedError

    def tag_users(self, tag: int) -> dict[str, list[int]]:
        """The members of `GET /tag/detail` beside id and label, with the ids of what carries the tag."""
        raise NotImplementedError

    def health(self) -> list[Json]:
        """What `GET /health` lists."""
        return []

    def missing(self) -> Answer:
        """What a GET by an id that nothing has is answered with."""
        return missing()

    def misused(self, message: str) -> Failed:
        """What an InvalidOperationException becomes."""
        return Failed(500, message, "System.InvalidOperationException")

    # -- for controllers

    def api(
        self, method: str, path: str, handler: Handler, *, plain: bool | None = None, body: bool | None = None
    ) -> None:
        """Adds a route below `/api/v3`."""
        self.route(method, API + path, handler, plain=plain, body=body)

    def command(self, name: str, run: Callable[[Context], None] | None = None, **options: Any) -> None:
        """Makes a command known; without `run` it does nothing, successfully."""
        self.commands.add(Spec(name, run or (lambda _context: None), **options))

    def location(self, origin: str, path: str) -> dict[str, str]:
        """The Location header of something created."""
        return {"Location": f"{origin}{self.url_base}{API}{path}"}

    def settings(self) -> Json:
        """The world's settings at this moment."""
        return read_settings(self.server.home)

    def pause(self, seconds: float) -> None:
        """Lets time pass in a command."""
        if seconds > 0:
            time.sleep(seconds)

    def background(self, work: Callable[[], None]) -> None:
        """Runs something after the answer, as the servers' event handlers do; a failure is only logged."""

        def run() -> None:
            try:
                work()
            except NetError as error:
                self.log.add("error", "TaskExtensions", f"Task Error: {error.message}", error)

        threading.Thread(target=run, daemon=True).start()

    # -- life

    def run(self) -> None:
        """Seeds a fresh home and starts the commands; the caller serves HTTP from then on."""
        if self.fresh:
            with self.lock, self.database.together():
                self.seed()
            (self.server.folder / "seeded").touch()
        self.commands.start()
        Schedule(self.commands, self.tasks, self.timing.minute_s).start()
