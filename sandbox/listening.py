"""The port of one server, which a fault can take away and give back while the process runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.http import Server, Site


class Listener:
    """Serves one site. `prepare` is called with every HTTP server made for it."""

    def __init__(self, site: Site, port: int, prepare: Callable[[Server], None]) -> None:
        self._site, self._prepare = site, prepare
        self._server: Server | None = self._open(port)
        self._lock = threading.Lock()

    def _open(self, port: int) -> Server:
        server = Server(self._site, port)
        self._prepare(server)
        return server

    def serve(self) -> None:
        """Begins to answer; connections made before now have been waiting."""
        if self._server is not None:
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def listen(self, on: bool) -> None:
        """Gives the port back, or takes it away: connections are then refused."""
        with self._lock:
            if on and self._server is None:
                self._server = self._open(self._site.port)
                self.serve()
            elif not on and self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None
