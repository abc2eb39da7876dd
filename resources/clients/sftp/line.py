"""One SFTP channel with many requests in flight: each goes with a function that is called with its answer.

A thread of the line receives; answers are handed out there, in whatever order the server sends them. When the line is cut,
every open request is answered with LOST, so that nobody waits for ever. Requests are gathered until `flush`: one packet of
SSH for many of SFTP.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import paramiko

from reconciler.facts import NotThere, ReadFailed
from resources.clients.sftp import wire
from resources.clients.sftp.login import PACKET, WINDOW, Gate
from resources.clients.sftp.names import shown

PIECE = 1 << 20  # bytes taken at a time: of a larger backlog a small read would move the rest about each time
TOGETHER = 1000  # small requests in flight at a time
LOST = 0  # no type of the protocol: the line was cut before the answer came
Answer = Callable[[int, "memoryview | bytes"], None]


class Refused(Exception):
    """The server answered a request with a status that is not OK. `status` as in `wire`."""

    def __init__(self, status: int) -> None:
        super().__init__(wire.WORDS.get(status, f"status {status}"))
        self.status = status


class Line:
    """See the module. Thread-safe. `lost` is set once it is cut, and says why; `offers`: extensions of the protocol."""

    def __init__(self, gate: Gate) -> None:
        self.lost: ReadFailed | None = None
        self._gate = gate
        self._waiting: dict[int, Answer] = {}
        self._number = 0
        self._out = bytearray()
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._tail = bytearray()  # the beginning of a packet whose end has not come
        self.transport = gate.enter()
        try:
            self._channel = self.transport.open_session(WINDOW, PACKET, timeout=gate.spec.timeout)
            self._channel.settimeout(float(gate.spec.timeout))
            self._channel.invoke_subsystem("sftp")
            self._greet()
        except (paramiko.SSHException, EOFError, OSError, wire.Malformed):
            alive = self.transport.is_active()
            self.transport.close()
            if not alive:
                raise ReadFailed("truncated", f"{gate.trust.where} broke off", "try again") from None
            remedy = "is SFTP allowed for this user there?"
            raise ReadFailed("refused", f"{gate.trust.where} lets us in, but offers no SFTP", remedy) from None
        except BaseException:
            self.transport.close()
            raise
        self._thread = threading.Thread(target=self._receive, name="sftp", daemon=True)
        self._thread.start()

    def _greet(self) -> None:
        self._channel.sendall(wire.first_packet())
        have = b""
        while len(have) < 4 or len(have) < 4 + int.from_bytes(have[:4], "big"):
            part = self._channel.recv(1 << 16)
            have += part
            if not part or int.from_bytes(have[:4], "big") > wire.LONGEST_FRAME:
                raise wire.Malformed("no greeting")
        if have[4] != wire.VERSION:
            raise wire.Malformed("no greeting")
        self.offers = wire.extensions(have[9 : 4 + int.from_bytes(have[:4], "big")])

    # ---------------------------------------------------------------------------------------------------- asking

    def ask(self, kind: int, body: bytes, then: Answer) -> None:
        """Put a request into the next packet. `then` is called in the line's thread, or at once with LOST."""
        with self._lock:
            if self.lost is None:
                self._number = (self._number + 1) & 0xFFFFFFFF
                self._waiting[self._number] = then
                self._out += wire.packet(kind, self._number, body)
                return
        then(LOST, b"")

    def flush(self) -> None:
        """Send what was gathered."""
        with self._sending:
            with self._lock:
                out, self._out = bytes(self._out), bytearray()
            if not out:
                return
            try:
                self._channel.sendall(out)
            except (OSError, EOFError, paramiko.SSHException) as e:
                self._cut(str(e))

    def call(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """One request and its answer. ReadFailed when the line is cut, Refused for a status that is neither OK nor EOF."""
        came = threading.Event()
        answer: list[tuple[int, bytes]] = []

        def keep(told: int, data: memoryview | bytes) -> None:
            answer.append((told, bytes(data)))
            came.set()

        self.ask(kind, body, keep)
        self.flush()
        came.wait()
        told, data = answer[0]
        if told == LOST:
            raise self.failure()
        if told == wire.STATUS and wire.status(data) not in (wire.OK, wire.EOF):
            raise Refused(wire.status(data))
        return told, data

    def call_all(self, requests: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Many requests at once and their answers, in order, whatever they say. ReadFailed when the line is cut."""
        asked = list(requests)
        answers: dict[int, tuple[int, bytes]] = {}
        for begin in range(0, len(asked), TOGETHER):
            end, came = min(begin + TOGETHER, len(asked)), threading.Event()

            def keep(told: int, data: memoryview | bytes, at: int, end: int, came: threading.Event) -> None:
                answers[at] = (told, bytes(data))
                if len(answers) == end:
                    came.set()

            for at in range(begin, end):
                self.ask(*asked[at], partial(keep, at=at, end=end, came=came))
            self.flush()
            came.wait()
            if any(answers[at][0] == LOST for at in range(begin, end)):
                raise self.failure()
        return [answers[at] for at in range(len(asked))]

    def failure(self) -> ReadFailed:
        return self.lost or ReadFailed("truncated", f"{self._gate.trust.where} broke off", "try again")

    # ------------------------------------------------------------------------------------------------- receiving

    def _receive(self) -> None:
        why = ""
        try:
            while True:
                try:
                    part = self._channel.recv(PIECE)
                except TimeoutError:
                    if self._waiting:
                        why = f"it was silent for {self._gate.spec.timeout} s"
                        break
                    continue
                if not part:
                    break
                self._take(part)
        except (OSError, EOFError, paramiko.SSHException) as e:
            why = str(e)
        except wire.Malformed as e:
            why = f"it sent what is no SFTP: {e}"
        finally:
            self._cut(why)

    def _take(self, part: bytes) -> None:
        """Hand out the whole packets of what has come; keep the rest."""
        view = memoryview(part)
        if self._tail:
            view = self._complete(view)
        at, end = 0, len(view)
        while end - at >= 4 and end - at >= 4 + (length := _length(view[at : at + 4])):
            self._hand_out(view[at + 4 : at + 4 + length])
            at += 4 + length
        self._tail += view[at:]
        self.flush()

    def _complete(self, view: memoryview) -> memoryview:
        """Finish the packet that began in an earlier piece: only that one is copied. What follows it."""
        for size in (4, None):
            lacks = (size or 4 + _length(self._tail[:4])) - len(self._tail)
            self._tail += view[: max(lacks, 0)]
            view = view[max(lacks, 0) :]
            if len(view) == 0 and len(self._tail) < (size or 4 + _length(self._tail[:4])):
                return view
        packet, self._tail = self._tail, bytearray()
        self._hand_out(memoryview(packet)[4:])
        return view

    def _hand_out(self, packet: memoryview) -> None:
        number = int.from_bytes(packet[1:5], "big")
        with self._lock:
            then = self._waiting.pop(number, None)
        if then is None:
            return
        try:
            then(packet[0], packet[5:])
        except BaseException:  # it had no answer that it could read, and gets one more: LOST, of the cut that follows
            with self._lock:
                self._waiting[number] = then
            raise

    def _cut(self, why: str) -> None:
        with self._lock:
            if self.lost is None:
                told = f" ({why})" if why else ""
                self.lost = ReadFailed("truncated", f"{self._gate.trust.where} broke off{told}", "try again")
            waiting, self._waiting = list(self._waiting.values()), {}
        self.transport.close()
        for then in waiting:
            then(LOST, b"")

    def close(self) -> None:
        """Cut it. Waits for its thread, unless that is the caller."""
        self._cut("closed")
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # --------------------------------------------------------------------------------------- the small requests

    def stat(self, path: bytes, kind: int = wire.LSTAT) -> wire.Attrs:
        """NotThere when the server has no such file."""
        try:
            told, data = self.call(kind, wire.text(path))
        except Refused as e:
            raise refused(e, path) from None
        if told != wire.ATTRS:
            raise ReadFailed(
                "malformed", f"{self._gate.trust.where} answered a question for a file with something else"
            )
        return wire.Reader(data).attrs()


def _length(raw: memoryview | bytearray) -> int:
    """How long a packet is, from its first four bytes."""
    length = int.from_bytes(raw, "big")
    if not 5 <= length <= wire.LONGEST_FRAME:
        raise wire.Malformed(f"a packet of {length} bytes")
    return length


def refused(error: Refused, path: bytes) -> Exception:
    """A status as what a client raises."""
    name = shown(path.decode("utf-8", "surrogateescape"))
    if error.status == wire.NO_SUCH_FILE:
        return NotThere(f"{name} is not there")
    return ReadFailed("refused", f"the server refuses {name}: {error}", "may this user read it?")


def run(transport: paramiko.Transport, command: str, timeout: float) -> tuple[int, bytes]:
    """A command on the server: exit status and output. ReadFailed: `refused` when it may not be run, `truncated` when the
    line was cut meanwhile."""
    channel: Any = None
    try:
        channel = transport.open_session(timeout=timeout)
        channel.settimeout(timeout)
        channel.exec_command(f"cat > /dev/null; {command}")  # a server drops a line that ends what has ended by itself
        channel.shutdown_write()  # what the server may run in its place waits for requests, and goes when there are none
        parts = []
        while part := channel.recv(1 << 16):
            parts.append(part)
        status = channel.recv_exit_status()
        if transport.is_active():
            return status, b"".join(parts)
    except (paramiko.SSHException, OSError, EOFError):
        if transport.is_active():
            raise ReadFailed("refused", "the server runs no command for us") from None
    finally:
        if channel is not None:
            channel.close()
    raise ReadFailed("truncated", "the server broke off while it ran a command", "try again")
