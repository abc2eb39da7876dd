"""What becomes of an answer on its way: cut, garbled, crossed with another one, hours off. Used by `faults` alone.

Everything here works on an answer that the server has really made, so a write that it answers has been done. Nothing is
kept between calls; `Faults` says what strikes when.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import urllib.parse
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from sandbox.binding import Query
from sandbox.http import JSON_UTF8, Connection, Request, Response, dumps
from sandbox.servarr.app import App

NAMES = {
    "reset-midway": "the connection is reset in the middle of an answer",
    "half-closed": "the server ends its half of the connection in the middle of an answer, and goes on listening",
    "outdated-list": "lists answer what they answered before they last changed, since such a fault was first switched on",
    "empty-list": "lists are empty; a page counts nothing",
    "doubled-list": "lists tell everything twice; a page keeps its total",
    "cut-json": "the JSON breaks off half-way, and the length fits",
    "cut-gzip": "the answer is compressed and breaks off half-way, and the length fits",
    "gzip-garbage": "the answer says that it is compressed, and is noise",
    "crossed": "the answer to another question",
    "sibling": "the answer about another thing of the same sort: another id, the folder above",
    "fast-clock": "the date and all times are seven hours ahead",
    "slow-clock": "the date and all times are seven hours behind",
}
CUT = ("truncated", "reset-midway", "half-closed")
GARBLED = ("cut-json", "cut-gzip", "gzip-garbage")
CLOCKS = ("fast-clock", "slow-clock")
LISTS = ("stale-list", "outdated-list", "short-list", "empty-list", "doubled-list")
_OFF = {"fast-clock": timedelta(hours=7), "slow-clock": timedelta(hours=-7)}
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.Z])")
_DATE = re.compile(rb"(?<=\r\nDate: )[^\r]+")
_NOISE = bytes(range(256)) * 2


def reset(connection: Connection) -> None:
    """Ends a connection with a reset instead of a goodbye."""
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close_connection = True


def cut(name: str, head: bytes, body: bytes, connection: Connection) -> None:
    """Sends the beginning of an answer and ends the connection as the fault has it."""
    connection.wfile.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
    if name == "reset-midway":
        reset(connection)
    elif name == "half-closed":
        connection.connection.shutdown(socket.SHUT_WR)
        connection.connection.settimeout(5.0)
        while connection.rfile.read(1):  # until the client has had enough, too
            pass
    connection.close_connection = True


def json_of(response: Response) -> Any:
    """The JSON of an answer; None when it has none."""
    if "json" not in response.media or response.body is None:
        return None
    return json.loads(response.body) if isinstance(response.body, bytes) else response.body


def is_list(body: Any) -> bool:
    """Whether a body is a list, a page of one, or the listing of a folder."""
    return isinstance(body, list) or (isinstance(body, dict) and ("records" in body or "directories" in body))


def like(response: Response, body: Any) -> Response:
    """The same answer with another body."""
    return Response(response.status, body, response.media, response.headers, response.versioned, response.negotiated)


def relisted(name: str, body: Any) -> Any:
    """A list as the fault makes it of this one."""
    if isinstance(body, list):
        return {"short-list": body[: len(body) // 2], "empty-list": [], "doubled-list": body + body}.get(name, body)
    found = {**body, **{k: relisted(name, v) for k, v in body.items() if k in ("records", "directories", "files")}}
    return {**found, "totalRecords": 0} if name == "empty-list" and "totalRecords" in body else found


def garbled(name: str, response: Response) -> Response:
    """An answer of the right length whose body cannot be read."""
    raw = response.body if isinstance(response.body, bytes) else dumps(response.body)
    packed = {**response.headers, "Content-Encoding": "gzip"}
    if name == "cut-json":
        return like(response, raw[: len(raw) // 2])
    zipped = gzip.compress(raw, 1)
    body = zipped[: len(zipped) // 2] if name == "cut-gzip" else _NOISE
    return Response(response.status, body, response.media, packed, response.versioned, response.negotiated)


def off(name: str, head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """A rendered answer whose times are hours off. A compressed one is packed anew."""
    packed = b"Content-Encoding: gzip" in head
    plain = gzip.decompress(body) if packed else body

    def moment(found: re.Match[bytes]) -> bytes:
        return (datetime.fromisoformat(found[0].decode()) + _OFF[name]).isoformat().encode()

    told = _DATE.search(head)
    date = parsedate_to_datetime(told[0].decode()) if told else datetime.now(UTC)
    shifted = _MOMENT.sub(moment, plain)
    sent = gzip.compress(shifted, 1) if packed else shifted
    head = _DATE.sub(format_datetime(date + _OFF[name], usegmt=True).encode(), head)
    return re.sub(rb"(?<=\r\nContent-Length: )\d+", str(len(sent)).encode(), head), sent


def sibling(app: App, request: Request) -> Response | None:
    """What the server says about another thing of the same sort; None when there is no such question or thing."""
    for path, query in _siblings(request):
        asked = Request("GET", path, Query(query), request.headers, b"", path)
        found = app.handle(asked)
        if found.status == 200:
            return found
    return None


def _siblings(request: Request) -> list[tuple[str, list[tuple[str, str]]]]:
    query = urllib.parse.parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    last = request.path.rpartition("/")
    if last[2].isdigit():
        return [(f"{last[0]}/{int(last[2]) + step}", query) for step in (1, -1, 2, -2) if int(last[2]) + step > 0]
    for number, (key, value) in enumerate(query):
        others: list[str] = []
        if key.endswith("Id") and value.isdigit():
            others = [str(int(value) + step) for step in (1, -1) if int(value) + step > 0]
        elif key == "path" and value.strip("/").count("/"):
            others = [value.rstrip("/").rpartition("/")[0] + "/"]
        if others:
            return [(request.path, [*query[:number], (key, o), *query[number + 1 :]]) for o in others]
    return []


NOTHING_LIKE_IT = Response(200, {"id": 1, "name": "something else"}, JSON_UTF8)
