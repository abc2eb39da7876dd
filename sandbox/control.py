"""The control channel of a server: a second loopback port, with a token, that tests and `arr sandbox` speak to.

`ControlServer` listens in the server's process and leaves its port and token in `<home>/.servers/<name>/control.json`,
readable by its user alone. `Control` is the other end, for one or all servers of a home:

    control.break_("reset", server="sonarr", method="PUT", path="/api/v3/series/*", times=1, when="after")
    control.heal()
    [r for r in control.requests("sonarr") if r["method"] != "GET"]
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.disks import state_folder
from sandbox.faults import Faults
from sandbox.values import Json

FILE = "control.json"
_TIMEOUT_S = 10.0


class Unreachable(Exception):
    """The server's process does not run, or its control channel does not answer."""


class _Handler(BaseHTTPRequestHandler):
    """GET, POST and DELETE on `/faults` and `/requests`, POST on `/stop`; JSON both ways."""

    server: ControlServer

    def _serve(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._answer(401, {"error": "the token is wrong"})
            return
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        given = json.loads(raw) if raw else dict(urllib.parse.parse_qsl(query))
        act = self.server.actions.get((self.command, path))
        if act is None:
            self._answer(404, {"error": "there is no such action"})
            return
        try:
            self._answer(200, act(given))
        except (TypeError, ValueError) as error:
            self._answer(400, {"error": str(error)})
        except OSError as error:
            self._answer(500, {"error": f"the action failed: {error}"})

    do_GET = do_POST = do_DELETE = _serve

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class ControlServer(ThreadingHTTPServer):
    """Listens beside one server. `stop` ends the server's process."""

    daemon_threads = True

    def __init__(self, faults: Faults, folder: Path, stop: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_hex(16)
        self.actions: dict[tuple[str, str], Callable[[Json], Any]] = {
            ("GET", "/faults"): lambda _g: faults.active(),
            ("POST", "/faults"): lambda given: vars(faults.add(given)),
            ("DELETE", "/faults"): lambda given: faults.heal(given.get("name")),
            ("GET", "/requests"): lambda _g: faults.requests(),
            ("DELETE", "/requests"): lambda _g: faults.clear(),
            ("POST", "/stop"): lambda _g: threading.Timer(0.05, stop).start(),
        }
        self._announce(folder)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def _announce(self, folder: Path) -> None:
        fresh = folder / f"{FILE}.new"
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, json.dumps({"port": self.server_address[1], "token": self.token}).encode())
        os.close(file)
        fresh.replace(folder / FILE)


class Control:
    """The control channels of a home. `names` gives its servers; a method without `server` speaks to all of them."""

    def __init__(self, home: Path, names: Callable[[], list[str]]) -> None:
        self._home, self._names = home, names

    def break_(
        self,
        name: str,
        *,
        server: str | None = None,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
        skip: int = 0,
        when: str = "before",
        files: int = 0,
        **more: Any,
    ) -> None:
        """Switches a fault on (see `faults.NAMES` and `faults.Fault`). ValueError for one that makes no sense."""
        fault = {
            "name": name,
            "method": method,
            "path": path,
            "times": times,
            "skip": skip,
            "when": when,
            "files": files,
            **more,
        }
        for one in self._chosen(server):
            self._ask(one, "POST", "/faults", fault)

    def heal(self, name: str | None = None, *, server: str | None = None) -> int:
        """Switches faults off: those of this name, or all. Servers that do not run have none. Says how many."""
        query = f"?{urllib.parse.urlencode({'name': name})}" if name else ""
        return sum(self._ask(one, "DELETE", f"/faults{query}") for one in self._chosen(server) if self.reachable(one))

    def faults(self, server: str | None = None) -> list[Json]:
        """The faults that are on, each with the `server` it is on."""
        return self._from_all(server, "/faults")

    def requests(self, server: str | None = None) -> list[Json]:
        """What was asked of the servers since the last `clear`: server, method, path, query, status, fault."""
        return self._from_all(server, "/requests")

    def clear(self, server: str | None = None) -> None:
        """Forgets what was asked so far."""
        for one in self._chosen(server):
            self._ask(one, "DELETE", "/requests")

    def stop(self, server: str) -> None:
        """Ends a server's process."""
        self._ask(server, "POST", "/stop")

    def reachable(self, server: str) -> bool:
        """Whether the server's process runs."""
        try:
            self._ask(server, "GET", "/faults")
        except Unreachable:
            return False
        return True

    def _from_all(self, server: str | None, path: str) -> list[Json]:
        return [{"server": one, **row} for one in self._chosen(server) for row in self._ask(one, "GET", path)]

    def _chosen(self, server: str | None) -> list[str]:
        names = self._names()
        if server is not None and server not in names:
            raise ValueError(f"there is no server {server!r}; there are: {', '.join(names)}")
        return names if server is None else [server]

    def _ask(self, server: str, method: str, path: str, body: Json | None = None) -> Any:
        try:
            told = json.loads((state_folder(self._home, server) / FILE).read_text())
            connection = http.client.HTTPConnection("127.0.0.1", told["port"], timeout=_TIMEOUT_S)
            try:
                headers = {"Authorization": f"Bearer {told['token']}"}
                connection.request(method, path, json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                data = json.loads(answer.read())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"{server} does not run ({error})") from error
        if answer.status == 401:
            raise Unreachable(f"{server} does not run (its control port belongs to another process)")
        if answer.status != 200:
            raise ValueError(data["error"])
        return data
