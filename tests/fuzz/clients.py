"""The clients of servers, fed with answers: everything above the network is what the program runs, the network is not there.

An input names a query in its first line; what follows are the answers, divided by a line of three dashes, the last one again
and again. What a client makes of them has to be of use further on: whole text, sizes that a database takes, no endless
number. The entries in `targets.TARGETS` say how much each of these is tried.
"""

from __future__ import annotations

import json
import math
import re
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx

from reconciler import connection
from reconciler.clock import FakeClock
from reconciler.facts import Query
from resources.clients.exchange import Exchange, Reply
from resources.clients.failures import Where
from resources.clients.http import Http
from resources.clients.qbittorrent.api import Api
from resources.clients.qbittorrent.client import QbittorrentClient
from resources.clients.qbittorrent.client import Version as QbittorrentVersion
from resources.clients.rtorrent.client import RtorrentClient
from resources.clients.rtorrent.queries import FilesThere, Version
from resources.clients.rtorrent.rpc import Rpc
from resources.clients.rtorrent.scgi import Scgi
from resources.clients.servarr import flavour
from resources.clients.servarr import queries as q
from resources.clients.servarr.client import ServarrClient, reads
from resources.clients.servarr.history import History
from resources.clients.sftp import wire
from resources.clients.sftp.client import SftpClient
from resources.clients.sftp.queries import RemoteStat, RemoteTree
from resources.clients.torrents import OneTorrent, Torrent, Torrents
from resources.clients.transmission.client import TransmissionClient

HASH = "a" * 40
BREAK = b"\n---\n"


def forget() -> None:
    """Forget the secrets of earlier inputs: one process sees a few of them, not a hundred thousand."""
    connection._resolved.clear()
    connection._secrets.clear()


class Line:
    """In place of a network: answers every request of a client with the next part of an input, the last one again."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    def next(self) -> bytes:
        return self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]

    @contextmanager
    def stream(self, method: str, path: str, params: Any = None) -> Iterator[httpx.Response]:
        yield httpx.Response(200, headers={"content-type": "application/json"}, content=self.next())

    def close(self) -> None:
        """Nothing is open."""


def _asked(data: bytes, queries: Mapping[str, Query[Any]]) -> tuple[Query[Any], Line]:
    name, _, rest = data.partition(b"\n")
    every = list(queries.values())  # a name that was bent asks for something too, else most inputs would try nothing
    return queries.get(name.decode("ascii", "replace"), every[sum(name) % len(every)]), Line(rest.split(BREAK))


def _named(*queries: Query[Any]) -> dict[str, Query[Any]]:
    return {type(one).__name__: one for one in queries}


# --- Sonarr and Radarr

SERVARR = _named(
    q.StatusOf("server"), q.Items("server"), q.OneItem("server", 1), q.Roots("server"), q.DiskSpaces("server"),
    q.Commands("server"), q.CommandById("server", 1), q.Queue("server"), q.Tags("server"), q.TagUsers("server"),
    q.Listing("server", "/tv/Show"), q.Tree("server", "/tv/Show"),
    q.FileRows("server", 1), q.LogTail("server"), History("server"),
)  # fmt: skip


def _servarr(data: bytes, which: flavour.Flavour) -> object:
    query, line = _asked(data, SERVARR)
    where = Where("server", "http://server", "", 5.0)
    http = Http(where, headers={}, reads=reads(which), writable=False, clock=FakeClock(), parallel=1)
    if not isinstance(query, q.StatusOf):
        line.parts.insert(0, json.dumps({"appName": which.name, "version": f"{which.versions[0]}.0.0"}).encode())
    http._reader.close()
    http._reader = line  # type: ignore[assignment]  # the seam is below: this is what a parser of answers needs
    return ServarrClient(which, http).read(query)


def sonarr(data: bytes) -> object:
    return _servarr(data, flavour.SONARR)


def radarr(data: bytes) -> object:
    return _servarr(data, flavour.RADARR)


# --- torrent clients


def sound(found: object) -> object:
    """A torrent's texts are whole, and its figures such that sums of them can be kept."""
    for one in found if isinstance(found, tuple) else (found,):
        if not isinstance(one, Torrent):
            continue
        files, trackers = one.files or (), one.trackers or ()
        json.dumps(
            [one.name, one.save_path, one.content, one.label, one.tags, one.message], ensure_ascii=False
        ).encode()
        for text in (*(f.path for f in files), *(x for t in trackers for x in (t.url, t.host, t.message))):
            text.encode()
        for size in (one.size, one.done, *(x for f in files for x in (f.size, f.done))):
            assert 0 <= size < 1 << 63, f"a size of {size}"
        for figure in (one.ratio, one.uploaded, one.seeded_s, one.seeders):
            assert figure is None or (math.isfinite(figure) and abs(figure) < 1 << 63), f"a figure of {figure}"
    return found


class Carrier:
    """In place of the way to rtorrent."""

    def __init__(self, line: Line) -> None:
        self.where = Where("torrents", "http://torrents/RPC2", "", 5.0)
        self._line = line

    def ask(self, body: bytes) -> bytes:
        return self._line.next()

    send = ask

    def close(self) -> None:
        """Nothing is open."""


RTORRENT = _named(Version("torrents"), Torrents("torrents"), OneTorrent("torrents", HASH), FilesThere("torrents", HASH))


def rtorrent(data: bytes) -> object:
    query, line = _asked(data, RTORRENT)
    forget()
    return sound(RtorrentClient(Rpc(Carrier(line), writable=False)).read(query))


class Answers:
    """In place of an `Exchange`. A part may begin with a line of its own: `409 text/html; X-Header: value`."""

    def __init__(self, line: Line) -> None:
        self.where = Where("torrents", "http://torrents", "", 5.0)
        self._line = line

    def ask(self, method: str, url: str, body: bytes = b"", headers: object = None) -> Reply:
        part = self._line.next()
        if not (match := re.match(rb"([1-5][0-9]{2}) ([^;\n]*)((?:; [^;\n]*)*)\n", part)):
            return Reply(200, {"content-type": "application/json"}, part)
        fields = [one.decode("latin-1").partition(": ") for one in match[3].split(b"; ") if one]
        more = {name.lower(): value for name, _, value in fields}
        return Reply(int(match[1]), {"content-type": match[2].decode("latin-1"), **more}, part[match.end() :])

    send = ask

    def close(self) -> None:
        """Nothing is open."""


TRANSMISSION = _named(Torrents("torrents"), OneTorrent("torrents", HASH))
QBITTORRENT = {**TRANSMISSION, **_named(QbittorrentVersion("torrents"))}


def qbittorrent(data: bytes) -> object:
    query, line = _asked(data, QBITTORRENT)
    forget()
    exchange: Any = Answers(line)
    api = Api(exchange, user=("me", "open sesame"), by_key=False, writable=False)
    if not isinstance(query, QbittorrentVersion):
        api._met = "2.11.4"
    return sound(QbittorrentClient(api).read(query))


def transmission(data: bytes) -> object:
    query, line = _asked(data, TRANSMISSION)
    forget()
    exchange: Any = Answers(line)
    return sound(TransmissionClient(exchange, writable=False).read(query))


def challenge(data: bytes) -> object:
    """A server that asks who we are: its WWW-Authenticate, a line each, and its cookies."""
    forget()
    headers = [
        ("set-cookie" if line.startswith(b"!") else "www-authenticate", line.lstrip(b"!"))
        for raw in data.split(b"\n")
        if (line := re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", raw).strip())
    ]
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("authorization", "").encode("utf-8", "surrogateescape"))
        return httpx.Response(401 if len(asked) < 4 else 200, headers=[(k.encode(), v) for k, v in headers])

    exchange = Exchange(Where("torrents", "http://torrents", "", 5.0), clock=FakeClock(), user=("me", "open sesame"))
    exchange._client.close()
    exchange._client = httpx.Client(transport=httpx.MockTransport(answer))
    reply = exchange.ask("GET", "http://torrents/")
    assert not any(b"open sesame" in told for told in asked)
    return reply.failure(exchange.where) if reply.status == 401 else reply


class Socket:
    """In place of a socket: the bytes of an input, a few at a time."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def recv(self, most: int) -> bytes:
        step = min(most, 1 + len(self._data) % 9 + len(self._data) // 50)
        part, self._at = self._data[self._at : self._at + step], self._at + step
        return part

    def settimeout(self, seconds: float) -> None:
        """It never waits."""

    def sendall(self, data: bytes) -> None:
        """It takes everything."""

    def close(self) -> None:
        """Nothing is open."""


def scgi(data: bytes) -> object:
    """What rtorrent's socket says: a head, and a body of the length that it tells."""
    way = Scgi(Where("torrents", "scgi://socket", "", 5.0), FakeClock(), path="socket")
    way._open = lambda: Socket(data)  # type: ignore[assignment,method-assign,return-value]  # the seam is below
    return way.ask(b"")


# --- SFTP


class Channel:
    """In place of a channel to an SFTP server: answers what is asked for by the parts of an input.

    A part is the type of a packet and its body; one that begins with `!` is sent as it is, without a head. After the last,
    every listing has ended. Everything is answered at once, so when nothing is left the server has hung up.
    """

    def __init__(self, parts: deque[bytes]) -> None:
        self._parts = parts
        self._out: deque[bytes] = deque()
        self._asked = threading.Event()

    def sendall(self, data: bytes) -> None:
        while data:
            (length,) = struct.unpack(">I", data[:4])
            kind, number = data[4], data[5:9]
            self._out.append(self._answer(kind, number))
            data = data[4 + length :]
            if kind != wire.INIT:
                self._asked.set()

    def _answer(self, kind: int, number: bytes) -> bytes:
        if kind == wire.INIT:
            return struct.pack(">IBI", 5, wire.VERSION, 3)
        part = self._parts.popleft() if self._parts else b""
        if part.startswith(b"!"):
            return part[1:]
        if not part:
            handle = struct.pack(">BI", wire.HANDLE, 1) + b"h"
            part = handle if kind == wire.OPENDIR else struct.pack(">BI", wire.STATUS, wire.EOF)
        return struct.pack(">IB", len(part) + 4, part[0]) + number + part[1:]

    def recv(self, most: int) -> bytes:
        if not self._out:
            assert self._asked.wait(20)
        return self._out.popleft() if self._out else b""

    def settimeout(self, seconds: float) -> None:
        """It never waits."""

    def invoke_subsystem(self, name: str) -> None:
        """It is one."""

    # and the transport that it is a channel of

    def open_session(self, window: int, packet: int, timeout: float) -> Channel:
        return self

    def is_active(self) -> bool:
        return True

    def close(self) -> None:
        self._asked.set()


SFTP = _named(RemoteTree("box", "/box"), RemoteStat("box", "/box"))


def listing(data: bytes) -> object:
    """A tree or an entry of an SFTP server, over packets that it sends. Whatever it sends, nobody waits for ever."""
    query, line = _asked(data, SFTP)
    parts = deque(line.parts)
    gate: Any = SimpleNamespace(
        name="box", spec=SimpleNamespace(timeout=5), trust=SimpleNamespace(where="box"), enter=lambda: Channel(parts)
    )
    client = SftpClient(gate, writable=False)
    made: list[object] = []

    def run() -> None:
        try:
            made.append(client.read(query))
        except Exception as e:  # noqa: BLE001  # raised below, in the thread that is watched
            made.append(e)

    reading = threading.Thread(target=run, daemon=True)
    reading.start()
    reading.join(5)
    assert made, "it waits for ever"
    client.close()
    if isinstance(made[0], Exception):
        raise made[0]
    return made[0]


def packet(data: bytes) -> object:
    """The body of a packet: a page of names, a status, a handle."""
    made: list[object] = []
    refused = None
    for read in (wire.names, wire.status, lambda body: wire.Reader(body).text()):
        try:
            made.append(read(data))
        except wire.Malformed as e:
            refused = e
    if refused and not made:
        raise refused
    return made
