"""A05: files that were still seeding were taken for orphans, while the client was unreachable."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import Exit
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, payload

QB = "{{app: qbittorrent, url: '{url}', user: admin, password: {{env: QB_PASSWORD}}}}"


def test_a05_a_client_that_is_down_owns_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other client seeds is no orphan; while it is down nothing is; afterwards only the real orphan goes aside."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    mine = payload(downloads, "Mine.mkv", 1)
    theirs = payload(downloads, "Theirs", 2, files={"a.mkv": 50_000, "b.mkv": 60_000})
    orphan = downloads / "Orphan" / "left.mkv"
    orphan.parent.mkdir()
    orphan.write_bytes(b"o" * 70_000)
    young = downloads / "Young.mkv"
    young.write_bytes(b"y" * 10_000)
    tomorrow = time.time() + 2 * 86400
    os.utime(young, (tomorrow, tomorrow))
    wish = f"connection: rt\nmay_go: {{ratio: '>= 100'}}\n{FREE}orphans: {{under: [{downloads}], older: 1d}}"
    other = Qbittorrent([theirs])
    with Rtorrent([mine]) as rt:
        with other:
            sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=other.url)}, downloads)
            sim.declare(wish)
            sim.wait(timedelta(days=2))
            asked = sim.proposal()
        assert [a.subject.title for a in asked.actions] == ["Orphan"]
        down = sim.proposal()  # the other client is gone
        assert down.actions == ()
        assert any("orphans" in b.what and "qb" in b.reason for b in down.blocked) and sim.code() == Exit.BLOCKED
        with Qbittorrent([theirs]) as again:
            sim = Sim(tmp_path, {"rt": rt.url, "qb": QB.format(url=again.url)}, downloads)
            sim.clock.ahead = timedelta(days=2)
            sim.declare(wish)
            assert [o[2] for o in sim.states(sim.apply())] == ["done"]
            assert sim.proposal().actions == ()
        kept = list((downloads / ".arr-quarantine").rglob("left.mkv"))
        assert len(kept) == 1 and not orphan.exists() and young.exists()
        assert (downloads / "Theirs" / "a.mkv").exists() and (downloads / "Mine.mkv").exists()


def test_a05_a_torrent_added_since_the_plan_claims_it(tmp_path: Path) -> None:
    """Between plan and apply somebody adds the torrent again: the precondition sees it, and the file stays."""
    downloads = tmp_path / "dl"
    late = payload(downloads, "Late", 3, files={"l.mkv": 40_000})
    with Rtorrent([payload(downloads, "Mine.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(f"connection: rt\nmay_go: {{ratio: '>= 100'}}\n{FREE}orphans: {{under: [{downloads}]}}")
        sim.wait(timedelta(days=8))
        plan = sim.plan()
        assert [a.subject.title for a in plan.actions()] == ["Late"]
        rt.torrents[late.hash.upper()] = late
        assert sim.states(sim.apply(plan)) == [("quarantine", "Late", "stale")]
        assert (downloads / "Late" / "l.mkv").exists()
