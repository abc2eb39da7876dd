"""The clients of qBittorrent and Transmission against the programs themselves: one list, one removal, nothing widened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.connection import App, SecretRef
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.qbittorrent import APP as QB
from resources.clients.torrents import OneTorrent, Torrents
from resources.clients.transmission import APP as TR
from tests.live.torrents.servers import Qbittorrent, Transmission, make_torrent, until

PASSKEY = "f00dfeedf00dfeedf00dfeedf00dfeed"
TRACKER = f"http://127.0.0.1:9/{PASSKEY}/announce"
Server = Qbittorrent | Transmission
WHO: list[tuple[type[Any], App, str, str]] = [
    (Qbittorrent, QB, "admin", "adminadmin"),
    (Transmission, TR, "me", "open sesame"),
]


@pytest.fixture(params=WHO, ids=["qbittorrent", "transmission"])
def both(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A running server, and how to open a client of it."""
    kind, app, user, password = request.param
    monkeypatch.setenv("PASSWORD", password)
    monkeypatch.setenv("WRONG", "guessed wrongly")
    opened: list[Any] = []

    def client(access: str = "write", **more: Any) -> Any:
        told = {
            "app": app.name,
            "url": server.url,
            "user": user,
            "password": SecretRef(env="PASSWORD"),
            "timeout": "20s",
        }
        spec = app.Spec.model_validate({**told, **more})
        opened.append(app.open("c", spec, access="write" if access == "write" else "read", clock=SystemClock()))
        return opened[-1]

    with kind(tmp_path / "server") as server:
        yield server, client
    for one in opened:
        one.close()


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(WriteRefused):
        yield


def season(server: Server) -> Path:
    folder = server.downloads / "Show.S01"
    folder.mkdir()
    (folder / "e1.mkv").write_bytes(b"1" * 50_000)
    (folder / "e2.mkv").write_bytes(b"2" * 30_000)
    return folder


def test_list_and_removal(both: tuple[Server, Callable[..., Any]]) -> None:
    server, client = both
    folder = season(server)
    film = server.downloads / "Film & Co.mkv"
    film.write_bytes(b"x" * 40_000)
    one = server.add(make_torrent(folder, [TRACKER, "http://two.example:7/announce"], private=True))
    two = server.add(make_torrent(film, [TRACKER]))
    found = {t.hash: t for t in client().read(Torrents("c"))}
    assert found.keys() == {one, two} and PASSKEY not in repr(found)
    show, movie = client().read(OneTorrent("c", one)), found[two]
    assert [(f.path, f.size, f.done, f.wanted) for f in show.files] == [
        ("Show.S01/e1.mkv", 50_000, 50_000, True), ("Show.S01/e2.mkv", 30_000, 30_000, True)
    ]  # fmt: skip
    assert sorted(t.host for t in show.trackers) == ["127.0.0.1", "two.example"]
    assert (show.save_path, show.content) == (str(server.downloads), str(folder))
    assert (movie.content, movie.complete, movie.state, movie.size) == (str(film), True, "seeding", 40_000)
    assert movie.added is not None and movie.seeded_s is not None and movie.seeded_s < 60
    for bad in ("", "all", "0" * 40, f"{one}|{two}", "0" * 39):
        with refused():
            client().remove(bad, data=True)
    with refused():
        client("read").remove(two, data=True)
    assert server.hashes() == {one, two} and film.exists()

    client().remove(two, data=True)
    until(lambda: not film.exists(), "the data is gone")
    client().remove(one, data=False)
    until(lambda: server.hashes() == set(), "the torrents are gone")
    assert sorted(p.name for p in folder.iterdir()) == ["e1.mkv", "e2.mkv"]
    with pytest.raises(NotThere):
        client().read(OneTorrent("c", one))


def test_pause_and_a_wrong_password(both: tuple[Server, Callable[..., Any]]) -> None:
    server, client = both
    one = server.add(make_torrent(season(server), [TRACKER]))
    client().pause(one)
    until(lambda: client().read(OneTorrent("c", one)).state == "paused", "it is stopped")
    with pytest.raises(ReadFailed) as told:
        client(password=SecretRef(env="WRONG")).read(Torrents("c"))
    assert told.value.code == "unauthorised" and "connections.c" in told.value.remedy
    server.stop()
    with pytest.raises(ReadFailed) as told:
        client().read(Torrents("c"))
    assert told.value.code == "down"
