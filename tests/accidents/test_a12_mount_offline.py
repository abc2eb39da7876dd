"""A12: a mount was offline, so the library was emptied."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import Exit
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.rig import APPS, GOES, STAYS, WISH, rig
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload
from tests.kinds.torrent_retention.world import download, sonarr
from tests.mounts import Mounted, Renamed

DISKS = [Renamed, pytest.param(Mounted, marks=pytest.mark.root)]
IMPORTED = "connection: rt\nimported_by: [sonarr]\nmay_go: {imported: true}\n" + FREE


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("disk", DISKS)
def test_a12_the_downloads_are_offline(tmp_path: Path, app: str, disk: type[Renamed | Mounted]) -> None:
    """Torrents may go, and one file is an orphan. While the disk is away nothing is removed, no torrent and no file, not by
    a plan of before either; nothing is put on its mount point; afterwards everything goes its way."""
    with rig(app, tmp_path) as it, disk(it.downloads) as at:
        it.sim.declare(WISH + f"orphans: {{under: [{it.downloads}], older: 1d}}")
        it.sim.wait(timedelta(days=2))
        before, plan = it.files(), it.sim.plan()
        assert sorted(a.subject.title for a in plan.actions()) == [*GOES, "other.bin"]
        at.offline()
        for days in (0, 20):
            it.sim.clock.ahead += timedelta(days=days)
            proposal = it.sim.proposal()
            assert proposal.actions == () and it.sim.code() == Exit.BLOCKED
            assert {b.what for b in proposal.blocked if "is mounted" in b.remedy} >= set(GOES)
        it.sim.clock.ahead -= timedelta(days=20)
        assert not {state for _, _, state in it.sim.states(it.sim.apply(plan))} & {"done", "failed", "broken"}
        assert it.names == sorted(GOES + STAYS) and it.line.removals == []
        at.online()
        assert it.files() == before
        it.sim.apply()
        assert it.names == STAYS and "other.bin" not in it.files()


@pytest.mark.parametrize("disk", DISKS)
def test_a12_the_library_is_offline(tmp_path: Path, disk: type[Renamed | Mounted]) -> None:
    """What was imported is not to be seen, so it is not called imported: the torrent is the only copy that there may be."""
    downloads, home = tmp_path / "dl", tmp_path / "home"
    home.mkdir()
    film = payload(downloads, "Film.mkv", 1)
    with Rtorrent([film]) as rt, sonarr(home, {"sonarr": [download(film)]}) as tv, disk(tv.library("sonarr")) as at:
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
        sim.declare(IMPORTED)
        plan = sim.plan()
        assert goes(plan.resources[0].proposal) == ["Film.mkv"]
        at.offline()
        assert sim.proposal().actions == ()
        ((_, _, state),) = sim.states(sim.apply(plan))
        assert state == "stale" and len(rt.torrents) == 1 and (downloads / "Film.mkv").exists()
        at.online()
        assert goes(sim.proposal()) == ["Film.mkv"]


@pytest.mark.parametrize("disk", DISKS)
def test_a12_quarantine_is_offline(tmp_path: Path, disk: type[Renamed | Mounted]) -> None:
    """What waits there is not forgotten: it goes for good, or comes back, once the disk is there again."""
    with rig("rtorrent", tmp_path) as it, disk(it.downloads) as at:
        it.sim.apply()
        waits = it.waiting()
        assert waits
        at.offline()
        it.sim.clock.ahead += timedelta(days=8)
        assert it.sim.proposal().actions == ()
        at.online()
        assert it.waiting() == waits
        assert {a.verb for a in it.sim.proposal().actions} == {"purge"}
