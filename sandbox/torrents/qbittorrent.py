"""A simulated qBittorrent: `version` 4.5 or 5.2, with their two ways to log in, and API keys in the newer one.

    with Qbittorrent(torrents, version="5.2") as server: server.url      # user admin, password adminadmin; KEY

Deleting with `all` deletes all, as the real one does. `login_page` answers everything with a web page, as a proxy does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sandbox.torrents.model import Torrent

PASSWORD = "adminadmin"
KEY = "qbt_simulated0123456789abcdefg"
WEBAPI = {"4.5": "2.8.19", "5.2": "2.15.1"}


class Qbittorrent:
    """One server. `deleted` lists every removal as it was asked for; `asked` the paths."""

    def __init__(self, torrents: list[Torrent], *, version: str = "5.2", password: str = PASSWORD) -> None:
        self.password = password
        self.torrents = {t.hash: t for t in torrents}
        self.version = version
        self.login_page = False
        self.deleted: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.sessions: set[str] = set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def new(self) -> bool:
        return self.version.startswith("5")

    @property
    def url(self) -> str:
        assert self._server is not None  # noqa: S101  # it is started
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._server is not None  # noqa: S101  # it is started
        self._server.shutdown()
        self._server.server_close()

    def info(self, fields: Mapping[str, str]) -> list[dict[str, Any]]:
        wanted = fields.get("hashes", "")
        found = [t for h, t in self.torrents.items() if wanted in ("", "all") or h in wanted.split("|")]
        return [self._shown(t, fields) for t in found]

    def _shown(self, t: Torrent, fields: Mapping[str, str]) -> dict[str, Any]:
        state = ("stalledUP" if t.active else "stoppedUP" if self.new else "pausedUP") if t.complete else "stalledDL"
        told = {
            "hash": t.hash, "name": t.name, "size": t.size, "total_size": t.size, "progress": 1 if t.complete else 0.5,
            "state": "checkingUP" if t.hashing else state, "category": t.label, "tags": "", "save_path": t.folder,
            "content_path": t.content, "added_on": t.finished, "completion_on": t.finished, "seeding_time": t.seeding_s,
            "ratio": -1 if t.ratio < 0 else t.ratio / 1000, "uploaded": t.size, "completed": t.size, "num_complete": t.seeders,
            "amount_left": 0 if t.complete else 1, "tracker": t.trackers[0], "trackers_count": len(t.trackers),
        }  # fmt: skip
        if self.new:
            told["private"] = t.private
            if fields.get("includeTrackers") == "true":
                told["trackers"] = self.trackers(t)
            if fields.get("includeFiles") == "true":
                told["files"] = self.files(t)
        return told

    def trackers(self, t: Torrent) -> list[dict[str, Any]]:
        status = 4 if t.message else 2
        return [{"url": u, "status": status, "tier": n, "msg": t.message} for n, u in enumerate(t.trackers)]

    def files(self, t: Torrent) -> list[dict[str, Any]]:
        lead = f"{t.name}/" if t.multi else ""
        return [
            {"index": n, "name": lead + path, "size": size, "progress": 1, "priority": 1}
            for n, (path, size) in enumerate(t.files)
        ]

    def delete(self, fields: dict[str, str]) -> None:
        self.deleted.append(fields)
        for info_hash in list(self.torrents):
            if fields["hashes"] == "all" or info_hash in fields["hashes"].split("|"):
                torrent = self.torrents.pop(info_hash)
                if fields["deleteFiles"].lower() == "true":
                    for path, _ in torrent.files:
                        Path(torrent.directory, path).unlink(missing_ok=True)


def _handler(owner: Qbittorrent) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing: tests read `asked`."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._route(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}, "GET")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            fields = {k: v[0] for k, v in parse_qs(body, keep_blank_values=True).items()}
            self._route(urlsplit(self.path).path, fields, "POST")

        def _route(self, path: str, fields: dict[str, str], method: str) -> None:
            name = path.removeprefix("/api/v2/")
            owner.asked.append(name)
            if owner.login_page:
                self._send(200, "<html><title>qBittorrent</title><form></form></html>", "text/html")
            elif name == "auth/login":
                self._login(fields)
            elif not self._known():
                self._send(403, "Forbidden", "text/plain")
            elif name == "app/webapiVersion":
                self._send(200, WEBAPI[owner.version], "text/plain")
            elif name == "torrents/info":
                self._json(owner.info(fields))
            elif name in ("torrents/files", "torrents/trackers") and fields.get("hash") in owner.torrents:
                torrent = owner.torrents[fields["hash"]]
                self._json(owner.files(torrent) if name.endswith("files") else owner.trackers(torrent))
            elif name == "torrents/delete" and method == "POST" and {"hashes", "deleteFiles"} <= fields.keys():
                owner.delete(fields)
                self._send(204 if owner.new else 200, "", "text/plain")
            elif name == ("torrents/stop" if owner.new else "torrents/pause") and method == "POST":
                owner.torrents[fields["hashes"]].active = False
                self._send(204 if owner.new else 200, "", "text/plain")
            else:
                self._send(404, "Not Found", "text/plain")

        def _known(self) -> bool:
            if owner.new and self.headers.get("authorization") == f"Bearer {KEY}":
                return True
            return any(session in (self.headers.get("cookie") or "") for session in owner.sessions)

        def _login(self, fields: dict[str, str]) -> None:
            right = fields == {"username": "admin", "password": owner.password}
            if not right:
                self._send(401 if owner.new else 200, "" if owner.new else "Fails.", "text/plain")
                return
            name = f"QBT_SID_{urlsplit(owner.url).port}" if owner.new else "SID"
            cookie = f"{name}=simulated-session-{len(owner.sessions)}x"
            owner.sessions.add(cookie)
            self._send(
                204 if owner.new else 200, "" if owner.new else "Ok.", "text/plain", f"{cookie}; HttpOnly; path=/"
            )

        def _json(self, value: Any) -> None:
            self._send(200, json.dumps(value), "application/json")

        def _send(self, status: int, text: str, kind: str, cookie: str = "") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            if cookie:
                self.send_header("set-cookie", cookie)
            if status != 204:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

    return Handler
