"""A simulated rtorrent: XML-RPC over SCGI (a Unix socket), or over HTTP as ruTorrent's httprpc forwards it.

    with Rtorrent(torrents) as server: server.url            # scgi:///…
    with Rtorrent(torrents, http=True, version="0.16.12") as server: …   # untrusted: most calls are refused with -507
    with Rtorrent(torrents, http=True, password="…") as server: …        # its web server asks for it, of user me

What it keeps of the real one: an empty base path until a torrent was opened, a shared folder for a single file, a ratio of
0 while data is checked, a removal that leaves every file, one refused field that fails a whole list.
"""

from __future__ import annotations

import base64
import os
import socketserver
import tempfile
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from sandbox.torrents.model import Torrent

# What 0.16 lets pass from a proxy that it does not trust; up to 0.16.15 without the last two.
_SAFE = {
    "d.hash", "d.name", "d.size_bytes", "d.bytes_done", "d.left_bytes", "d.state", "d.is_active", "d.hashing", "d.is_multi_file",
    "d.directory", "d.base_path", "d.ratio", "d.up.total", "d.is_hash_checking", "d.state_changed", "d.message", "d.custom1",
    "d.custom", "d.is_private", "d.peers_complete", "d.is_meta", "f.multicall", "t.multicall", "f.path", "f.size_bytes",
    "f.completed_chunks", "f.size_chunks", "f.priority", "f.is_created", "t.url", "t.group", "t.is_enabled", "t.failed_counter",
    "t.success_counter", "d.multicall2", "system.multicall", "system.client_version", "system.time_seconds", "download_list",
    "d.erase", "d.open", "d.close", "d.pause", "d.resume",
}  # fmt: skip
_SINCE_16 = {"d.complete", "d.timestamp.finished"}

_TOLD: Mapping[str, Callable[[Torrent], Any]] = {
    "d.hash": lambda t: t.hash.upper(),
    "d.name": lambda t: t.name,
    "d.size_bytes": lambda t: t.size,
    "d.bytes_done": lambda t: t.size if t.complete else 0,
    "d.left_bytes": lambda t: 0 if t.complete else t.size,
    "d.state": lambda t: int(t.started),
    "d.is_active": lambda t: int(t.active),
    "d.hashing": lambda t: t.hashing,
    "d.is_multi_file": lambda t: int(t.multi),
    "d.directory": lambda t: t.directory,
    "d.base_path": lambda t: t.content if t.opened else "",
    "d.ratio": lambda t: 0 if t.hashing else t.ratio,
    "d.up.total": lambda t: t.ratio * t.size // 1000,
    "d.is_hash_checking": lambda t: int(bool(t.hashing)),
    "d.complete": lambda t: int(t.complete),
    "d.timestamp.finished": lambda t: t.finished if t.complete else 0,
    "d.state_changed": lambda t: t.changed,
    "d.message": lambda t: t.message,
    "d.custom1": lambda t: t.label,
    "d.is_private": lambda t: int(t.private),
    "d.peers_complete": lambda t: t.seeders,
}
_ALIKE = {"d.custom": "", "d.is_meta": 0}  # of every torrent


def _file(torrent: Torrent, path: str, size: int, name: str) -> Any:
    if name == "f.path":
        return path
    if name == "f.size_bytes":
        return size
    if name in ("f.size_chunks", "f.completed_chunks"):
        return max(1, size >> 18) if torrent.complete or name == "f.size_chunks" else 0
    if name == "f.priority":
        return 1
    if name == "f.is_created":
        return int(torrent.opened and os.path.isfile(f"{torrent.directory}/{path}"))  # noqa: PTH113
    raise KeyError(name)


class _Fault(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.value = {"faultCode": code, "faultString": text}


class Rtorrent:
    """One server. `requests` counts what came in, `calls` the commands of all of it."""

    def __init__(
        self, torrents: list[Torrent], *, version: str = "0.9.8", http: bool = False, password: str = ""
    ) -> None:
        self.torrents = {t.hash.upper(): t for t in torrents}
        self.version, self.http, self.password = version, http, password
        self.requests = 0
        self.calls: dict[str, int] = {}
        self.refuses: dict[str, tuple[int, str]] = {}  # method → the fault it answers
        self.modes: list[str] = []
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="rt-")
        self._server: socketserver.BaseServer | None = None

    @property
    def url(self) -> str:
        if self.http:
            assert isinstance(self._server, ThreadingHTTPServer)  # noqa: S101  # it is started
            return f"http://127.0.0.1:{self._server.server_port}/rutorrent/plugins/httprpc/action.php"
        return f"scgi://{self._folder.name}/rpc.socket"

    def __enter__(self) -> Self:
        self._server = _http(self) if self.http else _scgi(self, f"{self._folder.name}/rpc.socket")
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._server is not None  # noqa: S101  # it is started
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    # calls -----------------------------------------------------------------------------------------------------------

    def answer(self, body: bytes) -> bytes:
        """The answer to one document."""
        params, method = xmlrpc.client.loads(body)
        with self._lock:
            self.requests += 1
            try:
                value = xml(self._call(str(method), list(params)))
            except _Fault as fault:
                return (
                    f"<?xml version='1.0'?><methodResponse><fault>{xml(fault.value)}</fault></methodResponse>".encode()
                )
        return f"<?xml version='1.0'?><methodResponse><params><param>{value}</param></params></methodResponse>".encode()

    def _trusted(self, method: str) -> None:
        if method in self.refuses:
            raise _Fault(*self.refuses[method])
        numbers = [int(n) for n in self.version.split(".")]
        if not self.http or numbers < [0, 16, 9]:
            return
        if method not in _SAFE and not (method in _SINCE_16 and numbers >= [0, 16, 16]):
            raise _Fault(-507, f"Method '{method}' is not allowed from an untrusted connection.")

    def _call(self, method: str, params: list[Any]) -> Any:
        self._trusted(method)
        self.calls[method] = self.calls.get(method, 0) + 1
        if method == "system.multicall":
            return [self._in_place(c["methodName"], c["params"]) for c in params[0]]
        if method == "system.client_version":
            return self.version
        if method == "system.time_seconds":
            return int(time.time())
        if method == "download_list":
            return list(self.torrents)
        if method == "d.multicall2":
            return [[self._field(t, field) for field in params[2:]] for t in list(self.torrents.values())]
        torrent = self.torrents.get(str(params[0]).upper()) if params else None
        if torrent is None:
            raise _Fault(-501, "Could not find info-hash.")
        if method in ("f.multicall", "t.multicall"):
            return self._rows(torrent, method, [str(p) for p in params[2:]])
        return self._of(torrent, method, [str(p) for p in params[1:]])

    def _in_place(self, method: str, params: list[Any]) -> Any:
        try:
            return [self._call(method, params)]
        except _Fault as fault:
            return fault.value

    def _field(self, torrent: Torrent, field: str) -> Any:
        method, _, rest = field.partition("=")
        self._trusted(method)
        if method in ("f.multicall", "t.multicall"):
            return self._rows(torrent, method, rest.split(",")[1:])
        return self._of(torrent, method, [rest] if rest else [])

    def _rows(self, torrent: Torrent, method: str, fields: list[str]) -> list[list[Any]]:
        names = [f.rstrip("=") for f in fields]
        for name in names:
            self._trusted(name)
        if method == "t.multicall":
            failed = int(bool(torrent.message))
            known: list[dict[str, Any]] = [
                {
                    "t.url": u,
                    "t.group": n,
                    "t.is_enabled": 1,
                    "t.failed_counter": failed,
                    "t.success_counter": 1 - failed,
                }
                for n, u in enumerate(torrent.trackers)
            ]
            return [[one[name] for name in names] for one in known]
        return [[_file(torrent, path, size, name) for name in names] for path, size in torrent.files]

    def _of(self, t: Torrent, method: str, params: list[str]) -> Any:
        if method == "d.erase":
            del self.torrents[t.hash.upper()]
            return 0
        if method in ("d.close", "d.stop", "d.pause"):
            t.active = False
            t.started = t.started and method != "d.stop"
            return 0
        if method in ("d.open", "d.resume", "d.start"):
            t.opened = True
            t.active = method != "d.open"
            return 0
        if method in _TOLD:
            return _TOLD[method](t)
        if method in _ALIKE:
            return _ALIKE[method]
        raise _Fault(-506, f"Method '{method}' not defined")


def xml(value: Any) -> str:
    """A value of XML-RPC, as rtorrent writes it."""
    if isinstance(value, str):
        return f"<value><string>{escape(value)}</string></value>"
    if isinstance(value, int):
        return f"<value><i8>{value}</i8></value>"
    if isinstance(value, dict):
        members = "".join(f"<member><name>{k}</name>{xml(v)}</member>" for k, v in value.items())
        return f"<value><struct>{members}</struct></value>"
    return f"<value><array><data>{''.join(map(xml, value))}</data></array></value>"


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def _scgi(owner: Rtorrent, path: str) -> _Unix:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            count = b""
            while not count.endswith(b":"):
                part = self.rfile.read(1)
                if not part:
                    return
                count += part
            head = self.rfile.read(int(count[:-1]) + 1)
            body = self.rfile.read(int(head.split(b"\0")[1]))
            told = owner.answer(body)
            self.wfile.write(
                b"Status: 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(told) + told
            )

    return _Unix(path, Handler)


def _http(owner: Rtorrent) -> ThreadingHTTPServer:
    login = "Basic " + base64.b64encode(f"me:{owner.password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing: tests read what was asked from `calls`."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if owner.password and self.headers.get("authorization") != login:
                self._send(b"<h1>Unauthorized</h1>", "text/html", 401)
                return
            if body.startswith(b"mode="):
                owner.modes.append(body.decode())
                fields = dict(part.split("=") for part in body.decode().split("&"))
                if fields["mode"] == "stop":
                    torrent = owner.torrents[fields["hash"]]
                    torrent.started = torrent.active = False
                self._send(b'["0"]', "application/json")
                return
            self._send(owner.answer(body), "text/xml")

        def _send(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("www-authenticate", 'Basic realm="rtorrent"')
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
