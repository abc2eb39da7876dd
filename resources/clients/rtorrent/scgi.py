"""SCGI over a Unix socket or TCP: one request a connection, as rtorrent itself listens. Called by `rpc.py`.

A socket keeps to one deadline from its opening to the last byte. What was sent in part may have been done: that is told
apart from what never left (law 7), and a broken-off answer from a whole one by the length that it says of itself.
"""

from __future__ import annotations

import re
import socket
from contextlib import closing

from reconciler.clock import Clock
from reconciler.facts import ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients.failures import Where

CAP = 512 * 1024**2  # bytes of one answer
CONNECT = 10.0  # seconds
WAITS = (0.1, 0.5)  # seconds between the tries of a read


class Scgi:
    """One listening rtorrent: `path` of its Unix socket, or `host` and `port`. Thread-safe: it keeps nothing open."""

    def __init__(self, where: Where, clock: Clock, *, path: str = "", host: str = "", port: int = 0) -> None:
        self.where = where
        self._clock = clock
        self._path, self._host, self._port = path, host, port

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def ask(self, body: bytes) -> bytes:
        """The answer to a read; tried again a little where nobody listened or the line broke. ReadFailed."""
        for wait in (*WAITS, None):
            try:
                return self._once(body)
            except _Failed as e:
                if wait is None or e.failure.code not in ("down", "truncated"):
                    raise e.failure from None
                self._clock.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def send(self, body: bytes) -> bytes:
        """The answer to a write, sent once. WriteRefused: nothing left. ReplyLost: something did."""
        try:
            return self._once(body)
        except _Failed as e:
            if not e.sent:
                raise WriteRefused(f"not sent: {e.failure.reason}", e.failure.remedy) from None
            raise ReplyLost(e.failure.reason, late=e.failure.code == "slow") from None

    def _once(self, body: bytes) -> bytes:
        end = self._clock.monotonic() + self.where.timeout
        try:
            line = self._open()
        except OSError as e:
            raise _Failed(self._down(e), sent=False) from None
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0REQUEST_METHOD\0POST\0" % len(body)
        sent = False
        with closing(line):
            try:
                line.settimeout(self._left(end))
                sent = True
                line.sendall(b"%d:%s,%s" % (len(head), head, body))
                return self._answer(line, end)
            except TimeoutError:
                raise _Failed(self._slow(), sent=sent) from None
            except OSError as e:
                raise _Failed(self._cut(e.strerror or "it broke off"), sent=sent) from None

    def _open(self) -> socket.socket:
        if not self._path:
            return socket.create_connection((self._host, self._port), timeout=min(CONNECT, self.where.timeout))
        line = socket.socket(socket.AF_UNIX)
        try:
            line.settimeout(min(CONNECT, self.where.timeout))
            line.connect(self._path)
        except OSError:
            line.close()
            raise
        return line

    def _answer(self, line: socket.socket, end: float) -> bytes:
        taken = bytearray()
        while True:
            line.settimeout(self._left(end))
            part = line.recv(1 << 18)
            if not part:
                break
            taken += part
            if len(taken) > CAP:
                raise _Failed(self._cut(f"its answer has more than {CAP >> 20} MiB"), sent=True)
        head, gap, body = bytes(taken).partition(b"\r\n\r\n")
        length = [
            line.split(b":", 1)[1].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        if not gap or not length or not re.fullmatch(rb"[0-9]{1,15}", length[0]) or len(body) < int(length[0]):
            raise _Failed(self._cut("it broke off its answer" if taken else "it closed the line"), sent=True)
        return body[: int(length[0])]

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _down(self, error: OSError) -> ReadFailed:
        how = "nobody answers in time" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        remedy = f"start it, or correct {self.where.field}.url"
        if isinstance(error, PermissionError):
            return ReadFailed("refused", f"{self.where.url} may not be opened ({how})", "let this user use the socket")
        return ReadFailed("down", f"{self.where.url} cannot be reached ({how})", remedy)

    def _slow(self) -> ReadFailed:
        reason = f"{self.where.url} did not answer in full within {self.where.timeout:g} s"
        return ReadFailed("slow", reason, f"look why it is slow, or raise {self.where.field}.timeout")

    def _cut(self, how: str) -> ReadFailed:
        return ReadFailed("truncated", f"{self.where.url}: {how}", "try again; if it stays so, look at rtorrent itself")


class _Failed(Exception):
    """A try that gave nothing. `sent`: some of it may have arrived."""

    def __init__(self, failure: ReadFailed, *, sent: bool) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.sent = sent
