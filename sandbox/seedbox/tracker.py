"""A tracker: clients announce themselves over HTTP and are told who else has the torrent.

    with Tracker() as tracker:
        metainfo(payload, tracker.url)

It knows no torrents of its own: whatever is announced is registered. The passkey in its URL is what real ones have, and
what must not appear in anything that is printed or kept.
"""

from __future__ import annotations

import secrets
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sandbox.seedbox.metainfo import encode


class Tracker:
    """Listens on a free port of the loopback from `with` to its end."""

    def __init__(self) -> None:
        self.passkey = secrets.token_hex(16)
        self._swarms: dict[bytes, dict[bytes, int]] = {}  # info-hash → who → port
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self.passkey}/announce"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def announced(self, query: str) -> bytes:
        """The answer to one announce; `query` is the part of its URL behind the question mark."""
        told = {k.encode("latin-1"): v[0].encode("latin-1") for k, v in parse_qs(query, encoding="latin-1").items()}
        who, port = told[b"peer_id"], int(told[b"port"])
        with self._lock:
            swarm = self._swarms.setdefault(told[b"info_hash"], {})
            swarm.pop(who, None)
            others = list(swarm.values())
            if told.get(b"event") != b"stopped":
                swarm[who] = port
        peers = b"".join(socket.inet_aton("127.0.0.1") + other.to_bytes(2, "big") for other in others)
        return encode({"interval": 600, "complete": len(others), "incomplete": 0, "peers": peers})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                known = parts.path == f"/{tracker.passkey}/announce"
                body = tracker.announced(parts.query) if known else encode({"failure reason": "unknown passkey"})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing: its URLs hold the passkey."""

        return Handler
