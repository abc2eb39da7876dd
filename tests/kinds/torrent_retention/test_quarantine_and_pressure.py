"""What waits in quarantine, when it goes for good, what comes back; and a disk that is too full."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.kind import WriteRefused
from resources.clients.localfs import Batches, LocalFs
from resources.clients.localfs import quarantine as store
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.rig import rig
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload
from tests.mounts import Mounted

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}"
FILES = {"e1.mkv": 2_000_000, "sub/e2.mkv": 1_000_000}


def test_it_is_purged_when_its_time_is_over_and_not_before(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads, "Show", 1, files=FILES)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH + "quarantine: {keep: 2d}")
        plan = sim.plan()
        assert next(iter(plan.actions())).effects.bytes_freed == 0
        sim.apply(plan)
        assert sim.proposal().actions == ()
        sim.clock.ahead = timedelta(days=1)
        assert sim.proposal().actions == ()
        sim.clock.ahead = timedelta(days=2, minutes=1)
        (purge,) = sim.proposal().actions
        assert purge.verb == "purge" and purge.effects.bytes_destroyed == 3_000_000
        (outcome,) = sim.apply().outcomes
        assert outcome.state == "done" and "3.0 MB deleted for good" in outcome.says
        assert not any((downloads / ".arr-quarantine").iterdir()) and sim.proposal().actions == ()


@pytest.mark.parametrize(
    ("path", "purged"), [("Other", True), ("Show", False), ("Show/sub/e2.mkv", False), ("", False), ("Sho", True)]
)
def test_a_path_protects_what_was_there_until_its_quarantine_ends(tmp_path: Path, path: str, purged: bool) -> None:
    """Somebody wants it back after all: the path it had is what they know. And a path elsewhere stops no purge."""
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads, "Show", 1, files=FILES)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH + "quarantine: {keep: 2d}")
        sim.apply()
        sim.declare(WISH + "quarantine: {keep: 2d}", f"protect: ['{str(downloads / path).rstrip('/')}']\n")
        sim.clock.ahead = timedelta(days=2, minutes=1)
        assert [a.verb for a in sim.proposal().actions] == (["purge"] if purged else [])
        sim.apply()
        assert any((downloads / ".arr-quarantine").iterdir()) is not purged


def test_nothing_is_purged_while_its_client_is_silent(tmp_path: Path) -> None:
    """A removal broke and left the torrent without its data; when the time is over, the client does not answer: the torrent may
    still be there, and what waits is its only data."""
    with rig(
        "rtorrent", tmp_path, "connection: box\nmay_go: {ratio: '>= 2'}\n" + FREE + "quarantine: {keep: 2d}"
    ) as it:
        it.line.fault = "ignored"
        it.sim.apply()
        waiting = it.waiting()
        assert waiting
        it.sim.clock.ahead = timedelta(days=3)
        it.line.fault = "down"
        proposal = it.sim.proposal()
        assert proposal.actions == () and proposal.blocked
        it.sim.apply()
        assert it.waiting() == waiting
        it.line.fault = ""
        verbs = {a.verb for a in it.sim.proposal().actions}
        assert "restore" in verbs and "purge" not in verbs


def test_a_torrent_that_comes_back_before_the_purge_keeps_its_data(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    show = payload(downloads, "Show", 1, files=FILES)
    with Rtorrent([show]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH + "quarantine: {keep: 2d}")
        sim.apply()
        sim.clock.ahead = timedelta(days=3)
        plan = sim.plan()
        assert [a.verb for a in plan.actions()] == ["purge"]
        rt.torrents[show.hash.upper()] = show
        (outcome,) = sim.apply(plan).outcomes
        assert outcome.state == "stale" and "the torrent whose data it was is there" in outcome.says
        assert any((downloads / ".arr-quarantine").rglob("e1.mkv"))


def test_a_purge_that_broke_is_ended_by_the_next_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads, unlink = tmp_path / "dl", os.unlink
    failed: list[Any] = []

    def once(path: Any, **more: Any) -> None:
        if str(path).endswith("e2.mkv") and not failed:
            failed.append(path)
            raise OSError(5, "Input/output error")
        unlink(path, **more)

    with Rtorrent([payload(downloads, "Show", 1, files=FILES)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH + "quarantine: {keep: 2d}")
        sim.apply()
        sim.clock.ahead = timedelta(days=3)
        monkeypatch.setattr(os, "unlink", once)
        assert [o[2] for o in sim.states(sim.apply())] == ["failed"] and failed
        assert [a.verb for a in sim.proposal().actions] == ["purge"]
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert not any((downloads / ".arr-quarantine").iterdir()) and sim.proposal().actions == ()


def test_a_foreign_file_stays_where_it_is(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads, "Show", 1, files=FILES)]) as rt:
        (downloads / "Show" / "notes.txt").write_text("mine")
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        sim.apply()
        assert [p.name for p in (downloads / "Show").rglob("*")] == ["notes.txt"] and rt.torrents == {}


def test_the_folder_of_a_single_file_is_shared_and_stays(tmp_path: Path) -> None:
    """Even when it is empty afterwards: clients and apps put the next one there."""
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads / "tv", "Film.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert (downloads / "tv").is_dir() and list((downloads / "tv").iterdir()) == []


def test_a_kill_between_moving_and_removing_is_mended(tmp_path: Path) -> None:
    """The data lies in quarantine and the torrent stayed: it is brought back first, and decided about anew."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Show", 1, files=FILES)
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        (action,) = sim.plan().actions()
        about = {**action.data["about"]}
        paths = action.data["files"]
        store.stash(
            LocalFs(writable=True), str(downloads), action.data["batch"], paths, about=about, until=sim.clock.now(),
            stop=str(downloads / "Show"),
        )  # fmt: skip
        (mend,) = sim.proposal().actions
        assert (mend.verb, mend.cause) == ("restore", "repair")
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert (downloads / "Show" / "sub" / "e2.mkv").stat().st_size == 1_000_000
        assert goes(sim.proposal()) == ["Show"]


def test_under_pressure_the_longest_done_goes_and_only_what_is_needed(tmp_path: Path) -> None:
    """The oldest first, at once and for good; what would free nothing stays, and so does everything when there is room."""
    downloads = tmp_path / "dl"
    day = 86400
    torrents = [
        payload(downloads, name, n, files=FILES, finished=1_700_000_000 + n * day)
        for n, name in enumerate(["Linked", "Oldest", "Newer", "Newest"])
    ]
    for path in FILES:
        (tmp_path / "library" / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(downloads / "Linked" / path, tmp_path / "library" / path)
    with Rtorrent(torrents) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        space = os.statvfs(downloads)
        total, free = space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize
        used = (total - free) / total * 100
        sim.declare(WISH + f"pressure: {{disk: {downloads}, above: {min(99.9, used + 5):.6f}%}}")
        assert sim.proposal().actions == ()
        sim.declare(WISH + f"pressure: {{disk: {downloads}, above: 0%}}")
        proposal = sim.proposal()
        assert goes(proposal) == ["Oldest", "Newer", "Newest"]  # never enough: all that frees anything
        assert proposal.bars[0].ok is False and all(a.data["purge"] for a in proposal.actions)
        wanted = (total - free - 2_000_000) / total * 100
        sim.declare(WISH + f"pressure: {{disk: {downloads}, above: {wanted:.7f}%}}")
        assert goes(sim.proposal())[:1] == ["Oldest"]


def test_a_full_disk_ends_no_quarantine_on_another(tmp_path: Path) -> None:
    """Orphans wait on one disk, the other is full: purging them would make no room there, whoever deletes the torrents."""
    downloads, other = tmp_path / "dl", tmp_path / "other"
    for folder in (downloads, other):
        folder.mkdir()
    with Mounted(downloads):
        given = [payload(downloads, "Mine.mkv", 1, ratio=0)]
        (downloads / "left.mkv").write_bytes(b"left" * 1000)
        (tmp_path / "password").write_text("adminadmin")
        with Qbittorrent(given) as qb:
            said = f"{{app: qbittorrent, url: '{qb.url}', user: admin, password: {{file: {tmp_path / 'password'}}}}}"
            sim = Sim(tmp_path, {"qb": said}, downloads)
            wish = f"connection: qb\nmay_go: {{ratio: '>= 2'}}\n{FREE}orphans: {{under: [{downloads}], older: 1d}}\n"
            sim.declare(wish)
            sim.wait(timedelta(days=2))
            assert [o.state for o in sim.apply().outcomes] == ["done"]
            for disk, purged in ((other, []), (downloads, ["purge"])):
                sim.declare(wish + f"pressure: {{disk: {disk}, above: 0%}}")
                assert [a.verb for a in sim.proposal().actions] == purged


def test_nothing_outside_through_links_or_over_something(tmp_path: Path) -> None:
    """The quarantine itself: no way out of its root, no link on the way, no overwriting on the way back."""
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "f").write_text("f")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "g").write_text("g")
    (root / "link").symlink_to(tmp_path / "out")
    fs = LocalFs(writable=True)

    def stash(batch: str, path: Path, stop: Path = root, here: LocalFs = fs) -> None:
        store.stash(
            here, str(root), batch, [str(path)], about={}, until=datetime(2026, 1, 1, tzinfo=UTC), stop=str(stop)
        )

    for bad in (
        tmp_path / "out" / "g",
        root / "link" / "g",
        root / ".." / "out" / "g",
        root,
        root / "link",
        root / "a",
    ):
        with pytest.raises(WriteRefused):
            stash("b1", bad)
    for name in ("", "..", "../x", "A", "x/y"):
        with pytest.raises(WriteRefused):
            stash(name, root / "a" / "f")
    with pytest.raises(WriteRefused):
        stash("b1", root / "a" / "f", here=LocalFs())
    assert (tmp_path / "out" / "g").read_text() == "g" and (root / "a" / "f").read_text() == "f"
    stash("b1", root / "a" / "f", root / "a")
    assert not (root / "a").exists()
    (batch,) = fs.read(Batches("here", str(root)))
    assert (batch.id, batch.files, batch.whole) == ("b1", 1, True)
    (root / "a").mkdir()
    (root / "a" / "f").write_text("new")
    with pytest.raises(WriteRefused):
        store.restore(fs, str(root), "b1")
    assert (root / "a" / "f").read_text() == "new"
    (root / "a" / "f").unlink()
    store.restore(fs, str(root), "b1")
    assert (root / "a" / "f").read_text() == "f" and fs.read(Batches("here", str(root))) == ()
    assert list((root / ".arr-quarantine").iterdir()) == []
