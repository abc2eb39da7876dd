"""The client of rtorrent against rtorrent itself: over its socket, over TCP, and behind a web server that asks who is there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.connection import SecretRef
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import WriteRefused
from resources.clients.rtorrent import APP
from resources.clients.rtorrent.app import RtorrentSpec
from resources.clients.rtorrent.client import RtorrentClient
from resources.clients.rtorrent.plain import plain
from resources.clients.rtorrent.queries import FilesThere
from resources.clients.rtorrent.xmlrpc import answer, call
from resources.clients.torrents import OneTorrent, Torrents
from tests.live.torrents.servers import Rtorrent, apache, make_torrent, until

PASSKEY = "f00dfeedf00dfeedf00dfeedf00dfeed"
_open: list[RtorrentClient] = []
TRACKER = f"http://127.0.0.1:9/{PASSKEY}/announce"


def opened(url: str, *, access: str = "write", **more: object) -> RtorrentClient:
    spec = RtorrentSpec.model_validate({"app": "rtorrent", "url": url, "timeout": "10s", **more})
    client = APP.open("rt", spec, access="write" if access == "write" else "read", clock=SystemClock())
    assert isinstance(client, RtorrentClient)
    _open.append(client)
    return client


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Close what a test opened."""
    yield
    while _open:
        _open.pop().close()


def season(server: Rtorrent) -> Path:
    folder = server.downloads / "Show.S01"
    folder.mkdir()
    (folder / "e1.mkv").write_bytes(b"1" * 50_000)
    (folder / "e2.mkv").write_bytes(b"2" * 30_000)
    return folder


def test_the_quick_way_reads_what_it_writes(tmp_path: Path) -> None:
    """Its own XML, with its white space and entities: long lists are read without an XML parser."""
    with Rtorrent(tmp_path) as server:
        film = server.downloads / 'Film & <Co> "1" \\.mkv'
        film.write_bytes(b"x" * 40_000)
        server.add(make_torrent(film, [TRACKER]))
        server.add(make_torrent(season(server), [TRACKER]))
        fields = ("d.name=", "d.size_bytes=", "d.message=", "f.multicall=,f.path=,f.size_bytes=")
        document = opened(server.url).rpc.carrier.ask(call("d.multicall2", ["", "main", *fields]))
        told = plain(document)
        assert sorted(row[0] for row in told) == [film.name, "Show.S01"] and told == answer(document)


def test_a_torrent_is_told_whole_and_without_its_passkey(tmp_path: Path) -> None:
    """One request tells files, trackers and state; the passkey is cut before anything else sees it."""
    with Rtorrent(tmp_path) as server:
        film = server.downloads / "Film & <Co>.mkv"
        film.write_bytes(b"x" * 40_000)
        one = server.add(make_torrent(film, [TRACKER], private=True), label="tv%20shows")
        two = server.add(make_torrent(season(server), [TRACKER, "http://two.example:7/announce"]))
        found = {t.hash: t for t in opened(server.url).read(Torrents("rt"))}
        assert found.keys() == {one, two}
        movie, show = found[one], found[two]
        assert (movie.name, movie.label, movie.private, movie.complete) == ("Film & <Co>.mkv", "tv shows", True, True)
        assert (movie.save_path, movie.content) == (str(server.downloads), str(film))
        assert (show.save_path, show.content) == (str(server.downloads / "Show.S01"),) * 2
        assert [(f.path, f.size, f.done, f.wanted) for f in show.files or ()] == [
            ("e1.mkv", 50_000, 50_000, True), ("e2.mkv", 30_000, 30_000, True)
        ]  # fmt: skip
        assert [t.host for t in show.trackers or ()] == ["127.0.0.1", "two.example"]
        assert movie.state == "seeding" and movie.ratio == 0.0 and movie.finished is not None
        assert movie.seeded_s is not None and 0 <= movie.seeded_s < 60
        assert PASSKEY not in repr(found)
        alone = opened(server.url).read(OneTorrent("rt", two))
        assert (alone.content, alone.files, alone.finished) == (show.content, show.files, show.finished)


def test_a_stopped_torrent_after_a_restart_keeps_its_place(tmp_path: Path) -> None:
    """Its base path is empty then: the place comes from folder and file, and is no shared folder."""
    with Rtorrent(tmp_path) as server:
        film = server.downloads / "Film.mkv"
        film.write_bytes(b"x" * 40_000)
        one = server.add(make_torrent(film, [TRACKER]))
        server.call("d.stop", one.upper())
        server.call("session.save", "")
        server.stop(signal.SIGTERM)
        server.start()
        until(lambda: one in server.hashes(), "the session is loaded")
        assert server.call("d.base_path", one.upper()) == ""
        told = opened(server.url).read(OneTorrent("rt", one))
        assert (told.content, told.save_path, told.state) == (str(film), str(server.downloads), "paused")


def test_removing_leaves_the_data_and_is_seen_to(tmp_path: Path) -> None:
    """The torrent goes, every byte stays; a second removal, an unknown hash and the word for all are refused unsent."""
    with Rtorrent(tmp_path) as server:
        folder = season(server)
        one = server.add(make_torrent(folder, [TRACKER]))
        client = opened(server.url)
        assert client.read(FilesThere("rt", one)) == (("e1.mkv", True), ("e2.mkv", True))
        (folder / "e1.mkv").rename(folder / "away")
        assert client.read(FilesThere("rt", one)) == (("e1.mkv", False), ("e2.mkv", True))
        (folder / "away").rename(folder / "e1.mkv")
        with pytest.raises(WriteRefused, match="deletes no data"):
            client.remove(one, data=True)
        client.remove(one, data=False)
        assert server.hashes() == set()
        assert sorted(p.name for p in folder.iterdir()) == ["e1.mkv", "e2.mkv"]
        with pytest.raises(NotThere):
            client.read(OneTorrent("rt", one))
        for bad in (one, "", "all", "0" * 39, f"{one}|{one}", "main"):
            with pytest.raises(WriteRefused):
                client.remove(bad, data=False)


def test_pause_and_the_files_let_go(tmp_path: Path) -> None:
    with Rtorrent(tmp_path) as server:
        one = server.add(make_torrent(season(server), [TRACKER]))
        client = opened(server.url)
        client.close_files(one)
        assert server.call("d.is_open", one.upper()) == 0
        client.reopen(one)
        until(lambda: server.call("d.is_active", one.upper()) == 1, "it seeds again")
        client.pause(one)
        assert client.read(OneTorrent("rt", one)).state == "paused"


def test_read_only_lets_no_write_and_no_hidden_command_pass(tmp_path: Path) -> None:
    with Rtorrent(tmp_path) as server:
        one = server.add(make_torrent(season(server), [TRACKER]))
        client = opened(server.url, access="read")
        with pytest.raises(WriteRefused):
            client.remove(one, data=False)
        with pytest.raises(WriteRefused):
            client.pause(one)
        marker = tmp_path / "ran"
        run = f"execute.throw=touch,{marker}"
        for method, params in (
            ("d.erase", [one.upper()]),
            ("execute.throw", ["", "touch", str(marker)]),
            ("d.multicall2", ["", "main", run]),
            ("d.multicall2", ["", "main", f"d.custom=$execute.capture=touch,{marker}"]),
            ("d.multicall2", ["", "main", f"f.multicall=,{run}"]),
            ("system.multicall", [[{"methodName": "d.erase", "params": [one.upper()]}]]),
        ):
            with pytest.raises(WriteRefused):
                client.rpc.read(method, *params)
        assert server.hashes() == {one} and not marker.exists()


@pytest.mark.parametrize("scheme", ["Digest", "Basic"])
def test_behind_a_web_server(tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for Digest or Basic, and gets what it asks for; a wrong password is an unauthorised read, not an empty list."""
    monkeypatch.setenv("RT_PASSWORD", "open sesame")
    monkeypatch.setenv("WRONG", "guessed wrongly")
    with Rtorrent(tmp_path / "rt", tcp=True) as server, apache(tmp_path / "web", server, scheme=scheme) as url:
        one = server.add(make_torrent(season(server), [TRACKER]))
        client = opened(url, user="me", password=SecretRef(env="RT_PASSWORD"))
        assert [t.hash for t in client.read(Torrents("rt"))] == [one]
        assert opened(server.url).read(Torrents("rt"))[0].hash == one
        with pytest.raises(ReadFailed) as told:
            opened(url, user="me", password=SecretRef(env="WRONG")).read(Torrents("rt"))
        assert told.value.code == "unauthorised"
        with pytest.raises(ReadFailed) as told:
            opened(url).read(Torrents("rt"))
        assert told.value.code == "unauthorised"
        client.remove(one, data=False)
        assert server.hashes() == set()
        server.stop()
        with pytest.raises(ReadFailed) as told:
            client.read(Torrents("rt"))
        assert told.value.code in ("starting", "down", "server-error")


def test_nobody_there_is_down(tmp_path: Path) -> None:
    with pytest.raises(ReadFailed) as told:
        opened(f"scgi://{tmp_path}/nobody.socket").read(Torrents("rt"))
    assert told.value.code == "down" and "connections.rt.url" in told.value.remedy
