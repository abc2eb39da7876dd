"""Every fault that can be switched on does what it says, where and as often as it is told, and heals."""

from __future__ import annotations

import http.client
import os
import random
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.control import Unreachable
from sandbox.faults import ANSWERS, MOVES, NAMES, WIRE
from sandbox.process import Stack
from sandbox.scenarios.build import MB, Library, movie, server, show, world
from tests.sandbox.play import Client, library, until

API = "/api/v3"
A, B = "/data/a", "/data/b"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("faults") / "home", "tiny")
    try:
        yield stack.start()
    finally:
        stack.dispose()


@pytest.fixture
def stack(tiny: Stack) -> Iterator[Stack]:
    """The tiny scenario, with nothing broken and nothing asked yet."""
    tiny.control.clear()
    yield tiny
    tiny.control.heal()


@pytest.fixture
def sonarr(stack: Stack) -> Client:
    return Client(stack["sonarr"])


def raw(client: Client, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body as they come; http.client's exceptions when they do not."""
    connection = http.client.HTTPConnection("127.0.0.1", client.handle.port, timeout=10)
    try:
        connection.request(method, API + path, headers={"X-Api-Key": client.handle.api_key})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_nothing_listens_while_down_and_the_port_comes_back(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("down", server="sonarr")
    with pytest.raises(ConnectionRefusedError):
        raw(sonarr, "/tag")
    Client(stack["radarr"]).get("/tag")
    stack.control.heal("down")
    assert raw(sonarr, "/tag")[0] == 200


def test_nobody_takes_the_port_of_a_server_that_is_down(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("down", server="sonarr")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", sonarr.handle.port))
    stack.control.heal("down")
    assert raw(sonarr, "/tag")[0] == 200


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("starting", 503, b"starting up"),
        ("unauthorised", 401, b""),
        ("login-page", 200, b"<!DOCTYPE html>"),
        ("server-error", 500, b"System.Exception"),
        ("locked", 500, b"database is locked"),
    ],
)
def test_answers_in_place_of_the_right_one(stack: Stack, sonarr: Client, name: str, status: int, body: bytes) -> None:
    stack.control.break_(name, server="sonarr")
    found, told = raw(sonarr, "/tag")
    assert found == status
    assert body in told
    assert bool(told) == bool(body)
    stack.control.heal()
    assert raw(sonarr, "/tag")[0] == 200


def test_a_wrong_app_answers_to_its_status(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("wrong-app", server="sonarr")
    assert sonarr.get("/system/status")["appName"] == "Radarr"
    assert sonarr.get("/tag") == [{"label": "pinned", "id": 1}]


def test_a_truncated_answer_promises_more_than_it_holds(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("truncated", server="sonarr", path=f"{API}/series")
    with pytest.raises(http.client.IncompleteRead) as cut:
        raw(sonarr, "/series")
    assert cut.value.partial
    assert cut.value.expected


def test_a_slow_answer_comes_byte_by_byte_until_it_is_healed(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("slow", server="sonarr", path=f"{API}/tag")
    connection = http.client.HTTPConnection("127.0.0.1", sonarr.handle.port, timeout=10)
    connection.request("GET", f"{API}/tag", headers={"X-Api-Key": sonarr.handle.api_key})
    answer = connection.getresponse()
    began = time.monotonic()
    first = answer.read(2)
    assert len(first) == 2
    assert time.monotonic() - began > 0.5
    stack.control.heal()
    rest = answer.read()
    connection.close()
    assert (first + rest).endswith(b"]")


def test_a_list_may_be_stale_or_short(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("stale-list", server="sonarr", path=f"{API}/tag")
    before = sonarr.get("/tag")
    assert sonarr.send("POST", f"{API}/tag", {"label": "new"})[0] == 201
    assert sonarr.get("/tag") == before
    stack.control.heal()
    tags = sonarr.get("/tag")
    assert len(tags) == len(before) + 1
    stack.control.break_("short-list", server="sonarr")
    assert sonarr.get("/tag") == tags[: len(tags) // 2]
    page = sonarr.get("/log?pageSize=10")
    assert len(page["records"]) < page["totalRecords"]
    stack.control.heal()
    sonarr.send("DELETE", f"{API}/tag/{max(t['id'] for t in tags)}")


def test_a_lost_request_does_nothing_and_a_lost_reply_has_been_done(stack: Stack, sonarr: Client) -> None:
    for when, done in (("before", False), ("after", True)):
        label = f"lost-{when}"
        stack.control.break_("reset", server="sonarr", method="POST", path=f"{API}/tag", times=1, when=when)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            sonarr.send("POST", f"{API}/tag", {"label": label})
        found = [t for t in sonarr.get("/tag") if t["label"] == label]
        assert bool(found) == done
        for tag in found:
            sonarr.send("DELETE", f"{API}/tag/{tag['id']}")


def test_a_fault_keeps_to_its_method_path_and_count(stack: Stack, sonarr: Client) -> None:
    stack.control.break_("server-error", server="sonarr", method="GET", path=f"{API}/series*", times=2, skip=1)
    assert [raw(sonarr, p)[0] for p in ("/tag", "/series", "/series/1", "/series", "/series")] == [
        200,
        200,
        500,
        500,
        200,
    ]
    assert stack.control.faults() == [], "it is used up"


def test_requests_are_counted_with_what_became_of_them(stack: Stack, sonarr: Client) -> None:
    sonarr.get("/series")
    sonarr.send("POST", f"{API}/tag", {"label": "pinned"})
    stack.control.break_("locked", server="sonarr", times=1)
    raw(sonarr, "/tag?x=1")
    seen = [(r["method"], r["path"], r["query"], r["status"], r["fault"]) for r in stack.control.requests("sonarr")]
    assert seen == [
        ("GET", f"{API}/series", "", 200, None),
        ("POST", f"{API}/tag", "", 201, None),
        ("GET", f"{API}/tag", "x=1", 500, "locked"),
    ]
    stack.control.clear()
    assert stack.control.requests() == []


def test_nonsense_is_refused_in_words(stack: Stack) -> None:
    with pytest.raises(ValueError, match="there is no fault 'no-such'"):
        stack.control.break_("no-such")
    with pytest.raises(ValueError, match="there is no server 'plex'"):
        stack.control.break_("down", server="plex")
    with pytest.raises(ValueError, match="takes no method and no path"):
        stack.control.break_("move-denied", path="*")


def test_the_control_channel_wants_its_token(stack: Stack) -> None:
    file = stack["sonarr"].folder / "control.json"
    assert file.stat().st_mode & 0o077 == 0
    kept = file.read_text()
    try:
        file.write_text(kept.replace('"token": "', '"token": "x'))
        with pytest.raises(Unreachable):
            stack.control.faults("sonarr")
    finally:
        file.write_text(kept)


# ------------------------------------------------------------------------------------------------------------- moves


@pytest.fixture
def two(play: Callable[..., Stack]) -> Stack:
    """A show of three files and a movie on disk a, and room on disk b."""
    tv, films = Library(), Library()
    show(
        tv,
        tvdb_id=1,
        title="Alpha",
        year=2015,
        seasons=1,
        episodes=3,
        size=30 * MB,
        root=f"{A}/tv",
        chance=random.Random(1),
    )
    movie(films, tmdb_id=1, title="Amber Coast", year=2001, size=20 * MB, root=f"{A}/movies")
    servers = [
        (tv, server("sonarr", "sonarr", tv, [f"{A}/tv", f"{B}/tv"])),
        (films, server("radarr", "radarr", films, [f"{A}/movies", f"{B}/movies"])),
    ]
    return play(world({A: 200 * MB, B: 200 * MB}, servers))


def videos(stack: Stack) -> dict[str, int]:
    return {e["path"]: e["size"] for e in stack.tree([A, B]) if e["path"].endswith(".mkv")}


def on(stack: Stack, disk: str) -> int:
    return sum(p.startswith(f"{disk}/tv/") for p in videos(stack))


def test_a_full_disk_in_mid_move_splits_a_show(two: Stack) -> None:
    before = videos(two)
    two.control.break_("move-disk-full", server="sonarr", files=1, times=1)
    ended = Client(two["sonarr"]).move(1, f"{B}/tv/Alpha")
    assert (ended["status"], ended["result"]) == ("completed", "successful")
    assert Client(two["sonarr"]).get("/series/1")["path"] == f"{A}/tv/Alpha", "put back"
    assert (on(two, A), on(two, B)) == (2, 1)
    assert sorted(videos(two).values()) == sorted(before.values())
    moved = Client(two["sonarr"]).move(1, f"{B}/tv/Alpha")
    assert "moved successfully" in moved["message"], "the fault is used up"
    assert (on(two, A), on(two, B)) == (0, 3)


def test_a_refused_move_leaves_all_or_some_behind(two: Stack) -> None:
    two.control.break_("move-denied", server="sonarr", times=1)
    client = Client(two["sonarr"])
    assert client.move(1, f"{B}/tv/Alpha")["status"] == "failed"
    assert client.get("/series/1")["path"] == f"{B}/tv/Alpha", "not put back"
    assert (on(two, A), on(two, B)) == (3, 0)
    client.put("/series/1", {**client.get("/series/1"), "path": f"{A}/tv/Alpha"})
    two.control.break_("move-denied", server="sonarr", times=1, files=2)
    assert client.move(1, f"{B}/tv/Beta")["status"] == "failed"
    assert (on(two, A), on(two, B)) == (1, 2)


def test_a_kill_in_mid_move_leaves_a_partial_file_and_no_server(two: Stack) -> None:
    client = Client(two["radarr"])
    two.control.break_("move-killed", server="radarr")
    wanted = {**client.get("/movie/1"), "path": f"{B}/movies/Amber Coast (2001)"}
    client.put("/movie/1?moveFiles=true", wanted)
    two.await_end("radarr")
    assert not two.control.reachable("radarr")
    name = "movies/Amber Coast (2001)/Amber Coast (2001) Bluray-1080p.mkv"
    left = videos(two)
    assert 0 < left[f"{B}/{name}"] < left[f"{A}/{name}"]
    two.start("radarr")
    assert client.get("/movie/1")["path"] == f"{B}/movies/Amber Coast (2001)"
    assert two.control.faults("radarr") == [], "faults end with the process"


def test_a_slow_move_stands_still_until_it_is_healed(two: Stack) -> None:
    client = Client(two["sonarr"])
    two.control.break_("slow-moves", server="sonarr", files=1)
    done: list[dict[str, Any]] = []
    mover = threading.Thread(target=lambda: done.append(client.move(1, f"{B}/tv/Alpha")))
    mover.start()
    until(lambda: on(two, B), lambda count: count == 2)
    assert [c["status"] for c in client.get("/command") if c["name"] == "MoveSeries"] == ["started"]
    two.control.heal("slow-moves")
    mover.join(10)
    assert done[0]["status"] == "completed"
    assert (on(two, A), on(two, B)) == (0, 3)


def test_every_fault_is_explained() -> None:
    assert set(NAMES) == set(MOVES) | set(ANSWERS) | set(WIRE)
    source = Path(__file__).read_text() + Path(__file__).with_name("test_wire.py").read_text()
    assert [n for n in NAMES if f'"{n}"' not in source] == []


def test_a_hangup_restarts_a_server_also_where_its_starter_ignores_it(play: Callable[..., Stack]) -> None:
    """What nohup starts ignores the signal, and so do all its children that don't say otherwise."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = play(library("Alpha Station"))["sonarr"].process
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process is not None and process.stdout is not None
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(worker), signal.SIGHUP)
    assert select.select([process.stdout], [], [], 20)[0], "it did not come back"
    assert process.stdout.readline().strip().isdigit()
