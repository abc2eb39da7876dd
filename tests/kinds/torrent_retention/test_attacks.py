"""Attacks that once cost data, or made a plan say what was not so: each builds the situation with real files and looks at them.

Who needs the same bytes under another name; what a client tells that is not so on disk; what changes between plan and
apply; and quarantine that was edited, cut off or linked elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.kind import WriteRefused
from resources.clients.localfs import quarantine
from resources.clients.localfs.client import LocalFs
from resources.clients.qbittorrent import parse
from resources.clients.rtorrent.client import RtorrentClient
from resources.clients.torrents import Torrent as Seen
from resources.clients.torrents import Tracker, as_ratio, public_url
from resources.clients.transmission.client import torrent as of_transmission
from resources.torrent_retention.observed import disowned_now
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, STAY, Sim, goes, held, payload, searched
from tests.kinds.torrent_retention.world import download, sonarr

QB = "{{app: qbittorrent, url: '{url}', user: admin, password: {{env: QB_PASSWORD}}}}"
GO = "connection: rt\nmay_go: {ratio: '>= 2'}\n" + FREE
IMPORTED = "connection: rt\nimported_by: [sonarr]\nmay_go: {imported: true}\n" + FREE
BLU = (
    "connection: rt\nmay_go: {ratio: '>= 2'}\n"
    "trackers:\n  blu: {match: ['*.blu.example'], keep_until: {ratio: '>= 100'}}\n  unlisted: allow\n"
)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")


# --- orphans that are none


def test_a_folder_behind_a_link_is_claimed(tmp_path: Path) -> None:
    """The client says tv/Film.mkv, and tv is a link: what it leads to is no orphan. A real one beside it is."""
    downloads = tmp_path / "dl"
    (downloads / "kept").mkdir(parents=True)
    (downloads / "tv").symlink_to("kept")
    film = payload(downloads / "tv", "Film.mkv", 1)
    (downloads / "Left.mkv").write_bytes(b"left")
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads))
        sim.wait(timedelta(days=2))
        assert sim.states(sim.apply()) == [("quarantine", "Left.mkv", "done")]
    assert (downloads / "kept" / "Film.mkv").exists()


def test_files_of_a_payload_without_a_folder_of_its_own_are_claimed(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    bare = payload(tmp_path, "dl", 1, files={"e1.mkv": 50_000, "e2.mkv": 50_000})
    (downloads / "Left.mkv").write_bytes(b"left")
    with Rtorrent([bare]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads))
        sim.wait(timedelta(days=2))
        assert [a.subject.title for a in sim.proposal().actions] == ["Left.mkv"]


@pytest.mark.parametrize("suffix", [".part", ".!qB"])
def test_half_a_file_under_the_name_that_clients_give_it_is_claimed(tmp_path: Path, suffix: str) -> None:
    downloads = tmp_path / "dl"
    half = payload(downloads, "Film.mkv", 1, complete=False)
    (downloads / "Film.mkv").rename(downloads / f"Film.mkv{suffix}")
    (downloads / "Left.mkv").write_bytes(b"left")
    with Qbittorrent([half]) as qb:
        sim = Sim(tmp_path, {"rt": QB.format(url=qb.url)}, downloads)
        sim.declare(searched(downloads))
        sim.wait(timedelta(days=2))
        assert [a.subject.title for a in sim.proposal().actions] == ["Left.mkv"]


def test_what_is_under_way_is_claimed_in_a_folder_for_incomplete_files(tmp_path: Path) -> None:
    """A client that keeps half files elsewhere tells the folder that they will lie in."""
    downloads = tmp_path / "dl"
    half = payload(downloads / "done", "Show", 1, files={"e1.mkv": 5_000}, complete=False)
    (downloads / "incomplete").mkdir()
    (downloads / "done" / "Show").rename(downloads / "incomplete" / "Show")
    (downloads / "incomplete" / "Left.mkv").write_bytes(b"left")
    with Rtorrent([half]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads).replace(f"[{downloads}]", f"[{downloads}/incomplete]"))
        sim.wait(timedelta(days=2))
        assert [a.subject.title for a in sim.proposal().actions] == ["Left.mkv"]


def test_a_name_that_is_no_text_is_held_and_breaks_no_plan(tmp_path: Path) -> None:
    """rtorrent tells such a name with question marks: nobody can say that it is not its file."""
    downloads = tmp_path / "dl"
    film = payload(downloads, "Fil?.mkv", 1)
    odd = downloads / os.fsdecode(b"Fil\xff.mkv")
    (downloads / "Fil?.mkv").rename(odd)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(STAY + f"orphans: {{under: [{downloads}], older: 0s}}")
        sim.wait(timedelta(hours=1))
        proposal = sim.proposal()
        assert proposal.actions == () and "no text" in held(proposal)["Fil\\xff.mkv"]
    assert odd.exists()


def test_the_empty_list_of_another_client_is_not_believed_at_once(tmp_path: Path) -> None:
    """It was started just now: what it seeds is no orphan, and what it shares is not deleted. Later the list is believed."""
    downloads = tmp_path / "dl"
    mine = [payload(downloads, "F.mkv", 1, ratio=0)]
    theirs = [payload(downloads, "F.mkv", 2, ratio=0), payload(downloads, "T.mkv", 3)]
    with Rtorrent(mine) as rt, Qbittorrent(theirs) as qb:
        sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=qb.url)}, downloads)
        sim.declare(searched(downloads).replace(">= 100", ">= 2"))
        sim.wait(timedelta(days=2))
        sim.apply()
        mine[0].ratio = 3000
        qb.torrents.clear()
        for _ in range(2):
            plan = sim.plan()
            assert list(plan.actions()) == [] and "shows 0 torrents" in str(plan.resources[0].proposal.blocked)
            sim.apply(plan)
        assert (downloads / "F.mkv").exists() and (downloads / "T.mkv").exists()
        sim.clock.ahead += timedelta(minutes=20)
        assert [a.subject.title for a in sim.plan().actions()] == ["F.mkv"]
        sim.wait(timedelta(days=1))
        assert sorted(a.subject.title for a in sim.plan().actions()) == ["F.mkv", "T.mkv"]


# --- who needs the same bytes


def test_a_cross_seed_by_another_way_to_the_folder(tmp_path: Path) -> None:
    """No hard link, no equal path: a link leads to the same folder, and another client seeds from there."""
    downloads = tmp_path / "dl"
    (downloads / "real").mkdir(parents=True)
    (downloads / "alias").symlink_to("real")
    mine = payload(downloads / "real", "Show", 1, files={"e1.mkv": 60_000, "e2.mkv": 70_000})
    theirs = payload(downloads / "alias", "Show", 2, files={"e1.mkv": 60_000, "e2.mkv": 70_000})
    one = payload(downloads / "real", "Film.mkv", 3)
    other = payload(downloads / "alias", "Film.mkv", 4)
    for version in ("5.2", "4.5"):  # the older tells no files in its list
        with Rtorrent([mine, one]) as rt, Qbittorrent([theirs, other], version=version) as qb:
            sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=qb.url)}, downloads)
            sim.declare(GO)
            proposal = sim.proposal()
            assert goes(proposal) == [] and set(held(proposal)) == {"Show", "Film.mkv"}


@pytest.mark.parametrize("files", [{"e1.mkv": 60_000, "e2.mkv": 70_000}, None])
@pytest.mark.parametrize(("hard", "version"), [(False, "5.2"), (False, "4.5"), (True, "5.2")])  # 4.5 lists no files
def test_a_cross_seed_by_another_way_that_came_after_the_plan(
    tmp_path: Path, version: str, hard: bool, files: dict[str, int] | None
) -> None:
    """Between plan and apply another client takes up the same data, by hard links or a linked folder: no path is equal."""
    downloads = tmp_path / "dl"
    (downloads / "real").mkdir(parents=True)
    payload(downloads / "real", "Show", 0, files=files)
    if hard:
        shutil.copytree(downloads / "real", downloads / "alias", copy_function=os.link)
    else:
        (downloads / "alias").symlink_to("real")
    mine, late = (payload(downloads / way, "Show", n, files=files) for n, way in enumerate(("real", "alias")))
    with Rtorrent([mine]) as rt, Qbittorrent([], version=version) as qb:
        sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=qb.url)}, downloads)
        sim.declare(GO)
        plan = sim.plan()
        assert goes(plan.resources[0].proposal) == ["Show"]
        qb.torrents[late.hash] = late
        assert sim.states(sim.apply(plan)) == [("remove", "Show", "stale")]
        assert len(rt.torrents) == 1 and (downloads / "real" / "Show").exists()


@pytest.mark.parametrize("when", ["plan", "apply"])
def test_a_cross_seed_that_cannot_be_looked_at(tmp_path: Path, when: str) -> None:
    """Its folder does not answer (a mount that is down): whether it has the same bytes is not known, and nothing goes."""
    downloads = tmp_path / "dl"
    mine, other = payload(downloads, "Show", 1, files={"e1.mkv": 60_000}), payload(downloads, "Film.mkv", 3)
    theirs = payload(downloads / "real", "Show", 2, files={"e1.mkv": 60_000}, ratio=0)
    with Rtorrent([mine, other]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(GO)
        plan = sim.plan()
        theirs.folder = str(downloads / "down")
        (downloads / "down").symlink_to("down")
        rt.torrents[theirs.hash.upper()] = theirs
        if when == "plan":
            plan = sim.plan()
            assert goes(plan.resources[0].proposal) == ["Film.mkv"]
            assert "whether Show in rt has the same files" in str(plan.resources[0].proposal.blocked)
        sim.apply(plan)
    assert (downloads / "Show" / "e1.mkv").exists()


def test_a_cross_seed_of_a_client_that_paths_does_not_map(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    mine, theirs = payload(downloads, "Film.mkv", 1), payload(downloads, "Film.mkv", 2)
    with Rtorrent([mine]) as rt, Qbittorrent([theirs]) as qb:
        sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=qb.url)}, downloads)
        sim.stack = sim.stack.replace(f", qb: {downloads}", "")
        sim.declare(GO)
        proposal = sim.proposal()
        assert goes(proposal) == [] and "in qb uses the same data" in held(proposal)["Film.mkv"]


def test_an_import_speaks_for_its_own_files_only(tmp_path: Path) -> None:
    """Two payloads without folders of their own lie in one folder; one was imported, and that proves nothing of the other."""
    shared = tmp_path / "dl" / "tv"
    first = payload(tmp_path / "dl", "tv", 1, files={"a1.mkv": 60_000})
    second = payload(tmp_path / "dl", "tv", 2, files={"b1.mkv": 70_000})
    (tmp_path / "home").mkdir()
    with Rtorrent([first, second]) as rt, sonarr(tmp_path / "home", {"sonarr": [download(first)]}) as tv:
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, tmp_path / "dl", tv.paths)
        sim.declare(IMPORTED)
        sim.apply()
    assert (shared / "b1.mkv").exists()


def test_a_library_that_shows_the_very_files_keeps_them(tmp_path: Path) -> None:
    """The season's folder in the library is a link into the downloads: the torrent's data is the library's only copy."""
    downloads, home = tmp_path / "dl", tmp_path / "home"
    home.mkdir()
    pack = payload(downloads, "Pack", 1, files={"x.mkv": 10})
    with Rtorrent([pack]) as rt, sonarr(home, {"sonarr": [download(pack)]}) as tv:
        episode = next(p for p in tv.library("sonarr").rglob("*.mkv") if p.is_file())
        shutil.move(episode, downloads / "Pack" / episode.name)
        shutil.rmtree(episode.parent)
        episode.parent.symlink_to(downloads / "Pack")
        pack.files = [(episode.name, episode.stat().st_size)]
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
        sim.declare(IMPORTED)
        proposal = sim.proposal()
        assert goes(proposal) == [] and "this very file" in held(proposal)["Pack"]
        sim.apply()
        assert episode.exists()


# --- between plan and apply, and pressure


def test_a_label_that_protects_is_seen_at_the_doing(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    film = payload(downloads, "Film.mkv", 1)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(GO)
        plan = sim.plan()
        film.label = "arr-protect"
        assert sim.states(sim.apply(plan)) == [("remove", "Film.mkv", "stale")]
    assert (downloads / "Film.mkv").exists()


def test_pressure_on_another_disk_deletes_nothing(tmp_path: Path) -> None:
    downloads, other = tmp_path / "dl", Path("/dev/shm")
    film = payload(downloads, "Film.mkv", 1)
    if not other.is_dir() or other.stat().st_dev == downloads.stat().st_dev:
        pytest.skip("no second file system here")
    fills = other / f"arr-test-{os.getpid()}"
    fills.write_bytes(b"x" * 100_000)
    try:
        with Rtorrent([film]) as rt:
            sim = Sim(tmp_path, {"rt": rt.url}, downloads)
            sim.declare(GO + f"pressure: {{disk: {other}, above: 0%}}")
            proposal = sim.proposal()
    finally:
        fills.unlink()
    assert goes(proposal) == [] and "makes no room there" in held(proposal)["Film.mkv"]


# --- quarantine


def killed(sim: Sim, owner: Any, name: str, *, after: bool) -> None:
    """Apply in a process that is killed when it calls `name`; `after` that has done its work, or before."""
    plan = sim.plan()
    pid = os.fork()
    if pid == 0:
        real: Callable[..., Any] = getattr(owner, name)

        def die(*args: Any, **more: Any) -> None:
            if after:
                real(*args, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, die)
        try:
            sim.apply(plan)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_a_kill_between_manifest_and_move_stops_nothing_for_ever(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    film = payload(downloads, "Film.mkv", 1)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(GO)
        killed(sim, quarantine, "_begin", after=True)
        assert sim.states(sim.apply()) == [("remove", "Film.mkv", "done")]
    assert len(list((downloads / ".arr-quarantine").rglob("Film.mkv"))) == 1


def test_a_kill_while_the_manifest_is_written_stops_nothing_for_ever(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    film = payload(downloads, "Film.mkv", 1)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(GO)
        killed(sim, json, "dump", after=False)
        assert sim.states(sim.apply()) == [("remove", "Film.mkv", "done")]
    assert len(list((downloads / ".arr-quarantine").rglob("Film.mkv"))) == 1


def test_what_a_torrent_lacks_is_not_purged(tmp_path: Path) -> None:
    """Killed before the torrent was taken out; the client then made its files anew, and has to fetch them all."""
    downloads = tmp_path / "dl"
    film = payload(downloads, "Film.mkv", 1)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(GO)
        killed(sim, RtorrentClient, "remove", after=False)
        (downloads / "Film.mkv").write_bytes(bytes(200_000))
        film.complete = False
        sim.clock.ahead = timedelta(days=8)
        sim.apply()
        sim.apply()
    assert len(list((downloads / ".arr-quarantine").rglob("Film.mkv"))) == 1


def stashed(root: Path) -> Path:
    """A batch with one file, a.mkv; its folder."""
    root.mkdir()
    (root / "a.mkv").write_bytes(b"data")
    fs = LocalFs(writable=True)
    quarantine.stash(fs, str(root), "b1", [str(root / "a.mkv")], about={}, until=datetime.now(UTC), stop=None)
    return root / ".arr-quarantine" / "b1"


def test_a_manifest_that_was_edited_costs_no_file(tmp_path: Path) -> None:
    batch = stashed(tmp_path / "root")
    manifest = json.loads((batch / "manifest.json").read_text())
    for files in ([], [{**manifest["files"][0], "path": "b.mkv"}]):
        (batch / "manifest.json").write_text(json.dumps({**manifest, "files": files}))
        with pytest.raises(WriteRefused, match="does not know"):
            quarantine.restore(LocalFs(writable=True), str(tmp_path / "root"), "b1")
        assert (batch / "files" / "a.mkv").read_bytes() == b"data"


def test_a_purge_follows_no_link(tmp_path: Path) -> None:
    batch, library = stashed(tmp_path / "root"), tmp_path / "library"
    library.mkdir()
    (library / "film.mkv").write_bytes(b"precious")
    shutil.rmtree(batch / "files")
    (batch / "files").symlink_to(library)
    with pytest.raises(WriteRefused, match="is a link"):
        quarantine.purge(LocalFs(writable=True), str(tmp_path / "root"), "b1")
    assert (library / "film.mkv").exists()


# --- what clients and trackers tell


@pytest.mark.parametrize(
    "urls",
    [
        ["http://tracker.blu.example:99999/announce", "http://free.example/announce"],
        ["http:\\\\tracker.blu.example/announce"],
        ["http://tracker.blu.example./announce"],
        ["HTTP://u:p@tracker.BLU.example:80/announce"],
    ],
)
def test_an_obligation_holds_however_its_tracker_is_spelled(tmp_path: Path, urls: list[str]) -> None:
    film = payload(tmp_path / "dl", "Film.mkv", 1, trackers=urls)
    with Rtorrent([film]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, tmp_path / "dl")
        sim.declare(BLU)
        assert goes(sim.proposal()) == []
        film.trackers = ["http://free.example/announce", "dht://"]
        assert goes(sim.proposal()) == ["Film.mkv"]


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e308, 10**400, -1, True, "2"])
def test_a_ratio_that_is_none(value: Any) -> None:
    raw = {"state": "stalledUP", "progress": 1, "amount_left": 0, "ratio": value, "total_size": 5, "hash": "a" * 40}
    raw |= {"name": "x", "save_path": "/d", "content_path": "/d/x"}
    assert parse.torrent(raw).ratio is None and as_ratio(value) is None and as_ratio(2) == 2.0


@pytest.mark.parametrize(
    ("message", "disowned"),
    [
        ("unregistered torrent pass", False),
        ("Your passkey does not exist", False),
        ("host does not exist", False),
        ("account not registered", False),
        ("unregistered torrent", True),
    ],
)
def test_what_a_tracker_says_of_a_user_is_not_of_a_torrent(message: str, disowned: bool) -> None:
    tracker = Tracker(public_url("http://t.example/announce"), 0, True, message, "error")
    seen = Seen(
        "a" * 40, "n", "/d", "/d/n", 1, 1, True, "seeding", 1.0, 1, 1, None, None, "", (), True, 1, "", (tracker,), ()
    )  # fmt: skip
    assert disowned_now(seen) is disowned


def test_transmission_calls_a_payload_otherwise_on_disk() -> None:
    """Its list says "Film: Two"; the folder is "Film_ Two"."""
    raw: dict[str, Any] = {
        "hashString": "a" * 40, "name": "Film: Two", "downloadDir": "/d", "totalSize": 5, "haveValid": 5,
        "haveUnchecked": 0, "leftUntilDone": 0, "percentDone": 1, "metadataPercentComplete": 1, "status": 6,
        "trackerStats": [], "files": [{"name": "Film_ Two/a.mkv", "length": 5, "bytesCompleted": 5}],
        "fileStats": [{"wanted": True}],
    }  # fmt: skip
    assert of_transmission(raw).content == "/d/Film_ Two"
