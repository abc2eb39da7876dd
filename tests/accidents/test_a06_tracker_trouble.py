"""A06: a tracker's generic error or maintenance page counted as "torrent not registered"."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import Sim, goes, held, payload

WISH = """
connection: rt
may_go: {ratio: ">= 100"}
trackers: {blu: {match: ["*.example"], keep_until: {ratio: ">= 50"}}}
unregistered: {seen: 3, over: 2d, per_tracker: 3}
"""
GONE = 'Tracker: [Failure reason "unregistered torrent"]'


def look(sim: Sim, hours: float) -> list[str]:
    """What a plan would remove, so much later."""
    sim.clock.ahead += timedelta(hours=hours)
    return goes(sim.proposal())


def test_a06_only_what_is_disowned_again_and_again_goes(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    gone = payload(downloads, "Gone.mkv", 1, message=GONE)
    sick = payload(downloads, "Sick.mkv", 2, message="Tracker: [Unregistered: site is down for maintenance]")
    vague = payload(downloads, "Vague.mkv", 3, message="Tracker: [Could not parse bencoded data]")
    with Rtorrent([gone, sick, vague]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        assert look(sim, 0) == [] and look(sim, 0.1) == []  # seen twice within minutes counts once
        assert look(sim, 24) == []
        gone.message = ""
        assert look(sim, 2) == []  # it is known again: all begins anew
        gone.message = GONE
        assert look(sim, 2) == [] and look(sim, 24) == []
        assert look(sim, 24) == ["Gone.mkv"]


def test_a06_many_at_one_tracker_are_its_own_trouble(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    many = [payload(downloads, f"Many{n}.mkv", n, message=GONE) for n in range(5)]
    with Rtorrent(many) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        for _ in range(5):
            assert look(sim, 24) == []
        reasons = held(sim.proposal())
        assert set(reasons) == {t.name for t in many}
        assert all("disowns 5 torrents at once" in r for r in reasons.values())
