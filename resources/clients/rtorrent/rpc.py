"""Calls to rtorrent, over whichever way it is reached, and the list of those that only read.

rtorrent reads and writes by the same request, so what may pass a connection opened for reading is decided here, by the
name of every command in a call: inside of `system.multicall` and of the fields of a `d.multicall2` too (a field can be
`execute`, which runs a program). Called by `client.py` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from reconciler.connection import redact
from reconciler.facts import ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import failures
from resources.clients.exchange import Exchange, Reply
from resources.clients.failures import Where
from resources.clients.rtorrent.xmlrpc import Broken, Fault, answer, call

_OF_TORRENT = frozenset(
    (
        "hash", "name", "size_bytes", "bytes_done", "left_bytes", "complete", "state", "is_active", "hashing",
        "is_hash_checking", "base_path", "directory", "is_multi_file", "is_private", "is_meta", "ratio", "up.total",
        "message", "custom1", "custom", "timestamp.finished", "state_changed", "peers_complete",
    )
)  # fmt: skip
_OF_FILE = frozenset(("path", "size_bytes", "priority", "completed_chunks", "size_chunks", "is_created"))
_OF_TRACKER = frozenset(("url", "group", "is_enabled", "failed_counter", "success_counter"))
READS = frozenset(
    {f"d.{n}" for n in _OF_TORRENT} | {f"f.{n}" for n in _OF_FILE} | {f"t.{n}" for n in _OF_TRACKER}
    | {"system.client_version", "system.time_seconds", "download_list"}
)  # fmt: skip
MULTI = frozenset({"d.multicall2", "f.multicall", "t.multicall"})


class Carrier(Protocol):
    """A way to rtorrent: SCGI, or HTTP through a web server."""

    where: Where

    def ask(self, body: bytes) -> bytes: ...

    def send(self, body: bytes) -> bytes: ...

    def close(self) -> None: ...


class OverHttp:
    """XML-RPC by POST: a web server's /RPC2, or ruTorrent's httprpc."""

    def __init__(self, exchange: Exchange) -> None:
        self.where = exchange.where
        self.exchange = exchange

    def close(self) -> None:
        self.exchange.close()

    def ask(self, body: bytes) -> bytes:
        reply = self.exchange.ask("POST", self.where.url, body, {"content-type": "text/xml"})
        return self._xml(reply)

    def send(self, body: bytes) -> bytes:
        reply = self.exchange.send("POST", self.where.url, body, {"content-type": "text/xml"})
        if reply.status in (401, 403, 404) or 300 <= reply.status < 400:
            failure = reply.failure(self.where)
            raise WriteRefused(failure.reason, failure.remedy)
        try:
            return self._xml(reply)
        except ReadFailed as e:
            raise ReplyLost(e.reason) from None

    def _xml(self, reply: Reply) -> bytes:
        if not 200 <= reply.status < 300:
            raise reply.failure(self.where)
        if b"<methodResponse" not in reply.body[:400]:
            if b"<html" in reply.body[:1000].lower() or "html" in reply.kind:
                raise failures.not_json("text/html", self.where)
            remedy = f"{self.where.field}.url has to be the address of the XML-RPC: /RPC2, or ruTorrent's httprpc"
            raise ReadFailed("not-json", f"{self.where.url} answered with something that is no XML-RPC", remedy)
        return reply.body


class Rpc:
    """The calls. Thread-safe. Without `writable` nothing but reads leaves."""

    def __init__(self, carrier: Carrier, *, writable: bool) -> None:
        self.carrier = carrier
        self._writable = writable

    @property
    def where(self) -> Where:
        return self.carrier.where

    def read(self, method: str, *params: Any) -> Any:
        """The value of a read. Fault, or ReadFailed."""
        refused = sorted(name for name in _names(method, params) if name not in READS)
        if refused:
            raise WriteRefused(f"{refused[0]} is none of the reads of {self.where.name}: it was not sent")
        try:
            return answer(self.carrier.ask(call(method, params)))
        except Broken as e:
            raise ReadFailed(
                e.code, f"{self.where.url}: {e.reason}", "try again; if it stays so, see arr doctor"
            ) from None

    def write(self, method: str, *params: Any) -> Any:
        """The value of a write. WriteRefused, with a fault's words: it has not happened. ReplyLost."""
        if not self._writable:
            raise WriteRefused(
                f"{self.where.name} is opened for reading only: {method} was not sent",
                f"remove `access: read` from {self.where.field} if it may be changed",
            )
        try:
            return answer(self.carrier.send(call(method, params)))
        except Broken as e:
            raise ReplyLost(f"{self.where.url}: {e.reason}") from None
        except Fault as e:
            failure = of_fault(e, self.where)
            raise WriteRefused(f"{method}: {failure.reason}", failure.remedy) from None

    def close(self) -> None:
        self.carrier.close()


def _names(method: str, params: Sequence[Any]) -> Iterator[str]:
    """The name of every command that a call would run; "" (which is no read) for what cannot be told."""
    if method == "system.multicall":
        for inner in params[0]:
            if not isinstance(inner, Mapping) or list(inner) != ["methodName", "params"]:
                yield ""
                continue
            yield from _names(str(inner["methodName"]), inner["params"])
    elif method in MULTI:
        for field in params[2:]:
            yield from _field_names(str(field))
    else:
        yield method


def _field_names(field: str) -> Iterator[str]:
    """Of `d.hash=` and of `f.multicall=,f.path=,…`. A field with quotes, blocks or `$` runs what cannot be seen: refused."""
    name, equals, rest = field.partition("=")
    if not equals or any(c in field for c in '$"(){};\\\n '):
        yield ""
    elif name in ("f.multicall", "t.multicall"):
        first, *fields = rest.split(",")
        yield from ([""] if first else [])
        for inner in fields:
            yield from _field_names(inner)
    else:
        yield name
        if rest and name != "d.custom":
            yield ""


def of_fault(fault: Fault, where: Where) -> ReadFailed:
    """A fault in words. -507: the web server in front of rtorrent lets only part of the calls pass."""
    text = " ".join(redact(fault.text).split())[:200]
    if fault.code == -507:
        remedy = (
            f"in ruTorrent's conf.php let XML-RPC pass, or give {where.field}.url the address of rtorrent itself "
            "(scgi://, or /RPC2)"
        )
        return ReadFailed("refused", f"{where.url} is not trusted with this call ('{text}', -507)", remedy)
    if fault.code == -506:
        return ReadFailed(
            "wrong-app", f"{where.url} has no such call ('{text}', -506)", "is it rtorrent 0.9.8 or newer?"
        )
    return ReadFailed(
        "refused", f"{where.url} refused ('{text}', {fault.code})", "see arr doctor; look at rtorrent's log"
    )


def missing(fault: Fault) -> bool:
    """Whether a fault says that there is no such torrent: worded and numbered differently by version."""
    return "info-hash" in fault.text.lower()
