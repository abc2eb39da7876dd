"""A simulated Transmission: its RPC of method and arguments, with the session's id and a password.

    with Transmission(torrents) as server: server.url      # user me, password open sesame unless another is given

A removal with data leaves files that are not the torrent's, and the folder with them; one of an unknown torrent succeeds, as
with the real one.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.torrents.model import Torrent

SESSION = "simulated-session"
PASSWORD = "open sesame"
SEEDS, STOPPED, CHECKS, DOWNLOADS = 6, 0, 2, 4


class Transmission:
    """One server. `asked` lists the methods, in their order."""

    def __init__(self, torrents: list[Torrent], *, password: str = PASSWORD) -> None:
        self.password = password
        self.torrents = {t.hash: t for t in torrents}
        self.asked: list[str] = []
        self._server: ThreadingHTTPServer | None = None

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

    def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to one call."""
        self.asked.append(method)
        ids = arguments.get("ids")
        found = [t for h, t in self.torrents.items() if ids is None or h in ids]
        if method == "torrent-get":
            return {"torrents": [{f: v for f, v in _row(t).items() if f in arguments["fields"]} for t in found]}
        if method == "torrent-stop":
            for torrent in found:
                torrent.active = torrent.started = False
            return {}
        for torrent in found:
            del self.torrents[torrent.hash]
            if arguments.get("delete-local-data"):
                _delete(torrent)
        return {}


def _delete(torrent: Torrent) -> None:
    for path, _ in torrent.files:
        Path(torrent.directory, path).unlink(missing_ok=True)
    if torrent.multi:
        with contextlib.suppress(OSError):  # what else lies there stays
            Path(torrent.directory).rmdir()


def _row(t: Torrent) -> dict[str, Any]:
    seeds = (SEEDS if t.active else STOPPED) if t.complete else DOWNLOADS
    done = t.size if t.complete else 0
    lead = f"{t.name}/" if t.multi else ""
    return {
        "hashString": t.hash, "name": t.name, "downloadDir": t.folder, "totalSize": t.size, "haveValid": done,
        "haveUnchecked": 0, "leftUntilDone": t.size - done, "percentDone": 1 if t.complete else 0,
        "status": CHECKS if t.hashing else seeds, "error": 2 if t.message else 0, "errorString": t.message,
        "uploadRatio": t.ratio / 1000, "uploadedEver": t.ratio * t.size // 1000, "secondsSeeding": t.seeding_s,
        "addedDate": t.finished, "doneDate": t.finished if t.complete else 0, "labels": [t.label] if t.label else [],
        "isPrivate": t.private, "metadataPercentComplete": 1,
        "files": [{"name": lead + path, "length": size, "bytesCompleted": size if t.complete else 0} for path, size in t.files],
        "fileStats": [{"wanted": True, "priority": 0, "bytesCompleted": size if t.complete else 0} for _, size in t.files],
        "trackerStats": [
            {
                "announce": url, "tier": n, "hasAnnounced": True, "lastAnnounceSucceeded": not t.message,
                "lastAnnounceResult": t.message or "Success", "seederCount": t.seeders,
            }
            for n, url in enumerate(t.trackers)
        ],
    }  # fmt: skip


def _handler(owner: Transmission) -> type[BaseHTTPRequestHandler]:
    right = "Basic " + base64.b64encode(f"me:{owner.password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing: tests read `asked`."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("authorization") != right:
                self._send(401, b"<h1>401: Unauthorized</h1>", "text/html")
            elif self.headers.get("x-transmission-session-id") != SESSION:
                self._send(409, b"<h1>409: Conflict</h1>", "text/html")
            else:
                told = json.loads(body)
                known = told["method"] in ("torrent-get", "torrent-stop", "torrent-remove")
                arguments = owner.call(told["method"], told["arguments"]) if known else {}
                result = "success" if known else "method name not recognized"
                said = {"result": result, "arguments": arguments}
                self._send(200, json.dumps(said).encode(), "application/json; charset=UTF-8")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("x-transmission-session-id", SESSION)
            if status == 401:
                self.send_header("www-authenticate", 'Basic realm="Transmission"')
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
