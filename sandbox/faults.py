"""Faults that can be switched on in a running server, and the log of what was asked of it.

`Faults` sits in each server's process: before a request is handled, before its answer is sent, and inside every move.
A fault may be narrowed to a method, a glob over paths and a number of calls, and may strike before the work is done or
after it (the work is done, the reply is lost). Faults live until they are healed or used up, or the process ends. What
happens to answers on their way is in `wire`.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sandbox import wire
from sandbox.http import Connection, Request, Response, dumps
from sandbox.servarr.app import App
from sandbox.values import Json

MOVES = {
    "move-disk-full": "a file of a move finds no space half-way; the path is put back, the files are split",
    "move-denied": "a move is refused by permissions: at once, or once some files have moved",
    "move-killed": "the server is killed (SIGKILL) in the middle of a file of a move",
    "slow-moves": "a move stops in the middle of a file until the fault is healed",
}
ANSWERS = {
    "down": "nothing listens: connections are refused",
    "reset": "the connection is cut without an answer",
    "starting": "503: the server is starting up",
    "unauthorised": "401 with an empty body, whatever the key",
    "login-page": "200 with a web page: a login in front of the server",
    "server-error": "500 with an exception",
    "locked": '500 "database is locked"',
    "wrong-app": "the status names another app",
    "truncated": "fewer bytes arrive than the head of the answer promises",
    "slow": "the answer comes in at a byte a second",
    "stale-list": "lists answer what they answered first since the fault was switched on",
    "short-list": "lists lack their second half; a page keeps its total",
}
WIRE = {
    "gone": "nothing listens from this call on, until it is healed",
    "rate-limited": "429, which says to wait a second",
    "rate-limited-silently": "429, which does not say for how long",
    "bad-gateway": "502 with the page of a proxy",
    "redirect": "302 to a login page",
    **wire.NAMES,
}
NAMES = {**MOVES, **ANSWERS, **WIRE}
_CALLS = {*ANSWERS, *WIRE}
_LATE = {"wrong-app", "truncated", "slow", "stale-list", "short-list", *wire.NAMES}
_LOGIN = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in to continue</form></body></html>\n"
)
_LOCKED = "database is locked\ndatabase is locked"
_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><center>502 Bad Gateway</center></body></html>\n"
_KEPT = 100_000
_BYTE_S = 1.0
_KILL_DELAY_S = 0.3  # the answer to the request that began the move gets out first


@dataclass
class Fault:
    """One fault. `times`: how many matching calls (or moves) it strikes, None for all; `skip`: how many it lets pass first.

    `files`: for faults in moves, how many videos of a move get through whole before it strikes. `pace`: seconds a byte of
    a slow answer takes.
    """

    name: str
    method: str | None = None
    path: str | None = None
    times: int | None = None
    skip: int = 0
    when: str = "before"
    files: int = 0
    pace: float = _BYTE_S
    id: int = 0
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"there is no fault {self.name!r}; there are: {', '.join(NAMES)}")
        if self.when not in ("before", "after"):
            raise ValueError(f"`when` is before or after, not {self.when!r}")
        if self.name in MOVES and (self.method or self.path):
            raise ValueError(f"{self.name} strikes moves: it takes no method and no path")

    @property
    def whole(self) -> bool:
        """Whether it takes the server as such, not some calls of it."""
        if self.name == "gone":
            return self.seen >= self.skip
        return self.name == "down" and not (self.method or self.path or self.times or self.skip)

    @property
    def late(self) -> bool:
        """Whether it strikes once the work is done."""
        return self.when == "after" or self.name in _LATE

    def covers(self, method: str, path: str) -> bool:
        """Whether a call is one of those it is narrowed to."""
        if self.method and self.method.upper() != method:
            return False
        default = "*/system/status" if self.name == "wrong-app" else "*"
        return fnmatchcase(path, self.path or default)


@dataclass
class _Move:
    """The move under way: the fault that strikes it, and the videos that have got half-way."""

    fault: Fault | None = None
    passed: set[str] = field(default_factory=set)


class Faults:
    """The faults and the access log of one server. `listen(False)` takes its port away, `listen(True)` gives it back."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.listen: Callable[[bool], None] = lambda _on: None
        self._lock = threading.Lock()
        self._next = 1
        self._active: list[Fault] = []
        self._log: deque[Json] = deque(maxlen=_KEPT)
        self._under_way: dict[int, Json] = {}
        self._stale: dict[tuple[int, str], Any] = {}
        self._versions: dict[str, tuple[bytes, bytes | None]] | None = None  # of a list: now, and before it changed
        self._answers: deque[tuple[str, Response]] = deque(maxlen=2)
        self._move = _Move()

    # -- the control channel

    def add(self, given: Json) -> Fault:
        """Switches a fault on. ValueError or TypeError for one that makes no sense."""
        fault = Fault(**given)
        with self._lock:
            fault.id, self._next = self._next, self._next + 1
            self._active.append(fault)
            if fault.name == "outdated-list" and self._versions is None:
                self._versions = {}
        if fault.whole:
            self.listen(False)
        return fault

    def heal(self, name: str | None = None) -> int:
        """Switches off the faults of this name, or all; says how many."""
        with self._lock:
            gone = [f for f in self._active if name in (None, f.name)]
            self._active = [f for f in self._active if f not in gone]
            down = any(f.whole for f in self._active)
        if any(f.whole for f in gone) and not down:
            self.listen(True)
        return len(gone)

    def active(self) -> list[Json]:
        """The faults that are on."""
        with self._lock:
            return [asdict(f) for f in self._active]

    def requests(self) -> list[Json]:
        """What was asked, oldest first: method, path, query, status (None: no answer got out), fault, and whether the
        server has `done` what was asked of it."""
        with self._lock:
            return [dict(entry) for entry in self._log]

    def clear(self) -> None:
        """Forgets what was asked."""
        with self._lock:
            self._log.clear()

    # -- around a request

    def _strike(self, candidates: Callable[[Fault], bool]) -> Fault | None:
        """The first fault that strikes this call, counted; those used up go."""
        with self._lock:
            for fault in self._active:
                if not candidates(fault):
                    continue
                fault.seen += 1
                if fault.seen <= fault.skip:
                    continue
                fault.struck += 1
                if fault.times is not None and fault.struck >= fault.times:
                    self._active.remove(fault)
                return fault
        return None

    def before(self, request: Request, connection: Connection) -> Response | bool | None:
        """The interceptor: notes the request, and lets faults strike before anything is done."""
        path = self._path(request)
        query = request.target.partition("?")[2]
        entry: Json = {
            "method": request.method,
            "path": path,
            "query": query,
            "status": None,
            "fault": None,
            "done": False,
        }
        with self._lock:
            self._log.append(entry)
            self._under_way[id(request)] = entry
        fault = self._strike(lambda f: f.name in _CALLS and not f.late and (f.whole or f.covers(request.method, path)))
        if fault is None:
            return None
        entry["fault"] = fault.name
        with self._lock:
            self._under_way.pop(id(request), None)
        if fault.name in ("down", "reset", "gone"):
            wire.reset(connection)
            return True
        response = self._instead(fault)
        entry["status"] = response.status
        return response

    def after(self, request: Request, response: Response, connection: Connection) -> bool:
        """The hook before an answer is sent. True when the fault has seen to it."""
        with self._lock:
            entry = self._under_way.pop(id(request), {})
        entry["status"], entry["done"] = response.status, response.status < 400
        path = self._path(request)
        self._leave(connection)
        other = self._others(request, path, response)
        fault = self._strike(
            lambda f: f.name in _CALLS and f.late and f.covers(request.method, path) and self._bites(f, response, other)
        )
        if fault is None:
            return False
        entry["fault"] = fault.name
        if fault.name in ("down", "reset"):
            entry["status"] = None
            wire.reset(connection)
        elif fault.name in wire.CUT:
            wire.cut(fault.name, *connection.render(request, response), connection)
        elif fault.name == "slow":
            self._trickle(fault, *connection.render(request, response), connection)
        elif fault.name in wire.CLOCKS:
            connection.wfile.write(b"".join(wire.off(fault.name, *connection.render(request, response))))
        else:
            connection.send(request, other.get(fault.name) or self._changed(fault, request, response))
        return True

    def _leave(self, connection: Connection) -> None:
        """Takes the port away before the last answer gets out, when the next call is to find nobody."""
        with self._lock:
            gone = any(f.name == "gone" and f.whole for f in self._active)
        if gone:
            self.listen(False)
            connection.close_connection = True

    def _others(self, request: Request, path: str, response: Response) -> dict[str, Response]:
        """Whole answers that are none to this question, by fault; remembers what has to be for later ones."""
        with self._lock:
            wanted = {f.name for f in self._active}
            crossed = next((r for p, r in reversed(self._answers) if p != path), wire.NOTHING_LIKE_IT)
            self._answers.append((path, response))
            found = {"crossed": crossed}
            body = wire.json_of(response) if self._versions is not None and request.method == "GET" else None
            if self._versions is not None and wire.is_list(body):
                now = dumps(body)
                last, before = self._versions.get(request.target, (now, None))
                before = before if last == now else last
                self._versions[request.target] = (now, before)
                if before is not None:
                    found["outdated-list"] = wire.like(response, before)
        sibling = wire.sibling(self._app, request) if "sibling" in wanted else None
        return found if sibling is None else {**found, "sibling": sibling}

    def _bites(self, fault: Fault, response: Response, other: dict[str, Response]) -> bool:
        """Whether the fault changes anything in this answer."""
        if fault.name in ("outdated-list", "sibling"):
            return fault.name in other
        if fault.name in wire.LISTS:
            return wire.is_list(wire.json_of(response))
        return fault.name not in wire.GARBLED or response.body not in (None, b"")

    def _path(self, request: Request) -> str:
        base = self._app.url_base.lower()
        if base and request.path.lower().startswith(base + "/"):
            return request.path[len(base) :]
        return request.path

    def _instead(self, fault: Fault) -> Response:
        if fault.name == "starting":
            told = {"errorMessage": f"{self._app.NAME} is starting up, please try again later"}
            return Response(503, told, versioned=False)
        if fault.name.startswith("rate-limited"):
            wait = {"Retry-After": "1"} if fault.name == "rate-limited" else {}
            return Response(429, headers=wait, versioned=False)
        if fault.name == "bad-gateway":
            return Response(502, _GATEWAY.encode(), "text/html", versioned=False)
        if fault.name == "redirect":
            return Response(302, headers={"Location": "/login?returnUrl=%2F"}, versioned=False)
        if fault.name == "unauthorised":
            return Response(401, versioned=False)
        if fault.name == "login-page":
            return Response(200, _LOGIN.encode(), "text/html; charset=utf-8", versioned=False)
        message, kind = ("Something went wrong", "System.Exception")
        if fault.name == "locked":
            message, kind = _LOCKED, "code = Busy (5), message = System.Data.SQLite.SQLiteException (0x87AF03F3)"
        body = {"message": message, "description": f"{kind}: {message}\n   at (stack)"}
        return Response(500, body, "application/json", versioned=False)

    def _changed(self, fault: Fault, request: Request, response: Response) -> Response:
        """The answer as the fault makes it."""
        if fault.name in wire.GARBLED:
            return wire.garbled(fault.name, response)
        body = wire.json_of(response)
        if fault.name == "wrong-app" and isinstance(body, dict):
            other = "Radarr" if self._app.NAME == "Sonarr" else "Sonarr"
            return wire.like(response, {**body, "appName": other, "instanceName": other})
        if fault.name == "stale-list" and request.method == "GET":
            with self._lock:
                return wire.like(response, self._stale.setdefault((fault.id, request.target), body))
        if fault.name in wire.LISTS:
            return wire.like(response, wire.relisted(fault.name, body))
        return response if fault.name in _LATE else self._instead(fault)

    def _trickle(self, fault: Fault, head: bytes, body: bytes, connection: Connection) -> None:
        connection.wfile.write(head)
        for at in range(len(body)):
            connection.wfile.write(body[at : at + 1])
            if not self._is_on(fault):
                connection.wfile.write(body[at + 1 :])
                return
            time.sleep(fault.pace)

    def _is_on(self, fault: Fault) -> bool:
        with self._lock:
            return any(f.id == fault.id for f in self._active)

    # -- inside a move

    def begin(self, _source: str, _target: str) -> None:
        """A move begins. Raises OSError when it is refused at once."""
        self._move = _Move(self._strike(lambda f: f.name in MOVES))
        fault = self._move.fault
        if fault and fault.name == "move-denied" and fault.files == 0:
            raise OSError(errno.EACCES, "Permission denied")

    def halfway(self, target: str) -> None:
        """A video of the move is half copied. Raises OSError, waits, or ends the process, as a fault has it."""
        fault, passed = self._move.fault, self._move.passed
        if fault is None or len(passed - {target}) < fault.files:
            passed.add(target)
            return
        if fault.name == "move-killed":
            time.sleep(_KILL_DELAY_S)
            os.kill(os.getpid(), signal.SIGKILL)
        if fault.name == "move-disk-full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if fault.name == "move-denied":
            raise OSError(errno.EACCES, "Permission denied")
        while self._is_on(fault):
            time.sleep(0.02)
        self._move = _Move()
