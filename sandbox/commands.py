"""The command queue of a server: what waits, what runs, what is remembered, and what a restart makes of it.

A command is written to the database when it is queued, started and ended, but its message and result live in memory
alone: five minutes after its end, or after a restart, `GET /command/{id}` knows neither. Cancelling removes it from
memory only, so it runs after the next start; one that was running then becomes `orphaned`. At most one command that
needs the disk runs at a time, and long ones share what threads there are with the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.binding import Model
from sandbox.database import Table
from sandbox.errors import NetError
from sandbox.values import Json, iso, now, parse, prune, span, words

_PRIORITY = {"low": 0, "normal": 1, "high": 2}
_SAME_BUT = ("trigger", "suppressMessages", "lastExecutionTime", "lastStartTime")


@dataclass(frozen=True)
class Spec:
    """One kind of command.

    `run` does the work: it gets a `Context` and may raise NetError, which fails the command. `model` binds the members
    that a client may send; `body` gives its own members with their values when nothing is sent, or `read` makes them of
    what was sent. `priority` is that of a command somebody asked for by `POST /command`.
    """

    name: str
    run: Callable[[Context], None]
    body: Json = field(default_factory=dict)
    read: Callable[[Json], Json] | None = None
    model: Model = field(default_factory=lambda: Model("Command", {}))
    disk: bool = False
    exclusive: bool = False
    type_exclusive: bool = False
    long: bool = False
    sends_updates: bool = True
    updates_task: bool = True
    completion: str | None = None
    priority: str = "normal"


@dataclass
class Command:
    """One command in memory. Times are aware datetimes."""

    id: int
    spec: Spec
    body: Json
    priority: str
    trigger: str
    queued: datetime
    status: str = "queued"
    result: str = "unknown"
    started: datetime | None = None
    ended: datetime | None = None
    message: str | None = None
    exception: str | None = None
    ran_s: float | None = None


@dataclass
class Context:
    """What a running command works with: `say` sets its message, `conclude` its result (else "successful")."""

    body: Json
    trigger: str
    say: Callable[[str], None]
    conclude: Callable[[str], None]

    def succeed(self, well: bool) -> None:
        """Sets the result of a command that can go well or not."""
        self.conclude("successful" if well else "unsuccessful")


class Queue:
    """The commands of one application. `log` takes (level, logger, message, NetError or None)."""

    def __init__(
        self, table: Table, lock: threading.RLock, log: Callable[..., None], threads: int, retention_s: float = 300.0
    ) -> None:
        self._table, self._lock, self._log = table, lock, log
        self._threads, self._retention_s = threads, retention_s
        self.specs: dict[str, Spec] = {}
        self._common: Callable[[Spec], Json] = common_members
        self._memory: dict[int, Command] = {}
        self._wake = threading.Condition(lock)
        self._stopping = False
        self.executed: dict[str, tuple[datetime, float]] = {}

    def add(self, spec: Spec) -> None:
        """Makes a kind of command known."""
        self.specs[spec.name.lower()] = spec

    def members(self, make: Callable[[Spec], Json]) -> None:
        """Sets the members every body carries beside its own (they differ a little between the apps)."""
        self._common = make

    def start(self) -> None:
        """Takes over what the last run left (running: orphaned; queued: queued again) and starts the threads."""
        with self._lock:
            for row in self._table.all():
                if row["status"] == "started":
                    self._table.update({**row, "status": "orphaned", "ended": iso(now())})
                elif row["status"] == "queued":
                    spec = self.specs[row["name"].lower()]
                    self._memory[row["id"]] = Command(
                        row["id"], spec, row["body"], row["priority"], row["trigger"], parse(row["queued"])
                    )
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"command-{number}", daemon=True).start()

    def stop(self) -> None:
        """Lets idle threads end; running commands are not waited for."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()

    def push(
        self,
        name: str,
        sent: Json,
        trigger: str = "manual",
        *,
        asked: bool = False,
        priority: str = "normal",
        more: Json | None = None,
    ) -> Command:
        """Queues a command, or gives the equal one that is queued or running already.

        `sent` has the command's own members; `asked` says that it comes from `POST /command`, which then tells clients
        of it; `more` are further members of the body. KeyError: unknown name.
        """
        spec = self.specs[name.lower()]
        own = spec.read(sent) if spec.read else {**spec.body, **{k: v for k, v in sent.items() if k in spec.body}}
        ends = {"name": spec.name, "trigger": trigger, "suppressMessages": asked and not spec.sends_updates}
        updates = {"sendUpdatesToClient": True} if asked else {}
        body = {**self._common(spec), **updates, **own, **(more or {}), **ends}
        with self._wake:
            self._evict()
            for other in self._memory.values():
                if other.status in ("queued", "started") and other.spec.name == spec.name and _same(other.body, body):
                    return other
            level = spec.priority if asked else priority
            row = self._table.insert(
                {
                    "name": spec.name,
                    "body": body,
                    "priority": level,
                    "status": "queued",
                    "trigger": trigger,
                    "queued": iso(now()),
                }
            )
            command = Command(row["id"], spec, row["body"], level, trigger, now())
            self._memory[command.id] = command
            self._wake.notify_all()
            return command

    def cancel(self, ident: int) -> bool:
        """Forgets a queued command, in memory only. False when it is not queued."""
        with self._lock:
            command = self._memory.get(ident)
            if command is None or command.status != "queued":
                return False
            command.status = "cancelled"
            del self._memory[ident]
            return True

    def all(self) -> list[Json]:
        """The commands in memory, as the API shows them."""
        with self._lock:
            self._evict()
            return [self.show(c) for c in self._memory.values()]

    def find(self, ident: int) -> Json | None:
        """One command as the API shows it: from memory, else what the database still knows."""
        with self._lock:
            self._evict()
            if ident in self._memory:
                return self.show(self._memory[ident])
            row = self._table.get(ident)
            return self._show_row(row) if row else None

    def busy(self) -> bool:
        """Whether anything is queued or running."""
        with self._lock:
            return any(c.status in ("queued", "started") for c in self._memory.values())

    def show(self, c: Command) -> Json:
        """A command in memory, as the API shows it."""
        return prune(
            {
                "name": c.spec.name,
                "commandName": words(c.spec.name),
                "message": c.message,
                "body": c.body,
                "priority": c.priority,
                "status": c.status,
                "result": c.result,
                "queued": iso(c.queued),
                "started": iso(c.started) if c.started else None,
                "ended": iso(c.ended) if c.ended else None,
                "duration": span(c.ran_s) if c.ran_s is not None else None,
                "exception": c.exception,
                "trigger": c.trigger,
                "stateChangeTime": iso(c.started) if c.started else None,
                "sendUpdatesToClient": c.body.get("sendUpdatesToClient", False),
                "updateScheduledTask": c.body.get("updateScheduledTask", True),
                "lastExecutionTime": c.body.get("lastExecutionTime"),
                "id": c.id,
            }
        )

    def _show_row(self, row: Json) -> Json:
        body = row["body"]
        return prune(
            {
                "name": row["name"],
                "commandName": words(row["name"]),
                "body": body,
                "priority": row["priority"],
                "status": row["status"],
                "result": "unknown",
                "queued": row["queued"],
                "started": row.get("started"),
                "ended": row.get("ended"),
                "duration": row.get("duration"),
                "exception": row.get("exception"),
                "trigger": row["trigger"],
                "stateChangeTime": row.get("started"),
                "sendUpdatesToClient": body.get("sendUpdatesToClient", False),
                "updateScheduledTask": body.get("updateScheduledTask", True),
                "lastExecutionTime": body.get("lastExecutionTime"),
                "id": row["id"],
            }
        )

    def _evict(self) -> None:
        limit = now()
        for ident, c in list(self._memory.items()):
            if c.ended and (limit - c.ended).total_seconds() > self._retention_s:
                del self._memory[ident]

    def _work(self) -> None:
        while True:
            with self._wake:
                command = self._next()
                while command is None and not self._stopping:
                    self._wake.wait()
                    command = self._next()
                if command is None:
                    return
                command.status, command.started = "started", now()
                self._store(command)
            self._run(command)
            with self._wake:
                self._wake.notify_all()

    def _next(self) -> Command | None:
        """The next command that may start beside those that run."""
        if self._stopping:
            return None
        running = [c.spec for c in self._memory.values() if c.status == "started"]
        if any(s.exclusive for s in running):
            return None
        waiting = [c for c in self._memory.values() if c.status == "queued"]
        for c in sorted(waiting, key=lambda c: (-_PRIORITY[c.priority], c.id)):
            blocked = (
                (c.spec.disk and any(s.disk for s in running))
                or (c.spec.exclusive and running)
                or (c.spec.type_exclusive and any(s.name == c.spec.name for s in running))
            )
            if not blocked:
                return c
        return None

    def _run(self, c: Command) -> None:
        began = time.monotonic()

        def say(message: str) -> None:
            c.message = message

        def conclude(result: str) -> None:
            c.result = result

        outcome, error = "completed", None
        try:
            c.spec.run(Context(c.body, c.trigger, say, conclude))
        except NetError as raised:
            outcome, error = "failed", raised
        except OSError as raised:  # a file went away under a scan: the servers' command fails, they go on
            outcome, error = "failed", NetError("System.IO.IOException", str(raised))
        with self._lock:
            c.ran_s, c.ended, c.status = time.monotonic() - began, now(), outcome
            if error is not None:
                c.message, c.exception = "Failed", error.full()
            else:
                c.result = "successful" if c.result == "unknown" else c.result
                c.message = c.spec.completion or c.message
            self.executed[c.spec.name] = (c.started or c.queued, c.ran_s)
            self._store(c)
        if error is not None:
            text = f"Error occurred while executing task {c.spec.name}: {error.message}"
            self._log("error", "CommandExecutor", text, error)

    def _store(self, c: Command) -> None:
        row: dict[str, Any] = {
            "id": c.id,
            "name": c.spec.name,
            "body": c.body,
            "priority": c.priority,
            "status": c.status,
            "trigger": c.trigger,
            "queued": iso(c.queued),
            "started": iso(c.started) if c.started else None,
            "ended": iso(c.ended) if c.ended else None,
            "duration": span(c.ran_s) if c.ran_s is not None else None,
            "exception": c.exception,
        }
        self._table.update(prune(row))


def common_members(spec: Spec) -> Json:
    """The members that the body of every command carries."""
    members: Json = {
        "sendUpdatesToClient": spec.sends_updates,
        "updateScheduledTask": spec.updates_task,
        "requiresDiskAccess": spec.disk,
        "isExclusive": spec.exclusive,
        "isLongRunning": spec.long,
    }
    if spec.completion is not None:
        members["completionMessage"] = spec.completion
    return members


def _same(a: Json, b: Json) -> bool:
    """Equality of two bodies as the servers see it: members at which both are null end the comparison as equal."""
    for key in b:
        if key in _SAME_BUT:
            continue
        if a.get(key) is None and b.get(key) is None:
            return True
        if _unordered(a.get(key)) != _unordered(b.get(key)):
            return False
    return True


def _unordered(value: object) -> object:
    """Lists are compared whatever their order."""
    return sorted(map(repr, value)) if isinstance(value, list) else value
