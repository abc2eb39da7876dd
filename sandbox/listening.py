"""The port of one server, which a fault can take away and give back while the process runs on.

While it is away its number stays reserved: else another process could be given it meanwhile, and it could not come back.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable

from sandbox.http import Server, Site

PATIENCE = 15.0  # seconds for which a port that somebody else has is waited for


class Listener:
    """Serves one site. `prepare` is called with every HTTP server made for it."""

    def __init__(self, site: Site, port: int, prepare: Callable[[Server], None]) -> None:
        self._site, self._prepare = site, prepare
        self._server: Server | None = _opened(site, port)
        self._held: socket.socket | None = None
        self._lock = threading.Lock()
        prepare(self._server)

    def serve(self) -> None:
        """Begins to answer; connections made before now have been waiting."""
        if self._server is not None:
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def listen(self, on: bool) -> None:
        """Gives the port back, or takes it away: connections are then refused."""
        with self._lock:
            if on and self._held is not None:
                self._server, self._held = Server(self._site, held=self._held), None
                self._prepare(self._server)
                self.serve()
            elif not on and self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server, self._held = None, _hold(self._site.port)


def _opened(site: Site, port: int) -> Server:
    """A server on its port. While it was not running another process may have been given that for a moment: it is waited for."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return Server(site, port)
        except OSError as e:
            if e.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise
            time.sleep(0.1)


def _hold(port: int) -> socket.socket:
    """A socket that has the port to itself and does not listen on it: who connects is refused, who wants it too."""
    held = socket.socket()
    # Needed to bind beside the connections that linger from before, and given up so that nobody binds beside this one.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return held
