"""What can become of an answer on its way: each fault of the wire does what it says, to the bytes, and heals."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import WIRE
from sandbox.process import Stack
from tests.sandbox.play import Client

API = "/api/v3"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("wire") / "home", "tiny")
    try:
        yield stack.start()
    finally:
        stack.dispose()


@pytest.fixture
def sonarr(tiny: Stack) -> Iterator[Client]:
    tiny.control.clear()
    yield Client(tiny["sonarr"])
    tiny.control.heal()


def heard(client: Client, path: str, method: str = "GET", **more: str) -> tuple[http.client.HTTPResponse, bytes]:
    """An answer and its body, as they come over the wire."""
    line = http.client.HTTPConnection("127.0.0.1", client.handle.port, timeout=10)
    try:
        line.request(method, API + path, headers={"X-Api-Key": client.handle.api_key, **more})
        answer = line.getresponse()
        return answer, answer.read()
    finally:
        line.close()


@pytest.mark.parametrize(
    ("name", "status", "header", "body"),
    [
        ("rate-limited", 429, ("Retry-After", "1"), b""),
        ("rate-limited-silently", 429, ("Retry-After", None), b""),
        ("bad-gateway", 502, ("Content-Type", "text/html"), b"<html>"),
        ("redirect", 302, ("Location", "/login?returnUrl=%2F"), b""),
    ],
)
def test_no_answer_of_the_app(
    tiny: Stack, sonarr: Client, name: str, status: int, header: tuple[str, str | None], body: bytes
) -> None:
    tiny.control.break_(name, server="sonarr", times=1)
    answer, told = heard(sonarr, "/tag")
    assert answer.status == status
    assert answer.getheader(header[0]) == header[1]
    assert told.startswith(body)
    assert heard(sonarr, "/tag")[0].status == 200


def test_a_server_is_gone_from_one_call_on(tiny: Stack, sonarr: Client) -> None:
    tiny.control.break_("gone", server="sonarr", skip=2)
    assert [heard(sonarr, "/tag")[0].status for _ in range(2)] == [200, 200]
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            heard(sonarr, "/tag")
    tiny.control.heal()
    assert heard(sonarr, "/tag")[0].status == 200


def test_an_answer_is_reset_midway(tiny: Stack, sonarr: Client) -> None:
    tiny.control.break_("reset-midway", server="sonarr")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        heard(sonarr, "/series")


def test_a_connection_is_half_closed(tiny: Stack, sonarr: Client) -> None:
    tiny.control.break_("half-closed", server="sonarr")
    with pytest.raises(http.client.IncompleteRead) as cut:
        heard(sonarr, "/series")
    assert cut.value.partial


def test_bodies_that_cannot_be_read_have_the_length_they_say(tiny: Stack, sonarr: Client) -> None:
    _, whole = heard(sonarr, "/series")
    tiny.control.break_("cut-json", server="sonarr", times=1)
    assert heard(sonarr, "/series")[1] == whole[: len(whole) // 2]
    tiny.control.break_("cut-gzip", server="sonarr", times=1)
    answer, cut = heard(sonarr, "/series")
    assert answer.getheader("Content-Encoding") == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(cut)
    tiny.control.break_("gzip-garbage", server="sonarr", times=1)
    answer, noise = heard(sonarr, "/series")
    assert answer.getheader("Content-Encoding") == "gzip"
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(noise)


def test_lists_are_empty_or_doubled(tiny: Stack, sonarr: Client) -> None:
    tags, page = sonarr.get("/tag"), sonarr.get("/log?pageSize=2")
    folder = "/filesystem?path=/data/d1/tv/&includeFiles=true"
    inside = sonarr.get(folder)
    assert inside["directories"]
    tiny.control.break_("empty-list", server="sonarr", times=3)
    assert sonarr.get("/tag") == []
    assert (empty := sonarr.get("/log?pageSize=2"))["records"] == []
    assert empty["totalRecords"] == 0
    assert sonarr.get(folder) == {**inside, "directories": [], "files": []}
    tiny.control.break_("doubled-list", server="sonarr", times=2)
    assert sonarr.get("/tag") == [*tags, *tags]
    double = sonarr.get("/log?pageSize=2")
    assert (len(double["records"]), double["totalRecords"]) == (4, page["totalRecords"])


def test_a_list_is_as_it_was_before_its_last_change(tiny: Stack, sonarr: Client) -> None:
    tiny.control.break_("outdated-list", server="sonarr", path="*/tag")
    before = sonarr.get("/tag")
    _, _, made = sonarr.send("POST", f"{API}/tag", {"label": "new"})
    assert sonarr.get("/tag") == before
    assert sonarr.get("/tag") == before
    tiny.control.heal()
    assert len(sonarr.get("/tag")) == len(before) + 1
    sonarr.send("DELETE", f"{API}/tag/{made['id']}")


def test_answers_are_mixed_up(tiny: Stack, sonarr: Client) -> None:
    series, tags = sonarr.get("/series"), sonarr.get("/tag")
    tiny.control.break_("crossed", server="sonarr", times=1)
    assert sonarr.get("/rootfolder") == tags
    ids = [row["id"] for row in series]
    tiny.control.break_("sibling", server="sonarr", times=3)
    assert sonarr.get("/tag") == tags, "there is nothing else of this sort: the next one is struck"
    assert sonarr.get(f"/series/{ids[0]}")["id"] in ids[1:]
    assert {row["seriesId"] for row in sonarr.get(f"/episodefile?seriesId={ids[0]}")} <= {*ids[1:]}
    below = sonarr.get("/filesystem?path=/data/d1/tv/&includeFiles=true")
    assert [f["name"] for f in below["directories"]] == ["movies", "tv"]


@pytest.mark.parametrize(("name", "hours"), [("fast-clock", 7), ("slow-clock", -7)])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_clock_is_off(tiny: Stack, sonarr: Client, name: str, hours: int, coding: str) -> None:
    def asked() -> tuple[datetime, Any]:
        answer, body = heard(sonarr, "/series", **{"Accept-Encoding": coding})
        packed = answer.getheader("Content-Encoding") == "gzip"
        told = answer.getheader("Date")
        assert told
        return parsedate_to_datetime(told), json.loads(gzip.decompress(body) if packed else body)

    _, rows = asked()
    tiny.control.break_(name, server="sonarr", times=1)
    date, shifted = asked()
    off = timedelta(hours=hours)
    assert abs(date - datetime.now(UTC) - off) < timedelta(minutes=1)
    added = [datetime.fromisoformat(found[0]["added"]) for found in (rows, shifted)]
    assert added[1] - added[0] == off
    assert [row["path"] for row in shifted] == [row["path"] for row in rows]


@pytest.mark.parametrize(
    ("name", "when", "done"), [("redirect", "before", False), ("redirect", "after", True), ("cut-json", "before", True)]
)
def test_it_is_told_what_was_done_in_spite_of_a_fault(
    tiny: Stack, sonarr: Client, name: str, when: str, done: bool
) -> None:
    tiny.control.break_(name, server="sonarr", method="POST", times=1, when=when)
    line = http.client.HTTPConnection("127.0.0.1", sonarr.handle.port, timeout=10)
    headers = {"X-Api-Key": sonarr.handle.api_key, "Content-Type": "application/json"}
    line.request("POST", f"{API}/tag", json.dumps({"label": "odd"}), headers)
    line.getresponse().read()
    line.close()
    made = [tag["id"] for tag in sonarr.get("/tag") if tag["label"] == "odd"]
    assert bool(made) == done
    assert next((r["method"], r["fault"], r["done"]) for r in tiny.control.requests("sonarr")) == ("POST", name, done)
    for tag in made:
        sonarr.send("DELETE", f"{API}/tag/{tag}")


def test_every_fault_of_the_wire_is_explained_here() -> None:
    source = Path(__file__).read_text()
    assert [n for n in WIRE if f'"{n}"' not in source] == []
