"""Sockets with one deadline for the whole request, and the knowledge whether anything was sent.

The HTTP library's timeouts are per read: a server that sends a byte a second never trips them. Here every socket
operation of an attempt gets only what is left of its time. Used by `http.py`; the network under it can be replaced, which
is where tests cut connections.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from reconciler.clock import Clock


class Attempt:
    """One try of one request. `sent` becomes True with the first byte that leaves."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.sent = False
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def left(self, timeout: float | None, too_late: type[Exception]) -> float:
        """Seconds for the next operation; `too_late` is raised when there are none."""
        rest = self._end - self._clock.monotonic()
        if rest <= 0:
            raise too_late("the deadline of the request has passed")
        return rest if timeout is None else min(rest, timeout)


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens sockets that keep to the deadline of the attempt under way in their thread."""

    def __init__(self, clock: Clock, network: httpcore.NetworkBackend | None = None) -> None:
        self._clock = clock
        self._network = network or httpcore.SyncBackend()
        self._current = threading.local()

    @contextmanager
    def attempt(self, seconds: float) -> Iterator[Attempt]:
        """Everything this thread sends and reads inside belongs to one attempt of at most `seconds`."""
        self._current.attempt = attempt = Attempt(self._clock, seconds)
        try:
            yield attempt
        finally:
            del self._current.attempt

    def current(self) -> Attempt:
        attempt: Attempt = self._current.attempt
        return attempt

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self.current().left(timeout, httpcore.ConnectTimeout)
        return _Stream(self, self._network.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, backend: DeadlineBackend, inner: httpcore.NetworkStream) -> None:
        self._backend = backend
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.current().left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        attempt = self._backend.current()
        left = attempt.left(timeout, httpcore.WriteTimeout)
        attempt.sent = attempt.sent or bool(buffer)
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._backend.current().left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend, self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
