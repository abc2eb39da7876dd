"""A sandbox with a `disk_fill` over it: real servers over real files, planned and acted on without the store.

The tests drive the verbs as the executor does (read, compare, perform, verify, conclude, verify) and keep the ledger in
a list, so that each row of the outcome tables can be looked at from inside.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from reconciler.action import Action, Proposal
from reconciler.address import Address
from reconciler.apply.settle import pending
from reconciler.clock import SystemClock
from reconciler.facts import Facts, Known, NotThere, ReadFailed
from reconciler.kind import Ledger, Past, ReplyLost, Resource, Verdict, WriteRefused
from reconciler.opener import Opener, ReadWorld, WriteWorld
from reconciler.plan.observe import observe
from reconciler.stack import Disk, Stack
from resources.clients.localfs import APP as HERE
from resources.clients.servarr import RADARR, SONARR, FileRows, Items
from resources.disk_fill import KIND
from resources.disk_fill.spec import DiskFillSpec
from sandbox.process import Stack as Sandbox
from sandbox.scenarios.build import Library, movie, server, show
from sandbox.servarr.app import Timing

MB = 1_000_000
MIB = 1024 * 1024
APPS = {"sonarr": SONARR, "radarr": RADARR, "here": HERE}


class Stale(Exception):
    """The subject is not as the plan saw it."""


@dataclass
class Row:
    """An entry of the journal that has no outcome yet."""

    run: str
    at: datetime
    action: Action
    handle: dict[str, Any] | None
    accepted: bool = True


@dataclass
class Lab:
    """One sandbox and one resource. `history` and `rows` are what a journal would hold."""

    sandbox: Sandbox
    resource: Resource[DiskFillSpec]
    opener: Opener
    history: list[Past] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    _facts: Facts = field(default_factory=Facts)

    # -- planning

    def ledger(self) -> Ledger:
        looked = pending({"disk_fill": KIND}, self.opener, self)  # type: ignore[arg-type]  # it needs no more of a journal
        return Ledger(lineage="lab", history=tuple(self.history), pending=looked)

    def pending(self) -> list[Row]:
        return self.rows

    def alive(self, run: str) -> bool:
        return False  # whoever began what is in `rows` is taken for dead: the world is asked

    def plan(self) -> Proposal:
        now, ledger = datetime.now(UTC), self.ledger()
        self._facts = observe([self.resource], {"disk_fill": KIND}, self.opener, ledger, now)
        return KIND.plan(self.resource, self._facts, ledger, now)

    def why(self, item: str) -> list[str]:
        now, ledger = datetime.now(UTC), self.ledger()
        facts = observe([self.resource], {"disk_fill": KIND}, self.opener, ledger, now)
        return KIND.why(self.resource, facts, ledger, now, item)

    # -- doing, as the executor does

    def begin(self, action: Action) -> dict[str, Any] | None:
        """Precondition and perform. `Stale` when the precondition does not hold."""
        verb = KIND.verbs[action.verb]
        fact = verb.read(ReadWorld(self.opener), action)
        assert isinstance(fact, Known), fact
        moved = {key: value for key, value in fact.value.items() if value != action.rests_on.get(key)}
        if moved or fact.value.keys() != action.rests_on.keys():
            raise Stale(str(moved))
        try:
            handle = verb.perform(WriteWorld(self.opener), action)
        except ReplyLost:
            handle = None
        self.rows.append(Row("r1", datetime.now(UTC), action, handle))
        return handle

    def look(self, action: Action, handle: dict[str, Any] | None) -> Verdict:
        try:
            return KIND.verbs[action.verb].verify(ReadWorld(self.opener), action, handle)
        except ReadFailed as e:
            return Verdict("unknown", e.reason)
        except NotThere as e:
            return Verdict("unknown", str(e))

    def follow(self, action: Action, handle: dict[str, Any] | None, limit: float = 30) -> Verdict:
        """Until it is no longer running; concludes what is done, and journals the outcome."""
        verdict = self._until(lambda v: v.state not in ("running", "unknown"), action, handle, limit)
        if verdict.state == "done":
            KIND.verbs[action.verb].conclude(WriteWorld(self.opener), action, handle)
            verdict = self._until(lambda v: v.state != "running", action, handle, limit)
        self.settle(action, verdict)
        return verdict

    def settle(self, action: Action, verdict: Verdict) -> None:
        self.rows = [row for row in self.rows if row.action.id != action.id]
        self.history.append(Past("r1", datetime.now(UTC), action, verdict.state))

    def _until(
        self, good: Callable[[Verdict], bool], action: Action, handle: dict[str, Any] | None, limit: float
    ) -> Verdict:
        end = time.monotonic() + limit
        verdict = self.look(action, handle)
        while not good(verdict) and time.monotonic() < end:
            time.sleep(0.05)
            verdict = self.look(action, handle)
        assert good(verdict), f"still {verdict.state}: {verdict.says}"
        return verdict

    def do(self, action: Action) -> Verdict:
        return self.follow(action, self.begin(action))

    def mend(self, action: Action, broken: Verdict) -> Action:
        """The approved compensation as the executor makes it of an action and its verdict."""
        return action.model_copy(
            update={
                "id": f"{action.id}/mend",
                "verb": "heal",
                "data": broken.data,
                "rests_on": broken.data["rests_on"],
                "cause": "repair",
                "compensation": None,
            }
        )

    # -- the world

    def tree(self, *roots: str) -> dict[str, int]:
        """Every file under virtual folders, with its size."""
        return {e["path"]: e["size"] for e in self.sandbox.tree(list(roots)) if not e["path"].endswith("/")}

    def item(self, connection: str, title: str) -> Any:
        return next(i for i in self.read(Items(connection)) if i.title == title)

    def known(self, connection: str, title: str) -> dict[str, int]:
        """The app's own rows of an item: path → bytes."""
        return {r.path: r.bytes for r in self.read(FileRows(connection, self.item(connection, title).id))}

    def read(self, query: Any) -> Any:
        return self.opener.client(query.connection, "read").read(query)

    def client(self, connection: str) -> Any:
        return self.opener.client(connection, "write")

    def until(self, condition: Callable[[], bool], limit: float = 15) -> None:
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.02)

    def refused(self, action: Action) -> str:
        """What `perform` says when it refuses."""
        try:
            KIND.verbs[action.verb].perform(WriteWorld(self.opener), action)
        except WriteRefused as e:
            return e.message
        raise AssertionError("it was not refused")


def resource_of(stack: Stack, spec: str, name: str = "media") -> Resource[DiskFillSpec]:
    """`spec` is YAML."""
    read = DiskFillSpec.model_validate_json(json.dumps(yaml.safe_load(spec)))
    return Resource(Address("disk_fill", name), read, stack)


def stack_of(sandbox: Sandbox, disks: str, paths: tuple[dict[str, str], ...] = (), access: str = "write") -> Stack:
    """`disks` is YAML. Every server of the sandbox is a connection under its own name."""
    connections = {
        name: APPS[handle.app.partition("-")[0]].Spec.model_validate(
            {
                "app": handle.app.partition("-")[0],
                "url": handle.url,
                "config_xml": str(handle.folder / "config.xml"),
                "access": access,
            }
        )
        for name, handle in sandbox.handles.items()
    }
    declared = {n: Disk.model_validate_json(json.dumps(d)) for n, d in yaml.safe_load(disks).items()}
    return Stack(connections=connections, disks=declared, paths=paths)


@contextmanager
def sandbox_of(world: dict[str, Any], **settings: Any) -> Iterator[Sandbox]:
    """Servers over a world. The home is where nobody's rights reach: the servers run as nobody when root starts them."""
    home = Path(tempfile.mkdtemp(prefix="disk-fill-"))
    home.chmod(0o755)
    sandbox = Sandbox(home / "w", world, timing=Timing(retry_s=0.1, metadata_s=0.0), **settings)
    try:
        sandbox.start()
        yield sandbox
    finally:
        sandbox.close()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def lab_of(sandbox: Sandbox, disks: str, spec: str, paths: tuple[dict[str, str], ...] = ()) -> Iterator[Lab]:
    stack = stack_of(sandbox, disks, paths)
    with Opener(stack, APPS, SystemClock()) as opener:
        yield Lab(sandbox, resource_of(stack, spec), opener)


def shows_on(
    roots: list[str], shows: list[tuple[int, str, int, int, str]], name: str = "sonarr", app: str = "sonarr"
) -> Any:
    """A Sonarr: `shows` are (tvdb id, title, episodes, bytes, root)."""
    library = Library()
    for ident, title, episodes, size, root in shows:
        show(
            library, tvdb_id=ident, title=title, year=2015, seasons=1, episodes=episodes, size=size, root=root,
            chance=random.Random(ident),
        )  # fmt: skip
    return library, {**server(name, "sonarr", library, roots), "app": app}


def movies_on(roots: list[str], movies: list[tuple[int, str, int, str]], name: str = "radarr") -> Any:
    """A Radarr: `movies` are (tmdb id, title, bytes, root)."""
    library = Library()
    for ident, title, size, root in movies:
        movie(library, tmdb_id=ident, title=title, year=2019, size=size, root=root)
    return library, server(name, "radarr", library, roots)


def world_of(disks: dict[str, int], *servers: Any, **more: Any) -> dict[str, Any]:
    """`disks`: virtual path → bytes."""
    return {
        "disks": [{"path": path, "size": size} for path, size in disks.items()],
        "folders": sorted({root for _, told in servers for root in told["seed"]["rootFolders"]}),
        "files": [file for library, _ in servers for file in library.files],
        "settings": {},
        "servers": [told for _, told in servers],
        **more,
    }
