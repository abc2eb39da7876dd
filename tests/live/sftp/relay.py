"""A real OpenSSH server whose SFTP packets pass through this process, where single ones can fail.

    with Relay(folder) as relay:           # relay.ssh: the server, as `Sshd`
        relay.strike = Strike("denied", n=3, call="LSTAT")
        [one.name for one in relay.log]

Behind it works OpenSSH's own sftp-server. Between the two lies a script that passes bytes to a socket of this process, so a
strike sees every request by its name and every answer.

Strikes. Of any request: `cut` (the channel ends), `denied`, `failure`, `no-connection`, `unsupported`, `bad-message` (what the
server answers), `garbage` (a packet of no known type), `silent` (it is never answered). `down`: the channel ends, and so does
every later one. They hit before the server has the request, or `after` it was done.
Lies: `missing` (there is no such file), `empty-list`, `short-list` (a listing lacks its second half), `stale-list` (what is
asked again is answered as the first time).
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from resources.clients.sftp import wire
from tests.live.sftp.server import SFTP, Sshd, needed
from tests.strike import Asked, Striking

NAMES = {
    getattr(wire, name): name
    for name in (
        "OPEN", "CLOSE", "READ", "WRITE", "LSTAT", "FSTAT", "OPENDIR", "READDIR", "REMOVE", "MKDIR", "RMDIR", "REALPATH", "STAT",
        "RENAME",
    )
}  # fmt: skip
NAMES |= {9: "SETSTAT", 10: "FSETSTAT", 19: "READLINK", 20: "SYMLINK"}
CHANGES = {"WRITE", "REMOVE", "MKDIR", "RMDIR", "RENAME", "SETSTAT", "FSETSTAT", "SYMLINK", "OPEN to write"}
CHANGES |= {name.decode() for name in (wire.POSIX_RENAME, wire.FSYNC)} | {"hardlink@openssh.com"}
STATUS = {
    "missing": wire.NO_SUCH_FILE,
    "denied": wire.PERMISSION_DENIED,
    "failure": wire.FAILURE,
    "bad-message": wire.BAD_MESSAGE,
    "no-connection": wire.NO_CONNECTION,
    "unsupported": wire.UNSUPPORTED,
}
STRIKES = ("cut", "denied", "failure", "no-connection", "unsupported", "bad-message", "garbage", "silent", "down")
LISTS = ("empty-list", "short-list", "stale-list")
LIES = ("missing", *LISTS)
UNKNOWN = 250  # a type that the protocol does not have
PASS_ON = """
import os, socket, sys, threading
far = socket.socket(socket.AF_UNIX); far.connect(sys.argv[1])
def up():
    while part := os.read(0, 1 << 16): far.sendall(part)
    far.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while part := far.recv(1 << 16):
    while part: part = part[os.write(1, part):]
os._exit(0)
"""


@dataclass
class Strike(Striking):
    """It fails in the way `name`. Of the lies about lists answers with names in them are counted."""

    kept: dict[tuple[bytes, int], list[bytes]] = field(default_factory=dict)


class Relay:
    """See the module."""

    def __init__(self, folder: Path, **options: Any) -> None:
        needed()
        folder.mkdir(parents=True, exist_ok=True)
        self.log: list[Asked] = []
        self.strike: Strike | None = None
        self.lock = threading.Lock()
        self._path = folder / "relay.sock"
        script = folder / "pass_on.py"
        script.write_text(PASS_ON)
        command = " ".join(shlex.quote(part) for part in (sys.executable, "-I", "-S", str(script), str(self._path)))
        self.ssh = Sshd(folder / "sshd", through=command, **options)
        self._lines: list[_Line] = []
        self._socket = socket.socket(socket.AF_UNIX)

    @property
    def lists(self) -> bool:
        """Whether what strikes is a lie about lists."""
        return self.strike is not None and self.strike.name in LISTS

    @property
    def down(self) -> bool:
        return self.strike is not None and self.strike.name == "down" and self.strike.struck

    def due(self, entry: Asked) -> Strike | None:
        """The strike, when it hits this request."""
        with self.lock:
            strike = self.strike
            if strike is None or not strike.due(entry.name):
                return None
            entry.struck = strike.name
            return strike

    def _accept(self) -> None:
        while True:
            try:
                far, _ = self._socket.accept()
            except OSError:
                return
            if self.down:
                far.close()
            else:
                self._lines.append(_Line(self, far))

    def __enter__(self) -> Self:
        self._socket.bind(str(self._path))
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        self.ssh.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ssh.stop()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for line in self._lines:
            line.close()


class _Line:
    """One channel: the requests of `far` go to an sftp-server of its own, its answers back."""

    def __init__(self, relay: Relay, far: socket.socket) -> None:
        self.relay, self.far = relay, far
        self.server = subprocess.Popen([str(SFTP)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sending = threading.Lock()
        self.waiting: dict[bytes, tuple[Asked, Strike | None, bytes]] = {}  # by the number of the request
        self.folders: dict[bytes, bytes] = {}  # handle → the folder that it lists
        self.listed: dict[bytes, int] = {}  # handle → how often it was asked
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._up, self._down)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """The channel is cut, on both sides."""
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)
        self.server.kill()
        self.server.wait()

    def close(self) -> None:
        self.end()
        for thread in self.threads:
            thread.join()
        self.far.close()
        for pipe in (self.server.stdin, self.server.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent any more
                    pipe.close()

    def _up(self) -> None:
        """Requests."""
        assert self.server.stdin is not None
        with self.far.makefile("rb") as coming, contextlib.suppress(OSError, ValueError):
            for frame in frames(coming):
                if frame[4] != wire.INIT and not self._request(frame):
                    continue
                self.server.stdin.write(frame)
                self.server.stdin.flush()
        self.end()

    def _down(self) -> None:
        """Answers."""
        assert self.server.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for frame in frames(self.server.stdout):
                if frame[4] == wire.VERSION:
                    self._send(frame)
                else:
                    self._answer(frame)
        self.end()

    def _request(self, frame: bytes) -> bool:
        """Whether the server is to get it."""
        number, entry = frame[5:9], Asked(name_of(frame))
        self.relay.log.append(entry)
        strike = None if self.relay.lists else self.relay.due(entry)
        late = strike is not None and strike.after
        self.waiting[number] = (entry, strike if late else None, frame)
        if strike is None or late:
            return True
        self.waiting.pop(number)
        self._strike(strike, number)
        return False

    def _answer(self, frame: bytes) -> None:
        number = frame[5:9]
        entry, strike, asked = self.waiting.pop(number)
        entry.done = frame[4] != wire.STATUS or wire.status(frame[9:]) in (wire.OK, wire.EOF)
        if frame[4] == wire.HANDLE and entry.name == "OPENDIR":
            self.folders[wire.Reader(frame[9:]).text()] = wire.Reader(asked[9:]).text()
        if frame[4] == wire.NAME and entry.name == "READDIR" and self.relay.lists:
            strike = self.relay.due(entry)
        if strike is None:
            self._send(frame)
        elif strike.name in LISTS:
            self._send(self._list(strike, wire.Reader(asked[9:]).text(), frame))
        else:
            self._strike(strike, number)

    def _list(self, strike: Strike, handle: bytes, frame: bytes) -> bytes:
        """The answer to a READDIR as the lie has it."""
        number = frame[5:9]
        if strike.name == "empty-list":
            return packet(wire.STATUS, number, status(wire.EOF))
        place = self.listed[handle] = self.listed.get(handle, -1) + 1
        if strike.name == "stale-list":
            kept = strike.kept.setdefault((self.folders.get(handle, b""), place), [frame])[0]
            return kept[:5] + number + kept[9:]
        return packet(wire.NAME, number, halved(frame[9:])) if frame[4] == wire.NAME else frame

    def _strike(self, strike: Strike, number: bytes) -> None:
        if strike.name in STATUS:
            self._send(packet(wire.STATUS, number, status(STATUS[strike.name])))
        elif strike.name == "garbage":
            self._send(packet(UNKNOWN, number, b"\xff" * 40))
        elif strike.name in ("cut", "down"):
            self.end()

    def _send(self, frame: bytes) -> None:
        with self.sending:
            self.far.sendall(frame)


def frames(coming: IO[bytes]) -> Iterator[bytes]:
    """Whole packets, with their length before them."""
    while len(head := coming.read(4)) == 4:
        body = coming.read(struct.unpack(">I", head)[0])
        yield head + body


def name_of(frame: bytes) -> str:
    """LSTAT, or the name of an extension."""
    if frame[4] == wire.EXTENDED:
        return wire.Reader(frame[9:]).text().decode()
    name = NAMES.get(frame[4], str(frame[4]))
    if name == "OPEN":
        reader = wire.Reader(frame[9:])
        reader.text()
        return name if reader.number() == wire.FOR_READING else "OPEN to write"
    return name


def packet(kind: int, number: bytes, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 5, kind) + number + body


def status(code: int) -> bytes:
    return struct.pack(">I", code) + wire.text(b"struck") + wire.text(b"")


def halved(body: bytes) -> bytes:
    """A NAME packet without the second half of its entries."""
    entries = wire.names(body)
    kept = entries[: len(entries) // 2]
    return struct.pack(">I", len(kept)) + b"".join(_entry(name, told) for name, told in kept)


def _entry(name: bytes, told: wire.Attrs) -> bytes:
    mode = {"file": stat.S_IFREG, "folder": stat.S_IFDIR, "link": stat.S_IFLNK}.get(told.kind, stat.S_IFIFO) | 0o755
    attrs = struct.pack(">IQIII", 1 | 4 | 8, told.size or 0, mode, told.mtime or 0, told.mtime or 0)
    return wire.text(name) + wire.text(b"") + attrs
