"""What is fuzzed: everything that takes bytes which somebody else wrote. A parser joins by an entry in `TARGETS`.

A target takes bytes and does what the program does with them. It returns what it made, or raises one of its `expected`
errors, which are words for people; everything else is a crash. `share` weighs how many of all inputs it gets.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from pydantic import TypeAdapter

from reconciler import connection, registry
from reconciler.address import Address
from reconciler.clock import FakeClock
from reconciler.desired import load
from reconciler.errors import ArrError, StaleError, StoreError, UsageError
from reconciler.facts import NotThere, Query, ReadFailed
from reconciler.plan import files
from reconciler.store import Store, lock
from reconciler.units import Age, Percent, Size, age_exact, parse_age, parse_percent, parse_size, size_exact
from resources.clients import failures
from resources.clients.failures import Where
from resources.clients.http import Http
from resources.clients.jsonstream import Broken, elements
from resources.clients.rtorrent.client import RtorrentClient
from resources.clients.rtorrent.queries import FilesThere, Version
from resources.clients.rtorrent.rpc import Rpc
from resources.clients.servarr import flavour
from resources.clients.servarr import queries as q
from resources.clients.servarr.client import ServarrClient, reads
from resources.clients.servarr.key import key_from_config
from resources.clients.sftp import wire
from resources.clients.torrents import OneTorrent, Torrents
from tests.fuzz import seeds

Form = str  # json, yaml, text, xml, bytes: how inputs are mutated


@dataclass(frozen=True)
class Target:
    """See the module. `seeds` gives the first inputs; `words` what a mutation may put in."""

    feed: Callable[[bytes], object]
    expected: tuple[type[BaseException], ...]
    form: Form
    seeds: Callable[[], list[bytes]]
    share: int
    words: tuple[bytes, ...] = field(default=())


@cache
def scratch() -> Path:
    """A folder of this process, in memory where there is such."""
    shm = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="fuzz", dir=shm if os.access(shm, os.W_OK) else None))


def written(data: bytes, name: str) -> Path:
    file = scratch() / f"{os.getpid()}-{name}"
    file.write_bytes(data)
    return file


# --- the desired state, plans, and what people write on the command line


def desired(data: bytes) -> object:
    """The loader: a stack, or diagnostics with a place each."""
    file = written(data, "wish.yaml")
    try:
        return load([file], kinds=registry.kinds(), apps=registry.apps())
    except UsageError as e:
        assert e.diagnostics, "refused without a diagnostic"
        lines = 1 + sum(data.count(end) for end in (b"\n", b"\r", b"\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"))
        for one in e.diagnostics:
            assert one.message and one.mark is not None and 1 <= one.mark.line <= lines, one
        raise


def plan(data: bytes) -> object:
    """A plan's file; what is read is written as it was."""
    found = files.read(written(data, "plan.json"))
    again = files.parse(json.loads(json.dumps(files.document(found))), "again")
    assert again == found
    return found


def words(data: bytes) -> object:
    """Sizes, ages, percentages and addresses as people write them."""
    text = data.decode("utf-8", "surrogateescape")
    made = []
    pairs: tuple[tuple[Callable[[str], Any], Callable[[Any], str] | None], ...] = (
        (parse_size, size_exact),
        (parse_age, age_exact),
        (parse_percent, None),
    )
    for parse, exact in pairs:
        try:
            value = parse(text)
        except ValueError:
            continue
        assert math.isfinite(value) and value >= 0, value
        assert exact is None or parse(exact(value)) == value
        made.append(value)
    for kind in (Size, Age, Percent):
        try:
            made.append(TypeAdapter(kind).validate_python(text))
        except ValueError:
            continue
    with suppress(ValueError):
        assert str(Address.parse(text)) == text
    return made


# --- what the state holds


@cache
def _state() -> Store:
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    store = Store.open(folder, FakeClock())
    run = store.begin_run("apply", None)
    with store._connection.writing() as db:
        for number in (1, 2):
            db.execute(
                "INSERT INTO entries (run, action_id, address, subject, verb, action, destroys, bytes_destroyed,"
                " intended_at, changed_at) VALUES (1, ?, 'tag.kids', 's', 'create', '{}', 0, 0, '', '')",
                [f"tag.kids/{number}"],
            )
    assert run == "r000001"
    return store


def journal(data: bytes) -> object:
    """A row of the journal, a wish and a plan, as somebody may have edited them: the readers of the store."""
    texts = dict(zip(seeds.CELLS, data.decode("utf-8", "replace").split("\n"), strict=False))
    cells = {k: v.replace("\x00", "") for k, v in texts.items()}
    store = _state()
    with store._connection.writing() as db:
        for name in ("action", "handle", "data", "says", "intended_at", "accepted_at"):
            db.execute(f"UPDATE entries SET {name} = ?", [cells.get(name, "{}")])  # noqa: S608  # ours
        ended = cells.get("settled_at", "")
        pair = [ended or None, cells.get("outcome", "done") if ended else None]
        db.execute("UPDATE entries SET settled_at = ?, outcome = ? WHERE action_id = 'tag.kids/2'", pair)
        db.execute("UPDATE runs SET began_at = ?, says = ?", [cells.get("began_at", ""), cells.get("says", "")])
        db.execute("INSERT OR REPLACE INTO applied VALUES ('tag.kids', ?, '')", [cells.get("wish", "{}")])
        db.execute("INSERT OR REPLACE INTO plans VALUES ('aaaaaa', '', 1, ?)", [cells.get("document", "{}")])
    failed: list[StoreError] = []
    now = FakeClock().now()
    for look in (
        store.pending, store.newest, lambda: store.ledger(now), lambda: store.runs(5),
        lambda: store.run("r000001"), lambda: store.destroyed_since(now), lambda: store.find_plan("aaaa"),
    ):  # fmt: skip
        try:
            look()
        except StoreError as e:
            assert e.remedy
            failed.append(e)
    return failed


def holder(data: bytes) -> object:
    """The record of who holds the lock."""
    (scratch() / lock.HOLDER).write_bytes(data)
    return lock._holder(scratch())


# --- answers of servers


def forget() -> None:
    """Forget the secrets of earlier inputs: one process sees a few of them, not a hundred thousand."""
    connection._resolved.clear()
    connection._secrets.clear()


class Line:
    """In place of a network: answers every request of a client with the next part of an input, the last one again."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def next(self) -> bytes:
        return self._parts.pop(0) if len(self._parts) > 1 else self._parts[0]

    @contextmanager
    def stream(self, method: str, path: str, params: Any = None) -> Iterator[httpx.Response]:
        yield httpx.Response(200, headers={"content-type": "application/json"}, content=self.next())

    def close(self) -> None:
        """Nothing is open."""


def _servarr(data: bytes, which: flavour.Flavour) -> object:
    """One query, named in the first line, answered with what follows; parts are divided by a line of three dashes."""
    name, _, rest = data.partition(b"\n")
    query = QUERIES.get(name.decode("ascii", "replace"))
    if query is None:
        return None
    where = Where("server", "http://server", "", 5.0)
    http = Http(where, headers={}, reads=reads(which), writable=False, clock=FakeClock(), parallel=1)
    status = json.dumps({"appName": which.name, "version": f"{which.versions[0]}.0.0"}).encode()
    parts = rest.split(b"\n---\n")
    line = Line(parts if isinstance(query, q.StatusOf) else [status, *parts])
    http._reader.close()
    http._reader = line  # type: ignore[assignment]  # the seam is below: this is what a parser of answers needs
    return ServarrClient(which, http).read(query)


QUERIES: dict[str, Query[Any]] = {
    type(one).__name__: one
    for one in (
        q.StatusOf("server"), q.Items("server"), q.OneItem("server", 1), q.Roots("server"), q.DiskSpaces("server"),
        q.Commands("server"), q.CommandById("server", 1), q.Queue("server"), q.Tags("server"),
        q.Listing("server", "/tv/Show"), q.Tree("server", "/tv/Show"), q.MediaFiles("server", "/tv/Show"),
        q.FileRows("server", 1), q.LogTail("server"),
    )
}  # fmt: skip


def sonarr(data: bytes) -> object:
    return _servarr(data, flavour.SONARR)


def radarr(data: bytes) -> object:
    return _servarr(data, flavour.RADARR)


def stream(data: bytes) -> object:
    """A list read piece by piece is the list read at once; what is refused is no list of objects that ends."""
    size = 1 + len(data) % 7 + len(data) // 5000
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(elements(chunks))
    whole = json.loads(data.decode("utf-8-sig"))
    assert json.dumps(found) == json.dumps(whole)
    return found


def refusal(data: bytes) -> object:
    """An answer that is none, in words: a status, a type, a body."""
    status, _, body = data.partition(b"\n")
    code = int(status) if status.isdigit() and len(status) == 3 else 500
    for kind in ("application/json", "text/html", ""):
        made = failures.of_status(code, body, kind, body.decode("latin-1"), Where("server", "http://server", "", 5.0))
        assert made.reason and len(made.reason) < 1000
        made.reason.encode()
    return None


def config(data: bytes) -> object:
    """The config.xml of an app."""
    forget()
    return key_from_config(str(written(data, "config.xml")))


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


def rtorrent(data: bytes) -> object:
    """One query of rtorrent, as for `_servarr`."""
    name, _, rest = data.partition(b"\n")
    query = TORRENT_QUERIES.get(name.decode("ascii", "replace"))
    if query is None:
        return None
    forget()
    return RtorrentClient(Rpc(Carrier(Line(rest.split(b"\n---\n"))), writable=False)).read(query)


TORRENT_QUERIES: dict[str, Query[Any]] = {
    type(one).__name__: one
    for one in (
        Version("torrents"),
        Torrents("torrents"),
        OneTorrent("torrents", "a" * 40),
        FilesThere("torrents", "a" * 40),
    )
}


def sftp(data: bytes) -> object:
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


CLIENT = (ReadFailed, NotThere)
TARGETS: dict[str, Target] = {
    "desired": Target(desired, (UsageError,), "yaml", seeds.desired, 6, seeds.YAML_WORDS),
    "plan": Target(plan, (UsageError, StaleError), "json", seeds.plans, 10),
    "words": Target(words, (), "text", seeds.words, 14, seeds.UNIT_WORDS),
    "journal": Target(journal, (ArrError,), "json", seeds.journal, 8),
    "holder": Target(holder, (), "json", seeds.holder, 6),
    "sonarr": Target(sonarr, CLIENT, "json", seeds.servarr, 14),
    "radarr": Target(radarr, CLIENT, "json", seeds.servarr, 8),
    "stream": Target(stream, (Broken,), "json", seeds.streams, 12),
    "refusal": Target(refusal, (), "json", seeds.refusals, 6),
    "config": Target(config, CLIENT, "xml", seeds.configs, 6, seeds.XML_WORDS),
    "rtorrent": Target(rtorrent, CLIENT, "xml", seeds.rtorrent, 8, seeds.XML_WORDS),
    "sftp": Target(sftp, (wire.Malformed,), "bytes", seeds.sftp, 6),
}
