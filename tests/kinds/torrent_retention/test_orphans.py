"""Since when nobody claims what lies in a folder: old times and one short answer of a client make no orphan, and a list
that lacks some torrents is not believed at once.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import STAY, Sim, goes, held, payload, searched


@pytest.mark.parametrize("moved", [False, True])
def test_what_keeps_old_times_is_no_orphan_at_once(tmp_path: Path, moved: bool) -> None:
    """A client, `cp -p` and `mv` keep the times of a file: that it is old says nothing of since when it lies there."""
    downloads, aside = tmp_path / "dl", tmp_path / "aside"
    for folder in (downloads, aside / "Late"):
        folder.mkdir(parents=True)
    old = aside / "Late" / "e1.mkv"
    old.write_bytes(b"late" * 5000)
    os.utime(old, (1_600_000_000, 1_600_000_000))
    with Rtorrent([payload(downloads, "Mine.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads))
        sim.wait(timedelta(days=2))
        if moved:  # the folder is renamed: no inode of a file changes
            (aside / "Late").rename(downloads / "Late")
        else:
            shutil.copytree(aside / "Late", downloads / "Late")
        for hours in (0, 1, 22):
            sim.clock.ahead += timedelta(hours=hours)
            proposal = sim.proposal()
            assert proposal.actions == () and "not for 24 h yet: 1, left alone" in " ".join(proposal.summary)
        sim.clock.ahead += timedelta(hours=2)
        assert [a.subject.title for a in sim.proposal().actions] == ["Late"]


def test_what_was_replaced_under_its_old_times_is_no_orphan(tmp_path: Path) -> None:
    """It was seen unclaimed two days ago; since then `cp -p` has put another file there, of the same size and time."""
    downloads = tmp_path / "dl"
    left = downloads / "Left.mkv"
    downloads.mkdir()
    left.write_bytes(b"left")
    os.utime(left, (1_600_000_000, 1_600_000_000))
    with Rtorrent([payload(downloads, "Mine.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads))
        sim.clock.ahead = timedelta(days=-2)
        sim.wait(timedelta(days=2))
        assert sim.proposal().actions == ()
        sim.clock.ahead = timedelta(days=1)
        assert [a.subject.title for a in sim.proposal().actions] == ["Left.mkv"]


def test_a_torrent_that_a_list_left_out_makes_no_orphan(tmp_path: Path) -> None:
    """Fewer torrents than before, and no fewer than half: what is missing in one answer is no orphan, nor in a second one
    that is as short after it was whole again."""
    downloads = tmp_path / "dl"
    given = [payload(downloads, f"Show{n}", n, files={"e1.mkv": 5_000 + n}) for n in range(4)]
    with Rtorrent(given) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads))
        sim.wait(timedelta(days=2))
        left = rt.torrents.pop(given[0].hash.upper())
        assert sim.proposal().actions == ()
        rt.torrents[given[0].hash.upper()] = left
        sim.wait(timedelta(days=2))
        rt.torrents.pop(given[0].hash.upper())
        assert sim.proposal().actions == ()
        sim.clock.ahead += timedelta(days=1)
        assert [a.subject.title for a in sim.proposal().actions] == ["Show0"]


def test_a_list_that_lacks_some_is_not_believed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client is starting and shows 9 of its 12 torrents: what it shares stays. What we removed is not missing."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    mine = payload(downloads, "Shared.mkv", 1)
    theirs = [payload(downloads, "Shared.mkv", 2)] + [payload(downloads, f"T{n}.mkv", n) for n in range(11)]
    qb_yaml = "{{app: qbittorrent, url: '{url}', user: admin, password: {{env: QB_PASSWORD}}}}"
    with Rtorrent([mine]) as rt, Qbittorrent(theirs) as qb:
        sim = Sim(tmp_path, {"rt": rt.url, "qb": qb_yaml.format(url=qb.url)}, downloads)
        sim.declare(STAY.replace(">= 100", ">= 2"))
        assert goes(sim.proposal()) == [] and "in qb uses the same data" in held(sim.proposal())["Shared.mkv"]
        gone = [theirs[0], theirs[1], theirs[2]]
        for one in gone:
            qb.torrents.pop(one.hash)
        proposal = sim.proposal()
        assert goes(proposal) == [] and "qb shows 9 torrents; at the last good look it was 12" in str(proposal.blocked)
        sim.clock.ahead += timedelta(minutes=20)
        assert goes(sim.proposal()) == ["Shared.mkv"]


def test_what_we_removed_does_not_make_a_list_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wishes, one a client: the removals of the one do not block the other."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    theirs = [payload(downloads, f"T{n}.mkv", n, ratio=3000 if n < 4 else 100) for n in range(12)]
    mine = payload(downloads, "Mine.mkv", 1, ratio=100)
    qb_yaml = "{{app: qbittorrent, url: '{url}', user: admin, password: {{env: QB_PASSWORD}}}}"
    with Rtorrent([mine]) as rt, Qbittorrent(theirs) as qb:
        sim = Sim(tmp_path, {"rt": rt.url, "qb": qb_yaml.format(url=qb.url)}, downloads)
        sim.declare(STAY.replace(">= 100", ">= 2"))
        wish = (sim.desired / "wish.yaml").read_text()
        other = wish.replace("seedbox:", "other:").replace("connection: rt", "connection: qb")
        (sim.desired / "wish.yaml").write_text(wish + other.partition("torrent_retention:\n")[2])
        sim.apply()
        assert len(qb.torrents) == 8
        mine.ratio = 3000
        assert [a.subject.title for a in sim.plan().actions()] == ["Mine.mkv"]
