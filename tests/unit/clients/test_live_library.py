"""The clients over simulated servers with a library: lists, folders, files, a move from order to effect, and doctor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import FakeClock, SystemClock
from reconciler.connection import Finding
from reconciler.facts import NotThere, ReadFailed
from resources.clients.servarr import (
    RADARR,
    SONARR,
    CommandById,
    Commands,
    DiskSpaces,
    FileRows,
    Items,
    Listing,
    LogTail,
    OneItem,
    Queue,
    Roots,
    StatusOf,
    Tags,
    Tree,
)
from sandbox.control import Control
from tests.kinds.tag.house import running
from tests.stacks import Lab

APPS = {"sonarr": SONARR, "radarr": RADARR, "next": SONARR}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture
def control(stack: Lab) -> Iterator[Control]:
    found = Control(stack.stack.home, lambda: list(stack.stack.handles))
    found.heal()
    found.clear()
    yield found
    found.heal()


@pytest.fixture
def opened(stack: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """`opened("sonarr", timeout="2s")`: a client of a server, for writing."""
    clients: list[Any] = []
    for variable, key in stack.env.items():
        monkeypatch.setenv(variable, key)

    def opening(name: str, **fields: Any) -> Any:
        app, handle = APPS[name], stack.stack[name]
        wish = {"app": app.name, "url": handle.url, "api_key": {"env": f"{name.upper()}_API_KEY"}, **fields}
        clients.append(app.open(name, app.Spec.model_validate(wish), access="write", clock=SystemClock()))
        return clients[-1]

    yield opening
    for client in clients:
        client.close()


def until(look: Callable[[], Any], *, seconds: float = 20) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
    return found


def test_a_library_is_read_whole(opened: Callable[..., Any], stack: Lab) -> None:
    tv, films = opened("sonarr"), opened("radarr")
    shows = tv.read(Items("sonarr"))
    assert [(i.ident, i.title, i.root) for i in shows] == [
        ("tvdb:70001", "Alpha Station", "/data/d1/tv"),
        ("tvdb:70002", "Borrowed Time", "/data/d1/tv"),
        ("tvdb:70003", "Cedar Lane", "/data/d2/tv"),
    ]
    on_disk = stack.files()
    for item in shows:
        videos = {p: s for p, s in on_disk.items() if p.startswith(f"{item.path}/") and p.endswith(".mkv")}
        assert (item.files, item.bytes) == (len(videos), sum(videos.values()))
        rows = tv.read(FileRows("sonarr", item.id))
        assert {r.path: r.bytes for r in rows} == videos
        assert {f"{item.path}/{f.relative}" for f in tv.read(Tree("sonarr", item.path))} >= videos.keys()
        tree = tv.read(Tree("sonarr", item.path))
        assert {f"{item.path}/{t.relative}": t.bytes for t in tree}.items() >= videos.items()
        assert tv.read(OneItem("sonarr", item.id)) == item
    assert {i.ident for i in films.read(Items("radarr"))} == {"tmdb:501", "tmdb:502"}
    assert [r.path for r in tv.read(Roots("sonarr"))] == ["/data/d1/tv", "/data/d2/tv", "/data/d3/tv"]
    assert all(r.accessible and r.free for r in tv.read(Roots("sonarr")))
    assert {e.name for e in tv.read(Listing("sonarr", "/data/d1/tv"))} >= {Path(i.path).name for i in shows[:2]}
    assert tv.read(Listing("sonarr", "/data/nothing")) == ()
    assert tv.read(Queue("sonarr")) == ()
    assert tv.read(DiskSpaces("sonarr"))
    with pytest.raises(NotThere):
        tv.read(OneItem("sonarr", 999))


def test_a_plans_reading_takes_few_requests(opened: Callable[..., Any], control: Control) -> None:
    """At most eight for one connection, however large the library."""
    tv = opened("sonarr")
    for query in (StatusOf, Items, Roots, DiskSpaces, Commands, Queue, Tags):
        tv.read(query("sonarr"))
    asked = [r["path"] for r in control.requests("sonarr")]
    assert len(asked) <= 8
    assert len(asked) == len(set(asked)) + (asked.count("/api/v3/tag") - 1)


def test_a_move_from_order_to_effect(opened: Callable[..., Any], stack: Lab) -> None:
    films = opened("radarr")
    (before,) = [i for i in films.read(Items("radarr")) if i.ident == "tmdb:502"]
    here = films.read(Tree("radarr", before.path))
    target = before.path.replace("/data/d3/", "/data/d2/")
    films.move(before.id, f"{target}/", move_files=True)
    assert films.read(OneItem("radarr", before.id)).path == target, "the path changes before a byte has moved"
    command = until(lambda: [c for c in films.read(Commands("radarr")) if c.name == "MoveMovie" and c.over])[0]
    assert (command.status, command.result, command.body["movieId"]) == ("completed", "successful", before.id)
    assert films.read(CommandById("radarr", command.id)).id == command.id
    assert films.read(Tree("radarr", target)) == here
    assert films.read(Tree("radarr", before.path)) == ()
    assert not [p for p in stack.files() if p.startswith(f"{before.path}/")]
    number = films.rescan(before.id)
    assert until(lambda: films.read(CommandById("radarr", number)).over)
    after = films.read(OneItem("radarr", before.id))
    assert (after.path, after.root, after.files, after.bytes) == (target, "/data/d2/movies", before.files, before.bytes)
    told = until(lambda: [line for line in films.read(LogTail("radarr")) if "moved successfully" in line.message])
    assert target in told[0].message


def test_a_byte_a_second_is_slow(opened: Callable[..., Any], control: Control) -> None:
    tv = opened("sonarr", timeout="1s")
    tv.read(StatusOf("sonarr"))
    control.break_("slow", server="sonarr")
    start = time.monotonic()
    with pytest.raises(ReadFailed) as caught:
        tv.read(Items("sonarr"))
    assert caught.value.code == "slow"
    assert time.monotonic() - start < 5


def test_a_list_that_lacks_pages_is_unknown(opened: Callable[..., Any], control: Control) -> None:
    tv = opened("sonarr")
    control.break_("truncated", server="sonarr", path="/api/v3/series")
    with pytest.raises(ReadFailed) as caught:
        tv.read(Items("sonarr"))
    assert caught.value.code == "truncated"


# doctor ---------------------------------------------------------------------------------------------------------------


def examine(client: Any, clock: Any = None) -> dict[str, Finding]:
    app = APPS[client.http.where.name]
    spec = app.Spec.model_validate({"app": app.name, "url": client.http.where.url, "api_key": {"env": "X"}})
    return {f.what: f for f in app.examine(client, spec, clock or SystemClock())}


@pytest.mark.parametrize("name", ["sonarr", "radarr"])
def test_doctor_finds_all_well(opened: Callable[..., Any], control: Control, name: str) -> None:
    found = examine(opened(name))
    assert [f.what for f in found.values() if f.ok is False] == []
    assert found["answers"].says.startswith(f"{name.title()} ")
    assert sum(what.startswith("root ") for what in found) == 3
    assert {r["method"] for r in control.requests(name)} == {"GET"}


def test_doctor_on_the_next_version(opened: Callable[..., Any]) -> None:
    found = examine(opened("next"))
    assert found["API"].says == "v3 is still served; current is v5"
    assert found["root folders"].ok is False
    assert "add one" in found["root folders"].remedy


def test_doctor_on_a_clock_that_is_off(opened: Callable[..., Any]) -> None:
    clock = FakeClock(SystemClock().now())
    clock.advance(3 * 3600)
    found = examine(opened("sonarr"), clock)["clock"]
    assert found.ok is False
    assert found.says == "Sonarr is 3 h behind this machine"
    assert "NTP" in found.remedy


def test_doctor_on_a_root_that_is_gone(opened: Callable[..., Any], stack: Lab) -> None:
    stack.stack.event({"rename": {"from": "/data/d3/tv", "to": "/data/d3/elsewhere"}})
    try:
        found = examine(opened("sonarr"))["root /data/d3/tv"]
    finally:
        stack.stack.event({"rename": {"from": "/data/d3/elsewhere", "to": "/data/d3/tv"}})
    assert found.ok is False
    assert "mounted and readable" in found.remedy


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unauthorised", "refuses the key"),
        ("login-page", "a web page instead of data"),
        ("wrong-app", "not a Sonarr"),
        ("starting", "is not ready"),
        ("reset", "broke off its answer"),
    ],
)
def test_doctor_on_a_server_that_does_not_answer_rightly(
    opened: Callable[..., Any], control: Control, fault: str, words: str
) -> None:
    control.break_(fault, server="sonarr")
    found = examine(opened("sonarr"))
    assert list(found) == ["answers"]
    assert words in found["answers"].says
    assert found["answers"].ok is False
    assert found["answers"].remedy
