"""The pure part: completeness by the torrent client, hours, what the desired state may say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import registry
from reconciler.action import Proposal
from reconciler.address import Address
from reconciler.connection import ConnectionSpec
from reconciler.desired import load
from reconciler.errors import UsageError
from reconciler.facts import Absent, Fact, Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Resource
from reconciler.stack import Stack
from resources.clients.localfs import HERE, FolderMark, FsSize, Leftovers, LocalNames, Space, Staged
from resources.clients.sftp import RemoteFile, RemoteTree
from resources.clients.torrents import OneTorrent, Torrent, TorrentFile, Torrents
from resources.seedbox_transfer import KIND
from resources.seedbox_transfer.complete import called_there, claimed
from resources.seedbox_transfer.hours import is_open
from resources.seedbox_transfer.spec import SeedboxTransferSpec

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FILES = (
    RemoteFile("Show/a.mkv", 100, 0, "file"),
    RemoteFile("Show/b.mkv", 50, 0, "file"),
    RemoteFile("Show", 0, 0, "folder"),
)


def torrent(content: str, **more: Any) -> Torrent:
    said: dict[str, Any] = {
        "hash": "a" * 40,
        "name": "Show",
        "save_path": content.rpartition("/")[0],
        "content": content,
        "size": 150,
        "done": 150,
        "complete": True,
        "state": "seeding",
        "label": "",
        "tags": (),
        "message": "",
        "trackers": None,
        "files": (),
    }
    unknown = dict.fromkeys(("ratio", "uploaded", "seeded_s", "added", "finished", "private", "seeders"))
    return Torrent(**{**unknown, **said, **more})


def proposal(
    *,
    torrents: tuple[Torrent, ...] | Fact[Any] | None = None,
    paths: tuple[dict[str, str], ...] = (),
    when: dict[str, Any] | None = None,
    detail: Fact[Any] | None = None,
    free: int = 10**9,
    ledger: Ledger | None = None,
    now: datetime = NOW,
    **spec: Any,
) -> Proposal:
    wanted = {"from": {"sftp": "box", "path": "/dl"}, "to": "/in", **({"when": when} if when else {}), **spec}
    app = ConnectionSpec(app="sftp")
    resource = Resource(
        Address("seedbox_transfer", "tv"),
        SeedboxTransferSpec.model_validate(wanted),
        Stack(connections={"box": app, "rt": app}, paths=paths),
    )
    answers: dict[Query[Any], Fact[Any]] = {
        RemoteTree("box", "/dl"): Known(FILES, NOW),
        LocalNames(HERE, "/in"): Known((), NOW),
        FolderMark(HERE, "/in"): Known(None, NOW),
        Leftovers(HERE, "/in"): Known((), NOW),
        FsSize(HERE, "/in"): Known(Space(10**12, free), NOW),
        Staged(HERE, "/in", "Show"): Known(0, NOW),
    }
    if torrents is not None:
        answers[Torrents("rt")] = Known(torrents, NOW) if isinstance(torrents, tuple) else torrents
    if detail is not None:
        answers[OneTorrent("rt", "a" * 40)] = detail
    facts = Facts(answers)
    assert set(KIND.reads(resource, facts, Ledger(), NOW)) <= answers.keys()
    return KIND.plan(resource, facts, ledger or Ledger(), now)


CLIENT = {"client": "rt"}


def held(found: Proposal) -> str:
    assert not found.actions
    (one,) = found.held
    return one.reason


def test_complete_in_the_client_is_fetched_at_once() -> None:
    (action,) = proposal(torrents=(torrent("/dl/Show"),), when=CLIENT).actions
    assert action.effects.bytes_moved == 150
    assert action.data["bytes"] == 150


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"complete": False, "done": 75}, "not complete (50%)"),
        ({"state": "checking"}, "is checking"),
        ({"state": "moving"}, "is moving"),
        ({"files": (TorrentFile("Show/a.mkv", 100, 100, True), TorrentFile("Show/b.mkv", 50, 7, False))}, "b.mkv was"),
    ],
)
def test_what_the_client_calls_unfinished_is_held(more: dict[str, Any], why: str) -> None:
    assert why in held(proposal(torrents=(torrent("/dl/Show", **more),), when=CLIENT))


@pytest.mark.parametrize(("folder", "prefix"), [("/dl/Show", ""), ("/dl", "Show/")])
def test_an_excluded_folder_is_no_matter_in_any_client(folder: str, prefix: str) -> None:
    """rtorrent tells paths in the torrent's own folder, the others from above it: both mean the same file."""
    half = (TorrentFile(f"{prefix}a.mkv", 100, 100, True), TorrentFile(f"{prefix}proof/p.jpg", 50, 7, False))
    told = (torrent("/dl/Show", save_path=folder, files=half),)
    for exclude in (("proof/",), ("proof/*.jpg",)):
        assert proposal(torrents=told, when=CLIENT, exclude=exclude).actions
    assert "proof/p.jpg was deselected" in held(proposal(torrents=told, when=CLIENT))


def test_a_client_that_lists_no_files_is_asked_for_them() -> None:
    """A deselected file lies there half, and its torrent is called complete (A26)."""
    short, half = torrent("/dl/Show", files=None), TorrentFile("Show/b.mkv", 50, 7, False)
    full = torrent("/dl/Show", files=(TorrentFile("Show/a.mkv", 100, 100, True), half))
    assert "b.mkv was" in held(proposal(torrents=(short,), when=CLIENT, detail=Known(full, NOW)))
    assert proposal(torrents=(short,), when=CLIENT, detail=Known(full, NOW), exclude=("b.*",)).actions
    assert "rtorrent faulted" in held(
        proposal(torrents=(short,), when=CLIENT, detail=Unknown("down", "rtorrent faulted"))
    )
    assert "has left" in held(proposal(torrents=(short,), when=CLIENT, detail=Absent(NOW)))


SLOW = {**CLIENT, "settled": "10m"}


def settled() -> Ledger:
    """Everything was seen unchanged for an hour."""
    seen = proposal(torrents=(), when=SLOW).sightings
    return Ledger(
        sightings={f"seedbox_transfer.tv {k}": (state, NOW - timedelta(hours=1)) for k, state in seen.items()}
    )


@pytest.mark.parametrize("terse", [False, True])
def test_half_files_without_a_folder_of_their_own_do_not_settle(terse: bool) -> None:
    """Their download is slow or stopped, so nothing changes for long enough: the client knows that they are its own."""
    whole: dict[str, Any] = {"name": "Loose", "content": "/dl", "save_path": "/dl", "files": None}
    half = {**whole, "complete": False, "done": 60}
    if not terse:
        whole["files"] = (TorrentFile("Show/a.mkv", 100, 100, True), TorrentFile("Show/b.mkv", 50, 50, True))
        half["files"] = (TorrentFile("Show/a.mkv", 100, 60, True), TorrentFile("Show/b.mkv", 50, 0, True))
    says = held(proposal(torrents=(torrent(**half),), when=SLOW, ledger=settled()))
    assert ("may be a part of Loose" if terse else "not complete") in says
    assert proposal(torrents=(torrent(**whole),), when=SLOW, ledger=settled()).actions


@pytest.mark.parametrize("suffix", [".!qB", ".part"])
def test_half_a_file_under_another_name_does_not_settle(suffix: str) -> None:
    """The client calls a file otherwise until it is whole."""
    half = torrent("/dl/Show", complete=False, done=7)
    assert claimed("/dl", (half,), lambda path: (path,))[f"Show{suffix}"] == (half,)


def test_every_torrent_in_a_release_counts() -> None:
    """A cross-seed that lies in the same folder is not complete yet."""
    both = (torrent("/dl/Show"), torrent("/dl/Show/b.mkv", hash="b" * 40, complete=False, size=50, done=0))
    assert "not complete" in held(proposal(torrents=both, when=CLIENT))


def test_what_no_torrent_claims_is_held_and_settles_only_where_that_is_said() -> None:
    """An empty list after a restart makes nothing complete."""
    assert "claims it" in held(proposal(torrents=(), when=CLIENT))
    assert "for the first time" in held(proposal(torrents=(), when={**CLIENT, "settled": "10m"}))


def test_a_client_that_is_down_blocks() -> None:
    found = proposal(torrents=Unknown("down", "rtorrent is down", "start it"), when=CLIENT)
    assert not found.actions
    assert [b.code for b in found.blocked] == ["down"]


def test_paths_of_the_client_are_translated() -> None:
    paths = ({"rt": "/home/me", "box": "/"}, {"rt": "/home/me/downloads", "box": "/dl"})
    assert proposal(torrents=(torrent("/home/me/downloads/Show"),), when=CLIENT, paths=paths).actions
    there = called_there(Stack(paths=paths), "rt", "box", "/dl")
    assert there("/home/me/x") == ("/x",)
    assert there("/home/mean") == ("/home/mean",)


@pytest.mark.parametrize("content", ["/dl//Show", "/dl/./Show", "//dl/Show/", "/dl/Show"])
def test_a_path_of_the_client_in_another_spelling(content: str) -> None:
    """It is not complete: written otherwise it is not nobody's either."""
    half = torrent(content, complete=False, done=1)
    found = proposal(torrents=(half,), when={**CLIENT, "settled": "5m"})
    assert not found.actions and "is not complete" in found.held[0].reason


def test_a_client_and_a_server_that_paths_joins_by_a_third_name() -> None:
    paths = ({"here": "/mnt/dl", "rt": "/home/me"}, {"here": "/mnt/dl", "box": "/dl"})
    half = torrent("/home/me/Show", complete=False, done=1)
    found = proposal(torrents=(half,), when={**CLIENT, "settled": "5m"}, paths=paths)
    assert not found.actions and "is not complete" in found.held[0].reason


def test_a_missing_folder_there_is_an_error_and_nothing_else() -> None:
    spec = SeedboxTransferSpec.model_validate({"from": {"sftp": "box", "path": "/dl"}, "to": "/in"})
    resource = Resource(Address("seedbox_transfer", "tv"), spec, Stack())
    answers: dict[Query[Any], Fact[Any]] = {
        RemoteTree("box", "/dl"): Absent(NOW),
        LocalNames(HERE, "/in"): Known((), NOW),
        FolderMark(HERE, "/in"): Known(None, NOW),
        Leftovers(HERE, "/in"): Known((), NOW),
        FsSize(HERE, "/in"): Known(Space(1, 1), NOW),
    }
    found = KIND.plan(resource, Facts(answers), Ledger(), NOW)
    assert (found.actions, found.errors) == ((), ("box:/dl is not there",))


def test_room_is_kept() -> None:
    said = held(proposal(torrents=(torrent("/dl/Show"),), when=CLIENT, free=1000, keep_free="900 B"))
    assert "it needs 150 B" in said


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_outside_of_its_hours_it_is_later() -> None:
    done: dict[str, Any] = {"torrents": (torrent("/dl/Show"),), "when": CLIENT}
    found = proposal(**done, limit={"window": "01:00-07:00"})
    assert (len(found.actions), len(found.later)) == (0, 1)
    assert proposal(**done, limit={"window": "13:00-13:01"}).actions  # 12:00 UTC is 13:00 there
    night = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert is_open("22:00-07:00", night)
    assert is_open("22:00-07:00", night + timedelta(hours=5))
    assert not is_open("22:00-07:00", night + timedelta(hours=8))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("from: {sftp: nobody, path: /dl}", "no SFTP connection 'nobody'"),
        ("from: {sftp: box, path: dl}", "whole path"),
        ("from: {sftp: box, path: /dl/../etc}", "holds .."),
        ("when: {client: box}", "no torrent client 'box'"),
        ("when: {settled: 0s}", "still being written"),
        ("limit: {rate: 80 MB}", "no rate"),
        ("limit: {rate: 1 KB/s}", "useful time"),
        ("limit: {window: '25:00-07:00'}", "no hours"),
        ("exclude: ['*']", "exclude everything"),
        ("parallel: {files: 0}", "must be at least 1"),
        ("remote: remove_when_imported", "who can say that it was imported?"),
        ("imported_by: [sonarr]", "does nothing beside remote: keep"),
        ("remote: remove_when_imported\n    imported_by: [sonarr]", "needs when.client"),
        ("remote: remove_when_imported\n    imported_by: [box]\n    when: {client: box}", "no app 'box' that imports"),
        ("remote: remove_when_imported\n    imported_by: [s]\n    when: {client: r, settled: 5s}", "is no time to see"),
    ],
)
def test_what_is_wrong_is_said_before_any_server_is_asked(tmp_path: Path, line: str, why: str) -> None:
    rows = {"from": "from: {sftp: box, path: /dl}", "to": "to: /in"} | {line.partition(":")[0]: line}
    text = "connections:\n  box: {app: sftp, host: h, user: me, key: ~/.ssh/k}\nseedbox_transfer:\n  tv:\n"
    (tmp_path / "wish.yaml").write_text(text + "".join(f"    {row}\n" for row in rows.values()))
    with pytest.raises(UsageError) as caught:
        load([tmp_path], kinds=registry.kinds(), apps=registry.apps())
    assert why in "".join(str(d) for d in caught.value.diagnostics)
