"""The line to a torrent client, over HTTP, where it can break, and what came over it.

with Line(server.url) as line:      # line.url takes the place of server.url
    line.fault = "lost"

Faults. Of everything: `down` (the line ends, and nothing is answered), `page` (a login page), `cut` (half of an answer).
Of removals only: `lost` (it is done, its answer is not told), `dropped` (it never arrives), `ignored` (the client's own yes,
and nothing is done), `tale` (refused, in words that repeat what the caller sent). A `Strike` hits single requests.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from sandbox.torrents.rtorrent import xml
from tests.strike import Asked, Striking

PAGE = b"<html><title>Log in</title><form></form></html>"
XML = "<?xml version='1.0'?><methodResponse>{}</methodResponse>"
FAULT = "<fault><value><struct><member><name>faultCode</name><value><i8>-500</i8></value></member><member>"
FAULT += "<name>faultString</name><value><string>{}</string></value></member></struct></value></fault>"
YES = {
    "d.erase": (200, "text/xml", XML.format("<params><param><value><i8>0</i8></value></param></params>").encode()),
    "torrents/delete": (204, "text/plain", b""),
    "torrent-remove": (200, "application/json", b'{"result": "success", "arguments": {}}'),
}
"""How a removal is called by each of the clients, and what it answers to it."""
READS = (
    "d.hash", "d.multicall2", "f.multicall", "t.multicall", "system.multicall", "system.client_version", "system.time_seconds",
    "download_list", "auth/login", "app/webapiVersion", "torrents/info", "torrents/files", "torrents/trackers", "torrent-get",
)  # fmt: skip

SLOW = 1.5  # seconds, for a connection whose timeout is one
PASSED = ("set-cookie", "www-authenticate", "x-transmission-session-id")

STATUS: Mapping[str, tuple[int, dict[str, str]]] = {
    "rate-limited": (429, {"retry-after": "1"}),
    "rate-limited-silently": (429, {}),
    "unauthorised": (401, {}),
    "forbidden": (403, {}),
    "gone": (404, {}),
    "server-error": (500, {}),
    "bad-gateway": (502, {}),
    "starting": (503, {"retry-after": "1"}),
    "redirect": (302, {"location": "http://127.0.0.1:1/"}),
}
"""What is answered in place of the client, by the name of a strike."""
LYING = ("stale-list", "short-list")
STRIKES = ("reset", "page", "empty", "cut", "garbage", "slow", "true", *STATUS)


Answered = tuple[int, str, bytes, dict[str, str]]  # status, media type, body, further headers


@dataclass
class Strike(Striking):
    """It fails in the way `name`.

    `true`: nothing fails, and `lie` changes the client while it answers; what that returns puts all right again.
    `short-list`: lists lack their second half. `stale-list`: what is asked again is answered as the first time.
    """

    lie: Callable[[], Callable[[], None]] | None = None
    kept: dict[str, Answered] = field(default_factory=dict)


class Line(ThreadingHTTPServer):
    """`asked`: path and body of every request, as text. `log`: what came of each. `told`: what the client answered to each of
    them that it got. `at_removal`: called before one is passed on."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._parts = urlsplit(url)
        self.fault = ""
        self.asked: list[str] = []
        self.log: list[Asked] = []
        self.answers: list[bytes] = []
        self.at_removal: Callable[[], None] = lambda: None
        self.strike: Strike | None = None
        self._counting = threading.Lock()

    @property
    def url(self) -> str:
        return self._parts._replace(netloc=f"127.0.0.1:{self.server_address[1]}").geturl()

    def due(self, name: str) -> Strike | None:
        """The strike, when it is this request's turn."""
        with self._counting:
            return self.strike if self.strike is not None and self.strike.due(name) else None

    @property
    def removals(self) -> list[str]:
        return [one for one in self.asked if _removal(one)]

    @property
    def changes(self) -> list[str]:
        """Everything that came over it and is no read."""
        return [one for one in self.asked if not any(read in one for read in READS) or _removal(one)]

    def passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        client = http.client.HTTPConnection(str(self._parts.hostname), self._parts.port, timeout=20)
        try:
            client.request(method, path, body or None, headers)
            answer = client.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            client.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.shutdown()
        self.server_close()


def call_of(path: str, body: bytes) -> str:
    """How a client's own documents call what is asked: `torrents/info`, `torrent-get`, `d.multicall2`."""
    if body.startswith(b"{"):
        return str(json.loads(body)["method"])
    if body.startswith(b"mode="):
        return body.decode().partition("&")[0]
    names = re.findall(rb"<methodName>([^<]+)</methodName>", body)
    return names[0].decode() if names else urlsplit(path).path.removeprefix("/api/v2/")


def halved(kind: str, body: bytes) -> bytes:
    """An answer whose lists of torrents lack their second half."""
    if "json" in kind:
        value = json.loads(body)
        if isinstance(value, list):
            return json.dumps(value[: len(value) // 2]).encode()
        found = value.get("arguments", {}).get("torrents", [])
        del found[len(found) // 2 :]
        return json.dumps(value).encode()
    if "xml" not in kind or b"<fault>" in body:
        return body
    (told,), _ = xmlrpc.client.loads(body)
    return XML.format(f"<params><param>{xml(_half(told))}</param></params>").encode()


def _half(value: Any) -> Any:
    """Lists of rows, at whatever depth, without their second half."""
    if not isinstance(value, list):
        return value
    rows = value and all(isinstance(row, list) and row and isinstance(row[0], str) for row in value)
    return value[: len(value) // 2] if rows else [_half(inner) for inner in value]


def _removal(text: str) -> str:
    return next((word for word in YES if word in text), "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Line

    def log_message(self, *_: Any) -> None:
        """Nothing: tests read `asked`."""

    def _serve(self) -> None:
        line, body = self.server, self.rfile.read(int(self.headers.get("content-length") or 0))
        text = f"{self.path} {body.decode(errors='replace')}"
        line.asked.append(text)
        self.entry = Asked(call_of(self.path, body))
        line.log.append(self.entry)
        word, fault = _removal(text), line.fault
        if (strike := line.due(self.entry.name)) is not None:
            self._struck(strike, text, body)
        elif fault == "down" or (word and fault == "dropped"):
            self.close_connection = True
        elif fault == "page":
            self._send(200, "text/html", PAGE)
        elif word and fault == "ignored":
            self._send(*YES[word])
        elif word and fault == "tale":
            self._send(*_tale(word, f"{self.headers.get('authorization')} {self.headers.get('cookie')} {text}"))
        else:
            self._through(body, word, fault)

    do_GET = do_POST = _serve

    def _struck(self, strike: Strike, text: str, body: bytes) -> None:
        self.entry.struck = strike.name
        right = strike.lie() if strike.lie is not None else lambda: None
        answer = None
        if strike.after or strike.name in ("true", "cut", *LYING):
            answer = self._passed(body)
        right()
        if strike.name == "cut" and answer is not None and not answer[2]:
            self.entry.struck = ""  # there is nothing to cut
        if strike.name in STATUS:
            status, more = STATUS[strike.name]
            self._send(status, "text/plain", b"not now", more)
        elif strike.name == "slow":
            time.sleep(SLOW)
            self.close_connection = True
        elif strike.name == "reset":
            self.close_connection = True
        elif answer is not None and strike.name == "short-list":
            self._send(answer[0], answer[1], halved(answer[1], answer[2]), answer[3])
        elif answer is not None and strike.name == "stale-list":
            self._send(*(strike.kept.setdefault(text, answer) if answer[0] < 300 else answer))
        elif answer is not None and strike.name in ("true", "cut"):
            self._send(*answer, cut=strike.name == "cut")
        else:
            self._send(200, "text/html", {"page": PAGE, "empty": b"", "garbage": b"\x1f\x8b\0\xff"}[strike.name])

    def _passed(self, body: bytes) -> Answered:
        sent = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
        status, headers, told = self.server.passed_on(self.command, self.path, sent, body)
        self.server.answers.append(told)
        self.entry.done = status < 300 and b"<fault>" not in told
        more = {k: v for k, v in headers.items() if k.lower() in PASSED}
        return status, headers.get("content-type") or "", told, more

    def _through(self, body: bytes, word: str, fault: str) -> None:
        if word:
            self.server.at_removal()
        answer = self._passed(body)
        if word and fault == "lost":
            self.close_connection = True
            return
        self._send(*answer, cut=fault == "cut")

    def _send(
        self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, **(more or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut


def _tale(word: str, sent: str) -> tuple[int, str, bytes]:
    if word == "d.erase":
        return 200, "text/xml", XML.format(FAULT.format(escape(sent))).encode()
    if word == "torrent-remove":
        return 200, "application/json", json.dumps({"result": sent}).encode()
    return 409, "text/plain", sent.encode()
